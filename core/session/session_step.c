/* SPDX-License-Identifier: MIT */
/* What a session does next: the step that carries its task out. Which of GnuTLS's return values end
 * a session is decided here, not by gnutls_error_is_fatal(), which calls some fatal that a
 * renegotiation survives. */
#include "session_private.h"

#define TLS1_3 0x0304
#define READ_ROOM 16384
#define MOST_WARNINGS 8    /* in a row; GnuTLS gives up at the seventeenth, as an internal error */
#define TICKETS_AT_ONCE 16 /* GnuTLS queues at most 31 records */
#define TICKETS_BY_DEFAULT 2 /* GnuTLS's own number in TLS 1.3 */

/* ---- reading ---- */

static bool keep_data(struct ms_session *session, const uint8_t *bytes, size_t len) {
    if (session->data_taken) {
        session->data.len = 0;
        session->data_taken = false;
    }
    struct ms_slice kept = ms_log_keep(session->log, bytes, len);
    struct ms_event *event =
        kept.data ? ms_log_add(session->log, session->role, MS_EVENT_DATA) : NULL;
    if (!event || !ms_bytes_add(&session->data, bytes, len)) {
        session->memory_short = true;
        return false;
    }
    event->incoming = true;
    event->bytes = kept;
    session->warnings = 0;
    return true;
}

/* One gnutls_record_recv(); its data, if any, is kept. */
static int read_once(struct ms_session *session) {
    uint8_t room[READ_ROOM];
    ssize_t result = gnutls_record_recv(session->tls, room, sizeof room);
    if (result > 0 && !keep_data(session, room, (size_t)result)) {
        return GNUTLS_E_MEMORY_ERROR;
    }
    return (int)result;
}

/* A warning that changes nothing; returns whether to go on: a peer may not send them without end.
 */
static bool bear_warning(struct ms_session *session, enum ms_during during) {
    ms_session_note_alert(session, GNUTLS_AL_WARNING);
    if (++session->warnings <= MOST_WARNINGS) {
        return true;
    }
    ms_session_fail(session, GNUTLS_E_UNEXPECTED_PACKET, during);
    return false;
}

static void peer_closed(struct ms_session *session) {
    ms_session_note_alert(session, GNUTLS_AL_WARNING);
    session->task = MS_TASK_NONE;
    session->phase = MS_PHASE_CLOSED;
}

static void refuse_renegotiation(struct ms_session *session) {
    (void)gnutls_alert_send(session->tls, GNUTLS_AL_WARNING, GNUTLS_A_NO_RENEGOTIATION);
    session->refused_hello = session->role == MS_SERVER;
    session->expecting = false;
    session->needs_completion = false;
}

/* GnuTLS runs no hook for a HelloRequest (RFC 5246 section 7.4.1.1) that arrives. */
static void note_hello_request(struct ms_session *session) {
    struct ms_event *event = ms_log_add(session->log, session->role, MS_EVENT_MESSAGE);
    if (!event) {
        session->memory_short = true;
        return;
    }
    event->incoming = true;
    event->type = GNUTLS_HANDSHAKE_HELLO_REQUEST;
    event->version = ms_session_version(session);
    event->bytes = (struct ms_slice){(const uint8_t *)"", 0};
}

/* The peer wants a handshake; returns whether to read on. */
static bool answer_peer(struct ms_session *session, int wish) {
    if (wish == GNUTLS_E_REAUTH_REQUEST) {
        ms_session_begin_task(session, MS_TASK_REAUTH);
        return false;
    }
    if (session->role == MS_CLIENT) {
        note_hello_request(session);
    }
    if (session->effective->renegotiation == MS_RENEGOTIATION_REFUSE) {
        refuse_renegotiation(session);
        return true;
    }
    ms_session_begin_task(session, MS_TASK_HANDSHAKE);
    return false;
}

bool ms_session_note_request(struct ms_session *session) {
    if (!session->begins || session->task != MS_TASK_READ || session->said_goodbye) {
        return true;
    }
    session->peer_began = true;
    return session->begins(session->begins_context, "reauthentication", &session->goes_along);
}

/* The same where the peer is somewhere else: it begins an epoch. */
static bool follow_peer(struct ms_session *session, int wish) {
    bool begun = session->peer_began;
    session->peer_began = false;
    if (!begun &&
        !session->begins(session->begins_context, "renegotiation", &session->goes_along)) {
        session->memory_short = true;
        return false;
    }
    if (!session->goes_along) {
        ms_session_fail(session, GNUTLS_E_TOO_MANY_HANDSHAKE_PACKETS, MS_DURING_READ);
        return false;
    }
    ms_session_begin_action(session, true);
    ms_session_take_back_nothing(session);
    return answer_peer(session, wish);
}

