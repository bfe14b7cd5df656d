/* SPDX-License-Identifier: MIT */
#include "key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct ms_slice text_slice(const char *text) {
    return (struct ms_slice){(const uint8_t *)text, strlen(text)};
}

static struct ms_slice bytes_slice(const struct ms_bytes *bytes) {
    return (struct ms_slice){bytes->data, bytes->len};
}

static struct ms_key *make(const char *word) {
    struct ms_error error = {0};
    struct ms_key *key = ms_key_generate(word, &error);
    if (!key) {
        fail_msg("%s", error.text);
    }
    return key;
}

static void assert_same_key(const struct ms_key *a, const struct ms_key *b) {
    struct ms_bytes one = {0};
    struct ms_bytes other = {0};
    assert_true(ms_key_public_pem(a, &one, NULL));
    assert_true(ms_key_public_pem(b, &other, NULL));
    assert_true(ms_slice_equal(bytes_slice(&one), bytes_slice(&other)));
    ms_bytes_clear(&one);
    ms_bytes_clear(&other);
}

/* Reads back what was written and releases it. */
static void assert_reads_as(struct ms_slice text, const char *password, const struct ms_key *key) {
    struct ms_error error = {0};
    struct ms_key *read = ms_key_read(text, password, &error);
    assert_string_equal(error.text, "");
    assert_non_null(read);
    assert_string_equal(ms_key_type(read), ms_key_type(key));
    assert_same_key(read, key);
    ms_key_release(read);
}

static void assert_unreadable(struct ms_slice text, const char *password, const char *why) {
    struct ms_error error = {0};
    assert_null(ms_key_read(text, password, &error));
    if (strncmp(error.text, why, strlen(why)) != 0) {
        fail_msg("`%s` where `%s` was wanted", error.text, why);
    }
}

static void each_word_makes_a_key_of_its_type(void **state) {
    (void)state;
    static const struct {
        const char *word, *type;
        int64_t bits;
    } rows[] = {{"ecdsa-p256", "ecdsa-p256", 256},
                {"ecdsa-p384", "ecdsa-p384", 384},
                {"ecdsa-p521", "ecdsa-p521", 521},
                {"rsa-2048", "rsa", 2048},
                {"rsa-pss-2048", "rsa-pss", 2048},
                {"ed25519", "ed25519", 256},
                {"ed448", "ed448", 456}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ms_key *key = make(rows[i].word);
        assert_string_equal(ms_key_type(key), rows[i].type);
        assert_int_equal(ms_key_bits(key), rows[i].bits);
        assert_non_null(ms_key_private(key));
        assert_non_null(ms_key_public(key));
        assert_non_null(ms_key_x509(key));
        ms_key_release(key);
    }
}

static void an_unknown_word_is_answered_with_all_words(void **state) {
    (void)state;
    struct ms_error error = {0};
    assert_null(ms_key_generate("ecdsa-p255", &error));
    assert_string_equal(error.text,
                        "key: `ecdsa-p255` is none of ecdsa-p256, ecdsa-p384, ecdsa-p521, "
                        "rsa-2048, rsa-3072, rsa-4096, rsa-pss-2048, ed25519, ed448");
    assert_null(ms_key_generate("", &error));
    assert_null(ms_key_generate("rsa", NULL));
}

static void a_key_survives_pem(void **state) {
    (void)state;
    static const char *const words[] = {"ecdsa-p256", "ecdsa-p521",   "ed25519",
                                        "ed448",      "rsa-pss-2048", "rsa-2048"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        struct ms_key *key = make(words[i]);
        struct ms_bytes pem = {0};
        assert_true(ms_key_pem(key, NULL, &pem, NULL));
        assert_memory_equal(pem.data, "-----BEGIN PRIVATE KEY-----\n", 28);
        assert_reads_as(bytes_slice(&pem), NULL, key);
        assert_reads_as(bytes_slice(&pem), "needless", key);
        ms_bytes_clear(&pem);
        ms_key_release(key);
    }
}

