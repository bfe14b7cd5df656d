/* SPDX-License-Identifier: MIT */
#include "factory.h"

#include <gnutls/x509-ext.h>

/* The bits of gnutls_certificate_status_t that a chain of two earns, at a second in its validity.
 */
static unsigned verify(struct ms_identity *identity, struct ms_identity *anchor) {
    gnutls_x509_crt_t leaf = ms_certificate_crt(ms_identity_leaf(identity), NULL);
    gnutls_x509_crt_t root = ms_certificate_crt(ms_identity_leaf(anchor), NULL);
    gnutls_x509_trust_list_t trust;
    unsigned status = 0;
    assert_int_equal(gnutls_x509_trust_list_init(&trust, 0), 0);
    assert_int_equal(gnutls_x509_trust_list_add_cas(trust, &root, 1, 0), 1);
    assert_int_equal(
        gnutls_x509_trust_list_verify_crt(trust, &leaf, 1,
                                          GNUTLS_VERIFY_DISABLE_TIME_CHECKS |
                                              GNUTLS_VERIFY_DISABLE_TRUSTED_TIME_CHECKS,
                                          &status, NULL),
        0);
    gnutls_x509_trust_list_deinit(trust, 0);
    return status;
}

static void assert_impossible(const struct ms_recipe *recipe, struct ms_identity *issuer,
                              const char *why) {
    struct ms_error error = {0};
    struct ms_key *key = ms_key_generate("ecdsa-p256", NULL);
    assert_null(ms_issue(recipe, key, issuer, &error));
    if (strncmp(error.text, why, strlen(why)) != 0) {
        fail_msg("`%s` where `%s` was wanted", error.text, why);
    }
    assert_null(ms_issue(recipe, key, issuer, NULL));
    ms_key_release(key);
}

/* The value of an extension, from its DER; NULL where there is none. Freed by gnutls_free(). */
static gnutls_datum_t extension(const struct ms_identity *identity, const char *oid,
                                unsigned *critical) {
    gnutls_datum_t der = {NULL, 0};
    gnutls_x509_crt_t crt = ms_certificate_crt(ms_identity_leaf(identity), NULL);
    assert_non_null(crt);
    gnutls_x509_crt_get_extension_by_oid2(crt, oid, 0, &der, critical);
    return der;
}

static bool has_extension(const struct ms_identity *identity, const char *oid) {
    gnutls_datum_t der = extension(identity, oid, NULL);
    gnutls_free(der.data);
    return der.data != NULL;
}

static void a_chain_verifies_and_leaves_its_root_out(void **state) {
    (void)state;
    struct ms_identity *root = make_root("CN=Root,O=Example");
    struct ms_recipe recipe = bare_recipe("CN=Sub");
    recipe.ca = MS_TRUE;
    recipe.path_length = 0;
    struct ms_identity *sub = issue(&recipe, root);
    recipe = bare_recipe("CN=leaf");
    recipe.ca = MS_FALSE;
    struct ms_identity *leaf = issue(&recipe, sub);

    assert_int_equal(ms_identity_chain(root)->num, 1);
    assert_int_equal(ms_identity_chain(sub)->num, 1);
    assert_int_equal(ms_identity_chain(leaf)->num, 2);
    assert_ptr_equal(ms_identity_chain(leaf)->items[1], ms_identity_leaf(sub));
    assert_ptr_equal(ms_identity_issuer(leaf), sub);
    assert_null(ms_identity_issuer(root));
    assert_true(ms_identity_made_here(leaf));
    assert_int_equal(verify(sub, root), 0);
    assert_int_equal(verify(leaf, sub), 0);
    assert_true(verify(leaf, root) & GNUTLS_CERT_SIGNER_NOT_FOUND);
    assert_true(facts_of(root)->self_signed);
    assert_false(facts_of(sub)->self_signed);
    assert_string_equal(facts_of(sub)->issuer, "CN=Root,O=Example");
    assert_int_equal(facts_of(sub)->path_length, 0);
    assert_int_equal(facts_of(root)->path_length, -1);
    ms_identity_release(root);
    ms_identity_release(sub);
    assert_string_equal(facts_of(ms_identity_issuer(leaf))->subject, "CN=Sub");
    ms_identity_release(leaf);
}

