/* SPDX-License-Identifier: MIT */
#include "clock.h"

#include <errno.h>
#include <gnutls/dtls.h>
#include <gnutls/gnutls.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#define NOON 1700000000

static int give_time_back(void **state) {
    (void)state;
    ms_clock_use(NULL, 0, 0);
    return 0;
}

static void a_clock_runs_with_the_system_until_it_is_set(void **state) {
    (void)state;
    struct ms_clock clock = {0};
    int64_t before = time(NULL);
    int64_t now = ms_clock_now(&clock);
    assert_true(before <= now && now <= time(NULL));
    ms_clock_set(&clock, NOON);
    assert_int_equal(ms_clock_now(&clock), NOON);
}

static void a_clock_that_is_advanced_stands_still(void **state) {
    (void)state;
    struct ms_clock clock = {0};
    int64_t before = time(NULL);
    ms_clock_advance(&clock, 3600);
    assert_true(clock.set);
    assert_true(clock.seconds >= before + 3600 && clock.seconds <= time(NULL) + 3600);
    ms_clock_set(&clock, NOON);
    ms_clock_advance(&clock, -60);
    assert_int_equal(ms_clock_now(&clock), NOON - 60);
}

static void a_clock_stops_at_the_end_of_time(void **state) {
    (void)state;
    struct ms_clock clock = {0};
    ms_clock_set(&clock, INT64_MAX - 1);
    ms_clock_advance(&clock, 2);
    assert_true(clock.seconds == INT64_MAX);
    ms_clock_use(&clock, 5, 5);
    assert_true(ms_clock_in_force() == INT64_MAX);
    ms_clock_set(&clock, INT64_MIN + 1);
    ms_clock_advance(&clock, -2);
    assert_true(clock.seconds == INT64_MIN);
}

static void the_clock_in_force_is_the_one_last_named_and_its_offset(void **state) {
    (void)state;
    struct ms_clock clock = {0};
    ms_clock_set(&clock, NOON);
    ms_clock_use(&clock, 100, 7);
    assert_int_equal(ms_clock_in_force(), NOON + 100);
    ms_clock_use(NULL, 0, 0);
    int64_t before = time(NULL);
    assert_true(before <= ms_clock_in_force());
    ms_clock_use(NULL, -100, 0);
    assert_true(ms_clock_in_force() <= time(NULL) - 100);
}

static void a_clock_in_force_may_go(void **state) {
    (void)state;
    {
        struct ms_clock clock = {0};
        ms_clock_set(&clock, NOON);
        ms_clock_use(&clock, 0, 0);
        ms_clock_set(&clock, 0);
    }
    assert_int_equal(ms_clock_in_force(), NOON);
}

static void *read_elsewhere(void *out) {
    *(int64_t *)out = ms_clock_in_force();
    return NULL;
}

static void a_clock_is_in_force_on_its_own_thread_only(void **state) {
    (void)state;
    struct ms_clock clock = {.set = true, .seconds = NOON};
    ms_clock_use(&clock, 0, 0);
    int64_t there = 0;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, read_elsewhere, &there), 0);
    pthread_join(thread, NULL);
    assert_true(there > NOON);
    assert_int_equal(ms_clock_in_force(), NOON);
}

static ssize_t swallow(gnutls_transport_ptr_t where, const void *data, size_t len) {
    (void)where;
    (void)data;
    return (ssize_t)len;
}

static ssize_t starve(gnutls_transport_ptr_t session, void *data, size_t len) {
    (void)data;
    (void)len;
    gnutls_transport_set_errno(session, EAGAIN);
    return -1;
}

static int nothing_there(gnutls_transport_ptr_t where, unsigned ms) {
    (void)where;
    (void)ms;
    return 0;
}

/* A DTLS client that waits for an answer counts down to its next flight, by the private source. */
static void the_private_source_moves_with_the_clock_and_its_extra(void **state) {
    (void)state;
    struct ms_clock clock = {.set = true, .seconds = NOON};
    ms_clock_use(&clock, 0, 0);
    gnutls_session_t session;
    gnutls_certificate_credentials_t credentials;
    assert_int_equal(gnutls_certificate_allocate_credentials(&credentials), 0);
    assert_int_equal(gnutls_init(&session, GNUTLS_CLIENT | GNUTLS_DATAGRAM | GNUTLS_NONBLOCK), 0);
    assert_int_equal(gnutls_set_default_priority(session), 0);
    gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials);
    gnutls_transport_set_ptr(session, session);
    gnutls_transport_set_push_function(session, swallow);
    gnutls_transport_set_pull_function(session, starve);
    gnutls_transport_set_pull_timeout_function(session, nothing_there);
    gnutls_dtls_set_timeouts(session, 10000, 60000);
    assert_int_equal(gnutls_handshake(session), GNUTLS_E_AGAIN);

    assert_int_equal(gnutls_dtls_get_timeout(session), 10000);
    ms_clock_use(&clock, 0, 4);
    assert_int_equal(gnutls_dtls_get_timeout(session), 6000);
    ms_clock_use(&clock, 3, 4);
    assert_int_equal(gnutls_dtls_get_timeout(session), 3000);
    ms_clock_use(&clock, 0, 11);
    assert_int_equal(gnutls_dtls_get_timeout(session), 0);

    gnutls_deinit(session);
    gnutls_certificate_free_credentials(credentials);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clock_runs_with_the_system_until_it_is_set),
        cmocka_unit_test(a_clock_that_is_advanced_stands_still),
        cmocka_unit_test_teardown(a_clock_stops_at_the_end_of_time, give_time_back),
        cmocka_unit_test_teardown(the_clock_in_force_is_the_one_last_named_and_its_offset,
                                  give_time_back),
        cmocka_unit_test_teardown(a_clock_in_force_may_go, give_time_back),
        cmocka_unit_test_teardown(a_clock_is_in_force_on_its_own_thread_only, give_time_back),
        cmocka_unit_test_teardown(the_private_source_moves_with_the_clock_and_its_extra,
                                  give_time_back),
    };
    ms_clock_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
