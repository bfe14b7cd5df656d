/* SPDX-License-Identifier: MIT */
/* The module `disaster`, for tests only: what a scenario can do to the process that runs it, and
 * Lua alone cannot. Whatever would last for ever has an end of its own, in case that nobody ends
 * it. */
#include <errno.h>
#include <lauxlib.h>
#include <lua.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

enum { SECONDS_TO_LIVE = 120, NUM_DESCRIPTORS = 1024, BLOCK = 1 << 20 };
#define MOST_MEMORY ((lua_Integer)4 << 30)

int luaopen_disaster(lua_State *L);

/* segfault(): writes where nothing is. */
static int segfault(lua_State *L) {
    volatile int *volatile nowhere = NULL;
    (void)L;
    *nowhere = 1;
    return 0;
}

/* spoil_the_heap(): overwrites all that malloc() gave out, Lua's state with it, and then faults.
 * Returns where no heap is to be found. */
static int spoil_the_heap(lua_State *L) {
    char line[256];
    char *first = NULL, *end = NULL;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps && !first && fgets(line, sizeof line, maps)) {
        if (strstr(line, "[heap]") && sscanf(line, "%p-%p", (void **)&first, (void **)&end) != 2) {
            first = NULL;
        }
    }
    if (!first) {
        return 0;
    }
    memset(first, 0x5a, (size_t)(end - first));
    return segfault(L);
}

/* abort_now() */
static int abort_now(lua_State *L) {
    (void)L;
    abort();
}

static int descend(const volatile char *above) {
    volatile char here[4096];
    here[0] = above[0];
    return here[0] ? descend(here) + here[0] : 0;
}

/* overflow_the_stack() */
static int overflow_the_stack(lua_State *L) {
    volatile char top[1] = {1};
    lua_pushinteger(L, descend(top));
    return 1;
}

/* loop_for_ever(): in C, where no hook of Lua's interrupts. */
static int loop_for_ever(lua_State *L) {
    (void)L;
    alarm(SECONDS_TO_LIVE);
    for (volatile unsigned turn = 0;; turn++) {
    }
    return 0;
}

/* allocate_for_ever(most = 4 GiB): takes memory and touches it, until there is none or it has as
 * much as that; then it aborts. */
static int allocate_for_ever(lua_State *L) {
    lua_Integer most = luaL_optinteger(L, 1, MOST_MEMORY);
    for (lua_Integer taken = 0; taken < most; taken += BLOCK) {
        void *volatile block = malloc(BLOCK);
        if (!block) {
            abort();
        }
        memset(block, 1, BLOCK);
    }
    abort();
}

/* fork_and_leave(away = false): a child that lives on, without exec and with all descriptors, if
 * `away` in a session of its own. Returns its process id. */
static int fork_and_leave(lua_State *L) {
    int away = lua_toboolean(L, 1), ends[2];
    char ready = 0;
    pid_t child = pipe(ends) == 0 ? fork() : -1;
    if (child < 0) {
        return luaL_error(L, "fork: %s", strerror(errno));
    }
    if (child == 0) {
        if (away) {
            (void)setsid();
        }
        alarm(SECONDS_TO_LIVE);
        if (write(ends[1], &ready, 1) == 1) {
            for (;;) {
                pause();
            }
        }
        _exit(1);
    }
    (void)close(ends[1]);
    (void)!read(ends[0], &ready, 1);
    (void)close(ends[0]);
    lua_pushinteger(L, child);
    return 1;
}

/* close_descriptors(first = 3, last): all between them. */
static int close_descriptors(lua_State *L) {
    int last = (int)luaL_optinteger(L, 2, NUM_DESCRIPTORS);
    for (int i = (int)luaL_optinteger(L, 1, 3); i <= last; i++) {
        (void)close(i);
    }
    return 0;
}

/* write_garbage(fd, text = "garbage\n") -> how many bytes of it were written, or nil and why */
static int write_garbage(lua_State *L) {
    size_t len;
    const char *text = luaL_optlstring(L, 2, "garbage\n", &len);
    ssize_t written = write((int)luaL_checkinteger(L, 1), text, len);
    if (written < 0) {
        luaL_pushfail(L);
        lua_pushstring(L, strerror(errno));
        return 2;
    }
    lua_pushinteger(L, written);
    return 1;
}

/* leak(): memory that nobody knows of any more. */
static int leak(lua_State *L) {
    static void *volatile last;
    (void)L;
    for (int i = 0; i < 100; i++) {
        last = malloc(BLOCK / 100);
    }
    last = NULL;
    return 0;
}

/* exit_now(status): without any cleaning up. */
static int exit_now(lua_State *L) {
    _exit((int)luaL_checkinteger(L, 1));
}

/* stop_self(): until somebody lets it go on. */
static int stop_self(lua_State *L) {
    (void)L;
    (void)raise(SIGSTOP);
    return 0;
}

int luaopen_disaster(lua_State *L) {
    static const luaL_Reg functions[] = {{"segfault", segfault},
                                         {"spoil_the_heap", spoil_the_heap},
                                         {"abort_now", abort_now},
                                         {"overflow_the_stack", overflow_the_stack},
                                         {"loop_for_ever", loop_for_ever},
                                         {"allocate_for_ever", allocate_for_ever},
                                         {"fork_and_leave", fork_and_leave},
                                         {"close_descriptors", close_descriptors},
                                         {"write_garbage", write_garbage},
                                         {"leak", leak},
                                         {"exit_now", exit_now},
                                         {"stop_self", stop_self},
                                         {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
