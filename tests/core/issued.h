/* SPDX-License-Identifier: MIT */
/* Certificates for a test, issued on the spot, and what ms_verify() says of a chain of them. */
#ifndef MS_TESTS_ISSUED_H
#define MS_TESTS_ISSUED_H

#include "clock.h"
#include "issue.h"
#include "verify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NOON 1700000000
#define DAY 86400
#define MANY 450

/* A list of identities or of texts, as an argument. */
#define LIST(...) ((struct ms_identity *[]){__VA_ARGS__, NULL})
#define TEXTS(...)                                                                                 \
    ((struct ms_texts){.items = (char **)(const char *[]){__VA_ARGS__},                            \
                       .num = sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)})
#define NOTHING ((struct ms_texts){.items = NULL})

/* What a test made; cleared after it. The clock in force is set to NOON. */
struct world {
    struct ms_identity *made[MANY];
    size_t num_made;
    struct ms_verification result;
    struct ms_demand demand; /* its trust is made by judge() */
    char text[8192];
};

static inline int make_world(void **state) {
    static struct world world; /* zeroed anew for each test */
    world = (struct world){0};
    world.demand.max_depth = 16;
    ms_clock_install();
    ms_clock_use(&(struct ms_clock){.set = true, .seconds = NOON}, 0, 0);
    *state = &world;
    return 0;
}

static inline int clear_world(void **state) {
    struct world *world = *state;
    ms_clock_use(NULL, 0, 0);
    ms_verification_clear(&world->result);
    for (size_t i = 0; i < world->num_made; i++) {
        ms_identity_release(world->made[i]);
    }
    return 0;
}

static inline struct ms_recipe ca_recipe(const char *subject) {
    static const char *const usage[] = {"keyCertSign", "cRLSign"};
    return (struct ms_recipe){.subject = subject,
                              .not_before = NOON - 10 * DAY,
                              .not_after = NOON + 10 * DAY,
                              .key_usage = {.items = (char **)usage, .num = 2},
                              .ca = MS_TRUE,
                              .path_length = -1};
}

static inline struct ms_recipe leaf_recipe(const char *subject) {
    static const char *const usage[] = {"digitalSignature"};
    static const char *const purposes[] = {"server", "client"};
    static const char *const dns[] = {"leaf.example"};
    return (struct ms_recipe){.subject = subject,
                              .dns = {.items = (char **)dns, .num = 1},
                              .not_before = NOON - DAY,
                              .not_after = NOON + DAY,
                              .key_usage = {.items = (char **)usage, .num = 1},
                              .purposes = {.items = (char **)purposes, .num = 2},
                              .ca = MS_FALSE,
                              .path_length = -1};
}

static inline struct ms_identity *issue_for(struct world *world, struct ms_recipe recipe,
                                            struct ms_identity *issuer, struct ms_key *key) {
    struct ms_error error = {0};
    assert_true(world->num_made < MANY);
    struct ms_identity *made = ms_issue(&recipe, key, issuer, &error);
    if (!made) {
        print_error("%s: %s\n", recipe.subject, error.text);
    }
    assert_non_null(made);
    world->made[world->num_made++] = made;
    return made;
}

static inline struct ms_identity *issue(struct world *world, struct ms_recipe recipe,
                                        struct ms_identity *issuer) {
    struct ms_key *key = ms_key_generate("ecdsa-p256", NULL);
    assert_non_null(key);
    struct ms_identity *made = issue_for(world, recipe, issuer, key);
    ms_key_release(key);
    return made;
}

static inline struct ms_identity *authority(struct world *world, const char *subject,
                                            struct ms_identity *issuer) {
    return issue(world, ca_recipe(subject), issuer);
}

static inline struct ms_identity *limited(struct world *world, const char *subject,
                                          struct ms_identity *issuer, int64_t path_length) {
    struct ms_recipe recipe = ca_recipe(subject);
    recipe.path_length = path_length;
    return issue(world, recipe, issuer);
}