/* The peer wants a handshake of an end that has said goodbye: its wish and the goodbye crossed. */
static void pass_over_wish(struct ms_session *session) {
    if (session->role == MS_SERVER) {
        session->refused_hello = true;
    } else if (ms_session_version(session) < TLS1_3) {
        note_hello_request(session);
    }
}

/* What a read result other than data means; returns whether to read on. */
static bool after_read(struct ms_session *session, int result) {
    switch (result) {
    case GNUTLS_E_REHANDSHAKE:
    case GNUTLS_E_REAUTH_REQUEST:
        if (session->said_goodbye) {
            pass_over_wish(session);
            return true;
        }
        return session->begins ? follow_peer(session, result) : answer_peer(session, result);
    case GNUTLS_E_WARNING_ALERT_RECEIVED:
        return bear_warning(session, MS_DURING_READ);
    case GNUTLS_E_UNEXPECTED_PACKET:
        if (session->refused_hello) { /* GnuTLS meets the refused ClientHello once more */
            session->refused_hello = false;
            return true;
        }
        break;
    default:
        break;
    }
    ms_session_fail(session, result, MS_DURING_READ);
    return false;
}

static void step_read(struct ms_session *session) {
    while (session->task == MS_TASK_READ && !session->memory_short) {
        size_t before = session->pulled;
        int result = read_once(session);
        if (result == GNUTLS_E_AGAIN || result == GNUTLS_E_INTERRUPTED) {
            /* It also says "again" after each post-handshake message, with more bytes waiting. */
            if (session->pulled == before) {
                return;
            }
        } else if (result == 0) {
            peer_closed(session);
        } else if (result < 0 && !after_read(session, result)) {
            return;
        }
    }
}

/* ---- handshakes ---- */

static bool in_first_epoch(const struct ms_session *session) {
    return ms_log_epoch(session->log) == 0;
}

static void send_tickets(struct ms_session *session) {
    int64_t num = session->effective->tickets;
    if (num < 0 && session->config->num_sites > 0) {
        num = TICKETS_BY_DEFAULT; /* with sites, GnuTLS itself sends none */
    }
    if (session->role == MS_SERVER && num > 0 && in_first_epoch(session) &&
        ms_session_version(session) >= TLS1_3) {
        int result = 0;
        for (; num > 0 && result >= 0; num -= TICKETS_AT_ONCE) {
            unsigned some = (unsigned)(num < TICKETS_AT_ONCE ? num : TICKETS_AT_ONCE);
            result = gnutls_session_ticket_send(session->tls, some, 0);
        }
        if (result < 0) {
            ms_session_fail(session, result, MS_DURING_WRITE);
        }
    }
}

static void complete(struct ms_session *session) {
    if (session->task == MS_TASK_HANDSHAKE && !in_first_epoch(session)) {
        session->renegotiations++;
    }
    session->completed = session->ever_completed = true;
    session->cipher_suite = gnutls_ciphersuite_get(session->tls);
    session->expecting = false;
    session->task = MS_TASK_READ;
    session->phase = MS_PHASE_ESTABLISHED;
    send_tickets(session);
}

static void note_new_selection(struct ms_session *session) {
    const gnutls_datum_t *ours = gnutls_certificate_get_ours(session->tls);
    if (ours && ours->data != session->ours_at_epoch.data) {
        ms_session_note_selection(session);
    }
}

/* A warning while shaking hands; returns whether to go on. */
static bool after_warning(struct ms_session *session) {
    if (!bear_warning(session, MS_DURING_HANDSHAKE)) {
        return false;
    }
    bool refused = gnutls_alert_get(session->tls) == GNUTLS_A_NO_RENEGOTIATION;
    if (refused && !in_first_epoch(session)) {
        ms_session_refuse(session, GNUTLS_E_WARNING_ALERT_RECEIVED, true, "renegotiation_refused");
        return false;
    }
    return true;
}

/* What a handshake's result other than success means; returns whether to try again. */
static bool after_handshake(struct ms_session *session, int result, bool moved) {
    switch (result) {
    case GNUTLS_E_AGAIN:
    case GNUTLS_E_INTERRUPTED:
        return moved && session->answer != MS_ANSWER_AWAITED;
    case GNUTLS_E_WARNING_ALERT_RECEIVED:
        return after_warning(session);
    case GNUTLS_E_GOT_APPLICATION_DATA: /* sent before the peer saw our wish */
        result = read_once(session);
        if (result > 0 || result == GNUTLS_E_AGAIN) {
            return true;
        }
        result = result == 0 ? GNUTLS_E_SESSION_EOF : result;
        break;
    case GNUTLS_E_SESSION_EOF:
        break;
    default:
        if (moved && gnutls_error_is_fatal(result) == 0) {
            return true;
        }
        break;
    }
    ms_session_fail(session, result, MS_DURING_HANDSHAKE);
    return false;
}

