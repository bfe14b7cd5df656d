/* SPDX-License-Identifier: MIT */
/* Allocators that fail on demand: the core's (this folder's memory.c, linked in place of the
 * core's) and Lua's. */
#ifndef MS_FAULTS_H
#define MS_FAULTS_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

enum fault_kind {
    FAULT_NONE,
    FAULT_ONCE,   /* one allocation fails */
    FAULT_LASTING /* and so does every later one */
};

/* What one allocator has been told and has seen. */
struct faults {
    enum fault_kind kind;
    size_t left;     /* allocations until the first that fails */
    bool struck;     /* one has failed */
    size_t live;     /* blocks that are allocated */
    bool collecting; /* Lua's: fail each growth once, to which Lua answers with a collection */
    void *refused;   /* Lua's: what was refused like that last */
    size_t refused_size;
};

extern struct faults core_faults, lua_faults;

/* The first allocation that fails is the one after `left` others. */
void faults_arm(struct faults *faults, enum fault_kind kind, size_t left);
void faults_disarm(struct faults *faults);
/* Whether the allocation that is about to be made has to fail. */
bool faults_strike(struct faults *faults);

/* A lua_Alloc. */
void *faults_lua_allocate(void *data, void *block, size_t old_size, size_t new_size);

#endif
