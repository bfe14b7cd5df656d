/* SPDX-License-Identifier: MIT */
#include "memory.h"

#include <stdlib.h>
#include <string.h>

void *ms_alloc(size_t size) {
    return calloc(1, size ? size : 1);
}

void *ms_grow(void *old, size_t size) {
    return realloc(old, size ? size : 1);
}

void ms_free(void *block) {
    free(block);
}
