/* SPDX-License-Identifier: MIT */
#include "world.h"

#include "issue.h"
#include "memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* after what it needs */

static struct ms_identity *issue(struct ms_identity *issuer, const char *subject, const char *dns) {
    struct ms_error error = {0};
    struct ms_recipe recipe = {
        .subject = subject, .path_length = -1, .not_before = 1000000000, .not_after = 4000000000};
    if (dns) {
        assert_true(ms_texts_add(&recipe.dns, dns));
    }
    if (!issuer) {
        recipe.ca = MS_TRUE;
    }
    struct ms_key *key = ms_key_generate("ecdsa-p256", &error);
    assert_non_null(key);
    struct ms_identity *identity = ms_issue(&recipe, key, issuer, &error);
    assert_string_equal(error.text, "");
    assert_non_null(identity);
    ms_key_release(key);
    ms_texts_clear(&recipe.dns);
    return identity;
}

struct ms_identity *world_issue(struct world *world, const char *subject, const char *dns) {
    return issue(world->root, subject, dns);
}

struct ms_config *world_config(struct world *world, enum ms_role role, uint16_t version) {
    struct ms_error error = {0};
    struct ms_config *config = ms_config_new(role, &error);
    assert_non_null(config);
    config->trust = ms_trust_retain(world->trust);
    config->verify = MS_VERIFY_ALWAYS;
    assert_true(ms_codes_add(&config->versions, version));
    if (role == MS_SERVER) {
        assert_true(ms_config_add_identity(config, world->server));
    } else {
        config->server_name = ms_copy_text("server.example");
        config->verify_name = ms_copy_text("server.example");
    }
    return config;
}

void world_make(struct world *world, uint16_t version) {
    struct ms_error error = {0};
    *world = (struct world){0};
    ms_clock_install();
    world->root = issue(NULL, "CN=Root", NULL);
    world->server = issue(world->root, "CN=server", "server.example");
    world->client = issue(world->root, "CN=alice", NULL);
    struct ms_certificates anchors = {0};
    assert_true(ms_certificates_add(&anchors, ms_identity_leaf(world->root)));
    world->trust = ms_trust_new(&anchors, &error);
    assert_non_null(world->trust);
    ms_certificates_clear(&anchors);
    world->client_config = world_config(world, MS_CLIENT, version);
    world->server_config = world_config(world, MS_SERVER, version);
}

void world_link(struct world *world, struct ms_link *resumed_from) {
    struct ms_error error = {0};
    assert_true(ms_config_finish(world->client_config, NULL, &error));
    assert_true(ms_config_finish(world->server_config, NULL, &error));
    world->link = ms_link_new(world->client_config, world->server_config, &world->clock,
                              resumed_from, &error);
    assert_string_equal(error.text, "");
    assert_non_null(world->link);
}

void world_carry(struct world *world, world_carrier *carry, void *context) {
    world->carry = carry;
    world->carry_context = context;
    ms_link_tamper(world->link, true);
}

bool world_deliver(struct ms_link *link, enum ms_role from, struct ms_slice bytes,
                   struct ms_error *error) {
    return ms_link_feed(link, from == MS_CLIENT ? MS_SERVER : MS_CLIENT, bytes, error);
}

enum ms_pumped world_pump_until(struct world *world, bool (*stop)(void *context), void *context,
                                struct ms_error *error) {
    enum ms_pumped result;
    while ((result = ms_link_pump(world->link, stop, context, error)) == MS_PUMP_FLIGHT) {
        enum ms_role from = ms_link_writing(world->link);
        struct ms_slice bytes = ms_link_take(world->link, from);
        assert_true(bytes.len > 0);
        if (!world->carry(world->carry_context, world->link, from, bytes, error)) {
            return MS_PUMP_FAILED;
        }
    }
    return result;
}

void world_pump(struct world *world) {
    struct ms_error error = {0};
    assert_int_equal(world_pump_until(world, NULL, NULL, &error), MS_PUMP_QUIET);
}

void world_clear(struct world *world) {
    ms_link_free(world->link);
    ms_config_release(world->client_config);
    ms_config_release(world->server_config);
    ms_trust_release(world->trust);
    ms_identity_release(world->root);
    ms_identity_release(world->server);
    ms_identity_release(world->client);
}

const struct ms_state *world_state(struct world *world, enum ms_role role) {
    struct ms_error error = {0};
    const struct ms_state *state = ms_session_state(ms_link_end(world->link, role), &error);
    assert_non_null(state);
    return state;
}
