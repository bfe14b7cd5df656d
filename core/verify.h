/* SPDX-License-Identifier: MIT */
/* Path validation: whom an end trusts, and what is wrong with a chain. The judgement is GnuTLS's
 * (gnutls_x509_trust_list_verify_crt2); the exact finding is computed on the chain where GnuTLS
 * lumps several causes together, and never contradicts it. */
#ifndef MS_VERIFY_H
#define MS_VERIFY_H

#include "certificate.h"

/* The anchors that end a chain. Counted, never changed. */
struct ms_trust;

/* Copies the list's references. ms_trust_system() reads the system's store. Returned, caller
 * releases. */
struct ms_trust *ms_trust_new(const struct ms_certificates *anchors, struct ms_error *error);
struct ms_trust *ms_trust_system(struct ms_error *error);
struct ms_trust *ms_trust_retain(struct ms_trust *trust);
void ms_trust_release(struct ms_trust *trust);
/* The anchors given; borrows. Of the system's store, the list is absent. */
const struct ms_certificates *ms_trust_anchors(const struct ms_trust *trust);

enum ms_purpose { MS_PURPOSE_ANY, MS_PURPOSE_SERVER, MS_PURPOSE_CLIENT };

/* What to judge a chain by. Time is the clock in force (see clock.h). Borrows. */
struct ms_demand {
    struct ms_trust *trust; /* NULL: nobody is trusted */
    const char *name;       /* DNS name or IP address the leaf must carry; NULL: not checked */
    enum ms_purpose purpose;
    unsigned flags;    /* gnutls_certificate_verify_flags */
    int64_t max_depth; /* certificates in the chain as sent, 0: unlimited; GnuTLS's default is 16 */
};

struct ms_verification {
    bool present;
    bool verified, accepted;
    struct ms_texts problems;           /* always present once made */
    char *text;                         /* one sentence */
    struct ms_certificate *certificate; /* the one that carries the violated constraint, or is
                                           itself at fault; NULL: none in particular */
    struct ms_certificates path;        /* leaf first, ending in the anchor where one was reached */
    unsigned status; /* gnutls_certificate_status_t; 0xffffffff where GnuTLS gave none (too deep) */
};
extern const struct ms_field ms_verification_fields[];

/* Judges `chain` (as sent). False only when the harness itself fails: a chain that cannot be parsed
 * is a result ("signer_not_found" never stands for it: see verify.c). `accepted` equals `verified`.
 */
bool ms_verify(const struct ms_certificates *chain, const struct ms_demand *demand,
               struct ms_verification *result, struct ms_error *error);
bool ms_verification_copy(struct ms_verification *to, const struct ms_verification *from);
void ms_verification_clear(struct ms_verification *result);

#endif
