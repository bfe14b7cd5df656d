/* SPDX-License-Identifier: MIT */
/* Links with one end here: their life, and what the peer begins by itself. */
#include "pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h> /* after what it needs */

#define TLS1_2 0x0303
#define TLS1_3 0x0304

static const uint16_t both[] = {TLS1_2, TLS1_3};

/* ---- ordinary life ---- */

static void they_shake_hands_whatever_the_pieces(void **unused) {
    (void)unused;
    static const size_t pieces[] = {1, 7, SIZE_MAX};
    for (size_t i = 0; i < 6; i++) {
        struct pair pair;
        pair_make(&pair, both[i % 2]);
        pair.world.server_config->client_auth = MS_AUTH_REQUIRE;
        assert_true(ms_config_add_identity(pair.world.client_config, pair.world.client));
        pair_begin(&pair);
        pair_carry_in_pieces(&pair, pieces[i / 2]);
        for (int role = 0; role < 2; role++) {
            const struct ms_state *made = pair_state(&pair, (enum ms_role)role);
            assert_true(ms_link_content(pair.ends[role]));
            assert_true(made->handshake_completed);
            assert_string_equal(made->phase, "established");
            assert_true(made->verification.verified);
            assert_int_equal(made->wire.received_certificates.num, 1);
        }
        pair_send(&pair, MS_CLIENT, "question");
        pair_carry(&pair);
        pair_assert_received(&pair, MS_SERVER, "question");
        pair_send(&pair, MS_SERVER, "answer");
        pair_carry(&pair);
        pair_assert_received(&pair, MS_CLIENT, "answer");
        pair_clear(&pair);
    }
}

/* In memory a silent peer is one that has stalled. */
static void who_waits_goes_on_waiting(void **unused) {
    (void)unused;
    struct pair pair;
    pair_make(&pair, TLS1_3);
    pair_begin(&pair);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pair_pump(pair.ends[MS_CLIENT]), MS_PUMP_QUIET);
        assert_string_equal(pair_state(&pair, MS_CLIENT)->phase, "handshaking");
    }
    pair_carry(&pair);
    assert_string_equal(pair_state(&pair, MS_CLIENT)->phase, "established");
    pair_clear(&pair);
}

static void only_the_end_that_is_here_acts(void **unused) {
    (void)unused;
    for (size_t i = 0; i < 2; i++) {
        struct pair pair;
        struct ms_error error = {0};
        struct ms_slice data = {(const uint8_t *)"x", 1};
        pair_meet(&pair, both[i]);
        assert_false(ms_link_send(pair.ends[MS_CLIENT], MS_SERVER, data, &error));
        assert_string_equal(error.text, "the server is the far end: only it can do that");
        assert_false(ms_link_renegotiate(pair.ends[MS_SERVER], MS_CLIENT, &error));
        assert_string_equal(error.text, "the client is the far end: only it can do that");
        assert_false(ms_link_reauthenticate(pair.ends[MS_CLIENT], &error));
        assert_false(ms_link_update_keys(pair.ends[MS_CLIENT], MS_SERVER, false, &error));
        assert_string_equal(pair_state(&pair, MS_CLIENT)->phase, "established");
        pair_clear(&pair);
    }
}

/* ---- epochs ---- */

static void a_peer_renegotiates_and_the_history_has_it(void **unused) {
    (void)unused;
    for (int by = 0; by < 2; by++) {
        struct pair pair;
        struct ms_error error = {0};
        pair_meet(&pair, TLS1_2);
        assert_true(ms_link_renegotiate(pair.ends[by], (enum ms_role)by, &error));
        pair_carry(&pair);
        for (int role = 0; role < 2; role++) {
            struct ms_link *link = pair.ends[role];
            assert_true(ms_link_content(link));
            assert_int_equal(ms_link_num_history(link), 2);
            const struct ms_state *before = ms_link_history(link, (enum ms_role)role, 0, &error);
            assert_string_equal(before->epoch, "initial");
            assert_int_equal(before->renegotiations, 0);
            const struct ms_state *now = ms_link_history(link, (enum ms_role)role, 1, &error);
            assert_string_equal(now->epoch, "renegotiation 1");
            assert_int_equal(now->renegotiations, 1);
            assert_true(now->handshake_completed);
        }
        pair_clear(&pair);
    }
}

