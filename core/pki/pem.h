/* SPDX-License-Identifier: MIT */
/* The blocks of a PEM text (RFC 7468), one after the other. GnuTLS looks for a block of one label
 * only and within a fixed distance; here every block is seen, so that an error can say what a text
 * holds instead. */
#ifndef MS_PEM_H
#define MS_PEM_H

#include "bytes.h"

struct ms_pem_block {
    struct ms_slice label; /* "CERTIFICATE", "EC PRIVATE KEY", ... */
    struct ms_slice text;  /* from its BEGIN line to its END line, both included */
    bool ended;            /* false: the END line is missing, and `text` goes to the end */
};

/* Whether any PEM block begins in `text`. */
bool ms_pem_any(struct ms_slice text);

/* Takes the next block off the front of `rest`, with whatever stands before it. False when there is
 * none. The block borrows from `rest`. */
bool ms_pem_next(struct ms_slice *rest, struct ms_pem_block *block);

/* Whether the block's label is `label`, respectively ends in it. */
bool ms_pem_is(const struct ms_pem_block *block, const char *label);
bool ms_pem_ends_in(const struct ms_pem_block *block, const char *label);

#endif