static void what_is_marked_self_signed_is(void **state) {
    (void)state;
    struct ms_identity *root = make_root("CN=Root");
    bool self_signed = false;
    struct ms_certificate *copy =
        ms_certificate_new(ms_certificate_der(ms_identity_leaf(root)), NULL);
    assert_true(ms_certificate_self_signed(copy, &self_signed, NULL));
    assert_true(self_signed);
    ms_certificate_release(copy);
    ms_identity_release(root);
}

/* Same name above and below, another key: no root, so it stays in the chain. */
static void a_self_issued_certificate_is_no_root(void **state) {
    (void)state;
    struct ms_identity *root = make_root("CN=Same");
    struct ms_recipe recipe = bare_recipe("CN=Same");
    recipe.ca = MS_TRUE;
    struct ms_identity *rollover = issue(&recipe, root);
    recipe = bare_recipe("CN=leaf");
    struct ms_identity *leaf = issue(&recipe, rollover);
    assert_string_equal(facts_of(rollover)->issuer, facts_of(rollover)->subject);
    assert_false(facts_of(rollover)->self_signed);
    assert_int_equal(ms_identity_chain(leaf)->num, 2);
    ms_identity_release(leaf);
    ms_identity_release(rollover);
    ms_identity_release(root);
}

static void all_names_are_written_as_told(void **state) {
    (void)state;
    struct ms_recipe recipe = bare_recipe("CN=names");
    recipe.dns =
        TEXTS("A.example", "*.b.example", "A.example", "under_score", u8"b\u00fccher.example");
    recipe.ip = TEXTS("10.0.0.1", "2001:db8::1", "::ffff:1.2.3.4");
    recipe.uri = TEXTS("spiffe://example.org/a", "urn:x");
    recipe.email = TEXTS("a@example.org");
    struct ms_identity *identity = issue(&recipe, NULL);
    const struct ms_certificate_facts *facts = facts_of(identity);
    ASSERT_TEXTS(&facts->dns_names, "A.example", "*.b.example", "A.example", "under_score",
                 "xn--bcher-kva.example");
    ASSERT_TEXTS(&facts->ip_addresses, "10.0.0.1", "2001:db8::1", "::ffff:1.2.3.4");
    ASSERT_TEXTS(&facts->uris, "spiffe://example.org/a", "urn:x");
    ASSERT_TEXTS(&facts->email_addresses, "a@example.org");
    assert_string_equal(facts->principal, "spiffe://example.org/a");
    unsigned critical = 1;
    gnutls_datum_t der = extension(identity, "2.5.29.17", &critical);
    assert_int_equal(critical, 0);
    gnutls_free(der.data);
    ms_identity_release(identity);
}

static void an_empty_subject_makes_its_names_critical(void **state) {
    (void)state;
    struct ms_identity *root = make_root("CN=Root");
    struct ms_recipe recipe = bare_recipe("");
    recipe.dns = TEXTS("a.example");
    struct ms_identity *identity = issue(&recipe, root);
    assert_string_equal(facts_of(identity)->subject, "");
    assert_string_equal(facts_of(identity)->principal, "a.example");
    unsigned critical = 0;
    gnutls_datum_t der = extension(identity, "2.5.29.17", &critical);
    assert_int_equal(critical, 1);
    gnutls_free(der.data);
    assert_int_equal(verify(identity, root), 0);
    ms_identity_release(identity);
    ms_identity_release(root);
}

static void usage_and_purposes_are_written_as_told(void **state) {
    (void)state;
    struct ms_recipe recipe = bare_recipe("CN=usage");
    recipe.ca = MS_FALSE;
    recipe.key_usage =
        TEXTS("keyCertSign", "digitalSignature", "contentCommitment", "decipherOnly");
    recipe.purposes = TEXTS("client", "server", "any", "1.3.6.1.4.1.311.20.2.2");
    struct ms_identity *identity = issue(&recipe, NULL);
    const struct ms_certificate_facts *facts = facts_of(identity);
    assert_false(facts->is_ca);
    ASSERT_TEXTS(&facts->key_usage, "digitalSignature", "nonRepudiation", "keyCertSign",
                 "decipherOnly");
    ASSERT_TEXTS(&facts->purposes, "client", "server", "any", "1.3.6.1.4.1.311.20.2.2");
    ms_identity_release(identity);
}

