/* SPDX-License-Identifier: MIT */
#include "plain_subject.h"

#include "factory.h"

static size_t subject_of(const struct ms_identity *identity, char *to, size_t size) {
    return ms_plain_subject(ms_certificate_der(ms_identity_leaf(identity)), to, size);
}

static void a_plain_name_reads_as_gnutls_writes_it(void **unused) {
    (void)unused;
    static const char *const names[] = {
        "CN=alice",
        "CN=server.example,OU=Unit One,O=Example (UK) Ltd.,L=Berlin,ST=BE,C=DE",
        "CN=alice,DC=example,DC=org",
        "CN=gr\xc3\xbc\xc3\x9f",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct ms_recipe recipe = bare_recipe(names[i]);
        struct ms_identity *identity = issue(&recipe, NULL);
        char text[256];
        size_t len = subject_of(identity, text, sizeof text);
        const char *wanted = facts_of(identity)->subject;
        assert_int_equal(len, strlen(wanted));
        assert_memory_equal(text, wanted, len);
        assert_int_equal(subject_of(identity, text, len), len);
        assert_int_equal(subject_of(identity, text, len - 1), 0);
        ms_identity_release(identity);
    }
}

static void any_other_name_is_not_read(void **unused) {
    (void)unused;
    static const char *const names[] = {
        "",          "CN=a\\,b",
        "CN=a\\\"b", "CN=\\ a",
        "CN=a\\ ",   "CN=\\#a",
        "CN=a\\0ab", "CN=a\\00b",
        "CN=a\\3db", "CN=a\\\\b",
        "UID=a",     "1.2.3=a",
        "CN=#0500",  "CN=#1e020061" /* a BMPString */,
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct ms_recipe recipe = bare_recipe(names[i]);
        struct ms_identity *identity = issue(&recipe, NULL);
        char text[256];
        if (subject_of(identity, text, sizeof text) != 0) {
            fail_msg("%s was read", names[i]);
        }
        ms_identity_release(identity);
    }
}

static void a_cut_or_broken_certificate_is_not_read_beyond(void **unused) {
    (void)unused;
    struct ms_recipe recipe = bare_recipe("CN=alice,O=x");
    struct ms_identity *identity = issue(&recipe, NULL);
    struct ms_slice der = ms_certificate_der(ms_identity_leaf(identity));
    char text[256];
    for (size_t len = 0; len < der.len; len++) {
        uint8_t *copy = test_malloc(len ? len : 1); /* a sanitizer sees its end */
        memcpy(copy, der.data, len);
        assert_int_equal(ms_plain_subject((struct ms_slice){copy, len}, text, sizeof text), 0);
        test_free(copy);
    }
    for (size_t at = 0; at < der.len && at < 200; at++) {
        for (int bit = 0; bit < 8; bit++) {
            uint8_t *copy = test_malloc(der.len);
            memcpy(copy, der.data, der.len);
            copy[at] ^= (uint8_t)(1 << bit);
            assert_true(ms_plain_subject((struct ms_slice){copy, der.len}, text, sizeof text) <=
                        sizeof text);
            test_free(copy);
        }
    }
    ms_identity_release(identity);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_name_reads_as_gnutls_writes_it),
        cmocka_unit_test(any_other_name_is_not_read),
        cmocka_unit_test(a_cut_or_broken_certificate_is_not_read_beyond),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
