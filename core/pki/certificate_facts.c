/* SPDX-License-Identifier: MIT */
#include "certificate_facts.h"

#include "certificate_validity.h"
#include "foreign_text.h"
#include "key.h"
#include "memory.h"
#include "oid_words.h"

#include <arpa/inet.h>
#include <gnutls/x509-ext.h>
#include <string.h>

#define OID_SUBJECT_ALT_NAME "2.5.29.17"
#define OID_EXT_KEY_USAGE "2.5.29.37"
#define MAX_OID 128

#define FIELD(name, type, about)                                                                   \
    { #name, MS_FIELD_##type, offsetof(struct ms_certificate_facts, name), NULL, about }

const struct ms_field ms_certificate_fields[] = {
    FIELD(subject, TEXT, "The subject's name (RFC 4514); empty where there is none."),
    FIELD(issuer, TEXT, "The issuer's name (RFC 4514)."),
    FIELD(serial, TEXT, "The serial number in lower-case hex, with a minus when it is negative."),
    FIELD(fingerprint, TEXT, "SHA-256 of the DER in lower-case hex."),
    FIELD(not_before, INTEGER, "First second of its validity, since the epoch."),
    FIELD(not_after, INTEGER, "Last second of its validity, since the epoch."),
    FIELD(dns_names, TEXTS, "DNS names of the subject alternative name (RFC 5280 4.2.1.6)."),
    FIELD(ip_addresses, TEXTS, "IP addresses of the subject alternative name, as text."),
    FIELD(uris, TEXTS, "URIs of the subject alternative name."),
    FIELD(email_addresses, TEXTS, "E-mail addresses of the subject alternative name."),
    FIELD(is_ca, BOOL, "Whether basicConstraints says CA:TRUE (RFC 5280 4.2.1.9)."),
    FIELD(path_length, COUNT, "How many intermediates may follow it; nil without a constraint."),
    FIELD(key_usage, TEXTS, "Words of RFC 5280 4.2.1.3; nil without the extension."),
    FIELD(purposes, TEXTS,
          "Extended key usage: \"server\", \"client\", \"any\" or OIDs; nil without it."),
    FIELD(key_type, TEXT, "The word that `key` takes, without the size for RSA, or an OID."),
    FIELD(key_bits, COUNT, "Size of the key in bits; nil when it is unknown."),
    FIELD(signature_algorithm, TEXT, "As in its RFC (\"ecdsa-with-SHA256\"), or an OID."),
    FIELD(principal, TEXT, "The first URI, else the first DNS name, else the subject."),
    FIELD(self_signed, BOOL, "Whether it names itself as issuer and its own key verifies it."),
    {NULL, MS_FIELD_TEXT, 0, NULL, NULL}};

void ms_certificate_facts_clear(struct ms_certificate_facts *facts) {
    ms_free(facts->subject);
    ms_free(facts->issuer);
    ms_free(facts->serial);
    ms_free(facts->fingerprint);
    ms_texts_clear(&facts->dns_names);
    ms_texts_clear(&facts->ip_addresses);
    ms_texts_clear(&facts->uris);
    ms_texts_clear(&facts->email_addresses);
    ms_texts_clear(&facts->key_usage);
    ms_texts_clear(&facts->purposes);
    ms_free(facts->key_type);
    ms_free(facts->signature_algorithm);
    ms_free(facts->principal);
    *facts = (struct ms_certificate_facts){0};
}

/* Stores a copied text: NULL means that there was no memory for it. */
static bool store(char **to, char *text, struct ms_error *error) {
    *to = text;
    return text || ms_fail_memory(error);
}

static bool is_absent(int result) {
    return result == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE;
}

/* Takes what GnuTLS made of a name. A name that GnuTLS cannot write as text stands as its DER in
 * hex, as RFC 4514 does it with a value. */
static bool read_name(int result, gnutls_datum_t *name, int raw_result, gnutls_datum_t *raw,
                      char **to, struct ms_error *error) {
    char *text;
    if (result >= 0) {
        text = ms_foreign_text(name->data, name->size);
    } else if (is_absent(result) || raw_result < 0) {
        text = ms_copy_text("");
    } else {
        text = ms_hex_text("#", raw->data, raw->size);
    }
    gnutls_free(name->data);
    gnutls_free(raw->data);
    return store(to, text, error);
}

static bool read_names(gnutls_x509_crt_t crt, struct ms_certificate_facts *facts,
                       struct ms_error *error) {
    gnutls_datum_t name = {NULL, 0};
    gnutls_datum_t raw = {NULL, 0};
    int result = gnutls_x509_crt_get_dn3(crt, &name, 0);
    int raw_result = gnutls_x509_crt_get_raw_dn(crt, &raw);
    if (!read_name(result, &name, raw_result, &raw, &facts->subject, error)) {
        return false;
    }
    name = raw = (gnutls_datum_t){NULL, 0};
    result = gnutls_x509_crt_get_issuer_dn3(crt, &name, 0);
    raw_result = gnutls_x509_crt_get_raw_issuer_dn(crt, &raw);
    return read_name(result, &name, raw_result, &raw, &facts->issuer, error);
}

/* The hex of the magnitude of an INTEGER's `len` octets, behind a minus when it is negative. */
static char *integer_text(uint8_t *octets, size_t len) {
    bool negative = octets[0] & 0x80;
    if (negative) {
        unsigned carry = 1;
        for (size_t i = len; i > 0; i--) {
            carry += (uint8_t)~octets[i - 1];
            octets[i - 1] = (uint8_t)carry;
            carry >>= 8;
        }
    }
    bool padded = !negative && len > 1 && octets[0] == 0 && octets[1] & 0x80;
    return ms_hex_text(negative ? "-" : "", octets + padded, len - padded);
}

static bool read_serial(gnutls_x509_crt_t crt, char **to, struct ms_error *error) {
    size_t len = 0;
    int result = gnutls_x509_crt_get_serial(crt, NULL, &len);
    if (result != GNUTLS_E_SHORT_MEMORY_BUFFER || len == 0) {
        return ms_fail_gnutls(error, result, "the certificate's serial number cannot be read");
    }
    uint8_t *octets = ms_alloc(len);
    if (!octets) {
        return ms_fail_memory(error);
    }
    result = gnutls_x509_crt_get_serial(crt, octets, &len);
    if (result < 0) {
        ms_free(octets);
        return ms_fail_gnutls(error, result, "the certificate's serial number cannot be read");
    }
    char *text = integer_text(octets, len);
    ms_free(octets);
    return store(to, text, error);
}

static bool read_fingerprint(struct ms_slice der, char **to, struct ms_error *error) {
    gnutls_datum_t data = {(unsigned char *)der.data, (unsigned)der.len};
    uint8_t hash[32];
    size_t len = sizeof hash;
    int result = gnutls_fingerprint(GNUTLS_DIG_SHA256, &data, hash, &len);
    if (result < 0) {
        return ms_fail_gnutls(error, result, "the certificate cannot be hashed");
    }
    return store(to, ms_hex_text("", hash, len), error);
}

static void read_times(gnutls_x509_crt_t crt, struct ms_slice der,
                       struct ms_certificate_facts *facts) {
    if (!ms_validity_read(der, &facts->not_before, &facts->not_after)) {
        facts->not_before = gnutls_x509_crt_get_activation_time(crt);
        facts->not_after = gnutls_x509_crt_get_expiration_time(crt);
    }
}

static char *ip_text(const gnutls_datum_t *address) {
    char text[INET6_ADDRSTRLEN];
    if (address->size == 4 && inet_ntop(AF_INET, address->data, text, sizeof text)) {
        return ms_copy_text(text);
    }
    if (address->size == 16 && inet_ntop(AF_INET6, address->data, text, sizeof text)) {
        return ms_copy_text(text);
    }
    /* neither: as RFC 4514 writes what has no text */
    return ms_hex_text("#", address->data, address->size);
}

static bool add_alt_name(unsigned type, const gnutls_datum_t *name,
                         struct ms_certificate_facts *facts) {
    struct ms_texts *to;
    switch (type) {
    case GNUTLS_SAN_DNSNAME:
        to = &facts->dns_names;
        break;
    case GNUTLS_SAN_IPADDRESS:
        to = &facts->ip_addresses;
        break;
    case GNUTLS_SAN_URI:
        to = &facts->uris;
        break;
    case GNUTLS_SAN_RFC822NAME:
        to = &facts->email_addresses;
        break;
    default:
        return true;
    }
    char *text =
        type == GNUTLS_SAN_IPADDRESS ? ip_text(name) : ms_foreign_text(name->data, name->size);
    bool added = text && ms_texts_add(to, text);
    ms_free(text);
    return added;
}

static bool add_alt_names(gnutls_subject_alt_names_t names, struct ms_certificate_facts *facts) {
    unsigned type;
    gnutls_datum_t name;
    for (unsigned i = 0; gnutls_subject_alt_names_get(names, i, &type, &name, NULL) >= 0; i++) {
        if (!add_alt_name(type, &name, facts)) {
            return false;
        }
    }
    return true;
}

static bool read_alt_names(gnutls_x509_crt_t crt, struct ms_certificate_facts *facts,
                           struct ms_error *error) {
    if (!ms_texts_begin(&facts->dns_names) || !ms_texts_begin(&facts->ip_addresses) ||
        !ms_texts_begin(&facts->uris) || !ms_texts_begin(&facts->email_addresses)) {
        return ms_fail_memory(error);
    }
    gnutls_datum_t der = {NULL, 0};
    int result = gnutls_x509_crt_get_extension_by_oid2(crt, OID_SUBJECT_ALT_NAME, 0, &der, NULL);
    if (is_absent(result)) {
        return true;
    }
    gnutls_subject_alt_names_t names = NULL;
    bool done = false;
    if (result >= 0) {
        result = gnutls_subject_alt_names_init(&names);
    }
    if (result >= 0) {
        result = gnutls_x509_ext_import_subject_alt_names(&der, names, 0);
    }
    if (result < 0) {
        ms_fail_gnutls(error, result, "the certificate's alternative names cannot be read");
    } else {
        done = add_alt_names(names, facts) || ms_fail_memory(error);
    }
    if (names) {
        gnutls_subject_alt_names_deinit(names);
    }
    gnutls_free(der.data);
    return done;
}

static bool read_basic_constraints(gnutls_x509_crt_t crt, struct ms_certificate_facts *facts,
                                   struct ms_error *error) {
    unsigned is_ca = 0;
    int path_length = -1;
    int result = gnutls_x509_crt_get_basic_constraints(crt, NULL, &is_ca, &path_length);
    if (result < 0 && !is_absent(result)) {
        return ms_fail_gnutls(error, result, "the certificate's basic constraints cannot be read");
    }
    facts->is_ca = result >= 0 && is_ca;
    facts->path_length = result >= 0 ? path_length : -1;
    return true;
}

static bool read_key_usage(gnutls_x509_crt_t crt, struct ms_texts *to, struct ms_error *error) {
    unsigned bits = 0;
    int result = gnutls_x509_crt_get_key_usage(crt, &bits, NULL);
    if (is_absent(result)) {
        return true;
    }
    if (result < 0) {
        return ms_fail_gnutls(error, result, "the certificate's key usage cannot be read");
    }
    bool added = ms_texts_begin(to);
    for (const struct ms_key_usage *usage = ms_key_usages; added && usage->word; usage++) {
        added = !(bits & usage->bit) || ms_texts_add(to, usage->word);
    }
    return added || ms_fail_memory(error);
}

static bool add_purposes(gnutls_x509_key_purposes_t purposes, struct ms_texts *to) {
    gnutls_datum_t oid;
    bool added = ms_texts_begin(to);
    for (unsigned i = 0; added && gnutls_x509_key_purpose_get(purposes, i, &oid) >= 0; i++) {
        char *text = ms_foreign_text(oid.data, oid.size);
        const char *word = text ? ms_purpose_word(text) : NULL;
        added = text && ms_texts_add(to, word ? word : text);
        ms_free(text);
    }
    return added;
}

static bool read_purposes(gnutls_x509_crt_t crt, struct ms_texts *to, struct ms_error *error) {
    gnutls_datum_t der = {NULL, 0};
    int result = gnutls_x509_crt_get_extension_by_oid2(crt, OID_EXT_KEY_USAGE, 0, &der, NULL);
    if (is_absent(result)) {
        return true;
    }
    gnutls_x509_key_purposes_t purposes = NULL;
    bool done = false;
    if (result >= 0) {
        result = gnutls_x509_key_purpose_init(&purposes);
    }
    if (result >= 0) {
        result = gnutls_x509_ext_import_key_purposes(&der, purposes, 0);
    }
    if (result < 0) {
        ms_fail_gnutls(error, result, "the certificate's extended key usage cannot be read");
    } else {
        done = add_purposes(purposes, to) || ms_fail_memory(error);
    }
    if (purposes) {
        gnutls_x509_key_purpose_deinit(purposes);
    }
    gnutls_free(der.data);
    return done;
}

static bool read_key(gnutls_x509_crt_t crt, struct ms_certificate_facts *facts,
                     struct ms_error *error) {
    unsigned bits = 0;
    int algorithm = gnutls_x509_crt_get_pk_algorithm(crt, &bits);
    gnutls_ecc_curve_t curve = GNUTLS_ECC_CURVE_INVALID;
    if (algorithm == GNUTLS_PK_ECDSA) {
        gnutls_x509_crt_get_pk_ecc_raw(crt, &curve, NULL, NULL);
    }
    facts->key_bits = bits ? ms_key_size((int)curve, bits) : -1;
    const char *word = ms_key_type_word(algorithm, (int)curve);
    if (word) {
        return store(&facts->key_type, ms_copy_text(word), error);
    }
    char oid[MAX_OID];
    size_t len = sizeof oid;
    int result = gnutls_x509_crt_get_pk_oid(crt, oid, &len);
    if (result < 0) {
        return ms_fail_gnutls(error, result, "the type of the certificate's key cannot be read");
    }
    return store(&facts->key_type, ms_copy_text(oid), error);
}

static bool read_signature(gnutls_x509_crt_t crt, char **to, struct ms_error *error) {
    char oid[MAX_OID];
    size_t len = sizeof oid;
    int result = gnutls_x509_crt_get_signature_oid(crt, oid, &len);
    if (result < 0) {
        return ms_fail_gnutls(error, result,
                              "the certificate's signature algorithm cannot be read");
    }
    const char *word = ms_signature_word(oid);
    return store(to, ms_copy_text(word ? word : oid), error);
}

static const char *principal(const struct ms_certificate_facts *facts) {
    if (facts->uris.num) {
        return facts->uris.items[0];
    }
    return facts->dns_names.num ? facts->dns_names.items[0] : facts->subject;
}

bool ms_certificate_facts_read(gnutls_x509_crt_t crt, struct ms_slice der,
                               struct ms_certificate_facts *facts, struct ms_error *error) {
    read_times(crt, der, facts);
    return read_names(crt, facts, error) && read_serial(crt, &facts->serial, error) &&
           read_fingerprint(der, &facts->fingerprint, error) && read_alt_names(crt, facts, error) &&
           read_basic_constraints(crt, facts, error) &&
           read_key_usage(crt, &facts->key_usage, error) &&
           read_purposes(crt, &facts->purposes, error) && read_key(crt, facts, error) &&
           read_signature(crt, &facts->signature_algorithm, error) &&
           store(&facts->principal, ms_copy_text(principal(facts)), error);
}
