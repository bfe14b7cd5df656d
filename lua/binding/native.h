/* SPDX-License-Identifier: MIT */
/* The module `moonshake.native`, put together from parts. It is private to the Lua library: it
 * checks types, converts and calls the core, and holds no defaults. A function that fails because
 * the harness cannot do as told returns nil and the reason; wrong types, which only a mistake in
 * the library can cause, raise. */
#ifndef MS_NATIVE_H
#define MS_NATIVE_H

#include "error.h"

#include <lauxlib.h>
#include <lua.h>

/* Each adds its functions to the module's table, which is on top of the stack. */
void ms_context_open(lua_State *L);
void ms_deadline_open(lua_State *L);
void ms_last_words_open(lua_State *L);
void ms_words_open(lua_State *L);
void ms_pki_open(lua_State *L);
void ms_config_open(lua_State *L);
void ms_link_open(lua_State *L);
void ms_dissect_open(lua_State *L);

/* luaL_setfuncs() with the context as upvalue 1, for ms_context_of(). */
void ms_native_add(lua_State *L, const luaL_Reg *functions);

/* Returns nil and the error's text to Lua. */
int ms_native_fail(lua_State *L, const struct ms_error *error);

int luaopen_moonshake_native(lua_State *L);

#endif
