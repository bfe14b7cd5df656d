/* SPDX-License-Identifier: MIT */
#include "faults.h"

#include <stdlib.h>

struct faults core_faults, lua_faults;

void faults_arm(struct faults *faults, enum fault_kind kind, size_t left) {
    faults->kind = kind;
    faults->left = left;
    faults->struck = false;
}

void faults_disarm(struct faults *faults) {
    faults->kind = FAULT_NONE;
}

bool faults_strike(struct faults *faults) {
    if (faults->kind == FAULT_NONE) {
        return false;
    }
    if (faults->left > 0) {
        faults->left--;
        return false;
    }
    if (faults->kind == FAULT_ONCE && faults->struck) {
        return false;
    }
    faults->struck = true;
    return true;
}

/* Lua collects all garbage when it is refused memory, and then asks once more. */
static bool refuse_once(struct faults *faults, void *block, size_t size) {
    if (!faults->collecting) {
        return false;
    }
    bool again = faults->refused_size == size && faults->refused == block;
    faults->refused = again ? NULL : block;
    faults->refused_size = again ? 0 : size;
    return !again;
}

void *faults_lua_allocate(void *data, void *block, size_t old_size, size_t new_size) {
    struct faults *faults = data;
    if (new_size == 0) {
        faults->live -= block != NULL;
        free(block);
        return NULL;
    }
    bool grows = !block || new_size > old_size;
    if (grows && (refuse_once(faults, block, new_size) || faults_strike(faults))) {
        return NULL;
    }
    void *made = realloc(block, new_size);
    faults->live += !block && made;
    return made;
}
