/* SPDX-License-Identifier: MIT */
/* The functions of memory.h below take the place of core/memory.c's, to count. */
#include "last_events.h"

#include "clock.h"
#include "factory.h"
#include "memory.h"

#include <stdio.h>
#include <stdlib.h>

static size_t calls;

void *ms_alloc(size_t size) {
    calls++;
    return calloc(1, size ? size : 1);
}

void *ms_grow(void *old, size_t size) {
    calls++;
    return realloc(old, size ? size : 1);
}

void ms_free(void *block) {
    calls++;
    free(block);
}

static char buffer[65536];

/* The event at a position, as a text. */
static const char *told(const struct ms_log *log, size_t position) {
    struct ms_json json = {.data = buffer, .size = sizeof buffer - 1};
    size_t before = calls;
    ms_log_tell(log, position, &json);
    assert_int_equal(calls, before);
    assert_false(json.full);
    assert_true(json.used <= MS_EVENT_JSON);
    buffer[json.used] = 0;
    return buffer;
}

static struct ms_event *add(struct ms_log *log, enum ms_role role, enum ms_event_kind kind) {
    struct ms_event *event = ms_log_add(log, role, kind);
    assert_non_null(event);
    return event;
}

static struct ms_event *add_message(struct ms_log *log, uint8_t type, struct ms_slice body) {
    struct ms_event *event = add(log, MS_SERVER, MS_EVENT_MESSAGE);
    event->type = type;
    event->version = 0x0303;
    event->bytes = ms_log_keep(log, body.data, body.len);
    return event;
}

/* Appends a vector whose length takes three bytes. */
static void add_vector(struct ms_bytes *to, struct ms_slice content) {
    uint8_t len[] = {(uint8_t)(content.len >> 16), (uint8_t)(content.len >> 8),
                     (uint8_t)content.len};
    assert_true(ms_bytes_add(to, len, sizeof len));
    assert_true(ms_bytes_add(to, content.data, content.len));
}

/* A Certificate message of TLS 1.2 with the certificate `num` times. */
static void add_certificates(struct ms_log *log, struct ms_slice der, size_t num) {
    struct ms_bytes list = {0}, body = {0};
    for (size_t i = 0; i < num; i++) {
        add_vector(&list, der);
    }
    add_vector(&body, bytes_slice(&list));
    add_message(log, GNUTLS_HANDSHAKE_CERTIFICATE_PKT, bytes_slice(&body));
    ms_bytes_clear(&list);
    ms_bytes_clear(&body);
}

#define HEAD(role, kind)                                                                           \
    "{\"index\":1,\"time\":1000,\"role\":\"" role "\",\"kind\":\"" kind "\",\"epoch\":\"initial\""

static void each_kind_has_its_facts(void **unused) {
    (void)unused;
    struct ms_log *log = ms_log_new(NULL);
    struct ms_event *event = add(log, MS_CLIENT, MS_EVENT_DATA);
    event->bytes = ms_log_keep(log, "abc", 3);
    assert_string_equal(told(log, 0),
                        HEAD("client", "data") ",\"direction\":\"sent\",\"length\":3}");

    event->kind = MS_EVENT_MESSAGE;
    event->type = 1;
    event->version = 0x0303;
    event->incoming = true;
    assert_string_equal(
        told(log, 0),
        HEAD("client", "message") ",\"direction\":\"received\",\"type\":\"ClientHello\","
                                  "\"version\":\"TLS1.2\",\"length\":3}");
    event->incoming = false;
    event->type = 200;
    event->version = 0x7f1c;
    assert_string_equal(
        told(log, 0),
        HEAD("client", "message") ",\"direction\":\"sent\",\"delivered\":false,\"type\":\"0x00c8\","
                                  "\"version\":\"0x7f1c\",\"length\":3}");

    event->kind = MS_EVENT_REQUEST;
    event->version = 0x0304;
    event->delivered = true;
    assert_string_equal(
        told(log, 0),
        HEAD("client",
             "request") ",\"direction\":\"sent\",\"delivered\":true,\"version\":\"TLS1.3\"}");

    event->kind = MS_EVENT_ALERT;
    event->type = 40;
    event->level = 2;
    event->bytes = (struct ms_slice){0};
    event->version = 0;
    assert_string_equal(told(log, 0),
                        HEAD("client", "alert") ",\"direction\":\"sent\",\"level\":\"fatal\","
                                                "\"name\":\"handshake_failure\",\"number\":40}");

    event->kind = MS_EVENT_RECORD;
    event->type = 22;
    assert_string_equal(told(log, 0),
                        HEAD("client", "record") ",\"direction\":\"sent\",\"type\":\"handshake\"}");
    ms_log_release(log);
}

