/* SPDX-License-Identifier: MIT */
#include "factory.h"

#include "memory.h"

/* Appends the certificate's PEM and, behind it, what people write between certificates. */
static void add_pem(struct ms_bytes *text, const struct ms_identity *identity) {
    assert_true(ms_certificate_pem(ms_identity_leaf(identity), text, NULL));
    assert_true(ms_bytes_add(text, "\nsubject=CN = whatever\r\n", 24));
}

static void assert_unreadable(struct ms_slice text, const char *why) {
    struct ms_error error = {0};
    struct ms_certificates list = {0};
    assert_false(ms_certificates_read(text, &list, &error));
    if (strncmp(error.text, why, strlen(why)) != 0) {
        fail_msg("`%s` where `%s` was wanted", error.text, why);
    }
    assert_int_equal(list.num, 0);
    ms_certificates_clear(&list);
}

static void a_chain_of_any_length_is_read_in_order(void **state) {
    (void)state;
    struct ms_identity *made[40];
    struct ms_bytes text = {0};
    for (size_t i = 0; i < 40; i++) {
        struct ms_recipe recipe = bare_recipe("CN=one of many");
        made[i] = issue_with(&recipe, "ed25519", NULL);
        add_pem(&text, made[i]);
    }
    struct ms_certificates list = {0};
    assert_true(ms_certificates_read(bytes_slice(&text), &list, NULL));
    assert_int_equal(list.num, 40);
    for (size_t i = 0; i < 40; i++) {
        assert_true(ms_certificate_equal(list.items[i], ms_identity_leaf(made[i])));
        assert_ptr_not_equal(list.items[i], ms_identity_leaf(made[i]));
        ms_identity_release(made[i]);
    }
    assert_false(ms_certificate_equal(list.items[0], list.items[1]));
    ms_certificates_clear(&list);
    ms_bytes_clear(&text);
}

static void der_holds_one_certificate(void **state) {
    (void)state;
    struct ms_identity *root = make_root("CN=Root");
    struct ms_slice der = ms_certificate_der(ms_identity_leaf(root));
    struct ms_certificates list = {0};
    assert_true(ms_certificates_read(der, &list, NULL));
    assert_true(ms_certificates_read(der, &list, NULL));
    assert_int_equal(list.num, 2);
    assert_true(ms_certificate_equal(list.items[1], ms_identity_leaf(root)));
    ms_certificates_clear(&list);
    struct ms_bytes longer = {0};
    assert_true(ms_bytes_add(&longer, der.data, der.len) && ms_bytes_add(&longer, "\0\0", 2));
    assert_unreadable(bytes_slice(&longer), "the DER text goes on for 2 bytes");
    ms_bytes_clear(&longer);
    ms_identity_release(root);
}

static void every_cut_of_a_certificate_is_an_error(void **state) {
    (void)state;
    struct ms_identity *root = make_root("CN=Root");
    struct ms_slice der = ms_certificate_der(ms_identity_leaf(root));
    for (size_t len = 0; len < der.len; len++) {
        struct ms_slice cut = {der.data, len};
        assert_unreadable(cut, "the ");
        struct ms_certificate *held = ms_certificate_new(cut, NULL);
        assert_null(ms_certificate_facts(held, NULL));
        assert_null(ms_certificate_crt(held, NULL));
        ms_certificate_release(held);
    }
    ms_identity_release(root);
}

/* Each byte of a certificate damaged in turn: whatever it says then, it is said or refused. */
static void no_damaged_byte_does_harm(void **state) {
    (void)state;
    struct ms_recipe recipe = bare_recipe("CN=damaged,C=DE");
    recipe.dns = TEXTS("a.example");
    recipe.ip = TEXTS("10.0.0.1");
    recipe.key_usage = TEXTS("digitalSignature");
    recipe.purposes = TEXTS("server");
    recipe.ca = MS_TRUE;
    struct ms_identity *identity = issue(&recipe, NULL);
    struct ms_slice der = ms_certificate_der(ms_identity_leaf(identity));
    static const uint8_t damages[] = {0x01, 0x80, 0xff};
    for (size_t i = 0; i < der.len * sizeof damages; i++) {
        struct ms_bytes bytes = {0};
        assert_true(ms_bytes_add(&bytes, der.data, der.len));
        bytes.data[i / sizeof damages] ^= damages[i % sizeof damages];
        struct ms_certificate *held = ms_certificate_new(bytes_slice(&bytes), NULL);
        struct ms_error error = {0};
        const struct ms_certificate_facts *facts = ms_certificate_facts(held, &error);
        assert_true(facts ? facts->subject && facts->principal : error.text[0] != 0);
        ms_certificate_release(held);
        ms_bytes_clear(&bytes);
    }
    ms_identity_release(identity);
}

