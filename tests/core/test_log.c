/* SPDX-License-Identifier: MIT */
#include "clock.h"
#include "log.h"
#include "memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h> /* after what it needs */

static void events_keep_their_order_and_their_place(void **unused) {
    (void)unused;
    struct ms_log *log = ms_log_new(NULL);
    const struct ms_event *first = ms_log_add(log, MS_CLIENT, MS_EVENT_DATA);
    for (int i = 0; i < 1000; i++) {
        assert_non_null(ms_log_add(log, i % 2 ? MS_CLIENT : MS_SERVER, MS_EVENT_DATA));
    }
    assert_int_equal(ms_log_num(log), 1001);
    assert_ptr_equal(ms_log_at(log, 0), first);
    for (size_t i = 0; i < ms_log_num(log); i++) {
        assert_int_equal(ms_log_at(log, i)->index, i + 1);
    }
    ms_log_release(log);
}

static void an_event_has_the_time_of_the_clock_in_force(void **unused) {
    (void)unused;
    struct ms_log *log = ms_log_new(NULL);
    struct ms_clock clock = {0};
    ms_clock_set(&clock, 1000);
    ms_clock_use(&clock, -10, 500); /* the last is for GnuTLS's private source alone */
    assert_int_equal(ms_log_add(log, MS_CLIENT, MS_EVENT_DATA)->time, 990);
    ms_clock_use(NULL, 0, 0);
    struct ms_event_view view;
    ms_event_glance(log, 0, &view);
    assert_int_equal(view.time, 990);
    ms_log_release(log);
}

static void bytes_stay_where_they_were_kept(void **unused) {
    (void)unused;
    struct ms_log *log = ms_log_new(NULL);
    struct ms_slice kept[200];
    uint8_t fill[5000];
    for (size_t i = 0; i < 200; i++) {
        memset(fill, (int)i, sizeof fill);
        kept[i] = ms_log_keep(log, fill, i * 25);
        assert_non_null(kept[i].data);
    }
    for (size_t i = 0; i < 200; i++) {
        assert_int_equal(kept[i].len, i * 25);
        for (size_t at = 0; at < kept[i].len; at++) {
            assert_int_equal(kept[i].data[at], i & 0xff);
        }
    }
    ms_log_release(log);
}

static void what_crossed_the_wire_is_kept_once(void **unused) {
    (void)unused;
    struct ms_log *log = ms_log_new(NULL);
    struct ms_event *sent = ms_log_add(log, MS_CLIENT, MS_EVENT_RECORD);
    sent->bytes = ms_log_keep(log, "flight", 6);
    struct ms_slice same = {(const uint8_t *)"flight", 6}, changed = {(const uint8_t *)"fright", 6};
    assert_ptr_equal(ms_log_keep_carried(log, MS_SERVER, same).data, sent->bytes.data);
    assert_ptr_not_equal(ms_log_keep_carried(log, MS_SERVER, changed).data, sent->bytes.data);
    assert_ptr_not_equal(ms_log_keep_carried(log, MS_CLIENT, same).data, sent->bytes.data);
    ms_log_release(log);
}

static void epochs_of_a_kind_are_numbered(void **unused) {
    (void)unused;
    struct ms_log *log = ms_log_new(NULL);
    assert_string_equal(ms_log_epoch_name(log, 0), "initial");
    assert_true(ms_log_begin_epoch(log, "renegotiation"));
    ms_log_add(log, MS_CLIENT, MS_EVENT_DATA);
    assert_true(ms_log_begin_epoch(log, "renegotiation"));
    assert_string_equal(ms_log_epoch_name(log, 1), "renegotiation 1");
    assert_string_equal(ms_log_epoch_name(log, ms_log_epoch(log)), "renegotiation 2");
    assert_int_equal(ms_log_epoch_first(log, 2), 1);
    assert_int_equal(ms_log_at(log, 0)->epoch, 1);
    ms_log_release(log);
}

static void the_same_bytes_are_the_same_certificate(void **unused) {
    (void)unused;
    struct ms_log *log = ms_log_new(NULL);
    struct ms_slice a = {(const uint8_t *)"one", 3}, b = {(const uint8_t *)"two", 3};
    struct ms_certificate *known = ms_certificate_new(b, NULL);
    struct ms_certificates chain = {0};
    assert_true(ms_certificates_add(&chain, known));
    assert_true(ms_log_know(log, &chain));
    assert_ptr_equal(ms_log_certificate(log, b), known);
    assert_ptr_equal(ms_log_certificate(log, a), ms_log_certificate(log, a));
    assert_ptr_not_equal(ms_log_certificate(log, a), known);
    ms_certificates_clear(&chain);
    ms_certificate_release(known);
    ms_log_release(log);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_keep_their_order_and_their_place),
        cmocka_unit_test(an_event_has_the_time_of_the_clock_in_force),
        cmocka_unit_test(bytes_stay_where_they_were_kept),
        cmocka_unit_test(what_crossed_the_wire_is_kept_once),
        cmocka_unit_test(epochs_of_a_kind_are_numbered),
        cmocka_unit_test(the_same_bytes_are_the_same_certificate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
