/* SPDX-License-Identifier: MIT */
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

static void records_come_whole_in_whatever_pieces_they_arrive(void **unused) {
    (void)unused;
    static const uint8_t stream[] = {22, 3,  3,  0, 3, 'a', 'b', 'c', 21, 3, 3, 0, 2,
                                     2,  40, 23, 3, 3, 0,   0,   22,  3,  3, 0, 1, 'z'};
    static const size_t lengths[] = {8, 7, 5, 6};
    for (size_t piece = 1; piece <= sizeof stream; piece++) {
        struct ms_records records = {0};
        size_t found = 0;
        for (size_t at = 0; at < sizeof stream; at += piece) {
            size_t len = sizeof stream - at < piece ? sizeof stream - at : piece;
            struct ms_slice bytes = {stream + at, len}, record;
            while (bytes.len > 0) {
                assert_true(ms_records_next(&records, &bytes, &record));
                if (record.data) {
                    assert_int_equal(record.len, lengths[found]);
                    found++;
                }
            }
            ms_records_rest(&records);
        }
        assert_int_equal(found, 4);
        ms_records_clear(&records);
    }
}

static bool count_certificate(void *context, struct ms_slice der) {
    *(size_t *)context += der.len;
    return true;
}

static void certificates_are_read_in_each_version_s_form(void **unused) {
    (void)unused;
    static const uint8_t old[] = {0, 0, 9, 0, 0, 2, 'a', 'b', 0, 0, 1, 'c'};
    static const uint8_t new[] = {1, 7, 0,   0, 15, 0, 0,   2,   'a', 'b',
                                  0, 1, 'x', 0, 0,  2, 'c', 'd', 0,   0};
    size_t total = 0;
    assert_true(ms_wire_certificates((struct ms_slice){old, sizeof old}, TLS1_2, count_certificate,
                                     &total));
    assert_int_equal(total, 3);
    total = 0;
    assert_true(ms_wire_certificates((struct ms_slice){new, sizeof new}, TLS1_3, count_certificate,
                                     &total));
    assert_int_equal(total, 4);
    for (size_t len = 0; len < sizeof old; len++) {
        assert_false(
            ms_wire_certificates((struct ms_slice){old, len}, TLS1_2, count_certificate, &total));
    }
    for (size_t len = 0; len < sizeof new; len++) {
        assert_false(
            ms_wire_certificates((struct ms_slice){new, len}, TLS1_3, count_certificate, &total));
    }
}