static void a_text_without_certificates_says_what_it_holds(void **state) {
    (void)state;
    struct ms_key *key = ms_key_generate("ecdsa-p256", NULL);
    struct ms_bytes pem = {0};
    assert_true(ms_key_pem(key, NULL, &pem, NULL));
    assert_unreadable(bytes_slice(&pem), "the text holds a private key but no certificate");
    ms_bytes_clear(&pem);
    assert_true(ms_key_public_pem(key, &pem, NULL));
    assert_unreadable(bytes_slice(&pem),
                      "the text holds no certificate but a PEM block \"PUBLIC KEY\"");
    ms_bytes_clear(&pem);
    ms_key_release(key);
    assert_unreadable((struct ms_slice){0}, "the text is empty");
    assert_unreadable(text_slice("garbage"), "the text is neither PEM nor DER");
    assert_unreadable(text_slice("0garbage"), "the DER text is cut short or damaged");
    assert_unreadable(text_slice("-----BEGIN "), "the text holds no certificate but a PEM block");
}

static void the_bad_one_of_several_is_named(void **state) {
    (void)state;
    struct ms_identity *root = make_root("CN=Root");
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n",
         "certificate 3: the certificate cannot be parsed"},
        {"-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n",
         "certificate 3: its PEM text cannot be decoded"},
        {"-----BEGIN CERTIFICATE-----\nMAAA\n", "certificate 3: its END line is missing"},
        {"-----BEGIN CERTIFICATE-----\nMAAA\n-----END CERTIFICATE\n",
         "certificate 3: its END line"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ms_bytes text = {0};
        add_pem(&text, root);
        add_pem(&text, root);
        assert_true(ms_bytes_add(&text, rows[i].text, strlen(rows[i].text)));
        assert_unreadable(bytes_slice(&text), rows[i].why);
        add_pem(&text, root);
        assert_unreadable(bytes_slice(&text), rows[i].why);
        ms_bytes_clear(&text);
    }
    ms_identity_release(root);
}

static void a_failed_read_keeps_what_was_there(void **state) {
    (void)state;
    struct ms_identity *root = make_root("CN=Root");
    struct ms_certificates list = {0};
    struct ms_bytes text = {0};
    add_pem(&text, root);
    assert_true(ms_certificates_add(&list, ms_identity_leaf(root)));
    static const char bad[] = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n";
    assert_true(ms_bytes_add(&text, bad, strlen(bad)));
    assert_false(ms_certificates_read(bytes_slice(&text), &list, NULL));
    assert_int_equal(list.num, 1);
    ms_certificates_clear(&list);
    ms_bytes_clear(&text);
    ms_identity_release(root);
}

static void facts_say_everything(void **state) {
    (void)state;
    struct ms_recipe recipe = bare_recipe("CN=al\\,ice,O=Example,C=DE");
    recipe.dns = TEXTS("a.example");
    recipe.serial = "0123";
    struct ms_identity *identity = issue(&recipe, NULL);
    const struct ms_certificate_facts *facts = facts_of(identity);
    assert_string_equal(facts->subject, "CN=al\\,ice,O=Example,C=DE");
    assert_string_equal(facts->issuer, facts->subject);
    assert_string_equal(facts->serial, "0123");
    assert_int_equal(strlen(facts->fingerprint), 64);
    assert_int_equal(facts->not_before, 1700000000);
    assert_int_equal(facts->not_after, 1800000000);
    assert_string_equal(facts->key_type, "ecdsa-p256");
    assert_int_equal(facts->key_bits, 256);
    assert_string_equal(facts->principal, "a.example");
    assert_true(facts->self_signed);
    assert_ptr_equal(facts, facts_of(identity));
    ms_identity_release(identity);
}

