/* SPDX-License-Identifier: MIT */
/* What the two ends say when they greet, in IANA's words: the offers of a ClientHello, and the
 * answers of a ServerHello, a HelloRetryRequest and EncryptedExtensions. */
#ifndef MS_HELLO_H
#define MS_HELLO_H

#include "bytes.h"
#include "fields.h"

/* What a message of its kind has no place for is absent. */
struct ms_hello {
    bool present; /* false: no such message, or a malformed one */
    struct ms_texts versions, cipher_suites, groups, key_shares, signature_schemes, alpn;
    char *server_name;
    struct ms_slice session_id; /* borrows from the body */
    enum ms_maybe or_older, ticket, ticket_presented, pre_shared_key, early_data,
        post_handshake_auth, extended_master_secret, secure_renegotiation;
};
extern const struct ms_field ms_hello_fields[];

/* Reads the body of a message of this HandshakeType. False when memory is short, and then there is
 * nothing to clear. */
bool ms_hello_read(uint8_t type, struct ms_slice body, struct ms_hello *hello);
void ms_hello_clear(struct ms_hello *hello);

#endif
