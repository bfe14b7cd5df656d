/* SPDX-License-Identifier: MIT */
#include "deadline.h"

#include "native.h"

#include <lauxlib.h>
#include <math.h>
#include <time.h>

/* Instructions between two looks at the clock: some 50 microseconds. */
enum { LOOK_EVERY = 10000 };
/* Once it has fired, a script has this many to clean up in; if it goes on swallowing the error it
 * has none left in the end, so that no pcall in a loop can hold it. Functions of the file that set
 * the deadline are spared then: they have to take it off. */
enum { GRACE = 1000, GRACES = 20 };

static const char message[] = "the time is over";

static int64_t monotonic_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

bool ms_deadline_over(const struct ms_context *context) {
    return context->deadline_set && monotonic_ns() >= context->deadline_ns;
}

/* A chunk's functions share the text of its source. */
static bool is_setter(lua_State *L, lua_Debug *info, const struct ms_context *context) {
    return lua_getinfo(L, "S", info) && info->source == context->setter;
}

static void look(lua_State *L, lua_Debug *info) {
    struct ms_context *context = ms_context_find(L);
    if (!context || !context->deadline_set) {
        lua_sethook(L, NULL, 0, 0); /* a coroutine that inherited it */
    } else if (!context->deadline_held && ms_deadline_over(context) &&
               !(context->fired > GRACES && is_setter(L, info, context))) {
        ms_deadline_raise(L, context);
    }
}

int ms_deadline_raise(lua_State *L, struct ms_context *context) {
    int grace = context->fired++ < GRACES ? GRACE : 1;
    lua_sethook(L, look, LUA_MASKCOUNT, grace);
    lua_pushstring(L, message);
    return lua_error(L);
}

static void hook(lua_State *L, bool on) {
    if (on) {
        lua_sethook(L, look, LUA_MASKCOUNT, LOOK_EVERY);
    } else if (lua_gethook(L) == look) {
        lua_sethook(L, NULL, 0, 0);
    }
}

/* Remembers which file the calling function is of. */
static void remember_setter(lua_State *L, struct ms_context *context) {
    lua_Debug info;
    if (lua_getstack(L, 1, &info) && lua_getinfo(L, "fS", &info)) {
        lua_setiuservalue(L, lua_upvalueindex(1), 1);
        context->setter = info.source;
    }
}

static int set_deadline(lua_State *L) {
    struct ms_context *context = ms_context_of(L);
    bool on = !lua_isnoneornil(L, 1);
    lua_Number seconds = on ? luaL_checknumber(L, 1) : 0;
    luaL_argcheck(L, isfinite(seconds) && fabs(seconds) < 1e9, 1, "not a number of seconds");
    context->deadline_set = on;
    context->deadline_ns = monotonic_ns() + (int64_t)(seconds * 1e9);
    context->deadline_held = false;
    context->fired = 0;
    if (on) {
        remember_setter(L, context);
    }
    lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
    hook(lua_tothread(L, -1), on);
    hook(L, on);
    return 0;
}

/* Nil without a deadline; not above 0 once it is over. */
static int time_left(lua_State *L) {
    const struct ms_context *context = ms_context_of(L);
    if (context->deadline_set) {
        lua_pushnumber(L, (lua_Number)(context->deadline_ns - monotonic_ns()) / 1e9);
    } else {
        lua_pushnil(L);
    }
    return 1;
}

static int check_time(lua_State *L) {
    struct ms_context *context = ms_context_of(L);
    return ms_deadline_over(context) ? ms_deadline_raise(L, context) : 0;
}

/* The function is upvalue 2. */
static int call_undisturbed(lua_State *L) {
    struct ms_context *context = ms_context_of(L);
    bool before = context->deadline_held;
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_insert(L, 1);
    context->deadline_held = true;
    int status = lua_pcall(L, lua_gettop(L) - 1, LUA_MULTRET, 0);
    context->deadline_held = before;
    return status == LUA_OK ? lua_gettop(L) : lua_error(L);
}

/* A function that is not interrupted, however late it is; check_time() raises in it all the same.
 */
static int undisturbed(lua_State *L) {
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushvalue(L, 1);
    lua_pushcclosure(L, call_undisturbed, 2);
    return 1;
}

void ms_deadline_open(lua_State *L) {
    static const luaL_Reg functions[] = {{"deadline", set_deadline},
                                         {"time_left", time_left},
                                         {"check_time", check_time},
                                         {"undisturbed", undisturbed},
                                         {NULL, NULL}};
    ms_native_add(L, functions);
    lua_pushstring(L, message);
    lua_setfield(L, -2, "deadline_message");
}
