/* SPDX-License-Identifier: MIT */
/* The program: a Lua state with the library and the binding built in, that runs the command line
 * (moonshake.cli) and exits with the status it returns. It adds one module of its own,
 * `moonshake.program` (program.c), which a stock interpreter lacks. */
#include "builtin.h"
#include "program.h"

#include <fcntl.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { UNUSABLE = 2 };
int luaopen_moonshake_native(lua_State *L);

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
    lua_pushcfunction(L, ms_program_open);
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

/* What is opened later must not become standard output: libuv gives up where it closes such a one.
 * Writing to a descriptor that was closed fails as before. */
static void occupy_standard_descriptors(void) {
    int descriptor;
    do {
        descriptor = open("/dev/null", O_RDONLY);
    } while (descriptor >= 0 && descriptor <= STDERR_FILENO);
    if (descriptor >= 0) {
        (void)close(descriptor);
    }
}

int main(int argc, char **argv) {
    occupy_standard_descriptors();
    lua_State *L = luaL_newstate();
    if (!L) {
        fputs("moonshake: not enough memory\n", stderr);
        return UNUSABLE;
    }
    ms_program_listen(L);
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
    ms_program_listen(NULL);
    lua_close(L);
    return status;
}
