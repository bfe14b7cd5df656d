/* SPDX-License-Identifier: MIT */
#include "hello.h"
#include "memory.h"
#include "wire.h"
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h> /* after what it needs */

#define TLS1_2 0x0303
#define TLS1_3 0x0304

/* A link with ALPN whose handshake succeeds. */
static void shake(struct world *world, uint16_t version) {
    struct ms_error error = {0};
    world_make(world, version);
    assert_true(ms_texts_add(&world->client_config->alpn, "h2"));
    assert_true(ms_texts_add(&world->client_config->alpn, "http/1.1"));
    assert_true(ms_texts_add(&world->server_config->alpn, "http/1.1"));
    world_link(world, NULL);
    assert_true(ms_link_handshake(world->link, &error));
    world_pump(world);
    assert_true(ms_link_content(world->link));
}

/* The body of the first message of this type. */
static struct ms_slice body_of(struct world *world, uint8_t type) {
    struct ms_log *log = ms_link_log(world->link);
    for (size_t i = 0; i < ms_log_num(log); i++) {
        const struct ms_event *event = ms_log_at(log, i);
        if (event->kind == MS_EVENT_MESSAGE && event->type == type) {
            return event->bytes;
        }
    }
    fail_msg("no message of type %u", type);
    return (struct ms_slice){0};
}

static void read_message(struct world *world, uint8_t type, struct ms_hello *hello) {
    assert_true(ms_hello_read(type, body_of(world, type), hello));
    assert_true(hello->present);
}

static void holds_only(const struct ms_texts *texts, const char *text) {
    assert_int_equal(texts->num, 1);
    assert_string_equal(texts->items[0], text);
}

static void an_offer_of_TLS_1_3_is_told_in_full(void **unused) {
    (void)unused;
    struct world world;
    struct ms_hello hello;
    shake(&world, TLS1_3);
    read_message(&world, GNUTLS_HANDSHAKE_CLIENT_HELLO, &hello);
    holds_only(&hello.versions, "TLS1.3");
    assert_int_equal(hello.or_older, MS_FALSE);
    assert_true(ms_texts_has(&hello.cipher_suites, "TLS_AES_128_GCM_SHA256"));
    assert_true(ms_texts_has(&hello.groups, "x25519"));
    assert_true(hello.key_shares.num > 0 && hello.key_shares.num < hello.groups.num);
    assert_true(ms_texts_has(&hello.signature_schemes, "ecdsa_secp256r1_sha256"));
    assert_string_equal(hello.server_name, "server.example");
    assert_int_equal(hello.alpn.num, 2);
    assert_string_equal(hello.alpn.items[1], "http/1.1");
    assert_int_equal(hello.session_id.len, 32);
    assert_int_equal(hello.post_handshake_auth, MS_TRUE);
    assert_int_equal(hello.pre_shared_key, MS_FALSE);
    assert_int_equal(hello.early_data, MS_FALSE);
    ms_hello_clear(&hello);
    world_clear(&world);
}

static void an_offer_without_supported_versions_is_open_below(void **unused) {
    (void)unused;
    struct world world;
    struct ms_hello hello;
    shake(&world, TLS1_2);
    read_message(&world, GNUTLS_HANDSHAKE_CLIENT_HELLO, &hello);
    holds_only(&hello.versions, "TLS1.2");
    assert_int_equal(hello.or_older, MS_TRUE);
    assert_null(hello.key_shares.items);
    assert_int_equal(hello.ticket, MS_TRUE);
    assert_int_equal(hello.ticket_presented, MS_FALSE);
    assert_int_equal(hello.extended_master_secret, MS_TRUE);
    assert_int_equal(hello.secure_renegotiation, MS_TRUE);
    ms_hello_clear(&hello);
    world_clear(&world);
}

static void an_answer_of_TLS_1_2_tells_what_was_chosen(void **unused) {
    (void)unused;
    struct world world;
    struct ms_hello hello;
    shake(&world, TLS1_2);
    read_message(&world, GNUTLS_HANDSHAKE_SERVER_HELLO, &hello);
    holds_only(&hello.versions, "TLS1.2");
    assert_int_equal(hello.cipher_suites.num, 1);
    holds_only(&hello.alpn, "http/1.1");
    assert_null(hello.groups.items);
    assert_int_equal(hello.or_older, MS_NIL);
    assert_int_equal(hello.ticket, MS_TRUE);
    assert_int_equal(hello.pre_shared_key, MS_NIL);
    assert_int_equal(hello.extended_master_secret, MS_TRUE);
    assert_int_equal(hello.secure_renegotiation, MS_TRUE);
    ms_hello_clear(&hello);
    world_clear(&world);
}

static void the_answers_of_TLS_1_3_tell_what_was_chosen(void **unused) {
    (void)unused;
    struct world world;
    struct ms_hello hello;
    shake(&world, TLS1_3);
    read_message(&world, GNUTLS_HANDSHAKE_SERVER_HELLO, &hello);
    holds_only(&hello.versions, "TLS1.3");
    assert_int_equal(hello.groups.num, 1);
    assert_int_equal(hello.pre_shared_key, MS_FALSE);
    assert_int_equal(hello.ticket, MS_NIL);
    assert_null(hello.alpn.items);
    ms_hello_clear(&hello);
    read_message(&world, GNUTLS_HANDSHAKE_ENCRYPTED_EXTENSIONS, &hello);
    holds_only(&hello.alpn, "http/1.1");
    assert_int_equal(hello.early_data, MS_FALSE);
    assert_null(hello.versions.items);
    ms_hello_clear(&hello);
    world_clear(&world);
}

