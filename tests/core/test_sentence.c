/* SPDX-License-Identifier: MIT */
#include "sentence.h"

#include "memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_sentence(struct ms_sentence *sentence, const char *wanted) {
    char *text = ms_sentence_end(sentence);
    assert_non_null(text);
    assert_string_equal(text, wanted);
    ms_free(text);
}

static void times_are_iso_and_utc(void **state) {
    (void)state;
    struct ms_sentence sentence = {0};
    ms_sentence_add_time(&sentence, 0);
    assert_sentence(&sentence, "1970-01-01T00:00:00Z");
    ms_sentence_add_time(&sentence, -1);
    assert_sentence(&sentence, "1969-12-31T23:59:59Z");
    ms_sentence_add_time(&sentence, 253402300799);
    assert_sentence(&sentence, "9999-12-31T23:59:59Z");
    ms_sentence_add_time(&sentence, INT64_MAX);
    assert_sentence(&sentence, "9223372036854775807 seconds from 1970");
}

static void a_clause_is_set_off_only_where_both_sides_exist(void **state) {
    (void)state;
    struct ms_sentence sentence = {0};
    ms_sentence_begin_clause(&sentence);
    ms_sentence_add(&sentence, "one");
    ms_sentence_begin_clause(&sentence);
    ms_sentence_begin_clause(&sentence);
    ms_sentence_add_text(&sentence, "two");
    ms_sentence_begin_clause(&sentence);
    assert_sentence(&sentence, "one; two");
    assert_sentence(&sentence, "");
}

static void foreign_text_can_neither_hide_nor_move_the_cursor(void **state) {
    (void)state;
    struct ms_sentence sentence = {0};
    ms_sentence_add_text(&sentence, "a\033[2J\r\n\x7f\xff z");
    char *text = ms_sentence_end(&sentence);
    assert_non_null(text);
    assert_memory_equal(text, "a?[2J???", 8);
    for (const char *c = text; *c; c++) {
        assert_true(*c >= 0x20 && *c < 0x7f);
    }
    ms_free(text);
}

static void a_long_foreign_text_is_not_cut(void **state) {
    (void)state;
    char name[2000];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = 0;
    struct ms_sentence sentence = {0};
    ms_sentence_add_text(&sentence, name);
    assert_sentence(&sentence, name);
}

static void a_list_goes_on_from_another(void **state) {
    (void)state;
    struct ms_texts texts = {0};
    struct ms_sentence sentence = {0};
    ms_sentence_add_texts(&sentence, &texts, false);
    assert_sentence(&sentence, "");
    assert_true(ms_texts_add(&texts, "a") && ms_texts_add(&texts, "b"));
    ms_sentence_add_texts(&sentence, &texts, false);
    ms_sentence_add_texts(&sentence, &texts, true);
    assert_sentence(&sentence, "a, b, a, b");
    ms_texts_clear(&texts);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_iso_and_utc),
        cmocka_unit_test(a_clause_is_set_off_only_where_both_sides_exist),
        cmocka_unit_test(foreign_text_can_neither_hide_nor_move_the_cursor),
        cmocka_unit_test(a_long_foreign_text_is_not_cut),
        cmocka_unit_test(a_list_goes_on_from_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
