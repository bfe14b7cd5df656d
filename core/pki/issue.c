/* SPDX-License-Identifier: MIT */
#include "issue.h"

#include "distinguished_name.h"
#include "issue_extensions.h"
#include "issue_serial.h"

#include <gnutls/abstract.h>
#include <string.h>

/* What GnuTLS 3.7.9 writes truly: UTCTime begins in 1950, -1 and the last day of 9999 become "no
 * well-defined expiration", whose own second is 9999-12-31T23:59:59Z. */
#define FIRST_TIME (-631152000)
#define LAST_TIME 253402210799
#define NO_EXPIRATION 253402300799

static bool check_time(const char *field, int64_t seconds, struct ms_error *error) {
    if ((seconds < FIRST_TIME || seconds > LAST_TIME || seconds == -1) &&
        seconds != NO_EXPIRATION) {
        return ms_fail(error, "%s: GnuTLS cannot write the second %lld of the epoch", field,
                       (long long)seconds);
    }
    return true;
}

static bool write_validity(gnutls_x509_crt_t crt, const struct ms_recipe *recipe,
                           struct ms_error *error) {
    if (!check_time("not_before", recipe->not_before, error) ||
        !check_time("not_after", recipe->not_after, error)) {
        return false;
    }
    int result = gnutls_x509_crt_set_activation_time(crt, (time_t)recipe->not_before);
    if (result >= 0) {
        result = gnutls_x509_crt_set_expiration_time(crt, (time_t)recipe->not_after);
    }
    return result >= 0 || ms_fail_gnutls(error, result, "the validity cannot be written");
}

static bool write_name(gnutls_x509_crt_t crt, const char *field, const char *name,
                       struct ms_error *error) {
    struct ms_error why = {0};
    if (ms_name_set_subject(crt, name, &why)) {
        return true;
    }
    ms_fail(error, "%s: %.480s", field, why.text);
    if (error) {
        error->number = why.number;
    }
    return false;
}

static bool write_subject(gnutls_x509_crt_t crt, const struct ms_recipe *recipe, struct ms_key *key,
                          struct ms_error *error) {
    int result = gnutls_x509_crt_set_version(crt, 3);
    if (result < 0) {
        return ms_fail_gnutls(error, result, "the version cannot be written");
    }
    if (!ms_issue_serial(crt, recipe->serial, error) || !write_validity(crt, recipe, error) ||
        !write_name(crt, "subject", recipe->subject, error)) {
        return false;
    }
    result = gnutls_x509_crt_set_pubkey(crt, ms_key_public(key));
    return result >= 0 || ms_fail_gnutls(error, result, "key: cannot be written");
}

static bool write_subject_key_id(gnutls_x509_crt_t crt, struct ms_key *key,
                                 struct ms_error *error) {
    unsigned char id[64];
    size_t len = sizeof id;
    int result = gnutls_pubkey_get_key_id(ms_key_public(key), GNUTLS_KEYID_USE_SHA1, id, &len);
    if (result >= 0) {
        result = gnutls_x509_crt_set_subject_key_id(crt, id, len);
    }
    return result >= 0 ||
           ms_fail_gnutls(error, result, "the subject key identifier cannot be written");
}

/* The issuer's subject key identifier; an issuer without one is not pointed at. */
static bool write_authority_key_id(gnutls_x509_crt_t crt, gnutls_x509_crt_t issuer,
                                   struct ms_error *error) {
    unsigned char id[512];
    size_t len = sizeof id;
    int result = gnutls_x509_crt_get_subject_key_id(issuer, id, &len, NULL);
    if (result == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE) {
        return true;
    }
    if (result >= 0) {
        result = gnutls_x509_crt_set_authority_key_id(crt, id, len);
    }
    return result >= 0 ||
           ms_fail_gnutls(error, result, "the authority key identifier cannot be written");
}

static bool is_eddsa(struct ms_key *key) {
    return strcmp(ms_key_type(key), "ed25519") == 0 || strcmp(ms_key_type(key), "ed448") == 0;
}

static bool choose_digest(const char *word, struct ms_key *issuer_key,
                          gnutls_digest_algorithm_t *digest, struct ms_error *error) {
    int result =
        gnutls_pubkey_get_preferred_hash_algorithm(ms_key_public(issuer_key), digest, NULL);
    if (result < 0) {
        return ms_fail_gnutls(error, result, "issuer: a key of type %s cannot sign",
                              ms_key_type(issuer_key));
    }
    if (!word) {
        return true;
    }
    gnutls_digest_algorithm_t wanted = gnutls_digest_get_id(word);
    if (wanted == GNUTLS_DIG_UNKNOWN) {
        return ms_fail(error, "digest: `%.60s` is no digest of this GnuTLS", word);
    }
    if (wanted != *digest && is_eddsa(issuer_key)) {
        return ms_fail(error, "digest: a key of type %s signs with %s only",
                       ms_key_type(issuer_key), gnutls_digest_get_name(*digest));
    }
    *digest = wanted;
    return true;
}

