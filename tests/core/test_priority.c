/* SPDX-License-Identifier: MIT */
/* Every restriction is judged by the ClientHello that GnuTLS really makes of it. */
#include "bytes.h"
#include "restrictions.h"

#include <errno.h>

/* What a client with a priority sends. */
struct hello {
    struct codes versions; /* without supported_versions: the one of the old field */
    struct codes suites, groups, schemes;
};

static ssize_t keep(gnutls_transport_ptr_t bytes, const void *data, size_t len) {
    assert_true(ms_bytes_add(bytes, data, len));
    return (ssize_t)len;
}

static int nothing_yet(gnutls_transport_ptr_t bytes, unsigned ms) {
    (void)bytes;
    (void)ms;
    return 0;
}

static ssize_t nothing(gnutls_transport_ptr_t bytes, void *data, size_t len) {
    (void)bytes;
    (void)data;
    (void)len;
    errno = EAGAIN;
    return -1;
}

static void read_codes(struct ms_slice from, size_t length_width, struct codes *codes) {
    struct ms_slice list;
    uint32_t code;
    assert_true(ms_read_vector(&from, length_width, &list));
    for (codes->num = 0; list.len > 0; codes->num++) {
        assert_true(ms_read_number(&list, 2, &code));
        codes->items[codes->num] = (uint16_t)code;
    }
}

static struct hello take_apart(struct ms_slice bytes) {
    struct hello hello = {0};
    struct ms_slice part, extensions;
    uint32_t version, type;
    assert_true(ms_read_fixed(&bytes, 9, &part)); /* the headers of record and message */
    assert_true(ms_read_number(&bytes, 2, &version));
    hello.versions = (struct codes){{(uint16_t)version}, 1};
    assert_true(ms_read_fixed(&bytes, 32, &part) && ms_read_vector(&bytes, 1, &part));
    read_codes(bytes, 2, &hello.suites);
    assert_true(ms_read_vector(&bytes, 2, &part) && ms_read_vector(&bytes, 1, &part));
    assert_true(ms_read_vector(&bytes, 2, &extensions));
    while (extensions.len > 0) {
        assert_true(ms_read_number(&extensions, 2, &type) && ms_read_vector(&extensions, 2, &part));
        if (type == 10) {
            read_codes(part, 2, &hello.groups);
        } else if (type == 13) {
            read_codes(part, 2, &hello.schemes);
        } else if (type == 43) {
            read_codes(part, 1, &hello.versions);
        }
    }
    return hello;
}

static struct hello hello_of(gnutls_priority_t cache) {
    struct ms_bytes bytes = {0};
    gnutls_session_t session;
    gnutls_certificate_credentials_t credentials;
    assert_int_equal(gnutls_init(&session, GNUTLS_CLIENT | GNUTLS_NONBLOCK), 0);
    assert_int_equal(gnutls_certificate_allocate_credentials(&credentials), 0);
    assert_int_equal(gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials), 0);
    assert_int_equal(gnutls_priority_set(session, cache), 0);
    gnutls_transport_set_ptr(session, &bytes);
    gnutls_transport_set_push_function(session, keep);
    gnutls_transport_set_pull_function(session, nothing);
    gnutls_transport_set_pull_timeout_function(session, nothing_yet);
    gnutls_handshake(session);
    assert_true(bytes.len > 0);
    struct hello hello = take_apart((struct ms_slice){bytes.data, bytes.len});
    ms_bytes_clear(&bytes);
    gnutls_deinit(session);
    gnutls_certificate_free_credentials(credentials);
    return hello;
}

static void assert_same(enum ms_names kind, const struct codes *got, const struct codes *wanted,
                        const char *text) {
    char spare[2][16];
    for (size_t i = 0; i < got->num || i < wanted->num; i++) {
        uint16_t a = i < got->num ? got->items[i] : 0, b = i < wanted->num ? wanted->items[i] : 0;
        if (a != b) {
            fail_msg("%s\n at %zu: got %s, wanted %s", text, i, ms_names_text(kind, a, spare[0]),
                     ms_names_text(kind, b, spare[1]));
        }
    }
}

