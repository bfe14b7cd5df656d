/* SPDX-License-Identifier: MIT */
#include "cause.h"
#include "factory.h"
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h> /* after what it needs */

static const char *word(int code, enum ms_role role, bool alert) {
    struct ms_circumstances circumstances = {.code = code, .role = role, .alert_received = alert};
    return ms_cause_word(&circumstances);
}

static void each_code_has_its_word(void **unused) {
    (void)unused;
    assert_string_equal(word(GNUTLS_E_NO_CERTIFICATE_FOUND, MS_SERVER, false), "no_certificate");
    assert_string_equal(word(GNUTLS_E_NO_CERTIFICATE_FOUND, MS_SERVER, true), "peer_alert");
    assert_string_equal(word(GNUTLS_E_SESSION_USER_ID_CHANGED, MS_SERVER, false),
                        "client_changed_identity");
    assert_string_equal(word(GNUTLS_E_SESSION_USER_ID_CHANGED, MS_CLIENT, false),
                        "server_changed_identity");
    assert_string_equal(word(GNUTLS_E_NO_COMMON_KEY_SHARE, MS_SERVER, false), "no_shared_group");
    assert_string_equal(word(GNUTLS_E_SAFE_RENEGOTIATION_FAILED, MS_CLIENT, false),
                        "renegotiation_refused");
}

/* What a peer sent that it may not send: met by handshakes whose messages were changed. */
static void what_a_peer_may_not_send_violates_the_protocol(void **unused) {
    (void)unused;
    static const int codes[] = {GNUTLS_E_TOO_MANY_EMPTY_PACKETS, GNUTLS_E_ILLEGAL_PARAMETER,
                                GNUTLS_E_RECEIVED_DISALLOWED_NAME, GNUTLS_E_RECORD_OVERFLOW};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        assert_string_equal(word(codes[i], MS_CLIENT, false), "protocol_violation");
    }
    /* A server of TLS 1.2 that chose a curve which was not offered, or that nobody has. */
    assert_string_equal(word(GNUTLS_E_ECC_NO_SUPPORTED_CURVES, MS_CLIENT, false),
                        "no_shared_group");
    assert_string_equal(word(GNUTLS_E_ECC_UNSUPPORTED_CURVE, MS_CLIENT, false), "no_shared_group");
}

/* GnuTLS has one code for what is wrong here and what is wrong there. */
static void nobody_is_blamed_for_the_other(void **unused) {
    (void)unused;
    struct ms_circumstances at = {.code = GNUTLS_E_INCOMPATIBLE_SIG_WITH_KEY, .role = MS_SERVER};
    assert_string_equal(ms_cause_word(&at), "identity_unusable");
    at.peer_signed = true;
    assert_string_equal(ms_cause_word(&at), "bad_signature");
    at = (struct ms_circumstances){.code = GNUTLS_E_INCOMPATIBLE_SIG_WITH_KEY, .role = MS_CLIENT};
    assert_string_equal(ms_cause_word(&at), "bad_signature");
    at.code = GNUTLS_E_UNSUPPORTED_VERSION_PACKET; /* without any ServerHello */
    assert_string_equal(ms_cause_word(&at), "protocol_violation");
}

static void every_word_given_is_in_the_list(void **unused) {
    (void)unused;
    for (int code = -500; code < 0; code++) {
        const char *given = word(code, MS_SERVER, false);
        size_t at = 0;
        while (ms_problem_words[at] && strcmp(ms_problem_words[at], given) != 0) {
            at++;
        }
        assert_non_null(ms_problem_words[at]);
    }
}

