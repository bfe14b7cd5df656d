/* SPDX-License-Identifier: MIT */
#include "world.h"

#include "memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h> /* after what it needs */

#define TLS1_2 0x0303
#define TLS1_3 0x0304

static const uint16_t both[] = {TLS1_2, TLS1_3};

static void require_client(struct world *world) {
    world->server_config->client_auth = MS_AUTH_REQUIRE;
}

static void shake(struct world *world) {
    struct ms_error error = {0};
    assert_true(ms_link_handshake(world->link, &error));
    world_pump(world);
}

static void mutual_tls_shows_both_chains_on_both_ends(void **unused) {
    (void)unused;
    for (size_t i = 0; i < 2; i++) {
        struct world world;
        world_make(&world, both[i]);
        require_client(&world);
        assert_true(ms_config_add_identity(world.client_config, world.client));
        world_link(&world, NULL);
        assert_string_equal(world_state(&world, MS_CLIENT)->phase, "idle");
        shake(&world);
        assert_true(ms_link_content(world.link));
        const struct ms_state *client = world_state(&world, MS_CLIENT);
        const struct ms_state *server = world_state(&world, MS_SERVER);
        assert_string_equal(client->phase, "established");
        assert_string_equal(client->version, both[i] == TLS1_3 ? "TLS1.3" : "TLS1.2");
        assert_true(ms_certificate_equal(client->local_certificate, server->peer_certificate));
        assert_true(ms_certificate_equal(server->local_certificate, client->peer_certificate));
        assert_true(client->verification.verified && server->verification.verified);
        assert_true(client->certificate_requested && server->certificate_requested);
        assert_int_equal(client->wire.sent_certificates.num, 1);
        assert_int_equal(server->wire.received_certificates.num, 1);
        assert_null(client->not_sent_because);
        assert_int_equal(client->tickets_received, both[i] == TLS1_3 ? 2 : 1);
        world_clear(&world);
    }
}

static void a_missing_certificate_is_told_by_each_version_in_its_way(void **unused) {
    (void)unused;
    for (size_t i = 0; i < 2; i++) {
        struct world world;
        world_make(&world, both[i]);
        require_client(&world);
        world_link(&world, NULL);
        shake(&world);
        assert_false(ms_link_content(world.link));
        const struct ms_state *client = world_state(&world, MS_CLIENT);
        const struct ms_state *server = world_state(&world, MS_SERVER);
        bool late = both[i] == TLS1_3;
        assert_string_equal(server->error.problem, "no_certificate");
        assert_string_equal(server->told_by, "itself");
        assert_int_equal(server->alert_sent.number, late ? 116 : 50);
        assert_int_equal(client->alert_received.number, late ? 116 : 50);
        assert_string_equal(client->error.problem, "peer_alert");
        assert_string_equal(client->failed_during, late ? "read" : "handshake");
        assert_int_equal(client->handshake_completed, late);
        assert_non_null(server->wire.received_certificates.items);
        assert_int_equal(server->wire.received_certificates.num, 0);
        world_clear(&world);
    }
}

static bool lose(void *context, struct ms_link *link, enum ms_role from, struct ms_slice bytes,
                 struct ms_error *error) {
    (void)context;
    return from == MS_SERVER || world_deliver(link, from, bytes, error);
}

static void a_lost_flight_stalls_both_ends(void **unused) {
    (void)unused;
    for (size_t i = 0; i < 2; i++) {
        struct world world;
        world_make(&world, both[i]);
        world_link(&world, NULL);
        world_carry(&world, lose, NULL);
        shake(&world);
        assert_false(ms_link_content(world.link));
        assert_string_equal(world_state(&world, MS_CLIENT)->phase, "stalled");
        assert_string_equal(world_state(&world, MS_SERVER)->phase, "stalled");
        assert_null(world_state(&world, MS_CLIENT)->version);
        world_clear(&world);
    }
}

static bool carry_all(void *context, struct ms_link *link, enum ms_role from, struct ms_slice bytes,
                      struct ms_error *error) {
    (void)context;
    return world_deliver(link, from, bytes, error);
}

static bool carry_bytes(void *context, struct ms_link *link, enum ms_role from,
                        struct ms_slice bytes, struct ms_error *error) {
    (void)context;
    for (size_t i = 0; i < bytes.len; i++) {
        if (!world_deliver(link, from, (struct ms_slice){bytes.data + i, 1}, error)) {
            return false;
        }
    }
    return true;
}

