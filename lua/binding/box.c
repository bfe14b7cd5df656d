/* SPDX-License-Identifier: MIT */
#include "box.h"

#include <string.h>

/* The box that a metamethod was called with, or NULL: a script may call one with anything. Upvalue
 * 1 is the class, 2 its metatable. Allocates nothing, for finalisers may not fail. */
static struct ms_box *own_box(lua_State *L, const struct ms_class **class) {
    *class = lua_touserdata(L, lua_upvalueindex(1));
    if (!lua_getmetatable(L, 1) || !lua_rawequal(L, -1, lua_upvalueindex(2))) {
        return NULL;
    }
    return lua_touserdata(L, 1);
}

static void settle(struct ms_box *box, const struct ms_class *class) {
    if (box->users > 0 || box->cleared) {
        return;
    }
    if (box->clear_wanted) {
        box->cleared = true;
        class->clear(box);
    } else if (box->finish_wanted) {
        box->finish_wanted = false;
        class->finish(box);
    }
}

static int collect_box(lua_State *L) {
    const struct ms_class *class;
    struct ms_box *box = own_box(L, &class);
    if (box) {
        box->clear_wanted = true;
        settle(box, class);
    }
    return 0;
}

static int close_box(lua_State *L) {
    const struct ms_class *class;
    struct ms_box *box = own_box(L, &class);
    if (box) {
        box->finish_wanted = class->finish != NULL;
        box->clear_wanted = box->clear_wanted || class->finish == NULL;
        settle(box, class);
    }
    return 0;
}

static void set_metamethod(lua_State *L, const struct ms_class *class, const char *name,
                           lua_CFunction function) {
    lua_pushlightuserdata(L, (void *)class);
    lua_pushvalue(L, -2);
    lua_pushcclosure(L, function, 2);
    lua_setfield(L, -2, name);
}

void ms_class_register(lua_State *L, const struct ms_class *class) {
    /* Filled even when it is there already: an earlier try may have ended half way. */
    luaL_newmetatable(L, class->name);
    set_metamethod(L, class, "__gc", collect_box);
    set_metamethod(L, class, "__close", close_box);
    if (class->equal) {
        lua_pushcfunction(L, class->equal);
        lua_setfield(L, -2, "__eq");
    }
}

void *ms_box_new(lua_State *L, const struct ms_class *class) {
    void *box = lua_newuserdatauv(L, class->size, class->num_values);
    memset(box, 0, class->size);
    luaL_setmetatable(L, class->name);
    return box;
}

void *ms_box_scratch(lua_State *L, const struct ms_class *class) {
    void *box = ms_box_new(L, class);
    lua_toclose(L, -1);
    return box;
}

void *ms_box_check(lua_State *L, int index, const struct ms_class *class) {
    struct ms_box *box = luaL_checkudata(L, index, class->name);
    if (box->cleared || box->clear_wanted) {
        luaL_error(L, "%s: already closed", class->name);
    }
    return box;
}

void *ms_box_test(lua_State *L, int index, const struct ms_class *class) {
    struct ms_box *box = luaL_testudata(L, index, class->name);
    return box && !box->cleared && !box->clear_wanted ? box : NULL;
}

bool ms_box_is(lua_State *L, int index, const struct ms_class *class) {
    return luaL_testudata(L, index, class->name) != NULL;
}

void ms_box_hold(void *box) {
    ((struct ms_box *)box)->users++;
}

void ms_box_let_go(void *box, const struct ms_class *class) {
    ((struct ms_box *)box)->users--;
    settle(box, class);
}

int ms_box_read(lua_State *L, void *box, const struct ms_class *class, lua_CFunction function) {
    int num = lua_gettop(L);
    luaL_checkstack(L, num + 1, NULL);
    lua_pushcfunction(L, function);
    for (int i = 1; i <= num; i++) {
        lua_pushvalue(L, i);
    }
    ms_box_hold(box);
    int status = lua_pcall(L, num, LUA_MULTRET, 0);
    ms_box_let_go(box, class);
    return status == LUA_OK ? lua_gettop(L) - num : lua_error(L);
}
