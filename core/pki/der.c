/* SPDX-License-Identifier: MIT */
#include "der.h"

static bool read_length(struct ms_slice *from, uint32_t *len) {
    if (!ms_read_number(from, 1, len)) {
        return false;
    }
    if (*len < 0x80) {
        return true;
    }
    size_t width = *len & 0x7f;
    return width >= 1 && width <= 4 && ms_read_number(from, width, len);
}

bool ms_der_next(struct ms_slice *from, uint8_t tag, struct ms_slice *content,
                 struct ms_slice *whole) {
    const uint8_t *begin = from->data;
    uint32_t found;
    uint32_t len;
    struct ms_slice inner;
    if (!ms_read_number(from, 1, &found) || found != tag || !read_length(from, &len) ||
        !ms_read_fixed(from, len, &inner)) {
        return false;
    }
    if (content) {
        *content = inner;
    }
    if (whole) {
        *whole = (struct ms_slice){begin, (size_t)(from->data - begin)};
    }
    return true;
}
