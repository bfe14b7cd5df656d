/* SPDX-License-Identifier: MIT */
/* Each allocation of ms_priority_make() fails once. This file's allocator stands in for memory.c.
 */
#include "memory.h"
#include "restrictions.h"

#include <stdlib.h>

static size_t num_left; /* allocations until one fails */
static size_t num_held;

static bool is_refused(void) {
    return num_left-- == 0;
}

void *ms_alloc(size_t size) {
    void *block = is_refused() ? NULL : calloc(1, size);
    num_held += block != NULL;
    return block;
}

void *ms_grow(void *old, size_t size) {
    void *block = is_refused() ? NULL : realloc(old, size);
    num_held += block && !old;
    return block;
}

void ms_free(void *block) {
    num_held -= block != NULL;
    free(block);
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    struct asked row = {
        .priority = "NORMAL:%COMPAT",
        .versions = "TLS1.2",
        .suites = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        .groups = "x25519 secp256r1 secp384r1 secp521r1 x448",
        .schemes = "rsa_pkcs1_sha256 rsa_pkcs1_sha384 rsa_pkcs1_sha512 rsa_pss_rsae_sha256 ed25519",
    };
    struct lists lists;
    struct ms_restrictions asked = restrictions_of(&row, &lists);
    struct ms_priority priority;
    bool made = false;
    size_t num = 0;
    for (; !made; num++) {
        struct ms_error error = {0};
        num_left = num;
        made = ms_priority_make(&asked, &priority, &error);
        if (!made) {
            assert_int_equal(error.number, GNUTLS_E_MEMORY_ERROR);
            assert_null(priority.cache);
            assert_null(priority.text);
            assert_int_equal(num_held, 0);
        }
        ms_priority_clear(&priority);
        assert_int_equal(num_held, 0);
    }
    assert_true(num > 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_allocation_may_fail)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