static void the_field_table_describes_the_facts(void **state) {
    (void)state;
    size_t num = 0;
    while (ms_certificate_fields[num].name) {
        assert_non_null(ms_certificate_fields[num].about);
        assert_true(ms_certificate_fields[num].offset < sizeof(struct ms_certificate_facts));
        for (size_t i = 0; i < num; i++) {
            assert_string_not_equal(ms_certificate_fields[i].name, ms_certificate_fields[num].name);
        }
        num++;
    }
    assert_int_equal(num, 19);
}

/* "a<NUL>b" as a DNS name, a byte that is no UTF-8, an address of three bytes. */
static void hostile_names_are_shown_whole(void **state) {
    (void)state;
    static const uint8_t names[] = {0x30, 0x14, 0x82, 0x03, 'a',  0x00, 'b', 0x82,
                                    0x02, 'c',  0xff, 0x87, 0x03, 1,    2,   3,
                                    0x86, 0x04, 0xc3, 0xbc, 0xed, 0xa0};
    struct ms_extension extension = {"2.5.29.17", false, {names, sizeof names}};
    struct ms_recipe recipe = bare_recipe("CN=x\\00y");
    recipe.extensions = &extension;
    recipe.num_extensions = 1;
    struct ms_identity *identity = issue(&recipe, NULL);
    const struct ms_certificate_facts *facts = facts_of(identity);
    ASSERT_TEXTS(&facts->dns_names, "a\\00b", "c\\ff");
    ASSERT_TEXTS(&facts->ip_addresses, "#010203");
    ASSERT_TEXTS(&facts->uris, "\xc3\xbc\\ed\\a0");
    assert_int_equal(strlen(facts->subject), strlen("CN=#0c03780079"));
    ms_identity_release(identity);
}

static void names_are_encoded_as_they_are_issued(void **state) {
    (void)state;
    static const char *const names[] = {"CN=a",
                                        "CN=a,O=B\\, C,C=DE",
                                        "CN=\xc3\xbc,OU=x\\+y",
                                        "CN=ends in a backslash\\\\,O=next",
                                        "CN=two\\0alines",
                                        "EMAIL=a@example.org,DC=example,DC=org",
                                        "CN=\\ spaces\\ ",
                                        "1.2.3.4=#0c0568616c6c6f",
                                        ""};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct ms_recipe recipe = bare_recipe(names[i]);
        struct ms_identity *identity = issue_with(&recipe, "ed25519", NULL);
        struct ms_bytes der = {0};
        assert_true(ms_name_encode(names[i], &der, NULL));
        gnutls_datum_t raw = {NULL, 0};
        gnutls_x509_crt_t crt = ms_certificate_crt(ms_identity_leaf(identity), NULL);
        assert_int_equal(gnutls_x509_crt_get_raw_dn(crt, &raw), 0);
        assert_true(ms_slice_equal(bytes_slice(&der), (struct ms_slice){raw.data, raw.size}));
        char *text = ms_name_decode(bytes_slice(&der), NULL);
        assert_string_equal(text, facts_of(identity)->subject);
        ms_free(text);
        gnutls_free(raw.data);
        ms_bytes_clear(&der);
        ms_identity_release(identity);
    }
}