/* GnuTLS has one code for all of these; the offer and the server's lists tell them apart. */
static void no_cipher_suites_is_told_apart(void **unused) {
    (void)unused;
    static const struct {
        uint16_t client_version, server_version, client_suite, server_suite, client_group,
            server_group;
        const char *problem;
    } rows[] = {
        {0x0303, 0x0304, 0, 0, 0, 0, "no_shared_version"},
        {0x0303, 0x0303, 0xc02b, 0xc02c, 0, 0, "no_shared_cipher_suite"},
        {0x0303, 0x0303, 0xc02f, 0, 0, 0, "no_shared_cipher_suite"}, /* ECDHE-RSA, ECDSA key */
        {0x0304, 0x0304, 0x1301, 0x1302, 0, 0, "no_shared_cipher_suite"},
        {0x0303, 0x0303, 0xc02b, 0xc02b, 24, 25, "no_shared_group"},
        {0x0304, 0x0304, 0, 0, 24, 25, "no_shared_group"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world world;
        struct ms_error error = {0};
        world_make(&world, rows[i].client_version);
        world.server_config->versions.items[0] = rows[i].server_version;
        struct ms_config *ends[] = {world.client_config, world.server_config};
        const uint16_t suites[] = {rows[i].client_suite, rows[i].server_suite};
        const uint16_t groups[] = {rows[i].client_group, rows[i].server_group};
        for (int end = 0; end < 2; end++) {
            assert_true(!suites[end] || ms_codes_add(&ends[end]->cipher_suites, suites[end]));
            assert_true(!groups[end] || ms_codes_add(&ends[end]->groups, groups[end]));
        }
        world_link(&world, NULL);
        assert_true(ms_link_handshake(world.link, &error));
        world_pump(&world);
        assert_string_equal(world_state(&world, MS_SERVER)->error.problem, rows[i].problem);
        assert_string_equal(world_state(&world, MS_CLIENT)->error.problem, "peer_alert");
        world_clear(&world);
    }
}

/* A server's config for a version, with one identity. */
static struct ms_config *server_with(struct ms_identity *identity, uint16_t version) {
    struct ms_error error = {0};
    struct ms_config *config = ms_config_new(MS_SERVER, &error);
    assert_non_null(config);
    assert_true(ms_codes_add(&config->versions, version));
    assert_true(version == 0x0304 || ms_codes_add(&config->versions, 0x0304));
    assert_true(ms_config_add_identity(config, identity));
    assert_true(ms_config_finish(config, NULL, &error));
    return config;
}

static struct ms_codes one_code(uint16_t *code) {
    return (struct ms_codes){.items = code, .num = 1};
}

/* Offers that no GnuTLS makes. */
static void an_offer_is_read_as_its_version_means_it(void **unused) {
    (void)unused;
    enum { ECDSA_SUITE = 0xc02b, RSA_SUITE = 0x009c, NEW_SUITE = 0x1301 };
    static const struct {
        uint16_t legacy_version, offered_version, server_version, suite, group, scheme;
        const char *key, *usage, *problem;
    } rows[] = {
        /* the old field cannot mean TLS 1.3 (RFC 8446 section 4.2.1) */
        {0x0304, 0, 0x0304, NEW_SUITE, 23, 0x0403, "ecdsa-p256", NULL, "no_shared_version"},
        {0x0303, 0, 0x0303, ECDSA_SUITE, 24, 0x0807, "ecdsa-p256", NULL,
         "no_shared_signature_scheme"},
        /* a suite of TLS 1.3 is none for TLS 1.2 */
        {0x0303, 0x0303, 0x0303, NEW_SUITE, 23, 0x0403, "ecdsa-p256", NULL,
         "no_shared_cipher_suite"},
        /* RSA key exchange needs no group */
        {0x0303, 0x0303, 0x0303, RSA_SUITE, 30000, 0x0807, "rsa-2048", NULL,
         "no_shared_signature_scheme"},
        {0x0303, 0x0303, 0x0303, ECDSA_SUITE, 30000, 0x0403, "ecdsa-p256", NULL, "no_shared_group"},
        /* who lists no groups and no schemes takes any (RFC 8422 section 4, RFC 5246 7.4.1.4.1) */
        {0x0303, 0x0303, 0x0303, ECDSA_SUITE, 0, 0, "ecdsa-p256", "keyAgreement",
         "key_usage_violation"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ms_recipe recipe = bare_recipe("CN=server");
        char *usage = (char *)rows[i].usage;
        recipe.key_usage = (struct ms_texts){.items = usage ? &usage : NULL, .num = usage != NULL};
        struct ms_identity *identity = issue_with(&recipe, rows[i].key, NULL);
        struct ms_config *config = server_with(identity, rows[i].server_version);
        uint16_t version = rows[i].offered_version, suite = rows[i].suite, group = rows[i].group,
                 scheme = rows[i].scheme;
        struct ms_client_hello hello = {
            .legacy_version = rows[i].legacy_version,
            .versions = version ? one_code(&version) : (struct ms_codes){0},
            .cipher_suites = one_code(&suite),
            .has_groups = group,
            .groups = group ? one_code(&group) : (struct ms_codes){0},
            .has_schemes = scheme,
            .schemes = scheme ? one_code(&scheme) : (struct ms_codes){0},
        };
        struct ms_circumstances at = {.code = GNUTLS_E_NO_CIPHER_SUITES,
                                      .role = MS_SERVER,
                                      .config = config,
                                      .hello = &hello};
        assert_string_equal(ms_cause_word(&at), rows[i].problem);
        ms_config_release(config);
        ms_identity_release(identity);
    }
}

static void the_rfc_names_an_alert_for_each_rejection(void **unused) {
    (void)unused;
    struct ms_verification result = {0};
    assert_int_equal(ms_cause_alert("certificate_rejected", &result, 0x0304), 42);
    assert_true(ms_texts_add(&result.problems, "expired"));
    assert_int_equal(ms_cause_alert("certificate_rejected", &result, 0x0304), 45);
    assert_true(ms_texts_add(&result.problems, "signer_not_found"));
    assert_int_equal(ms_cause_alert("certificate_rejected", &result, 0x0304), 48);
    assert_int_equal(ms_cause_alert("no_certificate", NULL, 0x0303), 40);
    assert_int_equal(ms_cause_alert("no_certificate", NULL, 0x0304), 116);
    assert_int_equal(ms_cause_alert("library_error", NULL, 0x0304), 0);
    ms_verification_clear(&result);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_code_has_its_word),
        cmocka_unit_test(what_a_peer_may_not_send_violates_the_protocol),
        cmocka_unit_test(nobody_is_blamed_for_the_other),
        cmocka_unit_test(every_word_given_is_in_the_list),
        cmocka_unit_test(no_cipher_suites_is_told_apart),
        cmocka_unit_test(an_offer_is_read_as_its_version_means_it),
        cmocka_unit_test(the_rfc_names_an_alert_for_each_rejection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
