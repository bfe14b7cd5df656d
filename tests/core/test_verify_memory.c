/* SPDX-License-Identifier: MIT */
/* Each allocation of a verification fails in turn. The functions of memory.h below take the place
 * of core/memory.c's. */
#include "issued.h"

#include "memory.h"

#include <stdlib.h>

/* How many more allocations succeed; -1: all. */
static int left = -1;

static bool refuse(void) {
    if (left == 0) {
        return true;
    }
    left -= left > 0;
    return false;
}

void *ms_alloc(size_t size) {
    return refuse() ? NULL : calloc(1, size ? size : 1);
}

void *ms_grow(void *old, size_t size) {
    return refuse() ? NULL : realloc(old, size ? size : 1);
}

void ms_free(void *block) {
    free(block);
}

static bool verify_once(const struct ms_certificates *chain, const struct ms_certificates *anchors,
                        struct ms_demand demand, struct ms_verification *copy,
                        struct ms_error *error) {
    struct ms_verification result = {0};
    demand.trust = ms_trust_new(anchors, error);
    bool fine = demand.trust && ms_verify(chain, &demand, &result, error);
    ms_trust_release(demand.trust);
    if (fine && !ms_verification_copy(copy, &result)) {
        fine = ms_fail_memory(error);
    }
    ms_verification_clear(&result);
    return fine;
}

/* Copies that are not parsed yet. */
static struct ms_certificates unparsed(struct ms_identity *const *identities) {
    struct ms_certificates list = {0};
    for (; *identities; identities++) {
        struct ms_certificate *fresh =
            ms_certificate_new(ms_certificate_der(ms_identity_leaf(*identities)), NULL);
        assert_true(fresh && ms_certificates_add(&list, fresh));
        ms_certificate_release(fresh);
    }
    return list;
}

static void sweep(struct world *world, struct ms_identity *const *identities,
                  struct ms_identity *const *trusted, const char *problems) {
    bool fine = false;
    int granted = 0;
    for (; !fine; granted++) {
        struct ms_certificates chain = unparsed(identities);
        struct ms_certificates anchors = unparsed(trusted);
        struct ms_error error = {0};
        ms_verification_clear(&world->result);
        left = granted;
        fine = verify_once(&chain, &anchors, world->demand, &world->result, &error);
        left = -1;
        assert_true(fine || error.number == GNUTLS_E_MEMORY_ERROR);
        assert_true(fine || !world->result.present);
        ms_certificates_clear(&chain);
        ms_certificates_clear(&anchors);
    }
    assert_true(granted > 5);
    assert_problems(world, problems);
}

static void a_verification_survives_any_want_of_memory(void **state) {
    struct world *world = *state;
    struct ms_identity *root = limited(world, "CN=root", NULL, 0);
    struct ms_identity *a = authority(world, "CN=a", root);
    struct ms_identity *b = authority(world, "CN=b", a);
    struct ms_identity *good = leaf(world, root);
    struct ms_identity *end = leaf(world, b);
    struct ms_identity *other = authority(world, "CN=other", NULL);
    sweep(world, LIST(good), LIST(root), "");
    sweep(world, LIST(end, b, a), LIST(other), "signer_not_found");
    sweep(world, LIST(end, b, a), LIST(root), "signer_constraints_failure path_length_exceeded");
    world->demand.name = "other.example";
    sweep(world, LIST(good), LIST(root), "unexpected_owner");
    world->demand.max_depth = 2;
    sweep(world, LIST(end, b, a), LIST(root), "depth_exceeded");
}

static void a_store_of_the_system_survives_any_want_of_memory(void **state) {
    struct world *world = *state;
    struct ms_trust *trust = ms_trust_system(NULL);
    if (!trust) { /* a machine without one */
        return;
    }
    gnutls_x509_trust_list_iter_t iterator = NULL;
    gnutls_x509_crt_t crt;
    assert_int_equal(gnutls_x509_trust_list_iter_get_ca(ms_trust_list(trust), &iterator, &crt), 0);
    gnutls_datum_t der;
    assert_int_equal(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der), 0);
    gnutls_x509_crt_deinit(crt);
    gnutls_x509_trust_list_iter_deinit(iterator);
    world->demand.trust = trust;
    world->demand.flags = GNUTLS_VERIFY_DISABLE_TIME_CHECKS;
    bool fine = false;
    for (int i = 0; !fine; i++) {
        struct ms_certificates chain = {0};
        struct ms_certificate *anchor =
            ms_certificate_new((struct ms_slice){der.data, der.size}, NULL);
        assert_true(ms_certificates_begin(&chain) && ms_certificates_add(&chain, anchor));
        struct ms_error error = {0};
        left = i;
        fine = ms_verify(&chain, &world->demand, &world->result, &error);
        left = -1;
        assert_true(fine || error.number == GNUTLS_E_MEMORY_ERROR);
        ms_certificates_clear(&chain);
        ms_certificate_release(anchor);
    }
    assert_problems(world, "");
    gnutls_free(der.data);
    ms_trust_release(trust);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_world, clear_world)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_verification_survives_any_want_of_memory),
        TEST(a_store_of_the_system_survives_any_want_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
