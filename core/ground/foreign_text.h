/* SPDX-License-Identifier: MIT */
/* Text that a stranger wrote into a certificate, as a C string of valid UTF-8. */
#ifndef MS_FOREIGN_TEXT_H
#define MS_FOREIGN_TEXT_H

#include "bytes.h"

#include <stddef.h>

/* How many of the first bytes are one character of valid UTF-8; 0 for none, and for a NUL. `len` is
 * at least 1. */
size_t ms_character_length(const void *from, size_t len);

/* A NUL and each byte that is no UTF-8 become a backslash and two hex digits, as RFC 4514 has it;
 * nothing is cut. NULL when memory is short. Returned, caller frees with ms_free(). */
char *ms_foreign_text(const void *data, size_t len);

/* Adds the same text to a list. False when memory is short. */
bool ms_texts_add_foreign(struct ms_texts *texts, struct ms_slice bytes);

/* The bytes in lower-case hex, with `before` in front of it. NULL when memory is short. Returned,
 * caller frees with ms_free(). */
char *ms_hex_text(const char *before, const void *data, size_t len);

#endif
