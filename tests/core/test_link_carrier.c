/* SPDX-License-Identifier: MIT */
/* Links with one end here: what the carrier does to them, or a peer that speaks no TLS. */
#include "pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h> /* after what it needs */

#define TLS1_2 0x0303
#define TLS1_3 0x0304

static const uint16_t both[] = {TLS1_2, TLS1_3};

/* ---- what a carrier does ---- */

static void it_breaks_whatever_the_phase(void **unused) {
    (void)unused;
    struct ms_error error = {0};
    for (int phase = 0; phase < 5; phase++) {
        struct pair pair;
        pair_make(&pair, TLS1_2);
        pair.world.client_config->verify = phase == 2 ? MS_VERIFY_ASK : MS_VERIFY_ALWAYS;
        pair_begin(&pair);
        struct ms_link *client = pair.ends[MS_CLIENT];
        assert_int_equal(pair_pump(client), MS_PUMP_QUIET);
        if (phase == 2) { /* while a question waits for its answer */
            assert_true(ms_link_take(client, MS_CLIENT).len > 0);
            (void)pair_carry_from(&pair, MS_CLIENT, SIZE_MAX);
        } else if (phase > 0) {
            pair_carry(&pair);
        }
        if (phase == 3) {
            assert_true(ms_link_renegotiate(client, MS_CLIENT, &error));
            assert_int_equal(pair_pump(client), MS_PUMP_QUIET);
        } else if (phase == 4) {
            assert_true(ms_link_close(client, true, false, &error));
        }
        assert_true(ms_link_break(client, "connection_reset", "the wire was cut", &error));
        assert_true(ms_link_break(client, "timeout", "later", &error)); /* the first word holds */
        const struct ms_state *made = pair_state(&pair, MS_CLIENT);
        assert_string_equal(made->phase, "failed");
        pair_assert_problem(&pair, MS_CLIENT, "connection_reset");
        assert_string_equal(made->error.message, "the wire was cut");
        assert_string_equal(made->told_by, "itself");
        assert_string_equal(made->failed_during, phase == 1 || phase == 4 ? "read" : "handshake");
        assert_false(ms_link_content(client));
        pair_feed(&pair, MS_CLIENT, "whatever", 8);
        assert_int_equal(pair_pump(client), MS_PUMP_QUIET);
        pair_clear(&pair);
    }
}

static void it_breaks_before_anything(void **unused) {
    (void)unused;
    struct world world;
    struct ms_error error = {0};
    world_make(&world, TLS1_3);
    assert_true(ms_config_finish(world.client_config, NULL, &error));
    world.link = ms_link_new(world.client_config, NULL, &world.clock, NULL, &error);
    assert_non_null(world.link);
    assert_true(ms_link_break(world.link, "connection_refused", "nobody", &error));
    const struct ms_state *made = world_state(&world, MS_CLIENT);
    assert_string_equal(made->phase, "failed");
    assert_string_equal(made->error.problem, "connection_refused");
    assert_string_equal(made->error.code, "GNUTLS_E_PULL_ERROR");
    assert_false(ms_link_handshake(world.link, &error));
    world_clear(&world);
}

static void the_end_of_the_stream_is_told_from_a_goodbye(void **unused) {
    (void)unused;
    for (size_t i = 0; i < 4; i++) {
        struct pair pair;
        struct ms_error error = {0};
        bool orderly = i / 2 > 0;
        pair_meet(&pair, both[i % 2]);
        if (orderly) {
            assert_true(ms_link_close(pair.ends[MS_SERVER], false, true, &error));
            pair_carry(&pair);
        }
        ms_link_hang_up(pair.ends[MS_CLIENT], MS_CLIENT);
        assert_int_equal(pair_pump(pair.ends[MS_CLIENT]), MS_PUMP_QUIET);
        const struct ms_state *made = pair_state(&pair, MS_CLIENT);
        assert_string_equal(made->phase, orderly ? "closed" : "failed");
        assert_int_equal(made->error.present, !orderly);
        if (!orderly) {
            pair_assert_problem(&pair, MS_CLIENT, "closed_early");
            assert_string_equal(made->told_by, "peer");
        }
        pair_clear(&pair);
    }
}

