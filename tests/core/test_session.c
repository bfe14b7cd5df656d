/* SPDX-License-Identifier: MIT */
/* What an end reports where a link is closed early, carried badly, or goes on with other options.
 */
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

static void shake(struct world *world) {
    assert_true(ms_link_handshake(world->link, NULL));
    world_pump(world);
}

static void close_link(struct world *world, bool client, bool server) {
    assert_true(ms_link_close(world->link, client, server, NULL));
    world_pump(world);
}

struct faults {
    bool lose[2];       /* by the sender's role */
    size_t spoilt_byte; /* of each flight, from the end; 0: none */
    size_t spoilt_at;   /* the same from the start, 1 is the first */
};

static bool carry(void *context, struct ms_link *link, enum ms_role from, struct ms_slice bytes,
                  struct ms_error *error) {
    const struct faults *faults = context;
    uint8_t copy[8192];
    assert_true(bytes.len <= sizeof copy);
    memcpy(copy, bytes.data, bytes.len);
    if (faults->lose[from]) {
        return true;
    }
    if (faults->spoilt_byte > 0) {
        copy[bytes.len - faults->spoilt_byte] ^= 1;
    }
    if (faults->spoilt_at > 0) {
        copy[faults->spoilt_at - 1] ^= 1;
    }
    return world_deliver(link, from, (struct ms_slice){copy, bytes.len}, error);
}

static void an_epoch_is_reported_by_the_options_it_had(void **unused) {
    (void)unused;
    struct world world;
    struct ms_error error = {0};
    world_make(&world, TLS1_2);
    world_link(&world, NULL);
    shake(&world);
    struct ms_config *changed = world_config(&world, MS_CLIENT, TLS1_2);
    assert_true(ms_config_add_identity(changed, world.client));
    ms_free(changed->server_name);
    changed->server_name = NULL;
    assert_true(ms_config_finish(changed, NULL, &error));
    assert_true(ms_link_use(world.link, MS_CLIENT, changed, &error));
    assert_true(ms_link_renegotiate(world.link, MS_CLIENT, &error));
    world_pump(&world);
    assert_true(ms_link_content(world.link));
    for (int role = 0; role < 2; role++) {
        const struct ms_state *before = ms_link_history(world.link, (enum ms_role)role, 0, &error);
        assert_null(before->not_sent_because); /* there was none to send */
        assert_string_equal(before->server_name, "server.example");
        assert_null(world_state(&world, (enum ms_role)role)->server_name); /* taken back */
    }
    assert_string_equal(world_state(&world, MS_CLIENT)->not_sent_because, "not_requested");
    ms_config_release(changed);
    world_clear(&world);
}

static void a_stalled_link_can_be_closed(void **unused) {
    (void)unused;
    for (size_t i = 0; i < 2; i++) {
        struct world world;
        struct faults faults = {.lose = {true, true}};
        world_make(&world, both[i]);
        world_link(&world, NULL);
        world_carry(&world, carry, &faults);
        shake(&world);
        close_link(&world, true, false);
        assert_string_equal(world_state(&world, MS_CLIENT)->phase, "closed");
        assert_false(world_state(&world, MS_CLIENT)->error.present);
        assert_string_equal(world_state(&world, MS_SERVER)->phase, "stalled");
        close_link(&world, true, true);
        assert_string_equal(world_state(&world, MS_SERVER)->phase, "closed");
        world_clear(&world);
    }
}

static void closing_during_a_handshake_is_told_to_the_peer(void **unused) {
    (void)unused;
    for (size_t i = 0; i < 2; i++) {
        struct world world;
        struct faults faults = {.lose = {[MS_SERVER] = true}};
        world_make(&world, both[i]);
        world_link(&world, NULL);
        world_carry(&world, carry, &faults);
        shake(&world);
        close_link(&world, true, false);
        const struct ms_state *server = world_state(&world, MS_SERVER);
        assert_string_equal(server->phase, "failed");
        assert_string_equal(server->error.problem, "closed_early");
        assert_string_equal(server->told_by, "peer");
        assert_string_equal(server->alert_received.name, "close_notify");
        assert_string_equal(server->alert_received.level, "warning");
        assert_false(server->alert_sent.present);
        world_clear(&world);
    }
}

