/* SPDX-License-Identifier: MIT */
/* Reads what crossed the wire: records (RFC 8446 section 5.1) and the handshake messages whose
 * content a report needs. Everything may come from a hostile peer. */
#ifndef MS_WIRE_H
#define MS_WIRE_H

#include "config.h"

/* ContentType (RFC 8446 section 5.1). */
enum ms_record_type {
    MS_RECORD_CHANGE_CIPHER_SPEC = 20,
    MS_RECORD_ALERT = 21,
    MS_RECORD_HANDSHAKE = 22,
    MS_RECORD_APPLICATION_DATA = 23,
    MS_RECORD_HEARTBEAT = 24
};

/* ExtensionType (RFC 8446 section 4.2; renegotiation_info: RFC 5746). */
enum ms_extension_type {
    MS_EXTENSION_SERVER_NAME = 0,
    MS_EXTENSION_SUPPORTED_GROUPS = 10,
    MS_EXTENSION_SIGNATURE_ALGORITHMS = 13,
    MS_EXTENSION_ALPN = 16,
    MS_EXTENSION_EXTENDED_MASTER_SECRET = 23,
    MS_EXTENSION_SESSION_TICKET = 35,
    MS_EXTENSION_PRE_SHARED_KEY = 41,
    MS_EXTENSION_EARLY_DATA = 42,
    MS_EXTENSION_SUPPORTED_VERSIONS = 43,
    MS_EXTENSION_CERTIFICATE_AUTHORITIES = 47,
    MS_EXTENSION_POST_HANDSHAKE_AUTH = 49,
    MS_EXTENSION_KEY_SHARE = 51,
    MS_EXTENSION_RENEGOTIATION_INFO = 0xff01
};

/* A ServerHello that is a HelloRetryRequest by its random (RFC 8446 section 4.1.4) is logged as
 * one, under the HandshakeType that drafts gave it and IANA keeps reserved. */
#define MS_MESSAGE_HELLO_RETRY_REQUEST 6

/* Cuts a byte stream, in whatever pieces it comes, into records. Zero-initialise. */
struct ms_records {
    struct ms_bytes part; /* of the record that is not complete */
};
/* Takes some of `bytes` (advancing it) and sets `*record` to one complete record, header included,
 * or to absent when more bytes are needed. The record borrows until the next call. False when
 * memory is short. */
bool ms_records_next(struct ms_records *records, struct ms_slice *bytes, struct ms_slice *record);
/* What has come of a record that is not complete; borrows until the next call. */
struct ms_slice ms_records_held(const struct ms_records *records);
/* Gives memory back between two records; what is there of an incomplete one stays. */
void ms_records_rest(struct ms_records *records);
void ms_records_clear(struct ms_records *records);

/* Reads one extension from the front of a list of them; false when it is malformed. */
bool ms_wire_extension(struct ms_slice *list, uint32_t *type, struct ms_slice *data);

/* The DER certificates of a Certificate message's body (RFC 5246 7.4.2, RFC 8446 4.4.2), by calling
 * `each` for every one in order; false when the body is malformed or `each` returned false. */
bool ms_wire_certificates(struct ms_slice body, uint16_t version,
                          bool (*each)(void *context, struct ms_slice der), void *context);

/* The scheme that a CertificateVerify's body is signed with (RFC 5246 7.4.8, RFC 8446 4.4.3), or 0
 * when it is malformed. Before TLS 1.2 it names none. */
uint16_t ms_wire_signed_with(struct ms_slice body);

/* A CertificateRequest's body (RFC 5246 7.4.4, RFC 8446 4.3.2). */
struct ms_request {
    struct ms_texts issuers; /* RFC 4514; a name that cannot be decoded is "#" and its hex */
    struct ms_codes schemes;
    bool has_schemes;            /* from TLS 1.2 on a request names them */
    struct ms_slice types;       /* ClientCertificateType numbers; TLS 1.3 has none */
    struct ms_texts issuers_der; /* the same names as hex of their DER, for exact comparison */
    bool memory_short;           /* it was not read for want of memory: it may be well-formed */
};
bool ms_wire_request(struct ms_slice body, uint16_t version, struct ms_request *request);
void ms_request_clear(struct ms_request *request);
/* The schemes by IANA's names, in wire order; stays absent where a request names none. `names`
 * holds nothing. False when memory is short. */
bool ms_request_scheme_names(const struct ms_request *request, struct ms_texts *names);

/* What a ClientHello's body offers (RFC 5246 7.4.1.2, RFC 8446 4.1.2). Slices borrow from `body`.
 */
struct ms_client_hello {
    uint16_t legacy_version;
    struct ms_codes versions, cipher_suites, groups, schemes; /* versions: of supported_versions */
    struct ms_codes key_shares;                               /* their groups */
    char *server_name;                                        /* NULL: none */
    struct ms_texts alpn;                                     /* no items: no extension */
    bool renegotiation_info, post_handshake_auth, extended_master_secret, session_ticket,
        ticket_presented, has_groups, has_key_shares, has_schemes, pre_shared_key, early_data;
    struct ms_slice session_id;
    bool memory_short; /* it was not read for want of memory: it may be well-formed */
};
bool ms_wire_client_hello(struct ms_slice body, struct ms_client_hello *hello);
void ms_client_hello_clear(struct ms_client_hello *hello);

/* The version that a ServerHello's body selects (RFC 5246 7.4.1.3, RFC 8446 4.2.1), or 0 when it is
 * malformed. */
uint16_t ms_wire_selected_version(struct ms_slice body);

#endif
