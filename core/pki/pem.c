/* SPDX-License-Identifier: MIT */
#include "pem.h"

#include <string.h>

#define BEGIN "-----BEGIN "
#define END "-----END "
#define DASHES "-----"

/* How far behind `from` the mark begins, or the length of `from` when it does not occur. */
static size_t find(struct ms_slice from, const char *mark) {
    const uint8_t *found = from.len ? memmem(from.data, from.len, mark, strlen(mark)) : NULL;
    return found ? (size_t)(found - from.data) : from.len;
}

static struct ms_slice skip(struct ms_slice from, size_t len) {
    return (struct ms_slice){from.data + len, from.len - len};
}

bool ms_pem_any(struct ms_slice text) {
    return find(text, BEGIN) < text.len;
}

/* What ends a block is the END line of the same label: a block without one must not swallow its
 * neighbour. */
static void find_end(struct ms_slice from, struct ms_pem_block *block) {
    struct ms_slice body = skip(from, strlen(BEGIN));
    size_t end = find(body, END);
    size_t next = find(body, BEGIN);
    block->ended = end < next;
    size_t len = strlen(BEGIN) + next;
    if (block->ended) {
        struct ms_slice label = skip(body, end + strlen(END));
        size_t dashes = find(label, DASHES);
        block->ended = dashes == block->label.len &&
                       ms_slice_equal((struct ms_slice){label.data, dashes}, block->label);
        if (block->ended) {
            len = strlen(BEGIN) + end + strlen(END) + dashes + strlen(DASHES);
        }
    }
    block->text = (struct ms_slice){from.data, len < from.len ? len : from.len};
}

bool ms_pem_next(struct ms_slice *rest, struct ms_pem_block *block) {
    size_t begin = find(*rest, BEGIN);
    if (begin == rest->len) {
        return false;
    }
    struct ms_slice from = skip(*rest, begin);
    struct ms_slice label = skip(from, strlen(BEGIN));
    block->label = (struct ms_slice){label.data, find(label, DASHES)};
    find_end(from, block);
    *rest = skip(from, block->text.len);
    return true;
}

bool ms_pem_is(const struct ms_pem_block *block, const char *label) {
    return block->label.len == strlen(label) && ms_pem_ends_in(block, label);
}

bool ms_pem_ends_in(const struct ms_pem_block *block, const char *label) {
    size_t len = strlen(label);
    return block->label.len >= len &&
           memcmp(block->label.data + block->label.len - len, label, len) == 0;
}
