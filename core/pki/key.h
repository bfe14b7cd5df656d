/* SPDX-License-Identifier: MIT */
/* A private key. Counted: whoever keeps one retains it. */
#ifndef MS_KEY_H
#define MS_KEY_H

#include "bytes.h"
#include "error.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

struct ms_key;

/* The words that `key` takes ("ecdsa-p256", ..., "ed448"), ended by NULL. */
extern const char *const ms_key_words[];

/* A fresh key. RSA keys take from 40 ms to a second: see ms_key_pool. Returned, caller releases. */
struct ms_key *ms_key_generate(const char *word, struct ms_error *error);

/* PEM (PKCS #8 plain or encrypted, PKCS #1, SEC 1) or DER. `password` NULL for none. The error says
 * whether the text is no key, the password is missing or it is wrong. Returned, caller releases. */
struct ms_key *ms_key_read(struct ms_slice text, const char *password, struct ms_error *error);

/* Takes `x509`, also when it fails. Returned, caller releases. */
struct ms_key *ms_key_adopt(gnutls_x509_privkey_t x509, struct ms_error *error);

struct ms_key *ms_key_retain(struct ms_key *key);
void ms_key_release(struct ms_key *key); /* NULL is fine */

const char *
ms_key_type(const struct ms_key *key); /* "ecdsa-p256", "rsa", "rsa-pss", "ed25519", ...; static */
int64_t ms_key_bits(const struct ms_key *key);

/* The word for a gnutls_pk_algorithm_t and, for ECDSA, a gnutls_ecc_curve_t; static, NULL when it
 * is unknown. */
const char *ms_key_type_word(int algorithm, int curve);
/* The size in bits, where GnuTLS says `bits`: it rounds P-521 up to bytes. */
int64_t ms_key_size(int curve, unsigned bits);

/* PKCS #8 (encrypted with PBES2 where a password is given) and SubjectPublicKeyInfo, both PEM;
 * appended to `pem`. */
bool ms_key_pem(const struct ms_key *key, const char *password, struct ms_bytes *pem,
                struct ms_error *error);
bool ms_key_public_pem(const struct ms_key *key, struct ms_bytes *pem, struct ms_error *error);

gnutls_privkey_t ms_key_private(const struct ms_key *key);   /* borrows */
gnutls_x509_privkey_t ms_key_x509(const struct ms_key *key); /* borrows */
gnutls_pubkey_t ms_key_public(const struct ms_key *key);     /* borrows */

/* RSA keys by recipe, made once and handed out again from the first after ms_key_pool_rewind():
 * no key comes twice between two rewinds, and no result depends on what the pool holds. */
struct ms_key_pool;
struct ms_key_pool *ms_key_pool_new(struct ms_error *error);
void ms_key_pool_free(struct ms_key_pool *pool);
void ms_key_pool_rewind(struct ms_key_pool *pool);
/* As ms_key_generate(), but RSA words come from the pool. Returned, caller releases. */
struct ms_key *ms_key_pool_take(struct ms_key_pool *pool, const char *word, struct ms_error *error);

#endif
