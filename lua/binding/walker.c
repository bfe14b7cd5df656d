/* SPDX-License-Identifier: MIT */
#include "walker.h"

#include "bind_pki.h"

#include <lauxlib.h>
#include <string.h>

static void push_texts(lua_State *L, const struct ms_texts *texts) {
    if (!texts->items) {
        lua_pushnil(L);
        return;
    }
    lua_createtable(L, (int)texts->num, 0);
    for (size_t i = 0; i < texts->num; i++) {
        lua_pushstring(L, texts->items[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

static void push_number(lua_State *L, int64_t number, bool count) {
    if (count && number < 0) {
        lua_pushnil(L);
    } else {
        lua_pushinteger(L, number);
    }
}

static void push_maybe(lua_State *L, enum ms_maybe maybe) {
    if (maybe == MS_NIL) {
        lua_pushnil(L);
    } else {
        lua_pushboolean(L, maybe == MS_TRUE);
    }
}

static void push_bytes(lua_State *L, struct ms_slice bytes) {
    if (bytes.data) {
        lua_pushlstring(L, (const char *)bytes.data, bytes.len);
    } else {
        lua_pushnil(L);
    }
}

void ms_walker_push(lua_State *L, const struct ms_field *field, const void *base) {
    const void *place = (const char *)base + field->offset;
    switch (field->type) {
    case MS_FIELD_TEXT:
        lua_pushstring(L, *(const char *const *)place);
        break;
    case MS_FIELD_BOOL:
        lua_pushboolean(L, *(const bool *)place);
        break;
    case MS_FIELD_MAYBE:
        push_maybe(L, *(const enum ms_maybe *)place);
        break;
    case MS_FIELD_INTEGER:
    case MS_FIELD_COUNT:
        push_number(L, *(const int64_t *)place, field->type == MS_FIELD_COUNT);
        break;
    case MS_FIELD_BYTES:
        push_bytes(L, *(const struct ms_slice *)place);
        break;
    case MS_FIELD_TEXTS:
        push_texts(L, place);
        break;
    case MS_FIELD_CERTIFICATE:
        ms_pki_push_certificate(L, *(struct ms_certificate *const *)place);
        break;
    case MS_FIELD_CERTIFICATES:
        ms_pki_push_certificates(L, place);
        break;
    case MS_FIELD_RECORD:
        if (*(const bool *)place) {
            ms_walker_push_all(L, field->fields, place);
        } else {
            lua_pushnil(L);
        }
        break;
    }
}

void ms_walker_push_all(lua_State *L, const struct ms_field *fields, const void *base) {
    luaL_checkstack(L, 8, NULL);
    lua_newtable(L);
    for (; fields->name; fields++) {
        ms_walker_push(L, fields, base);
        lua_setfield(L, -2, fields->name);
    }
}

void ms_walker_describe(lua_State *L, const struct ms_field *fields) {
    static const char *const types[] = {
        [MS_FIELD_TEXT] = "text",
        [MS_FIELD_BOOL] = "boolean",
        [MS_FIELD_MAYBE] = "boolean",
        [MS_FIELD_INTEGER] = "integer",
        [MS_FIELD_COUNT] = "integer",
        [MS_FIELD_BYTES] = "bytes",
        [MS_FIELD_TEXTS] = "texts",
        [MS_FIELD_CERTIFICATE] = "certificate",
        [MS_FIELD_CERTIFICATES] = "certificates",
        [MS_FIELD_RECORD] = "record",
    };
    luaL_checkstack(L, 8, NULL);
    lua_newtable(L);
    for (lua_Integer i = 1; fields->name; fields++, i++) {
        lua_createtable(L, 0, 4);
        lua_pushstring(L, fields->name);
        lua_setfield(L, -2, "name");
        lua_pushstring(L, types[fields->type]);
        lua_setfield(L, -2, "type");
        lua_pushstring(L, fields->about);
        lua_setfield(L, -2, "about");
        if (fields->type == MS_FIELD_RECORD) {
            ms_walker_describe(L, fields->fields);
            lua_setfield(L, -2, "fields");
        }
        lua_rawseti(L, -2, i);
    }
}

const struct ms_field *ms_walker_find(const struct ms_field *fields, const char *name) {
    for (; fields->name; fields++) {
        if (strcmp(fields->name, name) == 0) {
            return fields;
        }
    }
    return NULL;
}
