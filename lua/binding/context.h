/* SPDX-License-Identifier: MIT */
/* What a Lua state's links and keys share: the clock, the key pool, the credentials made so far,
 * the deadline. Counted, for finalisers run in no useful order: a link holds one count. */
#ifndef MS_CONTEXT_H
#define MS_CONTEXT_H

#include "clock.h"
#include "config.h"
#include "key.h"

#include <lua.h>

struct ms_log;
struct ms_pump;

struct ms_context {
    size_t count;
    struct ms_clock clock;
    struct ms_key_pool *keys;
    struct ms_config_cache *cache;
    struct ms_pump *pump; /* the innermost one that runs, see bind_link.c */
    /* Of the link used last, for last_words.c; NULL once that is disposed of. Borrowed: bind_link.c
     * takes it back before the link goes. */
    struct ms_log *volatile log;
    bool deadline_set;
    bool deadline_held;  /* see deadline.c */
    int64_t deadline_ns; /* by the monotonic clock */
    unsigned fired;      /* how often the deadline was told */
    const char *setter;  /* the source of the function that set it, held by user value 1 */
};

struct ms_context *ms_context_retain(struct ms_context *context); /* returns it */
void ms_context_release(struct ms_context *context);              /* NULL is fine */

/* Pushes the state's only context, made at the first call. Raises when it cannot be made. */
void ms_context_push(lua_State *L);

/* The context of a function of the module (its first upvalue); raises once that is closed. */
struct ms_context *ms_context_of(lua_State *L);
/* That of a hook, which has no upvalues; NULL when there is none. Raises nothing. */
struct ms_context *ms_context_find(lua_State *L);

#endif
