/* SPDX-License-Identifier: MIT */
#include "native.h"

#include "context.h"
#include "stack.h"

#ifndef MOONSHAKE_VERSION
#error "the build says which version this is"
#endif

void ms_native_add(lua_State *L, const luaL_Reg *functions) {
    ms_context_push(L);
    luaL_setfuncs(L, functions, 1);
}

int ms_native_fail(lua_State *L, const struct ms_error *error) {
    luaL_pushfail(L);
    lua_pushstring(L, error->text);
    return 2;
}

int luaopen_moonshake_native(lua_State *L) {
    lua_newtable(L);
    lua_pushliteral(L, MOONSHAKE_VERSION);
    lua_setfield(L, -2, "version");
    lua_pushfstring(L, "gnutls %s", ms_stack_version());
    lua_setfield(L, -2, "stack");
    ms_context_open(L);
    ms_deadline_open(L);
    ms_last_words_open(L);
    ms_words_open(L);
    ms_pki_open(L);
    ms_config_open(L);
    ms_link_open(L);
    ms_dissect_open(L);
    return 1;
}
