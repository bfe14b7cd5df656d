/* SPDX-License-Identifier: MIT */
#include "factory.h"

struct files {
    struct ms_bytes chain, key;
};

static struct files write_out(const struct ms_identity *identity, const char *password) {
    struct files files = {0};
    const struct ms_certificates *chain = ms_identity_chain(identity);
    for (size_t i = 0; i < chain->num; i++) {
        assert_true(ms_certificate_pem(chain->items[i], &files.chain, NULL));
    }
    assert_true(ms_key_pem(ms_identity_key(identity), password, &files.key, NULL));
    return files;
}

static void clear_files(struct files *files) {
    ms_bytes_clear(&files->chain);
    ms_bytes_clear(&files->key);
}

static void assert_unreadable(struct ms_slice chain, struct ms_slice key, const char *why) {
    struct ms_error error = {0};
    assert_null(ms_identity_read(chain, key, NULL, &error));
    if (strncmp(error.text, why, strlen(why)) != 0) {
        fail_msg("`%s` where `%s` was wanted", error.text, why);
    }
}

/* A root and `depth` authorities below it; each retains its issuer, so the last one keeps all. */
static struct ms_identity *make_deep(size_t depth) {
    struct ms_identity *lowest = make_root("CN=Root");
    for (size_t i = 0; i < depth; i++) {
        struct ms_recipe recipe = bare_recipe("CN=Intermediate");
        recipe.ca = MS_TRUE;
        struct ms_identity *next = issue(&recipe, lowest);
        ms_identity_release(lowest);
        lowest = next;
    }
    return lowest;
}

static void assert_same_chain(const struct ms_identity *a, const struct ms_identity *b) {
    const struct ms_certificates *one = ms_identity_chain(a);
    const struct ms_certificates *other = ms_identity_chain(b);
    assert_int_equal(one->num, other->num);
    for (size_t i = 0; i < one->num; i++) {
        assert_true(ms_certificate_equal(one->items[i], other->items[i]));
    }
}

static void a_long_chain_is_read_whole(void **state) {
    (void)state;
    struct ms_identity *deep = make_deep(30);
    assert_int_equal(ms_identity_chain(deep)->num, 30);
    struct files files = write_out(deep, NULL);
    struct ms_identity *read =
        ms_identity_read(bytes_slice(&files.chain), bytes_slice(&files.key), NULL, NULL);
    assert_non_null(read);
    assert_same_chain(read, deep);
    assert_false(ms_identity_made_here(read));
    assert_null(ms_identity_issuer(read));
    ms_identity_release(read);
    clear_files(&files);
    ms_identity_release(deep);
}

static void what_was_read_can_issue(void **state) {
    (void)state;
    struct ms_identity *root = make_root("CN=Root");
    struct files files = write_out(root, NULL);
    struct ms_identity *read =
        ms_identity_read(bytes_slice(&files.chain), bytes_slice(&files.key), NULL, NULL);
    struct ms_recipe recipe = bare_recipe("CN=leaf");
    struct ms_identity *leaf = issue(&recipe, read);
    assert_int_equal(ms_identity_chain(leaf)->num, 1);
    assert_string_equal(facts_of(leaf)->issuer, "CN=Root");
    ms_identity_release(leaf);
    ms_identity_release(read);
    clear_files(&files);
    ms_identity_release(root);
}

static void a_key_of_another_certificate_is_refused(void **state) {
    (void)state;
    struct ms_recipe recipe = bare_recipe("CN=other");
    struct ms_identity *root = make_root("CN=Root");
    static const char *const words[] = {"ecdsa-p256", "ed25519", "ecdsa-p384"};
    struct files files = write_out(root, NULL);
    for (size_t i = 0; i < 3; i++) {
        struct ms_identity *other = issue_with(&recipe, words[i], NULL);
        struct files strange = write_out(other, NULL);
        assert_unreadable(bytes_slice(&files.chain), bytes_slice(&strange.key),
                          "the key does not belong to the certificate CN=Root");
        clear_files(&strange);
        ms_identity_release(other);
    }
    clear_files(&files);
    ms_identity_release(root);
}

static void what_is_missing_is_named(void **state) {
    (void)state;
    struct ms_identity *root = make_root("CN=Root");
    struct files files = write_out(root, NULL);
    struct files locked = write_out(root, "secret");
    struct ms_slice chain = bytes_slice(&files.chain);
    struct ms_slice key = bytes_slice(&files.key);
    assert_unreadable(key, key, "the text holds a private key but no certificate");
    assert_unreadable(chain, chain, "the text holds no private key but a PEM block");
    assert_unreadable(text_slice("garbage"), key, "the text is neither PEM nor DER");
    assert_unreadable(chain, text_slice("garbage"), "the key is neither PEM nor DER");
    assert_unreadable(text_slice(""), key, "the text is empty");
    assert_unreadable(chain, bytes_slice(&locked.key), "the private key is encrypted");
    struct ms_identity *read = ms_identity_read(chain, bytes_slice(&locked.key), "secret", NULL);
    assert_non_null(read);
    ms_identity_release(read);
    clear_files(&locked);
    clear_files(&files);
    ms_identity_release(root);
}

