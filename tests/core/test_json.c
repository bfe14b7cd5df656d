/* SPDX-License-Identifier: MIT */
#include "json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h> /* after what it needs */

enum { MOST = 256 }; /* bytes of a text */

static char buffer[1024];

static struct ms_json begin(void) {
    return (struct ms_json){.data = buffer, .size = sizeof buffer};
}

static void assert_json(const struct ms_json *json, const char *wanted) {
    assert_false(json->full);
    assert_int_equal(json->used, strlen(wanted));
    assert_memory_equal(json->data, wanted, json->used);
}

static void commas_come_by_themselves(void **unused) {
    (void)unused;
    struct ms_json json = begin();
    ms_json_begin(&json, '{');
    ms_json_key(&json, "list");
    ms_json_begin(&json, '[');
    ms_json_number(&json, 1);
    ms_json_bool(&json, true);
    ms_json_text(&json, "[", 1, 9);
    ms_json_begin(&json, '{');
    ms_json_end(&json, '}');
    ms_json_begin(&json, '[');
    ms_json_end(&json, ']');
    ms_json_end(&json, ']');
    ms_json_key(&json, "last");
    ms_json_bool(&json, false);
    ms_json_end(&json, '}');
    assert_json(&json, "{\"list\":[1,true,\"[\",{},[]],\"last\":false}");
}

static void numbers_are_written_whole(void **unused) {
    (void)unused;
    struct ms_json json = begin();
    ms_json_number(&json, 0);
    ms_json_number(&json, -7);
    ms_json_number(&json, INT64_MAX);
    ms_json_number(&json, INT64_MIN);
    assert_json(&json, "0,-7,9223372036854775807,-9223372036854775808");
}

/* What comes of a text. */
static void assert_text(const char *text, size_t len, const char *wanted) {
    struct ms_json json = begin();
    ms_json_text(&json, text, len, MOST);
    assert_json(&json, wanted);
}

static void hostile_texts_do_no_harm(void **unused) {
    (void)unused;
    assert_text("CN=a\"b\\c", 100, "\"CN=a\\\"b\\\\c\"");
    assert_text("\x1b[31m\r\n\t\x7f", 100, "\"\\u001b[31m\\u000d\\u000a\\u0009\\u007f\"");
    assert_text("ends\0here", 9, "\"ends\"");
    assert_text("ends here", 4, "\"ends\"");
    assert_text("", 0, "\"\"");
    assert_text("gr\xc3\xbc\xc3\x9f \xf0\x9f\x8c\x99", 100,
                "\"gr\xc3\xbc\xc3\x9f \xf0\x9f\x8c\x99\"");
}

static void what_is_no_utf_8_is_replaced_byte_by_byte(void **unused) {
    (void)unused;
    assert_text("a\xff\xfe"
                "b",
                100,
                "\"a\xef\xbf\xbd\xef\xbf\xbd"
                "b\"");
    assert_text("\xc0\x80", 100, "\"\xef\xbf\xbd\xef\xbf\xbd\"");                 /* a long zero */
    assert_text("\xed\xa0\x80", 100, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""); /* a surrogate */
    assert_text("\xc3\xbc", 1, "\"\xef\xbf\xbd\""); /* cut in the middle */
}

static void a_long_text_is_cut_between_two_characters(void **unused) {
    (void)unused;
    char text[2 * MOST], wanted[MOST + 6] = "\"";
    memset(text, 'x', sizeof text);
    memset(wanted + 1, 'x', MOST);
    memcpy(wanted + 1 + MOST, "...\"", 5);
    assert_text(text, sizeof text, wanted);
    memcpy(wanted + 1 + MOST, "\"", 2);
    assert_text(text, MOST, wanted);
    memcpy(text + MOST - 1, "\xc3\xbc", 2);
    struct ms_json json = begin();
    ms_json_text(&json, text, sizeof text, MOST);
    assert_memory_equal(json.data + json.used - 6, "\xc3\xbc...\"", 6);
}

static void what_does_not_fit_is_left_out(void **unused) {
    (void)unused;
    char exact[4 + 1] = {0};
    exact[4] = '!';
    struct ms_json json = {.data = exact, .size = 4};
    ms_json_text(&json, "ab", 2, 9);
    assert_false(json.full);
    ms_json_number(&json, 1);
    assert_true(json.full);
    assert_memory_equal(exact, "\"ab\"!", 5);
    assert_int_equal(json.used, 4);
    json = (struct ms_json){.data = exact, .size = 0};
    ms_json_key(&json, "k");
    assert_true(json.full && json.used == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commas_come_by_themselves),
        cmocka_unit_test(numbers_are_written_whole),
        cmocka_unit_test(hostile_texts_do_no_harm),
        cmocka_unit_test(what_is_no_utf_8_is_replaced_byte_by_byte),
        cmocka_unit_test(a_long_text_is_cut_between_two_characters),
        cmocka_unit_test(what_does_not_fit_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
