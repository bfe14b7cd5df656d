/* SPDX-License-Identifier: MIT */
/* Path validation: what is wrong with a chain. The judgement is GnuTLS's
 * (gnutls_x509_trust_list_verify_crt2); the exact finding is computed on the chain where GnuTLS
 * lumps several causes together, and never contradicts it. */
#ifndef MS_VERIFY_H
#define MS_VERIFY_H

#include "certificate.h"
#include "trust.h"

enum ms_purpose { MS_PURPOSE_ANY, MS_PURPOSE_SERVER, MS_PURPOSE_CLIENT };

/* What to judge a chain by. Time is the clock in force (see clock.h). Borrows. */
struct ms_demand {
    struct ms_trust *trust; /* NULL: nobody is trusted */
    const char *name;       /* DNS name or IP address the leaf must carry; NULL: not checked */
    enum ms_purpose purpose;
    unsigned flags;    /* gnutls_certificate_verify_flags */
    int64_t max_depth; /* certificates in the chain as sent, 0: unlimited; GnuTLS's default is 16 */
};

/* `problems` are GnuTLS's flags as words ("expired", ...), in a stable order: the path first, then
 * its certificates, then whether the leaf fits. "signer_constraints_failure" is followed by each
 * exact finding that explains it: "path_length_exceeded", "name_constraint_violated",
 * "key_usage_forbids_signing". Three words stand alone, for GnuTLS sets no flag of its own there:
 * "depth_exceeded", "malformed_certificate" (`certificate` cannot be parsed) and "invalid" (GnuTLS
 * refuses and does not say why). */
struct ms_verification {
    bool present;
    bool verified, accepted;
    struct ms_texts problems;           /* always present once made */
    char *text;                         /* one sentence, a clause for each problem */
    struct ms_certificate *certificate; /* the one that carries the violated constraint, or is
                                           itself at fault, of the first problem that has one;
                                           NULL: none in particular */
    struct ms_certificates path; /* leaf first, ending in the anchor where one was reached, else as
                                    far as the certificates sent reach; always present once made */
    int64_t at;                  /* the time that it was judged by, in seconds since the epoch */
    unsigned status; /* gnutls_certificate_status_t; 0xffffffff where GnuTLS gave none (too deep,
                        malformed) */
};
extern const struct ms_field ms_verification_fields[];

/* Judges `chain` (as sent, at least one certificate). False only when the harness itself fails: a
 * chain that cannot be parsed is a result. `accepted` equals `verified`. Clear what is in `result`
 * before; it is empty when false comes back. */
bool ms_verify(const struct ms_certificates *chain, const struct ms_demand *demand,
               struct ms_verification *result, struct ms_error *error);
/* The words that `problems` may hold, by position; NULL past the last. Static. */
const char *ms_verification_word(size_t index);

/* Copies into `to`, which holds nothing, by reference counts; false, with `to` empty, when memory
 * is short. Clearing frees the contents, not the struct. */
bool ms_verification_copy(struct ms_verification *to, const struct ms_verification *from);
void ms_verification_clear(struct ms_verification *result);

#endif
