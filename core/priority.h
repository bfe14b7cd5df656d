/* SPDX-License-Identifier: MIT */
/* Restrictions by IANA name, said as a GnuTLS priority string and checked against what GnuTLS makes
 * of it. A priority string is a cross product of key exchanges, ciphers and MACs: a set or an order
 * of suites that is none is refused here, naming the suites that do not fit. */
#ifndef MS_PRIORITY_H
#define MS_PRIORITY_H

#include "error.h"

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ms_renegotiation {
    MS_RENEGOTIATION_PARTIAL,
    MS_RENEGOTIATION_SAFE,
    MS_RENEGOTIATION_UNSAFE,
    MS_RENEGOTIATION_ABSENT,
    MS_RENEGOTIATION_REFUSE
};

/* Lists hold IANA code points in preference order and borrow until the call returns;
 * `num` 0 means that nothing was said (GnuTLS's NORMAL, and TLS 1.2 with 1.3 for versions). */
struct ms_code_list {
    const uint16_t *codes;
    size_t num;
};

struct ms_restrictions {
    const char *priority; /* a GnuTLS priority string to start from, or NULL for NORMAL */
    struct ms_code_list versions, cipher_suites, groups, signature_schemes;
    bool server_preference;         /* %SERVER_PRECEDENCE */
    bool no_extended_master_secret; /* %NO_SESSION_HASH */
    enum ms_renegotiation renegotiation;
};

struct ms_priority {
    gnutls_priority_t cache; /* returned, caller frees with ms_priority_clear() */
    unsigned verify_flags;   /* what the string's profile and %VERIFY_ words mean for
                                gnutls_x509_trust_list_verify_crt2() */
    char *text;              /* the string itself */
};

/* Fails with the option at fault at the start of the text ("cipher_suites: ..."): a suite, group,
 * scheme or version that this GnuTLS lacks; a version without a suite or group for it; a set or
 * order of suites that no priority string can say; TLS 1.3 with an older version but without
 * TLS 1.2 (GnuTLS then drops 1.3). When `restrictions->priority` is set and a list is not, that
 * part is the string's. */
bool ms_priority_make(const struct ms_restrictions *restrictions, struct ms_priority *priority,
                      struct ms_error *error);
void ms_priority_clear(struct ms_priority *priority);

#endif
