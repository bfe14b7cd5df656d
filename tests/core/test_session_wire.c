/* SPDX-License-Identifier: MIT */
/* What a session reports, against what really crossed the wire or came off it. */
#include "session_private.h"
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* after what it needs */

#define TLS1_2 0x0303
#define TLS1_3 0x0304
#define MESSAGE_HEADER 4

static const uint16_t both[] = {TLS1_2, TLS1_3};

static void shake(struct world *world) {
    struct ms_error error = {0};
    assert_true(ms_link_handshake(world->link, &error));
    world_pump(world);
}

/* The message of a type that an end made, or NULL; `*before` is the size of all that it made and
 * received until then. */
static const struct ms_event *made(struct ms_link *link, enum ms_role role, uint8_t type,
                                   size_t *before) {
    struct ms_log *log = ms_link_log(link);
    *before = 0;
    for (size_t i = 0; i < ms_log_num(log); i++) {
        const struct ms_event *event = ms_log_at(log, i);
        if (event->role != role || event->kind != MS_EVENT_MESSAGE) {
            continue;
        }
        if (!event->incoming && event->type == type) {
            return event;
        }
        *before += event->bytes.len + MESSAGE_HEADER;
    }
    return NULL;
}

/* Another link of the same identities, in which the end may not handle more than `size` bytes. */
static void relink(struct world *world, enum ms_role role, uint16_t version, size_t size) {
    struct ms_error error = {0};
    ms_link_free(world->link);
    ms_config_release(world->client_config);
    ms_config_release(world->server_config);
    world->client_config = world_config(world, MS_CLIENT, version);
    world->server_config = world_config(world, MS_SERVER, version);
    assert_true(ms_config_add_identity(world->client_config, world->client));
    world->server_config->client_auth = MS_AUTH_REQUIRE;
    struct ms_config *limited = role == MS_CLIENT ? world->client_config : world->server_config;
    limited->max_message_size = (int64_t)size;
    assert_true(ms_config_finish(world->client_config, NULL, &error));
    assert_true(ms_config_finish(world->server_config, NULL, &error));
    world->link =
        ms_link_new(world->client_config, world->server_config, &world->clock, NULL, &error);
    assert_non_null(world->link);
}

/* GnuTLS counts what was hashed with what comes, so a limit a few bytes above everything before
 * Finished (signatures vary in length) breaks off when CertificateVerify is made and not flushed.
 */
static void a_signature_that_was_not_flushed_names_no_scheme(void **unused) {
    (void)unused;
    static const struct {
        uint16_t version;
        enum ms_role role;
    } cases[] = {{TLS1_2, MS_CLIENT}, {TLS1_3, MS_CLIENT}, {TLS1_3, MS_SERVER}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint16_t version = cases[i].version;
        enum ms_role role = cases[i].role;
        struct world world;
        world_make(&world, version);
        world_link(&world, NULL);
        relink(&world, role, version, 1 << 20);
        shake(&world);
        assert_true(ms_link_content(world.link));
        size_t before;
        assert_non_null(made(world.link, role, GNUTLS_HANDSHAKE_FINISHED, &before));
        relink(&world, role, version, before + 8);
        shake(&world);
        const struct ms_event *verify =
            made(world.link, role, GNUTLS_HANDSHAKE_CERTIFICATE_VERIFY, &before);
        assert_non_null(verify);
        assert_false(verify->delivered);
        const struct ms_state *own = world_state(&world, role);
        const struct ms_state *other =
            world_state(&world, role == MS_CLIENT ? MS_SERVER : MS_CLIENT);
        assert_string_equal(own->error.problem, "message_too_large");
        assert_null(own->signature_scheme);
        assert_null(other->peer_signature_scheme);
        assert_null(own->wire.sent_certificates.items);
        assert_null(other->wire.received_certificates.items);
        assert_non_null(own->local_certificate); /* the library's word */
        world_clear(&world);
    }
}

