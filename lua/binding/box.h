/* SPDX-License-Identifier: MIT */
/* Every userdata of the binding is a box: a struct that begins with a `struct ms_box` and has a
 * class. An empty box with its metatable exists before the resource that goes into it, so that a
 * Lua error (memory, mostly) between the two can lose nothing. This is the only constructor. */
#ifndef MS_BOX_H
#define MS_BOX_H

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

struct ms_box {
    unsigned users;                   /* C functions that work on what it holds while Lua may run */
    bool cleared;                     /* what it held is gone; whoever opens it is told so */
    bool finish_wanted, clear_wanted; /* as soon as it has no more users */
};

struct ms_class {
    const char *name; /* the metatable's name in the registry, and its __name */
    size_t size;      /* of the struct */
    int num_values;   /* user values */
    /* Both free what the box holds; they are called once, know no Lua and cannot fail. `finish`
     * (may be NULL: then __close clears too) leaves the box answering. */
    void (*clear)(void *box);
    void (*finish)(void *box);
    lua_CFunction equal; /* __eq; may be NULL */
};

/* Makes the metatable, and leaves it on the stack. Harmless when repeated. */
void ms_class_register(lua_State *L, const struct ms_class *class);

/* Pushes an empty box (all zero). */
void *ms_box_new(lua_State *L, const struct ms_class *class);
/* The same for C memory that is needed during one C function: it is cleared when that returns or
 * raises. */
void *ms_box_scratch(lua_State *L, const struct ms_class *class);

/* The box at `index`; raises unless it is one of this class and open. */
void *ms_box_check(lua_State *L, int index, const struct ms_class *class);
/* The same, or NULL. */
void *ms_box_test(lua_State *L, int index, const struct ms_class *class);
/* Whether it is one of this class, open or not. */
bool ms_box_is(lua_State *L, int index, const struct ms_class *class);

/* Between these two a finaliser or a script that closes the box only leaves a wish. Nothing that
 * raises may come between them. */
void ms_box_hold(void *box);
void ms_box_let_go(void *box, const struct ms_class *class);

/* Calls `function` with this function's arguments while the box is held; raises what it raises.
 * For reading, step by step, something that the box owns. Returns the number of results. */
int ms_box_read(lua_State *L, void *box, const struct ms_class *class, lua_CFunction function);

#endif