/* The suites of TLS 1.3, as GnuTLS sends them, and then the older ones; without signals. */
static struct codes by_family(const struct codes *codes) {
    struct codes sorted = {.num = 0};
    for (int older = 0; older < 2; older++) {
        for (size_t i = 0; i < codes->num; i++) {
            if ((codes->items[i] >> 8 != 0x13) == older) {
                sorted.items[sorted.num++] = codes->items[i];
            }
        }
    }
    return sorted;
}

/* A ClientHello tells all versions, newest first, where TLS 1.3 is among them, else the newest. */
static void assert_versions_sent(const struct hello *hello, struct ms_code_list asked) {
    struct codes sorted = {.num = 0};
    for (uint16_t version = 0x0304; version > 0x0300; version--) {
        for (size_t i = 0; i < asked.num; i++) {
            if (asked.codes[i] == version) {
                sorted.items[sorted.num++] = version;
            }
        }
    }
    if (sorted.num > 0 && sorted.items[0] != 0x0304) {
        sorted.num = 1;
    }
    if (sorted.num > 0) {
        assert_same(MS_NAMES_VERSION, &hello->versions, &sorted, "versions");
    }
}

/* Makes it and compares what is sent with what was listed. */
static struct hello assert_sent(const struct ms_restrictions *asked) {
    struct ms_priority priority;
    struct ms_error error = {0};
    if (!ms_priority_make(asked, &priority, &error)) {
        fail_msg("%s", error.text);
    }
    struct hello hello = hello_of(priority.cache);
    if (asked->cipher_suites.num > 0) {
        struct codes wanted = {.num = asked->cipher_suites.num};
        memcpy(wanted.items, asked->cipher_suites.codes, wanted.num * sizeof wanted.items[0]);
        wanted = by_family(&wanted);
        assert_same(MS_NAMES_CIPHER_SUITE, &hello.suites, &wanted, priority.text);
    }
    struct codes groups = {.num = asked->groups.num}, schemes = {.num = 0};
    if (groups.num > 0) {
        memcpy(groups.items, asked->groups.codes, groups.num * sizeof groups.items[0]);
        assert_same(MS_NAMES_GROUP, &hello.groups, &groups, priority.text);
    }
    schemes.num = asked->signature_schemes.num;
    if (schemes.num > 0) {
        memcpy(schemes.items, asked->signature_schemes.codes,
               schemes.num * sizeof schemes.items[0]);
        assert_same(MS_NAMES_SIGNATURE_SCHEME, &hello.schemes, &schemes, priority.text);
    }
    assert_versions_sent(&hello, asked->versions);
    ms_priority_clear(&priority);
    assert_null(priority.cache);
    return hello;
}

static struct hello assert_row(const struct asked *row) {
    struct lists lists;
    struct ms_restrictions asked = restrictions_of(row, &lists);
    return assert_sent(&asked);
}

static void assert_versions(const struct asked *row, const char *versions) {
    struct hello hello = assert_row(row);
    struct codes wanted = codes_of(MS_NAMES_VERSION, versions);
    assert_same(MS_NAMES_VERSION, &hello.versions, &wanted, versions);
}

static bool needs_other_credentials(gnutls_kx_algorithm_t kx) {
    switch (kx) {
    case GNUTLS_KX_UNKNOWN:
    case GNUTLS_KX_RSA:
    case GNUTLS_KX_DHE_RSA:
    case GNUTLS_KX_DHE_DSS:
    case GNUTLS_KX_ECDHE_RSA:
    case GNUTLS_KX_ECDHE_ECDSA:
    case GNUTLS_KX_VKO_GOST_12:
        return false;
    default:
        return true;
    }
}