static void a_policy_has_accepted_nothing_before_it_answers(void **unused) {
    (void)unused;
    for (size_t i = 0; i < 2; i++) {
        struct world world;
        struct ms_error error = {0};
        world_make(&world, both[i]);
        world.client_config->verify = MS_VERIFY_ASK;
        world_link(&world, NULL);
        assert_true(ms_link_handshake(world.link, &error));
        assert_int_equal(ms_link_pump(world.link, NULL, NULL, &error), MS_PUMP_ASKS);
        struct ms_session *client = ms_link_end(world.link, MS_CLIENT);
        assert_true(ms_session_question(client)->verified);
        assert_false(ms_session_question(client)->accepted);
        assert_false(world_state(&world, MS_CLIENT)->verification.accepted);
        ms_session_answer(client, true);
        world_pump(&world);
        assert_true(world_state(&world, MS_CLIENT)->verification.accepted);
        world_clear(&world);
    }
}

/* Puts it in place of the client's second flight, in which its certificate would be. */
static bool warn_instead(void *context, struct ms_link *link, enum ms_role from,
                         struct ms_slice bytes, struct ms_error *error) {
    static const uint8_t warning[] = {21, 3, 3, 0, 2, 1, 90};
    int *flights = context;
    if (from == MS_CLIENT && ++*flights == 2) {
        return world_deliver(link, from, (struct ms_slice){warning, sizeof warning}, error);
    }
    return world_deliver(link, from, bytes, error);
}

/* Up to TLS 1.2 GnuTLS reports any alert that comes while a certificate is awaited, fatal or not,
 * as a missing certificate; a warning is not why. */
static void a_warning_instead_of_a_certificate_is_no_reason(void **unused) {
    (void)unused;
    struct world world;
    int flights = 0;
    world_make(&world, TLS1_2);
    world.server_config->client_auth = MS_AUTH_REQUIRE;
    world_link(&world, NULL);
    world_carry(&world, warn_instead, &flights);
    shake(&world);
    const struct ms_state *server = world_state(&world, MS_SERVER);
    assert_string_equal(server->error.problem, "no_certificate");
    assert_string_equal(server->told_by, "itself");
    assert_string_equal(server->alert_received.name, "user_canceled");
    assert_string_equal(server->alert_received.level, "warning");
    assert_true(server->alert_sent.present);
    world_clear(&world);
}

/* Only another stack sends such a warning; here GnuTLS is told to. (In TLS 1.3 it takes any for
 * fatal.) */
static void warn_from(struct world *world, enum ms_role role) {
    struct ms_session *sender = ms_link_end(world->link, role);
    ms_session_enter(sender);
    assert_int_equal(gnutls_alert_send(sender->tls, GNUTLS_AL_WARNING, GNUTLS_A_USER_CANCELED), 0);
}

static void a_warning_is_survived_and_told_of(void **unused) {
    (void)unused;
    for (int i = 0; i < 4; i++) {
        struct world world;
        struct ms_error error = {0};
        enum ms_role from = i % 2 ? MS_CLIENT : MS_SERVER, to = i % 2 ? MS_SERVER : MS_CLIENT;
        bool renegotiates = i >= 2; /* else it comes while the other end reads */
        world_make(&world, TLS1_2);
        world_link(&world, NULL);
        shake(&world);
        if (renegotiates) {
            assert_true(ms_link_renegotiate(world.link, to, &error));
        }
        assert_false(world_state(&world, to)->alert_received.present);
        warn_from(&world, from);
        world_pump(&world);
        assert_true(ms_link_content(world.link));
        const struct ms_state *state = world_state(&world, to);
        assert_string_equal(state->phase, "established");
        assert_int_equal(state->renegotiations, renegotiates);
        assert_string_equal(state->alert_received.name, "user_canceled");
        assert_string_equal(state->alert_received.level, "warning");
        world_clear(&world);
    }
}

