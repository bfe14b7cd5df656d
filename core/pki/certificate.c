/* SPDX-License-Identifier: MIT */
#include "certificate.h"

#include "certificate_facts.h"
#include "der.h"
#include "memory.h"

#include <gnutls/abstract.h>
#include <string.h>

struct ms_certificate {
    size_t references;
    struct ms_slice der; /* owned */
    gnutls_x509_crt_t crt;
    enum ms_maybe self_signed; /* nil: not found out yet */
    bool has_facts;
    struct ms_certificate_facts facts;
};

struct ms_certificate *ms_certificate_new(struct ms_slice der, struct ms_error *error) {
    struct ms_certificate *certificate = ms_alloc(sizeof *certificate);
    uint8_t *copy = ms_alloc(der.len);
    if (!certificate || !copy) {
        ms_free(certificate);
        ms_free(copy);
        ms_fail_memory(error);
        return NULL;
    }
    if (der.len) {
        memcpy(copy, der.data, der.len);
    }
    certificate->references = 1;
    certificate->der = (struct ms_slice){copy, der.len};
    return certificate;
}

struct ms_certificate *ms_certificate_retain(struct ms_certificate *certificate) {
    if (certificate) {
        certificate->references++;
    }
    return certificate;
}

void ms_certificate_release(struct ms_certificate *certificate) {
    if (!certificate || --certificate->references) {
        return;
    }
    ms_certificate_facts_clear(&certificate->facts);
    gnutls_x509_crt_deinit(certificate->crt);
    ms_free((void *)certificate->der.data);
    ms_free(certificate);
}

struct ms_slice ms_certificate_der(const struct ms_certificate *certificate) {
    return certificate->der;
}

bool ms_certificate_equal(const struct ms_certificate *a, const struct ms_certificate *b) {
    return a == b || (a && b && ms_slice_equal(a->der, b->der));
}

static gnutls_datum_t datum(struct ms_slice slice) {
    return (gnutls_datum_t){(unsigned char *)slice.data, (unsigned)slice.len};
}

gnutls_x509_crt_t ms_certificate_crt(struct ms_certificate *certificate, struct ms_error *error) {
    if (certificate->crt) {
        return certificate->crt;
    }
    if (certificate->der.len > INT32_MAX) {
        ms_fail(error, "the certificate is too long");
        return NULL;
    }
    gnutls_x509_crt_t crt;
    int result = gnutls_x509_crt_init(&crt);
    if (result < 0) {
        ms_fail_gnutls(error, result, "no room for a certificate");
        return NULL;
    }
    gnutls_datum_t der = datum(certificate->der);
    result = gnutls_x509_crt_import(crt, &der, GNUTLS_X509_FMT_DER);
    if (result < 0) {
        gnutls_x509_crt_deinit(crt);
        ms_fail_gnutls(error, result, "the certificate cannot be parsed");
        return NULL;
    }
    certificate->crt = crt;
    return crt;
}

/* The DER of the part that is signed: the first element in the outermost sequence. False when `der`
 * is not so. */
static bool find_signed_part(struct ms_slice der, struct ms_slice *part) {
    struct ms_slice content;
    return ms_der_next(&der, 0x30, &content, NULL) && ms_der_next(&content, 0x30, NULL, part);
}

static bool own_key_verifies(gnutls_x509_crt_t crt, struct ms_slice der) {
    struct ms_slice part;
    char signature[4096];
    size_t len = sizeof signature;
    gnutls_pubkey_t key;
    if (!find_signed_part(der, &part) || gnutls_x509_crt_get_signature(crt, signature, &len) < 0 ||
        gnutls_pubkey_init(&key) < 0) {
        return false;
    }
    gnutls_datum_t data = datum(part);
    gnutls_datum_t signed_with = {(unsigned char *)signature, (unsigned)len};
    int algorithm = gnutls_x509_crt_get_signature_algorithm(crt);
    bool verifies =
        algorithm > GNUTLS_SIGN_UNKNOWN && gnutls_pubkey_import_x509(key, crt, 0) >= 0 &&
        gnutls_pubkey_verify_data2(key, (gnutls_sign_algorithm_t)algorithm,
                                   GNUTLS_VERIFY_ALLOW_BROKEN, &data, &signed_with) >= 0;
    gnutls_pubkey_deinit(key);
    return verifies;
}

static bool names_itself(gnutls_x509_crt_t crt) {
    gnutls_datum_t subject = {NULL, 0};
    gnutls_datum_t issuer = {NULL, 0};
    bool same = gnutls_x509_crt_get_raw_dn(crt, &subject) >= 0 &&
                gnutls_x509_crt_get_raw_issuer_dn(crt, &issuer) >= 0 &&
                ms_slice_equal((struct ms_slice){subject.data, subject.size},
                               (struct ms_slice){issuer.data, issuer.size});
    gnutls_free(subject.data);
    gnutls_free(issuer.data);
    return same;
}

bool ms_certificate_self_signed(struct ms_certificate *certificate, bool *self_signed,
                                struct ms_error *error) {
    if (certificate->self_signed == MS_NIL) {
        gnutls_x509_crt_t crt = ms_certificate_crt(certificate, error);
        if (!crt) {
            return false;
        }
        bool holds = names_itself(crt) && own_key_verifies(crt, certificate->der);
        certificate->self_signed = holds ? MS_TRUE : MS_FALSE;
    }
    *self_signed = certificate->self_signed == MS_TRUE;
    return true;
}

void ms_certificate_mark_self_signed(struct ms_certificate *certificate) {
    certificate->self_signed = MS_TRUE;
}

const struct ms_certificate_facts *ms_certificate_facts(struct ms_certificate *certificate,
                                                        struct ms_error *error) {
    if (certificate->has_facts) {
        return &certificate->facts;
    }
    gnutls_x509_crt_t crt = ms_certificate_crt(certificate, error);
    if (!crt) {
        return NULL;
    }
    struct ms_certificate_facts *facts = &certificate->facts;
    if (!ms_certificate_facts_read(crt, certificate->der, facts, error) ||
        !ms_certificate_self_signed(certificate, &facts->self_signed, error)) {
        ms_certificate_facts_clear(facts);
        return NULL;
    }
    certificate->has_facts = true;
    return facts;
}

const struct ms_certificate_facts *ms_certificate_known(const struct ms_certificate *certificate) {
    return certificate->has_facts ? &certificate->facts : NULL;
}

bool ms_certificate_pem(struct ms_certificate *certificate, struct ms_bytes *to,
                        struct ms_error *error) {
    gnutls_datum_t der = datum(certificate->der);
    gnutls_datum_t text;
    int result = gnutls_pem_base64_encode2("CERTIFICATE", &der, &text);
    if (result < 0) {
        return ms_fail_gnutls(error, result, "the certificate cannot be written as PEM");
    }
    bool added = ms_bytes_add(to, text.data, text.size);
    gnutls_free(text.data);
    return added || ms_fail_memory(error);
}

bool ms_certificate_text(struct ms_certificate *certificate, struct ms_bytes *to,
                         struct ms_error *error) {
    gnutls_x509_crt_t crt = ms_certificate_crt(certificate, error);
    if (!crt) {
        return false;
    }
    gnutls_datum_t text;
    int result = gnutls_x509_crt_print(crt, GNUTLS_CRT_PRINT_FULL, &text);
    if (result < 0) {
        return ms_fail_gnutls(error, result, "the certificate cannot be described");
    }
    bool added = ms_bytes_add(to, text.data, text.size);
    gnutls_free(text.data);
    return added || ms_fail_memory(error);
}
