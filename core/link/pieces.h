/* SPDX-License-Identifier: MIT */
/* Bytes on their way to one end, in the pieces in which they are to arrive. */
#ifndef MS_PIECES_H
#define MS_PIECES_H

#include "bytes.h"

struct ms_piece;

/* Zero-initialise. */
struct ms_pieces {
    struct ms_piece *first, *last;
};

/* Copies; none of no bytes is added. False, and nothing changed, when memory is short. */
bool ms_pieces_add(struct ms_pieces *pieces, struct ms_slice bytes);
/* The first one; data NULL: there is none. Borrows until it is dropped. */
struct ms_slice ms_pieces_first(const struct ms_pieces *pieces);
void ms_pieces_drop(struct ms_pieces *pieces); /* the first one, of which there is one */
void ms_pieces_clear(struct ms_pieces *pieces);

#endif
