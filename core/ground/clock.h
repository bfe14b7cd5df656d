/* SPDX-License-Identifier: MIT */
/* The time that certificates, tickets and key updates are judged by. GnuTLS has two time sources,
 * both process-wide: gnutls_global_set_time_function() for validity and ticket lifetimes, and a
 * private one for ticket ages and the key-update window. Both are moved together; the core says
 * before every library call whose clock is in force. Sums that leave the range of int64_t stay at
 * its end. */
#ifndef MS_CLOCK_H
#define MS_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* A clock runs with the system's until it is set; from then on it stands still. Zero-initialise. */
struct ms_clock {
    bool set;
    int64_t seconds; /* since 1970-01-01T00:00:00Z, while `set` */
};

/* Seconds since the epoch by this clock; NULL is the system's. */
int64_t ms_clock_now(const struct ms_clock *clock);
void ms_clock_set(struct ms_clock *clock, int64_t seconds);
/* Moves the clock from where it is now, forward or (negative) back; it then stands still. */
void ms_clock_advance(struct ms_clock *clock, int64_t seconds);

/* Makes GnuTLS read `clock` on this thread, `offset` seconds away from it, with `extra` more
 * seconds for its private source only; NULL gives the system's time back (still moved by the two
 * numbers). Copies: a clock that is moved later counts from the next call on, and it may go. */
void ms_clock_use(const struct ms_clock *clock, int64_t offset, int64_t extra);

/* What GnuTLS reads on this thread as the time for validity, in seconds since the epoch. */
int64_t ms_clock_in_force(void);

/* Hooks both time sources; call once in a process, before any session. A GnuTLS without the private
 * one (it is not part of its promised interface) keeps the system's time there. */
void ms_clock_install(void);

#endif