static void an_error_has_its_cause(void **unused) {
    (void)unused;
    struct ms_log *log = ms_log_new(NULL);
    struct ms_event *event = add(log, MS_SERVER, MS_EVENT_ERROR);
    event->failure = ms_alloc(sizeof *event->failure);
    *event->failure = (struct ms_failure){.present = true,
                                          .problem = "peer_alert",
                                          .code = "GNUTLS_E_X",
                                          .number = -12,
                                          .message = ms_copy_text("it \"said\"\n so")};
    event->during = MS_DURING_READ;
    event->by_peer = true;
    assert_string_equal(
        told(log, 0),
        HEAD("server", "error") ",\"number\":12,\"problem\":\"peer_alert\",\"code\":\"GNUTLS_E_X\","
                                "\"message\":\"it \\\"said\\\"\\u000a so\",\"during\":\"read\","
                                "\"told_by\":\"peer\"}");
    ms_log_release(log);
}

static void a_verification_has_its_result(void **unused) {
    (void)unused;
    struct ms_log *log = ms_log_new(NULL);
    struct ms_event *event = add(log, MS_SERVER, MS_EVENT_VERIFICATION);
    event->verification = ms_alloc(sizeof *event->verification);
    event->verification->present = true;
    event->verification->accepted = true;
    assert_true(ms_texts_add(&event->verification->problems, "expired"));
    assert_true(ms_texts_add(&event->verification->problems, "revoked"));
    assert_string_equal(
        told(log, 0),
        HEAD("server", "verification") ",\"verification\":{\"verified\":false,\"accepted\":true,"
                                       "\"problems\":[\"expired\",\"revoked\"]},\"at\":0}");
    ms_log_release(log);
}

static void a_selection_tells_none_from_unknown(void **unused) {
    (void)unused;
    struct ms_log *log = ms_log_new(NULL);
    struct ms_event *event = add(log, MS_CLIENT, MS_EVENT_SELECTION);
    assert_string_equal(told(log, 0), HEAD("client", "selection") ",\"certificate\":false}");
    event->certificate = ms_certificate_new(text_slice("no certificate"), NULL);
    assert_string_equal(told(log, 0), HEAD("client", "selection") ",\"certificate\":{}}");
    ms_log_release(log);
}

static void a_certificate_is_named_as_far_as_it_is_known(void **unused) {
    (void)unused;
    struct ms_recipe recipe = bare_recipe("CN=alice");
    struct ms_identity *alice = issue(&recipe, NULL);
    struct ms_certificate *leaf = ms_identity_leaf(alice);
    struct ms_certificates chain = {0};
    assert_true(ms_certificates_add(&chain, leaf));
    struct ms_log *log = ms_log_new(NULL);
    assert_true(ms_log_know(log, &chain));
    struct ms_event *event = add(log, MS_SERVER, MS_EVENT_SELECTION);
    event->certificate = ms_certificate_retain(leaf);
    add_certificates(log, ms_certificate_der(leaf), 1);
    assert_string_equal(told(log, 0),
                        HEAD("server", "selection") ",\"certificate\":{\"subject\":\"CN=alice\"}}");
    assert_non_null(strstr(told(log, 1), ",\"certificates\":[{\"subject\":\"CN=alice\"}]}"));

    char wanted[200];
    snprintf(wanted, sizeof wanted, "{\"subject\":\"CN=alice\",\"fingerprint\":\"%s\"}",
             facts_of(alice)->fingerprint);
    assert_non_null(strstr(told(log, 0), wanted));
    assert_non_null(strstr(told(log, 1), wanted));
    ms_log_release(log);
    ms_certificates_clear(&chain);
    ms_identity_release(alice);
}

static void a_hostile_subject_does_no_harm(void **unused) {
    (void)unused;
    struct ms_recipe recipe = bare_recipe("CN=a\\\"}\\,\\0a\\1b[31m\\ffz");
    struct ms_identity *identity = issue(&recipe, NULL);
    (void)facts_of(identity);
    struct ms_log *log = ms_log_new(NULL);
    struct ms_event *event = add(log, MS_CLIENT, MS_EVENT_SELECTION);
    event->certificate = ms_certificate_retain(ms_identity_leaf(identity));
    assert_non_null(strstr(told(log, 0), "{\"subject\":\"CN=a\\\\\\\"}\\\\,"));
    assert_null(strpbrk(told(log, 0), "\n\x1b\xff"));
    ms_log_release(log);
    ms_identity_release(identity);
}

