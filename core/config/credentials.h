/* SPDX-License-Identifier: MIT */
/* GnuTLS credentials: the identities an end may present and the issuers it names in a request.
 * Counted and shared: building one costs a quarter of a millisecond, so equal sets are made once.
 * Whom an end trusts is not in here (see verify.h). */
#ifndef MS_CREDENTIALS_H
#define MS_CREDENTIALS_H

#include "config.h"

#include <gnutls/abstract.h>

struct ms_credentials;

/* The last few sets made, by what went into them. */
struct ms_credentials_cache *ms_credentials_cache_new(struct ms_error *error);
void ms_credentials_cache_free(struct ms_credentials_cache *cache); /* NULL is fine */

/* The credentials for a config, whose chains are presented exactly as given (nothing is sorted or
 * cut). Where the choice is not GnuTLS's (`choose`, MS_SEND_ALWAYS) they hold no key, and the
 * session answers for them. `cache` may be NULL. Returned, caller releases. */
struct ms_credentials *ms_credentials_get(const struct ms_config *config,
                                          struct ms_credentials_cache *cache,
                                          struct ms_error *error);
struct ms_credentials *ms_credentials_retain(struct ms_credentials *credentials);
void ms_credentials_release(struct ms_credentials *credentials); /* NULL is fine */

/* Borrowed until the credentials go. */
gnutls_certificate_credentials_t ms_credentials_handle(const struct ms_credentials *credentials);

/* Whether the session, not GnuTLS, chooses what this end presents. */
bool ms_config_chooses(const struct ms_config *config);

/* An identity in GnuTLS's own form, as gnutls_certificate_set_key() and retrieve functions take it.
 */
struct ms_presented {
    struct ms_identity *identity; /* retained; NULL: nothing */
    gnutls_pcert_st *chain;
    unsigned num;
    gnutls_privkey_t key;
};
bool ms_presented_make(struct ms_identity *identity, struct ms_presented *presented,
                       struct ms_error *error);
void ms_presented_clear(struct ms_presented *presented);

#endif
