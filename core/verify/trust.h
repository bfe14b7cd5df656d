/* SPDX-License-Identifier: MIT */
/* Whom an end trusts: the anchors that end a chain, as one GnuTLS trust list that is made once and
 * shared by every verification. */
#ifndef MS_TRUST_H
#define MS_TRUST_H

#include "certificate.h"

/* The anchors that end a chain. Counted, never changed. */
struct ms_trust;

/* Retains the certificates of the list, which may be empty: then nobody is trusted. Each must
 * parse; the error says which does not. Returned, caller releases. */
struct ms_trust *ms_trust_new(const struct ms_certificates *anchors, struct ms_error *error);
/* Reads the system's store. Fails where there is none. Returned, caller releases. */
struct ms_trust *ms_trust_system(struct ms_error *error);
struct ms_trust *ms_trust_retain(struct ms_trust *trust);
void ms_trust_release(struct ms_trust *trust); /* NULL is fine */

/* The anchors given; borrows. Of the system's store, the list is absent. */
const struct ms_certificates *ms_trust_anchors(const struct ms_trust *trust);

/* The trust list; borrows. */
gnutls_x509_trust_list_t ms_trust_list(const struct ms_trust *trust);
/* The anchor whose parsed form `crt` is; borrows. NULL when it is none of those given. */
struct ms_certificate *ms_trust_anchor(const struct ms_trust *trust, gnutls_x509_crt_t crt);
/* Whether one of the anchors given has the same DER. */
bool ms_trust_has(const struct ms_trust *trust, const struct ms_certificate *certificate);

#endif