static void closing_takes_a_question_back(void **unused) {
    (void)unused;
    for (size_t i = 0; i < 2; i++) {
        struct world world;
        struct ms_error error = {0};
        world_make(&world, both[i]);
        world.client_config->verify = MS_VERIFY_ASK;
        world_link(&world, NULL);
        assert_true(ms_link_handshake(world.link, &error));
        assert_int_equal(ms_link_pump(world.link, NULL, NULL, &error), MS_PUMP_ASKS);
        close_link(&world, true, false);
        assert_string_equal(world_state(&world, MS_CLIENT)->phase, "closed");
        assert_null(ms_session_question(ms_link_end(world.link, MS_CLIENT)));
        world_clear(&world);
    }
}

static void an_alert_that_cannot_be_read_was_not_received(void **unused) {
    (void)unused;
    for (size_t i = 0; i < 2; i++) {
        struct world world;
        struct faults faults = {.spoilt_byte = 1};
        world_make(&world, both[i]);
        world_link(&world, NULL);
        shake(&world);
        world_carry(&world, carry, &faults);
        close_link(&world, false, true);
        const struct ms_state *client = world_state(&world, MS_CLIENT);
        assert_false(client->alert_received.present);
        assert_string_equal(client->error.problem, "protocol_violation");
        assert_string_equal(client->told_by, "itself");
        world_clear(&world);
    }
}

static void a_wrong_record_header_is_not_a_lack_of_versions(void **unused) {
    (void)unused;
    for (size_t i = 0; i < 2; i++) {
        struct world world;
        struct faults faults = {.spoilt_at = 3};
        world_make(&world, both[i]);
        world_link(&world, NULL);
        shake(&world);
        world_carry(&world, carry, &faults);
        assert_true(
            ms_link_send(world.link, MS_SERVER, (struct ms_slice){(uint8_t *)"x", 1}, NULL));
        world_pump(&world);
        const struct ms_state *client = world_state(&world, MS_CLIENT);
        assert_string_equal(client->error.code, "GNUTLS_E_UNSUPPORTED_VERSION_PACKET");
        assert_string_equal(client->error.problem, "protocol_violation");
        world_clear(&world);
    }
}

static void a_reauthentication_stays_on_its_site(void **unused) {
    (void)unused;
    struct world world;
    struct ms_error error = {0};
    world_make(&world, TLS1_3);
    struct ms_config *site = world_config(&world, MS_SERVER, TLS1_3);
    site->client_auth = MS_AUTH_REQUEST;
    assert_true(ms_config_finish(site, NULL, &error));
    assert_true(ms_config_add_site(world.server_config, "*.example", site));
    assert_true(ms_config_add_identity(world.client_config, world.client));
    world_link(&world, NULL);
    shake(&world);
    struct ms_config *again = world_config(&world, MS_SERVER, TLS1_3); /* asks for none itself */
    assert_true(ms_config_add_site(again, "*.example", site));
    assert_true(ms_config_finish(again, NULL, &error));
    assert_true(ms_link_use(world.link, MS_SERVER, again, &error));
    assert_true(ms_link_reauthenticate(world.link, &error));
    world_pump(&world);
    assert_true(ms_link_content(world.link));
    assert_string_equal(world_state(&world, MS_SERVER)->site, "*.example");
    assert_true(world_state(&world, MS_SERVER)->certificate_requested);
    ms_config_release(again);
    ms_config_release(site);
    world_clear(&world);
}

