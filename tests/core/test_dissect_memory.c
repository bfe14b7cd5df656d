/* SPDX-License-Identifier: MIT */
/* Each allocation of a dissection fails in turn. The functions of memory.h below take the place of
 * core/memory.c's. */
#include "dissect.h"
#include "memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* after what it needs */

/* How many more allocations succeed (-1: all), and whether all behind them fail, or one. */
static int left = -1;
static bool once;

static bool refuse(void) {
    if (left == 0) {
        left -= once;
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

static const uint8_t stream[] = {
    22, 3,   3,   0,   9,   14,  0,        0,   0,    2,    0,    0, 1,  'x', /* two messages */
    22, 3,   3,   0,   68, /* three that are looked into: a ClientHello, */
    1,  0,   0,   41,  3,   3,   [58] = 0, 2,   0x13, 0x01, 1,    0, 11, 0,
    0,  7,   0,   0,   4,   0,   0,        1,   'x',                 /* a Certificate */
    13, 0,   0,   8,   1,   1,   0,        4,   0,    2,    0x30, 0, /* and a request */
    22, 'n', 'o', ' ', 'r', 'e', 'c',      'o', 'r',  'd'};

/* Everything in pieces of seven bytes: false when memory was short. */
static bool dissect(struct ms_dissector *dissector, size_t *num_messages, size_t *num_read,
                    size_t *passed) {
    *num_messages = *num_read = *passed = 0;
    for (size_t at = 0; at < sizeof stream; at += 7) {
        struct ms_slice bytes = {stream + at, sizeof stream - at < 7 ? sizeof stream - at : 7};
        while (bytes.len > 0) {
            struct ms_dissected found;
            if (!ms_dissect_next(dissector, MS_SERVER, &bytes, &found)) {
                return false;
            }
            *num_messages += found.messages.num;
            *num_read += found.hello.cipher_suites.num + found.certificates.num + found.issuers.num;
            *passed += found.bytes.len;
            ms_dissected_clear(&found);
        }
    }
    return true;
}

static void survive(void) {
    bool fine = false;
    int granted = 0;
    for (; !fine; granted++) {
        struct ms_dissector dissector = {0};
        size_t num_messages, num_read, passed;
        left = granted;
        fine = dissect(&dissector, &num_messages, &num_read, &passed);
        left = -1;
        if (fine) {
            assert_int_equal(num_messages, 5);
            assert_int_equal(num_read, 3);
            assert_int_equal(passed, sizeof stream);
        }
        ms_dissector_clear(&dissector);
    }
    assert_true(granted > 5);
}

static void a_dissection_survives_any_want_of_memory(void **unused) {
    (void)unused;
    survive();
    once = true;
    survive();
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_dissection_survives_any_want_of_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
