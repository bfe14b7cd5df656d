/* SPDX-License-Identifier: MIT */
#include "foreign_text.h"

#include "memory.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static const char digits[] = "0123456789abcdef";

/* How long the sequence is that `lead` begins, 0 when none begins with it; `least` is the smallest
 * code point that needs that many bytes. */
static size_t sequence_length(uint8_t lead, uint32_t *least) {
    if (lead < 0x80) {
        *least = 0;
        return 1;
    }
    if (lead >= 0xc2 && lead <= 0xdf) {
        *least = 0x80;
        return 2;
    }
    if (lead >= 0xe0 && lead <= 0xef) {
        *least = 0x800;
        return 3;
    }
    if (lead >= 0xf0 && lead <= 0xf4) {
        *least = 0x10000;
        return 4;
    }
    return 0;
}

size_t ms_character_length(const void *data, size_t len) {
    const uint8_t *from = data;
    uint32_t least;
    size_t wanted = sequence_length(from[0], &least);
    if (wanted == 0 || wanted > len || from[0] == 0) {
        return 0;
    }
    uint32_t code = wanted == 1 ? from[0] : from[0] & (0x7fU >> wanted);
    for (size_t i = 1; i < wanted; i++) {
        if ((from[i] & 0xc0) != 0x80) {
            return 0;
        }
        code = code << 6 | (from[i] & 0x3fU);
    }
    bool surrogate = code >= 0xd800 && code <= 0xdfff;
    return code < least || code > 0x10ffff || surrogate ? 0 : wanted;
}

char *ms_foreign_text(const void *data, size_t len) {
    const uint8_t *from = data;
    char *text = ms_alloc(len * 3 + 1);
    if (!text) {
        return NULL;
    }
    size_t used = 0;
    for (size_t i = 0; i < len;) {
        size_t wanted = ms_character_length(from + i, len - i);
        if (wanted) {
            memcpy(text + used, from + i, wanted);
            used += wanted;
            i += wanted;
        } else {
            text[used++] = '\\';
            text[used++] = digits[from[i] >> 4];
            text[used++] = digits[from[i] & 15];
            i++;
        }
    }
    return text;
}

bool ms_texts_add_foreign(struct ms_texts *texts, struct ms_slice bytes) {
    char *text = ms_foreign_text(bytes.data, bytes.len);
    bool added = text && ms_texts_add(texts, text);
    ms_free(text);
    return added;
}

char *ms_hex_text(const char *before, const void *data, size_t len) {
    const uint8_t *from = data;
    size_t begin = strlen(before);
    char *text = ms_alloc(begin + len * 2 + 1);
    if (!text) {
        return NULL;
    }
    memcpy(text, before, begin + 1);
    for (size_t i = 0; i < len; i++) {
        text[begin + 2 * i] = digits[from[i] >> 4];
        text[begin + 2 * i + 1] = digits[from[i] & 15];
    }
    return text;
}
