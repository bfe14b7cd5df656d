/* SPDX-License-Identifier: MIT */
/* Reads a table of options into a C struct by a list of what there is. Wrong types and unknown
 * options raise (the Lua library has checked what scripts wrote); values that cannot be carried
 * over are errors that name the option. Every text is copied, so that the struct owns all of it. */
#ifndef MS_OPTIONS_H
#define MS_OPTIONS_H

#include "certificate.h"
#include "names.h"

#include <lua.h>

enum ms_option_type {
    MS_OPTION_TEXT,    /* char * or const char * */
    MS_OPTION_BOOL,    /* bool */
    MS_OPTION_MAYBE,   /* enum ms_maybe: a boolean */
    MS_OPTION_INTEGER, /* int64_t */
    MS_OPTION_WORD,    /* an enum, in the order of `words` */
    MS_OPTION_FLAG,    /* bool, false for the first of two `words` */
    MS_OPTION_TEXTS,   /* struct ms_texts */
    MS_OPTION_CODES,   /* struct ms_codes, by their names in `names` */
    MS_OPTION_OTHER    /* somebody else reads it */
};

struct ms_option {
    const char *name; /* NULL ends a list */
    enum ms_option_type type;
    enum ms_names names;
    size_t offset;
    const char *const *words; /* ended by NULL */
};

/* Reads the table at `table` into `target`; what it lacks stays as it is. False on a value that
 * cannot be carried over, and when memory is short; what was read until then is in `target`. */
bool ms_options_read(lua_State *L, int table, const struct ms_option *options, void *target,
                     struct ms_error *error);
/* Frees the texts and lists of texts. */
void ms_options_clear(const struct ms_option *options, void *target);

/* Pushes a field without metamethods; its type. */
int ms_options_get(lua_State *L, int table, const char *name);

/* A text without zero bytes (C cannot carry them on), borrowed from the value at `index`; raises
 * unless that is a string. NULL when there is a zero byte: `name` then stands in the error. */
const char *ms_options_text(lua_State *L, int index, const char *name, struct ms_error *error);
/* That, or NULL for nil. False when there is a zero byte. */
bool ms_options_maybe_text(lua_State *L, int index, const char *name, const char **text,
                           struct ms_error *error);

#endif