static void an_encrypted_key_wants_its_password(void **state) {
    (void)state;
    struct ms_key *key = make("ecdsa-p256");
    struct ms_bytes pem = {0};
    assert_true(ms_key_pem(key, "open sesame", &pem, NULL));
    assert_memory_equal(pem.data, "-----BEGIN ENCRYPTED PRIVATE KEY-----\n", 38);
    assert_reads_as(bytes_slice(&pem), "open sesame", key);
    assert_unreadable(bytes_slice(&pem), NULL,
                      "the private key is encrypted: a password is needed");
    assert_unreadable(bytes_slice(&pem), "open barley",
                      "the private key cannot be decrypted: the password is wrong");
    ms_bytes_clear(&pem);
    ms_key_release(key);
}

static void encrypted_der_wants_its_password(void **state) {
    (void)state;
    struct ms_key *key = make("ecdsa-p256");
    gnutls_datum_t der;
    assert_int_equal(gnutls_x509_privkey_export2_pkcs8(ms_key_x509(key), GNUTLS_X509_FMT_DER, "a",
                                                       GNUTLS_PKCS_PBES2_AES_128, &der),
                     0);
    struct ms_slice slice = {der.data, der.size};
    assert_reads_as(slice, "a", key);
    assert_unreadable(slice, NULL, "the private key is encrypted: a password is needed");
    assert_unreadable(slice, "b", "the private key cannot be decrypted: the password is wrong");
    gnutls_free(der.data);
    ms_key_release(key);
}

/* "RSA PRIVATE KEY" is PKCS #1, "EC PRIVATE KEY" is SEC 1; OpenSSL writes the curve before it. */
static void the_older_forms_are_read_too(void **state) {
    (void)state;
    static const char *const words[] = {"rsa-2048", "ecdsa-p384"};
    static const char *const labels[] = {"-----BEGIN RSA PRIVATE KEY-----",
                                         "-----BEGIN EC PRIVATE KEY-----"};
    static const char parameters[] = "-----BEGIN EC PARAMETERS-----\nBgUrgQQAIg==\n"
                                     "-----END EC PARAMETERS-----\n";
    for (size_t i = 0; i < 2; i++) {
        struct ms_key *key = make(words[i]);
        for (int format = GNUTLS_X509_FMT_DER; format <= GNUTLS_X509_FMT_PEM; format++) {
            gnutls_datum_t text;
            assert_int_equal(
                gnutls_x509_privkey_export2(ms_key_x509(key), (gnutls_x509_crt_fmt_t)format, &text),
                0);
            struct ms_bytes file = {0};
            if (format == GNUTLS_X509_FMT_PEM) {
                assert_memory_equal(text.data, labels[i], strlen(labels[i]));
                assert_true(ms_bytes_add(&file, parameters, strlen(parameters)));
            }
            assert_true(ms_bytes_add(&file, text.data, text.size));
            assert_reads_as(bytes_slice(&file), NULL, key);
            ms_bytes_clear(&file);
            gnutls_free(text.data);
        }
        ms_key_release(key);
    }
}

