/* SPDX-License-Identifier: MIT */
#include "clock.h"

#include <gnutls/gnutls.h>
#include <stddef.h>
#include <time.h>

/* Exported by the library under GNUTLS_PRIVATE_3_4, declared in none of its headers. Weak, so that
 * a library that lacks it still loads. */
void _gnutls_global_set_gettime_function(void (*function)(struct timespec *now))
    __attribute__((weak));

/* GnuTLS calls its time functions without any argument, so whose clock is in force can only be said
 * beside the call. */
static _Thread_local struct {
    struct ms_clock clock;
    int64_t offset, extra;
} in_force;

static int64_t add(int64_t a, int64_t b) {
    int64_t sum;
    if (__builtin_add_overflow(a, b, &sum)) {
        return b < 0 ? INT64_MIN : INT64_MAX;
    }
    return sum;
}

int64_t ms_clock_now(const struct ms_clock *clock) {
    return clock && clock->set ? clock->seconds : (int64_t)time(NULL);
}

void ms_clock_set(struct ms_clock *clock, int64_t seconds) {
    *clock = (struct ms_clock){.set = true, .seconds = seconds};
}

void ms_clock_advance(struct ms_clock *clock, int64_t seconds) {
    ms_clock_set(clock, add(ms_clock_now(clock), seconds));
}

void ms_clock_use(const struct ms_clock *clock, int64_t offset, int64_t extra) {
    in_force.clock = clock ? *clock : (struct ms_clock){0};
    in_force.offset = offset;
    in_force.extra = extra;
}

int64_t ms_clock_in_force(void) {
    return add(ms_clock_now(&in_force.clock), in_force.offset);
}

static time_t read_seconds(time_t *out) {
    time_t now = (time_t)ms_clock_in_force();
    if (out) {
        *out = now;
    }
    return now;
}

static void read_precise(struct timespec *now) {
    *now = (struct timespec){.tv_sec = (time_t)in_force.clock.seconds};
    if (!in_force.clock.set) {
        clock_gettime(CLOCK_REALTIME, now);
    }
    now->tv_sec = (time_t)add(add(now->tv_sec, in_force.offset), in_force.extra);
}

void ms_clock_install(void) {
    gnutls_global_set_time_function(read_seconds);
    if (_gnutls_global_set_gettime_function) {
        _gnutls_global_set_gettime_function(read_precise);
    }
}
