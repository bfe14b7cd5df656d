/* SPDX-License-Identifier: MIT */
/* What a process that is lost still tells: one line with the signal, where the script stood and
 * what the link did last. `native.last_words(descriptor, prefix, library)` has it written when a
 * fatal signal or SIGTERM comes; see last_words.c. */
#ifndef MS_LAST_WORDS_H
#define MS_LAST_WORDS_H

struct ms_context;

/* Takes the handlers off if they are for this context, whose Lua state is about to go. */
void ms_last_words_end(const struct ms_context *context);

#endif
