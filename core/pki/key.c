/* SPDX-License-Identifier: MIT */
#include "key.h"

#include "memory.h"

#include <string.h>

struct ms_key {
    size_t references;
    gnutls_x509_privkey_t x509;
    gnutls_privkey_t private_key; /* borrows `x509` */
    gnutls_pubkey_t public_key;
    const char *type;
    int64_t bits;
};

const char *const ms_key_words[] = {"ecdsa-p256", "ecdsa-p384", "ecdsa-p521",   "rsa-2048",
                                    "rsa-3072",   "rsa-4096",   "rsa-pss-2048", "ed25519",
                                    "ed448",      NULL};

/* What ms_key_words[] of the same index means to GnuTLS. */
static const struct {
    gnutls_pk_algorithm_t algorithm;
    unsigned bits;
} recipes[] = {{GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1)},
               {GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP384R1)},
               {GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP521R1)},
               {GNUTLS_PK_RSA, 2048},
               {GNUTLS_PK_RSA, 3072},
               {GNUTLS_PK_RSA, 4096},
               {GNUTLS_PK_RSA_PSS, 2048},
               {GNUTLS_PK_EDDSA_ED25519, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_ED25519)},
               {GNUTLS_PK_EDDSA_ED448, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_ED448)}};

static const char *curve_word(gnutls_ecc_curve_t curve) {
    switch (curve) {
    case GNUTLS_ECC_CURVE_SECP192R1:
        return "ecdsa-p192";
    case GNUTLS_ECC_CURVE_SECP224R1:
        return "ecdsa-p224";
    case GNUTLS_ECC_CURVE_SECP256R1:
        return "ecdsa-p256";
    case GNUTLS_ECC_CURVE_SECP384R1:
        return "ecdsa-p384";
    case GNUTLS_ECC_CURVE_SECP521R1:
        return "ecdsa-p521";
    default:
        return "ecdsa";
    }
}

const char *ms_key_type_word(int algorithm, int curve) {
    switch (algorithm) {
    case GNUTLS_PK_RSA:
        return "rsa";
    case GNUTLS_PK_RSA_PSS:
        return "rsa-pss";
    case GNUTLS_PK_DSA:
        return "dsa";
    case GNUTLS_PK_DH:
        return "dh";
    case GNUTLS_PK_ECDSA:
        return curve_word((gnutls_ecc_curve_t)curve);
    case GNUTLS_PK_EDDSA_ED25519:
        return "ed25519";
    case GNUTLS_PK_EDDSA_ED448:
        return "ed448";
    case GNUTLS_PK_ECDH_X25519:
        return "x25519";
    case GNUTLS_PK_ECDH_X448:
        return "x448";
    case GNUTLS_PK_GOST_01:
        return "gost-2001";
    case GNUTLS_PK_GOST_12_256:
        return "gost-2012-256";
    case GNUTLS_PK_GOST_12_512:
        return "gost-2012-512";
    default:
        return NULL;
    }
}

int64_t ms_key_size(int curve, unsigned bits) {
    return curve == GNUTLS_ECC_CURVE_SECP521R1 ? 521 : bits;
}

static void describe(struct ms_key *key) {
    unsigned bits = 0;
    int algorithm = gnutls_x509_privkey_get_pk_algorithm2(key->x509, &bits);
    gnutls_ecc_curve_t curve = GNUTLS_ECC_CURVE_INVALID;
    if (algorithm == GNUTLS_PK_ECDSA) {
        gnutls_x509_privkey_export_ecc_raw(key->x509, &curve, NULL, NULL, NULL);
    }
    key->type = ms_key_type_word(algorithm, (int)curve);
    key->type = key->type ? key->type : "unknown";
    key->bits = ms_key_size((int)curve, bits);
}

static int derive(struct ms_key *key) {
    int result = gnutls_privkey_init(&key->private_key);
    if (result >= 0) {
        result = gnutls_privkey_import_x509(key->private_key, key->x509, 0);
    }
    if (result >= 0) {
        result = gnutls_pubkey_init(&key->public_key);
    }
    if (result >= 0) {
        result = gnutls_pubkey_import_privkey(key->public_key, key->private_key, 0, 0);
    }
    return result;
}

