/* SPDX-License-Identifier: MIT */
/* The Lua library inside the program: the build makes builtin.c from lua/moonshake (embed.lua). */
#ifndef MS_BUILTIN_H
#define MS_BUILTIN_H

#include <stddef.h>

struct ms_builtin {
    const char *module; /* as require() takes it: "moonshake.report.tap" */
    const char *code;   /* what string.dump() gave, its chunk named after the file */
    size_t code_len;
};

/* Ends with a row whose module is NULL. */
extern const struct ms_builtin ms_builtins[];

#endif
