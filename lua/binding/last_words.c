/* SPDX-License-Identifier: MIT */
/* The line is
 *   PREFIX {"last_words":{"signal":11,"file":"x.lua","line":12,"events":[{...},...]}}
 * where `file` and `line` are absent if no file's function runs; see core/log/last_events.h for the
 * events. It is written once, and the process then dies of that signal as if nobody had listened: a
 * sanitizer's handler, if there is one, still makes its report.
 *
 * A handler may do very little. This one has a stack of its own (the fault may be that the other is
 * used up), one buffer, and calls nothing that allocates, locks or buffers. Two things it does are
 * not promised to be safe: it reads the log, and it walks Lua's stack (lua_getstack() and
 * lua_getinfo() with "Sl", which in Lua 5.4 read the state and write nothing but the lua_Debug).
 * Either may be half changed when the signal comes, or overwritten by what went wrong. That costs
 * nothing: the process is lost already, each of these parts is left out if it faults, and whatever
 * faults elsewhere ends the process by its signal. */
#include "last_words.h"

#include "bind_config.h"
#include "context.h"
#include "last_events.h"
#include "native.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE_SIZE = 65536, STACK_SIZE = 65536, MOST_LEVELS = 200, LONGEST_PATH = 4096 };
enum { WAITS = 5, WAIT_MS = 1000 }; /* for a reader that is slow */

static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGTRAP, SIGTERM};
enum { NUM_SIGNALS = sizeof signals / sizeof signals[0] };

/* Those that an instruction causes, and causes again. */
static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};

/* A handler has nowhere else to look: the only mutable state of the binding's files. */
static struct {
    struct ms_context *context; /* NULL: nobody asked for last words */
    lua_State *L;               /* the main thread */
    pid_t process;              /* a fork of it has nothing to say */
    int descriptor;
    struct stat file; /* what the descriptor is: a script may have closed it and opened another */
    char prefix[128], library[256]; /* the line's; what the library's chunk names begin with */
    size_t prefix_len, library_len;
    const struct ms_log *log; /* chosen by the handler, and what to tell of it */
    size_t positions[MS_LAST_EVENTS], num_positions;
    struct sigaction before[NUM_SIGNALS];
    bool stack_is_ours;
    volatile sig_atomic_t told, guarded;
    sigjmp_buf back; /* to where the guarded part began */
    char line[LINE_SIZE];
} words;

static char alternate_stack[STACK_SIZE];

/* ---- in the handler ---- */

static bool is_library(const char *source) {
    return words.library_len > 0 && strncmp(source, words.library, words.library_len) == 0;
}

/* The innermost function of a file that is not the library's. */
static bool tell_place_in(struct ms_json *json, lua_State *L) {
    lua_Debug info;
    for (int level = 0; level < MOST_LEVELS && lua_getstack(L, level, &info); level++) {
        if (lua_getinfo(L, "Sl", &info) && info.source[0] == '@' && info.currentline > 0 &&
            !is_library(info.source)) {
            ms_json_key(json, "file");
            ms_json_text(json, info.source + 1, info.srclen, LONGEST_PATH);
            ms_json_key(json, "line");
            ms_json_number(json, info.currentline);
            return true;
        }
    }
    return false;
}

static void tell_place(struct ms_json *json, size_t unused) {
    (void)unused;
    const struct ms_pump *pump = words.context->pump;
    if (!pump || !tell_place_in(json, pump->L)) {
        (void)tell_place_in(json, words.L);
    }
}

static void choose_events(struct ms_json *json, size_t unused) {
    (void)json;
    (void)unused;
    const struct ms_pump *pump = words.context->pump;
    words.log = pump ? pump->log : words.context->log;
    words.num_positions = words.log ? ms_log_last(words.log, words.positions) : 0;
}

static void tell_event(struct ms_json *json, size_t index) {
    ms_log_tell(words.log, words.positions[index], json);
}

/* Runs a part of the telling, which is left out if it faults or does not fit. */
static void guard(struct ms_json *json, void (*part)(struct ms_json *, size_t), size_t argument) {
    const size_t before = json->used;
    if (sigsetjmp(words.back, 1) == 0) {
        words.guarded = 1;
        part(json, argument);
    } else {
        json->full = true;
    }
    words.guarded = 0;
    if (json->full) {
        json->used = before;
        json->full = false;
    }
}

/* Whether the descriptor is what it was when last words were asked for. */
static bool is_still_there(void) {
    struct stat now;
    return fstat(words.descriptor, &now) == 0 && now.st_dev == words.file.st_dev &&
           now.st_ino == words.file.st_ino;
}

static void write_line(const char *bytes, size_t len) {
    for (int waits = 0; len > 0 && waits < WAITS;) {
        ssize_t written = write(words.descriptor, bytes, len);
        if (written >= 0) {
            bytes += written;
            len -= (size_t)written;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            struct pollfd room = {.fd = words.descriptor, .events = POLLOUT};
            (void)poll(&room, 1, WAIT_MS);
            waits++;
        } else if (errno != EINTR) {
            return;
        }
    }
}

