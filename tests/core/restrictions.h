/* SPDX-License-Identifier: MIT */
/* Restrictions written as one writes them in a script: names in a row, a space between. */
#ifndef MS_TEST_RESTRICTIONS_H
#define MS_TEST_RESTRICTIONS_H

#include "names.h"
#include "priority.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

/* A list of code points, from IANA names. */
struct codes {
    uint16_t items[300];
    size_t num;
};

static inline struct codes codes_of(enum ms_names kind, const char *words) {
    struct codes codes = {.num = 0};
    char copy[1024], *rest = copy;
    snprintf(copy, sizeof copy, "%s", words ? words : "");
    for (char *word; (word = strtok_r(rest, " ", &rest));) {
        const struct ms_name *row = ms_names_find(kind, word);
        assert_non_null(row);
        codes.items[codes.num++] = row ? (uint16_t)row->code : 0;
    }
    return codes;
}

static inline struct ms_code_list list_of(const struct codes *codes) {
    return (struct ms_code_list){codes->items, codes->num};
}

struct asked {
    const char *priority, *versions, *suites, *groups, *schemes;
};

struct lists {
    struct codes versions, suites, groups, schemes;
};

static inline struct ms_restrictions restrictions_of(const struct asked *row, struct lists *lists) {
    lists->versions = codes_of(MS_NAMES_VERSION, row->versions);
    lists->suites = codes_of(MS_NAMES_CIPHER_SUITE, row->suites);
    lists->groups = codes_of(MS_NAMES_GROUP, row->groups);
    lists->schemes = codes_of(MS_NAMES_SIGNATURE_SCHEME, row->schemes);
    return (struct ms_restrictions){
        .priority = row->priority,
        .versions = list_of(&lists->versions),
        .cipher_suites = list_of(&lists->suites),
        .groups = list_of(&lists->groups),
        .signature_schemes = list_of(&lists->schemes),
    };
}

#endif
