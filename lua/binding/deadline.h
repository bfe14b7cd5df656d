/* SPDX-License-Identifier: MIT */
/* The end of a case's time. A count hook asks the monotonic clock while Lua runs, and the pump asks
 * it between steps. */
#ifndef MS_DEADLINE_H
#define MS_DEADLINE_H

#include "context.h"

bool ms_deadline_over(const struct ms_context *context);
/* Raises the module's `deadline_message`, without a position: whoever catches it compares. */
int ms_deadline_raise(lua_State *L, struct ms_context *context);

#endif
