/* SPDX-License-Identifier: MIT */
/* native.issue: a recipe as a table becomes a certificate. */
#include "bind_pki.h"
#include "issue.h"
#include "memory.h"
#include "native.h"
#include "options.h"

struct recipe_box {
    struct ms_box box;
    struct ms_recipe recipe;
    struct ms_extension *extensions; /* the recipe's; its texts are copies */
};

#define OPTION(type, name)                                                                         \
    { #name, type, 0, offsetof(struct ms_recipe, name), NULL }

static const struct ms_option recipe_options[] = {
    OPTION(MS_OPTION_TEXT, subject),
    OPTION(MS_OPTION_TEXT, issuer_name),
    OPTION(MS_OPTION_TEXTS, dns),
    OPTION(MS_OPTION_TEXTS, ip),
    OPTION(MS_OPTION_TEXTS, uri),
    OPTION(MS_OPTION_TEXTS, email),
    OPTION(MS_OPTION_INTEGER, not_before),
    OPTION(MS_OPTION_INTEGER, not_after),
    OPTION(MS_OPTION_TEXT, serial),
    OPTION(MS_OPTION_TEXTS, key_usage),
    OPTION(MS_OPTION_TEXTS, purposes),
    OPTION(MS_OPTION_MAYBE, ca),
    OPTION(MS_OPTION_INTEGER, path_length),
    OPTION(MS_OPTION_TEXT, digest),
    OPTION(MS_OPTION_TEXTS, permitted),
    OPTION(MS_OPTION_TEXTS, excluded),
    OPTION(MS_OPTION_TEXTS, crl_urls),
    OPTION(MS_OPTION_TEXT, ocsp_url),
    OPTION(MS_OPTION_BOOL, must_staple),
    {"extensions", MS_OPTION_OTHER, 0, 0, NULL},
    OPTION(MS_OPTION_BOOL, omit_subject_key_id),
    OPTION(MS_OPTION_BOOL, omit_authority_key_id),
    {NULL, MS_OPTION_OTHER, 0, 0, NULL},
};

static void clear_recipe(void *data) {
    struct recipe_box *box = data;
    ms_options_clear(recipe_options, &box->recipe);
    for (size_t i = 0; i < box->recipe.num_extensions; i++) {
        ms_free((void *)box->extensions[i].oid);
        ms_free((void *)box->extensions[i].der.data);
    }
    ms_free(box->extensions);
}

static const struct ms_class recipe_class = {
    .name = "moonshake.scratch.recipe", .size = sizeof(struct recipe_box), .clear = clear_recipe};

/* The table of one extension is on top of the stack. */
static bool read_extension(lua_State *L, struct ms_extension *extension, struct ms_error *error) {
    ms_options_get(L, -1, "critical");
    ms_options_get(L, -2, "der");
    ms_options_get(L, -3, "oid");
    const char *oid = ms_options_text(L, -1, "extensions", error);
    if (!oid) {
        return false;
    }
    size_t len;
    const char *der = luaL_checklstring(L, -2, &len);
    extension->critical = lua_toboolean(L, -3);
    extension->oid = ms_copy_text(oid);
    extension->der.data = ms_copy_bytes(der, len);
    extension->der.len = len;
    return (extension->oid && extension->der.data) || ms_fail_memory(error);
}

static bool read_extensions(lua_State *L, struct recipe_box *box, struct ms_error *error) {
    if (ms_options_get(L, 1, "extensions") == LUA_TNIL) {
        return true;
    }
    luaL_checktype(L, -1, LUA_TTABLE);
    int list = lua_gettop(L);
    size_t num = lua_rawlen(L, list);
    box->extensions = ms_alloc(num * sizeof *box->extensions);
    if (!box->extensions) {
        return ms_fail_memory(error);
    }
    box->recipe.extensions = box->extensions;
    box->recipe.num_extensions = num;
    for (size_t i = 0; i < num; i++) {
        lua_rawgeti(L, list, (lua_Integer)i + 1);
        luaL_checktype(L, -1, LUA_TTABLE);
        if (!read_extension(L, &box->extensions[i], error)) {
            return false;
        }
        lua_settop(L, list);
    }
    return true;
}

/* (recipe, key, issuer or nil, whether to give an authority) -> identity */
static int issue(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 4);
    struct recipe_box *box = ms_box_scratch(L, &recipe_class);
    box->recipe.path_length = -1;
    struct ms_error error;
    if (!ms_options_read(L, 1, recipe_options, &box->recipe, &error) ||
        !read_extensions(L, box, &error)) {
        return ms_native_fail(L, &error);
    }
    struct ms_identity **identity = ms_pki_new_identity(L, lua_toboolean(L, 4));
    struct ms_key *key = ms_pki_key(L, 2);
    struct ms_identity *issuer = lua_isnil(L, 3) ? NULL : ms_pki_identity(L, 3);
    *identity = ms_issue(&box->recipe, key, issuer, &error);
    return *identity ? 1 : ms_native_fail(L, &error);
}

void ms_issue_open(lua_State *L) {
    static const luaL_Reg functions[] = {{"issue", issue}, {NULL, NULL}};
    ms_class_register(L, &recipe_class);
    lua_pop(L, 1);
    ms_native_add(L, functions);
}