/* What the whole life of a link logs, without what chance makes. */
static void log_of(uint16_t version, world_carrier *carry, struct ms_bytes *logged) {
    struct world world;
    struct ms_error error = {0};
    world_make(&world, version);
    require_client(&world);
    assert_true(ms_config_add_identity(world.client_config, world.client));
    world_link(&world, NULL);
    if (carry) {
        world_carry(&world, carry, NULL);
    }
    shake(&world);
    assert_true(version == TLS1_3 ? ms_link_reauthenticate(world.link, &error)
                                  : ms_link_renegotiate(world.link, MS_SERVER, &error));
    world_pump(&world);
    assert_true(
        ms_link_send(world.link, MS_SERVER, (struct ms_slice){(const uint8_t *)"x", 1}, &error));
    world_pump(&world);
    assert_true(ms_link_close(world.link, true, true, &error));
    world_pump(&world);
    assert_true(ms_link_content(world.link));
    assert_string_equal(world_state(&world, MS_CLIENT)->phase, "closed");
    struct ms_log *log = ms_link_log(world.link);
    for (size_t i = 0; i < ms_log_num(log); i++) {
        const struct ms_event *event = ms_log_at(log, i);
        assert_true(ms_bytes_add(logged,
                                 (uint8_t[]){(uint8_t)event->role, (uint8_t)event->kind,
                                             event->type, event->incoming, event->delivered},
                                 5));
    }
    world_clear(&world);
}

static void a_carrier_that_changes_nothing_changes_nothing(void **unused) {
    (void)unused;
    for (size_t i = 0; i < 2; i++) {
        struct ms_bytes plain = {0}, carried = {0};
        log_of(both[i], NULL, &plain);
        log_of(both[i], carry_all, &carried);
        assert_int_equal(plain.len, carried.len);
        assert_memory_equal(plain.data, carried.data, plain.len);
        carried.len = 0;
        log_of(both[i], carry_bytes, &carried); /* and so do pieces of a byte */
        assert_int_equal(plain.len, carried.len);
        ms_bytes_clear(&plain);
        ms_bytes_clear(&carried);
    }
}

static void a_policy_is_asked_between_steps(void **unused) {
    (void)unused;
    for (size_t i = 0; i < 4; i++) {
        struct world world;
        struct ms_error error = {0};
        world_make(&world, both[i % 2]);
        world.client_config->verify = MS_VERIFY_ASK;
        world_link(&world, NULL);
        assert_true(ms_link_handshake(world.link, &error));
        assert_int_equal(ms_link_pump(world.link, NULL, NULL, &error), MS_PUMP_ASKS);
        assert_int_equal(ms_link_asking(world.link), MS_CLIENT);
        struct ms_session *client = ms_link_end(world.link, MS_CLIENT);
        assert_true(ms_session_question(client)->verified);
        ms_session_answer(client, i < 2);
        world_pump(&world);
        assert_int_equal(ms_link_content(world.link), i < 2);
        const struct ms_state *state = world_state(&world, MS_CLIENT);
        assert_true(state->verification.verified);
        assert_int_equal(state->verification.accepted, i < 2);
        if (i >= 2) {
            assert_string_equal(state->error.problem, "certificate_rejected");
        }
        world_clear(&world);
    }
}

static void renegotiation_makes_an_epoch(void **unused) {
    (void)unused;
    for (int by = 0; by < 2; by++) {
        struct world world;
        struct ms_error error = {0};
        world_make(&world, TLS1_2);
        assert_true(ms_config_add_identity(world.client_config, world.client));
        world_link(&world, NULL);
        shake(&world);
        assert_true(ms_link_content(world.link));
        struct ms_config *asking = world_config(&world, MS_SERVER, TLS1_2);
        asking->client_auth = MS_AUTH_REQUIRE;
        assert_true(ms_config_finish(asking, NULL, &error));
        assert_true(ms_link_use(world.link, MS_SERVER, asking, &error));
        ms_config_release(asking);
        assert_true(ms_link_renegotiate(world.link, (enum ms_role)by, &error));
        world_pump(&world);
        assert_true(ms_link_content(world.link));
        const struct ms_state *server = world_state(&world, MS_SERVER);
        assert_string_equal(server->epoch, "renegotiation 1");
        assert_int_equal(server->renegotiations, 1);
        assert_non_null(server->peer_certificate);
        assert_int_equal(ms_link_num_history(world.link), 2);
        const struct ms_state *first = ms_link_history(world.link, MS_SERVER, 0, &error);
        assert_string_equal(first->epoch, "initial");
        assert_null(first->peer_certificate);
        world_clear(&world);
    }
}