struct ms_key *ms_key_adopt(gnutls_x509_privkey_t x509, struct ms_error *error) {
    struct ms_key *key = ms_alloc(sizeof *key);
    if (!key) {
        gnutls_x509_privkey_deinit(x509);
        ms_fail_memory(error);
        return NULL;
    }
    key->references = 1;
    key->x509 = x509;
    int result = derive(key);
    if (result < 0) {
        ms_fail_gnutls(error, result, "the key cannot be used");
        ms_key_release(key);
        return NULL;
    }
    describe(key);
    return key;
}

struct ms_key *ms_key_retain(struct ms_key *key) {
    if (key) {
        key->references++;
    }
    return key;
}

void ms_key_release(struct ms_key *key) {
    if (!key || --key->references) {
        return;
    }
    gnutls_pubkey_deinit(key->public_key);
    gnutls_privkey_deinit(key->private_key);
    gnutls_x509_privkey_deinit(key->x509);
    ms_free(key);
}

static bool fail_word(const char *word, struct ms_error *error) {
    char words[256] = "";
    for (size_t i = 0; ms_key_words[i]; i++) {
        strncat(words, i ? ", " : "", sizeof words - strlen(words) - 1);
        strncat(words, ms_key_words[i], sizeof words - strlen(words) - 1);
    }
    return ms_fail(error, "key: `%s` is none of %s", word, words);
}

struct ms_key *ms_key_generate(const char *word, struct ms_error *error) {
    size_t i = 0;
    while (ms_key_words[i] && strcmp(ms_key_words[i], word) != 0) {
        i++;
    }
    if (!ms_key_words[i]) {
        fail_word(word, error);
        return NULL;
    }
    gnutls_x509_privkey_t x509;
    int result = gnutls_x509_privkey_init(&x509);
    if (result < 0) {
        ms_fail_gnutls(error, result, "key: no room for a key");
        return NULL;
    }
    result = gnutls_x509_privkey_generate2(x509, recipes[i].algorithm, recipes[i].bits, 0, NULL, 0);
    if (result < 0) {
        gnutls_x509_privkey_deinit(x509);
        ms_fail_gnutls(error, result, "key: `%s` cannot be made", word);
        return NULL;
    }
    return ms_key_adopt(x509, error);
}

const char *ms_key_type(const struct ms_key *key) {
    return key->type;
}

int64_t ms_key_bits(const struct ms_key *key) {
    return key->bits;
}

gnutls_privkey_t ms_key_private(const struct ms_key *key) {
    return key->private_key;
}

gnutls_x509_privkey_t ms_key_x509(const struct ms_key *key) {
    return key->x509;
}

gnutls_pubkey_t ms_key_public(const struct ms_key *key) {
    return key->public_key;
}

/* Moves what GnuTLS allocated to the end of `to`. */
static bool append(int result, gnutls_datum_t *text, const char *what, struct ms_bytes *to,
                   struct ms_error *error) {
    if (result < 0) {
        return ms_fail_gnutls(error, result, "%s", what);
    }
    bool added = ms_bytes_add(to, text->data, text->size);
    gnutls_memset(text->data, 0, text->size);
    gnutls_free(text->data);
    return added || ms_fail_memory(error);
}

bool ms_key_pem(const struct ms_key *key, const char *password, struct ms_bytes *pem,
                struct ms_error *error) {
    gnutls_datum_t text = {NULL, 0};
    unsigned flags = password ? GNUTLS_PKCS_PBES2_AES_256 : GNUTLS_PKCS_PLAIN;
    int result =
        gnutls_x509_privkey_export2_pkcs8(key->x509, GNUTLS_X509_FMT_PEM, password, flags, &text);
    return append(result, &text, "the key cannot be written", pem, error);
}

bool ms_key_public_pem(const struct ms_key *key, struct ms_bytes *pem, struct ms_error *error) {
    gnutls_datum_t text = {NULL, 0};
    int result = gnutls_pubkey_export2(key->public_key, GNUTLS_X509_FMT_PEM, &text);
    return append(result, &text, "the public key cannot be written", pem, error);
}
