/* SPDX-License-Identifier: MIT */
#include "issue_extensions.h"

#include "name_constraints.h"
#include "oid_words.h"

#include <arpa/inet.h>
#include <gnutls/x509-ext.h>
#include <limits.h>
#include <string.h>

#define OID_SUBJECT_ALT_NAME "2.5.29.17"
#define OID_EXT_KEY_USAGE "2.5.29.37"
#define OCSP_MUST_STAPLE 5 /* RFC 7633: status_request */

/* Moves `der` into the certificate. */
static int set_extension(gnutls_x509_crt_t crt, const char *oid, gnutls_datum_t *der,
                         bool critical) {
    int result = gnutls_x509_crt_set_extension_by_oid(crt, oid, der->data, der->size, critical);
    gnutls_free(der->data);
    return result;
}

static bool add_texts(gnutls_subject_alt_names_t names, unsigned type, const char *field,
                      const struct ms_texts *texts, struct ms_error *error) {
    for (size_t i = 0; i < texts->num; i++) {
        gnutls_datum_t name = {(unsigned char *)texts->items[i], (unsigned)strlen(texts->items[i])};
        int result = gnutls_subject_alt_names_set(names, type, &name, NULL);
        if (result < 0) {
            return ms_fail_gnutls(error, result, "%s: `%.200s` cannot be written", field,
                                  texts->items[i]);
        }
    }
    return true;
}

static bool add_addresses(gnutls_subject_alt_names_t names, const struct ms_texts *texts,
                          struct ms_error *error) {
    for (size_t i = 0; i < texts->num; i++) {
        unsigned char address[16];
        bool is_v4 = inet_pton(AF_INET, texts->items[i], address) == 1;
        if (!is_v4 && inet_pton(AF_INET6, texts->items[i], address) != 1) {
            return ms_fail(error, "ip: `%.100s` is no IP address", texts->items[i]);
        }
        gnutls_datum_t name = {address, is_v4 ? 4 : 16};
        int result = gnutls_subject_alt_names_set(names, GNUTLS_SAN_IPADDRESS, &name, NULL);
        if (result < 0) {
            return ms_fail_gnutls(error, result, "ip: `%.100s` cannot be written", texts->items[i]);
        }
    }
    return true;
}

/* Critical where the subject is empty (RFC 5280 section 4.2.1.6). */
static bool write_alt_names(gnutls_x509_crt_t crt, const struct ms_recipe *recipe,
                            struct ms_error *error) {
    if (!recipe->dns.num && !recipe->ip.num && !recipe->uri.num && !recipe->email.num) {
        return true;
    }
    gnutls_subject_alt_names_t names;
    gnutls_datum_t der = {NULL, 0};
    int result = gnutls_subject_alt_names_init(&names);
    if (result < 0) {
        return ms_fail_gnutls(error, result, "no room for alternative names");
    }
    bool done = add_texts(names, GNUTLS_SAN_DNSNAME, "dns", &recipe->dns, error) &&
                add_addresses(names, &recipe->ip, error) &&
                add_texts(names, GNUTLS_SAN_URI, "uri", &recipe->uri, error) &&
                add_texts(names, GNUTLS_SAN_RFC822NAME, "email", &recipe->email, error);
    if (done) {
        result = gnutls_x509_ext_export_subject_alt_names(names, &der);
        if (result >= 0) {
            result = set_extension(crt, OID_SUBJECT_ALT_NAME, &der, !*recipe->subject);
        }
        done =
            result >= 0 || ms_fail_gnutls(error, result, "the alternative names cannot be written");
    }
    gnutls_subject_alt_names_deinit(names);
    return done;
}

static bool write_basic_constraints(gnutls_x509_crt_t crt, const struct ms_recipe *recipe,
                                    struct ms_error *error) {
    if (recipe->path_length > INT_MAX || recipe->path_length < -1) {
        return ms_fail(error, "path_length: %lld is out of range", (long long)recipe->path_length);
    }
    if (recipe->ca == MS_NIL) {
        return recipe->path_length < 0 ||
               ms_fail(error, "path_length: there are no basic constraints to carry it");
    }
    int result =
        gnutls_x509_crt_set_basic_constraints(crt, recipe->ca == MS_TRUE, (int)recipe->path_length);
    return result >= 0 || ms_fail_gnutls(error, result, "ca: cannot be written");
}

static bool write_key_usage(gnutls_x509_crt_t crt, const struct ms_texts *words,
                            struct ms_error *error) {
    if (!words->items) {
        return true;
    }
    unsigned bits = 0;
    for (size_t i = 0; i < words->num; i++) {
        unsigned bit = ms_key_usage_bit(words->items[i]);
        if (!bit) {
            return ms_fail(error, "key_usage: `%.100s` is no word of RFC 5280", words->items[i]);
        }
        bits |= bit;
    }
    int result = gnutls_x509_crt_set_key_usage(crt, bits);
    return result >= 0 || ms_fail_gnutls(error, result, "key_usage: cannot be written");
}

