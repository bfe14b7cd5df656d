/* SPDX-License-Identifier: MIT */
#include "program.h"

#include "binding/context.h"

#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/prctl.h>
#endif

#ifdef __has_feature /* clang's way of saying what gcc says with a macro */
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif

enum { INSTRUCTIONS_TO_CLEAN_UP = 100000 };

/* A signal handler has nowhere else to look. */
static lua_State *volatile interrupt_state;
static volatile sig_atomic_t interrupted;

/* Raises, and again after a while: a script that swallows the error gets the next. Whoever asks
 * interrupted() has taken over, and is left in peace. */
static void stop(lua_State *L, lua_Debug *info) {
    (void)info;
    struct ms_context *context = ms_context_find(L);
    if (context && context->deadline_held) { /* in libuv, which would end the process */
        return;
    }
    lua_sethook(L, stop, LUA_MASKCOUNT, INSTRUCTIONS_TO_CLEAN_UP);
    luaL_error(L, "interrupted");
}

/* lua_sethook() is what Lua allows a signal handler to call. A second signal ends the process. */
static void on_interrupt(int number) {
    signal(number, SIG_DFL);
    interrupted = 1;
    /* NOLINTNEXTLINE(bugprone-signal-handler): see above */
    lua_sethook(interrupt_state, stop, LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT,
                1);
}

void ms_program_listen(lua_State *L) {
    if (L) {
        interrupt_state = L;
    }
    signal(SIGINT, L ? on_interrupt : SIG_DFL);
}

static int program_interrupted(lua_State *L) {
    if (interrupted) {
        lua_sethook(interrupt_state, NULL, 0, 0);
    }
    lua_pushboolean(L, interrupted != 0);
    return 1;
}

/* true, or nil and errno's text. */
static int answer(lua_State *L, bool done) {
    if (!done) {
        int number = errno;
        luaL_pushfail(L);
        lua_pushstring(L, strerror(number));
        return 2;
    }
    lua_pushboolean(L, true);
    return 1;
}

#if defined __SANITIZE_ADDRESS__
#define NO_LIMIT "AddressSanitizer, which is built in here, needs more memory than any limit"
#elif !defined __linux__
#define NO_LIMIT "this system has no limit for the private memory of a process"
#endif

/* RLIMIT_DATA, which counts all private memory since Linux 4.7; RLIMIT_AS would count libraries and
 * stacks. A hard limit that is lower stays in force. */
static int limit_memory(lua_State *L) {
    lua_Integer bytes = luaL_checkinteger(L, 1);
    luaL_argcheck(L, bytes > 0, 1, "not a size");
#ifdef NO_LIMIT
    luaL_pushfail(L);
    lua_pushliteral(L, NO_LIMIT);
    return 2;
#else
    struct rlimit limit;
    bool done = getrlimit(RLIMIT_DATA, &limit) == 0;
    limit.rlim_cur = (rlim_t)bytes < limit.rlim_max ? (rlim_t)bytes : limit.rlim_max;
    return answer(L, done && setrlimit(RLIMIT_DATA, &limit) == 0);
#endif
}

/* As many descriptors as this process may have without asking anybody. */
static int raise_descriptors(lua_State *L) {
    struct rlimit limit;
    bool done = getrlimit(RLIMIT_NOFILE, &limit) == 0;
    limit.rlim_cur = limit.rlim_max;
#ifdef OPEN_MAX /* macOS takes no more */
    limit.rlim_cur = limit.rlim_cur < OPEN_MAX ? limit.rlim_cur : OPEN_MAX;
#endif
    return answer(L, done && setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

static int die_with_parent(lua_State *L) {
    lua_Integer parent = luaL_optinteger(L, 1, getppid());
    bool set = false;
#ifdef __linux__
    set = prctl(PR_SET_PDEATHSIG, SIGKILL) == 0;
#endif
    if (set && getppid() != parent) { /* it ended before that, and sends nothing any more */
        (void)raise(SIGKILL);
    }
    lua_pushboolean(L, set);
    return 1;
}

static int adopt_orphans(lua_State *L) {
    bool set = false;
#ifdef __linux__
    set = prctl(PR_SET_CHILD_SUBREAPER, 1) == 0;
#endif
    lua_pushboolean(L, set);
    return 1;
}

static int end_child(lua_State *L) {
    lua_Integer pid = luaL_checkinteger(L, 1);
    luaL_argcheck(L, pid > 1 && pid <= INT_MAX, 1, "not a process");
    bool ended = kill((pid_t)pid, SIGKILL) == 0;
    while (ended && waitpid((pid_t)pid, NULL, 0) < 0) {
        ended = errno == EINTR;
    }
    return answer(L, ended);
}

static int keep_to_itself(lua_State *L) {
    lua_Integer descriptor = luaL_checkinteger(L, 1);
    luaL_argcheck(L, descriptor >= 0 && descriptor <= INT_MAX, 1, "not a descriptor");
    return answer(L, fcntl((int)descriptor, F_SETFD, FD_CLOEXEC) == 0);
}

static int lock(lua_State *L) {
    lua_Integer descriptor = luaL_checkinteger(L, 1);
    luaL_argcheck(L, descriptor >= 0 && descriptor <= INT_MAX, 1, "not a descriptor");
    bool locked = flock((int)descriptor, LOCK_EX | LOCK_NB) == 0;
    if (!locked && errno == EWOULDBLOCK) {
        lua_pushboolean(L, false);
        return 1;
    }
    return answer(L, locked);
}

static int standard_files(lua_State *L) {
    lua_pushliteral(L, "");
    for (int i = 0; i <= STDERR_FILENO; i++) {
        struct stat file = {0}; /* stays so where the descriptor is closed */
        (void)fstat(i, &file);
        lua_pushfstring(L, "%I:%I ", (lua_Integer)file.st_dev, (lua_Integer)file.st_ino);
        lua_concat(L, 2);
    }
    return 1;
}

static int ignores(lua_State *L) {
    struct sigaction present;
    int number = (int)luaL_checkinteger(L, 1);
    lua_pushboolean(L, sigaction(number, NULL, &present) == 0 && present.sa_handler == SIG_IGN);
    return 1;
}

int ms_program_open(lua_State *L) {
    static const luaL_Reg functions[] = {{"interrupted", program_interrupted},
                                         {"limit_memory", limit_memory},
                                         {"raise_descriptors", raise_descriptors},
                                         {"die_with_parent", die_with_parent},
                                         {"adopt_orphans", adopt_orphans},
                                         {"end_child", end_child},
                                         {"keep_to_itself", keep_to_itself},
                                         {"lock", lock},
                                         {"standard_files", standard_files},
                                         {"ignores", ignores},
                                         {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
