/* SPDX-License-Identifier: MIT */
/* The harness verifies chains outside of a session, so the flags that a priority string adds inside
 * of one must be known. The judge is gnutls_certificate_verify_peers() after a real handshake. */
#include "bytes.h"
#include "priority.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <string.h>

static const time_t beginning = 1700000000; /* of every certificate here; see now() */
static const time_t a_day = 86400;

static time_t now(time_t *t) {
    if (t) {
        *t = beginning + a_day;
    }
    return beginning + a_day;
}

/* A certificate and its key. */
struct identity {
    gnutls_x509_crt_t crt;
    gnutls_x509_privkey_t key;
};

static struct identity issue(gnutls_pk_algorithm_t algorithm, unsigned bits,
                             gnutls_digest_algorithm_t digest, const struct identity *issuer) {
    static unsigned char serial = 0;
    struct identity made;
    char name[32];
    serial++;
    snprintf(name, sizeof name, "CN=certificate %d", serial);
    assert_int_equal(gnutls_x509_privkey_init(&made.key), 0);
    assert_int_equal(gnutls_x509_privkey_generate(made.key, algorithm, bits, 0), 0);
    assert_int_equal(gnutls_x509_crt_init(&made.crt), 0);
    assert_int_equal(gnutls_x509_crt_set_version(made.crt, 3), 0);
    assert_int_equal(gnutls_x509_crt_set_serial(made.crt, &serial, 1), 0);
    assert_int_equal(gnutls_x509_crt_set_dn(made.crt, name, NULL), 0);
    assert_int_equal(gnutls_x509_crt_set_key(made.crt, made.key), 0);
    assert_int_equal(gnutls_x509_crt_set_activation_time(made.crt, beginning), 0);
    assert_int_equal(gnutls_x509_crt_set_expiration_time(made.crt, beginning + 2 * a_day), 0);
    assert_int_equal(gnutls_x509_crt_set_ca_status(made.crt, issuer ? 0 : 1), 0);
    if (!issuer) {
        issuer = &made;
    }
    assert_int_equal(gnutls_x509_crt_sign2(made.crt, issuer->crt, issuer->key, digest, 0), 0);
    /* A trust list compares raw names, which only a certificate that was read has (3.7.9). */
    gnutls_datum_t der;
    assert_int_equal(gnutls_x509_crt_export2(made.crt, GNUTLS_X509_FMT_DER, &der), 0);
    gnutls_x509_crt_deinit(made.crt);
    assert_int_equal(gnutls_x509_crt_init(&made.crt), 0);
    assert_int_equal(gnutls_x509_crt_import(made.crt, &der, GNUTLS_X509_FMT_DER), 0);
    gnutls_free(der.data);
    return made;
}

static void forget(struct identity *identity) {
    gnutls_x509_crt_deinit(identity->crt);
    gnutls_x509_privkey_deinit(identity->key);
}

/* What one end has sent and the other not yet read. */
struct way {
    struct ms_bytes bytes;
    size_t read;
};

struct end {
    gnutls_session_t session;
    gnutls_certificate_credentials_t credentials;
    struct way *in, *out;
};

static ssize_t push(gnutls_transport_ptr_t ptr, const void *data, size_t len) {
    struct end *end = ptr;
    assert_true(ms_bytes_add(&end->out->bytes, data, len));
    return (ssize_t)len;
}

static ssize_t pull(gnutls_transport_ptr_t ptr, void *data, size_t len) {
    struct end *end = ptr;
    size_t left = end->in->bytes.len - end->in->read;
    if (left == 0) {
        errno = EAGAIN;
        return -1;
    }
    len = len < left ? len : left;
    memcpy(data, end->in->bytes.data + end->in->read, len);
    end->in->read += len;
    return (ssize_t)len;
}

static void begin(struct end *end, unsigned role, gnutls_priority_t priority, struct way *in,
                  struct way *out) {
    *end = (struct end){.in = in, .out = out};
    assert_int_equal(gnutls_init(&end->session, role | GNUTLS_NONBLOCK), 0);
    assert_int_equal(gnutls_certificate_allocate_credentials(&end->credentials), 0);
    assert_int_equal(gnutls_credentials_set(end->session, GNUTLS_CRD_CERTIFICATE, end->credentials),
                     0);
    assert_int_equal(gnutls_priority_set(end->session, priority), 0);
    gnutls_transport_set_ptr(end->session, end);
    gnutls_transport_set_push_function(end->session, push);
    gnutls_transport_set_pull_function(end->session, pull);
}