static void tell(int number) {
    static const char end[] = "]}}\n";
    struct ms_json json = {.data = words.line, .size = sizeof words.line - sizeof end};
    ms_json_raw(&json, words.prefix, words.prefix_len);
    ms_json_raw(&json, " {\"last_words\":{", 16);
    ms_json_key(&json, "signal");
    ms_json_number(&json, number);
    guard(&json, tell_place, 0);
    ms_json_key(&json, "events");
    ms_json_begin(&json, '[');
    guard(&json, choose_events, 0);
    for (size_t i = 0; i < words.num_positions; i++) {
        guard(&json, tell_event, i);
    }
    json.size = sizeof words.line;
    ms_json_raw(&json, end, sizeof end - 1);
    write_line(json.data, json.used);
}

/* Puts back what was before us; who ignored a signal then is ended by it all the same. */
static void restore(bool in_handler) {
    for (int i = 0; i < NUM_SIGNALS; i++) {
        struct sigaction *before = &words.before[i];
        if (in_handler && !(before->sa_flags & SA_SIGINFO) && before->sa_handler == SIG_IGN) {
            before->sa_handler = SIG_DFL;
        }
        sigaction(signals[i], before, NULL);
    }
}

/* Whether it comes again by itself. One that was sent has a code below 1, on BSD a large one. */
static bool is_fault(int number, const siginfo_t *info) {
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        if (faults[i] == number) {
            return info->si_code > 0 && info->si_code < 0x10000;
        }
    }
    return false;
}

static void on_signal(int number, siginfo_t *info, void *unused) {
    (void)unused;
    if (words.guarded) {
        siglongjmp(words.back, 1);
    }
    if (!words.told && words.process == getpid() && is_still_there()) {
        words.told = 1;
        tell(number);
    }
    restore(true);
    if (!is_fault(number, info)) {
        (void)raise(number);
    }
}

/* ---- asking for it ---- */

/* A fault in the handler enters it again, on the same stack; all else waits. */
static bool install(void) {
    struct sigaction action = {.sa_sigaction = on_signal,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    sigfillset(&action.sa_mask);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        sigdelset(&action.sa_mask, faults[i]);
    }
    stack_t present, ours = {.ss_sp = alternate_stack, .ss_size = sizeof alternate_stack};
    words.stack_is_ours = sigaltstack(NULL, &present) == 0 && present.ss_flags & SS_DISABLE;
    if (words.stack_is_ours && sigaltstack(&ours, NULL) != 0) {
        return false;
    }
    for (int i = 0; i < NUM_SIGNALS; i++) {
        sigaction(signals[i], &action, &words.before[i]);
    }
    return true;
}

static void take_off(void) {
    if (words.context) {
        restore(false);
        words.context = NULL;
        if (words.stack_is_ours) {
            sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, NULL);
        }
    }
}

void ms_last_words_end(const struct ms_context *context) {
    if (context && words.context == context) {
        take_off();
    }
}

/* (descriptor, prefix, what the chunk names of the library begin with or nil) -> true; nil and why.
 * The prefix is written as it is. Without arguments: nobody listens any more. */
static int last_words(lua_State *L) {
    struct ms_context *context = ms_context_of(L);
    if (lua_isnoneornil(L, 1)) {
        take_off();
        lua_pushboolean(L, true);
        return 1;
    }
    lua_Integer descriptor = luaL_checkinteger(L, 1);
    luaL_argcheck(L, descriptor >= 0 && descriptor <= INT_MAX, 1, "not a descriptor");
    size_t prefix_len, library_len;
    const char *prefix = luaL_checklstring(L, 2, &prefix_len);
    const char *library = luaL_optlstring(L, 3, "", &library_len);
    luaL_argcheck(L, prefix_len <= sizeof words.prefix, 2, "too long");
    luaL_argcheck(L, library_len <= sizeof words.library, 3, "too long");
    struct ms_error error;
    struct stat file;
    if (fstat((int)descriptor, &file) != 0) {
        ms_fail(&error, "last words: descriptor %d: %s", (int)descriptor, strerror(errno));
        return ms_native_fail(L, &error);
    }
    lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
    take_off();
    words.L = lua_tothread(L, -1);
    words.process = getpid();
    words.descriptor = (int)descriptor;
    words.file = file;
    memcpy(words.prefix, prefix, prefix_len);
    words.prefix_len = prefix_len;
    memcpy(words.library, library, library_len);
    words.library_len = library_len;
    words.told = 0;
    words.context = context;
    if (!install()) {
        words.context = NULL;
        ms_fail(&error, "last words: no stack for a handler: %s", strerror(errno));
        return ms_native_fail(L, &error);
    }
    lua_pushboolean(L, true);
    return 1;
}

void ms_last_words_open(lua_State *L) {
    static const luaL_Reg functions[] = {{"last_words", last_words}, {NULL, NULL}};
    ms_native_add(L, functions);
}