static void a_chain_is_kept_however_wrong(void **state) {
    (void)state;
    struct ms_identity *root = make_root("CN=Root");
    struct ms_recipe recipe = bare_recipe("CN=leaf");
    struct ms_identity *leaf = issue(&recipe, root);
    struct ms_certificate *garbage = ms_certificate_new(text_slice("garbage"), NULL);
    struct ms_certificates chain = {0};
    assert_true(ms_certificates_add(&chain, ms_identity_leaf(root)));
    assert_true(ms_certificates_add(&chain, garbage));
    assert_true(ms_certificates_add(&chain, ms_identity_leaf(root)));
    struct ms_identity *odd = ms_identity_new(ms_identity_key(leaf), &chain, NULL, false, NULL);
    ms_certificates_clear(&chain);
    assert_int_equal(ms_identity_chain(odd)->num, 3);
    assert_ptr_equal(ms_identity_leaf(odd), ms_identity_leaf(root));
    assert_ptr_equal(ms_identity_chain(odd)->items[1], garbage);
    assert_ptr_equal(ms_identity_key(odd), ms_identity_key(leaf));
    ms_identity_release(odd);
    struct ms_error error = {0};
    assert_null(ms_identity_new(ms_identity_key(leaf), &chain, NULL, false, &error));
    assert_string_equal(error.text, "chain: an identity needs at least one certificate");
    ms_certificate_release(garbage);
    ms_identity_release(leaf);
    ms_identity_release(root);
    ms_identity_release(NULL);
}

/* More issuers than a recursion should follow. */
static void a_long_line_of_issuers_goes_in_one_release(void **state) {
    (void)state;
    struct ms_identity *root = make_root("CN=Root");
    struct ms_identity *lowest = ms_identity_retain(root);
    for (size_t i = 0; i < 100000; i++) {
        struct ms_identity *next =
            ms_identity_new(ms_identity_key(root), ms_identity_chain(root), lowest, false, NULL);
        ms_identity_release(lowest);
        lowest = next;
    }
    ms_identity_release(lowest);
    ms_identity_release(root);
}

static void pkcs12_carries_key_and_chain(void **state) {
    (void)state;
    struct ms_identity *deep = make_deep(20);
    struct ms_bytes der = {0};
    struct ms_error error = {0};
    assert_true(ms_identity_pkcs12(deep, "secret", &der, &error));
    struct ms_identity *read = ms_identity_read_pkcs12(bytes_slice(&der), "secret", &error);
    assert_string_equal(error.text, "");
    assert_same_chain(read, deep);
    ms_identity_release(read);
    assert_null(ms_identity_read_pkcs12(bytes_slice(&der), "public", &error));
    assert_non_null(strstr(error.text, "the PKCS #12 password is wrong"));
    assert_null(ms_identity_read_pkcs12(bytes_slice(&der), NULL, &error));
    assert_non_null(strstr(error.text, "the PKCS #12 text needs a password"));
    assert_null(
        ms_identity_read_pkcs12((struct ms_slice){der.data, der.len / 2}, "secret", &error));
    assert_non_null(strstr(error.text, "the text is no PKCS #12"));
    assert_null(ms_identity_read_pkcs12(text_slice("garbage"), "secret", &error));
    assert_non_null(strstr(error.text, "the text is no PKCS #12"));
    ms_bytes_clear(&der);
    ms_identity_release(deep);
}

static void pkcs12_works_without_a_password(void **state) {
    (void)state;
    struct ms_identity *root = make_root("CN=Root");
    struct ms_bytes der = {0};
    assert_true(ms_identity_pkcs12(root, NULL, &der, NULL));
    struct ms_identity *read = ms_identity_read_pkcs12(bytes_slice(&der), NULL, NULL);
    assert_non_null(read);
    assert_same_chain(read, root);
    ms_identity_release(read);
    ms_bytes_clear(&der);
    ms_identity_release(root);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_long_chain_is_read_whole),
        cmocka_unit_test(what_was_read_can_issue),
        cmocka_unit_test(a_key_of_another_certificate_is_refused),
        cmocka_unit_test(what_is_missing_is_named),
        cmocka_unit_test(a_chain_is_kept_however_wrong),
        cmocka_unit_test(a_long_line_of_issuers_goes_in_one_release),
        cmocka_unit_test(pkcs12_carries_key_and_chain),
        cmocka_unit_test(pkcs12_works_without_a_password),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
