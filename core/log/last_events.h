/* SPDX-License-Identifier: MIT */
/* The end of a log as JSON, for a process that is lost: these may be called in a signal handler.
 * They read the log and write into the caller's buffer, and neither allocate, lock nor free. A log
 * that was being added to, or that something has overwritten, may lead them astray: the caller has
 * to be ready for a second fault. */
#ifndef MS_LAST_EVENTS_H
#define MS_LAST_EVENTS_H

#include "json.h"
#include "log.h"

enum { MS_LAST_OF_EACH = 8, MS_LAST_EVENTS = 16, MS_EVENT_JSON = 3584 };

/* The positions, in order, of the last MS_LAST_OF_EACH of each end without the records that carried
 * them (as lua/moonshake/events.lua has it). Returns how many. */
size_t ms_log_last(const struct ms_log *log, size_t positions[MS_LAST_EVENTS]);

/* Writes one event as an object, in at most MS_EVENT_JSON bytes: the fields of ms_event_fields that
 * it has, but for bytes and what would have to be parsed. A certificate is an object with `subject`
 * and `fingerprint`, without what cannot be told here; `certificate` of a selection is false where
 * none was chosen; `certificates` of a message are absent where they are malformed, many or long.
 * An event that does not fit is left out: the text is as before then. */
void ms_log_tell(const struct ms_log *log, size_t position, struct ms_json *json);

#endif
