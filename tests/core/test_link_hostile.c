/* SPDX-License-Identifier: MIT */
/* A carrier that changes, drops, repeats, swaps and cuts what it carries: whatever it does, the
 * pump ends and both ends can still be read. */
#include "world.h"

#include "cause.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h> /* after what it needs */

#define TLS1_2 0x0303
#define TLS1_3 0x0304
#define ROUNDS 400
#define STEPS_AT_MOST 1000 /* a whole link of these tests takes some thirty */
#define HELD_AT_MOST 65536

struct carrier {
    uint32_t random;
    unsigned steps, one_in; /* one flight in so many is changed */
    uint8_t held[HELD_AT_MOST];
    size_t num_held;
    enum ms_role held_from;
};

/* Marsaglia's xorshift: the same everywhere. */
static uint32_t draw(struct carrier *carrier, uint32_t below) {
    carrier->random ^= carrier->random << 13;
    carrier->random ^= carrier->random >> 17;
    carrier->random ^= carrier->random << 5;
    return below > 0 ? carrier->random % below : 0;
}

static bool feed(struct ms_link *link, enum ms_role from, const uint8_t *bytes, size_t len,
                 struct ms_error *error) {
    return world_deliver(link, from, (struct ms_slice){bytes, len}, error);
}

/* Repeats one record of a flight, or swaps two neighbours: what a flip of bits never hits upon. */
static bool shuffle_records(struct carrier *carrier, struct ms_link *link, enum ms_role from,
                            struct ms_slice bytes, bool swap, struct ms_error *error) {
    struct ms_records records = {{0}};
    struct ms_slice record, rest = bytes;
    size_t starts[64] = {0}, num = 0;
    while (num < 63 && rest.len > 0) {
        starts[num] = bytes.len - rest.len;
        assert_true(ms_records_next(&records, &rest, &record));
        num++;
    }
    starts[num] = bytes.len;
    ms_records_clear(&records);
    size_t at = draw(carrier, (uint32_t)num);
    const uint8_t *data = bytes.data;
    if (!swap || at + 1 >= num) {
        return feed(link, from, data, starts[at + 1], error) &&
               feed(link, from, data + starts[at], bytes.len - starts[at], error);
    }
    return feed(link, from, data, starts[at], error) &&
           feed(link, from, data + starts[at + 1], starts[at + 2] - starts[at + 1], error) &&
           feed(link, from, data + starts[at], starts[at + 1] - starts[at], error) &&
           feed(link, from, data + starts[at + 2], bytes.len - starts[at + 2], error);
}

static bool flip(struct carrier *carrier, struct ms_link *link, enum ms_role from,
                 struct ms_slice bytes, struct ms_error *error) {
    uint8_t changed[HELD_AT_MOST];
    assert_true(bytes.len <= sizeof changed);
    memcpy(changed, bytes.data, bytes.len);
    for (uint32_t num = 1 + draw(carrier, 3); num > 0; num--) {
        /* half of them where headers are */
        size_t reach = draw(carrier, 2) && bytes.len > 48 ? 48 : bytes.len;
        changed[draw(carrier, (uint32_t)reach)] ^= (uint8_t)(1U << draw(carrier, 8));
    }
    return feed(link, from, changed, bytes.len, error);
}

static bool invent(struct carrier *carrier, struct ms_link *link, enum ms_role from,
                   struct ms_error *error) {
    static const uint8_t types[] = {20, 21, 22, 23, 24, 0x80};
    uint8_t record[5 + 64] = {types[draw(carrier, sizeof types)], 3, 3, 0, 0};
    size_t len = draw(carrier, 4) ? draw(carrier, 5) : draw(carrier, 65);
    record[4] = (uint8_t)len;
    for (size_t i = 0; i < len; i++) {
        record[5 + i] = (uint8_t)draw(carrier, draw(carrier, 2) ? 4 : 256);
    }
    return feed(link, from, record, 5 + len, error);
}

