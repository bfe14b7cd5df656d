/* SPDX-License-Identifier: MIT */
/* Keys from outside. The form is found out here and not by gnutls_x509_privkey_import2(), which
 * tries one form after the other and reports whatever the last one said. */
#include "key.h"

#include "pem.h"

#include <string.h>

#define WRONG_PASSWORD "the private key cannot be decrypted: the password is wrong"
#define UNREADABLE "the private key is damaged or of a kind that GnuTLS does not know"

struct source {
    gnutls_datum_t data;
    gnutls_x509_crt_fmt_t format;
    const char *password;
};

static int fail(int result, struct ms_error *error, const char *why) {
    ms_fail_gnutls(error, result, "%s", why);
    return result;
}

static int read_plain(gnutls_x509_privkey_t key, const struct source *from,
                      struct ms_error *error) {
    int result = gnutls_x509_privkey_import(key, &from->data, from->format);
    return result < 0 ? fail(result, error, UNREADABLE) : result;
}

static int fail_no_password(struct ms_error *error) {
    ms_fail(error, "the private key is encrypted: a password is needed");
    return GNUTLS_E_DECRYPTION_FAILED;
}

/* A wrong password is nearly always noticed by the padding; by chance it is not, and then what
 * came out is no key. */
static bool is_wrong_password(int result) {
    return result == GNUTLS_E_DECRYPTION_FAILED || result == GNUTLS_E_ASN1_DER_ERROR ||
           result == GNUTLS_E_ASN1_TAG_ERROR || result == GNUTLS_E_ASN1_DER_OVERFLOW ||
           result == GNUTLS_E_PARSING_ERROR;
}

static int read_encrypted_pkcs8(gnutls_x509_privkey_t key, const struct source *from,
                                struct ms_error *error) {
    if (!from->password) {
        return fail_no_password(error);
    }
    int result =
        gnutls_x509_privkey_import_pkcs8(key, &from->data, from->format, from->password, 0);
    if (result < 0) {
        return fail(result, error, is_wrong_password(result) ? WRONG_PASSWORD : UNREADABLE);
    }
    return result;
}

static int read_encrypted_traditional(gnutls_x509_privkey_t key, const struct source *from,
                                      struct ms_error *error) {
    if (!from->password) {
        return fail_no_password(error);
    }
    int result = gnutls_x509_privkey_import_openssl(key, &from->data, from->password);
    if (result < 0) {
        return fail(result, error, is_wrong_password(result) ? WRONG_PASSWORD : UNREADABLE);
    }
    return result;
}

static bool has(struct ms_slice text, const char *mark) {
    return text.len && memmem(text.data, text.len, mark, strlen(mark)) != NULL;
}

static int read_block(gnutls_x509_privkey_t key, const struct ms_pem_block *block,
                      const char *password, struct ms_error *error) {
    struct source from = {{(unsigned char *)block->text.data, (unsigned)block->text.len},
                          GNUTLS_X509_FMT_PEM,
                          password};
    if (!block->ended) {
        ms_fail(error, "the private key's END line is missing");
        return GNUTLS_E_BASE64_DECODING_ERROR;
    }
    if (ms_pem_is(block, "ENCRYPTED PRIVATE KEY")) {
        return read_encrypted_pkcs8(key, &from, error);
    }
    if (has(block->text, "Proc-Type: 4,ENCRYPTED")) {
        return read_encrypted_traditional(key, &from, error);
    }
    return read_plain(key, &from, error);
}

static int fail_no_key(struct ms_slice text, struct ms_error *error) {
    struct ms_pem_block block;
    if (ms_pem_next(&text, &block)) {
        ms_fail(error, "the text holds no private key but a PEM block \"%.*s\"",
                (int)(block.label.len < 60 ? block.label.len : 60), (const char *)block.label.data);
    }
    return GNUTLS_E_NO_CERTIFICATE_FOUND;
}

static int read_pem(gnutls_x509_privkey_t key, struct ms_slice text, const char *password,
                    struct ms_error *error) {
    struct ms_slice rest = text;
    struct ms_pem_block block;
    while (ms_pem_next(&rest, &block)) {
        if (ms_pem_ends_in(&block, "PRIVATE KEY")) {
            return read_block(key, &block, password, error);
        }
    }
    return fail_no_key(text, error);
}

/* DER says nothing about itself: gnutls_pkcs8_info() knows encrypted PKCS #8. */
static bool is_encrypted_pkcs8(const gnutls_datum_t *der) {
    int result = gnutls_pkcs8_info(der, GNUTLS_X509_FMT_DER, NULL, NULL, NULL, NULL, NULL, NULL);
    return result >= 0 || result == GNUTLS_E_UNKNOWN_CIPHER_TYPE;
}

static int read_der(gnutls_x509_privkey_t key, struct ms_slice der, const char *password,
                    struct ms_error *error) {
    struct source from = {
        {(unsigned char *)der.data, (unsigned)der.len}, GNUTLS_X509_FMT_DER, password};
    if (der.len == 0) {
        ms_fail(error, "the key's text is empty");
        return GNUTLS_E_NO_CERTIFICATE_FOUND;
    }
    if (der.data[0] != 0x30) {
        ms_fail(error, "the key is neither PEM nor DER");
        return GNUTLS_E_NO_CERTIFICATE_FOUND;
    }
    if (is_encrypted_pkcs8(&from.data)) {
        return read_encrypted_pkcs8(key, &from, error);
    }
    return read_plain(key, &from, error);
}

struct ms_key *ms_key_read(struct ms_slice text, const char *password, struct ms_error *error) {
    if (text.len > INT32_MAX) {
        ms_fail(error, "the key's text is too long");
        return NULL;
    }
    gnutls_x509_privkey_t key;
    int result = gnutls_x509_privkey_init(&key);
    if (result < 0) {
        ms_fail_gnutls(error, result, "no room for a key");
        return NULL;
    }
    result = ms_pem_any(text) ? read_pem(key, text, password, error)
                              : read_der(key, text, password, error);
    if (result < 0) {
        gnutls_x509_privkey_deinit(key);
        return NULL;
    }
    return ms_key_adopt(key, error);
}
