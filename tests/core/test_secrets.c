/* SPDX-License-Identifier: MIT */
/* Which secrets a link keeps: each once, in the order in which they came to be. */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* after what it needs */

#define TLS1_2 0x0303
#define TLS1_3 0x0304

/* Fails unless the link has `num` secrets of these labels, the oldest first. */
static void assert_labels(struct ms_link *link, size_t num, const char *const labels[]) {
    const struct ms_secrets *secrets = ms_log_secrets(ms_link_log(link));
    const struct ms_secret *secret = secrets->newest;
    assert_int_equal(secrets->num, num);
    for (size_t i = num; i > 0; i--, secret = secret->older) {
        assert_non_null(secret);
        assert_string_equal(secret->label, labels[i - 1]);
    }
    assert_null(secret);
}

static void shake(struct world *world) {
    assert_true(ms_link_handshake(world->link, NULL));
    world_pump(world);
    assert_true(ms_link_content(world->link));
}

/* The random of the link's last ClientHello. */
static void assert_is_of_last_hello(struct ms_link *link, const struct ms_secret *secret) {
    const struct ms_log *log = ms_link_log(link);
    for (size_t i = ms_log_num(log); i > 0; i--) {
        const struct ms_event *event = ms_log_at(log, i - 1);
        if (event->kind == MS_EVENT_MESSAGE && event->type == GNUTLS_HANDSHAKE_CLIENT_HELLO) {
            assert_memory_equal(event->bytes.data + 2, secret->client_random, MS_SECRET_RANDOM);
            return;
        }
    }
    fail();
}

static void a_handshake_leaves_each_secret_once(void **unused) {
    (void)unused;
    static const struct {
        uint16_t version;
        size_t num;
        const char *labels[5];
    } rows[] = {{TLS1_2, 1, {"CLIENT_RANDOM"}},
                {TLS1_3,
                 5,
                 {"CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET",
                  "EXPORTER_SECRET", "CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"}}};
    for (size_t i = 0; i < 2; i++) {
        struct world world;
        world_make(&world, rows[i].version);
        world_link(&world, NULL);
        assert_labels(world.link, 0, NULL);
        shake(&world);
        assert_labels(world.link, rows[i].num, rows[i].labels);
        const struct ms_secret *last = ms_log_secrets(ms_link_log(world.link))->newest;
        assert_int_equal(last->len, 48);
        assert_is_of_last_hello(world.link, last);
        world_clear(&world);
    }
}

static void a_renegotiation_adds_its_own(void **unused) {
    (void)unused;
    struct world world;
    world_make(&world, TLS1_2);
    world_link(&world, NULL);
    shake(&world);
    const struct ms_secret *first = ms_log_secrets(ms_link_log(world.link))->newest;
    assert_true(ms_link_renegotiate(world.link, MS_SERVER, NULL));
    world_pump(&world);
    assert_labels(world.link, 2, (const char *const[]){"CLIENT_RANDOM", "CLIENT_RANDOM"});
    const struct ms_secret *second = ms_log_secrets(ms_link_log(world.link))->newest;
    assert_ptr_equal(second->older, first);
    assert_is_of_last_hello(world.link, second);
    assert_memory_not_equal(first->bytes, second->bytes, 48);
    world_clear(&world);
}

/* GnuTLS itself does not tell it (3.7.9). */
static void a_resumed_session_has_the_secret_of_the_earlier_one(void **unused) {
    (void)unused;
    struct world world;
    world_make(&world, TLS1_2);
    world_link(&world, NULL);
    shake(&world);
    struct ms_link *earlier = world.link;
    world.link = ms_link_new(world.client_config, world.server_config, &world.clock, earlier, NULL);
    shake(&world);
    assert_true(world_state(&world, MS_CLIENT)->resumed);
    assert_labels(world.link, 1, (const char *const[]){"CLIENT_RANDOM"});
    const struct ms_secret *secret = ms_log_secrets(ms_link_log(world.link))->newest;
    assert_is_of_last_hello(world.link, secret);
    assert_memory_equal(secret->bytes, ms_log_secrets(ms_link_log(earlier))->newest->bytes, 48);
    ms_link_free(earlier);
    world_clear(&world);
}

static void what_is_no_secret_is_not_kept(void **unused) {
    (void)unused;
    struct ms_secrets secrets = {0};
    static const uint8_t bytes[MS_SECRET_MOST + 1];
    struct ms_slice random = {bytes, MS_SECRET_RANDOM}, secret = {bytes, 48};
    assert_true(ms_secrets_add(&secrets, "A_LABEL_LONGER_THAN_ANY_OTHER_ONE", random, secret));
    assert_true(ms_secrets_add(&secrets, "L", (struct ms_slice){bytes, 31}, secret));
    assert_true(ms_secrets_add(&secrets, "L", (struct ms_slice){0}, secret));
    assert_true(ms_secrets_add(&secrets, "L", random, (struct ms_slice){bytes, sizeof bytes}));
    assert_true(ms_secrets_add(&secrets, "L", random, (struct ms_slice){0}));
    assert_int_equal(secrets.num, 0);
    assert_true(ms_secrets_add(&secrets, "L", random, secret));
    assert_true(ms_secrets_add(&secrets, "M", random, secret));
    assert_true(ms_secrets_add(&secrets, "L", random, secret));
    assert_int_equal(secrets.num, 2);
    ms_secrets_clear(&secrets);
    assert_null(secrets.newest);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handshake_leaves_each_secret_once),
        cmocka_unit_test(a_renegotiation_adds_its_own),
        cmocka_unit_test(a_resumed_session_has_the_secret_of_the_earlier_one),
        cmocka_unit_test(what_is_no_secret_is_not_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
