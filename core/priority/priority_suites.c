/* SPDX-License-Identifier: MIT */
#include "priority_suites.h"

#include "names.h"

#include <stdio.h>
#include <string.h>

void ms_suites_read(struct ms_suites *all) {
    all->num = 0;
    while (all->num < MS_SUITES_MAX) {
        struct ms_suite *suite = &all->items[all->num];
        unsigned char id[2];
        if (!gnutls_cipher_suite_info(all->num, id, &suite->kx, &suite->cipher, &suite->mac,
                                      &suite->min_version)) {
            return;
        }
        suite->code = (uint16_t)(id[0] << 8 | id[1]);
        all->num++;
    }
}

const struct ms_suite *ms_suites_find(const struct ms_suites *suites, uint16_t code) {
    for (size_t i = 0; i < suites->num; i++) {
        if (suites->items[i].code == code) {
            return &suites->items[i];
        }
    }
    return NULL;
}

static bool is_stream_cipher(gnutls_cipher_algorithm_t cipher) {
    return cipher == GNUTLS_CIPHER_ARCFOUR_128 || cipher == GNUTLS_CIPHER_GOST28147_TC26Z_CNT;
}

bool ms_suite_fits(const struct ms_suite *suite, uint16_t version) {
    bool is_dtls = version >= 0xfe00;
    bool is_newest = version == 0x0303 || version == 0xfefd;
    if (suite->kx == GNUTLS_KX_UNKNOWN || version == 0x0304) {
        return suite->kx == GNUTLS_KX_UNKNOWN && version == 0x0304;
    }
    /* A record that may be lost cannot be ciphered with a state (RFC 6347 4.1.2.2). */
    if (is_dtls && is_stream_cipher(suite->cipher)) {
        return false;
    }
    return is_newest || suite->min_version < GNUTLS_TLS1_2;
}

bool ms_suites_fit(const struct ms_suites *suites, uint16_t version) {
    for (size_t i = 0; i < suites->num; i++) {
        if (ms_suite_fits(&suites->items[i], version)) {
            return true;
        }
    }
    return false;
}

const char *ms_suite_special_credentials(const struct ms_suite *suite) {
    switch (suite->kx) {
    case GNUTLS_KX_PSK:
    case GNUTLS_KX_RSA_PSK:
    case GNUTLS_KX_DHE_PSK:
    case GNUTLS_KX_ECDHE_PSK:
        return "PSK";
    case GNUTLS_KX_SRP:
    case GNUTLS_KX_SRP_RSA:
    case GNUTLS_KX_SRP_DSS:
        return "SRP";
    case GNUTLS_KX_ANON_DH:
    case GNUTLS_KX_ANON_ECDH:
        return "anonymous";
    default:
        return NULL;
    }
}

/* The key exchanges, ciphers or MACs of a list, each once, with what must come before what. */
struct order {
    int values[64];
    size_t num;
    bool before[64][64];
};

static size_t place_of(struct order *order, int value) {
    for (size_t i = 0; i < order->num; i++) {
        if (order->values[i] == value) {
            return i;
        }
    }
    if (order->num == 64) {
        return 63;
    }
    order->values[order->num] = value;
    return order->num++;
}

static void put_before(struct order *order, int first, int second) {
    size_t from = place_of(order, first), to = place_of(order, second);
    if (from != to) {
        order->before[from][to] = true;
    }
}

/* A priority string orders by key exchange, then by cipher, then by MAC, but for TLS 1.3 by cipher
 * alone; so each run of suites with one key exchange says something about the ciphers, and each
 * run with one cipher about the MACs. */
static void read_orders(const struct ms_suites *wanted, struct order *kx, struct order *cipher,
                        struct order *mac) {
    for (size_t i = 0; i < wanted->num; i++) {
        const struct ms_suite *suite = &wanted->items[i];
        const struct ms_suite *last = NULL; /* the one before it with the same key exchange */
        for (size_t j = i; j-- > 0 && !last;) {
            if (wanted->items[j].kx == suite->kx) {
                last = &wanted->items[j];
            }
        }
        if (suite->kx != GNUTLS_KX_UNKNOWN) {
            place_of(kx, (int)suite->kx);
        }
        place_of(cipher, (int)suite->cipher);
        place_of(mac, (int)suite->mac);
        if (last && last->cipher != suite->cipher) {
            put_before(cipher, (int)last->cipher, (int)suite->cipher);
        } else if (last) {
            put_before(mac, (int)last->mac, (int)suite->mac);
        }
    }
}

/* The next value that nothing left must precede; where there is none, as in an order that cannot be
 * had, the first one left (the comparison afterwards tells). */
static size_t next_place(const struct order *order, const bool *done) {
    size_t first_left = order->num;
    for (size_t i = 0; i < order->num; i++) {
        bool is_free = !done[i];
        for (size_t j = 0; j < order->num && is_free; j++) {
            is_free = done[j] || !order->before[j][i];
        }
        if (is_free) {
            return i;
        }
        if (!done[i] && first_left == order->num) {
            first_left = i;
        }
    }
    return first_left;
}

typedef const char *name_of(int value);

