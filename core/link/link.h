/* SPDX-License-Identifier: MIT */
/* Two sessions pumped against each other in memory, until both are quiet: late TLS 1.3 alerts,
 * tickets and key updates have then arrived, and an end that still waits has stalled.
 * Or one session whose peer is somewhere else: then the pump works until nothing is left to do
 * without the peer's bytes, and whoever has them carries them by ms_link_feed() and ms_link_take().
 */
#ifndef MS_LINK_H
#define MS_LINK_H

#include "session.h"

struct ms_link;

enum ms_pumped {
    MS_PUMP_QUIET,   /* nothing moves any more */
    MS_PUMP_ASKS,    /* an end waits for the answer to a verification: see ms_link_asking() */
    MS_PUMP_FLIGHT,  /* an end of a tampered link wrote something: see ms_link_writing() */
    MS_PUMP_STOPPED, /* the `stop` function said so (a deadline) */
    MS_PUMP_FAILED   /* the harness itself failed: see the error */
};

/* Retains the configs, of which one may be NULL: that end is somewhere else. `resumed_from` (may be
 * NULL): the link whose session the client offers, and whose server's sessions the server takes
 * back. The clock is borrowed until the link is freed. Returned, caller frees. */
struct ms_link *ms_link_new(struct ms_config *client, struct ms_config *server,
                            const struct ms_clock *clock, struct ms_link *resumed_from,
                            struct ms_error *error);
void ms_link_free(struct ms_link *link); /* NULL is fine */
/* Takes the final states and frees the TLS sessions; states, history and events answer on. */
bool ms_link_retire(struct ms_link *link, struct ms_error *error);

/* Changed options of one end, in force from the next action. Retains. */
bool ms_link_use(struct ms_link *link, enum ms_role role, struct ms_config *config,
                 struct ms_error *error);

/* Actions: each begins something that ms_link_pump() carries out. They fail for misuse only: before
 * the handshake (an end that is alone may be closed then), twice, after closing, what the version
 * does not have. */
bool ms_link_handshake(struct ms_link *link, struct ms_error *error);
bool ms_link_renegotiate(struct ms_link *link, enum ms_role by, struct ms_error *error);
bool ms_link_reauthenticate(struct ms_link *link, struct ms_error *error);
bool ms_link_update_keys(struct ms_link *link, enum ms_role by, bool request_peer,
                         struct ms_error *error);
bool ms_link_close(struct ms_link *link, bool client, bool server, struct ms_error *error);
bool ms_link_send(struct ms_link *link, enum ms_role from, struct ms_slice data,
                  struct ms_error *error);

/* `stop` (may be NULL) is asked between steps. */
enum ms_pumped ms_link_pump(struct ms_link *link, bool (*stop)(void *context), void *context,
                            struct ms_error *error);
enum ms_role ms_link_asking(const struct ms_link *link);
bool ms_link_content(const struct ms_link *link);
bool ms_link_closed(const struct ms_link *link); /* the script closed it */

/* The carrier's side of an end that is here. Feeding copies; an end of a link in memory deals with
 * what was fed in one call before it gets the next. Taken bytes borrow until the next pump.
 * ms_link_hang_up() says that the carrier ended behind what was fed. */
bool ms_link_feed(struct ms_link *link, enum ms_role to, struct ms_slice bytes,
                  struct ms_error *error);
struct ms_slice ms_link_take(struct ms_link *link, enum ms_role from);
void ms_link_hang_up(struct ms_link *link, enum ms_role at);

/* The carrier failed: the ends that are here have an error of this problem, a word of the contract,
 * with `message` for people; one that is over already stays as it is. */
bool ms_link_break(struct ms_link *link, const char *problem, const char *message,
                   struct ms_error *error);

/* While on, the pump hands out what an end of a link in memory wrote, which the carrier takes from
 * that end and feeds to the other as it likes. */
void ms_link_tamper(struct ms_link *link, bool on);
enum ms_role ms_link_writing(const struct ms_link *link);

struct ms_session *ms_link_end(struct ms_link *link, enum ms_role role); /* borrowed */
struct ms_log *ms_link_log(struct ms_link *link);                        /* borrowed */

/* States by epoch: `num` of them, the last one as of now. Borrowed until the next action. */
size_t ms_link_num_history(struct ms_link *link);
const struct ms_state *ms_link_history(struct ms_link *link, enum ms_role role, size_t index,
                                       struct ms_error *error);

#endif
