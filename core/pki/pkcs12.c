/* SPDX-License-Identifier: MIT */
/* Identities as PKCS #12 (RFC 7292). Bags are walked one by one: GnuTLS's simple reader sorts and
 * leaves out certificates. */
#include "identity.h"

#include <gnutls/pkcs12.h>
#include <string.h>

/* GnuTLS 3.7.9 lets 31 elements into a bag, reads 32 of one and keeps silent about the rest. */
#define BAG_SIZE 16
#define MOST_READ 32
#define ENCRYPTION GNUTLS_PKCS_PBES2_AES_256

/* What has been found in a file. */
struct contents {
    const char *password;
    struct ms_key *key;
    struct ms_certificates certificates;
};

static bool take_key(struct contents *found, const gnutls_datum_t *data, bool encrypted,
                     struct ms_error *error) {
    if (found->key) {
        return ms_fail(error, "the PKCS #12 text holds several keys");
    }
    found->key = ms_key_read((struct ms_slice){data->data, data->size},
                             encrypted ? found->password : NULL, error);
    return found->key != NULL;
}

static bool take_certificate(struct contents *found, const gnutls_datum_t *data,
                             struct ms_error *error) {
    struct ms_certificate *certificate =
        ms_certificate_new((struct ms_slice){data->data, data->size}, error);
    if (!certificate) {
        return false;
    }
    bool added = ms_certificates_add(&found->certificates, certificate) || ms_fail_memory(error);
    ms_certificate_release(certificate);
    return added;
}

static bool take_element(struct contents *found, gnutls_pkcs12_bag_t bag, unsigned index,
                         struct ms_error *error) {
    gnutls_datum_t data;
    int type = gnutls_pkcs12_bag_get_type(bag, index);
    int result = type < 0 ? type : gnutls_pkcs12_bag_get_data(bag, index, &data);
    if (result < 0) {
        return ms_fail_gnutls(error, result, "the PKCS #12 text is damaged");
    }
    switch (type) {
    case GNUTLS_BAG_PKCS8_KEY:
    case GNUTLS_BAG_PKCS8_ENCRYPTED_KEY:
        return take_key(found, &data, type == GNUTLS_BAG_PKCS8_ENCRYPTED_KEY, error);
    case GNUTLS_BAG_CERTIFICATE:
        return take_certificate(found, &data, error);
    default:
        return true;
    }
}

static bool take_bag(struct contents *found, gnutls_pkcs12_bag_t bag, struct ms_error *error) {
    if (gnutls_pkcs12_bag_get_type(bag, 0) == GNUTLS_BAG_ENCRYPTED) {
        int result = gnutls_pkcs12_bag_decrypt(bag, found->password);
        if (result < 0) {
            return ms_fail_gnutls(error, result,
                                  "the PKCS #12 text cannot be decrypted: is the password right?");
        }
    }
    int num = gnutls_pkcs12_bag_get_count(bag);
    if (num >= MOST_READ) {
        return ms_fail(error, "a bag of the PKCS #12 text holds more than GnuTLS reads (%d)",
                       MOST_READ - 1);
    }
    for (int i = 0; i < num; i++) {
        if (!take_element(found, bag, (unsigned)i, error)) {
            return false;
        }
    }
    return true;
}

static bool take_bags(struct contents *found, gnutls_pkcs12_t pkcs12, struct ms_error *error) {
    for (int i = 0;; i++) {
        gnutls_pkcs12_bag_t bag;
        int result = gnutls_pkcs12_bag_init(&bag);
        if (result < 0) {
            return ms_fail_gnutls(error, result, "no room for a PKCS #12 bag");
        }
        result = gnutls_pkcs12_get_bag(pkcs12, i, bag);
        bool taken = result >= 0 && take_bag(found, bag, error);
        gnutls_pkcs12_bag_deinit(bag);
        if (result == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE) {
            return true;
        }
        if (result < 0) {
            return ms_fail_gnutls(error, result, "the PKCS #12 text is damaged");
        }
        if (!taken) {
            return false;
        }
    }
}

/* The key's own certificate goes to the front; the others keep their order. */
static bool put_leaf_first(struct contents *found, struct ms_error *error) {
    struct ms_certificate **items = found->certificates.items;
    for (size_t i = 0; i < found->certificates.num; i++) {
        bool fits = false;
        if (!ms_identity_fits(found->key, items[i], &fits, error)) {
            return false;
        }
        if (fits) {
            struct ms_certificate *leaf = items[i];
            for (; i > 0; i--) {
                items[i] = items[i - 1];
            }
            items[0] = leaf;
            return true;
        }
    }
    return ms_fail(error, found->certificates.num
                              ? "the key in the PKCS #12 text belongs to none of its certificates"
                              : "the PKCS #12 text holds no certificate");
}

static bool open_pkcs12(gnutls_pkcs12_t pkcs12, struct ms_slice der, const char *password,
                        struct ms_error *error) {
    gnutls_datum_t data = {(unsigned char *)der.data, (unsigned)der.len};
    int result = gnutls_pkcs12_import(pkcs12, &data, GNUTLS_X509_FMT_DER, 0);
    if (result < 0) {
        return ms_fail_gnutls(error, result, "the text is no PKCS #12");
    }
    result = gnutls_pkcs12_verify_mac(pkcs12, password);
    if (result == GNUTLS_E_MAC_VERIFY_FAILED) {
        return *password ? ms_fail_gnutls(error, result, "the PKCS #12 password is wrong")
                         : ms_fail_gnutls(error, result, "the PKCS #12 text needs a password");
    }
    /* one without a MAC is allowed: decrypting it will show whether the password is right */
    if (result < 0 && result != GNUTLS_E_ASN1_ELEMENT_NOT_FOUND) {
        return ms_fail_gnutls(error, result, "the PKCS #12 text's MAC cannot be checked");
    }
    return true;
}