static void finish(struct end *end) {
    gnutls_deinit(end->session);
    gnutls_certificate_free_credentials(end->credentials);
    ms_bytes_clear(&end->in->bytes);
}

/* False when the two do not come to terms at all. */
static bool shake_hands(struct end *a, struct end *b) {
    int first = GNUTLS_E_AGAIN, second = GNUTLS_E_AGAIN;
    for (int turn = 0; turn < 20 && (first || second); turn++) {
        first = first ? gnutls_handshake(a->session) : 0;
        second = second ? gnutls_handshake(b->session) : 0;
    }
    return first == 0 && second == 0;
}

/* -1 when no handshake was had. */
static int64_t status_in_a_session(gnutls_priority_t priority, gnutls_priority_t other,
                                   const struct identity *leaf, const struct identity *roots,
                                   unsigned num_roots) {
    struct way there = {0}, back = {0};
    struct end client, server;
    int64_t status = -1;
    begin(&client, GNUTLS_CLIENT, priority, &back, &there);
    begin(&server, GNUTLS_SERVER, other, &there, &back);
    gnutls_x509_crt_t crt = leaf->crt;
    assert_true(gnutls_certificate_set_x509_key(server.credentials, &crt, 1, leaf->key) >= 0);
    for (unsigned i = 0; i < num_roots; i++) {
        crt = roots[i].crt;
        assert_true(gnutls_certificate_set_x509_trust(client.credentials, &crt, 1) >= 0);
    }
    if (shake_hands(&client, &server)) {
        unsigned got;
        assert_int_equal(gnutls_certificate_verify_peers2(client.session, &got), 0);
        status = got;
    }
    finish(&client);
    finish(&server);
    return status;
}

static unsigned status_outside(unsigned flags, const struct identity *leaf,
                               const struct identity *roots, unsigned num_roots) {
    gnutls_x509_trust_list_t list;
    unsigned status;
    gnutls_x509_crt_t crt = leaf->crt;
    assert_int_equal(gnutls_x509_trust_list_init(&list, 0), 0);
    for (unsigned i = 0; i < num_roots; i++) {
        assert_int_equal(gnutls_x509_trust_list_add_cas(list, &roots[i].crt, 1, 0), 1);
    }
    assert_int_equal(
        gnutls_x509_trust_list_verify_crt2(list, &crt, 1, NULL, 0, flags, &status, NULL), 0);
    gnutls_x509_trust_list_deinit(list, 0);
    return status;
}

static const char *const strings[] = {
    NULL,
    "NORMAL",
    "normal:%COMPAT",
    " NORMAL:%PROFILE_VERY_WEAK",
    "NORMAL:%PROFILE_LOW",
    "NORMAL:%PROFILE_LEGACY",
    "NORMAL:%PROFILE_MEDIUM",
    "NORMAL:%PROFILE_HIGH",
    "NORMAL: %PROFILE_ULTRA",
    "NORMAL:%PROFILE_FUTURE",
    "NORMAL:%PROFILE_SUITEB128",
    "NORMAL:%PROFILE_SUITEB192",
    "NORMAL:%PROFILE_HIGH:%PROFILE_VERY_WEAK",
    "NORMAL:%VERIFY_ALLOW_SIGN_WITH_SHA1",
    "NORMAL:%VERIFY_ALLOW_SIGN_RSA_MD5",
    "NORMAL:%VERIFY_ALLOW_BROKEN",
    "NORMAL:%PROFILE_VERY_WEAK:%VERIFY_ALLOW_BROKEN",
    "NORMAL:%VERIFY_DISABLE_CRL_CHECKS:%DISABLE_WILDCARDS",
    "LEGACY",
    "LEGACY:%VERIFY_ALLOW_BROKEN",
    "PFS",
    "PERFORMANCE",
    "SECURE",
    "SECURE128",
    "SECURE192:+SECURE128",
    "SECURE192:+SHA1:+SIGN-ALL",
    "SECURE256:+LEGACY",
    "SUITEB128:+NORMAL",
    "SUITEB192:+SECURE192",
    "SUITEB128",
    "SUITEB192",
    "NONE:+SUITEB192:+SUITEB128",
    "%PROFILE_HIGH:NORMAL",
};

