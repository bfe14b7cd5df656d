/* SPDX-License-Identifier: MIT */
#include "pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h> /* after what it needs */

enum ms_role pair_other(enum ms_role role) {
    return role == MS_CLIENT ? MS_SERVER : MS_CLIENT;
}

void pair_make(struct pair *pair, uint16_t version) {
    *pair = (struct pair){0};
    world_make(&pair->world, version);
}

void pair_begin(struct pair *pair) {
    struct world *world = &pair->world;
    struct ms_error error = {0};
    assert_true(ms_config_finish(world->client_config, NULL, &error));
    assert_true(ms_config_finish(world->server_config, NULL, &error));
    pair->ends[MS_CLIENT] = ms_link_new(world->client_config, NULL, &world->clock, NULL, &error);
    pair->ends[MS_SERVER] = ms_link_new(NULL, world->server_config, &world->clock, NULL, &error);
    for (int role = 0; role < 2; role++) {
        assert_non_null(pair->ends[role]);
        assert_null(ms_link_end(pair->ends[role], pair_other((enum ms_role)role)));
        assert_true(ms_link_handshake(pair->ends[role], &error));
    }
}

void pair_clear(struct pair *pair) {
    ms_link_free(pair->ends[MS_CLIENT]);
    ms_link_free(pair->ends[MS_SERVER]);
    world_clear(&pair->world);
}

enum ms_pumped pair_pump(struct ms_link *link) {
    struct ms_error error = {0};
    enum ms_pumped result = ms_link_pump(link, NULL, NULL, &error);
    assert_string_equal(error.text, "");
    return result;
}

void pair_feed(struct pair *pair, enum ms_role to, const void *bytes, size_t len) {
    struct ms_error error = {0};
    assert_true(ms_link_feed(pair->ends[to], to, (struct ms_slice){bytes, len}, &error));
}

bool pair_carry_from(struct pair *pair, enum ms_role from, size_t most) {
    struct ms_slice bytes = ms_link_take(pair->ends[from], from);
    bool moved = bytes.len > 0;
    while (bytes.len > 0) {
        size_t some = bytes.len < most ? bytes.len : most;
        pair_feed(pair, pair_other(from), bytes.data, some);
        assert_int_equal(pair_pump(pair->ends[pair_other(from)]), MS_PUMP_QUIET);
        bytes.data += some;
        bytes.len -= some;
    }
    return moved;
}

void pair_carry_in_pieces(struct pair *pair, size_t most) {
    bool moved = true;
    while (moved) {
        moved = false;
        for (int role = 0; role < 2; role++) {
            assert_int_equal(pair_pump(pair->ends[role]), MS_PUMP_QUIET);
            moved |= pair_carry_from(pair, (enum ms_role)role, most);
        }
    }
}

void pair_carry(struct pair *pair) {
    pair_carry_in_pieces(pair, SIZE_MAX);
}

void pair_meet(struct pair *pair, uint16_t version) {
    pair_make(pair, version);
    pair_begin(pair);
    pair_carry(pair);
}

const struct ms_state *pair_state(struct pair *pair, enum ms_role role) {
    struct ms_error error = {0};
    const struct ms_state *made = ms_session_state(ms_link_end(pair->ends[role], role), &error);
    assert_non_null(made);
    return made;
}

void pair_assert_problem(struct pair *pair, enum ms_role role, const char *problem) {
    const struct ms_state *made = pair_state(pair, role);
    assert_true(made->error.present);
    assert_string_equal(made->error.problem, problem);
}

size_t pair_count(struct pair *pair, enum ms_role role, enum ms_event_kind kind, bool incoming) {
    const struct ms_log *log = ms_link_log(pair->ends[role]);
    size_t num = 0;
    for (size_t i = 0; i < ms_log_num(log); i++) {
        const struct ms_event *event = ms_log_at(log, i);
        num += event->kind == kind && event->incoming == incoming;
    }
    return num;
}

void pair_assert_received(struct pair *pair, enum ms_role role, const char *wanted) {
    struct ms_slice data = ms_session_received(ms_link_end(pair->ends[role], role));
    assert_int_equal(data.len, strlen(wanted));
    assert_memory_equal(data.data, wanted, data.len);
}

void pair_send(struct pair *pair, enum ms_role from, const char *text) {
    struct ms_error error = {0};
    struct ms_slice data = {(const uint8_t *)text, strlen(text)};
    assert_true(ms_link_send(pair->ends[from], from, data, &error));
}