static void a_server_asks_for_a_certificate_afterwards(void **unused) {
    (void)unused;
    struct pair pair;
    struct ms_error error = {0};
    pair_make(&pair, TLS1_3);
    pair.world.server_config->client_auth = MS_AUTH_REQUEST;
    assert_true(ms_config_add_identity(pair.world.client_config, pair.world.client));
    pair_begin(&pair);
    pair_carry(&pair);
    assert_true(ms_link_reauthenticate(pair.ends[MS_SERVER], &error));
    pair_carry_in_pieces(&pair, 5);
    for (int role = 0; role < 2; role++) {
        assert_true(ms_link_content(pair.ends[role]));
        assert_string_equal(pair_state(&pair, (enum ms_role)role)->epoch, "reauthentication 1");
        assert_int_equal(ms_link_num_history(pair.ends[role]), 2);
    }
    const struct ms_state *client = pair_state(&pair, MS_CLIENT);
    assert_int_equal(client->wire.sent_certificates.num, 1);
    assert_true(client->certificate_requested);
    assert_int_equal(client->requested_issuers.num, 1);
    pair_clear(&pair);
}

static void a_refused_wish_leaves_both_established(void **unused) {
    (void)unused;
    for (int by = 0; by < 2; by++) {
        struct pair pair;
        struct ms_error error = {0};
        pair_make(&pair, TLS1_2);
        struct ms_config *configs[] = {
            [MS_CLIENT] = pair.world.client_config, [MS_SERVER] = pair.world.server_config};
        configs[by == MS_CLIENT ? MS_SERVER : MS_CLIENT]->renegotiation = MS_RENEGOTIATION_REFUSE;
        pair_begin(&pair);
        pair_carry(&pair);
        assert_true(ms_link_renegotiate(pair.ends[by], (enum ms_role)by, &error));
        pair_carry(&pair);
        pair_assert_problem(&pair, (enum ms_role)by, "renegotiation_refused");
        assert_false(ms_link_content(pair.ends[by]));
        assert_false(pair_state(&pair, pair_other((enum ms_role)by))->error.present);
        pair_send(&pair, MS_CLIENT, "still here");
        pair_carry(&pair);
        pair_assert_received(&pair, MS_SERVER, "still here");
        pair_clear(&pair);
    }
}

static void data_may_cross_the_wish(void **unused) {
    (void)unused;
    for (int by = 0; by < 2; by++) {
        struct pair pair;
        struct ms_error error = {0};
        enum ms_role asks = (enum ms_role)by;
        pair_meet(&pair, TLS1_2);
        assert_true(ms_link_renegotiate(pair.ends[by], asks, &error));
        assert_int_equal(pair_pump(pair.ends[by]), MS_PUMP_QUIET);
        pair_send(&pair, pair_other(asks), "crossing");
        assert_true(pair_carry_from(&pair, pair_other(asks), 3));
        pair_carry_in_pieces(&pair, 3);
        pair_assert_received(&pair, asks, "crossing");
        assert_true(ms_link_content(pair.ends[MS_CLIENT]));
        assert_true(ms_link_content(pair.ends[MS_SERVER]));
        assert_int_equal(pair_state(&pair, asks)->renegotiations, 1);
        pair_clear(&pair);
    }
}

static void a_peer_that_begins_anew_without_end_is_stopped(void **unused) {
    (void)unused;
    struct pair pair;
    struct ms_error error = {0};
    pair_meet(&pair, TLS1_2);
    int rounds = 0;
    while (!pair_state(&pair, MS_CLIENT)->error.present && rounds < 200) {
        assert_true(ms_link_renegotiate(pair.ends[MS_SERVER], MS_SERVER, &error));
        pair_carry(&pair);
        rounds++;
    }
    assert_int_equal(rounds, 101);
    pair_assert_problem(&pair, MS_CLIENT, "protocol_violation");
    assert_string_equal(pair_state(&pair, MS_CLIENT)->phase, "failed");
    assert_int_equal(ms_link_num_history(pair.ends[MS_CLIENT]), 101);
    pair_assert_problem(&pair, MS_SERVER, "peer_alert");
    pair_clear(&pair);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_shake_hands_whatever_the_pieces),
        cmocka_unit_test(who_waits_goes_on_waiting),
        cmocka_unit_test(only_the_end_that_is_here_acts),
        cmocka_unit_test(a_peer_renegotiates_and_the_history_has_it),
        cmocka_unit_test(a_server_asks_for_a_certificate_afterwards),
        cmocka_unit_test(a_refused_wish_leaves_both_established),
        cmocka_unit_test(data_may_cross_the_wish),
        cmocka_unit_test(a_peer_that_begins_anew_without_end_is_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
