/* SPDX-License-Identifier: MIT */
#include "pieces.h"

#include "memory.h"

#include <string.h>

struct ms_piece {
    struct ms_piece *next;
    size_t len;
    uint8_t bytes[];
};

bool ms_pieces_add(struct ms_pieces *pieces, struct ms_slice bytes) {
    if (bytes.len == 0) {
        return true;
    }
    struct ms_piece *piece = ms_alloc(sizeof *piece + bytes.len);
    if (!piece) {
        return false;
    }
    piece->len = bytes.len;
    memcpy(piece->bytes, bytes.data, bytes.len);
    if (pieces->last) {
        pieces->last->next = piece;
    } else {
        pieces->first = piece;
    }
    pieces->last = piece;
    return true;
}

struct ms_slice ms_pieces_first(const struct ms_pieces *pieces) {
    const struct ms_piece *piece = pieces->first;
    return piece ? (struct ms_slice){piece->bytes, piece->len} : (struct ms_slice){0};
}

void ms_pieces_drop(struct ms_pieces *pieces) {
    struct ms_piece *piece = pieces->first;
    pieces->first = piece->next;
    if (!pieces->first) {
        pieces->last = NULL;
    }
    ms_free(piece);
}

void ms_pieces_clear(struct ms_pieces *pieces) {
    while (pieces->first) {
        ms_pieces_drop(pieces);
    }
}