static void an_absent_extension_is_absent(void **state) {
    (void)state;
    struct ms_recipe recipe = bare_recipe("CN=bare");
    recipe.omit_subject_key_id = recipe.omit_authority_key_id = true;
    struct ms_identity *root = make_root("CN=Root");
    struct ms_identity *identity = issue(&recipe, root);
    const struct ms_certificate_facts *facts = facts_of(identity);
    assert_null(facts->key_usage.items);
    assert_null(facts->purposes.items);
    assert_int_equal(facts->dns_names.num, 0);
    assert_non_null(facts->dns_names.items);
    static const char *const oids[] = {"2.5.29.14", "2.5.29.35", "2.5.29.19", "2.5.29.15",
                                       "2.5.29.37", "2.5.29.17", "2.5.29.30", "2.5.29.31"};
    for (size_t i = 0; i < sizeof oids / sizeof *oids; i++) {
        assert_false(has_extension(identity, oids[i]));
    }
    assert_int_equal(
        gnutls_x509_crt_get_version(ms_certificate_crt(ms_identity_leaf(identity), NULL)), 3);
    ms_identity_release(identity);
    ms_identity_release(root);
}

static void key_identifiers_link_leaf_and_issuer(void **state) {
    (void)state;
    struct ms_identity *root = make_root("CN=Root");
    struct ms_recipe recipe = bare_recipe("CN=leaf");
    struct ms_identity *leaf = issue(&recipe, root);
    unsigned char own[64];
    unsigned char above[64];
    size_t own_len = sizeof own;
    size_t above_len = sizeof above;
    assert_int_equal(gnutls_x509_crt_get_subject_key_id(
                         ms_certificate_crt(ms_identity_leaf(root), NULL), own, &own_len, NULL),
                     0);
    assert_int_equal(gnutls_x509_crt_get_authority_key_id(
                         ms_certificate_crt(ms_identity_leaf(leaf), NULL), above, &above_len, NULL),
                     0);
    assert_int_equal(own_len, 20);
    assert_int_equal(above_len, own_len);
    assert_memory_equal(own, above, own_len);
    assert_false(has_extension(root, "2.5.29.35"));
    ms_identity_release(leaf);
    ms_identity_release(root);
}

static void serials_are_numbers_of_any_length(void **state) {
    (void)state;
    static const struct {
        const char *told, *read;
    } rows[] = {
        {"1", "01"},
        {"01", "01"},
        {"7f", "7f"},
        {"80", "80"},
        {"FF", "ff"},
        {"0000ff", "ff"},
        {"abc", "0abc"},
        {"DEADBEEF", "deadbeef"},
        {"-1", "-01"},
        {"-80", "-80"},
        {"-ff", "-00ff"},
        {"ffffffffffffffffffffffffffffffffffffffff", "ffffffffffffffffffffffffffffffffffffffff"},
        {"7fffffffffffffffffffffffffffffffffffffff", "7fffffffffffffffffffffffffffffffffffffff"},
        {"0102030405060708090a0b0c0d0e0f101112131415161718",
         "0102030405060708090a0b0c0d0e0f101112131415161718"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ms_recipe recipe = bare_recipe("CN=serial");
        recipe.serial = rows[i].told;
        struct ms_identity *identity = issue(&recipe, NULL);
        assert_string_equal(facts_of(identity)->serial, rows[i].read);
        ms_identity_release(identity);
    }
}

static void a_serial_left_open_is_sixteen_random_bytes(void **state) {
    (void)state;
    struct ms_recipe recipe = bare_recipe("CN=serial");
    struct ms_identity *one = issue(&recipe, NULL);
    struct ms_identity *other = issue(&recipe, NULL);
    assert_int_equal(strlen(facts_of(one)->serial), 32);
    assert_true(facts_of(one)->serial[0] <= '7');
    assert_string_not_equal(facts_of(one)->serial, facts_of(other)->serial);
    ms_identity_release(one);
    ms_identity_release(other);
}

static void times_are_exact_to_the_second(void **state) {
    (void)state;
    static const int64_t times[] = {-631152000,   -2,          0,          1,
                                    946684799,    2524607999,  2524608000, 4102444800,
                                    253402210799, 253402300799};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        struct ms_recipe recipe = bare_recipe("CN=time");
        recipe.not_before = times[i];
        recipe.not_after = times[sizeof times / sizeof *times - 1 - i]; /* turned round as well */
        struct ms_identity *identity = issue(&recipe, NULL);
        assert_int_equal(facts_of(identity)->not_before, recipe.not_before);
        assert_int_equal(facts_of(identity)->not_after, recipe.not_after);
        ms_identity_release(identity);
    }
}

