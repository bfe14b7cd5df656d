/* SPDX-License-Identifier: MIT */
/* What the library asks for names, fields and classes: the tables of the core, as lists. */
#include "cause.h"
#include "dissect.h"
#include "log.h"
#include "names.h"
#include "native.h"
#include "session.h"
#include "walker.h"

#include <string.h>

static enum ms_names check_kind(lua_State *L, int index) {
    static const char *const words[] = {"version", "cipher_suite", "group",  "signature_scheme",
                                        "alert",   "message",      "record", NULL};
    static const enum ms_names kinds[] = {
        MS_NAMES_VERSION, MS_NAMES_CIPHER_SUITE, MS_NAMES_GROUP, MS_NAMES_SIGNATURE_SCHEME,
        MS_NAMES_ALERT,   MS_NAMES_MESSAGE,      MS_NAMES_RECORD};
    return kinds[luaL_checkoption(L, index, NULL, words)];
}

static int list_names(lua_State *L) {
    enum ms_names kind = check_kind(L, 1);
    lua_newtable(L);
    const struct ms_name *name;
    for (size_t i = 0; (name = ms_names_at(kind, i)) != NULL; i++) {
        lua_pushstring(L, name->iana);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

/* (kind, word) -> IANA's name, its code point, OpenSSL's spelling or nil; nil: no such word */
static int find_name(lua_State *L) {
    const struct ms_name *name = ms_names_find(check_kind(L, 1), luaL_checkstring(L, 2));
    if (!name) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushstring(L, name->iana);
    lua_pushinteger(L, name->code);
    lua_pushstring(L, name->openssl);
    return 3;
}

/* ("alert", IANA's name) or ("code", GnuTLS's name of an error) -> its number, or nil; of an error
 * also what GnuTLS says of it */
static int number_of(lua_State *L) {
    static const char *const kinds[] = {"alert", "code", NULL};
    int kind = luaL_checkoption(L, 1, NULL, kinds);
    const char *word = luaL_checkstring(L, 2);
    const struct ms_name *name = kind == 0 ? ms_names_find(MS_NAMES_ALERT, word) : NULL;
    if (name) {
        lua_pushinteger(L, name->code);
        return 1;
    }
    for (int number = 1; kind == 1 && number < MS_CAUSE_CODES_END; number++) {
        const char *code = ms_cause_code(number);
        if (code && strcmp(code, word) == 0) {
            lua_pushinteger(L, -number);
            lua_pushstring(L, ms_cause_text(number));
            return 2;
        }
    }
    lua_pushnil(L);
    return 1;
}

static void append(lua_State *L, const char *word) {
    if (word) {
        lua_pushstring(L, word);
        lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    }
}

/* What `error.problem`, `not_sent_because`, `verification.problems` and `error.code` can say. */
static int list_words(lua_State *L) {
    static const char *const kinds[] = {"problem", "verification", "code", "absence", NULL};
    int kind = luaL_checkoption(L, 1, NULL, kinds);
    lua_newtable(L);
    for (size_t i = 0; kind == 0 && ms_problem_words[i]; i++) {
        append(L, ms_problem_words[i]);
    }
    for (size_t i = 0; kind == 3 && ms_absence_words[i]; i++) {
        append(L, ms_absence_words[i]);
    }
    for (size_t i = 0; kind == 1 && ms_verification_word(i); i++) {
        append(L, ms_verification_word(i));
    }
    for (int number = 1; kind == 2 && number < MS_CAUSE_CODES_END; number++) {
        append(L, ms_cause_code(number));
    }
    return 1;
}

static int describe_fields(lua_State *L) {
    static const char *const words[] = {"certificate", "state",     "verification",
                                        "event",       "dissected", NULL};
    static const struct ms_field *const fields[] = {ms_certificate_fields, ms_state_fields,
                                                    ms_verification_fields, ms_event_fields,
                                                    ms_dissected_fields};
    ms_walker_describe(L, fields[luaL_checkoption(L, 1, NULL, words)]);
    return 1;
}

static int get_class(lua_State *L) {
    static const char *const words[] = {"key",    "certificate", "identity", "authority",
                                        "config", "link",        NULL};
    luaL_checkoption(L, 1, NULL, words);
    lua_pushfstring(L, "moonshake.%s", lua_tostring(L, 1));
    lua_rawget(L, LUA_REGISTRYINDEX);
    return 1;
}

void ms_words_open(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"names", list_names}, {"find", find_name},         {"words", list_words},
        {"number", number_of}, {"fields", describe_fields}, {"class", get_class},
        {NULL, NULL}};
    ms_native_add(L, functions);
}