static bool write_words(const struct order *order, name_of *name, const char *clear,
                        struct ms_bytes *text) {
    bool done[64] = {false};
    if (!ms_bytes_add(text, clear, strlen(clear))) {
        return false;
    }
    for (size_t i = 0; i < order->num; i++) {
        size_t place = next_place(order, done);
        const char *word = name(order->values[place]);
        done[place] = true;
        if (word && !(ms_bytes_add(text, ":+", 2) && ms_bytes_add(text, word, strlen(word)))) {
            return false;
        }
    }
    return true;
}

static const char *kx_name(int value) {
    return gnutls_kx_get_name((gnutls_kx_algorithm_t)value);
}

static const char *cipher_name(int value) {
    return gnutls_cipher_get_name((gnutls_cipher_algorithm_t)value);
}

static const char *mac_name(int value) {
    return gnutls_mac_get_name((gnutls_mac_algorithm_t)value);
}

bool ms_suites_write(const struct ms_suites *wanted, struct ms_bytes *text) {
    struct order kx = {.num = 0}, cipher = {.num = 0}, mac = {.num = 0};
    read_orders(wanted, &kx, &cipher, &mac);
    return write_words(&kx, kx_name, ":-KX-ALL", text) &&
           write_words(&cipher, cipher_name, ":-CIPHER-ALL", text) &&
           write_words(&mac, mac_name, ":-MAC-ALL", text);
}

void ms_suites_enabled(const struct ms_suites *all, gnutls_priority_t cache,
                       struct ms_code_list versions, struct ms_suites *enabled) {
    enabled->num = 0;
    for (unsigned i = 0; enabled->num < MS_SUITES_MAX; i++) {
        unsigned place;
        int result = gnutls_priority_get_cipher_suite_index(cache, i, &place);
        if (result == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE) {
            return;
        }
        if (result < 0 || place >= all->num) {
            continue; /* a suite of a version that is not enabled */
        }
        for (size_t v = 0; v < versions.num; v++) {
            if (ms_suite_fits(&all->items[place], versions.codes[v])) {
                enabled->items[enabled->num++] = all->items[place];
                break;
            }
        }
    }
}

/* Appends a name to an enumeration; `num` counts those that were there before. */
static void list_name(char *text, size_t size, size_t num, uint16_t code) {
    char spare[16];
    size_t used = strlen(text);
    snprintf(text + used, size - used, "%s%s", num ? ", " : "",
             ms_names_text(MS_NAMES_CIPHER_SUITE, code, spare));
}

static bool check_set(const struct ms_suites *wanted, const struct ms_suites *enabled,
                      struct ms_error *error) {
    enum { NAMED = 5 };
    char extra[MS_ERROR_TEXT - 128] = "", spare[16];
    size_t num = 0;
    for (size_t i = 0; i < wanted->num; i++) {
        if (!ms_suites_find(enabled, wanted->items[i].code)) {
            return ms_fail(error,
                           "cipher_suites: GnuTLS leaves out %s with these versions and words",
                           ms_names_text(MS_NAMES_CIPHER_SUITE, wanted->items[i].code, spare));
        }
    }
    for (size_t i = 0; i < enabled->num; i++) {
        if (!ms_suites_find(wanted, enabled->items[i].code)) {
            if (num < NAMED) {
                list_name(extra, sizeof extra, num, enabled->items[i].code);
            }
            num++;
        }
    }
    if (num > NAMED) {
        size_t used = strlen(extra);
        snprintf(extra + used, sizeof extra - used, " and %zu more", num - NAMED);
    }
    return num == 0 || ms_fail(error,
                               "cipher_suites: GnuTLS cannot enable exactly these: key exchanges, "
                               "ciphers and MACs combine, which adds %s",
                               extra);
}

static bool is_tls13(const struct ms_suite *suite) {
    return suite->kx == GNUTLS_KX_UNKNOWN;
}

/* The next suite of a family at or after `from`, or the list's end. */
static size_t next_of(const struct ms_suites *suites, size_t from, bool tls13) {
    while (from < suites->num && is_tls13(&suites->items[from]) != tls13) {
        from++;
    }
    return from;
}

static bool check_order(const struct ms_suites *wanted, const struct ms_suites *enabled, bool tls13,
                        struct ms_error *error) {
    char order[MS_ERROR_TEXT] = "", spare[2][16];
    size_t num = 0;
    for (size_t i = next_of(enabled, 0, tls13); i < enabled->num;
         i = next_of(enabled, i + 1, tls13)) {
        list_name(order, sizeof order, num++, enabled->items[i].code);
    }
    size_t i = next_of(wanted, 0, tls13), j = next_of(enabled, 0, tls13);
    while (i < wanted->num && j < enabled->num) {
        uint16_t asked = wanted->items[i].code, made = enabled->items[j].code;
        if (asked != made) {
            return ms_fail(error,
                           "cipher_suites: GnuTLS cannot prefer %s to %s in this list, because it "
                           "orders by key exchange, then cipher, then MAC; it would use %s",
                           ms_names_text(MS_NAMES_CIPHER_SUITE, asked, spare[0]),
                           ms_names_text(MS_NAMES_CIPHER_SUITE, made, spare[1]), order);
        }
        i = next_of(wanted, i + 1, tls13);
        j = next_of(enabled, j + 1, tls13);
    }
    return true;
}

bool ms_suites_compare(const struct ms_suites *wanted, const struct ms_suites *enabled,
                       struct ms_error *error) {
    return check_set(wanted, enabled, error) && check_order(wanted, enabled, true, error) &&
           check_order(wanted, enabled, false, error);
}