static bool add_purposes(gnutls_x509_key_purposes_t purposes, const struct ms_texts *words,
                         struct ms_error *error) {
    for (size_t i = 0; i < words->num; i++) {
        const char *oid = ms_purpose_oid(words->items[i]);
        oid = oid ? oid : words->items[i];
        if (!ms_is_oid(oid)) {
            return ms_fail(error,
                           "purposes: `%.100s` is neither \"server\", \"client\", \"any\" "
                           "nor an OID",
                           words->items[i]);
        }
        int result = gnutls_x509_key_purpose_set(purposes, oid);
        if (result < 0) {
            return ms_fail_gnutls(error, result, "purposes: `%.100s` cannot be written", oid);
        }
    }
    return true;
}

static bool write_purposes(gnutls_x509_crt_t crt, const struct ms_texts *words,
                           struct ms_error *error) {
    if (!words->items) {
        return true;
    }
    gnutls_x509_key_purposes_t purposes;
    gnutls_datum_t der = {NULL, 0};
    int result = gnutls_x509_key_purpose_init(&purposes);
    if (result < 0) {
        return ms_fail_gnutls(error, result, "no room for purposes");
    }
    bool done = add_purposes(purposes, words, error);
    if (done) {
        result = gnutls_x509_ext_export_key_purposes(purposes, &der);
        if (result >= 0) {
            result = set_extension(crt, OID_EXT_KEY_USAGE, &der, false);
        }
        done = result >= 0 || ms_fail_gnutls(error, result, "purposes: cannot be written");
    }
    gnutls_x509_key_purpose_deinit(purposes);
    return done;
}

static bool write_crl_urls(gnutls_x509_crt_t crt, const struct ms_texts *urls,
                           struct ms_error *error) {
    for (size_t i = 0; i < urls->num; i++) {
        int result = gnutls_x509_crt_set_crl_dist_points2(crt, GNUTLS_SAN_URI, urls->items[i],
                                                          (unsigned)strlen(urls->items[i]), 0);
        if (result < 0) {
            return ms_fail_gnutls(error, result, "crl_urls: `%.200s` cannot be written",
                                  urls->items[i]);
        }
    }
    return true;
}

static bool write_ocsp_url(gnutls_x509_crt_t crt, const char *url, struct ms_error *error) {
    if (!url) {
        return true;
    }
    gnutls_datum_t data = {(unsigned char *)url, (unsigned)strlen(url)};
    int result = gnutls_x509_crt_set_authority_info_access(crt, GNUTLS_IA_OCSP_URI, &data);
    return result >= 0 ||
           ms_fail_gnutls(error, result, "ocsp_url: `%.200s` cannot be written", url);
}

static bool write_must_staple(gnutls_x509_crt_t crt, const struct ms_recipe *recipe,
                              struct ms_error *error) {
    if (!recipe->must_staple) {
        return true;
    }
    gnutls_x509_tlsfeatures_t features;
    int result = gnutls_x509_tlsfeatures_init(&features);
    if (result < 0) {
        return ms_fail_gnutls(error, result, "no room for TLS features");
    }
    result = gnutls_x509_tlsfeatures_add(features, OCSP_MUST_STAPLE);
    if (result >= 0) {
        result = gnutls_x509_crt_set_tlsfeatures(crt, features);
    }
    gnutls_x509_tlsfeatures_deinit(features);
    return result >= 0 || ms_fail_gnutls(error, result, "must_staple: cannot be written");
}

static bool check_raw(const struct ms_recipe *recipe, size_t index, struct ms_error *error) {
    const struct ms_extension *extension = &recipe->extensions[index];
    if (!extension->oid || !ms_is_oid(extension->oid)) {
        return ms_fail(error, "extensions: `%.100s` is no OID",
                       extension->oid ? extension->oid : "");
    }
    if (!extension->der.len) {
        return ms_fail(error, "extensions: the DER of `%.100s` is empty (GnuTLS cannot write that)",
                       extension->oid);
    }
    for (size_t i = 0; i < index; i++) {
        if (strcmp(recipe->extensions[i].oid, extension->oid) == 0) {
            return ms_fail(error, "extensions: `%.100s` is there twice (GnuTLS writes one)",
                           extension->oid);
        }
    }
    return true;
}

static bool write_raw(gnutls_x509_crt_t crt, const struct ms_recipe *recipe,
                      struct ms_error *error) {
    for (size_t i = 0; i < recipe->num_extensions; i++) {
        const struct ms_extension *extension = &recipe->extensions[i];
        if (!check_raw(recipe, i, error)) {
            return false;
        }
        int result = gnutls_x509_crt_set_extension_by_oid(crt, extension->oid, extension->der.data,
                                                          extension->der.len, extension->critical);
        if (result < 0) {
            return ms_fail_gnutls(error, result, "extensions: `%.100s` cannot be written",
                                  extension->oid);
        }
    }
    return true;
}

bool ms_issue_extensions(gnutls_x509_crt_t crt, const struct ms_recipe *recipe,
                         struct ms_error *error) {
    return write_basic_constraints(crt, recipe, error) &&
           write_key_usage(crt, &recipe->key_usage, error) &&
           write_purposes(crt, &recipe->purposes, error) && write_alt_names(crt, recipe, error) &&
           ms_name_constraints_write(crt, &recipe->permitted, &recipe->excluded, error) &&
           write_crl_urls(crt, &recipe->crl_urls, error) &&
           write_ocsp_url(crt, recipe->ocsp_url, error) && write_must_staple(crt, recipe, error) &&
           write_raw(crt, recipe, error);
}
