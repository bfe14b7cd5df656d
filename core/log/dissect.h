/* SPDX-License-Identifier: MIT */
/* Tells what is in the clear on a connection between two strangers: which records cross, which
 * handshake messages and alerts they carry, what greetings and certificates among these say, and
 * from where on they are protected. It needs both
 * directions, because what a ServerHello says decides how the client's records are to be read.
 * Everything may come from a hostile peer; what is kept of it is bounded. */
#ifndef MS_DISSECT_H
#define MS_DISSECT_H

#include "log.h"
#include "wire.h"

/* What was found. Texts borrow from it or are static; the bytes borrow until the next call of
 * ms_dissect_next() for that direction. */
struct ms_dissected {
    struct ms_slice bytes; /* the record, header included; or what is no record, as it came */
    const char *type;      /* ContentType, or its number; NULL: these bytes are no record */
    const char *version;   /* of its header; NULL likewise */
    int64_t length;        /* of the bytes */
    bool encrypted;
    struct ms_texts messages;    /* HandshakeTypes of the messages in clear that end in it */
    struct ms_alert_state alert; /* where it is in clear */
    /* What the first message of each kind among these says; absent where there is none, or it is
     * malformed, or longer than anybody needs. */
    struct ms_hello hello;               /* ClientHello, ServerHello or HelloRetryRequest */
    struct ms_certificates certificates; /* Certificate */
    struct ms_texts issuers;             /* CertificateRequest: RFC 4514 */
    struct ms_bytes greeting;            /* the body that `hello` borrows from */
    char spare[2][16];
};
extern const struct ms_field ms_dissected_fields[];
void ms_dissected_clear(struct ms_dissected *found);

struct ms_dissector {
    uint16_t version; /* what the server chose; 0: not yet */
    struct ms_direction {
        struct ms_records records;
        bool passed;          /* what is in `records` was no record, and has been handed out */
        bool encrypted;       /* a ChangeCipherSpec that counts has passed */
        uint8_t header[4];    /* of the handshake message under way */
        size_t num_header;    /* bytes of it that have come */
        uint32_t left;        /* bytes of its body that have not come */
        bool is_read;         /* its body is kept and looked into */
        struct ms_bytes body; /* of one that is looked into */
    } directions[2];          /* by the role that sends */
};

/* Zero-initialise. Takes some of what `from` sent (advancing `bytes`) and fills `*found`, which
 * holds nothing: with a whole record, with bytes that are no record of TLS, or with neither (its
 * bytes are absent) when more are needed. What is no record is told by its header, and given back
 * up to the end of `bytes`; the next piece may begin with a record again. False when memory is
 * short. */
bool ms_dissect_next(struct ms_dissector *dissector, enum ms_role from, struct ms_slice *bytes,
                     struct ms_dissected *found);
/* What has come of a record that is not whole; borrows until more comes. */
struct ms_slice ms_dissect_held(const struct ms_dissector *dissector, enum ms_role from);
void ms_dissector_clear(struct ms_dissector *dissector);

#endif
