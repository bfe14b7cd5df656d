/* SPDX-License-Identifier: MIT */
#include "names.h"

#include "names_tables.h"

#include <ctype.h>
#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

static const struct ms_name_table *const tables[] = {
    [MS_NAMES_VERSION] = &ms_names_versions,
    [MS_NAMES_CIPHER_SUITE] = &ms_names_cipher_suites,
    [MS_NAMES_GROUP] = &ms_names_groups,
    [MS_NAMES_SIGNATURE_SCHEME] = &ms_names_signature_schemes,
    [MS_NAMES_ALERT] = &ms_names_alerts,
    [MS_NAMES_MESSAGE] = &ms_names_messages,
    [MS_NAMES_RECORD] = &ms_names_records,
};

const struct ms_name *ms_names_by_code(enum ms_names kind, uint32_t code) {
    const struct ms_name_table *table = tables[kind];
    size_t low = 0, high = table->num;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (table->rows[middle].code < code) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < table->num && table->rows[low].code == code ? &table->rows[low] : NULL;
}

const struct ms_name *ms_names_at(enum ms_names kind, size_t index) {
    const struct ms_name_table *table = tables[kind];
    return index < table->num ? &table->rows[index] : NULL;
}

/* How a GnuTLS priority string introduces a word of this kind. */
static const char *without_prefix(enum ms_names kind, const char *word) {
    const char *prefix = kind == MS_NAMES_VERSION            ? "VERS-"
                         : kind == MS_NAMES_GROUP            ? "GROUP-"
                         : kind == MS_NAMES_SIGNATURE_SCHEME ? "SIGN-"
                                                             : "";
    size_t len = strlen(prefix);
    return strncasecmp(word, prefix, len) == 0 ? word + len : word;
}

/* The words of a message or an alert are joined in every possible way: "ClientHello",
 * "client_hello", "CLIENT HELLO". In the other kinds a separator may carry meaning. */
static bool same_joined_words(const char *a, const char *b) {
    const char *separators = " _-";
    for (;; a++, b++) {
        a += strspn(a, separators);
        b += strspn(b, separators);
        if (tolower((unsigned char)*a) != tolower((unsigned char)*b)) {
            return false;
        }
        if (!*a) {
            return true;
        }
    }
}

static bool same_word(enum ms_names kind, const char *spelling, const char *word) {
    if (!spelling) {
        return false;
    }
    return kind == MS_NAMES_ALERT || kind == MS_NAMES_MESSAGE ? same_joined_words(spelling, word)
                                                              : strcasecmp(spelling, word) == 0;
}

const struct ms_name *ms_names_find(enum ms_names kind, const char *word) {
    const struct ms_name_table *table = tables[kind];
    if (!word || !*word) {
        return NULL;
    }
    word = without_prefix(kind, word);
    for (size_t i = 0; i < table->num; i++) {
        const struct ms_name *row = &table->rows[i];
        if (same_word(kind, row->iana, word) || same_word(kind, row->gnutls, word) ||
            same_word(kind, row->openssl, word)) {
            return row;
        }
    }
    for (size_t i = 0; i < ms_names_num_aliases; i++) {
        const struct ms_name_alias *alias = &ms_names_aliases[i];
        if (alias->kind == kind && same_word(kind, alias->word, word)) {
            return ms_names_by_code(kind, alias->code);
        }
    }
    return NULL;
}

const char *ms_names_text(enum ms_names kind, uint32_t code, char spare[16]) {
    const struct ms_name *row = ms_names_by_code(kind, code);
    if (row) {
        return row->iana;
    }
    /* By hand, for a signal handler may ask. */
    unsigned num = 4;
    while (num < 8 && code >> (4 * num)) {
        num++;
    }
    spare[0] = '0';
    spare[1] = 'x';
    for (unsigned i = 0; i < num; i++) {
        spare[2 + i] = "0123456789abcdef"[code >> (4 * (num - 1 - i)) & 15];
    }
    spare[2 + num] = 0;
    return spare;
}

/* GnuTLS's numbers are its own affair and may change; its names are its interface. */
static uint32_t code_of_gnutls_name(enum ms_names kind, const char *name) {
    const struct ms_name *row = name ? ms_names_find(kind, name) : NULL;
    return row && row->gnutls ? row->code : 0;
}

uint32_t ms_names_version_code(int protocol) {
    return code_of_gnutls_name(MS_NAMES_VERSION,
                               gnutls_protocol_get_name((gnutls_protocol_t)protocol));
}

uint32_t ms_names_group_code(int group) {
    return code_of_gnutls_name(MS_NAMES_GROUP, gnutls_group_get_name((gnutls_group_t)group));
}

uint32_t ms_names_scheme_code(int sign_algorithm) {
    return code_of_gnutls_name(MS_NAMES_SIGNATURE_SCHEME,
                               gnutls_sign_get_name((gnutls_sign_algorithm_t)sign_algorithm));
}