static void a_stream_that_ends_in_a_handshake_ends_it(void **unused) {
    (void)unused;
    for (int role = 0; role < 2; role++) {
        struct pair pair;
        pair_make(&pair, TLS1_3);
        pair_begin(&pair);
        ms_link_hang_up(pair.ends[role], (enum ms_role)role);
        assert_int_equal(pair_pump(pair.ends[role]), MS_PUMP_QUIET);
        pair_assert_problem(&pair, (enum ms_role)role, "closed_early");
        pair_clear(&pair);
    }
}

/* GnuTLS calls it a length that it did not expect. */
static void a_stream_that_ends_in_a_record_was_closed_early(void **unused) {
    (void)unused;
    static const char part[] = "\x17\x03\x03\x00\x40 and no more";
    for (size_t i = 0; i < 2; i++) {
        struct pair pair;
        pair_meet(&pair, both[i]);
        pair_feed(&pair, MS_CLIENT, part, sizeof part - 1);
        ms_link_hang_up(pair.ends[MS_CLIENT], MS_CLIENT);
        assert_int_equal(pair_pump(pair.ends[MS_CLIENT]), MS_PUMP_QUIET);
        pair_assert_problem(&pair, MS_CLIENT, "closed_early");
        const struct ms_state *made = pair_state(&pair, MS_CLIENT);
        assert_string_equal(made->told_by, "peer");
        assert_false(made->alert_sent.present); /* nobody is there to be told */
        pair_clear(&pair);
    }
}

/* That the stream ends behind it does not excuse a message that is too short. */
static void a_whole_record_that_is_wrong_is_a_violation_all_the_same(void **unused) {
    (void)unused;
    static const uint8_t short_hello[] = {22, 3, 3, 0, 6, 2, 0, 0, 2, 3, 3};
    struct pair pair;
    pair_make(&pair, TLS1_2);
    pair_begin(&pair);
    assert_int_equal(pair_pump(pair.ends[MS_CLIENT]), MS_PUMP_QUIET);
    pair_feed(&pair, MS_CLIENT, short_hello, sizeof short_hello);
    ms_link_hang_up(pair.ends[MS_CLIENT], MS_CLIENT);
    assert_int_equal(pair_pump(pair.ends[MS_CLIENT]), MS_PUMP_QUIET);
    pair_assert_problem(&pair, MS_CLIENT, "protocol_violation");
    assert_string_equal(pair_state(&pair, MS_CLIENT)->error.code,
                        "GNUTLS_E_UNEXPECTED_PACKET_LENGTH");
    pair_clear(&pair);
}

static void who_closed_still_receives(void **unused) {
    (void)unused;
    for (size_t i = 0; i < 2; i++) {
        struct pair pair;
        struct ms_error error = {0};
        pair_meet(&pair, both[i]);
        assert_true(ms_link_close(pair.ends[MS_CLIENT], true, false, &error));
        assert_string_equal(pair_state(&pair, MS_CLIENT)->phase, "closed");
        pair_send(&pair, MS_SERVER, "last words"); /* the goodbye has not arrived */
        pair_carry(&pair);
        pair_assert_received(&pair, MS_CLIENT, "last words");
        assert_string_equal(pair_state(&pair, MS_SERVER)->phase, "closed");
        assert_true(ms_link_close(pair.ends[MS_SERVER], false, true, &error));
        pair_carry(&pair);
        assert_true(ms_session_ended(ms_link_end(pair.ends[MS_CLIENT], MS_CLIENT)));
        assert_false(pair_state(&pair, MS_CLIENT)->error.present);
        pair_clear(&pair);
    }
}

static void meet_to_part(struct pair *pair, uint16_t version, enum ms_role closes) {
    struct ms_error error = {0};
    pair_make(pair, version);
    pair->world.server_config->client_auth = MS_AUTH_REQUEST;
    pair_begin(pair);
    pair_carry(pair);
    assert_true(
        ms_link_close(pair->ends[closes], closes == MS_CLIENT, closes == MS_SERVER, &error));
}

static void want_anew(struct pair *pair, enum ms_role by, uint16_t version) {
    struct ms_error error = {0};
    assert_true(version == TLS1_3 ? ms_link_reauthenticate(pair->ends[by], &error)
                                  : ms_link_renegotiate(pair->ends[by], by, &error));
}

