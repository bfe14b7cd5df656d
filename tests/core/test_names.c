/* SPDX-License-Identifier: MIT */
#include "names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <string.h>

static const enum ms_names kinds[] = {
    MS_NAMES_VERSION, MS_NAMES_CIPHER_SUITE, MS_NAMES_GROUP,  MS_NAMES_SIGNATURE_SCHEME,
    MS_NAMES_ALERT,   MS_NAMES_MESSAGE,      MS_NAMES_RECORD,
};
enum { NUM_KINDS = sizeof kinds / sizeof kinds[0] };

static void assert_found(enum ms_names kind, const char *word, uint32_t code) {
    const struct ms_name *row = ms_names_find(kind, word);
    if (!row || row->code != code) {
        fail_msg("%s: 0x%04x wanted, got 0x%04x", word, (unsigned)code,
                 row ? (unsigned)row->code : 0xffffffffU);
    }
}

static void each_table_is_sorted_and_each_code_found(void **state) {
    (void)state;
    for (size_t k = 0; k < NUM_KINDS; k++) {
        size_t num = 0;
        for (const struct ms_name *row; (row = ms_names_at(kinds[k], num)); num++) {
            assert_non_null(row->iana);
            assert_ptr_equal(ms_names_by_code(kinds[k], row->code), row);
            if (num > 0) {
                assert_true(ms_names_at(kinds[k], num - 1)->code < row->code);
            }
        }
        assert_true(num > 0);
        assert_null(ms_names_by_code(kinds[k], 0xfffffe));
    }
}

static void each_spelling_finds_its_own_row(void **state) {
    (void)state;
    for (size_t k = 0; k < NUM_KINDS; k++) {
        const struct ms_name *row;
        for (size_t i = 0; (row = ms_names_at(kinds[k], i)); i++) {
            assert_found(kinds[k], row->iana, row->code);
            if (row->gnutls) {
                assert_found(kinds[k], row->gnutls, row->code);
            }
            if (row->openssl) {
                assert_found(kinds[k], row->openssl, row->code);
            }
        }
    }
}

static void every_suite_of_gnutls_has_its_name(void **state) {
    (void)state;
    unsigned char id[2];
    const char *name;
    size_t num = 0;
    for (; (name = gnutls_cipher_suite_info(num, id, NULL, NULL, NULL, NULL)); num++) {
        const struct ms_name *row =
            ms_names_by_code(MS_NAMES_CIPHER_SUITE, (uint32_t)id[0] << 8 | id[1]);
        assert_non_null(row);
        assert_non_null(row->gnutls);
        assert_string_equal(row->gnutls, name);
    }
    assert_true(num >= 188);
}

static void every_group_of_gnutls_has_its_code(void **state) {
    (void)state;
    for (const gnutls_group_t *group = gnutls_group_list(); *group; group++) {
        uint32_t code = ms_names_group_code((int)*group);
        assert_int_not_equal(code, 0);
        assert_string_equal(ms_names_by_code(MS_NAMES_GROUP, code)->gnutls,
                            gnutls_group_get_name(*group));
    }
    assert_int_equal(ms_names_group_code(GNUTLS_GROUP_X25519), 29);
    assert_int_equal(ms_names_group_code(GNUTLS_GROUP_FFDHE8192), 0x104);
    assert_int_equal(ms_names_group_code(GNUTLS_GROUP_INVALID), 0);
}

static void numbers_of_gnutls_become_code_points(void **state) {
    (void)state;
    assert_int_equal(ms_names_version_code(GNUTLS_TLS1_0), 0x0301);
    assert_int_equal(ms_names_version_code(GNUTLS_TLS1_3), 0x0304);
    assert_int_equal(ms_names_version_code(GNUTLS_DTLS1_2), 0xfefd);
    assert_int_equal(ms_names_version_code(GNUTLS_VERSION_UNKNOWN), 0);
    assert_int_equal(ms_names_version_code(-1), 0);

    static const struct {
        int sign;
        uint32_t code;
    } schemes[] = {
        {GNUTLS_SIGN_RSA_SHA1, 0x0201},
        {GNUTLS_SIGN_ECDSA_SHA1, 0x0203},
        {GNUTLS_SIGN_RSA_SHA256, 0x0401},
        {GNUTLS_SIGN_ECDSA_SHA256, 0x0403},
        {GNUTLS_SIGN_ECDSA_SECP256R1_SHA256, 0x0403},
        {GNUTLS_SIGN_ECDSA_SHA384, 0x0503},
        {GNUTLS_SIGN_ECDSA_SECP384R1_SHA384, 0x0503},
        {GNUTLS_SIGN_ECDSA_SHA512, 0x0603},
        {GNUTLS_SIGN_ECDSA_SECP521R1_SHA512, 0x0603},
        {GNUTLS_SIGN_RSA_PSS_RSAE_SHA384, 0x0805},
        {GNUTLS_SIGN_RSA_PSS_SHA512, 0x080b},
        {GNUTLS_SIGN_EDDSA_ED25519, 0x0807},
        {GNUTLS_SIGN_EDDSA_ED448, 0x0808},
        {GNUTLS_SIGN_RSA_MD5, 0},
        {GNUTLS_SIGN_RSA_SHA224, 0},
        {GNUTLS_SIGN_UNKNOWN, 0},
        {9999, 0},
    };
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        assert_int_equal(ms_names_scheme_code(schemes[i].sign), schemes[i].code);
    }
}

