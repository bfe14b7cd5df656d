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
 * `num` 0 means that nothing was said. */
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
                                gnutls_x509_trust_list_verify_crt2(); a minimum profile of the
                                system's configuration is not seen */
    char *text;              /* the string itself; freed with it */
};

/* Makes the string, gives it to GnuTLS and checks what came of it. Returned, caller clears; on
 * failure there is nothing to clear (but clearing does no harm).
 *
 * What was not said:
 * - without `priority` the base is NORMAL, never the machine's policy, and the versions are those
 * of TLS 1.3 and TLS 1.2 for which a suite, a group and a scheme is listed (where there is a list);
 * - with it, what no list says is the string's, so "NORMAL" has TLS 1.0 and TLS 1.1 too;
 * - where groups are listed and suites are not, key exchanges for which no group is listed are
 *   dropped: GnuTLS would use them with a group that is not listed.
 * `versions` is a set: the newest is preferred, in whatever order it was listed. The order of
 * suites is compared for TLS 1.3 and for the older versions apart; GnuTLS sends those of TLS 1.3
 * first.
 *
 * Fails with the option at fault at the start of the text ("cipher_suites: ..."): a suite, group,
 * scheme or version that this GnuTLS lacks or that is listed twice; a suite that needs PSK, SRP or
 * anonymous credentials; a suite for no enabled version, a version without a suite, group or scheme
 * for it; an ECDHE or DHE suite without a group for it and a group that no suite uses; a set or
 * order of suites or groups that no priority string can say; schemes where no version negotiates
 * them; TLS and DTLS together; TLS 1.3 with an older version but without TLS 1.2, or with a NULL
 * cipher (GnuTLS then drops 1.3); a priority string with a word that GnuTLS does not know or would
 * ignore, with "@", or that leaves no version or suite. */
bool ms_priority_make(const struct ms_restrictions *restrictions, struct ms_priority *priority,
                      struct ms_error *error);
/* Sessions that use it keep their own count on the cache. */
void ms_priority_clear(struct ms_priority *priority);

#endif