static void a_certificate_message_keeps_its_length_where_its_list_cannot_be_told(void **unused) {
    (void)unused;
    struct ms_log *log = ms_log_new(NULL);
    add_certificates(log, text_slice("x"), 0);
    add_certificates(log, text_slice("x"), 16);
    add_certificates(log, text_slice("x"), 17);
    add_message(log, GNUTLS_HANDSHAKE_CERTIFICATE_PKT, text_slice("malformed"));
    assert_non_null(strstr(told(log, 0), ",\"length\":3,\"certificates\":[]}"));
    assert_non_null(strstr(told(log, 1), ",\"length\":67,\"certificates\":[{},{},"));
    assert_non_null(strstr(told(log, 2), ",\"length\":71}"));
    assert_non_null(strstr(told(log, 3), ",\"length\":9}"));
    ms_log_release(log);
}

static void certificates_with_long_names_give_way(void **unused) {
    (void)unused;
    char name[250];
    memset(name, 'x', sizeof name);
    memcpy(name, "CN=", 3);
    memcpy(name + 60, ",O=", 3);
    memcpy(name + 120, ",OU=", 4);
    memcpy(name + 180, ",OU=", 4);
    name[sizeof name - 10] = 0;
    struct ms_recipe recipe = bare_recipe(name);
    struct ms_identity *identity = issue(&recipe, NULL);
    struct ms_slice der = ms_certificate_der(ms_identity_leaf(identity));
    struct ms_log *log = ms_log_new(NULL);
    add_certificates(log, der, 2);
    add_certificates(log, der, 16);
    assert_non_null(strstr(told(log, 0), name));
    assert_null(strstr(told(log, 1), "certificates"));
    assert_int_equal(told(log, 1)[strlen(told(log, 1)) - 1], '}');
    ms_log_release(log);
    ms_identity_release(identity);
}

static void an_event_that_does_not_fit_is_left_out(void **unused) {
    (void)unused;
    struct ms_log *log = ms_log_new(NULL);
    add(log, MS_CLIENT, MS_EVENT_DATA);
    size_t whole = strlen(told(log, 0));
    struct ms_json json = {.data = buffer, .size = whole};
    ms_log_tell(log, 0, &json);
    assert_int_equal(json.used, whole);
    for (size_t size = 1; size < whole; size++) {
        json = (struct ms_json){.data = buffer, .size = size};
        ms_json_begin(&json, '[');
        ms_log_tell(log, 0, &json);
        assert_int_equal(json.used, 1);
        assert_false(json.full);
    }
    ms_log_release(log);
}

static void the_last_events_of_each_end_are_chosen_without_records(void **unused) {
    (void)unused;
    size_t positions[MS_LAST_EVENTS];
    struct ms_log *log = ms_log_new(NULL);
    assert_int_equal(ms_log_last(log, positions), 0);
    add(log, MS_SERVER, MS_EVENT_DATA);
    for (int i = 0; i < 30; i++) {
        add(log, MS_CLIENT, i % 2 ? MS_EVENT_RECORD : MS_EVENT_DATA);
    }
    add(log, MS_SERVER, MS_EVENT_RECORD);
    assert_int_equal(ms_log_last(log, positions), 9);
    assert_int_equal(positions[0], 0);
    for (size_t i = 1; i < 9; i++) {
        assert_int_equal(positions[i], 13 + 2 * i);
    }
    for (int i = 0; i < 100; i++) {
        add(log, MS_SERVER, MS_EVENT_ALERT);
    }
    assert_int_equal(ms_log_last(log, positions), 16);
    assert_int_equal(positions[0], 15);
    assert_int_equal(positions[7], 29);
    assert_int_equal(positions[8], 124);
    assert_int_equal(positions[15], 131);
    ms_log_release(log);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_has_its_facts),
        cmocka_unit_test(an_error_has_its_cause),
        cmocka_unit_test(a_verification_has_its_result),
        cmocka_unit_test(a_selection_tells_none_from_unknown),
        cmocka_unit_test(a_certificate_is_named_as_far_as_it_is_known),
        cmocka_unit_test(a_hostile_subject_does_no_harm),
        cmocka_unit_test(a_certificate_message_keeps_its_length_where_its_list_cannot_be_told),
        cmocka_unit_test(certificates_with_long_names_give_way),
        cmocka_unit_test(an_event_that_does_not_fit_is_left_out),
        cmocka_unit_test(the_last_events_of_each_end_are_chosen_without_records),
    };
    struct ms_clock clock;
    ms_clock_set(&clock, 1000);
    ms_clock_use(&clock, 0, 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