static void every_suite_alone_is_itself(void **state) {
    (void)state;
    unsigned char id[2];
    gnutls_kx_algorithm_t kx;
    size_t num = 0, num_refused = 0;
    for (size_t i = 0; gnutls_cipher_suite_info(i, id, &kx, NULL, NULL, NULL); i++) {
        uint16_t code = (uint16_t)(id[0] << 8 | id[1]);
        struct ms_restrictions asked = {.cipher_suites = {&code, 1}};
        if (!needs_other_credentials(kx)) {
            assert_sent(&asked);
            num++;
            continue;
        }
        struct ms_priority priority;
        struct ms_error error = {0};
        assert_false(ms_priority_make(&asked, &priority, &error));
        assert_null(priority.cache);
        assert_null(priority.text);
        assert_non_null(strstr(error.text, "credentials, which are not part of this version"));
        num_refused++;
    }
    assert_true(num >= 92);
    assert_true(num_refused >= 96);
}

static void every_group_alone_is_itself(void **state) {
    (void)state;
    for (const gnutls_group_t *group = gnutls_group_list(); *group; group++) {
        uint16_t code = (uint16_t)ms_names_group_code((int)*group), tls12 = 0x0303, tls13 = 0x0304;
        struct ms_restrictions asked = {.groups = {&code, 1}, .versions = {&tls12, 1}};
        if (strncmp(gnutls_group_get_name(*group), "GC", 2) == 0) {
            /* GOST's, which only its own key exchange uses */
            uint16_t suite = 0xc102;
            asked.cipher_suites = (struct ms_code_list){&suite, 1};
            assert_sent(&asked);
            continue;
        }
        assert_sent(&asked);
        asked.versions.codes = &tls13;
        assert_sent(&asked);
        asked.versions.num = 0;
        assert_sent(&asked);
    }
}

static void every_scheme_alone_is_itself(void **state) {
    (void)state;
    size_t num = 0;
    const struct ms_name *row;
    for (size_t i = 0; (row = ms_names_at(MS_NAMES_SIGNATURE_SCHEME, i)); i++) {
        uint16_t code = (uint16_t)row->code;
        struct ms_restrictions asked = {.signature_schemes = {&code, 1}};
        if (row->gnutls) {
            assert_sent(&asked);
            num++;
        } else {
            struct ms_priority priority;
            assert_false(ms_priority_make(&asked, &priority, NULL));
        }
    }
    assert_int_equal(num, 19);
}

static void by_default_tls12_and_tls13_are_offered(void **state) {
    (void)state;
    assert_versions(&(struct asked){0}, "TLS1.3 TLS1.2");
}

static void versions_are_a_set_newest_first(void **state) {
    (void)state;
    assert_versions(&(struct asked){.versions = "TLS1.2 TLS1.3"}, "TLS1.3 TLS1.2");
    assert_versions(&(struct asked){.versions = "TLS1.0 TLS1.3 TLS1.1 TLS1.2"},
                    "TLS1.3 TLS1.2 TLS1.1 TLS1.0");
    assert_versions(&(struct asked){.versions = "TLS1.0"}, "TLS1.0");
    assert_versions(&(struct asked){.versions = "TLS1.3"}, "TLS1.3");
}

static void lists_of_one_version_mean_that_version(void **state) {
    (void)state;
    assert_versions(&(struct asked){.suites = "TLS_AES_128_GCM_SHA256"}, "TLS1.3");
    assert_versions(&(struct asked){.suites = "TLS_RSA_WITH_AES_128_CBC_SHA"}, "TLS1.2");
    assert_versions(&(struct asked){.suites = "TLS_RSA_WITH_NULL_SHA256"}, "TLS1.2");
    assert_versions(&(struct asked){.schemes = "rsa_pkcs1_sha256"}, "TLS1.2");
    assert_versions(&(struct asked){.groups = "ffdhe2048"}, "TLS1.3 TLS1.2");
    assert_versions(&(struct asked){.suites = "TLS_AES_128_GCM_SHA256 "
                                              "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"},
                    "TLS1.3 TLS1.2");
}

