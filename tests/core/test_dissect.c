/* SPDX-License-Identifier: MIT */
#include "dissect.h"
#include "memory.h"
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h> /* after what it needs */

#define TLS1_0 0x0301
#define TLS1_2 0x0303
#define TLS1_3 0x0304
#define MOST 4096 /* bytes of what is told of a connection here */

/* What a dissector told, as text: "c:ClientHello s:..." with (alert), [encrypted] and {no record}.
 */
struct told {
    struct ms_dissector dissector;
    char text[MOST];
    size_t passed; /* bytes that came out again */
};

static void add(struct told *told, const char *before, const char *word, const char *after) {
    size_t len = strlen(told->text);
    (void)snprintf(told->text + len, MOST - len, "%s%s%s", before, word, after);
}

static void tell(struct told *told, enum ms_role from, const struct ms_dissected *found) {
    add(told, told->text[0] ? " " : "", from == MS_CLIENT ? "c:" : "s:", "");
    if (!found->type) {
        add(told, "{", "", "}");
    } else if (found->encrypted) {
        add(told, "[", found->type, "]");
        assert_int_equal(found->messages.num, 0);
        assert_false(found->alert.present);
    } else if (found->alert.present) {
        add(told, "(", found->alert.name, ")");
    } else if (found->messages.num == 0) {
        add(told, "", found->type, "");
    }
    for (size_t i = 0; i < found->messages.num; i++) {
        add(told, i > 0 ? "+" : "", found->messages.items[i], "");
    }
}

static void feed(struct told *told, enum ms_role from, const void *data, size_t len, size_t piece) {
    const uint8_t *bytes = data;
    for (size_t at = 0; at < len; at += piece) {
        struct ms_slice part = {bytes + at, len - at < piece ? len - at : piece};
        while (part.len > 0) {
            struct ms_dissected found;
            assert_true(ms_dissect_next(&told->dissector, from, &part, &found));
            if (found.bytes.data) {
                assert_int_equal(found.length, found.bytes.len);
                told->passed += found.bytes.len;
                tell(told, from, &found);
            }
            ms_dissected_clear(&found);
        }
    }
}

static void clear(struct told *told) {
    ms_dissector_clear(&told->dissector);
    *told = (struct told){0};
}

/* Everything that a link's ends sent. */
static void feed_log(struct told *told, struct ms_log *log, size_t piece) {
    size_t total = 0;
    for (size_t i = 0; i < ms_log_num(log); i++) {
        const struct ms_event *event = ms_log_at(log, i);
        if (event->kind == MS_EVENT_RECORD && !event->incoming) {
            feed(told, event->role, event->bytes.data, event->bytes.len, piece);
            total += event->bytes.len;
        }
    }
    assert_int_equal(told->passed, total);
}

static void shake(struct world *world, uint16_t version) {
    struct ms_error error = {0};
    world_make(world, version);
    world->server_config->client_auth = MS_AUTH_REQUIRE;
    world_link(world, NULL);
    assert_true(ms_link_handshake(world->link, &error));
    world_pump(world);
}

/* The client has no certificate. */
static void messages_are_named_until_a_direction_is_encrypted(void **unused) {
    (void)unused;
    static const struct {
        uint16_t version;
        const char *told;
    } rows[] = {
        {TLS1_0, "c:ClientHello s:ServerHello s:Certificate s:ServerKeyExchange "
                 "s:CertificateRequest s:ServerHelloDone c:Certificate c:ClientKeyExchange "
                 "c:change_cipher_spec c:[handshake] s:(decode_error)"},
        {TLS1_2, "c:ClientHello s:ServerHello s:Certificate s:ServerKeyExchange "
                 "s:CertificateRequest s:ServerHelloDone c:Certificate c:ClientKeyExchange "
                 "c:change_cipher_spec c:[handshake] s:(decode_error)"},
        {TLS1_3, "c:ClientHello s:ServerHello s:change_cipher_spec s:[application_data] "
                 "s:[application_data] s:[application_data] s:[application_data] "
                 "s:[application_data] c:change_cipher_spec c:[application_data] "
                 "c:[application_data] s:[application_data]"},
    };
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        struct world world;
        shake(&world, rows[row].version);
        for (size_t piece = 1; piece < 2000; piece += piece < 8 ? 1 : 333) {
            struct told told = {0};
            feed_log(&told, ms_link_log(world.link), piece);
            assert_string_equal(told.text, rows[row].told);
            clear(&told);
        }
        world_clear(&world);
    }
}