static const struct {
    uint16_t version;
    enum ms_role by;
} wishes[] = {{TLS1_2, MS_SERVER}, {TLS1_2, MS_CLIENT}, {TLS1_3, MS_SERVER}};

static void who_closed_goes_along_with_nothing(void **unused) {
    (void)unused;
    for (size_t i = 0; i < 3; i++) {
        struct pair pair;
        enum ms_role by = wishes[i].by, other = pair_other(by);
        meet_to_part(&pair, wishes[i].version, other);
        size_t before = pair_count(&pair, other, MS_EVENT_MESSAGE, true);
        want_anew(&pair, by, wishes[i].version); /* the goodbye has not arrived */
        pair_carry(&pair);
        assert_int_equal(pair_count(&pair, other, MS_EVENT_MESSAGE, true),
                         before + (by == MS_SERVER ? 1 : 0)); /* GnuTLS tells of no ClientHello */
        const struct ms_state *made = pair_state(&pair, other);
        assert_string_equal(made->phase, "closed");
        assert_false(made->error.present);
        assert_int_equal(ms_link_num_history(pair.ends[other]), 1);
        pair_assert_problem(&pair, by, "closed_early");
        pair_clear(&pair);
    }
}

static void who_closed_answers_no_key_update(void **unused) {
    (void)unused;
    struct pair pair;
    struct ms_error error = {0};
    meet_to_part(&pair, TLS1_3, MS_CLIENT);
    assert_true(ms_link_update_keys(pair.ends[MS_SERVER], MS_SERVER, true, &error));
    assert_true(pair_carry_from(&pair, MS_SERVER, SIZE_MAX)); /* the goodbye has not arrived */
    assert_string_equal(pair_state(&pair, MS_CLIENT)->phase, "closed");
    assert_false(pair_state(&pair, MS_CLIENT)->error.present);
    pair_clear(&pair);
}

static void nothing_can_be_had_anew_of_a_peer_that_closed(void **unused) {
    (void)unused;
    for (size_t i = 0; i < 3; i++) {
        struct pair pair;
        enum ms_role by = wishes[i].by, other = pair_other(by);
        meet_to_part(&pair, wishes[i].version, other);
        pair_carry(&pair);
        want_anew(&pair, by, wishes[i].version);
        pair_carry(&pair);
        pair_assert_problem(&pair, by, "closed_early");
        const struct ms_state *made = pair_state(&pair, by);
        assert_string_equal(made->told_by, "peer");
        assert_string_equal(made->failed_during, "handshake");
        assert_false(ms_link_content(pair.ends[by]));
        pair_clear(&pair);
    }
}

/* RFC 8446 section 6.1 */
static void what_comes_after_the_goodbye_is_on_record_and_ignored(void **unused) {
    (void)unused;
    for (size_t i = 0; i < 2; i++) {
        struct pair pair;
        struct ms_error error = {0};
        static const uint8_t late[] = {23, 3, 3, 0, 4, 'l', 'a', 't', 'e', 22, 3, 3};
        pair_meet(&pair, both[i]);
        assert_true(ms_link_close(pair.ends[MS_SERVER], false, true, &error));
        pair_carry(&pair);
        size_t before = pair_count(&pair, MS_CLIENT, MS_EVENT_RECORD, true);
        pair_feed(&pair, MS_CLIENT, late, sizeof late);
        assert_int_equal(pair_pump(pair.ends[MS_CLIENT]), MS_PUMP_QUIET);
        assert_int_equal(pair_count(&pair, MS_CLIENT, MS_EVENT_RECORD, true), before + 1);
        assert_string_equal(pair_state(&pair, MS_CLIENT)->phase, "closed");
        pair_assert_received(&pair, MS_CLIENT, "");
        pair_clear(&pair);
    }
}

