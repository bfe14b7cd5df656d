/* SPDX-License-Identifier: MIT */
#include "priority_groups.h"

#include "names.h"

#include <stdio.h>
#include <string.h>

enum kind { CURVE, FIELD, NEITHER };

static enum kind kind_of_group(uint16_t code) {
    return code >= 0x0100 && code <= 0x01ff ? FIELD : CURVE; /* RFC 8446 4.2.7 */
}

static bool is_gost(uint16_t code) {
    return code >= 0x0022 && code <= 0x0028;
}

static enum kind kind_of_kx(gnutls_kx_algorithm_t kx) {
    switch (kx) {
    case GNUTLS_KX_ECDHE_RSA:
    case GNUTLS_KX_ECDHE_ECDSA:
    case GNUTLS_KX_ECDHE_PSK:
    case GNUTLS_KX_ANON_ECDH:
        return CURVE;
    case GNUTLS_KX_DHE_RSA:
    case GNUTLS_KX_DHE_DSS:
    case GNUTLS_KX_DHE_PSK:
    case GNUTLS_KX_ANON_DH:
        return FIELD;
    default:
        return NEITHER;
    }
}

static bool has_kind(struct ms_code_list groups, enum kind kind) {
    for (size_t i = 0; i < groups.num; i++) {
        if (kind_of_group(groups.codes[i]) == kind && !is_gost(groups.codes[i])) {
            return true;
        }
    }
    return false;
}

bool ms_groups_fit_tls13(struct ms_code_list groups) {
    return has_kind(groups, CURVE) || has_kind(groups, FIELD);
}

bool ms_groups_serve(struct ms_code_list groups, const struct ms_suite *suite,
                     struct ms_error *error) {
    enum kind kind = kind_of_kx(suite->kx);
    if (kind == NEITHER || has_kind(groups, kind)) {
        return true;
    }
    char spare[16];
    return ms_fail(error, "groups: %s needs %s, and none is listed",
                   ms_names_text(MS_NAMES_CIPHER_SUITE, suite->code, spare),
                   kind == CURVE ? "an elliptic curve (secp256r1, x25519, ...)"
                                 : "a finite field (ffdhe2048, ...)");
}

static bool add_word(struct ms_bytes *text, const char *prefix, const char *word) {
    return ms_bytes_add(text, prefix, strlen(prefix)) && ms_bytes_add(text, word, strlen(word));
}

bool ms_groups_write(struct ms_code_list groups, bool drop_kx, struct ms_bytes *text) {
    const gnutls_kx_algorithm_t *kx = gnutls_kx_list();
    for (; drop_kx && *kx; kx++) {
        enum kind kind = kind_of_kx(*kx);
        if (kind != NEITHER && !has_kind(groups, kind) &&
            !add_word(text, ":-", gnutls_kx_get_name(*kx))) {
            return false;
        }
    }
    if (!add_word(text, ":", "-GROUP-ALL")) {
        return false;
    }
    for (size_t i = 0; i < groups.num; i++) {
        if (!add_word(text, ":+GROUP-",
                      ms_names_by_code(MS_NAMES_GROUP, groups.codes[i])->gnutls)) {
            return false;
        }
    }
    return true;
}

static bool listed(const unsigned *list, int num, unsigned value) {
    for (int i = 0; i < num; i++) {
        if (list[i] == value) {
            return true;
        }
    }
    return false;
}

/* Whether the string enables a suite, of whatever version, with this key exchange. */
static bool makes_a_suite(const struct ms_suites *all, gnutls_priority_t cache, unsigned kx) {
    const unsigned *ciphers = NULL, *macs = NULL;
    int num_ciphers = gnutls_priority_cipher_list(cache, &ciphers);
    int num_macs = gnutls_priority_mac_list(cache, &macs);
    for (size_t i = 0; i < all->num; i++) {
        const struct ms_suite *suite = &all->items[i];
        if (suite->kx == kx && listed(ciphers, num_ciphers, suite->cipher) &&
            listed(macs, num_macs, suite->mac)) {
            return true;
        }
    }
    return false;
}

/* The kinds in the order in which GnuTLS 3.7.9 sends them (set_ciphersuite_list() in its
 * priority.c): as the key exchanges need them, then, for TLS 1.3, as the groups are listed. */
static size_t read_kinds(struct ms_code_list groups, const struct ms_suites *all,
                         gnutls_priority_t cache, bool tls13, enum kind kinds[2]) {
    size_t num = 0;
    const unsigned *kx = NULL;
    int num_kx = gnutls_priority_kx_list(cache, &kx);
    for (int i = 0; i < num_kx && num < 2; i++) {
        enum kind kind =
            kx[i] == GNUTLS_KX_VKO_GOST_12 ? CURVE : kind_of_kx((gnutls_kx_algorithm_t)kx[i]);
        if (kind != NEITHER && (num == 0 || kinds[0] != kind) && makes_a_suite(all, cache, kx[i])) {
            kinds[num++] = kind;
        }
    }
    for (size_t i = 0; tls13 && i < groups.num && num < 2; i++) {
        enum kind kind = kind_of_group(groups.codes[i]);
        if (num == 0 || kinds[0] != kind) {
            kinds[num++] = kind;
        }
    }
    return num;
}

bool ms_groups_compare(struct ms_code_list groups, const struct ms_suites *all,
                       gnutls_priority_t cache, bool tls13, struct ms_error *error) {
    enum kind kinds[2];
    char spare[2][16];
    size_t num_kinds = read_kinds(groups, all, cache, tls13, kinds), num = 0;
    for (size_t i = 0; i < groups.num; i++) {
        enum kind kind = kind_of_group(groups.codes[i]);
        if (!((num_kinds > 0 && kind == kinds[0]) || (num_kinds > 1 && kind == kinds[1]))) {
            return ms_fail(error,
                           "groups: no enabled cipher suite uses %s, so GnuTLS would ignore it",
                           ms_names_text(MS_NAMES_GROUP, groups.codes[i], spare[0]));
        }
    }
    for (size_t k = 0; k < num_kinds; k++) {
        for (size_t i = 0; i < groups.num; i++) {
            if (kind_of_group(groups.codes[i]) != kinds[k]) {
                continue;
            }
            if (i != num) {
                return ms_fail(error,
                               "groups: GnuTLS would prefer %s to %s: it sends elliptic curves and "
                               "finite fields apart, here %s first",
                               ms_names_text(MS_NAMES_GROUP, groups.codes[i], spare[0]),
                               ms_names_text(MS_NAMES_GROUP, groups.codes[num], spare[1]),
                               kinds[0] == CURVE ? "the curves" : "the fields");
            }
            num++;
        }
    }
    return true;
}