static const uint8_t client_hello[] = {22, 3, 1, 0, 4, 1, 0, 0, 0}, change[] = {20, 3, 3, 0, 1, 1},
                     sealed[] = {23, 3, 3, 0, 3, 'a', 'b', 'c'};

/* What is told of a whole record. */
static void read_one(struct ms_dissector *dissector, enum ms_role from, const void *data,
                     size_t len, struct ms_dissected *found) {
    struct ms_slice bytes = {data, len};
    assert_true(ms_dissect_next(dissector, from, &bytes, found));
    assert_non_null(found->bytes.data);
    assert_int_equal(bytes.len, 0);
}

static void greetings_and_certificates_in_clear_are_read(void **unused) {
    (void)unused;
    struct world world;
    struct ms_dissector dissector = {0};
    shake(&world, TLS1_2);
    struct ms_log *log = ms_link_log(world.link);
    size_t num_read = 0;
    for (size_t i = 0; i < ms_log_num(log); i++) {
        const struct ms_event *event = ms_log_at(log, i);
        if (event->kind != MS_EVENT_RECORD || event->incoming) {
            continue;
        }
        struct ms_dissected found;
        read_one(&dissector, event->role, event->bytes.data, event->bytes.len, &found);
        const char *name = found.messages.num > 0 ? found.messages.items[0] : "";
        bool is_hello = strcmp(name, "ClientHello") == 0 || strcmp(name, "ServerHello") == 0;
        assert_int_equal(found.hello.present, is_hello);
        assert_int_equal(found.certificates.items != NULL, strcmp(name, "Certificate") == 0);
        assert_int_equal(found.issuers.items != NULL, strcmp(name, "CertificateRequest") == 0);
        if (is_hello) {
            assert_string_equal(found.hello.versions.items[0], "TLS1.2");
        } else if (found.certificates.items) { /* the client has none */
            assert_int_equal(found.certificates.num > 0, event->role == MS_SERVER);
        } else if (found.issuers.items) {
            assert_int_equal(found.issuers.num, 1);
        }
        num_read += is_hello || found.certificates.items || found.issuers.items ? 1 : 0;
        ms_dissected_clear(&found);
    }
    assert_int_equal(num_read, 5);
    ms_dissector_clear(&dissector);
    world_clear(&world);
}

/* Of two of a kind the first is told; what is malformed, or too much, is not. */
static void what_cannot_be_read_is_absent(void **unused) {
    (void)unused;
    static const uint8_t two[] = {22, 3,   3,  0, 22, 11, 0, 0, 7, 0, 0, 4, 0,  0,
                                  1,  'x', 11, 0, 0,  7,  0, 0, 4, 0, 0, 1, 'y'},
                         bad[] = {22, 3, 3, 0, 11, 11, 0, 0, 7, 0, 0, 4, 0, 0, 2, 'x'};
    /* The second has one more suite, or name. */
    static const uint8_t
        hellos[] = {22, 3, 3, 0, 92, 1, 0, 0,        41, 3, 3,    [43] = 0, 0,    2, 0x13, 1, 1,
                    0,  1, 0, 0, 43, 3, 3, [88] = 0, 0,  4, 0x13, 1,        0x13, 2, 1,    0},
        requests[] = {22, 3, 3, 0,  28, 13, 0, 0, 8, 1, 1,    0, 4, 0, 2,    0x30, 0,
                      13, 0, 0, 12, 1,  1,  0, 8, 0, 2, 0x30, 0, 0, 2, 0x30, 0};
    static uint8_t many[5 + 4 + 3 + 257 * 3] = {22, 3, 3, 3, 10, 11, 0, 3, 6, 0, 3, 3};
    struct ms_dissector dissector = {0};
    struct ms_dissected found;
    read_one(&dissector, MS_SERVER, two, sizeof two, &found);
    assert_int_equal(found.messages.num, 2);
    assert_int_equal(found.certificates.num, 1);
    assert_int_equal(ms_certificate_der(found.certificates.items[0]).data[0], 'x');
    ms_dissected_clear(&found);
    read_one(&dissector, MS_CLIENT, hellos, sizeof hellos, &found);
    assert_int_equal(found.messages.num, 2);
    assert_int_equal(found.hello.cipher_suites.num, 1);
    ms_dissected_clear(&found);
    read_one(&dissector, MS_SERVER, requests, sizeof requests, &found);
    assert_int_equal(found.messages.num, 2);
    assert_int_equal(found.issuers.num, 1);
    ms_dissected_clear(&found);
    read_one(&dissector, MS_SERVER, bad, sizeof bad, &found);
    assert_int_equal(found.messages.num, 1);
    assert_null(found.certificates.items);
    ms_dissected_clear(&found);
    read_one(&dissector, MS_SERVER, many, sizeof many, &found);
    assert_int_equal(found.messages.num, 1);
    assert_null(found.certificates.items);
    ms_dissected_clear(&found);
    read_one(&dissector, MS_CLIENT, client_hello, sizeof client_hello, &found);
    assert_int_equal(found.messages.num, 1);
    assert_false(found.hello.present);
    ms_dissected_clear(&found);
    ms_dissector_clear(&dissector);
}

