/* SPDX-License-Identifier: MIT */
/* Priorities made once for equal restrictions: translating and checking a set of names takes more
 * time than everything else that a new link needs before its handshake. Counted. */
#ifndef MS_SHARED_PRIORITY_H
#define MS_SHARED_PRIORITY_H

#include "priority.h"

struct ms_shared_priority;

/* The last few made, by what was asked for. */
struct ms_priority_cache;
struct ms_priority_cache *ms_priority_cache_new(struct ms_error *error);
void ms_priority_cache_free(struct ms_priority_cache *cache); /* NULL is fine */

/* As ms_priority_make(). `cache` may be NULL. Returned, caller releases. */
struct ms_shared_priority *ms_shared_priority_get(const struct ms_restrictions *restrictions,
                                                  struct ms_priority_cache *cache,
                                                  struct ms_error *error);
void ms_shared_priority_release(struct ms_shared_priority *shared); /* NULL is fine */
const struct ms_priority *ms_shared_priority_made(const struct ms_shared_priority *shared);

#endif