static void a_string_judges_outside_a_session_as_inside(void **state) {
    (void)state;
    gnutls_global_set_time_function(now);
    struct identity roots[] = {
        issue(GNUTLS_PK_RSA, 2048, GNUTLS_DIG_SHA256, NULL),
        issue(GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), GNUTLS_DIG_SHA256,
              NULL),
        issue(GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP384R1), GNUTLS_DIG_SHA384,
              NULL),
    };
    struct identity leaves[] = {
        issue(GNUTLS_PK_RSA, 1024, GNUTLS_DIG_SHA256, &roots[0]),
        issue(GNUTLS_PK_RSA, 2048, GNUTLS_DIG_SHA1, &roots[0]),
        issue(GNUTLS_PK_RSA, 2048, GNUTLS_DIG_MD5, &roots[0]),
        issue(GNUTLS_PK_RSA, 2048, GNUTLS_DIG_SHA256, &roots[0]),
        issue(GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP192R1), GNUTLS_DIG_SHA256,
              &roots[1]),
        issue(GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), GNUTLS_DIG_SHA256,
              &roots[1]),
        issue(GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP384R1), GNUTLS_DIG_SHA384,
              &roots[2]),
    };
    enum { ROOTS = 3, LEAVES = sizeof leaves / sizeof leaves[0] };
    uint16_t tls12 = 0x0303;
    struct ms_restrictions asked = {.versions = {&tls12, 1}};
    struct ms_priority server;
    assert_true(ms_priority_make(&asked, &server, NULL));
    size_t judged[LEAVES] = {0}, refused[LEAVES] = {0};
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++) {
        struct ms_priority priority;
        struct ms_error error = {0};
        asked.priority = strings[i];
        if (!ms_priority_make(&asked, &priority, &error)) {
            fail_msg("%s", error.text);
        }
        for (size_t j = 0; j < LEAVES; j++) {
            int64_t inside =
                status_in_a_session(priority.cache, server.cache, &leaves[j], roots, ROOTS);
            unsigned outside = status_outside(priority.verify_flags, &leaves[j], roots, ROOTS);
            if (inside >= 0 && inside != outside) {
                fail_msg("%s, leaf %zu: 0x%llx in a session, 0x%x outside", priority.text, j,
                         (long long)inside, outside);
            }
            judged[j] += inside >= 0;
            refused[j] += inside > 0;
        }
        ms_priority_clear(&priority);
    }
    for (size_t j = 0; j < LEAVES; j++) {
        /* Each leaf is accepted under some string and refused under another, so that equal
         * answers mean something. */
        assert_true(judged[j] > refused[j]);
        assert_true(refused[j] > 0);
        forget(&leaves[j]);
    }
    for (size_t j = 0; j < ROOTS; j++) {
        forget(&roots[j]);
    }
    ms_priority_clear(&server);
}

static void normal_has_the_low_profile(void **state) {
    (void)state;
    struct ms_restrictions asked = {.priority = NULL};
    struct ms_priority priority;
    assert_true(ms_priority_make(&asked, &priority, NULL));
    assert_int_equal(priority.verify_flags, GNUTLS_PROFILE_TO_VFLAGS(GNUTLS_PROFILE_LOW));
    ms_priority_clear(&priority);
}

/* Flags that no chain of one certificate can show. */
static void words_about_revocation_and_wildcards_are_flags(void **state) {
    (void)state;
    struct ms_restrictions asked = {.priority =
                                        "LEGACY:%VERIFY_DISABLE_CRL_CHECKS:%DISABLE_WILDCARDS"};
    struct ms_priority priority;
    assert_true(ms_priority_make(&asked, &priority, NULL));
    assert_int_equal(priority.verify_flags,
                     GNUTLS_VERIFY_DISABLE_CRL_CHECKS | GNUTLS_VERIFY_DO_NOT_ALLOW_WILDCARDS);
    ms_priority_clear(&priority);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_string_judges_outside_a_session_as_inside),
        cmocka_unit_test(normal_has_the_low_profile),
        cmocka_unit_test(words_about_revocation_and_wildcards_are_flags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
