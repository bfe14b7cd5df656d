/* SPDX-License-Identifier: MIT */
/* Every allocation of the core's own goes through here, so that a test can link another memory.c
 * and make any one of them fail. GnuTLS's own allocations do not. */
#ifndef MS_MEMORY_H
#define MS_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* Zeroed memory, or NULL when there is none. Returned, caller frees with ms_free(). */
void *ms_alloc(size_t size);

/* As realloc(3): the old block stays valid when NULL comes back. */
void *ms_grow(void *old, size_t size);

/* A copy of a text or of `size` bytes (NULL gives NULL). Returned, caller frees with ms_free(). */
char *ms_copy_text(const char *text);
void *ms_copy_bytes(const void *bytes, size_t size);

/* Frees what the functions above returned; NULL is fine. */
void ms_free(void *block);

/* Makes room for one more element in an array that has `num` of `capacity` elements of `size`
 * bytes. False, and nothing changed, when memory is short. */
bool ms_grow_array(void *array_pointer, size_t num, size_t *capacity, size_t size);

#endif
