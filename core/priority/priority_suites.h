/* SPDX-License-Identifier: MIT */
/* Cipher suites as GnuTLS's priority strings see them: a key exchange, a cipher and a MAC. For
 * priority.c alone. */
#ifndef MS_PRIORITY_SUITES_H
#define MS_PRIORITY_SUITES_H

#include "bytes.h"
#include "error.h"
#include "priority.h"

struct ms_suite {
    uint16_t code;
    gnutls_kx_algorithm_t kx; /* GNUTLS_KX_UNKNOWN: a suite of TLS 1.3 */
    gnutls_cipher_algorithm_t cipher;
    gnutls_mac_algorithm_t mac;
    gnutls_protocol_t min_version; /* of TLS, even where DTLS is meant */
};

enum { MS_SUITES_MAX = 256 }; /* GnuTLS's own limit for a priority string */

struct ms_suites {
    struct ms_suite items[MS_SUITES_MAX];
    size_t num;
};

/* Every suite of this GnuTLS; the index is that of gnutls_cipher_suite_info(). */
void ms_suites_read(struct ms_suites *all);
const struct ms_suite *ms_suites_find(const struct ms_suites *suites, uint16_t code);

/* Whether a suite belongs to a version (IANA's number, TLS or DTLS). */
bool ms_suite_fits(const struct ms_suite *suite, uint16_t version);
bool ms_suites_fit(const struct ms_suites *suites, uint16_t version); /* one at least */

/* "PSK", "SRP" or "anonymous" where the key exchange needs credentials of that kind, else NULL. */
const char *ms_suite_special_credentials(const struct ms_suite *suite);

/* The words that enable `wanted` and as little else as possible, in an order as near to the wanted
 * one as a cross product comes. Appended with a colon before each. False when memory is short. */
bool ms_suites_write(const struct ms_suites *wanted, struct ms_bytes *text);

/* What a priority string enables for these versions, in its order. */
void ms_suites_enabled(const struct ms_suites *all, gnutls_priority_t cache,
                       struct ms_code_list versions, struct ms_suites *enabled);

/* The same suites in the same order, those of TLS 1.3 and the older ones apart? The error names
 * the extra suites, the missing one or the first one out of place. */
bool ms_suites_compare(const struct ms_suites *wanted, const struct ms_suites *enabled,
                       struct ms_error *error);

#endif
