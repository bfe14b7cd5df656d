/* SPDX-License-Identifier: MIT */
/* Configs as Lua values, and the run of a choosing function below the handshake that asks it. */
#ifndef MS_BIND_CONFIG_H
#define MS_BIND_CONFIG_H

#include "box.h"
#include "config.h"

struct ms_log;

/* The config in the box at `index`, borrowed; raises unless it is one. */
struct ms_config *ms_config_check(lua_State *L, int index);

/* One run of a pump. It lives on the C stack of the pump's function, whose first argument is the
 * link and takes an error object in its user value MS_PUMP_RAISED. */
struct ms_pump {
    struct ms_pump *outer;        /* the one whose choosing function runs this one */
    lua_State *L;                 /* the thread that pumps */
    struct ms_log *log;           /* its link's */
    struct ms_identity **chosen;  /* two, by role: the identities that the sessions borrow */
    bool raised, short_of_memory; /* what a choosing function came to, the first time */
};

enum { MS_PUMP_RAISED = 2 };

#endif