static void contradictions_are_built(void **state) {
    (void)state;
    struct ms_recipe recipe = bare_recipe("CN=odd");
    recipe.ca = MS_FALSE;
    recipe.path_length = 3;
    recipe.key_usage = TEXTS("keyCertSign");
    struct ms_identity *identity = issue(&recipe, NULL);
    assert_false(facts_of(identity)->is_ca);
    assert_int_equal(facts_of(identity)->path_length, 3);
    /* below a certificate that is no authority, and under another's name */
    recipe = bare_recipe("CN=below");
    recipe.issuer_name = "CN=Somebody else,O=Else";
    struct ms_identity *below = issue(&recipe, identity);
    assert_string_equal(facts_of(below)->issuer, "CN=Somebody else,O=Else");
    assert_false(facts_of(below)->self_signed);
    struct ms_identity *alone = issue(&recipe, NULL);
    assert_string_equal(facts_of(alone)->issuer, "CN=Somebody else,O=Else");
    assert_false(facts_of(alone)->self_signed);
    ms_identity_release(alone);
    ms_identity_release(below);
    ms_identity_release(identity);
}

static void empty_lists_make_empty_extensions(void **state) {
    (void)state;
    struct ms_recipe recipe = bare_recipe("CN=empty");
    char *none[1] = {NULL};
    recipe.key_usage = (struct ms_texts){.items = none};
    recipe.purposes = (struct ms_texts){.items = none};
    struct ms_identity *identity = issue(&recipe, NULL);
    assert_non_null(facts_of(identity)->key_usage.items);
    assert_int_equal(facts_of(identity)->key_usage.num, 0);
    assert_non_null(facts_of(identity)->purposes.items);
    assert_int_equal(facts_of(identity)->purposes.num, 0);
    ms_identity_release(identity);
}

static void each_kind_of_key_signs(void **state) {
    (void)state;
    static const struct {
        const char *word, *digest, *algorithm;
    } rows[] = {{"ecdsa-p256", NULL, "ecdsa-with-SHA256"},
                {"ecdsa-p384", NULL, "ecdsa-with-SHA384"},
                {"ecdsa-p521", NULL, "ecdsa-with-SHA512"},
                {"ecdsa-p256", "sha1", "ecdsa-with-SHA1"},
                {"ecdsa-p256", "sha384", "ecdsa-with-SHA384"},
                {"rsa-2048", NULL, "sha256WithRSAEncryption"},
                {"rsa-2048", "md5", "md5WithRSAEncryption"},
                {"rsa-2048", "sha1", "sha1WithRSAEncryption"},
                {"rsa-2048", "sha512", "sha512WithRSAEncryption"},
                {"rsa-pss-2048", NULL, "id-RSASSA-PSS"},
                {"rsa-pss-2048", "sha384", "id-RSASSA-PSS"},
                {"ed25519", NULL, "id-Ed25519"},
                {"ed448", NULL, "id-Ed448"}};
    struct ms_key_pool *pool = ms_key_pool_new(NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ms_error error = {0};
        struct ms_recipe recipe = bare_recipe("CN=Root");
        recipe.ca = MS_TRUE;
        recipe.digest = rows[i].digest;
        ms_key_pool_rewind(pool);
        struct ms_key *key = ms_key_pool_take(pool, rows[i].word, NULL);
        struct ms_identity *root = ms_issue(&recipe, key, NULL, &error);
        assert_string_equal(error.text, "");
        recipe.subject = "CN=leaf";
        struct ms_identity *leaf = issue(&recipe, root);
        assert_string_equal(facts_of(leaf)->signature_algorithm, rows[i].algorithm);
        unsigned weak = rows[i].digest && strlen(rows[i].digest) < 6
                            ? GNUTLS_CERT_INSECURE_ALGORITHM | GNUTLS_CERT_INVALID
                            : 0;
        assert_int_equal(verify(leaf, root), weak);
        struct ms_certificate *copy =
            ms_certificate_new(ms_certificate_der(ms_identity_leaf(root)), NULL);
        assert_true(ms_certificate_facts(copy, NULL)->self_signed);
        ms_certificate_release(copy);
        ms_identity_release(leaf);
        ms_identity_release(root);
        ms_key_release(key);
    }
    ms_key_pool_free(pool);
}