static void a_string_keeps_what_is_not_listed(void **state) {
    (void)state;
    assert_versions(&(struct asked){.priority = "NORMAL"}, "TLS1.3 TLS1.2 TLS1.1 TLS1.0");
    assert_versions(&(struct asked){.priority = "NORMAL", .versions = "TLS1.2"}, "TLS1.2");
    assert_versions(&(struct asked){.priority = " NORMAL:%COMPAT: -VERS-ALL:+VERS-TLS1.1",
                                    .suites = "TLS_RSA_WITH_AES_128_CBC_SHA"},
                    "TLS1.1");
    assert_versions(&(struct asked){.priority = "NORMAL:-VERS-ALL:+VERS-TLS1.0:+VERS-TLS1.2",
                                    .schemes = "rsa_pkcs1_sha256"},
                    "TLS1.2");
    struct hello hello = assert_row(&(struct asked){.priority = "SUITEB128"});
    struct codes wanted = codes_of(MS_NAMES_GROUP, "P-256 P-384");
    assert_same(MS_NAMES_GROUP, &hello.groups, &wanted, "SUITEB128");
    /* what is missing from a string may stand in the lists */
    assert_row(&(struct asked){.priority = "NONE",
                               .versions = "TLS1.2",
                               .suites = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
                               .groups = "x25519",
                               .schemes = "rsa_pss_rsae_sha256"});
}