/* The type of the record that GnuTLS reads next or has begun to read; -1: nothing is there. */
static int next_record(const struct ms_session *session) {
    struct ms_slice held = ms_records_held(&session->received);
    if (held.len > 0) {
        return held.data[0];
    }
    return session->in.len > session->in_at ? session->in.data[session->in_at] : -1;
}

/* Takes data that the server sent before it saw our wish: for it GnuTLS's client (3.7.9) would give
 * its handshake up and begin anew. Returns whether to go on with the handshake. */
static bool take_data_before(struct ms_session *session) {
    if (session->role != MS_CLIENT || in_first_epoch(session) ||
        session->task != MS_TASK_HANDSHAKE) {
        return true;
    }
    while (next_record(session) == MS_RECORD_APPLICATION_DATA && !session->answered) {
        size_t before = session->pulled;
        int result = read_once(session);
        bool again = result == GNUTLS_E_AGAIN || result == GNUTLS_E_INTERRUPTED;
        if (session->memory_short || (again && session->pulled == before)) {
            return false;
        }
        if (result <= 0 && !again) {
            ms_session_fail(session, result == 0 ? GNUTLS_E_SESSION_EOF : result, MS_DURING_READ);
            return false;
        }
    }
    return true;
}

static void step_handshake(struct ms_session *session) {
    while (!session->memory_short && take_data_before(session)) {
        size_t before = session->pulled + session->pushed;
        bool reauth = session->task == MS_TASK_REAUTH;
        int result = reauth ? gnutls_reauth(session->tls, 0) : gnutls_handshake(session->tls);
        note_new_selection(session);
        session->memory_short |=
            session->resumption && ms_resumption_was_short(session->resumption);
        if (session->memory_short) {
            return;
        }
        if (result == 0) {
            complete(session);
            return;
        }
        bool moved = session->pulled + session->pushed != before;
        if (!after_handshake(session, result, moved)) {
            return;
        }
    }
}

/* GnuTLS answers a KeyUpdate that asks for one (RFC 8446 section 4.6.3) with its next record, which
 * may never come. Writing nothing makes it answer, and then complain that there is nothing to write
 * (3.7.9). */
static void answer_key_update(struct ms_session *session) {
    if (!session->owes_key_update || session->task != MS_TASK_READ) {
        return;
    }
    session->owes_key_update = false;
    if (session->said_goodbye) { /* nothing is written any more */
        return;
    }
    ssize_t result = gnutls_record_send(session->tls, "", 0);
    if (result < 0 && result != GNUTLS_E_INVALID_REQUEST) {
        ms_session_fail(session, (int)result, MS_DURING_WRITE);
    }
}

/* RFC 8446 section 6.1: what comes after the end is ignored; it is on record all the same. */
static void pass_over_input(struct ms_session *session) {
    uint8_t room[READ_ROOM];
    while (session->in.len > session->in_at && !session->memory_short) {
        (void)ms_session_pull(session, room, sizeof room);
    }
}

bool ms_session_step(struct ms_session *session, bool *moved, struct ms_error *error) {
    size_t before = session->pulled + session->pushed, events = ms_log_num(session->log);
    enum ms_phase phase = session->phase;
    if (session->phase == MS_PHASE_STALLED && session->in.len > session->in_at) {
        session->phase = MS_PHASE_HANDSHAKING;
    }
    if (session->answer != MS_ANSWER_AWAITED) {
        ms_session_enter(session);
        if (session->task == MS_TASK_HANDSHAKE || session->task == MS_TASK_REAUTH) {
            step_handshake(session);
        }
        if (session->task == MS_TASK_READ) {
            step_read(session);
            answer_key_update(session);
        }
    }
    if (session->begins && session->task == MS_TASK_NONE && session->phase != MS_PHASE_IDLE) {
        pass_over_input(session);
    }
    *moved = session->pulled + session->pushed != before || ms_log_num(session->log) != events ||
             session->phase != phase;
    return !session->memory_short || ms_fail_memory(error);
}

static void give_back(struct ms_bytes *bytes) {
    if (bytes->len == 0) {
        ms_bytes_clear(bytes);
    }
}

void ms_session_rest(struct ms_session *session) {
    if (session->out_taken) {
        session->out.len = 0;
    }
    if (session->in_at == session->in.len) {
        session->in.len = session->in_at = 0;
    }
    give_back(&session->out);
    give_back(&session->in);
    ms_records_rest(&session->sent);
    ms_records_rest(&session->received);
}

void ms_session_quiet(struct ms_session *session) {
    ms_session_rest(session);
    if (session->expecting) {
        session->expecting = false;        /* what has not begun by now does not come */
        session->state_log_num = SIZE_MAX; /* a snapshot made meanwhile is not that of now */
    }
    if (ms_session_waits(session) && session->answer != MS_ANSWER_AWAITED) {
        session->phase = MS_PHASE_STALLED;
    }
}
