/* SPDX-License-Identifier: MIT */
#include "certificate.h"

#include "der.h"
#include "memory.h"
#include "pem.h"

#include <string.h>

bool ms_certificates_begin(struct ms_certificates *list) {
    return list->items ||
           ms_grow_array(&list->items, list->num, &list->capacity, sizeof(struct ms_certificate *));
}

bool ms_certificates_add(struct ms_certificates *list, struct ms_certificate *certificate) {
    if (!ms_grow_array(&list->items, list->num, &list->capacity, sizeof(struct ms_certificate *))) {
        return false;
    }
    list->items[list->num++] = ms_certificate_retain(certificate);
    return true;
}

bool ms_certificates_copy(struct ms_certificates *to, const struct ms_certificates *from) {
    *to = (struct ms_certificates){0};
    if (!from->items) {
        return true;
    }
    if (!ms_certificates_begin(to)) {
        return false;
    }
    for (size_t i = 0; i < from->num; i++) {
        if (!ms_certificates_add(to, from->items[i])) {
            ms_certificates_clear(to);
            return false;
        }
    }
    return true;
}

static void shorten(struct ms_certificates *list, size_t num) {
    while (list->num > num) {
        ms_certificate_release(list->items[--list->num]);
    }
}

void ms_certificates_clear(struct ms_certificates *list) {
    shorten(list, 0);
    ms_free(list->items);
    *list = (struct ms_certificates){0};
}

/* Adds what `der` holds, which must parse. `index` counts from 1; 0 when there is but one. */
static bool add_der(struct ms_slice der, size_t index, struct ms_certificates *list,
                    struct ms_error *error) {
    struct ms_certificate *certificate = ms_certificate_new(der, error);
    if (!certificate) {
        return false;
    }
    struct ms_error why = {0};
    bool added = ms_certificate_crt(certificate, &why) != NULL;
    if (!added) {
        index ? ms_fail(error, "certificate %zu: %.480s", index, why.text)
              : ms_fail(error, "%s", why.text);
    } else if (!ms_certificates_add(list, certificate)) {
        added = ms_fail_memory(error);
    }
    ms_certificate_release(certificate);
    return added;
}

static bool add_block(const struct ms_pem_block *block, size_t index, struct ms_certificates *list,
                      struct ms_error *error) {
    if (!block->ended) {
        return ms_fail(error, "certificate %zu: its END line is missing", index);
    }
    if (block->text.len > INT32_MAX) {
        return ms_fail(error, "certificate %zu: too long", index);
    }
    gnutls_datum_t text = {(unsigned char *)block->text.data, (unsigned)block->text.len};
    gnutls_datum_t der;
    int result = gnutls_pem_base64_decode2(NULL, &text, &der);
    if (result < 0) {
        return ms_fail_gnutls(error, result, "certificate %zu: its PEM text cannot be decoded",
                              index);
    }
    bool added = add_der((struct ms_slice){der.data, der.size}, index, list, error);
    gnutls_free(der.data);
    return added;
}

static bool is_certificate(const struct ms_pem_block *block) {
    return ms_pem_is(block, "CERTIFICATE") || ms_pem_is(block, "X509 CERTIFICATE");
}

static bool fail_without(struct ms_slice text, struct ms_error *error) {
    struct ms_pem_block block;
    struct ms_slice label = {0};
    while (ms_pem_next(&text, &block)) {
        if (ms_pem_ends_in(&block, "PRIVATE KEY")) {
            return ms_fail(error, "the text holds a private key but no certificate");
        }
        label = label.data ? label : block.label;
    }
    return ms_fail(error, "the text holds no certificate but a PEM block \"%.*s\"",
                   (int)(label.len < 60 ? label.len : 60), (const char *)label.data);
}

static bool read_pem(struct ms_slice text, struct ms_certificates *list, struct ms_error *error) {
    struct ms_slice rest = text;
    struct ms_pem_block block;
    size_t index = 0;
    while (ms_pem_next(&rest, &block)) {
        if (is_certificate(&block) && !add_block(&block, ++index, list, error)) {
            return false;
        }
    }
    return index > 0 || fail_without(text, error);
}

static bool read_der(struct ms_slice text, struct ms_certificates *list, struct ms_error *error) {
    struct ms_slice rest = text;
    struct ms_slice whole;
    if (text.len == 0) {
        return ms_fail(error, "the text is empty");
    }
    if (text.data[0] != 0x30) {
        return ms_fail(error, "the text is neither PEM nor DER");
    }
    if (!ms_der_next(&rest, 0x30, NULL, &whole)) {
        return ms_fail(error, "the DER text is cut short or damaged");
    }
    if (rest.len) {
        return ms_fail(error, "the DER text goes on for %zu bytes behind the certificate",
                       rest.len);
    }
    return add_der(whole, 0, list, error);
}

bool ms_certificates_read(struct ms_slice text, struct ms_certificates *list,
                          struct ms_error *error) {
    size_t before = list->num;
    bool done = ms_pem_any(text) ? read_pem(text, list, error) : read_der(text, list, error);
    if (!done) {
        shorten(list, before);
    }
    return done;
}