static void a_text_without_a_key_says_what_it_holds(void **state) {
    (void)state;
    assert_unreadable((struct ms_slice){0}, NULL, "the key's text is empty");
    assert_unreadable(text_slice("garbage"), NULL, "the key is neither PEM nor DER");
    assert_unreadable(text_slice("0\x82"), NULL, "the private key is damaged");
    assert_unreadable(text_slice("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
                      NULL, "the text holds no private key but a PEM block \"CERTIFICATE\"");
    assert_unreadable(text_slice("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
                      NULL, "the private key is damaged");
    assert_unreadable(text_slice("-----BEGIN PRIVATE KEY-----\nMIGH"), NULL,
                      "the private key's END line is missing");
    assert_unreadable(text_slice("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"
                                 "DEK-Info: AES-128-CBC,00\n\nAAAA\n"
                                 "-----END RSA PRIVATE KEY-----\n"),
                      NULL, "the private key is encrypted: a password is needed");
    assert_unreadable(text_slice("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"
                                 "DEK-Info: AES-128-CBC,00\n\nAAAA\n"
                                 "-----END RSA PRIVATE KEY-----\n"),
                      "x", "the private key");
}

static void every_cut_of_a_key_is_an_error(void **state) {
    (void)state;
    struct ms_key *key = make("ecdsa-p256");
    gnutls_datum_t der;
    assert_int_equal(gnutls_x509_privkey_export2(ms_key_x509(key), GNUTLS_X509_FMT_DER, &der), 0);
    for (size_t len = 0; len < der.size; len++) {
        struct ms_error error = {0};
        assert_null(ms_key_read((struct ms_slice){der.data, len}, NULL, &error));
        assert_string_not_equal(error.text, "");
    }
    gnutls_free(der.data);
    ms_key_release(key);
}

static void the_public_half_is_a_pem_of_its_own(void **state) {
    (void)state;
    struct ms_key *key = make("ed25519");
    struct ms_bytes pem = {0};
    assert_true(ms_bytes_add(&pem, "before ", 7));
    assert_true(ms_key_public_pem(key, &pem, NULL));
    assert_memory_equal(pem.data, "before -----BEGIN PUBLIC KEY-----\n", 34);
    ms_bytes_clear(&pem);
    ms_key_release(key);
}

static void a_key_lives_as_long_as_its_last_holder(void **state) {
    (void)state;
    struct ms_key *key = make("ed25519");
    assert_ptr_equal(ms_key_retain(key), key);
    ms_key_release(key);
    assert_string_equal(ms_key_type(key), "ed25519");
    ms_key_release(key);
    assert_null(ms_key_retain(NULL));
    ms_key_release(NULL);
}

static void the_pool_hands_out_the_same_rsa_keys_after_a_rewind(void **state) {
    (void)state;
    struct ms_key_pool *pool = ms_key_pool_new(NULL);
    assert_non_null(pool);
    struct ms_key *first = ms_key_pool_take(pool, "rsa-2048", NULL);
    struct ms_key *second = ms_key_pool_take(pool, "rsa-2048", NULL);
    struct ms_key *pss = ms_key_pool_take(pool, "rsa-pss-2048", NULL);
    assert_ptr_not_equal(first, second);
    assert_string_equal(ms_key_type(pss), "rsa-pss");
    ms_key_pool_rewind(pool);
    struct ms_key *again = ms_key_pool_take(pool, "rsa-2048", NULL);
    assert_ptr_equal(again, first);
    ms_key_pool_free(pool);
    assert_string_equal(ms_key_type(again), "rsa");
    struct ms_key *const all[] = {first, second, pss, again};
    for (size_t i = 0; i < 4; i++) {
        ms_key_release(all[i]);
    }
}

static void the_pool_keeps_no_key_that_is_cheap(void **state) {
    (void)state;
    struct ms_error error = {0};
    struct ms_key_pool *pool = ms_key_pool_new(NULL);
    struct ms_key *first = ms_key_pool_take(pool, "ecdsa-p256", NULL);
    ms_key_pool_rewind(pool);
    struct ms_key *second = ms_key_pool_take(pool, "ecdsa-p256", NULL);
    assert_ptr_not_equal(first, second);
    assert_null(ms_key_pool_take(pool, "rsa-2049", &error));
    assert_non_null(strstr(error.text, "key: `rsa-2049` is none of"));
    ms_key_release(first);
    ms_key_release(second);
    ms_key_pool_free(pool);
    ms_key_pool_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_word_makes_a_key_of_its_type),
        cmocka_unit_test(an_unknown_word_is_answered_with_all_words),
        cmocka_unit_test(a_key_survives_pem),
        cmocka_unit_test(an_encrypted_key_wants_its_password),
        cmocka_unit_test(encrypted_der_wants_its_password),
        cmocka_unit_test(the_older_forms_are_read_too),
        cmocka_unit_test(a_text_without_a_key_says_what_it_holds),
        cmocka_unit_test(every_cut_of_a_key_is_an_error),
        cmocka_unit_test(the_public_half_is_a_pem_of_its_own),
        cmocka_unit_test(a_key_lives_as_long_as_its_last_holder),
        cmocka_unit_test(the_pool_hands_out_the_same_rsa_keys_after_a_rewind),
        cmocka_unit_test(the_pool_keeps_no_key_that_is_cheap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