/* The body of a real message, from a handshake of ours. */
static struct ms_slice real_message(struct world *world, uint8_t type) {
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

static void shake(struct world *world, uint16_t version) {
    struct ms_error error = {0};
    world_make(world, version);
    world->server_config->client_auth = MS_AUTH_REQUIRE;
    assert_true(ms_texts_add(&world->client_config->alpn, "h2"));
    assert_true(ms_config_add_identity(world->client_config, world->client));
    world_link(world, NULL);
    assert_true(ms_link_handshake(world->link, &error));
    world_pump(world);
    assert_true(ms_link_content(world->link));
}

static void a_real_client_hello_tells_what_it_offers(void **unused) {
    (void)unused;
    struct world world;
    struct ms_client_hello hello;
    shake(&world, TLS1_3);
    struct ms_slice body = real_message(&world, GNUTLS_HANDSHAKE_CLIENT_HELLO);
    assert_true(ms_wire_client_hello(body, &hello));
    assert_string_equal(hello.server_name, "server.example");
    assert_int_equal(hello.versions.num, 1);
    assert_int_equal(hello.versions.items[0], TLS1_3);
    assert_true(hello.post_handshake_auth);
    assert_string_equal(hello.alpn.items[0], "h2");
    assert_true(hello.groups.num > 3 && hello.schemes.num > 3);
    ms_client_hello_clear(&hello);
    world_clear(&world);
}

static void a_real_request_tells_issuers_and_schemes(void **unused) {
    (void)unused;
    static const uint16_t versions[] = {0x0301, TLS1_2, TLS1_3};
    for (size_t i = 0; i < 3; i++) {
        struct world world;
        struct ms_request request;
        shake(&world, versions[i]);
        struct ms_slice body = real_message(&world, GNUTLS_HANDSHAKE_CERTIFICATE_REQUEST);
        assert_true(ms_wire_request(body, versions[i], &request));
        assert_int_equal(request.issuers.num, 1);
        assert_string_equal(request.issuers.items[0], "CN=Root");
        assert_int_equal(request.schemes.num > 0, versions[i] >= TLS1_2);
        assert_int_equal(request.types.len > 0, versions[i] < TLS1_3);
        ms_request_clear(&request);
        world_clear(&world);
    }
}

static void a_real_signature_tells_its_scheme(void **unused) {
    (void)unused;
    struct world world;
    shake(&world, TLS1_3);
    struct ms_slice body = real_message(&world, GNUTLS_HANDSHAKE_CERTIFICATE_VERIFY);
    assert_int_equal(ms_wire_signed_with(body), 0x0403);
    for (size_t len = 0; len < body.len; len++) {
        assert_int_equal(ms_wire_signed_with((struct ms_slice){body.data, len}), 0);
    }
    world_clear(&world);
}

/* Whatever a peer sends, reading it ends, touches nothing else and leaks nothing (the sanitizers
 * watch): every cut, and every byte changed in several ways. */
static void a_hostile_message_is_refused_or_read(void **unused) {
    (void)unused;
    static const uint8_t changes[] = {0x01, 0x7f, 0x80, 0xff};
    for (int which = 0; which < 3; which++) {
        struct world world;
        shake(&world, which == 2 ? TLS1_3 : TLS1_2);
        struct ms_slice body =
            real_message(&world, which == 0 ? GNUTLS_HANDSHAKE_CLIENT_HELLO
                                            : GNUTLS_HANDSHAKE_CERTIFICATE_REQUEST);
        for (size_t cut = 0; cut <= body.len; cut++) {
            for (size_t change = 0; change < sizeof changes && cut < body.len; change++) {
                uint8_t *copy = ms_copy_bytes(body.data, body.len);
                struct ms_slice altered = {copy, body.len};
                struct ms_client_hello hello;
                struct ms_request request;
                copy[cut] ^= changes[change];
                if (which == 0 && ms_wire_client_hello(altered, &hello)) {
                    ms_client_hello_clear(&hello);
                } else if (which > 0 &&
                           ms_wire_request(altered, which == 2 ? TLS1_3 : TLS1_2, &request)) {
                    ms_request_clear(&request);
                }
                ms_free(copy);
            }
            uint8_t *copy = ms_copy_bytes(body.data, cut);
            struct ms_client_hello hello;
            struct ms_request request;
            if (which == 0 && ms_wire_client_hello((struct ms_slice){copy, cut}, &hello)) {
                ms_client_hello_clear(&hello);
            } else if (which > 0 && ms_wire_request((struct ms_slice){copy, cut},
                                                    which == 2 ? TLS1_3 : TLS1_2, &request)) {
                ms_request_clear(&request);
            }
            ms_free(copy);
        }
        world_clear(&world);
    }
}

static void a_server_hello_selects_a_version(void **unused) {
    (void)unused;
    uint8_t body[38 + 2 + 6] = {3, 3}; /* random and session id are zero */
    static const uint8_t extension[] = {0, 6, 0, 43, 0, 2, 3, 4};
    assert_int_equal(ms_wire_selected_version((struct ms_slice){body, 38}), 0x0303);
    memcpy(body + 38, extension, sizeof extension);
    assert_int_equal(ms_wire_selected_version((struct ms_slice){body, sizeof body}), 0x0304);
    for (size_t len = 0; len < sizeof body; len++) {
        if (len != 38) { /* where it ends without extensions */
            assert_int_equal(ms_wire_selected_version((struct ms_slice){body, len}), 0);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_come_whole_in_whatever_pieces_they_arrive),
        cmocka_unit_test(certificates_are_read_in_each_version_s_form),
        cmocka_unit_test(a_real_client_hello_tells_what_it_offers),
        cmocka_unit_test(a_real_request_tells_issuers_and_schemes),
        cmocka_unit_test(a_real_signature_tells_its_scheme),
        cmocka_unit_test(a_server_hello_selects_a_version),
        cmocka_unit_test(a_hostile_message_is_refused_or_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
