/* SPDX-License-Identifier: MIT */
/* Dissectors as Lua values: (dissector):feed(role, bytes) and (dissector):rest(role). */
#include "box.h"
#include "dissect.h"
#include "native.h"
#include "walker.h"

struct dissector_box {
    struct ms_box box;
    struct ms_dissector dissector;
};

static void clear_dissector(void *box) {
    ms_dissector_clear(&((struct dissector_box *)box)->dissector);
}

static const struct ms_class dissector_class = {
    .name = "moonshake.dissector", .size = sizeof(struct dissector_box), .clear = clear_dissector};

struct found_box {
    struct ms_box box;
    struct ms_dissected found;
};

static void clear_found(void *box) {
    ms_dissected_clear(&((struct found_box *)box)->found);
}

static const struct ms_class found_class = {
    .name = "moonshake.scratch.found", .size = sizeof(struct found_box), .clear = clear_found};

/* () -> dissector, which has met nothing of its connection yet */
static int make_dissector(lua_State *L) {
    (void)ms_box_new(L, &dissector_class);
    return 1;
}

static enum ms_role check_role(lua_State *L) {
    static const char *const roles[] = {"client", "server", NULL};
    return luaL_checkoption(L, 2, NULL, roles) == 0 ? MS_CLIENT : MS_SERVER;
}

/* Runs held: (dissector, role, bytes) -> list of what has become whole */
static int feed(lua_State *L) {
    struct dissector_box *box = lua_touserdata(L, 1);
    enum ms_role role = check_role(L);
    struct ms_slice bytes;
    bytes.data = (const uint8_t *)luaL_checklstring(L, 3, &bytes.len);
    lua_settop(L, 3);
    struct found_box *found = ms_box_scratch(L, &found_class);
    lua_newtable(L);
    while (bytes.len > 0) {
        ms_dissected_clear(&found->found);
        if (!ms_dissect_next(&box->dissector, role, &bytes, &found->found)) {
            struct ms_error error;
            ms_fail_memory(&error);
            return ms_native_fail(L, &error);
        }
        if (found->found.bytes.data) {
            ms_walker_push_all(L, ms_dissected_fields, &found->found);
            lua_rawseti(L, 5, (lua_Integer)lua_rawlen(L, 5) + 1);
        }
    }
    return 1;
}

/* Runs held: (dissector, role) -> what has come of a record that is not whole */
static int read_rest(lua_State *L) {
    struct dissector_box *box = lua_touserdata(L, 1);
    struct ms_slice rest = ms_dissect_held(&box->dissector, check_role(L));
    lua_pushlstring(L, (const char *)rest.data, rest.len);
    return 1;
}

/* The function to run held is upvalue 1: a finaliser that runs meanwhile may close the box. */
static int run_held(lua_State *L) {
    void *box = ms_box_check(L, 1, &dissector_class);
    return ms_box_read(L, box, &dissector_class, lua_tocfunction(L, lua_upvalueindex(1)));
}

static void add_method(lua_State *L, const char *name, lua_CFunction function) {
    lua_pushcfunction(L, function);
    lua_pushcclosure(L, run_held, 1);
    lua_setfield(L, -2, name);
}

void ms_dissect_open(lua_State *L) {
    static const luaL_Reg functions[] = {{"dissector", make_dissector}, {NULL, NULL}};
    ms_class_register(L, &found_class);
    lua_pop(L, 1);
    ms_class_register(L, &dissector_class);
    lua_newtable(L);
    add_method(L, "feed", feed);
    add_method(L, "rest", read_rest);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
    ms_native_add(L, functions);
}
