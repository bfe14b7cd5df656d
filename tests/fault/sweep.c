/* SPDX-License-Identifier: MIT */
/* Usage: sweep ACTIONS.lua [TEXT]
 * Runs each action of the list (whose name has TEXT in it) with the first, the second, the third,
 * ... allocation failing, of Lua's and of the core's, until it gets through undisturbed; and under
 * hostile garbage collection. The only outcomes allowed are success and want of memory, and in the
 * end nothing may be left. TAP on standard output. */
#include "faults.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <string.h>

int luaopen_moonshake_native(lua_State *L);

/* The registry's field for what an action told when nothing disturbed it. */
static const char FIRST_RESULT[] = "first result";

enum { COLLECT_EVERY = 16, LIMIT = 100000 };

/* One way of failing. */
struct mode {
    const char *name;
    struct faults *faults;
    enum fault_kind kind;
};

static const struct mode modes[] = {
    {"Lua, from then on", &lua_faults, FAULT_LASTING},
    {"core, once", &core_faults, FAULT_ONCE},
    {"core, from then on", &core_faults, FAULT_LASTING},
};

/* How a collector can be hostile. */
enum pressure { PRESSURE_ALLOCATION, PRESSURE_INSTRUCTION, PRESSURE_STEP, PRESSURE_GENERATION };
static const char *const pressures[] = {"at every allocation", "at every instruction",
                                        "as small steps", "by generations"};
enum { NUM_PRESSURES = sizeof pressures / sizeof pressures[0] };

struct report {
    unsigned tests, failures;
};

static void tell(struct report *report, bool passed, const char *name, const char *how,
                 const char *detail) {
    printf("%sok %u - %s: %s%s%s\n", passed ? "" : "not ", ++report->tests, name, how,
           *detail ? ": " : "", detail);
    fflush(stdout);
    report->failures += !passed;
}

/* ---- states ---- */

static int load_actions(lua_State *L) {
    luaL_openlibs(L);
    luaL_requiref(L, "moonshake.native", luaopen_moonshake_native, 0);
    lua_pop(L, 1);
    if (luaL_loadfile(L, lua_tostring(L, 1)) != LUA_OK) {
        return lua_error(L);
    }
    lua_call(L, 0, 1);
    return 1;
}

/* A state with the list of actions at index 1; NULL when it cannot be made. */
static lua_State *open_state(const char *path) {
    lua_State *L = lua_newstate(faults_lua_allocate, &lua_faults);
    if (!L) {
        return NULL;
    }
    lua_pushcfunction(L, load_actions);
    lua_pushstring(L, path);
    if (lua_pcall(L, 1, 1, 0) != LUA_OK) {
        fprintf(stderr, "%s\n", lua_tostring(L, -1));
        lua_close(L);
        return NULL;
    }
    return L;
}

static bool leaves_nothing(struct report *report, lua_State *L, const char *name, const char *how) {
    lua_close(L);
    char text[100];
    snprintf(text, sizeof text, "%zu blocks of the core and %zu of Lua are left", core_faults.live,
             lua_faults.live);
    bool nothing = core_faults.live == 0 && lua_faults.live == 0;
    if (!nothing) {
        tell(report, false, name, how, text);
        core_faults.live = lua_faults.live = 0;
    }
    return nothing;
}

static bool want_of_memory(const char *message) {
    return message && (strstr(message, "not enough memory") || strstr(message, "out of memory"));
}

/* ---- one try ---- */

enum outcome { PASSED, SHORT_OF_MEMORY, WRONG };

/* Leaves the action's function and what its preparation returned on the stack. */
static bool prepare(lua_State *L, int index) {
    lua_settop(L, 1);
    lua_geti(L, 1, index);
    lua_getfield(L, -1, "act");
    if (lua_getfield(L, -2, "prepare") == LUA_TNIL) {
        return true;
    }
    return lua_pcall(L, 0, 1, 0) == LUA_OK;
}

static const char *message_of(lua_State *L) {
    return lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "an error that is no text";
}

