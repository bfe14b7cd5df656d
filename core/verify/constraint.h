/* SPDX-License-Identifier: MIT */
/* The constraints that a CA's certificate puts on what is below it, each checked on its own as
 * RFC 5280 section 6.1 has them: GnuTLS reports all of them as
 * GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE.
 */
#ifndef MS_CONSTRAINT_H
#define MS_CONSTRAINT_H

#include "finding.h"

struct ms_constraint {
    const char *problem; /* "path_length_exceeded", ... */
    /* The topmost certificate of the path whose constraint is violated (borrows), with a clause on
     * how; or NULL, and nothing is written. */
    struct ms_certificate *(*find)(const struct ms_evidence *evidence,
                                   struct ms_sentence *sentence);
};
extern const struct ms_constraint ms_constraints[]; /* ended by a problem of NULL */

/* As `find`: the CA whose path length limit is kept, but not as GnuTLS 3.7.9 counts: it takes
 * self-issued certificates for intermediates, which RFC 5280 4.2.1.9 does not. */
struct ms_certificate *ms_constraint_miscounted(const struct ms_evidence *evidence,
                                                struct ms_sentence *sentence);

#endif
