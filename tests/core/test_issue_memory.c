/* SPDX-License-Identifier: MIT */
/* Each allocation of keys, certificates and identities fails in turn. The functions of memory.h
 * below take the place of core/memory.c's. */
#include "factory.h"

#include "memory.h"

#include <stdlib.h>

/* How many more allocations succeed; -1: all. */
static int left = -1;

static bool refuse(void) {
    if (left == 0) {
        return true;
    }
    left -= left > 0;
    return false;
}

void *ms_alloc(size_t size) {
    return refuse() ? NULL : calloc(1, size ? size : 1);
}

void *ms_grow(void *old, size_t size) {
    return refuse() ? NULL : realloc(old, size ? size : 1);
}

void ms_free(void *block) {
    free(block);
}

/* What the swept actions work on, made while memory is there. */
struct given {
    struct ms_identity *root;
    struct ms_bytes chain, key, pkcs12;
};

typedef bool action(const struct given *given, struct ms_error *error);

/* Runs the action with 0, 1, 2, ... allocations until it succeeds. */
static void sweep(const struct given *given, action *act) {
    for (int allowed = 0;; allowed++) {
        struct ms_error error = {0};
        assert_true(allowed < 500);
        left = allowed;
        bool done = act(given, &error);
        left = -1;
        if (done) {
            assert_true(allowed > 0);
            return;
        }
        assert_int_equal(error.number, GNUTLS_E_MEMORY_ERROR);
        assert_string_not_equal(error.text, "");
    }
}

static bool issue_a_chain(const struct given *given, struct ms_error *error) {
    struct ms_extension extension = {"1.2.3.4", true, text_slice("\x05\x01")};
    struct ms_recipe recipe = bare_recipe("CN=a\\2cb,O=x,1.2.3.4=y");
    recipe.dns = TEXTS("a.example", "b.example");
    recipe.ip = TEXTS("10.0.0.1");
    recipe.purposes = TEXTS("server", "1.2.3");
    recipe.key_usage = TEXTS("keyCertSign");
    recipe.ca = MS_TRUE;
    recipe.permitted = TEXTS("dns:example");
    recipe.extensions = &extension;
    recipe.num_extensions = 1;
    struct ms_key *key = ms_key_generate("ed25519", error);
    struct ms_identity *sub = key ? ms_issue(&recipe, key, given->root, error) : NULL;
    recipe.issuer_name = "CN=Somebody else";
    struct ms_identity *leaf = sub ? ms_issue(&recipe, key, sub, error) : NULL;
    bool done = leaf && ms_certificate_facts(ms_identity_leaf(leaf), error);
    ms_identity_release(leaf);
    ms_identity_release(sub);
    ms_key_release(key);
    return done;
}

static bool write_out(const struct given *given, struct ms_error *error) {
    struct ms_bytes text = {0};
    struct ms_certificate *leaf = ms_identity_leaf(given->root);
    struct ms_key *key = ms_identity_key(given->root);
    bool done = ms_certificate_pem(leaf, &text, error) && ms_certificate_text(leaf, &text, error) &&
                ms_key_pem(key, NULL, &text, error) && ms_key_public_pem(key, &text, error);
    ms_bytes_clear(&text);
    return done;
}

static bool read_files(const struct given *given, struct ms_error *error) {
    struct ms_identity *read =
        ms_identity_read(bytes_slice(&given->chain), bytes_slice(&given->key), NULL, error);
    bool done = read && ms_certificate_facts(ms_identity_leaf(read), error);
    ms_identity_release(read);
    return done;
}

static bool read_pkcs12(const struct given *given, struct ms_error *error) {
    struct ms_identity *read = ms_identity_read_pkcs12(bytes_slice(&given->pkcs12), "x", error);
    ms_identity_release(read);
    return read != NULL;
}

static bool encode_names(const struct given *given, struct ms_error *error) {
    (void)given;
    struct ms_bytes der = {0};
    char *text = NULL;
    if (ms_name_encode("CN=a,1.2.3.4=b", &der, error)) {
        text = ms_name_decode(bytes_slice(&der), error);
    }
    bool done = text != NULL;
    ms_free(text);
    ms_bytes_clear(&der);
    return done;
}

static bool take_from_a_pool(const struct given *given, struct ms_error *error) {
    (void)given;
    struct ms_key_pool *pool = ms_key_pool_new(error);
    struct ms_key *key = pool ? ms_key_pool_take(pool, "ecdsa-p256", error) : NULL;
    struct ms_key *other = key ? ms_key_pool_take(pool, "rsa-2048", error) : NULL;
    bool done = other != NULL;
    ms_key_release(key);
    ms_key_release(other);
    ms_key_pool_free(pool);
    return done;
}

static void every_failing_allocation_is_an_error_without_a_leak(void **state) {
    (void)state;
    struct given given = {.root = make_root("CN=Root")};
    for (int i = 0; i < 5; i++) {
        assert_true(ms_certificate_pem(ms_identity_leaf(given.root), &given.chain, NULL));
    }
    assert_true(ms_key_pem(ms_identity_key(given.root), NULL, &given.key, NULL));
    assert_true(ms_identity_pkcs12(given.root, "x", &given.pkcs12, NULL));
    action *const actions[] = {issue_a_chain, write_out,    read_files,
                               read_pkcs12,   encode_names, take_from_a_pool};
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        sweep(&given, actions[i]);
    }
    ms_bytes_clear(&given.chain);
    ms_bytes_clear(&given.key);
    ms_bytes_clear(&given.pkcs12);
    ms_identity_release(given.root);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_failing_allocation_is_an_error_without_a_leak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
