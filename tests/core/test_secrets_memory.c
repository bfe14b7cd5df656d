/* SPDX-License-Identifier: MIT */
/* Secrets where memory runs out, and where it is given back. The functions of memory.h below take
 * the place of core/memory.c's. */
#include "secrets.h"

#include "memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h> /* after what it needs */

static bool refuses;
static size_t given, zeroed; /* blocks of one secret */

void *ms_alloc(size_t size) {
    if (refuses) {
        return NULL;
    }
    assert_int_equal(size, sizeof(struct ms_secret));
    given++;
    return calloc(1, size);
}

void *ms_grow(void *old, size_t size) {
    return realloc(old, size);
}

void ms_free(void *block) {
    static const uint8_t zeros[sizeof(struct ms_secret)];
    assert_memory_equal(block, zeros, sizeof zeros);
    zeroed++;
    free(block);
}

static const uint8_t random_bytes[MS_SECRET_RANDOM] = "random", secret_bytes[] = "secret";
static const struct ms_slice client_random = {random_bytes, sizeof random_bytes},
                             secret = {secret_bytes, sizeof secret_bytes};

static void want_of_memory_leaves_the_list_as_it_was(void **unused) {
    (void)unused;
    struct ms_secrets secrets = {0};
    assert_true(ms_secrets_add(&secrets, "A", client_random, secret));
    refuses = true;
    assert_false(ms_secrets_add(&secrets, "B", client_random, secret));
    assert_true(ms_secrets_add(&secrets, "A", client_random, secret)); /* needs none */
    refuses = false;
    assert_int_equal(secrets.num, 1);
    assert_string_equal(secrets.newest->label, "A");
    ms_secrets_clear(&secrets);
}

static void nothing_of_a_secret_stays_in_memory(void **unused) {
    (void)unused;
    struct ms_secrets secrets = {0};
    given = zeroed = 0;
    assert_true(ms_secrets_add(&secrets, "A", client_random, secret));
    assert_true(ms_secrets_add(&secrets, "B", client_random, secret));
    ms_secrets_clear(&secrets);
    assert_int_equal(given, 2);
    assert_int_equal(zeroed, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(want_of_memory_leaves_the_list_as_it_was),
        cmocka_unit_test(nothing_of_a_secret_stays_in_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