static bool sign_as(gnutls_x509_crt_t crt, const struct ms_recipe *recipe, gnutls_x509_crt_t issuer,
                    struct ms_key *issuer_key, struct ms_error *error) {
    gnutls_digest_algorithm_t digest;
    if (!choose_digest(recipe->digest, issuer_key, &digest, error)) {
        return false;
    }
    int result = gnutls_x509_crt_privkey_sign(crt, issuer, ms_key_private(issuer_key), digest, 0);
    if (result < 0 && recipe->digest) {
        return ms_fail_gnutls(error, result, "digest: a key of type %s cannot sign with `%.60s`",
                              ms_key_type(issuer_key), recipe->digest);
    }
    return result >= 0 || ms_fail_gnutls(error, result, "issuer: its key (%s) cannot sign",
                                         ms_key_type(issuer_key));
}

/* GnuTLS takes the issuer's name from the issuer's certificate: for another name one is made up. */
static bool sign_under_name(gnutls_x509_crt_t crt, const struct ms_recipe *recipe,
                            struct ms_key *issuer_key, struct ms_error *error) {
    gnutls_x509_crt_t named;
    int result = gnutls_x509_crt_init(&named);
    if (result < 0) {
        return ms_fail_gnutls(error, result, "no room for a certificate");
    }
    bool done = write_name(named, "issuer_name", recipe->issuer_name, error);
    if (done) {
        result = gnutls_x509_crt_set_pubkey(named, ms_key_public(issuer_key));
        done = result >= 0 || ms_fail_gnutls(error, result, "issuer: its key cannot be written");
    }
    done = done && sign_as(crt, recipe, named, issuer_key, error);
    gnutls_x509_crt_deinit(named);
    return done;
}

static bool build(gnutls_x509_crt_t crt, const struct ms_recipe *recipe, struct ms_key *key,
                  struct ms_identity *issuer, struct ms_error *error) {
    gnutls_x509_crt_t issuer_crt = crt;
    struct ms_key *issuer_key = key;
    if (issuer) {
        issuer_key = ms_identity_key(issuer);
        issuer_crt = ms_certificate_crt(ms_identity_leaf(issuer), error);
    }
    /* the extensions come last: raw ones replace what is there */
    if (!issuer_crt || !write_subject(crt, recipe, key, error) ||
        (!recipe->omit_subject_key_id && !write_subject_key_id(crt, key, error)) ||
        (issuer && !recipe->omit_authority_key_id &&
         !write_authority_key_id(crt, issuer_crt, error)) ||
        !ms_issue_extensions(crt, recipe, error)) {
        return false;
    }
    return recipe->issuer_name ? sign_under_name(crt, recipe, issuer_key, error)
                               : sign_as(crt, recipe, issuer_crt, issuer_key, error);
}

/* A freshly signed gnutls_x509_crt_t is no usable certificate (its names and raw parts are only
 * filled on import): what goes on is its DER. */
static struct ms_certificate *build_certificate(const struct ms_recipe *recipe, struct ms_key *key,
                                                struct ms_identity *issuer,
                                                struct ms_error *error) {
    gnutls_x509_crt_t crt;
    int result = gnutls_x509_crt_init(&crt);
    if (result < 0) {
        ms_fail_gnutls(error, result, "no room for a certificate");
        return NULL;
    }
    struct ms_certificate *certificate = NULL;
    if (build(crt, recipe, key, issuer, error)) {
        gnutls_datum_t der = {NULL, 0};
        result = gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der);
        if (result < 0) {
            ms_fail_gnutls(error, result, "the certificate cannot be encoded");
        } else {
            certificate = ms_certificate_new((struct ms_slice){der.data, der.size}, error);
            gnutls_free(der.data);
        }
    }
    gnutls_x509_crt_deinit(crt);
    if (certificate && !issuer && !recipe->issuer_name) {
        ms_certificate_mark_self_signed(certificate);
    }
    return certificate;
}

/* The issuer's chain without self-signed roots. What cannot be parsed is no root. */
static bool add_issuers(struct ms_certificates *chain, struct ms_identity *issuer) {
    const struct ms_certificates *above = ms_identity_chain(issuer);
    for (size_t i = 0; i < above->num; i++) {
        bool self_signed;
        bool is_root =
            ms_certificate_self_signed(above->items[i], &self_signed, NULL) && self_signed;
        if (!is_root && !ms_certificates_add(chain, above->items[i])) {
            return false;
        }
    }
    return true;
}

struct ms_identity *ms_issue(const struct ms_recipe *recipe, struct ms_key *key,
                             struct ms_identity *issuer, struct ms_error *error) {
    struct ms_certificate *leaf = build_certificate(recipe, key, issuer, error);
    if (!leaf) {
        return NULL;
    }
    struct ms_identity *identity = NULL;
    struct ms_certificates chain = {0};
    if (ms_certificates_add(&chain, leaf) && (!issuer || add_issuers(&chain, issuer))) {
        identity = ms_identity_new(key, &chain, issuer, true, error);
    } else {
        ms_fail_memory(error);
    }
    ms_certificates_clear(&chain);
    ms_certificate_release(leaf);
    return identity;
}