static bool read_contents(struct contents *found, struct ms_slice der, struct ms_error *error) {
    gnutls_pkcs12_t pkcs12;
    if (der.len > INT32_MAX) {
        return ms_fail(error, "the PKCS #12 text is too long");
    }
    int result = gnutls_pkcs12_init(&pkcs12);
    if (result < 0) {
        return ms_fail_gnutls(error, result, "no room for PKCS #12");
    }
    bool done = open_pkcs12(pkcs12, der, found->password, error) && take_bags(found, pkcs12, error);
    gnutls_pkcs12_deinit(pkcs12);
    if (done && !found->key) {
        return ms_fail(error, "the PKCS #12 text holds no private key");
    }
    return done && put_leaf_first(found, error);
}

struct ms_identity *ms_identity_read_pkcs12(struct ms_slice der, const char *password,
                                            struct ms_error *error) {
    struct contents found = {.password = password ? password : ""};
    struct ms_identity *identity = NULL;
    if (read_contents(&found, der, error)) {
        identity = ms_identity_new(found.key, &found.certificates, NULL, false, error);
    }
    ms_key_release(found.key);
    ms_certificates_clear(&found.certificates);
    return identity;
}

/* Links key and leaf, as other readers expect it. */
static int set_id(gnutls_pkcs12_bag_t bag, int index, const struct ms_key *key) {
    unsigned char id[64];
    size_t len = sizeof id;
    int result = gnutls_pubkey_get_key_id(ms_key_public(key), GNUTLS_KEYID_USE_SHA1, id, &len);
    if (result < 0) {
        return result;
    }
    gnutls_datum_t data = {id, (unsigned)len};
    return gnutls_pkcs12_bag_set_key_id(bag, (unsigned)index, &data);
}

static int fill_key(gnutls_pkcs12_bag_t bag, const struct ms_key *key, const char *password) {
    gnutls_datum_t data = {NULL, 0};
    int result = gnutls_x509_privkey_export2_pkcs8(ms_key_x509(key), GNUTLS_X509_FMT_DER, password,
                                                   ENCRYPTION, &data);
    if (result >= 0) {
        result = gnutls_pkcs12_bag_set_data(bag, GNUTLS_BAG_PKCS8_ENCRYPTED_KEY, &data);
        gnutls_free(data.data);
    }
    return result < 0 ? result : set_id(bag, result, key);
}

static int fill_certificates(gnutls_pkcs12_bag_t bag, const struct ms_identity *identity,
                             size_t from, const char *password) {
    const struct ms_certificates *chain = ms_identity_chain(identity);
    int result = 0;
    for (size_t i = from; result >= 0 && i < chain->num && i < from + BAG_SIZE; i++) {
        struct ms_slice der = ms_certificate_der(chain->items[i]);
        gnutls_datum_t data = {(unsigned char *)der.data, (unsigned)der.len};
        result = gnutls_pkcs12_bag_set_data(bag, GNUTLS_BAG_CERTIFICATE, &data);
        if (result >= 0 && i == 0) {
            result = set_id(bag, result, ms_identity_key(identity));
        }
    }
    return result < 0 ? result : gnutls_pkcs12_bag_encrypt(bag, password, ENCRYPTION);
}

/* `from` is the first certificate to put into the bag, or SIZE_MAX for the key. */
static int add_bag(gnutls_pkcs12_t pkcs12, const struct ms_identity *identity, size_t from,
                   const char *password) {
    gnutls_pkcs12_bag_t bag;
    int result = gnutls_pkcs12_bag_init(&bag);
    if (result < 0) {
        return result;
    }
    result = from == SIZE_MAX ? fill_key(bag, ms_identity_key(identity), password)
                              : fill_certificates(bag, identity, from, password);
    if (result >= 0) {
        result = gnutls_pkcs12_set_bag(pkcs12, bag);
    }
    gnutls_pkcs12_bag_deinit(bag);
    return result;
}

static int fill(gnutls_pkcs12_t pkcs12, const struct ms_identity *identity, const char *password) {
    int result = 0;
    for (size_t i = 0; result >= 0 && i < ms_identity_chain(identity)->num; i += BAG_SIZE) {
        result = add_bag(pkcs12, identity, i, password);
    }
    if (result >= 0) {
        result = add_bag(pkcs12, identity, SIZE_MAX, password);
    }
    return result < 0 ? result : gnutls_pkcs12_generate_mac2(pkcs12, GNUTLS_MAC_SHA256, password);
}

bool ms_identity_pkcs12(const struct ms_identity *identity, const char *password,
                        struct ms_bytes *der, struct ms_error *error) {
    gnutls_pkcs12_t pkcs12;
    gnutls_datum_t data = {NULL, 0};
    int result = gnutls_pkcs12_init(&pkcs12);
    if (result < 0) {
        return ms_fail_gnutls(error, result, "no room for PKCS #12");
    }
    result = fill(pkcs12, identity, password ? password : "");
    if (result >= 0) {
        result = gnutls_pkcs12_export2(pkcs12, GNUTLS_X509_FMT_DER, &data);
    }
    gnutls_pkcs12_deinit(pkcs12);
    if (result < 0) {
        return ms_fail_gnutls(error, result, "the identity cannot be written as PKCS #12");
    }
    bool added = ms_bytes_add(der, data.data, data.size);
    gnutls_free(data.data);
    return added || ms_fail_memory(error);
}