static inline struct ms_identity *leaf(struct world *world, struct ms_identity *issuer) {
    return issue(world, leaf_recipe("CN=leaf"), issuer);
}

/* root > sub > leaf */
struct family {
    struct ms_identity *root, *sub, *leaf;
};

static inline struct family found(struct world *world) {
    struct family family = {.root = authority(world, "CN=root", NULL)};
    family.sub = authority(world, "CN=sub", family.root);
    family.leaf = leaf(world, family.sub);
    return family;
}

static inline struct ms_certificates leaves_of(struct ms_identity *const *identities) {
    struct ms_certificates list = {0};
    assert_true(ms_certificates_begin(&list));
    for (; identities && *identities; identities++) {
        assert_true(ms_certificates_add(&list, ms_identity_leaf(*identities)));
    }
    return list;
}

/* Judges exactly the leaves of `chain`, trusting those of `anchors` (NULL: no trust at all). */
static inline void judge(struct world *world, struct ms_identity *const *chain,
                         struct ms_identity *const *anchors) {
    struct ms_error error = {0};
    struct ms_certificates sent = leaves_of(chain);
    struct ms_certificates trusted = leaves_of(anchors);
    struct ms_demand demand = world->demand;
    demand.trust = anchors ? ms_trust_new(&trusted, &error) : NULL;
    assert_true(!anchors || demand.trust);
    ms_verification_clear(&world->result);
    bool fine = ms_verify(&sent, &demand, &world->result, &error);
    ms_trust_release(demand.trust);
    ms_certificates_clear(&sent);
    ms_certificates_clear(&trusted);
    assert_string_equal(error.text, "");
    assert_true(fine && world->result.present && world->result.text);
    assert_true(world->result.verified == (world->result.status == 0));
    assert_true(world->result.accepted == world->result.verified);
    assert_true(world->result.verified == (world->result.problems.num == 0));
}

static inline const char *subject_of(struct ms_certificate *certificate) {
    const struct ms_certificate_facts *facts =
        certificate ? ms_certificate_facts(certificate, NULL) : NULL;
    return facts ? facts->subject : "(none)";
}

static inline void assert_words(struct world *world, const char *wanted, size_t num,
                                const char *(*word)(const struct ms_verification *, size_t)) {
    size_t len = 0;
    world->text[0] = 0;
    for (size_t i = 0; i < num && len < sizeof world->text; i++) {
        len += (size_t)snprintf(world->text + len, sizeof world->text - len, "%s%s", i ? " " : "",
                                word(&world->result, i));
    }
    assert_string_equal(world->text, wanted);
}

static inline const char *problem_at(const struct ms_verification *result, size_t index) {
    return result->problems.items[index];
}

static inline const char *subject_at(const struct ms_verification *result, size_t index) {
    return subject_of(result->path.items[index]);
}

static inline void assert_problems(struct world *world, const char *wanted) {
    assert_words(world, wanted, world->result.problems.num, problem_at);
}

static inline void assert_path(struct world *world, const char *wanted) {
    assert_words(world, wanted, world->result.path.num, subject_at);
}

static inline void assert_verified(struct world *world, const char *path) {
    assert_problems(world, "");
    assert_true(world->result.verified);
    assert_null(world->result.certificate);
    assert_path(world, path);
}

/* The whole verdict: words, whose fault, in words, and the path. */
static inline void assert_refused(struct world *world, const char *problems,
                                  struct ms_identity *culprit, const char *text, const char *path) {
    assert_problems(world, problems);
    assert_string_equal(world->result.text, text);
    struct ms_certificate *wanted = culprit ? ms_identity_leaf(culprit) : NULL;
    assert_string_equal(subject_of(world->result.certificate), subject_of(wanted));
    assert_true(ms_certificate_equal(world->result.certificate, wanted));
    assert_path(world, path);
}

#endif