static void so_is_what_comes_after_a_failure(void **unused) {
    (void)unused;
    struct pair pair;
    pair_make(&pair, TLS1_2);
    pair_begin(&pair);
    assert_int_equal(pair_pump(pair.ends[MS_CLIENT]), MS_PUMP_QUIET);
    static const uint8_t handshake_failure[] = {21, 3, 3, 0, 2, 2, 40};
    pair_feed(&pair, MS_CLIENT, handshake_failure, sizeof handshake_failure);
    assert_int_equal(pair_pump(pair.ends[MS_CLIENT]), MS_PUMP_QUIET);
    pair_assert_problem(&pair, MS_CLIENT, "peer_alert");
    for (int i = 0; i < 3; i++) {
        pair_feed(&pair, MS_CLIENT, handshake_failure, sizeof handshake_failure);
        assert_int_equal(pair_pump(pair.ends[MS_CLIENT]), MS_PUMP_QUIET);
    }
    assert_int_equal(pair_count(&pair, MS_CLIENT, MS_EVENT_RECORD, true), 4);
    assert_int_equal(pair_count(&pair, MS_CLIENT, MS_EVENT_ERROR, false), 1);
    pair_clear(&pair);
}

/* ---- alerts in clear ---- */

static const uint8_t warning[] = {21, 3, 3, 0, 2, 1, 112}; /* unrecognized_name */

static void each_alert_of_a_piece_is_noted_as_what_it_is(void **unused) {
    (void)unused;
    struct pair pair;
    pair_make(&pair, TLS1_2);
    pair_begin(&pair);
    assert_int_equal(pair_pump(pair.ends[MS_CLIENT]), MS_PUMP_QUIET);
    uint8_t piece[21] = {0};
    memcpy(piece, warning, 7);
    memcpy(piece + 7, warning, 7);
    memcpy(piece + 14, warning, 7);
    piece[12] = 1;
    piece[13] = 90; /* user_canceled */
    piece[19] = 2;
    piece[20] = 40; /* handshake_failure */
    pair_feed(&pair, MS_CLIENT, piece, sizeof piece);
    assert_int_equal(pair_pump(pair.ends[MS_CLIENT]), MS_PUMP_QUIET);
    static const uint8_t wanted[][2] = {{1, 112}, {1, 90}, {2, 40}};
    const struct ms_log *log = ms_link_log(pair.ends[MS_CLIENT]);
    size_t num = 0;
    for (size_t i = 0; i < ms_log_num(log); i++) {
        const struct ms_event *event = ms_log_at(log, i);
        if (event->kind == MS_EVENT_ALERT && event->incoming) {
            assert_true(num < 3);
            assert_int_equal(event->level, wanted[num][0]);
            assert_int_equal(event->type, wanted[num][1]);
            num++;
        }
    }
    assert_int_equal(num, 3);
    pair_assert_problem(&pair, MS_CLIENT, "peer_alert");
    pair_clear(&pair);
}

static void warnings_without_end_are_a_violation(void **unused) {
    (void)unused;
    struct pair pair;
    pair_make(&pair, TLS1_2);
    pair_begin(&pair);
    for (int i = 0; i < 30; i++) {
        pair_feed(&pair, MS_CLIENT, warning, sizeof warning);
        assert_int_equal(pair_pump(pair.ends[MS_CLIENT]), MS_PUMP_QUIET);
    }
    pair_assert_problem(&pair, MS_CLIENT, "protocol_violation");
    assert_int_equal(pair_count(&pair, MS_CLIENT, MS_EVENT_ALERT, true), 9);
    pair_clear(&pair);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_breaks_whatever_the_phase),
        cmocka_unit_test(it_breaks_before_anything),
        cmocka_unit_test(the_end_of_the_stream_is_told_from_a_goodbye),
        cmocka_unit_test(a_stream_that_ends_in_a_handshake_ends_it),
        cmocka_unit_test(a_stream_that_ends_in_a_record_was_closed_early),
        cmocka_unit_test(a_whole_record_that_is_wrong_is_a_violation_all_the_same),
        cmocka_unit_test(who_closed_still_receives),
        cmocka_unit_test(who_closed_goes_along_with_nothing),
        cmocka_unit_test(who_closed_answers_no_key_update),
        cmocka_unit_test(nothing_can_be_had_anew_of_a_peer_that_closed),
        cmocka_unit_test(what_comes_after_the_goodbye_is_on_record_and_ignored),
        cmocka_unit_test(so_is_what_comes_after_a_failure),
        cmocka_unit_test(each_alert_of_a_piece_is_noted_as_what_it_is),
        cmocka_unit_test(warnings_without_end_are_a_violation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