static void a_renegotiation_is_not_named(void **unused) {
    (void)unused;
    struct world world;
    struct ms_error error = {0};
    struct told told = {0};
    world_make(&world, TLS1_2);
    world_link(&world, NULL);
    assert_true(ms_link_handshake(world.link, &error));
    world_pump(&world);
    feed_log(&told, ms_link_log(world.link), 100);
    size_t before = strlen(told.text);
    assert_true(ms_link_renegotiate(world.link, MS_CLIENT, &error));
    world_pump(&world);
    clear(&told);
    feed_log(&told, ms_link_log(world.link), 100);
    assert_non_null(strstr(told.text + before, "[change_cipher_spec]"));
    assert_null(strstr(told.text + before, "Hello"));
    clear(&told);
    world_clear(&world);
}

/* A ServerHello that selects TLS 1.3, or with the random of a HelloRetryRequest. */
static size_t server_hello(uint8_t *to, bool retry) {
    static const uint8_t head[] = {22, 3, 3, 0, 50, 2, 0, 0, 46, 3, 3};
    static const uint8_t random[32] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11,
                                       0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
                                       0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e,
                                       0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};
    static const uint8_t tail[] = {0, 0x13, 0x01, 0, 0, 6, 0, 43, 0, 2, 3, 4};
    memcpy(to, head, sizeof head);
    memset(to + sizeof head, 'r', sizeof random);
    if (retry) {
        memcpy(to + sizeof head, random, sizeof random);
    }
    memcpy(to + sizeof head + sizeof random, tail, sizeof tail);
    return sizeof head + sizeof random + sizeof tail;
}

static void a_change_for_middleboxes_encrypts_nothing(void **unused) {
    (void)unused;
    uint8_t hello[80];
    struct told told = {0};
    feed(&told, MS_CLIENT, client_hello, sizeof client_hello, 100);
    feed(&told, MS_CLIENT, change, sizeof change, 100); /* early data follows */
    feed(&told, MS_CLIENT, sealed, sizeof sealed, 100);
    feed(&told, MS_SERVER, hello, server_hello(hello, true), 100);
    feed(&told, MS_SERVER, change, sizeof change, 100);
    feed(&told, MS_CLIENT, change, sizeof change, 100);
    feed(&told, MS_CLIENT, client_hello, sizeof client_hello, 100);
    feed(&told, MS_SERVER, hello, server_hello(hello, false), 100);
    feed(&told, MS_SERVER, sealed, sizeof sealed, 100);
    feed(&told, MS_CLIENT, (const uint8_t[]){21, 3, 3, 0, 2, 2, 47}, 7, 100);
    assert_string_equal(told.text,
                        "c:ClientHello c:change_cipher_spec c:[application_data] "
                        "s:HelloRetryRequest s:change_cipher_spec c:change_cipher_spec "
                        "c:ClientHello s:ServerHello s:[application_data] c:(illegal_parameter)");
    clear(&told);
}

static void a_record_may_hold_many_messages_and_a_message_many_records(void **unused) {
    (void)unused;
    static const uint8_t many[] = {22, 3, 3, 0, 10, 1,   0,  0, 0, 14, 0, 0,   0, 11, 0, 22, 3,
                                   3,  0, 3, 0, 2,  'x', 22, 3, 3, 0,  5, 'y', 0, 0,  0, 0};
    struct told told = {0};
    feed(&told, MS_SERVER, many, sizeof many, 100);
    assert_string_equal(told.text,
                        "s:ClientHello+ServerHelloDone s:handshake s:Certificate+HelloRequest");
    clear(&told);
}