static void alerts_and_messages_are_called_as_gnutls_calls_them(void **state) {
    (void)state;
    for (int code = 0; code < 256; code++) {
        const char *alert = gnutls_alert_get_strname((gnutls_alert_description_t)code);
        const struct ms_name *row = ms_names_by_code(MS_NAMES_ALERT, (uint32_t)code);
        if (alert) {
            assert_non_null(row);
            assert_string_equal(row->gnutls, alert);
        } else {
            assert_true(!row || !row->gnutls);
        }
        const struct ms_name *message = ms_names_by_code(MS_NAMES_MESSAGE, (uint32_t)code);
        /* 6 is HelloRetryRequest in the drafts alone; GnuTLS gives it another number. */
        if (message && message->gnutls && code != 6) {
            assert_string_equal(message->gnutls, gnutls_handshake_description_get_name(
                                                     (gnutls_handshake_description_t)code));
        }
    }
}

static void words_of_other_libraries_are_understood(void **state) {
    (void)state;
    assert_found(MS_NAMES_VERSION, "TLSv1.2", 0x0303);
    assert_found(MS_NAMES_VERSION, "VERS-TLS1.2", 0x0303);
    assert_found(MS_NAMES_VERSION, "TLSv1", 0x0301);
    assert_found(MS_NAMES_VERSION, "TLSv1.0", 0x0301);
    assert_found(MS_NAMES_VERSION, "vers-dtls1.0", 0xfeff);
    assert_found(MS_NAMES_CIPHER_SUITE, "ECDHE-ECDSA-AES128-GCM-SHA256", 0xc02b);
    assert_found(MS_NAMES_CIPHER_SUITE, "TLS_ECDHE_ECDSA_AES_128_GCM_SHA256", 0xc02b);
    assert_found(MS_NAMES_CIPHER_SUITE, "tls_ecdhe_ecdsa_with_aes_128_gcm_sha256", 0xc02b);
    assert_found(MS_NAMES_CIPHER_SUITE, "AES128-SHA", 0x002f);
    assert_found(MS_NAMES_CIPHER_SUITE, "DES-CBC3-SHA", 0x000a);
    assert_found(MS_NAMES_CIPHER_SUITE, "TLS_EMPTY_RENEGOTIATION_INFO_SCSV", 0x00ff);
    assert_found(MS_NAMES_CIPHER_SUITE, "TLS_FALLBACK_SCSV", 0x5600);
    assert_found(MS_NAMES_GROUP, "P-256", 23);
    assert_found(MS_NAMES_GROUP, "prime256v1", 23);
    assert_found(MS_NAMES_GROUP, "SECP256R1", 23);
    assert_found(MS_NAMES_GROUP, "GROUP-SECP256R1", 23);
    assert_found(MS_NAMES_GROUP, "X25519", 29);
    assert_found(MS_NAMES_SIGNATURE_SCHEME, "ECDSA-SECP256R1-SHA256", 0x0403);
    assert_found(MS_NAMES_SIGNATURE_SCHEME, "SIGN-ECDSA-SHA256", 0x0403);
    assert_found(MS_NAMES_SIGNATURE_SCHEME, "ECDSA+SHA256", 0x0403);
    assert_found(MS_NAMES_SIGNATURE_SCHEME, "RSA+SHA256", 0x0401);
    assert_found(MS_NAMES_SIGNATURE_SCHEME, "RSA-PSS-RSAE-SHA256", 0x0804);
    assert_found(MS_NAMES_SIGNATURE_SCHEME, "PSS+SHA384", 0x0805);
    assert_found(MS_NAMES_SIGNATURE_SCHEME, "EDDSA-ED25519", 0x0807);
    assert_found(MS_NAMES_ALERT, "certificate required", 116);
    assert_found(MS_NAMES_ALERT, "GNUTLS_A_NO_APPLICATION_PROTOCOL", 120);
    assert_found(MS_NAMES_MESSAGE, "client_hello", 1);
    assert_found(MS_NAMES_MESSAGE, "ClientHello", 1);
}

static void other_words_are_not_found(void **state) {
    (void)state;
    static const char *const words[] = {"", "TLS", "TLS1.4", "X25518", "NORMAL", "_", "0x1301"};
    for (size_t k = 0; k < NUM_KINDS; k++) {
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
            assert_null(ms_names_find(kinds[k], words[i]));
        }
        assert_null(ms_names_find(kinds[k], NULL));
    }
    assert_null(ms_names_find(MS_NAMES_VERSION, "VERS-"));
    assert_null(ms_names_find(MS_NAMES_VERSION, "SSL3.0"));
}

static void an_unknown_code_is_told_in_hex(void **state) {
    (void)state;
    char spare[16];
    assert_string_equal(ms_names_text(MS_NAMES_CIPHER_SUITE, 0x0a0a, spare), "0x0a0a");
    assert_string_equal(ms_names_text(MS_NAMES_GROUP, 0xffffffff, spare), "0xffffffff");
    assert_string_equal(ms_names_text(MS_NAMES_ALERT, 113, spare),
                        "bad_certificate_status_response");
    assert_string_equal(ms_names_text(MS_NAMES_MESSAGE, 4, spare), "NewSessionTicket");
    assert_string_equal(ms_names_text(MS_NAMES_RECORD, 23, spare), "application_data");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_table_is_sorted_and_each_code_found),
        cmocka_unit_test(each_spelling_finds_its_own_row),
        cmocka_unit_test(every_suite_of_gnutls_has_its_name),
        cmocka_unit_test(every_group_of_gnutls_has_its_code),
        cmocka_unit_test(numbers_of_gnutls_become_code_points),
        cmocka_unit_test(alerts_and_messages_are_called_as_gnutls_calls_them),
        cmocka_unit_test(words_of_other_libraries_are_understood),
        cmocka_unit_test(other_words_are_not_found),
        cmocka_unit_test(an_unknown_code_is_told_in_hex),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
