/* SPDX-License-Identifier: MIT */
/* The program: a Lua state with the library and the binding built in, that runs the command line
 * (moonshake.cli) and exits with the status it returns. It adds one module of its own,
 * `moonshake.program`, which a stock interpreter lacks: interrupted() tells whether SIGINT came. */
#include "builtin.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum { UNUSABLE = 2 };
enum { INSTRUCTIONS_TO_CLEAN_UP = 100000 };

int luaopen_moonshake_native(lua_State *L);

/* A signal handler has nowhere else to look. */
static lua_State *volatile interrupt_state;
static volatile sig_atomic_t interrupted;

/* Raises, and again after a while: a script that swallows the error gets the next. Whoever asks
 * interrupted() has taken over, and is left in peace. */
static void stop(lua_State *L, lua_Debug *info) {
    (void)info;
    lua_sethook(L, stop, LUA_MASKCOUNT, INSTRUCTIONS_TO_CLEAN_UP);
    luaL_error(L, "interrupted");
}

/* lua_sethook() is what Lua allows a signal handler to call. A second signal ends the process. */
static void on_interrupt(int number) {
    signal(number, SIG_DFL);
    interrupted = 1;
    /* NOLINTNEXTLINE(bugprone-signal-handler): see above */
    lua_sethook(interrupt_state, stop, LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT,
                1);
}

static int program_interrupted(lua_State *L) {
    if (interrupted) {
        lua_sethook(interrupt_state, NULL, 0, 0);
    }
    lua_pushboolean(L, interrupted != 0);
    return 1;
}

static int open_program(lua_State *L) {
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, program_interrupted);
    lua_setfield(L, -2, "interrupted");
    return 1;
}

/* What require() calls for a file of the library: upvalue 1 is its row. */
static int open_builtin(lua_State *L) {
    const struct ms_builtin *row = lua_touserdata(L, lua_upvalueindex(1));
    if (luaL_loadbufferx(L, row->code, row->code_len, row->module, "b") != LUA_OK) {
        return lua_error(L);
    }
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    lua_call(L, 2, 1);
    return 1;
}

static void preload(lua_State *L) {
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    for (const struct ms_builtin *row = ms_builtins; row->module; row++) {
        lua_pushlightuserdata(L, (void *)row);
        lua_pushcclosure(L, open_builtin, 1);
        lua_setfield(L, -2, row->module);
    }
    lua_pushcfunction(L, luaopen_moonshake_native);
    lua_setfield(L, -2, "moonshake.native");
    lua_pushcfunction(L, open_program);
    lua_setfield(L, -2, "moonshake.program");
    lua_pop(L, 1);
}

static int add_traceback(lua_State *L) {
    luaL_traceback(L, L, luaL_tolstring(L, 1, NULL), 1);
    return 1;
}

/* Runs protected: argc, argv -> the exit status. */
static int run(lua_State *L) {
    int argc = (int)lua_tointeger(L, 1);
    char **argv = lua_touserdata(L, 2);
    luaL_openlibs(L);
    preload(L);
    lua_getglobal(L, "require");
    lua_pushliteral(L, "moonshake.cli");
    lua_call(L, 1, 1);
    lua_createtable(L, argc, 1);
    for (int i = 0; i < argc; i++) {
        lua_pushstring(L, argv[i]);
        lua_rawseti(L, -2, i);
    }
    lua_call(L, 1, 1);
    return 1;
}

int main(int argc, char **argv) {
    lua_State *L = luaL_newstate();
    if (!L) {
        fputs("moonshake: not enough memory\n", stderr);
        return UNUSABLE;
    }
    interrupt_state = L;
    signal(SIGINT, on_interrupt);
    int status = UNUSABLE;
    lua_pushcfunction(L, add_traceback);
    lua_pushcfunction(L, run);
    lua_pushinteger(L, argc);
    lua_pushlightuserdata(L, argv);
    if (lua_pcall(L, 2, 1, 1) == LUA_OK) {
        status = (int)lua_tointeger(L, -1);
    } else {
        fprintf(stderr, "moonshake: %s\n", lua_tostring(L, -1));
    }
    signal(SIGINT, SIG_DFL);
    lua_close(L);
    return status;
}
