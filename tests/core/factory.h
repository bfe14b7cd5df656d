/* SPDX-License-Identifier: MIT */
/* Recipes and identities for the tests of the certificate factory. */
#ifndef MS_TESTS_FACTORY_H
#define MS_TESTS_FACTORY_H

#include "issue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define TEXTS(...)                                                                                 \
    ((struct ms_texts){.items = (char **)(const char *[]){__VA_ARGS__},                            \
                       .num = sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)})

static inline struct ms_recipe bare_recipe(const char *subject) {
    return (struct ms_recipe){
        .subject = subject, .not_before = 1700000000, .not_after = 1800000000, .path_length = -1};
}

static inline struct ms_identity *issue_with(const struct ms_recipe *recipe, const char *word,
                                             struct ms_identity *issuer) {
    struct ms_error error = {0};
    struct ms_key *key = ms_key_generate(word, NULL);
    assert_non_null(key);
    struct ms_identity *identity = ms_issue(recipe, key, issuer, &error);
    if (!identity) {
        fail_msg("%s", error.text);
    }
    ms_key_release(key);
    return identity;
}

static inline struct ms_identity *issue(const struct ms_recipe *recipe,
                                        struct ms_identity *issuer) {
    return issue_with(recipe, "ecdsa-p256", issuer);
}

static inline struct ms_identity *make_root(const char *subject) {
    struct ms_recipe recipe = bare_recipe(subject);
    recipe.ca = MS_TRUE;
    recipe.key_usage = TEXTS("keyCertSign", "cRLSign");
    return issue(&recipe, NULL);
}

static inline const struct ms_certificate_facts *facts_of(const struct ms_identity *identity) {
    struct ms_error error = {0};
    const struct ms_certificate_facts *facts =
        ms_certificate_facts(ms_identity_leaf(identity), &error);
    if (!facts) {
        fail_msg("%s", error.text);
    }
    return facts;
}

static inline void assert_texts(const struct ms_texts *texts, size_t num,
                                const char *const *wanted) {
    assert_non_null(texts->items);
    assert_int_equal(texts->num, num);
    for (size_t i = 0; i < num; i++) {
        assert_string_equal(texts->items[i], wanted[i]);
    }
}

#define ASSERT_TEXTS(texts, ...)                                                                   \
    assert_texts(texts, sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *),                    \
                 (const char *[]){__VA_ARGS__})

static inline struct ms_slice bytes_slice(const struct ms_bytes *bytes) {
    return (struct ms_slice){bytes->data, bytes->len};
}

static inline struct ms_slice text_slice(const char *text) {
    return (struct ms_slice){(const uint8_t *)text, strlen(text)};
}

#endif
