/* SPDX-License-Identifier: MIT */
/* The core's allocator, counting and failing on demand. */
#include "memory.h"

#include "faults.h"

#include <stdlib.h>

void *ms_alloc(size_t size) {
    if (faults_strike(&core_faults)) {
        return NULL;
    }
    void *block = calloc(1, size ? size : 1);
    core_faults.live += block != NULL;
    return block;
}

void *ms_grow(void *old, size_t size) {
    if (faults_strike(&core_faults)) {
        return NULL;
    }
    void *block = realloc(old, size ? size : 1);
    core_faults.live += !old && block;
    return block;
}

void ms_free(void *block) {
    core_faults.live -= block != NULL;
    free(block);
}
