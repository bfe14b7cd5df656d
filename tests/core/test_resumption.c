/* SPDX-License-Identifier: MIT */
/* What a server keeps of the sessions that clients may resume by their ids. */
#include "pair.h"

#include "memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* after what it needs */

#define TLS1_2 0x0303

enum { CERTIFICATES = 150, SESSIONS = 100 }; /* which together are more than a server keeps */

/* A client whose chain, which is part of its session, is long. */
static struct ms_identity *long_chain(struct world *world) {
    struct ms_certificates chain = {0};
    for (int i = 0; i < CERTIFICATES; i++) {
        assert_true(ms_certificates_add(&chain, ms_identity_leaf(world->client)));
    }
    struct ms_error error = {0};
    struct ms_identity *made =
        ms_identity_new(ms_identity_key(world->client), &chain, NULL, true, &error);
    assert_string_equal(error.text, "");
    ms_certificates_clear(&chain);
    return made;
}

/* One more client of the servers that are `kin`. */
static void meet(struct pair *pair, struct ms_link *kin, struct ms_link *earlier) {
    struct world *world = &pair->world;
    struct ms_error error = {0};
    pair->ends[MS_CLIENT] = ms_link_new(world->client_config, NULL, &world->clock, earlier, &error);
    pair->ends[MS_SERVER] = ms_link_new(NULL, world->server_config, &world->clock, kin, &error);
    for (int role = 0; role < 2; role++) {
        assert_non_null(pair->ends[role]);
        assert_true(ms_link_handshake(pair->ends[role], &error));
    }
    pair_carry(pair);
    assert_true(ms_link_content(pair->ends[MS_CLIENT]));
}

static bool is_resumed(struct pair *pair, struct ms_link *kin, struct ms_link *earlier) {
    meet(pair, kin, earlier);
    bool resumed = pair_state(pair, MS_SERVER)->resumed;
    ms_link_free(pair->ends[MS_CLIENT]);
    ms_link_free(pair->ends[MS_SERVER]);
    pair->ends[MS_CLIENT] = pair->ends[MS_SERVER] = NULL;
    return resumed;
}

static void the_oldest_sessions_are_forgotten_for_want_of_room(void **unused) {
    (void)unused;
    struct pair pair;
    struct ms_error error = {0};
    pair_make(&pair, TLS1_2);
    struct ms_config *server = pair.world.server_config, *client = pair.world.client_config;
    struct ms_identity *identity = long_chain(&pair.world);
    assert_true(ms_config_add_identity(client, identity));
    client->send_certificate = MS_SEND_ALWAYS;
    server->tickets = 0;
    server->client_auth = MS_AUTH_REQUIRE;
    server->verify = MS_VERIFY_NEVER;
    assert_true(ms_config_finish(client, NULL, &error));
    assert_true(ms_config_finish(server, NULL, &error));
    struct ms_link *kin = ms_link_new(NULL, server, &pair.world.clock, NULL, &error);
    meet(&pair, kin, NULL);
    struct pair first = pair;
    assert_true(is_resumed(&pair, kin, first.ends[MS_CLIENT]));
    struct pair last = pair;
    for (int i = 0; i < SESSIONS; i++) {
        meet(&pair, kin, NULL);
        ms_link_free(last.ends[MS_CLIENT]);
        ms_link_free(last.ends[MS_SERVER]);
        last = pair;
    }
    assert_true(is_resumed(&pair, kin, last.ends[MS_CLIENT]));
    assert_false(is_resumed(&pair, kin, first.ends[MS_CLIENT]));
    for (int role = 0; role < 2; role++) {
        ms_link_free(first.ends[role]);
        ms_link_free(last.ends[role]);
    }
    ms_link_free(kin);
    ms_identity_release(identity);
    pair_clear(&pair);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_oldest_sessions_are_forgotten_for_want_of_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
