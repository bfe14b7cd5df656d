/* SPDX-License-Identifier: MIT */
#include "certificate_set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* after what it needs */

enum { MANY = 4096, DEPTH_OF_MANY = 24 }; /* twice the logarithm */

/* Each of these runs through all of the numbers below MANY. */
static unsigned rising(unsigned i) {
    return i;
}

static unsigned falling(unsigned i) {
    return MANY - 1 - i;
}

static unsigned mixed(unsigned i) {
    return (i * 1597 + 51) % MANY;
}

static unsigned outside_in(unsigned i) {
    return i % 2 ? MANY - 1 - i / 2 : i / 2;
}

static struct ms_slice der_of(unsigned number, uint8_t bytes[2]) {
    bytes[0] = (uint8_t)(number >> 8);
    bytes[1] = (uint8_t)number;
    return (struct ms_slice){bytes, 2};
}

static size_t depth_below(const struct ms_certificate_set *set, size_t number) {
    if (number == 0) {
        return 0;
    }
    const struct ms_certificate_node *node = &set->nodes[number - 1];
    size_t left = depth_below(set, node->left), right = depth_below(set, node->right);
    return 1 + (left > right ? left : right);
}

static void whatever_the_order_few_comparisons_find_one(void **unused) {
    (void)unused;
    static unsigned (*const orders[])(unsigned) = {rising, falling, mixed, outside_in};
    for (size_t order = 0; order < sizeof orders / sizeof orders[0]; order++) {
        struct ms_certificate_set set = {0};
        uint8_t bytes[2];
        for (unsigned i = 0; i < MANY; i++) {
            struct ms_slice der = der_of(orders[order](i), bytes);
            struct ms_certificate *certificate = ms_certificate_new(der, NULL);
            assert_null(ms_certificate_set_find(&set, der));
            assert_true(ms_certificate_set_add(&set, certificate));
            assert_ptr_equal(ms_certificate_set_find(&set, der), certificate);
            ms_certificate_release(certificate);
        }
        for (unsigned i = 0; i < MANY; i++) {
            struct ms_slice der = der_of(i, bytes);
            struct ms_certificate *found = ms_certificate_set_find(&set, der);
            assert_non_null(found);
            assert_true(ms_slice_equal(ms_certificate_der(found), der));
        }
        assert_true(depth_below(&set, set.top) <= DEPTH_OF_MANY);
        ms_certificate_set_clear(&set);
    }
}

static void of_the_same_bytes_the_first_stays(void **unused) {
    (void)unused;
    struct ms_certificate_set set = {0};
    struct ms_slice der = {(const uint8_t *)"same", 4}, part = {der.data, 3}, none = {NULL, 0};
    struct ms_certificate *first = ms_certificate_new(der, NULL);
    struct ms_certificate *second = ms_certificate_new(der, NULL);
    struct ms_certificate *empty = ms_certificate_new(none, NULL);
    assert_null(ms_certificate_set_find(&set, der));
    assert_true(ms_certificate_set_add(&set, first));
    assert_true(ms_certificate_set_add(&set, second));
    assert_true(ms_certificate_set_add(&set, empty));
    assert_int_equal(set.num, 2);
    assert_ptr_equal(ms_certificate_set_find(&set, der), first);
    assert_ptr_equal(ms_certificate_set_find(&set, none), empty);
    assert_null(ms_certificate_set_find(&set, part));
    ms_certificate_set_clear(&set);
    assert_null(ms_certificate_set_find(&set, der));
    ms_certificate_release(first);
    ms_certificate_release(second);
    ms_certificate_release(empty);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_the_order_few_comparisons_find_one),
        cmocka_unit_test(of_the_same_bytes_the_first_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