/* Whether the result on top of the stack reads as it did the first time; else leaves a message. */
static bool tells_the_same(lua_State *L) {
    lua_getfield(L, 1, "describe");
    lua_insert(L, -2);
    if (lua_pcall(L, 1, 1, 0) != LUA_OK) {
        return false;
    }
    if (lua_getfield(L, LUA_REGISTRYINDEX, FIRST_RESULT) == LUA_TNIL) {
        lua_pushvalue(L, -2);
        lua_setfield(L, LUA_REGISTRYINDEX, FIRST_RESULT);
        return true;
    }
    if (lua_rawequal(L, -1, -2)) {
        return true;
    }
    const char *first = lua_tostring(L, -1), *now = lua_tostring(L, -2);
    size_t same = 0;
    while (first[same] && first[same] == now[same]) {
        same++;
    }
    size_t from = same < 40 ? 0 : same - 40;
    char text[400];
    snprintf(text, sizeof text, "it tells ...%.150s, not ...%.150s", now + from, first + from);
    lua_pushstring(L, text);
    return false;
}

static enum outcome try(lua_State *L, int index, const struct mode *mode, size_t left) {
    if (!prepare(L, index)) {
        return WRONG;
    }
    if (mode) {
        faults_arm(mode->faults, mode->kind, left);
    }
    int status = lua_pcall(L, 1, 1, 0);
    lua_faults.collecting = false; /* Lua's own buffers could not bear it */
    if (mode) {
        faults_disarm(mode->faults);
    }
    if (status == LUA_OK) {
        return tells_the_same(L) ? PASSED : WRONG;
    }
    return mode && want_of_memory(message_of(L)) ? SHORT_OF_MEMORY : WRONG;
}

/* ---- sweeps ---- */

static void sweep(struct report *report, const char *path, int index, const char *name,
                  const struct mode *mode) {
    lua_State *L = open_state(path);
    if (!L) {
        tell(report, false, name, mode->name, "the actions cannot be loaded");
        return;
    }
    char text[600];
    bool passed = false;
    size_t borne = 0;
    bool sound = try(L, index, NULL, 0) == PASSED;
    if (!sound) {
        snprintf(text, sizeof text, "undisturbed: %.500s", message_of(L));
    }
    for (size_t n = 0; sound && n < LIMIT; n++) {
        enum outcome outcome = try(L, index, mode, n);
        bool struck = mode->faults->struck;
        if (outcome == WRONG) {
            snprintf(text, sizeof text, "allocation %zu fails: %.500s", n + 1, message_of(L));
            break;
        }
        if (outcome == PASSED && !struck) {
            snprintf(text, sizeof text, "%zu points, %zu of them borne", n, borne);
            passed = true;
            break;
        }
        borne += outcome == PASSED;
        if (n % COLLECT_EVERY == 0) {
            lua_settop(L, 1);
            lua_gc(L, LUA_GCCOLLECT);
        }
    }
    if (leaves_nothing(report, L, name, mode->name)) {
        tell(report, passed, name, mode->name, text);
    }
}

/* Finds the allocation whose failure loses something, in a new state for each. */
static void search_leak(struct report *report, const char *path, int index, const char *name,
                        const struct mode *mode) {
    for (size_t n = 0; n < LIMIT; n++) {
        lua_State *L = open_state(path);
        enum outcome outcome = try(L, index, mode, n);
        bool struck = mode->faults->struck;
        char text[40];
        snprintf(text, sizeof text, "allocation %zu fails", n + 1);
        if (!leaves_nothing(report, L, name, text) || outcome == WRONG ||
            (outcome == PASSED && !struck)) {
            return;
        }
    }
}

static void collect(lua_State *L, lua_Debug *info) {
    (void)info;
    lua_gc(L, LUA_GCCOLLECT);
}

static void press(lua_State *L, enum pressure pressure) {
    switch (pressure) {
    case PRESSURE_ALLOCATION:
        lua_faults.collecting = true;
        break;
    case PRESSURE_INSTRUCTION:
        lua_sethook(L, collect, LUA_MASKCOUNT, 1);
        break;
    case PRESSURE_STEP:
        lua_gc(L, LUA_GCINC, 1, 1000, 1);
        break;
    case PRESSURE_GENERATION:
        lua_gc(L, LUA_GCGEN, 1, 1);
        break;
    }
}

