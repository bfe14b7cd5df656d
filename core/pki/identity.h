/* SPDX-License-Identifier: MIT */
/* An identity: a private key with the certificates it presents, leaf first. Counted, never changed.
 */
#ifndef MS_IDENTITY_H
#define MS_IDENTITY_H

#include "certificate.h"
#include "key.h"

struct ms_identity;

/* Takes exactly this chain, however wrong; `made_here` says that key and leaf are known to belong
 * together. Retains key and certificates. `issuer` (retained, may be NULL) is whose key signed the
 * leaf. Returned, caller releases. */
struct ms_identity *ms_identity_new(struct ms_key *key, const struct ms_certificates *chain,
                                    struct ms_identity *issuer, bool made_here,
                                    struct ms_error *error);
struct ms_identity *ms_identity_retain(struct ms_identity *identity);
void ms_identity_release(struct ms_identity *identity);

/* All borrow until the identity goes. */
struct ms_key *ms_identity_key(const struct ms_identity *identity);
const struct ms_certificates *ms_identity_chain(const struct ms_identity *identity);
struct ms_certificate *ms_identity_leaf(const struct ms_identity *identity);
struct ms_identity *
ms_identity_issuer(const struct ms_identity *identity); /* NULL: self-signed or loaded */
bool ms_identity_made_here(const struct ms_identity *identity);

/* Whether the leaf's key usage allows signatures (RFC 5280 section 4.2.1.3), as (EC)DHE and every
 * client certificate need; true where it says nothing or cannot be read. */
bool ms_identity_may_sign(const struct ms_identity *identity);

/* Whether the certificate is for this key. False when the certificate cannot be parsed. */
bool ms_identity_fits(const struct ms_key *key, struct ms_certificate *certificate, bool *fits,
                      struct ms_error *error);

/* Reads a chain (leaf first, any length) and its key. Fails when the key does not belong to the
 * leaf. */
struct ms_identity *ms_identity_read(struct ms_slice chain, struct ms_slice key,
                                     const char *password, struct ms_error *error);
struct ms_identity *ms_identity_read_pkcs12(struct ms_slice der, const char *password,
                                            struct ms_error *error);
bool ms_identity_pkcs12(const struct ms_identity *identity, const char *password,
                        struct ms_bytes *der, struct ms_error *error);

#endif
