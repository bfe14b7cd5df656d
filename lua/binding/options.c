/* SPDX-License-Identifier: MIT */
#include "options.h"

#include "config.h"
#include "memory.h"

#include <lauxlib.h>
#include <string.h>

/* A word is stored through an int. */
_Static_assert(sizeof(enum ms_verify_policy) == sizeof(int), "an enum is not an int");

int ms_options_get(lua_State *L, int table, const char *name) {
    table = lua_absindex(L, table);
    lua_pushstring(L, name);
    return lua_rawget(L, table);
}

static void expect_type(lua_State *L, int index, int type, const char *name) {
    if (lua_type(L, index) != type) {
        luaL_error(L, "%s: %s expected, got %s", name, lua_typename(L, type),
                   luaL_typename(L, index));
    }
}

const char *ms_options_text(lua_State *L, int index, const char *name, struct ms_error *error) {
    expect_type(L, index, LUA_TSTRING, name);
    size_t len;
    const char *text = lua_tolstring(L, index, &len);
    if (strlen(text) != len) {
        ms_fail(error, "%s: has a zero byte in it", name);
        return NULL;
    }
    return text;
}

bool ms_options_maybe_text(lua_State *L, int index, const char *name, const char **text,
                           struct ms_error *error) {
    *text = NULL;
    if (lua_isnoneornil(L, index)) {
        return true;
    }
    *text = ms_options_text(L, index, name, error);
    return *text != NULL;
}

static bool read_text(lua_State *L, const char *name, char **target, struct ms_error *error) {
    const char *text = ms_options_text(L, -1, name, error);
    if (!text) {
        return false;
    }
    *target = ms_copy_text(text);
    return *target || ms_fail_memory(error);
}

static bool read_texts(lua_State *L, const char *name, struct ms_texts *target,
                       struct ms_error *error) {
    expect_type(L, -1, LUA_TTABLE, name);
    if (!ms_texts_begin(target)) {
        return ms_fail_memory(error);
    }
    lua_Integer num = (lua_Integer)lua_rawlen(L, -1);
    for (lua_Integer i = 1; i <= num; i++) {
        lua_rawgeti(L, -1, i);
        const char *text = ms_options_text(L, -1, name, error);
        if (!text) {
            return false;
        }
        if (!ms_texts_add(target, text)) {
            return ms_fail_memory(error);
        }
        lua_pop(L, 1);
    }
    return true;
}

static bool read_codes(lua_State *L, const struct ms_option *option, struct ms_codes *target,
                       struct ms_error *error) {
    expect_type(L, -1, LUA_TTABLE, option->name);
    lua_Integer num = (lua_Integer)lua_rawlen(L, -1);
    for (lua_Integer i = 1; i <= num; i++) {
        lua_rawgeti(L, -1, i);
        const char *word = ms_options_text(L, -1, option->name, error);
        if (!word) {
            return false;
        }
        const struct ms_name *name = ms_names_find(option->names, word);
        if (!name) {
            return ms_fail(error, "%s: unknown name \"%s\"", option->name, word);
        }
        if (!ms_codes_add(target, (uint16_t)name->code)) {
            return ms_fail_memory(error);
        }
        lua_pop(L, 1);
    }
    return true;
}

static int read_word(lua_State *L, const struct ms_option *option) {
    expect_type(L, -1, LUA_TSTRING, option->name);
    const char *word = lua_tostring(L, -1);
    for (int i = 0; option->words[i]; i++) {
        if (strcmp(option->words[i], word) == 0) {
            return i;
        }
    }
    return luaL_error(L, "%s: unknown word \"%s\"", option->name, word);
}

/* The value is on top of the stack; what is left above it goes with it. */
static bool read_option(lua_State *L, const struct ms_option *option, void *target,
                        struct ms_error *error) {
    switch (option->type) {
    case MS_OPTION_TEXT:
        return read_text(L, option->name, target, error);
    case MS_OPTION_BOOL:
        expect_type(L, -1, LUA_TBOOLEAN, option->name);
        *(bool *)target = lua_toboolean(L, -1);
        break;
    case MS_OPTION_MAYBE:
        expect_type(L, -1, LUA_TBOOLEAN, option->name);
        *(enum ms_maybe *)target = lua_toboolean(L, -1) ? MS_TRUE : MS_FALSE;
        break;
    case MS_OPTION_INTEGER:
        if (!lua_isinteger(L, -1)) {
            luaL_error(L, "%s: integer expected, got %s", option->name, luaL_typename(L, -1));
        }
        *(int64_t *)target = lua_tointeger(L, -1);
        break;
    case MS_OPTION_WORD:
        *(int *)target = read_word(L, option);
        break;
    case MS_OPTION_FLAG:
        *(bool *)target = read_word(L, option) != 0;
        break;
    case MS_OPTION_TEXTS:
        return read_texts(L, option->name, target, error);
    case MS_OPTION_CODES:
        return read_codes(L, option, target, error);
    case MS_OPTION_OTHER:
        break;
    }
    return true;
}

static const struct ms_option *find_option(lua_State *L, const struct ms_option *options) {
    expect_type(L, -2, LUA_TSTRING, "the name of an option");
    const char *name = lua_tostring(L, -2);
    while (options->name && strcmp(options->name, name) != 0) {
        options++;
    }
    if (!options->name) {
        luaL_error(L, "%s: unknown option", name);
    }
    return options;
}

bool ms_options_read(lua_State *L, int table, const struct ms_option *options, void *target,
                     struct ms_error *error) {
    luaL_checkstack(L, 8, NULL);
    table = lua_absindex(L, table);
    expect_type(L, table, LUA_TTABLE, "options");
    int top = lua_gettop(L);
    for (lua_pushnil(L); lua_next(L, table); lua_settop(L, top + 1)) {
        const struct ms_option *option = find_option(L, options);
        if (!read_option(L, option, (char *)target + option->offset, error)) {
            lua_settop(L, top);
            return false;
        }
    }
    return true;
}

void ms_options_clear(const struct ms_option *options, void *target) {
    for (; options->name; options++) {
        void *place = (char *)target + options->offset;
        if (options->type == MS_OPTION_TEXT) {
            ms_free(*(char **)place);
            *(char **)place = NULL;
        } else if (options->type == MS_OPTION_TEXTS) {
            ms_texts_clear(place);
        }
    }
}