static void what_is_no_record_passes_as_it_came(void **unused) {
    (void)unused;
    static const char greeting[] = "220 ready\r\n";
    static const uint8_t wrong_version[] = {22, 2, 0, 0, 1, 'x'},
                         too_long[] = {22, 3, 3, 0x48, 1, 'x'}, old[] = {0x80, 46, 1, 3, 1};
    struct told told = {0};
    feed(&told, MS_SERVER, greeting, sizeof greeting, 100);
    feed(&told, MS_SERVER, wrong_version, sizeof wrong_version, 100);
    feed(&told, MS_SERVER, too_long, sizeof too_long, 100);
    feed(&told, MS_SERVER, old, sizeof old, 100);
    assert_string_equal(told.text, "s:{} s:{} s:{} s:{}");
    feed(&told, MS_SERVER, client_hello, sizeof client_hello, 100);
    assert_string_equal(told.text, "s:{} s:{} s:{} s:{} s:ClientHello");
    clear(&told);

    feed(&told, MS_CLIENT, wrong_version, 1, 100); /* which may become a record */
    assert_int_equal(ms_dissect_held(&told.dissector, MS_CLIENT).len, 1);
    assert_int_equal(ms_dissect_held(&told.dissector, MS_SERVER).len, 0);
    feed(&told, MS_CLIENT, wrong_version + 1, sizeof wrong_version - 1, 100);
    assert_int_equal(told.passed, sizeof wrong_version);
    assert_int_equal(ms_dissect_held(&told.dissector, MS_CLIENT).len, 0);
    feed(&told, MS_CLIENT, client_hello, sizeof client_hello, 100);
    assert_string_equal(told.text, "c:{} c:ClientHello");
    feed(&told, MS_CLIENT, client_hello, 8, 100);
    assert_int_equal(ms_dissect_held(&told.dissector, MS_CLIENT).len, 8);
    clear(&told);
}

/* A message that claims 16 MiB is not kept. */
static void memory_is_bounded(void **unused) {
    (void)unused;
    static uint8_t record[5 + 16384] = {22, 3, 3, 0x40, 0};
    struct told told = {0};
    memcpy(record + 5, (const uint8_t[]){2, 0xff, 0xff, 0xff}, 4);
    for (int i = 0; i < 100; i++) {
        feed(&told, MS_SERVER, record, sizeof record, sizeof record);
        record[5] = 0; /* the next ones go on with it */
        told.text[0] = '\0';
    }
    struct ms_direction *direction = &told.dissector.directions[MS_SERVER];
    assert_int_equal(direction->body.capacity, 0);
    assert_true(direction->records.part.capacity <= 32768);
    clear(&told);
}

/* Marsaglia's xorshift: the same everywhere. */
static uint32_t draw(uint32_t *random, uint32_t below) {
    *random ^= *random << 13;
    *random ^= *random >> 17;
    *random ^= *random << 5;
    return *random % below;
}

/* What a handshake says, with a few bytes changed, in random pieces: all of it comes out again. */
static void a_hostile_peer_only_misleads(void **unused) {
    (void)unused;
    struct world world;
    shake(&world, TLS1_2);
    struct ms_log *log = ms_link_log(world.link);
    for (uint32_t seed = 1; seed <= 2000; seed++) {
        uint32_t random = seed * 2654435761U;
        struct told told = {0};
        size_t total = 0;
        for (size_t i = 0; i < ms_log_num(log); i++) {
            const struct ms_event *event = ms_log_at(log, i);
            if (event->kind != MS_EVENT_RECORD || event->incoming) {
                continue;
            }
            uint8_t *copy = ms_copy_bytes(event->bytes.data, event->bytes.len);
            for (uint32_t num = draw(&random, 3); num > 0; num--) {
                size_t reach = draw(&random, 2) ? 12 : event->bytes.len;
                reach = reach < event->bytes.len ? reach : event->bytes.len;
                copy[draw(&random, (uint32_t)reach)] = (uint8_t)draw(&random, 256);
            }
            feed(&told, event->role, copy, event->bytes.len, 1 + draw(&random, 200));
            total += event->bytes.len;
            told.text[0] = '\0';
            ms_free(copy);
        }
        assert_int_equal(told.passed + ms_dissect_held(&told.dissector, MS_CLIENT).len +
                             ms_dissect_held(&told.dissector, MS_SERVER).len,
                         total);
        clear(&told);
    }
    world_clear(&world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_named_until_a_direction_is_encrypted),
        cmocka_unit_test(greetings_and_certificates_in_clear_are_read),
        cmocka_unit_test(what_cannot_be_read_is_absent),
        cmocka_unit_test(a_renegotiation_is_not_named),
        cmocka_unit_test(a_change_for_middleboxes_encrypts_nothing),
        cmocka_unit_test(a_record_may_hold_many_messages_and_a_message_many_records),
        cmocka_unit_test(what_is_no_record_passes_as_it_came),
        cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test(a_hostile_peer_only_misleads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
