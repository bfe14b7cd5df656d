/* SPDX-License-Identifier: MIT */
/* Which keys sign with which schemes (RFC 8446 section 4.2.3, RFC 5246 section 7.4.1.4.1). */
#include "session_private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h> /* after what it needs */

static const struct {
    uint16_t scheme;
    const char *type; /* how the type of a key that signs begins; NULL: none does */
} schemes[] = {
    {0x0201, "rsa"},     {0x0401, "rsa"},     {0x0501, "rsa"},     {0x0601, "rsa"},
    {0x0203, "ecdsa"},   {0x0403, "ecdsa"},   {0x0503, "ecdsa"},   {0x0603, "ecdsa"},
    {0x0804, "rsa"},     {0x0805, "rsa"},     {0x0806, "rsa"},     {0x0809, "rsa-pss"},
    {0x080a, "rsa-pss"}, {0x080b, "rsa-pss"}, {0x0807, "ed25519"}, {0x0808, "ed448"},
    {0x0202, NULL}, /* DSA */
};

static void a_scheme_belongs_to_one_kind_of_key(void **unused) {
    (void)unused;
    static const char *const words[] = {"ecdsa-p256", "ecdsa-p384", "rsa-2048", "rsa-pss-2048",
                                        "ed25519"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        struct ms_error error = {0};
        struct ms_key *key = ms_key_generate(words[i], &error);
        assert_non_null(key);
        for (size_t j = 0; j < sizeof schemes / sizeof *schemes; j++) {
            const char *wanted = schemes[j].type;
            bool is_pss = strncmp(words[i], "rsa-pss", 7) == 0;
            bool signs = wanted && strncmp(words[i], wanted, strlen(wanted)) == 0 &&
                         is_pss == (strcmp(wanted, "rsa-pss") == 0);
            if (ms_key_signs(key, schemes[j].scheme) != signs) {
                fail_msg("%s and 0x%04x", words[i], schemes[j].scheme);
            }
        }
        ms_key_release(key);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_scheme_belongs_to_one_kind_of_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
