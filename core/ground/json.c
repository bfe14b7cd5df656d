/* SPDX-License-Identifier: MIT */
#include "json.h"

#include "foreign_text.h"

#include <string.h>

static const char digits[] = "0123456789abcdef";

void ms_json_raw(struct ms_json *json, const char *bytes, size_t len) {
    if (json->full || len > json->size - json->used) {
        json->full = true;
        return;
    }
    memcpy(json->data + json->used, bytes, len);
    json->used += len;
}

static void add(struct ms_json *json, const char *text) {
    ms_json_raw(json, text, strlen(text));
}

/* A comma goes before whatever does not stand first. */
static void separate(struct ms_json *json) {
    if (json->used > 0 && !strchr("{[:", json->data[json->used - 1])) {
        add(json, ",");
    }
}

void ms_json_begin(struct ms_json *json, char bracket) {
    separate(json);
    ms_json_raw(json, &bracket, 1);
}

void ms_json_end(struct ms_json *json, char bracket) {
    ms_json_raw(json, &bracket, 1);
}

void ms_json_key(struct ms_json *json, const char *name) {
    separate(json);
    add(json, "\"");
    add(json, name);
    add(json, "\":");
}

void ms_json_number(struct ms_json *json, int64_t number) {
    char text[20];
    size_t at = sizeof text;
    uint64_t left = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    do {
        text[--at] = digits[left % 10];
        left /= 10;
    } while (left > 0);
    if (number < 0) {
        text[--at] = '-';
    }
    separate(json);
    ms_json_raw(json, text + at, sizeof text - at);
}

void ms_json_bool(struct ms_json *json, bool value) {
    separate(json);
    add(json, value ? "true" : "false");
}

/* The character at the front, escaped; returns how many bytes it took. */
static size_t add_character(struct ms_json *json, const uint8_t *from, size_t len) {
    size_t width = ms_character_length(from, len);
    if (width == 0) {
        add(json, "\xef\xbf\xbd");
        return 1;
    }
    if (*from < 0x20 || *from == 0x7f) {
        char escape[] = {'\\', 'u', '0', '0', digits[*from >> 4], digits[*from & 15]};
        ms_json_raw(json, escape, sizeof escape);
        return 1;
    }
    if (*from == '"' || *from == '\\') {
        add(json, "\\");
    }
    ms_json_raw(json, (const char *)from, width);
    return width;
}

void ms_json_text(struct ms_json *json, const char *text, size_t len, size_t most) {
    const uint8_t *from = (const uint8_t *)text;
    len = strnlen(text, len);
    separate(json);
    add(json, "\"");
    size_t at = 0;
    while (at < len && at < most) {
        at += add_character(json, from + at, len - at);
    }
    add(json, at < len ? "...\"" : "\"");
}