static void collect_hostilely(struct report *report, const char *path, int index, const char *name,
                              enum pressure pressure) {
    lua_State *L = open_state(path);
    if (!L) {
        tell(report, false, name, pressures[pressure], "the actions cannot be loaded");
        return;
    }
    enum outcome outcome = try(L, index, NULL, 0);
    if (outcome == PASSED) {
        press(L, pressure);
        outcome = try(L, index, NULL, 0);
    }
    char text[600] = "";
    if (outcome != PASSED) {
        snprintf(text, sizeof text, "%.500s", message_of(L));
    }
    lua_faults.collecting = false;
    lua_sethook(L, NULL, 0, 0);
    char how[60];
    snprintf(how, sizeof how, "collected %s", pressures[pressure]);
    if (leaves_nothing(report, L, name, how)) {
        tell(report, outcome == PASSED, name, how, text);
    }
}

/* ---- loading the module ---- */

static int require_native(lua_State *L) {
    luaL_requiref(L, "moonshake.native", luaopen_moonshake_native, 0);
    return 0;
}

static void sweep_loading(struct report *report, const struct mode *mode) {
    static const char name[] = "loading the module";
    for (size_t n = 0; n < LIMIT; n++) {
        lua_State *L = lua_newstate(faults_lua_allocate, &lua_faults);
        if (!L) {
            tell(report, false, name, mode->name, "no state");
            return;
        }
        faults_arm(mode->faults, mode->kind, n);
        lua_pushcfunction(L, require_native);
        int status = lua_pcall(L, 0, 0, 0);
        faults_disarm(mode->faults);
        char text[600];
        bool done = status == LUA_OK && !mode->faults->struck;
        bool wrong = status != LUA_OK && !want_of_memory(message_of(L));
        snprintf(text, sizeof text, wrong ? "allocation %zu fails: %.500s" : "%zu points%.0s", n,
                 wrong ? message_of(L) : "");
        /* A second try must do. */
        lua_pushcfunction(L, require_native);
        wrong = wrong || lua_pcall(L, 0, 0, 0) != LUA_OK;
        if (!leaves_nothing(report, L, name, mode->name)) {
            return;
        }
        if (done || wrong) {
            tell(report, !wrong, name, mode->name, text);
            return;
        }
    }
}

/* ---- all of it ---- */

static void run_action(struct report *report, const char *path, int index, const char *name) {
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        unsigned before = report->failures;
        sweep(report, path, index, name, &modes[i]);
        if (report->failures > before) {
            search_leak(report, path, index, name, &modes[i]);
        }
    }
    for (int pressure = 0; pressure < NUM_PRESSURES; pressure++) {
        collect_hostilely(report, path, index, name, (enum pressure)pressure);
    }
}

/* The name of an action; false after the last. */
static bool name_of(lua_State *L, int index, char name[100]) {
    bool there = lua_geti(L, 1, index) != LUA_TNIL;
    if (there) {
        lua_getfield(L, -1, "name");
        snprintf(name, 100, "%s", lua_tostring(L, -1));
    }
    lua_settop(L, 1);
    return there;
}

int main(int argc, char **argv) {
    struct report report = {0};
    if (argc < 2) {
        fprintf(stderr, "usage: %s ACTIONS.lua [TEXT]\n", argv[0]);
        return 2;
    }
    if (argc < 3) {
        for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
            sweep_loading(&report, &modes[i]);
        }
    }
    char names[100][100];
    int num = 0;
    lua_State *L = open_state(argv[1]);
    if (!L) {
        return 2;
    }
    while (num < 100 && name_of(L, num + 1, names[num])) {
        num++;
    }
    lua_close(L);
    for (int i = 0; i < num; i++) {
        if (argc < 3 || strstr(names[i], argv[2])) {
            run_action(&report, argv[1], i + 1, names[i]);
        }
    }
    printf("1..%u\n", report.tests);
    return report.failures > 0;
}
