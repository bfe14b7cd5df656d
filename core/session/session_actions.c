/* SPDX-License-Identifier: MIT */
/* What a session is told to do: how each action begins. The step goes on with those that need the
 * peer. */
#include "session_private.h"

/* GnuTLS takes eight key updates a second; each further one moves its clock past that window. */
#define KEY_UPDATE_WINDOW 2

void ms_session_begin_task(struct ms_session *session, enum ms_task task) {
    session->task = task;
    session->phase = MS_PHASE_HANDSHAKING;
}

void ms_session_begin_action(struct ms_session *session, bool handshake) {
    session->action_first = ms_log_num(session->log);
    session->needs_completion = handshake;
    session->warnings = 0;
    if (handshake) {
        session->completed = false;
        session->answered = false;
        session->selection_noted = false;
        session->question = NULL;
        const gnutls_datum_t *ours = gnutls_certificate_get_ours(session->tls);
        session->ours_at_epoch = ours ? *ours : (gnutls_datum_t){0};
    }
}

/* A server that takes a session back within a renegotiation asks for no certificate, and where that
 * came with a ticket GnuTLS fails in it (3.7.9). Other stacks offer theirs there; GnuTLS does not.
 * So all that is offered has expired, until the ServerHello. */
void ms_session_take_back_nothing(struct ms_session *session) {
    if (session->role == MS_SERVER && session->begins) {
        gnutls_db_set_cache_expiration(session->tls, -1);
    }
}

void ms_session_start_handshake(struct ms_session *session) {
    ms_session_begin_action(session, true);
    ms_session_begin_task(session, MS_TASK_HANDSHAKE);
}

void ms_session_start_renegotiation(struct ms_session *session) {
    ms_session_begin_action(session, true);
    ms_session_enter(session);
    if (ms_session_fail_if_ended(session)) {
        return;
    }
    ms_session_take_back_nothing(session);
    if (session->role == MS_SERVER) {
        int result = gnutls_rehandshake(session->tls); /* HelloRequest */
        if (result < 0 && result != GNUTLS_E_AGAIN) {
            ms_session_fail(session, result, MS_DURING_WRITE);
            return;
        }
    }
    ms_session_begin_task(session, MS_TASK_HANDSHAKE);
}

void ms_session_start_reauthentication(struct ms_session *session) {
    ms_session_begin_action(session, true);
    ms_session_enter(session);
    if (ms_session_fail_if_ended(session)) {
        return;
    }
    if (!(gnutls_session_get_flags(session->tls) & GNUTLS_SFLAGS_POST_HANDSHAKE_AUTH)) {
        ms_session_refuse(session, GNUTLS_E_INVALID_REQUEST, false,
                          "post_handshake_auth_not_offered");
        return;
    }
    ms_session_begin_task(session, MS_TASK_REAUTH);
}

void ms_session_expect(struct ms_session *session) {
    ms_session_begin_action(session, true);
    session->expecting = true;
}

void ms_session_start_other(struct ms_session *session) {
    ms_session_begin_action(session, false);
}

void ms_session_update_keys(struct ms_session *session, bool request_peer) {
    ms_session_enter(session);
    int result = gnutls_session_key_update(session->tls, request_peer ? GNUTLS_KU_PEER : 0);
    if (result < 0) {
        ms_session_fail(session, result, MS_DURING_WRITE);
    }
}

void ms_session_shift_window(struct ms_session *session) {
    session->window_shift += KEY_UPDATE_WINDOW;
}

void ms_session_close(struct ms_session *session) {
    if (session->phase == MS_PHASE_FAILED || session->phase == MS_PHASE_IDLE) {
        session->phase = session->phase == MS_PHASE_IDLE ? MS_PHASE_CLOSED : session->phase;
        return;
    }
    if (session->said_goodbye || !session->tls) {
        return;
    }
    session->said_goodbye = true;
    if (ms_session_waits(session)) { /* nobody will finish what was under way */
        session->task = MS_TASK_NONE;
        session->answer = MS_ANSWER_NONE;
    }
    ms_session_enter(session);
    int result = gnutls_bye(session->tls, GNUTLS_SHUT_WR);
    if (result < 0 && result != GNUTLS_E_AGAIN && result != GNUTLS_E_INTERRUPTED) {
        ms_session_fail(session, result, MS_DURING_CLOSE);
        return;
    }
    session->phase = MS_PHASE_CLOSED;
}

void ms_session_send(struct ms_session *session, struct ms_slice data) {
    if (session->phase == MS_PHASE_FAILED || session->phase == MS_PHASE_CLOSED || data.len == 0) {
        return;
    }
    ms_session_enter(session);
    struct ms_slice kept = ms_log_keep(session->log, data.data, data.len);
    struct ms_event *event =
        kept.data ? ms_log_add(session->log, session->role, MS_EVENT_DATA) : NULL;
    if (!event) {
        session->memory_short = true;
        return;
    }
    event->bytes = kept;
    while (data.len > 0) {
        ssize_t result = gnutls_record_send(session->tls, data.data, data.len);
        if (result < 0) {
            ms_session_fail(session, (int)result, MS_DURING_WRITE);
            return;
        }
        data.data += result;
        data.len -= (size_t)result;
    }
}
