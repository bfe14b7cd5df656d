/* SPDX-License-Identifier: MIT */
/* One end of a connection: bytes in, bytes out. It never touches a socket, and it never blocks: a
 * carrier (link.h, or a socket above) delivers bytes, lets it step and takes what it wrote. Nothing
 * a peer does is an error of these functions: it is state (ms_session_state) and events. */
#ifndef MS_SESSION_H
#define MS_SESSION_H

#include "clock.h"
#include "log.h"
#include "resumption.h"
#include "state.h"

struct ms_session;

/* Retains config, log and resumption (servers; NULL at a client); borrows the clock until freed.
 * `resume` (client; may be NULL): the earlier session to offer. */
struct ms_session *ms_session_new(struct ms_config *config, struct ms_log *log,
                                  const struct ms_clock *clock, struct ms_resumption *resumption,
                                  struct ms_session *resume, struct ms_error *error);
void ms_session_free(struct ms_session *session); /* NULL is fine */

/* Frees the TLS session but keeps its last state, which answers on. */
bool ms_session_retire(struct ms_session *session, struct ms_error *error);

/* Other options from now on (retains); what is past is reported by those it had, and a site in
 * force stays so by its name. Fails, with the options of before in force, where GnuTLS cannot. */
bool ms_session_use(struct ms_session *session, struct ms_config *config, struct ms_error *error);

/* Starting something; the work is done by ms_session_step(), and what goes wrong is state (want of
 * memory is told by the next step). All but the first need a completed handshake. */
void ms_session_start_handshake(struct ms_session *session);
void ms_session_start_renegotiation(struct ms_session *session);    /* this end asks */
void ms_session_start_reauthentication(struct ms_session *session); /* a server asks */
void ms_session_expect(struct ms_session *session);      /* the peer will do one of these two */
void ms_session_start_other(struct ms_session *session); /* before any of the following */
void ms_session_update_keys(struct ms_session *session, bool request_peer);
/* close_notify; what was under way (a handshake, a question) ends with it. */
void ms_session_close(struct ms_session *session);
void ms_session_send(struct ms_session *session, struct ms_slice data); /* all of it */

/* Moves GnuTLS's clock for this end past the window in which it counts received key updates. */
void ms_session_shift_window(struct ms_session *session);

/* The carrier's side. Feeding copies; taken bytes borrow until the next step. ms_session_hang_up()
 * says that the carrier ended. */
bool ms_session_feed(struct ms_session *session, struct ms_slice bytes, struct ms_error *error);
struct ms_slice ms_session_take(struct ms_session *session);
bool ms_session_wrote(const struct ms_session *session); /* there is something to take */
void ms_session_hang_up(struct ms_session *session);
/* The carrier failed, out of time or by what the system says: unless it is over already, the
 * session fails with this problem, a word of the contract, and this message. */
bool ms_session_break(struct ms_session *session, const char *problem, const char *message,
                      struct ms_error *error);

/* An end whose peer is somewhere else, and does what it likes when it likes: before the first event
 * of a renegotiation or reauthentication that the peer begins, `begins` is called with the kind of
 * epoch. It says whether the session goes along; one that does not fails. False: memory is short.
 */
typedef bool ms_peer_begins(void *context, const char *kind, bool *goes_along);
void ms_session_leave_alone(struct ms_session *session, ms_peer_begins *begins, void *context);

/* Works until it needs bytes from the peer or an answer. `*moved` tells whether anything happened
 * at all. */
bool ms_session_step(struct ms_session *session, bool *moved, struct ms_error *error);
/* Nothing to do for now: gives memory back, since thousands may live at once, most of them silent.
 */
void ms_session_rest(struct ms_session *session);
/* The carrier is quiet: it rests, and an end still waiting has stalled (or goes on waiting after
 * the next bytes). */
void ms_session_quiet(struct ms_session *session);

/* A verification that waits for a policy (MS_VERIFY_ASK), or NULL. Borrowed. */
const struct ms_verification *ms_session_question(const struct ms_session *session);
/* The chain that the question is about; borrowed. */
const struct ms_certificates *ms_session_question_chain(const struct ms_session *session);
void ms_session_answer(struct ms_session *session, bool accept);

/* Application data that arrived and nobody took. Borrows until the next call on this session. */
struct ms_slice ms_session_received(struct ms_session *session);

/* As of now; made anew only when something happened. Borrowed until the next step. */
const struct ms_state *ms_session_state(struct ms_session *session, struct ms_error *error);

bool ms_session_content(const struct ms_session *session); /* the last thing started went well */
bool ms_session_waits(const struct ms_session *session);   /* in a handshake that is not over */
bool ms_session_failed(const struct ms_session *session);
bool ms_session_ended(const struct ms_session *session); /* the peer said goodbye */
bool ms_session_completed(
    const struct ms_session *session); /* the initial handshake returned success */

/* Every word of `not_sent_because`, ended by NULL. */
extern const char *const ms_absence_words[];

/* Moves the present state out (for a history of epochs). `to` is overwritten. */
bool ms_session_freeze(struct ms_session *session, struct ms_state *to, struct ms_error *error);

/* The version in use by code point, 0 before one is negotiated. */
uint16_t ms_session_negotiated(const struct ms_session *session);

/* Whether there is a session to offer to a later one (client). The error says why not. */
bool ms_session_can_resume(struct ms_session *session, struct ms_error *error);

/* Keying material (RFC 5705, RFC 8446 7.5). `context.data` NULL: none. Fails where nothing protects
 * it. */
bool ms_session_export(struct ms_session *session, const char *label, struct ms_slice context,
                       size_t length, struct ms_bytes *to, struct ms_error *error);

#endif
