/* SPDX-License-Identifier: MIT */
#include "identity.h"

#include "memory.h"

#include <gnutls/abstract.h>
#include <string.h>

struct ms_identity {
    size_t references;
    struct ms_key *key;
    struct ms_certificates chain;
    struct ms_identity *issuer;
    bool made_here;
};

struct ms_identity *ms_identity_new(struct ms_key *key, const struct ms_certificates *chain,
                                    struct ms_identity *issuer, bool made_here,
                                    struct ms_error *error) {
    if (chain->num == 0) {
        ms_fail(error, "chain: an identity needs at least one certificate");
        return NULL;
    }
    struct ms_identity *identity = ms_alloc(sizeof *identity);
    if (!identity || !ms_certificates_copy(&identity->chain, chain)) {
        ms_free(identity);
        ms_fail_memory(error);
        return NULL;
    }
    identity->references = 1;
    identity->key = ms_key_retain(key);
    identity->issuer = ms_identity_retain(issuer);
    identity->made_here = made_here;
    return identity;
}

struct ms_identity *ms_identity_retain(struct ms_identity *identity) {
    if (identity) {
        identity->references++;
    }
    return identity;
}

/* A loop, not a recursion: a line of issuers may be long. */
void ms_identity_release(struct ms_identity *identity) {
    while (identity && --identity->references == 0) {
        struct ms_identity *issuer = identity->issuer;
        ms_key_release(identity->key);
        ms_certificates_clear(&identity->chain);
        ms_free(identity);
        identity = issuer;
    }
}

struct ms_key *ms_identity_key(const struct ms_identity *identity) {
    return identity->key;
}

const struct ms_certificates *ms_identity_chain(const struct ms_identity *identity) {
    return &identity->chain;
}

struct ms_certificate *ms_identity_leaf(const struct ms_identity *identity) {
    return identity->chain.items[0];
}

struct ms_identity *ms_identity_issuer(const struct ms_identity *identity) {
    return identity->issuer;
}

bool ms_identity_made_here(const struct ms_identity *identity) {
    return identity->made_here;
}

bool ms_identity_fits(const struct ms_key *key, struct ms_certificate *certificate, bool *fits,
                      struct ms_error *error) {
    gnutls_x509_crt_t crt = ms_certificate_crt(certificate, error);
    if (!crt) {
        return false;
    }
    unsigned char ours[64];
    unsigned char theirs[64];
    size_t ours_len = sizeof ours;
    size_t theirs_len = sizeof theirs;
    int result =
        gnutls_pubkey_get_key_id(ms_key_public(key), GNUTLS_KEYID_USE_SHA256, ours, &ours_len);
    if (result < 0) {
        return ms_fail_gnutls(error, result, "the key cannot be compared");
    }
    result = gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA256, theirs, &theirs_len);
    /* a key of a type that GnuTLS cannot read is another key */
    *fits = result >= 0 && ours_len == theirs_len && memcmp(ours, theirs, ours_len) == 0;
    return true;
}

static bool check_fit(const struct ms_key *key, struct ms_certificate *leaf,
                      struct ms_error *error) {
    bool fits = false;
    if (!ms_identity_fits(key, leaf, &fits, error)) {
        return false;
    }
    if (!fits) {
        const struct ms_certificate_facts *facts = ms_certificate_facts(leaf, NULL);
        return ms_fail(error, "the key does not belong to the certificate %.300s",
                       facts ? facts->subject : "");
    }
    return true;
}

struct ms_identity *ms_identity_read(struct ms_slice chain, struct ms_slice key,
                                     const char *password, struct ms_error *error) {
    struct ms_certificates certificates = {0};
    struct ms_key *own = NULL;
    struct ms_identity *identity = NULL;
    if (ms_certificates_read(chain, &certificates, error)) {
        own = ms_key_read(key, password, error);
    }
    if (own && check_fit(own, certificates.items[0], error)) {
        identity = ms_identity_new(own, &certificates, NULL, false, error);
    }
    ms_key_release(own);
    ms_certificates_clear(&certificates);
    return identity;
}

bool ms_identity_may_sign(const struct ms_identity *identity) {
    const struct ms_certificate_facts *facts =
        ms_certificate_facts(ms_identity_leaf(identity), NULL);
    return !facts || !facts->key_usage.items || ms_texts_has(&facts->key_usage, "digitalSignature");
}
