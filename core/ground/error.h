/* SPDX-License-Identifier: MIT */
/* The one error regime of the core. A function that can fail returns bool or a pointer and takes a
 * `struct ms_error *` last. An error means that the harness could not do as told; what a TLS peer
 * did wrong is never an ms_error but state (see state.h). */
#ifndef MS_ERROR_H
#define MS_ERROR_H

#include <stdbool.h>

#define MS_ERROR_TEXT 512

/* A plain value without heap, so that it survives a longjmp in the code above. */
struct ms_error {
    int number;               /* the GnuTLS error code behind it, 0 if there is none */
    char text[MS_ERROR_TEXT]; /* one sentence without a full stop; UTF-8, cut at the limit */
};

/* Fills `error` (which may be NULL) and returns false, so that `return ms_fail(...)` reads well.
 * ms_fail_gnutls() appends GnuTLS's own name and text for `number`. */
bool ms_fail(struct ms_error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool ms_fail_gnutls(struct ms_error *error, int number, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool ms_fail_memory(struct ms_error *error);

#endif