static bool carry(void *context, struct ms_link *link, enum ms_role from, struct ms_slice bytes,
                  struct ms_error *error) {
    struct carrier *carrier = context;
    bool held = carrier->num_held > 0 && carrier->held_from == from;
    if (held || draw(carrier, carrier->one_in) > 0) {
        bool fed = feed(link, from, bytes.data, bytes.len, error) &&
                   (!held || feed(link, from, carrier->held, carrier->num_held, error));
        carrier->num_held = held ? 0 : carrier->num_held;
        return fed;
    }
    bool again = false;
    switch (draw(carrier, 8)) {
    case 0:
        return true; /* lost */
    case 1:
        again = true;
        break;
    case 2:
        return feed(link, from, bytes.data, draw(carrier, (uint32_t)bytes.len), error);
    case 3: /* late: after the next flight */
        if (carrier->num_held > 0 || bytes.len > HELD_AT_MOST) {
            break;
        }
        memcpy(carrier->held, bytes.data, bytes.len);
        carrier->num_held = bytes.len;
        carrier->held_from = from;
        return true;
    case 4:
        return shuffle_records(carrier, link, from, bytes, draw(carrier, 2), error);
    case 5:
        return invent(carrier, link, from, error) && feed(link, from, bytes.data, bytes.len, error);
    default:
        return flip(carrier, link, from, bytes, error);
    }
    return feed(link, from, bytes.data, bytes.len, error) &&
           (!again || feed(link, from, bytes.data, bytes.len, error));
}

static bool too_long(void *context) {
    return ++((struct carrier *)context)->steps > STEPS_AT_MOST;
}

static bool is_problem(const char *word) {
    for (const char *const *known = ms_problem_words; *known; known++) {
        if (strcmp(*known, word) == 0) {
            return true;
        }
    }
    return false;
}

static bool has_event(struct ms_link *link, enum ms_role role, enum ms_event_kind kind,
                      bool incoming, int64_t type) {
    const struct ms_log *log = ms_link_log(link);
    for (size_t i = 0; i < ms_log_num(log); i++) {
        const struct ms_event *event = ms_log_at(log, i);
        if (event->role == role && event->kind == kind && event->incoming == incoming &&
            (type < 0 || event->type == type)) {
            return true;
        }
    }
    return false;
}

/* Whether a record came that is an alert in clear: then the carrier may have made it. */
static bool clear_alert_came(struct ms_link *link, enum ms_role role, int64_t number) {
    const struct ms_log *log = ms_link_log(link);
    for (size_t i = 0; i < ms_log_num(log); i++) {
        const struct ms_event *event = ms_log_at(log, i);
        if (event->role == role && event->kind == MS_EVENT_RECORD && event->incoming &&
            event->type == MS_RECORD_ALERT && event->bytes.len >= 7 &&
            event->bytes.data[6] == number) {
            return true;
        }
    }
    return false;
}

static void check_end(struct world *world, enum ms_role role) {
    const struct ms_state *state = world_state(world, role);
    assert_non_null(state->phase);
    assert_true(strcmp(state->phase, "handshaking") != 0); /* it is quiet: that is "stalled" */
    if (strcmp(state->phase, "failed") == 0) {
        assert_true(state->error.present);
    }
    assert_int_equal(state->error.present, state->told_by != NULL);
    assert_int_equal(state->error.present, state->failed_during != NULL);
    if (state->error.present) {
        assert_true(is_problem(state->error.problem));
        assert_true(state->error.number < 0);
        assert_non_null(state->error.code);
        if (state->told_by && strcmp(state->told_by, "peer") == 0) {
            assert_true(state->alert_received.present);
        }
    }
    if (state->alert_received.present) {
        enum ms_role peer = role == MS_CLIENT ? MS_SERVER : MS_CLIENT;
        assert_true(
            has_event(world->link, peer, MS_EVENT_ALERT, false, state->alert_received.number) ||
            clear_alert_came(world->link, role, state->alert_received.number));
    }
    if (state->handshake_completed) {
        assert_non_null(state->version);
        assert_non_null(state->cipher_suite);
    }
    if (state->verification.present && state->verification.accepted) {
        assert_true(state->verification.verified);
    }
}

