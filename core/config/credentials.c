/* SPDX-License-Identifier: MIT */
#include "credentials.h"

#include "issue.h"
#include "memory.h"

#include <string.h>

#define CACHED 16

struct ms_credentials {
    size_t count;
    gnutls_certificate_credentials_t handle;
    /* What went in: the key of the cache. All retained. */
    struct ms_identities identities;
    struct ms_trust *trust;
    struct ms_texts issuer_names;
    struct ms_certificates issuer_certificates;
    bool named, chosen, issuers_given;
};

struct ms_credentials_cache {
    struct ms_credentials *sets[CACHED];
    size_t next; /* to be replaced */
};

struct ms_credentials_cache *ms_credentials_cache_new(struct ms_error *error) {
    struct ms_credentials_cache *cache = ms_alloc(sizeof *cache);
    if (!cache) {
        ms_fail_memory(error);
    }
    return cache;
}

void ms_credentials_cache_free(struct ms_credentials_cache *cache) {
    for (size_t i = 0; cache && i < CACHED; i++) {
        ms_credentials_release(cache->sets[i]);
    }
    ms_free(cache);
}

bool ms_config_chooses(const struct ms_config *config) {
    return config->choose ||
           (config->role == MS_CLIENT && config->send_certificate == MS_SEND_ALWAYS);
}

/* A client names no issuers, so whom it trusts makes no difference to its credentials. */
static bool names_issuers(const struct ms_config *config) {
    return config->role == MS_SERVER;
}

/* The identities that go in as keys. */
static size_t num_keys(const struct ms_config *config) {
    bool none = ms_config_chooses(config) ||
                (config->role == MS_CLIENT && config->send_certificate == MS_SEND_NEVER);
    return none ? 0 : config->identities.num;
}

static bool same_texts(const struct ms_texts *a, const struct ms_texts *b) {
    bool same = a->num == b->num;
    for (size_t i = 0; same && i < a->num; i++) {
        same = strcmp(a->items[i], b->items[i]) == 0;
    }
    return same;
}

static bool same_pointers(const void *a, size_t num_a, const void *b, size_t num_b) {
    return num_a == num_b && (num_a == 0 || memcmp(a, b, num_a * sizeof(void *)) == 0);
}

/* Two trusts that name the same anchors; each link makes its own. */
static bool same_trust(const struct ms_trust *a, const struct ms_trust *b) {
    if (a == b || !a || !b) {
        return a == b;
    }
    const struct ms_certificates *of_a = ms_trust_anchors(a), *of_b = ms_trust_anchors(b);
    return of_a->items && of_b->items &&
           same_pointers(of_a->items, of_a->num, of_b->items, of_b->num);
}

static bool fits(const struct ms_credentials *set, const struct ms_config *config) {
    bool named = names_issuers(config);
    return set->named == named && set->chosen == ms_config_chooses(config) &&
           same_pointers(set->identities.items, set->identities.num, config->identities.items,
                         num_keys(config)) &&
           (!named ||
            (set->issuers_given == config->issuers_given && same_trust(set->trust, config->trust) &&
             same_texts(&set->issuer_names, &config->issuer_names) &&
             same_pointers(set->issuer_certificates.items, set->issuer_certificates.num,
                           config->issuer_certificates.items, config->issuer_certificates.num)));
}

bool ms_presented_make(struct ms_identity *identity, struct ms_presented *presented,
                       struct ms_error *error) {
    const struct ms_certificates *chain = ms_identity_chain(identity);
    *presented = (struct ms_presented){0};
    presented->chain = ms_alloc(chain->num * sizeof *presented->chain);
    if (!presented->chain) {
        return ms_fail_memory(error);
    }
    presented->identity = ms_identity_retain(identity);
    int result = gnutls_privkey_init(&presented->key);
    if (result >= 0) {
        result =
            gnutls_privkey_import_x509(presented->key, ms_key_x509(ms_identity_key(identity)), 0);
    }
    for (size_t i = 0; result >= 0 && i < chain->num; i++) {
        gnutls_x509_crt_t crt = ms_certificate_crt(chain->items[i], error);
        if (!crt) {
            ms_presented_clear(presented);
            return false;
        }
        result = gnutls_pcert_import_x509(&presented->chain[i], crt, 0);
        presented->num += result >= 0;
    }
    if (result < 0) {
        ms_presented_clear(presented);
        return ms_fail_gnutls(error, result, "identity: cannot be presented");
    }
    return true;
}

void ms_presented_clear(struct ms_presented *presented) {
    for (unsigned i = 0; i < presented->num; i++) {
        gnutls_pcert_deinit(&presented->chain[i]);
    }
    ms_free(presented->chain);
    if (presented->key) {
        gnutls_privkey_deinit(presented->key);
    }
    ms_identity_release(presented->identity);
    *presented = (struct ms_presented){0};
}

static bool add_key(struct ms_credentials *set, struct ms_identity *identity,
                    struct ms_error *error) {
    struct ms_identities *list = &set->identities;
    struct ms_presented presented;
    if (!ms_grow_array(&list->items, list->num, &list->capacity, sizeof(struct ms_identity *))) {
        return ms_fail_memory(error);
    }
    if (!ms_presented_make(identity, &presented, error)) {
        return false;
    }
    /* Not gnutls_certificate_set_x509_key(), which sorts the chain and drops what does not fit. */
    int result = gnutls_certificate_set_key(set->handle, NULL, 0, presented.chain,
                                            (int)presented.num, presented.key);
    if (result < 0) {
        ms_presented_clear(&presented);
        return ms_fail_gnutls(error, result, "identity: GnuTLS does not take it");
    }
    presented.num = 0; /* contents and key are GnuTLS's now */
    presented.key = NULL;
    ms_presented_clear(&presented);
    list->items[list->num++] = ms_identity_retain(identity);
    return true;
}

