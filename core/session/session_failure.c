/* SPDX-License-Identifier: MIT */
/* How a session fails: the word for it, who told whom, the alert, and what that leaves. */
#include "session_private.h"

#include "cause.h"
#include "memory.h"

#include <string.h>

static struct ms_failure *new_failure(int code, const char *problem, const char *message) {
    struct ms_failure *failure = ms_alloc(sizeof *failure);
    if (failure) {
        failure->present = true;
        failure->problem = problem;
        failure->code = gnutls_strerror_name(code);
        failure->number = code;
        failure->message = ms_copy_text(message);
        if (!failure->message) {
            ms_free(failure);
            failure = NULL;
        }
    }
    return failure;
}

/* False when memory is short. */
static bool log_told(struct ms_session *session, int code, const char *problem, const char *message,
                     bool by_peer, enum ms_during during) {
    struct ms_failure *failure = new_failure(code, problem, message);
    struct ms_event *event =
        failure ? ms_log_add(session->log, session->role, MS_EVENT_ERROR) : NULL;
    if (!event) {
        if (failure) {
            ms_free(failure->message);
        }
        ms_free(failure);
        return false;
    }
    event->failure = failure;
    event->by_peer = by_peer;
    event->during = (uint8_t)during;
    return true;
}

static void log_failure(struct ms_session *session, int code, const char *problem, bool by_peer,
                        enum ms_during during) {
    session->memory_short |=
        !log_told(session, code, problem, gnutls_strerror(code), by_peer, during);
}

static const char *problem_of(struct ms_session *session, int code, bool alert_received) {
    struct ms_client_hello hello;
    const struct ms_event *message =
        ms_session_message(session, GNUTLS_HANDSHAKE_CLIENT_HELLO, session->role == MS_SERVER);
    bool has_hello = message && ms_wire_client_hello(message->bytes, &hello);
    session->memory_short |= message && !has_hello && hello.memory_short;
    const struct ms_event *answer =
        ms_session_message(session, GNUTLS_HANDSHAKE_SERVER_HELLO, true);
    struct ms_circumstances circumstances = {
        .code = code,
        .role = session->role,
        .alert_received = alert_received,
        .config = session->effective,
        .nothing_to_present =
            session->effective->choose && session->selection_noted && !session->presented.identity,
        .hello = has_hello ? &hello : NULL,
        .selected_version = answer ? ms_wire_selected_version(answer->bytes) : 0,
        .peer_signed = ms_session_message(session, GNUTLS_HANDSHAKE_CERTIFICATE_VERIFY, true),
    };
    const char *problem = ms_cause_word(&circumstances);
    if (has_hello) {
        ms_client_hello_clear(&hello);
    }
    return problem;
}

static void send_alert_for(struct ms_session *session, int code, const char *problem) {
    if (session->effective->rfc_alerts) {
        const struct ms_verification *result =
            session->question ? session->question->verification : NULL;
        session->alert_instead = ms_cause_alert(problem, result, ms_session_version(session));
    }
    (void)gnutls_alert_send_appropriate(session->tls, code);
    session->alert_instead = 0;
}

/* Whether there is a peer left to tell. */
static bool can_tell(int code) {
    switch (code) {
    case GNUTLS_E_FATAL_ALERT_RECEIVED:
    case GNUTLS_E_PREMATURE_TERMINATION:
    case GNUTLS_E_PULL_ERROR:
    case GNUTLS_E_PUSH_ERROR:
    case GNUTLS_E_INVALID_SESSION:
        return false;
    default:
        return true;
    }
}

/* Whether a fatal alert is why a session failed; it is noted then. GnuTLS's code does not always
 * say: up to TLS 1.2 an alert that comes while a certificate is awaited is reported as a missing
 * certificate, and one in clear under TLS 1.3 as a decryption failure. Of an alert record that
 * could not be decrypted nobody knows what it says. */
static bool note_fatal_alert(struct ms_session *session, int code) {
    bool unnoted = session->alert_records > session->alerts_noted;
    const struct ms_alert *clear = ms_session_clear_alert(session);
    bool fatal =
        clear ? clear->level == GNUTLS_AL_FATAL : unnoted && code == GNUTLS_E_NO_CERTIFICATE_FOUND;
    fatal = fatal || code == GNUTLS_E_FATAL_ALERT_RECEIVED;
    if (fatal || clear) {
        ms_session_note_alert(session, GNUTLS_AL_FATAL);
    }
    return fatal;
}

/* Whether the peer closed during a handshake, which it may do in clear under TLS 1.3. */
static bool note_closing(struct ms_session *session, int code) {
    const struct ms_alert *clear = ms_session_clear_alert(session);
    bool closing =
        clear && clear->level == GNUTLS_AL_WARNING && clear->description == GNUTLS_A_CLOSE_NOTIFY;
    if (code != GNUTLS_E_SESSION_EOF && !closing) {
        return false;
    }
    ms_session_note_alert(session, GNUTLS_AL_WARNING);
    return true;
}

/* Whether the stream ended within a record, which GnuTLS calls a length that it did not expect. */
static bool is_cut_short(const struct ms_session *session, int code) {
    return code == GNUTLS_E_UNEXPECTED_PACKET_LENGTH && session->in_ended &&
           session->in_at == session->in.len && ms_records_held(&session->received).len > 0;
}

void ms_session_fail(struct ms_session *session, int code, enum ms_during during) {
    bool cut = is_cut_short(session, code);
    bool closed = note_closing(session, code) || cut;
    bool by_alert = !closed && note_fatal_alert(session, code);
    const char *problem = closed ? "closed_early" : problem_of(session, code, by_alert);
    bool told = by_alert || closed || code == GNUTLS_E_PREMATURE_TERMINATION;
    log_failure(session, code, problem, told, during);
    if (!by_alert && !closed && can_tell(code)) {
        send_alert_for(session, code, problem);
    }
    session->task = MS_TASK_NONE;
    session->phase = MS_PHASE_FAILED;
    session->answer = MS_ANSWER_NONE;
}

void ms_session_refuse(struct ms_session *session, int code, bool by_peer, const char *problem) {
    log_failure(session, code, problem, by_peer, MS_DURING_HANDSHAKE);
    session->task = MS_TASK_READ;
    session->phase = MS_PHASE_ESTABLISHED;
}

bool ms_session_break(struct ms_session *session, const char *problem, const char *message,
                      struct ms_error *error) {
    if (session->phase == MS_PHASE_FAILED || ms_session_ended(session)) {
        return true;
    }
    bool late = strcmp(problem, "timeout") == 0;
    enum ms_during during = session->task == MS_TASK_READ ? MS_DURING_READ : MS_DURING_HANDSHAKE;
    if (!log_told(session, late ? GNUTLS_E_TIMEDOUT : GNUTLS_E_PULL_ERROR, ms_cause_known(problem),
                  message, false, during)) {
        return ms_fail_memory(error);
    }
    session->task = MS_TASK_NONE;
    session->phase = MS_PHASE_FAILED;
    session->answer = MS_ANSWER_NONE;
    return true;
}

bool ms_session_fail_if_ended(struct ms_session *session) {
    if (!ms_session_ended(session)) {
        return false;
    }
    log_failure(session, GNUTLS_E_SESSION_EOF, "closed_early", true, MS_DURING_HANDSHAKE);
    session->phase = MS_PHASE_FAILED;
    return true;
}
