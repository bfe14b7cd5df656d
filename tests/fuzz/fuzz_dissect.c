// SPDX-License-Identifier: MIT
/* Whatever both ends of a connection send, in whatever pieces: the dissector gives every byte back
 * once and in order, calls nothing a record that is none, and says the same of the same bytes. The
 * first byte of a piece is its direction and length. */
#include "dissect.h"

#include <stdlib.h>
#include <string.h>

static void require(bool holds) {
    if (!holds) {
        abort();
    }
}

static void check(const struct ms_dissected *found) {
    require(found->length == (int64_t)found->bytes.len && found->messages.items);
    if (found->type) {
        require(found->version && found->bytes.len >= 5 && found->bytes.data[1] == 3);
        require(found->bytes.len == 5U + (found->bytes.data[3] << 8 | found->bytes.data[4]));
    } else {
        require(!found->version && !found->encrypted);
    }
    require((found->messages.num == 0 && !found->alert.present) ||
            (found->type && !found->encrypted));
    require(found->messages.num > 0 ||
            !(found->hello.present || found->certificates.items || found->issuers.items));
}

/* Feeds one piece, and compares what comes out with what has gone in. */
static void feed(struct ms_dissector *dissector, enum ms_role from, struct ms_slice piece,
                 struct ms_bytes *waiting) {
    require(ms_bytes_add(waiting, piece.data, piece.len));
    while (piece.len > 0) {
        struct ms_dissected found;
        require(ms_dissect_next(dissector, from, &piece, &found));
        if (found.bytes.data) {
            check(&found);
            require(found.bytes.len <= waiting->len);
            require(memcmp(found.bytes.data, waiting->data, found.bytes.len) == 0);
            waiting->len -= found.bytes.len;
            memmove(waiting->data, waiting->data + found.bytes.len, waiting->len);
        }
        ms_dissected_clear(&found);
    }
    struct ms_slice held = ms_dissect_held(dissector, from);
    require(ms_slice_equal(held, (struct ms_slice){waiting->data, waiting->len}));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct ms_dissector dissector = {0};
    struct ms_bytes waiting[2] = {{0}};
    while (size > 0) {
        enum ms_role from = data[0] & 0x80 ? MS_SERVER : MS_CLIENT;
        size_t len = data[0] & 0x7f;
        data++;
        size--;
        len = len < size ? len : size;
        feed(&dissector, from, (struct ms_slice){data, len}, &waiting[from]);
        data += len;
        size -= len;
    }
    ms_dissector_clear(&dissector);
    ms_bytes_clear(&waiting[MS_CLIENT]);
    ms_bytes_clear(&waiting[MS_SERVER]);
    return 0;
}
