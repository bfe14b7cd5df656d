/* SPDX-License-Identifier: MIT */
/* Bytes: a view of some that somebody else owns, a growable buffer, and a reader of TLS vectors. */
#ifndef MS_BYTES_H
#define MS_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A view; borrows until its owner changes. `data` NULL means absent, which is not empty. */
struct ms_slice {
    const uint8_t *data;
    size_t len;
};

/* A growable buffer. Zero-initialise; ms_bytes_clear() frees it and leaves it usable. */
struct ms_bytes {
    uint8_t *data;
    size_t len, capacity;
};

/* False, and nothing changed, when memory is short. */
bool ms_bytes_add(struct ms_bytes *bytes, const void *data, size_t len);
void ms_bytes_clear(struct ms_bytes *bytes);

/* Reads big-endian numbers and length-prefixed vectors (RFC 8446 section 3) from the front of
 * `from`. False when `from` is too short; `from` is then unspecified. The vector borrows. */
bool ms_read_number(struct ms_slice *from, size_t width, uint32_t *number);
bool ms_read_vector(struct ms_slice *from, size_t length_width, struct ms_slice *vector);
bool ms_read_fixed(struct ms_slice *from, size_t len, struct ms_slice *part);

/* Whether two views show the same bytes; absent equals empty. */
bool ms_slice_equal(struct ms_slice a, struct ms_slice b);

/* A list of texts. `items` NULL means absent (nil to a script); a list of none has items != NULL.
 */
struct ms_texts {
    char **items;
    size_t num, capacity;
};

/* Makes the list present though it may stay empty. False when memory is short. */
bool ms_texts_begin(struct ms_texts *texts);
bool ms_texts_add(struct ms_texts *texts, const char *text); /* copies */
bool ms_texts_copy(struct ms_texts *to, const struct ms_texts *from);
bool ms_texts_has(const struct ms_texts *texts, const char *text);
void ms_texts_clear(struct ms_texts *texts);

#endif
