/* SPDX-License-Identifier: MIT */
/* Turns a C struct into Lua values by its table of fields (fields.h). */
#ifndef MS_WALKER_H
#define MS_WALKER_H

#include "fields.h"

#include <lua.h>

/* Pushes the value of one field of the struct at `base`. */
void ms_walker_push(lua_State *L, const struct ms_field *field, const void *base);
/* Pushes a table of all fields; absent ones are nil. */
void ms_walker_push_all(lua_State *L, const struct ms_field *fields, const void *base);
/* Pushes a list that describes the fields: name, type, about, and fields of a record. */
void ms_walker_describe(lua_State *L, const struct ms_field *fields);

/* NULL when there is none of that name. */
const struct ms_field *ms_walker_find(const struct ms_field *fields, const char *name);

#endif
