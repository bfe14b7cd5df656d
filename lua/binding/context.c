/* SPDX-License-Identifier: MIT */
#include "context.h"

#include "box.h"
#include "last_words.h"
#include "memory.h"
#include "native.h"

/* Only its address is used, as the registry's key. */
static const char registry_key;

struct context_box {
    struct ms_box box;
    struct ms_context *context;
};

static void clear_context(void *data) {
    struct context_box *box = data;
    ms_last_words_end(box->context);
    ms_context_release(box->context);
    box->context = NULL;
}

static const struct ms_class context_class = {.name = "moonshake.context",
                                              .size = sizeof(struct context_box),
                                              .num_values = 1,
                                              .clear = clear_context};

static struct ms_context *new_context(struct ms_error *error) {
    struct ms_context *context = ms_alloc(sizeof *context);
    if (!context) {
        ms_fail_memory(error);
        return NULL;
    }
    context->count = 1;
    context->keys = ms_key_pool_new(error);
    context->cache = context->keys ? ms_config_cache_new(error) : NULL;
    if (!context->cache) {
        ms_context_release(context);
        return NULL;
    }
    return context;
}

struct ms_context *ms_context_retain(struct ms_context *context) {
    context->count++;
    return context;
}

void ms_context_release(struct ms_context *context) {
    if (!context || --context->count > 0) {
        return;
    }
    ms_key_pool_free(context->keys);
    ms_config_cache_free(context->cache);
    ms_free(context);
}

void ms_context_push(lua_State *L) {
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &registry_key) != LUA_TNIL) {
        return;
    }
    lua_pop(L, 1);
    ms_class_register(L, &context_class);
    lua_pop(L, 1);
    struct context_box *box = ms_box_new(L, &context_class);
    struct ms_error error;
    box->context = new_context(&error);
    if (!box->context) {
        luaL_error(L, "%s", error.text);
    }
    ms_clock_install();
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &registry_key);
}

struct ms_context *ms_context_of(lua_State *L) {
    struct context_box *box = ms_box_check(L, lua_upvalueindex(1), &context_class);
    return box->context;
}

struct ms_context *ms_context_find(lua_State *L) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &registry_key);
    struct context_box *box = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return box ? box->context : NULL;
}

static int clock_now(lua_State *L) {
    lua_pushinteger(L, ms_clock_now(&ms_context_of(L)->clock));
    return 1;
}

static int clock_set(lua_State *L) {
    ms_clock_set(&ms_context_of(L)->clock, luaL_checkinteger(L, 1));
    return 0;
}

static int clock_reset(lua_State *L) {
    ms_context_of(L)->clock = (struct ms_clock){0};
    return 0;
}

static int rewind_keys(lua_State *L) {
    ms_key_pool_rewind(ms_context_of(L)->keys);
    return 0;
}

void ms_context_open(lua_State *L) {
    static const luaL_Reg functions[] = {{"clock_now", clock_now},
                                         {"clock_set", clock_set},
                                         {"clock_reset", clock_reset},
                                         {"rewind", rewind_keys},
                                         {NULL, NULL}};
    ms_native_add(L, functions);
}