static void name_constraints_hold(void **state) {
    (void)state;
    struct ms_recipe recipe = bare_recipe("CN=Constrained");
    recipe.ca = MS_TRUE;
    recipe.permitted = TEXTS("dns:example.org", "ip:10.0.0.0/8", "ip:2001:db8::/32",
                             "email:example.org", "uri:example.org");
    recipe.excluded = TEXTS("dns:bad.example.org", "ip:10.9.0.0/16");
    struct ms_identity *root = issue(&recipe, NULL);
    static const struct {
        const char *dns, *ip;
        bool fine;
    } rows[] = {{"a.example.org", "10.1.2.3", true},    {"a.example.org", "2001:db8::1", true},
                {"a.example.com", "10.1.2.3", false},   {"x.bad.example.org", "10.1.2.3", false},
                {"a.example.org", "11.1.2.3", false},   {"a.example.org", "10.9.2.3", false},
                {"a.example.org", "2001:db9::1", false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        recipe = bare_recipe("CN=leaf");
        recipe.dns = TEXTS(rows[i].dns);
        recipe.ip = TEXTS(rows[i].ip);
        struct ms_identity *leaf = issue(&recipe, root);
        assert_int_equal(verify(leaf, root), rows[i].fine ? 0
                                                          : GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE |
                                                                GNUTLS_CERT_INVALID);
        ms_identity_release(leaf);
    }
    unsigned critical = 0;
    gnutls_datum_t der = extension(root, "2.5.29.30", &critical);
    assert_int_equal(critical, 1);
    gnutls_free(der.data);
    ms_identity_release(root);
}

static void revocation_pointers_are_written(void **state) {
    (void)state;
    struct ms_recipe recipe = bare_recipe("CN=pointers");
    recipe.crl_urls = TEXTS("http://a.example/crl", "http://b.example/crl");
    recipe.ocsp_url = "http://ocsp.example/";
    recipe.must_staple = true;
    struct ms_identity *identity = issue(&recipe, NULL);
    gnutls_x509_crt_t crt = ms_certificate_crt(ms_identity_leaf(identity), NULL);
    for (unsigned i = 0; i < 2; i++) {
        char url[64];
        size_t len = sizeof url;
        assert_int_equal(gnutls_x509_crt_get_crl_dist_points(crt, i, url, &len, NULL, NULL),
                         GNUTLS_SAN_URI);
        assert_int_equal(len, strlen(recipe.crl_urls.items[i]));
        assert_memory_equal(url, recipe.crl_urls.items[i], len);
    }
    gnutls_datum_t url = {NULL, 0};
    assert_int_equal(
        gnutls_x509_crt_get_authority_info_access(crt, 0, GNUTLS_IA_OCSP_URI, &url, NULL), 0);
    assert_int_equal(url.size, strlen(recipe.ocsp_url));
    gnutls_free(url.data);
    gnutls_datum_t features = extension(identity, "1.3.6.1.5.5.7.1.24", NULL);
    assert_int_equal(features.size, 5);
    assert_memory_equal(features.data, "\x30\x03\x02\x01\x05", 5);
    gnutls_free(features.data);
    ms_identity_release(identity);
}

static void raw_extensions_are_written_and_win(void **state) {
    (void)state;
    static const uint8_t is_ca[] = {0x30, 0x03, 0x01, 0x01, 0xff};
    struct ms_extension extensions[] = {
        {"1.2.3.4.5", true, {(const uint8_t *)"\x05\x00", 2}},
        {"2.5.29.19", false, {is_ca, sizeof is_ca}},
        {"2.5.29.14", false, {(const uint8_t *)"\x04\x01\x07", 3}},
    };
    struct ms_recipe recipe = bare_recipe("CN=raw");
    recipe.ca = MS_FALSE;
    recipe.extensions = extensions;
    recipe.num_extensions = 3;
    struct ms_identity *identity = issue(&recipe, NULL);
    assert_true(facts_of(identity)->is_ca);
    gnutls_datum_t key_id = extension(identity, "2.5.29.14", NULL);
    assert_int_equal(key_id.size, 3);
    gnutls_free(key_id.data);
    unsigned critical = 0;
    gnutls_datum_t der = extension(identity, "1.2.3.4.5", &critical);
    assert_int_equal(critical, 1);
    assert_int_equal(der.size, 2);
    assert_memory_equal(der.data, "\x05\x00", 2);
    gnutls_free(der.data);
    ms_identity_release(identity);
}

/* Built as told: that nobody can read it is seen when somebody reads it. */
static void a_damaged_extension_is_built_and_cannot_be_read(void **state) {
    (void)state;
    struct ms_extension extensions[] = {{"2.5.29.17", false, {(const uint8_t *)"garbage", 7}}};
    struct ms_recipe recipe = bare_recipe("CN=damaged");
    recipe.extensions = extensions;
    recipe.num_extensions = 1;
    struct ms_identity *identity = issue(&recipe, NULL);
    struct ms_error error = {0};
    assert_null(ms_certificate_facts(ms_identity_leaf(identity), &error));
    assert_non_null(strstr(error.text, "the certificate cannot be parsed: "));
    ms_identity_release(identity);
}

static void the_impossible_names_its_field(void **state) {
    (void)state;
    struct ms_identity *root = make_root("CN=Root");
    struct ms_recipe good = bare_recipe("CN=leaf");
    struct ms_recipe bad;
#define ASSERT_IMPOSSIBLE(FIELD, VALUE, WHY)                                                       \
    do {                                                                                           \
        bad = good;                                                                                \
        bad.FIELD = VALUE;                                                                         \
        assert_impossible(&bad, root, WHY);                                                        \
    } while (0)
    ASSERT_IMPOSSIBLE(ip, TEXTS("10.0.0.300"), "ip: `10.0.0.300` is no IP address");
    ASSERT_IMPOSSIBLE(ip, TEXTS(""), "ip: `` is no IP address");
    ASSERT_IMPOSSIBLE(dns, TEXTS("a\xff"), "dns: `a\xff` cannot be written");
    ASSERT_IMPOSSIBLE(subject, "CN=a,XX=b", "subject: `XX` is no attribute type");
    ASSERT_IMPOSSIBLE(subject, "alice", "subject: `alice` is no attribute");
    ASSERT_IMPOSSIBLE(subject, "CN=a+OU=b", "subject: an unescaped `+`");
    ASSERT_IMPOSSIBLE(subject, "CN=", "subject: an attribute's value is empty");
    ASSERT_IMPOSSIBLE(issuer_name, "nobody", "issuer_name: `nobody` is no attribute");
    ASSERT_IMPOSSIBLE(key_usage, TEXTS("digitalsignature"), "key_usage: `digitalsignature` is no");
    ASSERT_IMPOSSIBLE(purposes, TEXTS("serverr"), "purposes: `serverr` is neither");
    ASSERT_IMPOSSIBLE(purposes, TEXTS("1..2"), "purposes: `1..2` is neither");
    ASSERT_IMPOSSIBLE(serial, "xyz", "serial: `xyz` is no hex number");
    ASSERT_IMPOSSIBLE(serial, "", "serial: `` is no hex number");
    ASSERT_IMPOSSIBLE(serial, "0000", "serial: GnuTLS cannot write 0");
    ASSERT_IMPOSSIBLE(path_length, 1, "path_length: there are no basic constraints");
    ASSERT_IMPOSSIBLE(path_length, 1LL << 40, "path_length: 1099511627776 is out of range");
    ASSERT_IMPOSSIBLE(not_before, -1, "not_before: GnuTLS cannot write");
    ASSERT_IMPOSSIBLE(not_before, -631152001, "not_before: GnuTLS cannot write");
    ASSERT_IMPOSSIBLE(not_after, 253402300800, "not_after: GnuTLS cannot write");
    ASSERT_IMPOSSIBLE(digest, "sha257", "digest: `sha257` is no digest");
    ASSERT_IMPOSSIBLE(digest, "md5", "digest: a key of type ecdsa-p256 cannot sign with `md5`");
    ASSERT_IMPOSSIBLE(permitted, TEXTS("example.org"), "permitted: `example.org` does not begin");
    ASSERT_IMPOSSIBLE(excluded, TEXTS("ip:10.0.0.0"), "excluded: `ip:10.0.0.0` is no network");
    ASSERT_IMPOSSIBLE(excluded, TEXTS("ip:10.0.0.0/33"), "excluded: `ip:10.0.0.0/33` is no");
    ASSERT_IMPOSSIBLE(excluded, TEXTS("ip:10.0.0.0/8x"), "excluded: `ip:10.0.0.0/8x` is no");
#undef ASSERT_IMPOSSIBLE
    ms_identity_release(root);
}

static void impossible_extensions_are_named(void **state) {
    (void)state;
    static const struct ms_slice der = {(const uint8_t *)"\x05\x00", 2};
    struct ms_extension twice[] = {{"1.2.3.4", false, der}, {"1.2.3.4", true, der}};
    struct ms_extension no_oid[] = {{"subjectAltName", false, der}};
    struct ms_extension empty[] = {{"1.2.3.4", false, {(const uint8_t *)"", 0}}};
    struct ms_extension wild[] = {{"9.2.3.4", false, der}};
    struct ms_recipe recipe = bare_recipe("CN=raw");
    recipe.extensions = twice;
    recipe.num_extensions = 2;
    assert_impossible(&recipe, NULL, "extensions: `1.2.3.4` is there twice");
    recipe.num_extensions = 1;
    recipe.extensions = no_oid;
    assert_impossible(&recipe, NULL, "extensions: `subjectAltName` is no OID");
    recipe.extensions = empty;
    assert_impossible(&recipe, NULL, "extensions: the DER of `1.2.3.4` is empty");
    recipe.extensions = wild;
    assert_impossible(&recipe, NULL, "extensions: `9.2.3.4` is no OID");
}

static void an_eddsa_key_has_one_digest(void **state) {
    (void)state;
    struct ms_recipe recipe = bare_recipe("CN=Root");
    struct ms_identity *root = issue_with(&recipe, "ed25519", NULL);
    recipe.digest = "sha256";
    assert_impossible(&recipe, root, "digest: a key of type ed25519 signs with SHA512 only");
    recipe.digest = "sha512";
    struct ms_identity *leaf = issue(&recipe, root);
    assert_string_equal(facts_of(leaf)->signature_algorithm, "id-Ed25519");
    ms_identity_release(leaf);
    ms_identity_release(root);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_verifies_and_leaves_its_root_out),
        cmocka_unit_test(what_is_marked_self_signed_is),
        cmocka_unit_test(a_self_issued_certificate_is_no_root),
        cmocka_unit_test(all_names_are_written_as_told),
        cmocka_unit_test(an_empty_subject_makes_its_names_critical),
        cmocka_unit_test(usage_and_purposes_are_written_as_told),
        cmocka_unit_test(an_absent_extension_is_absent),
        cmocka_unit_test(key_identifiers_link_leaf_and_issuer),
        cmocka_unit_test(serials_are_numbers_of_any_length),
        cmocka_unit_test(a_serial_left_open_is_sixteen_random_bytes),
        cmocka_unit_test(times_are_exact_to_the_second),
        cmocka_unit_test(contradictions_are_built),
        cmocka_unit_test(empty_lists_make_empty_extensions),
        cmocka_unit_test(each_kind_of_key_signs),
        cmocka_unit_test(name_constraints_hold),
        cmocka_unit_test(revocation_pointers_are_written),
        cmocka_unit_test(raw_extensions_are_written_and_win),
        cmocka_unit_test(a_damaged_extension_is_built_and_cannot_be_read),
        cmocka_unit_test(the_impossible_names_its_field),
        cmocka_unit_test(impossible_extensions_are_named),
        cmocka_unit_test(an_eddsa_key_has_one_digest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