static void only_who_was_refused_is_discontented(void **unused) {
    (void)unused;
    for (int by = 0; by < 2; by++) {
        struct world world;
        struct ms_error error = {0};
        world_make(&world, TLS1_2);
        struct ms_config *refuser = by == MS_CLIENT ? world.server_config : world.client_config;
        refuser->renegotiation = MS_RENEGOTIATION_REFUSE;
        world_link(&world, NULL);
        shake(&world);
        assert_true(ms_link_renegotiate(world.link, (enum ms_role)by, &error));
        world_pump(&world);
        assert_false(ms_session_content(ms_link_end(world.link, (enum ms_role)by)));
        assert_true(ms_session_content(ms_link_end(world.link, (enum ms_role) !by)));
        world_clear(&world);
    }
}

/* A script's actions never cross; a peer's do. */
static void data_that_crosses_a_wish_is_read_and_the_handshake_goes_on(void **unused) {
    (void)unused;
    for (size_t i = 0; i < 2; i++) {
        struct world world;
        struct ms_error error = {0};
        static const uint8_t data[] = "crossing";
        world_make(&world, both[i]);
        assert_true(ms_config_add_identity(world.client_config, world.client));
        world.server_config->client_auth = MS_AUTH_REQUEST;
        world_link(&world, NULL);
        shake(&world);
        if (both[i] == TLS1_2) {
            assert_true(ms_link_renegotiate(world.link, MS_SERVER, &error));
        } else {
            assert_true(ms_link_reauthenticate(world.link, &error));
        }
        ms_session_send(ms_link_end(world.link, MS_CLIENT), (struct ms_slice){data, sizeof data});
        world_pump(&world);
        assert_true(ms_link_content(world.link));
        struct ms_slice got = ms_session_received(ms_link_end(world.link, MS_SERVER));
        assert_int_equal(got.len, sizeof data);
        assert_memory_equal(got.data, data, sizeof data);
        const struct ms_state *server = world_state(&world, MS_SERVER);
        assert_true(server->handshake_completed);
        assert_int_equal(server->wire.received_certificates.num, 1);
        world_clear(&world);
    }
}

static bool lose(void *context, struct ms_link *link, enum ms_role from, struct ms_slice bytes,
                 struct ms_error *error) {
    (void)context, (void)link, (void)from, (void)bytes, (void)error;
    return true;
}

static void what_may_still_be_sent_has_no_reason_not_to_be(void **unused) {
    (void)unused;
    for (size_t i = 0; i < 2; i++) {
        struct world world;
        world_make(&world, both[i]);
        assert_true(ms_config_add_identity(world.client_config, world.client));
        world_link(&world, NULL);
        world_carry(&world, lose, NULL);
        shake(&world);
        assert_string_equal(world_state(&world, MS_CLIENT)->phase, "stalled");
        assert_null(world_state(&world, MS_CLIENT)->not_sent_because);
        size_t events = ms_log_num(ms_link_log(world.link));
        assert_true(ms_link_renegotiate(world.link, MS_SERVER, NULL)); /* state, not misuse */
        assert_true(ms_link_update_keys(world.link, MS_CLIENT, true, NULL));
        world_pump(&world);
        assert_false(ms_link_content(world.link));
        assert_int_equal(ms_link_num_history(world.link), 1);
        assert_int_equal(ms_log_num(ms_link_log(world.link)), events);
        world_clear(&world);
    }
}

static void a_link_that_stalls_later_stays_as_it_is(void **unused) {
    (void)unused;
    struct world world;
    world_make(&world, TLS1_2);
    world_link(&world, NULL);
    shake(&world);
    world_carry(&world, lose, NULL);
    assert_true(ms_link_renegotiate(world.link, MS_CLIENT, NULL));
    world_pump(&world);
    assert_string_equal(world_state(&world, MS_CLIENT)->phase, "stalled");
    size_t events = ms_log_num(ms_link_log(world.link));
    assert_true(ms_link_renegotiate(world.link, MS_CLIENT, NULL));
    assert_true(
        ms_link_send(world.link, MS_CLIENT, (struct ms_slice){(const uint8_t *)"x", 1}, NULL));
    world_pump(&world);
    assert_int_equal(ms_link_num_history(world.link), 2);
    assert_int_equal(ms_log_num(ms_link_log(world.link)), events);
    world_clear(&world);
}

