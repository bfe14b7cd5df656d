/* SPDX-License-Identifier: MIT */
/* JSON written into a buffer of the caller's: for a process that is lost and has something to tell.
 * Nothing here allocates, locks or calls what a signal handler may not call. Commas come by
 * themselves. What does not fit is left out and `full` is set; who wants the text sound goes back
 * to the `used` of before. */
#ifndef MS_JSON_H
#define MS_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ms_json {
    char *data; /* borrowed; not ended by a zero */
    size_t size, used;
    bool full;
};

void ms_json_begin(struct ms_json *json, char bracket); /* '{' or '[' */
void ms_json_end(struct ms_json *json, char bracket);   /* '}' or ']' */
void ms_json_key(struct ms_json *json, const char *name);

/* Values. A text ends at a zero or after `len` bytes; of one that is longer than `most` bytes so
 * many are written, and three dots. It is valid UTF-8 whatever it was: each byte that belongs to no
 * character becomes U+FFFD. */
void ms_json_number(struct ms_json *json, int64_t number);
void ms_json_bool(struct ms_json *json, bool value);
void ms_json_text(struct ms_json *json, const char *text, size_t len, size_t most);

/* Bytes as they are, between what is JSON. */
void ms_json_raw(struct ms_json *json, const char *bytes, size_t len);

#endif