static void after_a_refused_renegotiation_nothing_was_requested(void **unused) {
    (void)unused;
    struct world world;
    world_make(&world, TLS1_2);
    world.client_config->renegotiation = MS_RENEGOTIATION_REFUSE;
    assert_true(ms_config_add_identity(world.client_config, world.client));
    world_link(&world, NULL);
    shake(&world);
    assert_true(ms_link_renegotiate(world.link, MS_SERVER, NULL));
    world_pump(&world);
    const struct ms_state *client = world_state(&world, MS_CLIENT);
    assert_string_equal(client->phase, "established");
    assert_string_equal(client->not_sent_because, "not_requested");
    assert_string_equal(world_state(&world, MS_SERVER)->error.problem, "renegotiation_refused");
    world_clear(&world);
}

static void nothing_sent_is_no_event(void **unused) {
    (void)unused;
    struct world world;
    world_make(&world, TLS1_3);
    world_link(&world, NULL);
    shake(&world);
    size_t num = ms_log_num(ms_link_log(world.link));
    assert_true(ms_link_send(world.link, MS_CLIENT, (struct ms_slice){(uint8_t *)"", 0}, NULL));
    world_pump(&world);
    assert_true(ms_link_content(world.link));
    assert_int_equal(ms_log_num(ms_link_log(world.link)), num);
    world_clear(&world);
}

static void a_link_retired_while_it_asks_is_over(void **unused) {
    (void)unused;
    struct world world;
    struct ms_error error = {0};
    world_make(&world, TLS1_3);
    world.client_config->verify = MS_VERIFY_ASK;
    world_link(&world, NULL);
    assert_true(ms_link_handshake(world.link, &error));
    assert_int_equal(ms_link_pump(world.link, NULL, NULL, &error), MS_PUMP_ASKS);
    assert_true(ms_link_retire(world.link, &error));
    assert_null(ms_session_question(ms_link_end(world.link, MS_CLIENT)));
    world_pump(&world);
    assert_string_equal(world_state(&world, MS_CLIENT)->phase, "stalled");
    assert_false(world_state(&world, MS_CLIENT)->verification.accepted);
    assert_string_equal(world_state(&world, MS_SERVER)->phase, "stalled");
    world_clear(&world);
}

static void a_retired_link_answers_and_refuses(void **unused) {
    (void)unused;
    struct world world;
    struct ms_error error = {0};
    world_make(&world, TLS1_3);
    world_link(&world, NULL);
    shake(&world);
    assert_true(ms_link_retire(world.link, &error));
    assert_true(ms_link_retire(world.link, &error));
    assert_false(ms_link_close(world.link, true, true, &error));
    assert_false(ms_link_reauthenticate(world.link, &error));
    assert_false(ms_link_renegotiate(world.link, MS_CLIENT, &error));
    assert_false(ms_link_send(world.link, MS_CLIENT, (struct ms_slice){0}, &error));
    assert_true(ms_link_use(world.link, MS_CLIENT, world.client_config, &error));
    world_pump(&world);
    assert_string_equal(world_state(&world, MS_CLIENT)->phase, "established");
    assert_string_equal(world_state(&world, MS_SERVER)->version, "TLS1.3");
    assert_int_equal(ms_link_num_history(world.link), 1);
    world_clear(&world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_epoch_is_reported_by_the_options_it_had),
        cmocka_unit_test(a_stalled_link_can_be_closed),
        cmocka_unit_test(closing_during_a_handshake_is_told_to_the_peer),
        cmocka_unit_test(closing_takes_a_question_back),
        cmocka_unit_test(an_alert_that_cannot_be_read_was_not_received),
        cmocka_unit_test(a_wrong_record_header_is_not_a_lack_of_versions),
        cmocka_unit_test(a_reauthentication_stays_on_its_site),
        cmocka_unit_test(after_a_refused_renegotiation_nothing_was_requested),
        cmocka_unit_test(nothing_sent_is_no_event),
        cmocka_unit_test(a_link_retired_while_it_asks_is_over),
        cmocka_unit_test(a_retired_link_answers_and_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