static bool hang_up_instead(void *context, struct ms_link *link, enum ms_role from,
                            struct ms_slice bytes, struct ms_error *error) {
    (void)context;
    if (from == MS_SERVER) {
        ms_session_hang_up(ms_link_end(link, MS_CLIENT));
        return true;
    }
    return world_deliver(link, from, bytes, error);
}

/* Puts a warning in clear in front of the server's first flight. */
static bool warn_first(void *context, struct ms_link *link, enum ms_role from,
                       struct ms_slice bytes, struct ms_error *error) {
    static const uint8_t warning[] = {21, 3, 3, 0, 2, 1, 90}; /* user_canceled */
    bool *warned = context;
    if (from == MS_SERVER && !*warned) {
        *warned = true;
        if (!world_deliver(link, from, (struct ms_slice){warning, sizeof warning}, error)) {
            return false;
        }
    }
    return world_deliver(link, from, bytes, error);
}

static void an_alert_in_clear_is_not_taken_for_a_later_one(void **unused) {
    (void)unused;
    struct world world;
    struct ms_error error = {0};
    bool warned = false;
    world_make(&world, TLS1_2);
    world_link(&world, NULL);
    world_carry(&world, warn_first, &warned);
    shake(&world);
    assert_true(ms_link_content(world.link));
    const struct ms_state *client = world_state(&world, MS_CLIENT);
    assert_string_equal(client->alert_received.name, "user_canceled");
    assert_string_equal(client->alert_received.level, "warning");
    assert_true(ms_link_close(world.link, false, true, &error));
    world_pump(&world);
    client = world_state(&world, MS_CLIENT);
    assert_string_equal(client->alert_received.name, "close_notify");
    world_clear(&world);
}

/* The peer is gone without a close_notify. */
static void who_hangs_up_is_told_of_as_the_peer(void **unused) {
    (void)unused;
    for (size_t i = 0; i < 4; i++) {
        struct world world;
        bool early = i >= 2;
        world_make(&world, both[i % 2]);
        world_link(&world, NULL);
        if (early) { /* in the middle of the handshake */
            world_carry(&world, hang_up_instead, NULL);
        }
        shake(&world);
        assert_int_equal(ms_link_content(world.link), !early);
        if (!early) {
            ms_session_hang_up(ms_link_end(world.link, MS_CLIENT));
            world_pump(&world);
        }
        const struct ms_state *client = world_state(&world, MS_CLIENT);
        assert_string_equal(client->phase, "failed");
        assert_string_equal(client->error.problem, "closed_early");
        assert_string_equal(client->error.code, "GNUTLS_E_PREMATURE_TERMINATION");
        assert_string_equal(client->told_by, "peer");
        assert_string_equal(client->failed_during, early ? "handshake" : "read");
        assert_false(client->alert_received.present);
        assert_false(client->alert_sent.present); /* nobody is left to tell */
        world_clear(&world);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signature_that_was_not_flushed_names_no_scheme),
        cmocka_unit_test(a_policy_has_accepted_nothing_before_it_answers),
        cmocka_unit_test(an_alert_in_clear_is_not_taken_for_a_later_one),
        cmocka_unit_test(a_warning_instead_of_a_certificate_is_no_reason),
        cmocka_unit_test(a_warning_is_survived_and_told_of),
        cmocka_unit_test(only_who_was_refused_is_discontented),
        cmocka_unit_test(data_that_crosses_a_wish_is_read_and_the_handshake_goes_on),
        cmocka_unit_test(what_may_still_be_sent_has_no_reason_not_to_be),
        cmocka_unit_test(a_link_that_stalls_later_stays_as_it_is),
        cmocka_unit_test(who_hangs_up_is_told_of_as_the_peer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
