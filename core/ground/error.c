/* SPDX-License-Identifier: MIT */
#include "error.h"

#include <gnutls/gnutls.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void write_text(struct ms_error *error, int number, const char *format, va_list args) {
    error->number = number;
    vsnprintf(error->text, sizeof error->text, format, args);
}

bool ms_fail(struct ms_error *error, const char *format, ...) {
    if (error) {
        va_list args;
        va_start(args, format);
        write_text(error, 0, format, args);
        va_end(args);
    }
    return false;
}

bool ms_fail_gnutls(struct ms_error *error, int number, const char *format, ...) {
    if (error) {
        va_list args;
        va_start(args, format);
        write_text(error, number, format, args);
        va_end(args);
        const char *name = gnutls_strerror_name(number);
        size_t used = strlen(error->text);
        snprintf(error->text + used, sizeof error->text - used, ": %s (%s)",
                 gnutls_strerror(number), name ? name : "unknown code");
    }
    return false;
}

bool ms_fail_memory(struct ms_error *error) {
    return ms_fail_gnutls(error, GNUTLS_E_MEMORY_ERROR, "out of memory");
}