static void orders_are_kept(void **state) {
    (void)state;
    static const struct asked rows[] = {
        {.suites = "TLS_CHACHA20_POLY1305_SHA256 TLS_AES_128_GCM_SHA256 TLS_AES_256_GCM_SHA384"},
        {.suites = "TLS_RSA_WITH_AES_128_GCM_SHA256 TLS_RSA_WITH_AES_256_GCM_SHA384 "
                   "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"},
        {.suites = "TLS_RSA_WITH_AES_128_CBC_SHA256 TLS_RSA_WITH_AES_128_CBC_SHA"},
        {.suites = "TLS_RSA_WITH_AES_128_CBC_SHA TLS_RSA_WITH_AES_128_CBC_SHA256"},
        /* the cipher that only one key exchange has comes first there */
        {.suites = "TLS_RSA_WITH_AES_128_GCM_SHA256 "
                   "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 "
                   "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
         .versions = "TLS1.2"},
        {.groups = "x25519 secp521r1 secp256r1 ffdhe3072 ffdhe2048"},
        {.groups = "ffdhe3072 x25519", .versions = "TLS1.3"},
        {.groups = "ffdhe3072 x25519",
         .suites = "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256 TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"},
        {.schemes = "ecdsa_secp384r1_sha384 rsa_pkcs1_sha1 ecdsa_secp256r1_sha256 ed25519 "
                    "rsa_pss_pss_sha256 ecdsa_sha1 rsa_pss_rsae_sha512 dsa_sha1"},
        {.schemes = "ed448 ecdsa_secp521r1_sha512", .versions = "TLS1.3"},
        {.schemes = "ed448 ecdsa_secp521r1_sha512", .versions = "TLS1.2"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_row(&rows[i]);
    }
}

static void key_exchanges_without_a_listed_group_are_not_offered(void **state) {
    (void)state;
    struct hello hello = assert_row(&(struct asked){.groups = "ffdhe2048", .versions = "TLS1.2"});
    for (size_t i = 0; i < hello.suites.num; i++) {
        char spare[16];
        const char *name = ms_names_text(MS_NAMES_CIPHER_SUITE, hello.suites.items[i], spare);
        assert_null(strstr(name, "ECDHE"));
    }
    hello = assert_row(&(struct asked){.groups = "x25519", .versions = "TLS1.2"});
    for (size_t i = 0; i < hello.suites.num; i++) {
        char spare[16];
        const char *name = ms_names_text(MS_NAMES_CIPHER_SUITE, hello.suites.items[i], spare);
        assert_null(strstr(name, "_DHE"));
    }
}

/* Deterministic; any generator would do. */
static unsigned next_random(unsigned *seed) {
    *seed = *seed * 1103515245U + 12345U;
    return *seed >> 16 & 0x7fff;
}

static void shuffle(unsigned *seed, unsigned *items, size_t num) {
    for (size_t i = num; i > 1; i--) {
        size_t j = next_random(seed) % i;
        unsigned kept = items[i - 1];
        items[i - 1] = items[j];
        items[j] = kept;
    }
}

/* Adds the suites of one key exchange, by cipher, then by MAC. */
static void add_product(struct codes *codes, unsigned kx, const unsigned *ciphers,
                        size_t num_ciphers, const unsigned *macs, size_t num_macs) {
    for (size_t c = 0; c < num_ciphers; c++) {
        for (size_t m = 0; m < num_macs; m++) {
            unsigned char id[2];
            gnutls_kx_algorithm_t kx_;
            gnutls_cipher_algorithm_t cipher;
            gnutls_mac_algorithm_t mac;
            for (size_t i = 0; gnutls_cipher_suite_info(i, id, &kx_, &cipher, &mac, NULL); i++) {
                if (kx_ == kx && cipher == ciphers[c] && mac == macs[m]) {
                    codes->items[codes->num++] = (uint16_t)(id[0] << 8 | id[1]);
                }
            }
        }
    }
}

static void every_product_in_every_order_is_had(void **state) {
    (void)state;
    unsigned seed = 1;
    for (int round = 0; round < 200; round++) {
        unsigned kx[] = {GNUTLS_KX_RSA, GNUTLS_KX_ECDHE_RSA, GNUTLS_KX_ECDHE_ECDSA,
                         GNUTLS_KX_DHE_RSA};
        unsigned ciphers[] = {GNUTLS_CIPHER_AES_128_GCM,       GNUTLS_CIPHER_AES_256_GCM,
                              GNUTLS_CIPHER_CHACHA20_POLY1305, GNUTLS_CIPHER_AES_128_CBC,
                              GNUTLS_CIPHER_AES_256_CBC,       GNUTLS_CIPHER_3DES_CBC,
                              GNUTLS_CIPHER_AES_128_CCM,       GNUTLS_CIPHER_ARCFOUR_128};
        unsigned macs[] = {GNUTLS_MAC_AEAD, GNUTLS_MAC_SHA1, GNUTLS_MAC_SHA256, GNUTLS_MAC_SHA384,
                           GNUTLS_MAC_MD5};
        shuffle(&seed, kx, 4);
        shuffle(&seed, ciphers, 8);
        shuffle(&seed, macs, 5);
        size_t num_kx = next_random(&seed) % 5, num_ciphers = 1 + next_random(&seed) % 8,
               num_macs = 1 + next_random(&seed) % 5;
        bool tls13 = num_kx == 0 || next_random(&seed) % 2;
        struct codes codes = {.num = 0};
        for (size_t k = 0; k < num_kx; k++) {
            add_product(&codes, kx[k], ciphers, num_ciphers, macs, num_macs);
        }
        uint16_t version = 0x0303;
        struct ms_restrictions asked = {.versions = {&version, tls13 ? 0 : 1}};
        if (tls13) {
            add_product(&codes, GNUTLS_KX_UNKNOWN, ciphers, num_ciphers, macs, num_macs);
        }
        asked.cipher_suites = list_of(&codes);
        if (codes.num > 0) {
            assert_sent(&asked);
        }
    }
}

/* A mistake must not be made of something that works: what is refused is compared with nothing,
 * but what is accepted is always sent. */
static void whatever_is_accepted_is_sent(void **state) {
    (void)state;
    static const char *const suites[] = {
        "TLS_AES_128_GCM_SHA256",
        "TLS_CHACHA20_POLY1305_SHA256",
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
        "TLS_RSA_WITH_NULL_SHA",
    };
    static const char *const groups[] = {"x25519", "secp256r1", "ffdhe2048", "ffdhe3072", "GC256B"};
    static const char *const schemes[] = {"rsa_pkcs1_sha256", "ecdsa_secp256r1_sha256", "dsa_sha1",
                                          "rsa_pss_rsae_sha256", "gostr34102012_256"};
    static const char *const versions[] = {"TLS1.0", "TLS1.1", "TLS1.2", "TLS1.3"};
    unsigned seed = 2;
    size_t num_accepted = 0;
    for (int round = 0; round < 3000; round++) {
        char text[4][400] = {"", "", "", ""};
        const char *const *words[4] = {versions, suites, groups, schemes};
        const size_t num[4] = {4, 7, 5, 5};
        for (size_t option = 0; option < 4; option++) {
            unsigned order[7] = {0, 1, 2, 3, 4, 5, 6};
            shuffle(&seed, order, num[option]);
            for (size_t i = next_random(&seed) % 4; i-- > 0;) {
                size_t used = strlen(text[option]);
                snprintf(text[option] + used, sizeof text[option] - used, "%s ",
                         words[option][order[i]]);
            }
        }
        struct asked row = {.priority = next_random(&seed) % 3 ? NULL : "NORMAL",
                            .versions = text[0],
                            .suites = text[1],
                            .groups = text[2],
                            .schemes = text[3]};
        struct lists lists;
        struct ms_restrictions asked = restrictions_of(&row, &lists);
        struct ms_priority priority;
        if (ms_priority_make(&asked, &priority, NULL)) {
            ms_priority_clear(&priority);
            assert_sent(&asked);
            num_accepted++;
        }
    }
    assert_true(num_accepted > 100);
}

static void keywords_are_said(void **state) {
    (void)state;
    static const struct {
        enum ms_renegotiation renegotiation;
        const char *text;
    } rows[] = {
        {MS_RENEGOTIATION_PARTIAL, ""},
        {MS_RENEGOTIATION_SAFE, ":%SAFE_RENEGOTIATION"},
        {MS_RENEGOTIATION_UNSAFE, ":%UNSAFE_RENEGOTIATION"},
        {MS_RENEGOTIATION_ABSENT, ":%DISABLE_SAFE_RENEGOTIATION"},
        {MS_RENEGOTIATION_REFUSE, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char wanted[200];
        struct ms_restrictions asked = {.renegotiation = rows[i].renegotiation,
                                        .server_preference = true,
                                        .no_extended_master_secret = true};
        struct ms_priority priority;
        assert_true(ms_priority_make(&asked, &priority, NULL));
        snprintf(
            wanted, sizeof wanted,
            "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:%%SERVER_PRECEDENCE:%%NO_SESSION_HASH%s",
            rows[i].text);
        assert_string_equal(priority.text, wanted);
        ms_priority_clear(&priority);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_suite_alone_is_itself),
        cmocka_unit_test(every_group_alone_is_itself),
        cmocka_unit_test(every_scheme_alone_is_itself),
        cmocka_unit_test(by_default_tls12_and_tls13_are_offered),
        cmocka_unit_test(versions_are_a_set_newest_first),
        cmocka_unit_test(lists_of_one_version_mean_that_version),
        cmocka_unit_test(a_string_keeps_what_is_not_listed),
        cmocka_unit_test(orders_are_kept),
        cmocka_unit_test(key_exchanges_without_a_listed_group_are_not_offered),
        cmocka_unit_test(every_product_in_every_order_is_had),
        cmocka_unit_test(whatever_is_accepted_is_sent),
        cmocka_unit_test(keywords_are_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