static void a_ticket_that_is_presented_is_told(void **unused) {
    (void)unused;
    for (uint16_t version = TLS1_2; version <= TLS1_3; version++) {
        struct world world, again = {0};
        struct ms_hello offer, answer;
        struct ms_error error = {0};
        shake(&world, version);
        again = world;
        again.link =
            ms_link_new(world.client_config, world.server_config, &world.clock, world.link, &error);
        assert_true(ms_link_handshake(again.link, &error));
        world_pump(&again);
        read_message(&again, GNUTLS_HANDSHAKE_CLIENT_HELLO, &offer);
        read_message(&again, GNUTLS_HANDSHAKE_SERVER_HELLO, &answer);
        if (version == TLS1_2) {
            assert_int_equal(offer.ticket_presented, MS_TRUE);
            assert_true(ms_slice_equal(offer.session_id, answer.session_id));
        } else {
            assert_int_equal(offer.pre_shared_key, MS_TRUE);
            assert_int_equal(answer.pre_shared_key, MS_TRUE);
        }
        ms_hello_clear(&offer);
        ms_hello_clear(&answer);
        ms_link_free(again.link);
        world_clear(&world);
    }
}

static void a_retry_tells_the_group_wanted(void **unused) {
    (void)unused;
    static const uint8_t body[] = {
        3,    3,    0, 0,  0, 0, 0, 0,  0, 0,  0,          /* version, random: any */
        0,    0,    0, 0,  0, 0, 0, 0,  0, 0,  0,          /* ... */
        0,    0,    0, 0,  0, 0, 0, 0,  0, 0,  0,          /* ... */
        0,    0,                                           /* no session id */
        0x13, 0x02, 0,                                     /* suite, compression */
        0,    12,   0, 51, 0, 2, 0, 24, 0, 43, 0, 2, 3, 4, /* key_share, supported_versions */
    };
    struct ms_hello hello;
    assert_true(ms_hello_read(MS_MESSAGE_HELLO_RETRY_REQUEST, (struct ms_slice){body, sizeof body},
                              &hello));
    assert_true(hello.present);
    holds_only(&hello.versions, "TLS1.3");
    holds_only(&hello.cipher_suites, "TLS_AES_256_GCM_SHA384");
    holds_only(&hello.groups, "secp384r1");
    assert_int_equal(hello.pre_shared_key, MS_NIL);
    ms_hello_clear(&hello);
}

static void other_messages_are_no_hellos(void **unused) {
    (void)unused;
    struct ms_hello hello;
    assert_true(
        ms_hello_read(GNUTLS_HANDSHAKE_FINISHED, (struct ms_slice){(uint8_t *)"", 0}, &hello));
    assert_false(hello.present);
}

/* Names that peers chose: nothing is cut, and all of it is UTF-8. */
static void a_hostile_name_is_told_whole(void **unused) {
    (void)unused;
    uint8_t body[128] = {3, 3};
    static const uint8_t rest[] = {0, 2,   0x13, 0x01, 1, 0,  0, 23, 0, 0, 0, 8, 0,   6,    0,   0,
                                   3, 'a', 0,    'b',  0, 16, 0, 7,  0, 5, 4, 0, 'x', 0xff, 0x0a};
    memcpy(body + 35, rest, sizeof rest);
    struct ms_hello hello;
    assert_true(ms_hello_read(GNUTLS_HANDSHAKE_CLIENT_HELLO,
                              (struct ms_slice){body, 35 + sizeof rest}, &hello));
    assert_true(hello.present);
    assert_string_equal(hello.server_name, "a\\00b");
    holds_only(&hello.alpn, "\\00x\\ff\n");
    ms_hello_clear(&hello);
}

/* Whatever a peer sends, reading it ends, touches nothing else and leaks nothing (the sanitizers
 * watch): every cut, and every byte changed in several ways. */
static void a_hostile_hello_is_told_or_is_none(void **unused) {
    (void)unused;
    static const uint8_t changes[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
    static const uint8_t types[] = {GNUTLS_HANDSHAKE_CLIENT_HELLO, GNUTLS_HANDSHAKE_SERVER_HELLO,
                                    GNUTLS_HANDSHAKE_ENCRYPTED_EXTENSIONS};
    struct world world;
    shake(&world, TLS1_3);
    for (size_t which = 0; which < 3; which++) {
        struct ms_slice body = body_of(&world, types[which]);
        for (size_t cut = 0; cut < body.len; cut++) {
            for (size_t change = 0; change < sizeof changes; change++) {
                size_t len = changes[change] ? body.len : cut; /* no change: a cut */
                uint8_t *copy = ms_copy_bytes(body.data, len);
                struct ms_hello hello;
                if (changes[change]) {
                    copy[cut] ^= changes[change];
                }
                assert_true(ms_hello_read(types[which], (struct ms_slice){copy, len}, &hello));
                ms_hello_clear(&hello);
                ms_free(copy);
            }
        }
    }
    world_clear(&world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_offer_of_TLS_1_3_is_told_in_full),
        cmocka_unit_test(an_offer_without_supported_versions_is_open_below),
        cmocka_unit_test(an_answer_of_TLS_1_2_tells_what_was_chosen),
        cmocka_unit_test(the_answers_of_TLS_1_3_tell_what_was_chosen),
        cmocka_unit_test(a_ticket_that_is_presented_is_told),
        cmocka_unit_test(a_retry_tells_the_group_wanted),
        cmocka_unit_test(other_messages_are_no_hellos),
        cmocka_unit_test(a_hostile_name_is_told_whole),
        cmocka_unit_test(a_hostile_hello_is_told_or_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