static void check_link(struct world *world) {
    check_end(world, MS_CLIENT);
    check_end(world, MS_SERVER);
    const struct ms_state *client = world_state(world, MS_CLIENT);
    const struct ms_state *server = world_state(world, MS_SERVER);
    if (client->handshake_completed && server->handshake_completed) {
        assert_true(ms_certificate_equal(client->peer_certificate, server->local_certificate));
        assert_string_equal(client->version, server->version);
        assert_string_equal(client->cipher_suite, server->cipher_suite);
    }
    struct ms_log *log = ms_link_log(world->link);
    for (size_t i = 0; i < ms_log_num(log); i++) {
        struct ms_event_view view;
        struct ms_error error;
        assert_true(ms_event_view(log, i, &view, &error));
        ms_event_view_clear(&view);
    }
}

static void pump(struct world *world, struct carrier *carrier) {
    struct ms_error error = {0};
    carrier->steps = 0;
    enum ms_pumped result = world_pump_until(world, too_long, carrier, &error);
    assert_string_equal(error.text, "");
    assert_int_equal(result, MS_PUMP_QUIET);
    check_link(world);
}

static void act(struct world *world, struct carrier *carrier, uint16_t version) {
    struct ms_error error = {0};
    static const uint8_t data[] = "data";
    enum ms_role by = (enum ms_role)draw(carrier, 2);
    switch (draw(carrier, 4)) {
    case 0:
        assert_true(ms_link_send(world->link, by, (struct ms_slice){data, 4}, &error));
        break;
    case 1: /* refused where no version was negotiated */
        if (version == TLS1_3) {
            (void)ms_link_update_keys(world->link, by, draw(carrier, 2), &error);
        }
        break;
    case 2:
        if (version == TLS1_3) {
            (void)ms_link_reauthenticate(world->link, &error);
        } else {
            (void)ms_link_renegotiate(world->link, by, &error);
        }
        break;
    default:
        return;
    }
    pump(world, carrier);
}

static void run(struct world *world, uint16_t version, uint32_t seed) {
    struct ms_error error = {0};
    static struct carrier carrier; /* large */
    carrier = (struct carrier){.random = seed * 2654435761U + 1, .one_in = 2 + seed % 5};
    world->link =
        ms_link_new(world->client_config, world->server_config, &world->clock, NULL, &error);
    assert_non_null(world->link);
    world_carry(world, carry, &carrier);
    assert_true(ms_link_handshake(world->link, &error));
    pump(world, &carrier);
    for (int i = 0; i < 3; i++) {
        act(world, &carrier, version);
    }
    uint32_t who = draw(&carrier, 3);
    assert_true(ms_link_close(world->link, who != 0, who != 1, &error));
    pump(world, &carrier);
    (void)ms_link_close(world->link, true, true, NULL); /* misuse where both have closed */
    pump(world, &carrier);
    assert_true(ms_link_retire(world->link, &error));
    check_link(world);
    ms_link_free(world->link);
    world->link = NULL;
}

static void storm(uint16_t version) {
    struct world world;
    struct ms_error error = {0};
    world_make(&world, version);
    world.server_config->client_auth = MS_AUTH_REQUIRE;
    assert_true(ms_config_add_identity(world.client_config, world.client));
    assert_true(ms_config_finish(world.client_config, NULL, &error));
    assert_true(ms_config_finish(world.server_config, NULL, &error));
    for (uint32_t round = 0; round < ROUNDS; round++) {
        run(&world, version, round);
    }
    world_clear(&world);
}

static void the_pump_ends_whatever_the_carrier_does_in_tls_1_2(void **unused) {
    (void)unused;
    storm(TLS1_2);
}

static void the_pump_ends_whatever_the_carrier_does_in_tls_1_3(void **unused) {
    (void)unused;
    storm(TLS1_3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_pump_ends_whatever_the_carrier_does_in_tls_1_2),
        cmocka_unit_test(the_pump_ends_whatever_the_carrier_does_in_tls_1_3),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