static void names_survive_a_round_trip(void **state) {
    (void)state;
    static const struct {
        const char *told, *read;
    } rows[] = {{" CN = a , O = b ", "CN=a,O=b"},
                {"commonName=a,emailAddress=b@c", "CN=a,EMAIL=b@c"},
                {"cn=\\C3\\BC", "CN=\xc3\xbc"},
                {"CN=a\\2cb", "CN=a\\,b"},
                {"2.5.4.3=a", "CN=a"},
                {"1.2.3.4=hallo", "1.2.3.4=#0c0568616c6c6f"},
                {"CN=#0c0161", "CN=a"},
                {"CN=a b  c", "CN=a b  c"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ms_bytes der = {0};
        assert_true(ms_name_encode(rows[i].told, &der, NULL));
        char *text = ms_name_decode(bytes_slice(&der), NULL);
        assert_string_equal(text, rows[i].read);
        ms_free(text);
        ms_bytes_clear(&der);
    }
}

static void what_is_no_name_is_refused_or_shown_as_hex(void **state) {
    (void)state;
    static const char *const wrong[] = {"alice",  "CN",        "=a",   "CN=a,",    ",",
                                        "CN=a\\", "CN=a\\x",   "CN=#", "CN=#0",    "CN=#zz",
                                        "CN=",    "CN=a+OU=b", "1.=a", "CN=a,,O=b"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct ms_error error = {0};
        struct ms_bytes der = {0};
        assert_false(ms_name_encode(wrong[i], &der, &error));
        assert_string_not_equal(error.text, "");
        assert_int_equal(der.len, 0);
        ms_bytes_clear(&der);
    }
    char *text = ms_name_decode(text_slice("0\x01garbage"), NULL);
    assert_string_equal(text, "#300167617262616765");
    ms_free(text);
    text = ms_name_decode((struct ms_slice){(const uint8_t *)"\x30\x00", 2}, NULL);
    assert_string_equal(text, "");
    ms_free(text);
}

static void a_certificate_can_be_written_out(void **state) {
    (void)state;
    struct ms_identity *root = make_root("CN=Root");
    struct ms_bytes text = {0};
    assert_true(ms_certificate_pem(ms_identity_leaf(root), &text, NULL));
    assert_memory_equal(text.data, "-----BEGIN CERTIFICATE-----\n", 28);
    ms_bytes_clear(&text);
    assert_true(ms_certificate_text(ms_identity_leaf(root), &text, NULL));
    assert_non_null(memmem(text.data, text.len, "Subject: CN=Root", 16));
    ms_bytes_clear(&text);
    struct ms_certificate *odd = ms_certificate_new(text_slice("odd"), NULL);
    struct ms_error error = {0};
    assert_false(ms_certificate_text(odd, &text, &error));
    assert_true(ms_certificate_pem(odd, &text, NULL));
    ms_bytes_clear(&text);
    ms_certificate_release(odd);
    ms_identity_release(root);
}

static void a_list_is_absent_or_empty_or_full(void **state) {
    (void)state;
    struct ms_certificates absent = {0};
    struct ms_certificates list = {0};
    struct ms_certificates copy = {0};
    assert_true(ms_certificates_copy(&copy, &absent));
    assert_null(copy.items);
    assert_true(ms_certificates_begin(&list) && ms_certificates_copy(&copy, &list));
    assert_non_null(copy.items);
    ms_certificates_clear(&copy);
    struct ms_certificate *certificate = ms_certificate_new(text_slice("any"), NULL);
    assert_true(ms_certificates_add(&list, certificate));
    ms_certificate_release(certificate);
    assert_true(ms_certificates_copy(&copy, &list));
    ms_certificates_clear(&list);
    assert_int_equal(copy.num, 1);
    assert_int_equal(ms_certificate_der(copy.items[0]).len, 3);
    assert_true(ms_certificate_equal(NULL, NULL));
    assert_false(ms_certificate_equal(copy.items[0], NULL));
    ms_certificates_clear(&copy);
    ms_certificate_release(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_of_any_length_is_read_in_order),
        cmocka_unit_test(der_holds_one_certificate),
        cmocka_unit_test(every_cut_of_a_certificate_is_an_error),
        cmocka_unit_test(no_damaged_byte_does_harm),
        cmocka_unit_test(a_text_without_certificates_says_what_it_holds),
        cmocka_unit_test(the_bad_one_of_several_is_named),
        cmocka_unit_test(a_failed_read_keeps_what_was_there),
        cmocka_unit_test(facts_say_everything),
        cmocka_unit_test(the_field_table_describes_the_facts),
        cmocka_unit_test(hostile_names_are_shown_whole),
        cmocka_unit_test(names_are_encoded_as_they_are_issued),
        cmocka_unit_test(names_survive_a_round_trip),
        cmocka_unit_test(what_is_no_name_is_refused_or_shown_as_hex),
        cmocka_unit_test(a_certificate_can_be_written_out),
        cmocka_unit_test(a_list_is_absent_or_empty_or_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
