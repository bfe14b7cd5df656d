/* SPDX-License-Identifier: MIT */
#include "bytes.h"

#include "memory.h"

#include <stdint.h>
#include <string.h>

char *ms_copy_text(const char *text) {
    return text ? ms_copy_bytes(text, strlen(text) + 1) : NULL;
}

void *ms_copy_bytes(const void *bytes, size_t size) {
    if (!bytes) {
        return NULL;
    }
    void *copy = ms_alloc(size);
    if (copy && size) {
        memcpy(copy, bytes, size);
    }
    return copy;
}

bool ms_grow_array(void *array_pointer, size_t num, size_t *capacity, size_t size) {
    if (num < *capacity) {
        return true;
    }
    size_t wanted = *capacity ? *capacity * 2 : 4;
    if (wanted > SIZE_MAX / size) {
        return false;
    }
    void *old;
    memcpy(&old, array_pointer, sizeof old);
    void *grown = ms_grow(old, wanted * size);
    if (!grown) {
        return false;
    }
    memcpy(array_pointer, &grown, sizeof grown);
    *capacity = wanted;
    return true;
}

bool ms_bytes_add(struct ms_bytes *bytes, const void *data, size_t len) {
    if (len > bytes->capacity - bytes->len) {
        if (len > SIZE_MAX / 2 - bytes->len) {
            return false;
        }
        size_t wanted = bytes->capacity ? bytes->capacity : 256;
        while (wanted < bytes->len + len) {
            wanted *= 2;
        }
        uint8_t *grown = ms_grow(bytes->data, wanted);
        if (!grown) {
            return false;
        }
        bytes->data = grown;
        bytes->capacity = wanted;
    }
    if (len) {
        memcpy(bytes->data + bytes->len, data, len);
    }
    bytes->len += len;
    return true;
}

void ms_bytes_clear(struct ms_bytes *bytes) {
    ms_free(bytes->data);
    *bytes = (struct ms_bytes){0};
}

bool ms_read_fixed(struct ms_slice *from, size_t len, struct ms_slice *part) {
    if (from->len < len) {
        return false;
    }
    *part = (struct ms_slice){from->data, len};
    from->data += len;
    from->len -= len;
    return true;
}

bool ms_read_number(struct ms_slice *from, size_t width, uint32_t *number) {
    struct ms_slice digits;
    if (!ms_read_fixed(from, width, &digits)) {
        return false;
    }
    *number = 0;
    for (size_t i = 0; i < width; i++) {
        *number = *number << 8 | digits.data[i];
    }
    return true;
}

bool ms_read_vector(struct ms_slice *from, size_t length_width, struct ms_slice *vector) {
    uint32_t len;
    return ms_read_number(from, length_width, &len) && ms_read_fixed(from, len, vector);
}

bool ms_slice_equal(struct ms_slice a, struct ms_slice b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool ms_texts_begin(struct ms_texts *texts) {
    return texts->items ||
           ms_grow_array(&texts->items, texts->num, &texts->capacity, sizeof(char *));
}

bool ms_texts_add(struct ms_texts *texts, const char *text) {
    if (!ms_grow_array(&texts->items, texts->num, &texts->capacity, sizeof(char *))) {
        return false;
    }
    char *copy = ms_copy_text(text);
    if (!copy) {
        return false;
    }
    texts->items[texts->num++] = copy;
    return true;
}

bool ms_texts_copy(struct ms_texts *to, const struct ms_texts *from) {
    *to = (struct ms_texts){0};
    if (from->items && !ms_texts_begin(to)) {
        return false;
    }
    for (size_t i = 0; from->items && i < from->num; i++) {
        if (!ms_texts_add(to, from->items[i])) {
            ms_texts_clear(to);
            return false;
        }
    }
    return true;
}

bool ms_texts_has(const struct ms_texts *texts, const char *text) {
    for (size_t i = 0; i < texts->num; i++) {
        if (strcmp(texts->items[i], text) == 0) {
            return true;
        }
    }
    return false;
}

void ms_texts_clear(struct ms_texts *texts) {
    for (size_t i = 0; i < texts->num; i++) {
        ms_free(texts->items[i]);
    }
    ms_free(texts->items);
    *texts = (struct ms_texts){0};
}
