/* SPDX-License-Identifier: MIT */
/* What a priority string cannot say is an error that names the option and what does not fit. */
#include "restrictions.h"

static void a_restriction_that_cannot_be_had_is_refused(void **state) {
    (void)state;
    static const struct {
        struct asked row;
        const char *wanted;
    } rows[] = {
        {{.versions = "TLS1.3 TLS1.1"}, "versions: TLS1.3 with an older version needs TLS1.2"},
        {{.versions = "TLS1.2 DTLS1.2"}, "versions: TLS and DTLS cannot be listed together"},
        {{.versions = "TLS1.2 TLSv1.2"}, "versions: TLS1.2 is listed twice"},
        {{.versions = "TLS1.2", .suites = "TLS_AES_128_GCM_SHA256"},
         "cipher_suites: none is listed for TLS1.2, which is among the versions"},
        {{.versions = "TLS1.2 TLS1.3", .suites = "TLS_AES_128_GCM_SHA256"},
         "cipher_suites: none is listed for TLS1.2, which is among the versions"},
        {{.versions = "TLS1.2", .suites = "TLS_AES_128_GCM_SHA256 TLS_RSA_WITH_AES_128_GCM_SHA256"},
         "cipher_suites: TLS_AES_128_GCM_SHA256 is for TLS 1.3, and no such version"},
        {{.versions = "TLS1.1",
          .suites = "TLS_RSA_WITH_AES_128_CBC_SHA TLS_RSA_WITH_AES_128_GCM_SHA256"},
         "cipher_suites: TLS_RSA_WITH_AES_128_GCM_SHA256 is for TLS 1.2, and no such version"},
        {{.suites = "TLS_RSA_WITH_AES_128_CBC_SHA AES128-SHA"},
         "cipher_suites: TLS_RSA_WITH_AES_128_CBC_SHA is listed twice"},
        {{.suites = "TLS_PSK_WITH_AES_128_GCM_SHA256"},
         "cipher_suites: TLS_PSK_WITH_AES_128_GCM_SHA256 needs PSK credentials, which are not "
         "part of this version"},
        {{.suites = "TLS_SRP_SHA_WITH_AES_128_CBC_SHA"},
         "cipher_suites: TLS_SRP_SHA_WITH_AES_128_CBC_SHA needs SRP credentials"},
        {{.suites = "TLS_DH_anon_WITH_AES_128_CBC_SHA"},
         "cipher_suites: TLS_DH_anon_WITH_AES_128_CBC_SHA needs anonymous credentials"},
        {{.suites = "TLS_ECDHE_RSA_WITH_ARIA_128_GCM_SHA256"},
         "cipher_suites: TLS_ECDHE_RSA_WITH_ARIA_128_GCM_SHA256 is not in GnuTLS "},
        {{.suites = "TLS_FALLBACK_SCSV"}, "cipher_suites: TLS_FALLBACK_SCSV is not in GnuTLS "},
        {{.suites = "TLS_CHACHA20_POLY1305_SHA256 TLS_RSA_WITH_NULL_SHA"},
         "cipher_suites: with TLS_RSA_WITH_NULL_SHA GnuTLS drops TLS1.3"},
        {{.suites = "TLS_RSA_WITH_AES_128_GCM_SHA256 TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"},
         "cipher_suites: GnuTLS cannot enable exactly these: key exchanges, ciphers and MACs "
         "combine, which adds TLS_RSA_WITH_AES_256_GCM_SHA384, "
         "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"},
        {{.suites = "TLS_AES_128_GCM_SHA256 TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"},
         "cipher_suites: GnuTLS cannot enable exactly these: key exchanges, ciphers and MACs "
         "combine, which adds TLS_AES_256_GCM_SHA384, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"},
        {{.suites = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 TLS_RSA_WITH_AES_256_GCM_SHA384 "
                    "TLS_RSA_WITH_AES_128_GCM_SHA256 TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"},
         "cipher_suites: GnuTLS cannot prefer TLS_RSA_WITH_AES_256_GCM_SHA384 to "},
        {{.suites = "TLS_AES_128_GCM_SHA256 TLS_AES_256_GCM_SHA384 "
                    "TLS_RSA_WITH_AES_256_GCM_SHA384 TLS_RSA_WITH_AES_128_GCM_SHA256"},
         "cipher_suites: GnuTLS cannot prefer TLS_RSA_WITH_AES_256_GCM_SHA384 to "
         "TLS_RSA_WITH_AES_128_GCM_SHA256 in this list, because it orders by key exchange, then "
         "cipher, then MAC; it would use TLS_RSA_WITH_AES_128_GCM_SHA256, "
         "TLS_RSA_WITH_AES_256_GCM_SHA384"},
        {{.groups = "X25519MLKEM768"}, "groups: X25519MLKEM768 is not in GnuTLS "},
        {{.groups = "secp256r1 P-256"}, "groups: secp256r1 is listed twice"},
        {{.groups = "GC256B", .versions = "TLS1.3"}, "groups: none is listed for TLS1.3"},
        {{.groups = "x25519", .suites = "TLS_RSA_WITH_AES_128_GCM_SHA256"},
         "groups: no enabled cipher suite uses x25519, so GnuTLS would ignore it"},
        {{.groups = "x25519 ffdhe2048", .suites = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"},
         "groups: no enabled cipher suite uses ffdhe2048, so GnuTLS would ignore it"},
        {{.groups = "ffdhe2048", .suites = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"},
         "groups: TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 needs an elliptic curve"},
        {{.groups = "x25519", .suites = "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"},
         "groups: TLS_DHE_RSA_WITH_AES_128_GCM_SHA256 needs a finite field"},
        {{.groups = "ffdhe2048 x25519"},
         "groups: GnuTLS would prefer x25519 to ffdhe2048: it sends elliptic curves and finite "
         "fields apart, here the curves first"},
        {{.groups = "x25519 ffdhe2048 x448"}, "groups: GnuTLS would prefer x448 to ffdhe2048"},
        {{.schemes = "rsa_pkcs1_md5"}, "signature_schemes: rsa_pkcs1_md5 is not in GnuTLS "},
        {{.schemes = "rsa_pkcs1_sha256", .versions = "TLS1.3"},
         "signature_schemes: none is listed for TLS1.3, which is among the versions"},
        {{.schemes = "rsa_pkcs1_sha256", .versions = "TLS1.1"},
         "signature_schemes: TLS1.1 does not negotiate them"},
        {{.schemes = "ed25519 dsa_sha1", .versions = "TLS1.3"},
         "signature_schemes: TLS1.3 does not have dsa_sha1"},
        {{.schemes = "ed25519 RSA+SHA256 SIGN-RSA-SHA256"},
         "signature_schemes: rsa_pkcs1_sha256 is listed twice"},
        {{.priority = "NORMAL:+FOO:+SHA256"},
         "priority: GnuTLS does not know the word \"+FOO\" at character 8"},
        {{.priority = ""}, "priority: GnuTLS does not know the word \"\" at character 1"},
        {{.priority = "NORMAL:+KX-DHE"}, "priority: GnuTLS would ignore +KX-DHE"},
        {{.priority = "@SYSTEM:-VERS-TLS1.0"}, "priority: @SYSTEM:-VERS-TLS1.0 is a policy"},
        {{.priority = "NONE"}, "priority: \"NONE\": No or insufficient priorities were set."},
        {{.priority = "NORMAL:-VERS-ALL"}, "priority: \"NORMAL:-VERS-ALL\": No or insufficient"},
        {{.priority = "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL"}, "priority: "},
        {{.priority = "NORMAL:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL"}, "priority: "},
        {{.priority = "NORMAL:-GROUP-ALL", .versions = "TLS1.3"}, "versions: GnuTLS drops TLS1.3"},
        {{.priority = "NORMAL:%NO_EXTENSIONS", .versions = "TLS1.2 TLS1.3"},
         "versions: GnuTLS drops TLS1.3"},
        {{.priority = "SUITEB128", .versions = "TLS1.0"},
         "versions: there is no cipher suite for TLS1.0"},
        {{.priority = "NORMAL:-VERS-TLS1.3", .suites = "TLS_AES_128_GCM_SHA256"},
         "cipher_suites: TLS_AES_128_GCM_SHA256 is for TLS 1.3"},
        {{.priority = "NORMAL:-GROUP-ALL", .groups = "GC256B", .versions = "TLS1.2"}, "groups: "},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct lists lists;
        struct ms_restrictions asked = restrictions_of(&rows[i].row, &lists);
        struct ms_priority priority;
        struct ms_error error = {0};
        if (ms_priority_make(&asked, &priority, &error)) {
            fail_msg("accepted as %s, not refused: %s", priority.text, rows[i].wanted);
        }
        if (strncmp(error.text, rows[i].wanted, strlen(rows[i].wanted)) != 0) {
            fail_msg("got    %s\nwanted %s", error.text, rows[i].wanted);
        }
    }
}

static void a_string_that_is_too_long_is_refused(void **state) {
    (void)state;
    char text[1200] = "NORMAL";
    for (size_t used = strlen(text), i = 0; i < 127; i++, used += strlen(text + used)) {
        snprintf(text + used, sizeof text - used, ":+SHA1");
    }
    struct ms_restrictions asked = {.priority = text};
    struct ms_priority priority;
    struct ms_error error = {0};
    assert_true(ms_priority_make(&asked, &priority, &error));
    ms_priority_clear(&priority);
    asked.server_preference = true;
    assert_false(ms_priority_make(&asked, &priority, &error));
    assert_string_equal(error.text,
                        "priority: GnuTLS would ignore all after the first 128 of 129 words");
}

static void datagram_versions_are_understood(void **state) {
    (void)state;
    static const struct {
        struct asked row;
        bool fine;
    } rows[] = {
        {{.versions = "DTLS1.2 DTLS1.0"}, true},
        {{.versions = "DTLS1.0", .suites = "TLS_RSA_WITH_AES_128_CBC_SHA"}, true},
        {{.versions = "DTLS1.0", .suites = "TLS_RSA_WITH_AES_128_GCM_SHA256"}, false},
        {{.versions = "DTLS1.2", .suites = "TLS_RSA_WITH_AES_128_GCM_SHA256"}, true},
        {{.versions = "DTLS1.2", .suites = "TLS_RSA_WITH_RC4_128_SHA"}, false},
        {{.versions = "DTLS1.2", .suites = "TLS_AES_128_GCM_SHA256"}, false},
        {{.versions = "DTLS1.2", .schemes = "rsa_pkcs1_sha256", .groups = "x25519"}, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct lists lists;
        struct ms_restrictions asked = restrictions_of(&rows[i].row, &lists);
        struct ms_priority priority;
        assert_int_equal(ms_priority_make(&asked, &priority, NULL), rows[i].fine);
        ms_priority_clear(&priority);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_restriction_that_cannot_be_had_is_refused),
        cmocka_unit_test(a_string_that_is_too_long_is_refused),
        cmocka_unit_test(datagram_versions_are_understood),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