static void reauthentication_asks_only_then(void **unused) {
    (void)unused;
    struct world world;
    struct ms_error error = {0};
    world_make(&world, TLS1_3);
    assert_true(ms_config_add_identity(world.client_config, world.client));
    world_link(&world, NULL);
    shake(&world);
    struct ms_config *asking = world_config(&world, MS_SERVER, TLS1_3);
    asking->client_auth = MS_AUTH_REQUIRE;
    assert_true(ms_config_finish(asking, NULL, &error));
    for (int round = 0; round < 3; round++) {
        assert_true(ms_link_use(world.link, MS_SERVER, asking, &error));
        assert_true(ms_link_reauthenticate(world.link, &error));
        world_pump(&world);
        assert_true(ms_link_content(world.link));
        assert_non_null(world_state(&world, MS_SERVER)->peer_certificate);
        assert_true(world_state(&world, MS_CLIENT)->certificate_requested);
    }
    assert_string_equal(world_state(&world, MS_CLIENT)->epoch, "reauthentication 3");
    ms_config_release(asking);
    world_clear(&world);
}

static void twenty_key_updates_pass(void **unused) {
    (void)unused;
    struct world world;
    struct ms_error error = {0};
    world_make(&world, TLS1_3);
    world_link(&world, NULL);
    shake(&world);
    for (int i = 0; i < 20; i++) {
        assert_true(ms_link_update_keys(world.link, MS_CLIENT, false, &error));
        world_pump(&world);
        assert_true(ms_link_content(world.link));
    }
    world_clear(&world);
}

static void data_arrives(void **unused) {
    (void)unused;
    for (size_t i = 0; i < 2; i++) {
        struct world world;
        struct ms_error error = {0};
        static uint8_t big[100000];
        memset(big, 'x', sizeof big);
        world_make(&world, both[i]);
        world_link(&world, NULL);
        shake(&world);
        assert_true(
            ms_link_send(world.link, MS_CLIENT, (struct ms_slice){big, sizeof big}, &error));
        world_pump(&world);
        struct ms_slice got = ms_session_received(ms_link_end(world.link, MS_SERVER));
        assert_int_equal(got.len, sizeof big);
        assert_memory_equal(got.data, big, sizeof big);
        assert_true(ms_link_close(world.link, true, true, &error));
        world_pump(&world);
        assert_true(ms_link_content(world.link));
        assert_string_equal(world_state(&world, MS_SERVER)->phase, "closed");
        assert_string_equal(world_state(&world, MS_SERVER)->alert_received.name, "close_notify");
        assert_false(ms_link_send(world.link, MS_CLIENT, (struct ms_slice){big, 1}, &error));
        world_clear(&world);
    }
}

static void a_session_is_resumed(void **unused) {
    (void)unused;
    for (int i = 0; i < 6; i++) { /* each version; live, closed, retired */
        struct world world;
        struct ms_error error = {0};
        world_make(&world, both[i % 2]);
        require_client(&world);
        assert_true(ms_config_add_identity(world.client_config, world.client));
        world_link(&world, NULL);
        shake(&world);
        struct ms_link *first = world.link;
        if (i >= 2) {
            assert_true(ms_link_close(first, true, true, &error));
            world_pump(&world);
        }
        if (i >= 4) {
            assert_true(ms_link_retire(first, &error));
            assert_string_equal(world_state(&world, MS_CLIENT)->phase, "closed");
        }
        world.link =
            ms_link_new(world.client_config, world.server_config, &world.clock, first, &error);
        assert_string_equal(error.text, "");
        shake(&world);
        assert_true(ms_link_content(world.link));
        const struct ms_state *client = world_state(&world, MS_CLIENT);
        const struct ms_state *server = world_state(&world, MS_SERVER);
        assert_true(client->resumed && server->resumed);
        assert_null(client->local_certificate);
        assert_non_null(server->peer_certificate);
        assert_null(server->wire.received_certificates.items);
        assert_false(client->verification.present);
        assert_string_equal(client->not_sent_because, "not_requested");
        ms_link_free(first);
        world_clear(&world);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mutual_tls_shows_both_chains_on_both_ends),
        cmocka_unit_test(a_missing_certificate_is_told_by_each_version_in_its_way),
        cmocka_unit_test(a_lost_flight_stalls_both_ends),
        cmocka_unit_test(a_carrier_that_changes_nothing_changes_nothing),
        cmocka_unit_test(a_policy_is_asked_between_steps),
        cmocka_unit_test(renegotiation_makes_an_epoch),
        cmocka_unit_test(reauthentication_asks_only_then),
        cmocka_unit_test(twenty_key_updates_pass),
        cmocka_unit_test(data_arrives),
        cmocka_unit_test(a_session_is_resumed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