static bool name_issuer(struct ms_credentials *set, struct ms_certificate *certificate,
                        struct ms_error *error) {
    gnutls_x509_crt_t crt = ms_certificate_crt(certificate, error);
    if (!crt) {
        return false;
    }
    int result = gnutls_certificate_set_x509_trust(set->handle, &crt, 1);
    return result >= 0 || ms_fail_gnutls(error, result, "issuers: GnuTLS does not take one");
}

/* GnuTLS names only the subjects of certificates, so a bare name gets a certificate made for it. */
static bool name_bare_issuer(struct ms_credentials *set, const char *name, struct ms_key *key,
                             struct ms_error *error) {
    struct ms_recipe recipe = {.subject = name, .path_length = -1, .not_after = 1};
    struct ms_error why = {0};
    struct ms_identity *bearer = ms_issue(&recipe, key, NULL, &why);
    if (!bearer && why.number == GNUTLS_E_MEMORY_ERROR) {
        return ms_fail_memory(error);
    }
    if (!bearer) { /* the recipe's field is the caller's option */
        const char *text = strncmp(why.text, "subject: ", 9) == 0 ? why.text + 9 : why.text;
        return ms_fail(error, "issuers: %s", text);
    }
    bool named = name_issuer(set, ms_identity_leaf(bearer), error);
    ms_identity_release(bearer);
    return named;
}

static bool name_given_issuers(struct ms_credentials *set, struct ms_error *error) {
    bool named = true;
    if (set->issuer_names.num > 0) {
        struct ms_key *key = ms_key_generate("ecdsa-p256", error);
        named = key != NULL;
        for (size_t i = 0; named && i < set->issuer_names.num; i++) {
            named = name_bare_issuer(set, set->issuer_names.items[i], key, error);
        }
        ms_key_release(key);
    }
    for (size_t i = 0; named && i < set->issuer_certificates.num; i++) {
        named = name_issuer(set, set->issuer_certificates.items[i], error);
    }
    return named;
}

static bool name_anchors(struct ms_credentials *set, struct ms_error *error) {
    const struct ms_certificates *anchors = ms_trust_anchors(set->trust);
    if (!anchors->items) {
        int result = gnutls_certificate_set_x509_system_trust(set->handle);
        return result >= 0 || ms_fail_gnutls(error, result, "trust: the system's store");
    }
    for (size_t i = 0; i < anchors->num; i++) {
        if (!name_issuer(set, anchors->items[i], error)) {
            return false;
        }
    }
    return true;
}

static bool name_issuers(struct ms_credentials *set, const struct ms_config *config,
                         struct ms_error *error) {
    set->issuers_given = config->issuers_given;
    set->trust = config->trust ? ms_trust_retain(config->trust) : NULL;
    if (!ms_texts_copy(&set->issuer_names, &config->issuer_names) ||
        !ms_certificates_copy(&set->issuer_certificates, &config->issuer_certificates)) {
        return ms_fail_memory(error);
    }
    if (set->issuers_given) {
        return name_given_issuers(set, error);
    }
    return !set->trust || name_anchors(set, error);
}

static struct ms_credentials *make(const struct ms_config *config, struct ms_error *error) {
    struct ms_credentials *set = ms_alloc(sizeof *set);
    if (!set) {
        ms_fail_memory(error);
        return NULL;
    }
    set->count = 1;
    set->named = names_issuers(config);
    set->chosen = ms_config_chooses(config);
    int result = gnutls_certificate_allocate_credentials(&set->handle);
    if (result < 0) {
        ms_fail_gnutls(error, result, "credentials");
        ms_credentials_release(set);
        return NULL;
    }
    /* A key that does not fit its certificate is a scenario, and pki.load has checked real files.
     */
    gnutls_certificate_set_flags(set->handle, GNUTLS_CERTIFICATE_SKIP_KEY_CERT_MATCH);
    bool made = !set->named || name_issuers(set, config, error);
    for (size_t i = 0; made && i < num_keys(config); i++) {
        made = add_key(set, config->identities.items[i], error);
    }
    if (!made) {
        ms_credentials_release(set);
        return NULL;
    }
    return set;
}

struct ms_credentials *ms_credentials_get(const struct ms_config *config,
                                          struct ms_credentials_cache *cache,
                                          struct ms_error *error) {
    for (size_t i = 0; cache && i < CACHED; i++) {
        if (cache->sets[i] && fits(cache->sets[i], config)) {
            return ms_credentials_retain(cache->sets[i]);
        }
    }
    struct ms_credentials *set = make(config, error);
    if (set && cache) {
        ms_credentials_release(cache->sets[cache->next]);
        cache->sets[cache->next] = ms_credentials_retain(set);
        cache->next = (cache->next + 1) % CACHED;
    }
    return set;
}

struct ms_credentials *ms_credentials_retain(struct ms_credentials *credentials) {
    credentials->count++;
    return credentials;
}

void ms_credentials_release(struct ms_credentials *credentials) {
    if (!credentials || --credentials->count > 0) {
        return;
    }
    if (credentials->handle) {
        gnutls_certificate_free_credentials(credentials->handle);
    }
    for (size_t i = 0; i < credentials->identities.num; i++) {
        ms_identity_release(credentials->identities.items[i]);
    }
    ms_free(credentials->identities.items);
    ms_trust_release(credentials->trust);
    ms_texts_clear(&credentials->issuer_names);
    ms_certificates_clear(&credentials->issuer_certificates);
    ms_free(credentials);
}

gnutls_certificate_credentials_t ms_credentials_handle(const struct ms_credentials *credentials) {
    return credentials->handle;
}
