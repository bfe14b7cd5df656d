/* SPDX-License-Identifier: MIT */
/* What GnuTLS tells while it works: bytes, handshake messages, alerts, the moment to judge a peer.
 */
#include "session_private.h"

#include "memory.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>

#define TLS1_3 0x0304
#define RECORD_HEADER 5
#define KEY_UPDATE_REQUESTED 1 /* KeyUpdateRequest update_requested */
#define ANY_MESSAGE GNUTLS_HANDSHAKE_ANY

static struct ms_session *session_of(gnutls_session_t tls) {
    return gnutls_session_get_ptr(tls);
}

uint16_t ms_session_version(const struct ms_session *session) {
    switch (session->tls ? gnutls_protocol_get_version(session->tls) : 0) {
    case GNUTLS_TLS1_0:
        return 0x0301;
    case GNUTLS_TLS1_1:
        return 0x0302;
    case GNUTLS_TLS1_2:
        return 0x0303;
    case GNUTLS_TLS1_3:
        return TLS1_3;
    default:
        return 0;
    }
}

/* ---- bytes ---- */

/* Messages that were made but not flushed when a handshake broke off never left this end. */
static void mark_delivered(struct ms_session *session) {
    for (; session->first_pending < ms_log_num(session->log); session->first_pending++) {
        struct ms_event *event = (struct ms_event *)ms_log_at(session->log, session->first_pending);
        if (event->role == session->role && !event->incoming &&
            (event->kind == MS_EVENT_MESSAGE || event->kind == MS_EVENT_REQUEST)) {
            event->delivered = true;
        }
    }
}

static bool log_record(struct ms_session *session, struct ms_slice record, bool incoming) {
    struct ms_slice kept = incoming ? ms_log_keep_carried(session->log, session->role, record)
                                    : ms_log_keep(session->log, record.data, record.len);
    struct ms_event *event =
        kept.data ? ms_log_add(session->log, session->role, MS_EVENT_RECORD) : NULL;
    if (!event) {
        session->memory_short = true;
        return false;
    }
    event->incoming = incoming;
    event->type = record.data[0];
    event->version = (uint16_t)(record.data[1] << 8 | record.data[2]);
    event->bytes = kept;
    return true;
}

static void note_record_out(struct ms_session *session, struct ms_slice record) {
    bool carries_messages =
        record.data[0] == MS_RECORD_HANDSHAKE || record.data[0] == MS_RECORD_APPLICATION_DATA;
    if (carries_messages && !session->sending_alert) {
        mark_delivered(session);
    }
}

static void note_record_in(struct ms_session *session, struct ms_slice record) {
    if (record.data[0] != MS_RECORD_ALERT) {
        return;
    }
    struct ms_alert *alert = &session->clear_alerts[session->alert_records++ % MS_ALERTS_KEPT];
    *alert = (struct ms_alert){0};
    if (record.len == RECORD_HEADER + 2) { /* encrypted ones are longer */
        alert->level = record.data[RECORD_HEADER];
        alert->description = record.data[RECORD_HEADER + 1];
    }
}

static bool log_bytes(struct ms_session *session, struct ms_slice bytes, bool incoming) {
    struct ms_records *records = incoming ? &session->received : &session->sent;
    struct ms_slice record;
    while (bytes.len > 0) {
        if (!ms_records_next(records, &bytes, &record)) {
            session->memory_short = true;
            return false;
        }
        if (record.data) {
            if (!log_record(session, record, incoming)) {
                return false;
            }
            if (incoming) {
                note_record_in(session, record);
            } else {
                note_record_out(session, record);
            }
        }
    }
    return true;
}

static ssize_t on_push(gnutls_transport_ptr_t pointer, const giovec_t *parts, int num) {
    struct ms_session *session = pointer;
    size_t total = 0;
    if (session->out_taken) {
        session->out.len = 0;
        session->out_taken = false;
    }
    for (int i = 0; i < num; i++) {
        struct ms_slice part = {parts[i].iov_base, parts[i].iov_len};
        if (!ms_bytes_add(&session->out, part.data, part.len) || !log_bytes(session, part, false)) {
            session->memory_short = true;
            gnutls_transport_set_errno(session->tls, ENOMEM);
            return -1;
        }
        total += part.len;
    }
    session->pushed += total;
    return (ssize_t)total;
}

ssize_t ms_session_pull(void *pointer, void *to, size_t room) {
    struct ms_session *session = pointer;
    size_t there = session->in.len - session->in_at;
    if (there == 0) {
        if (session->in_ended) {
            return 0;
        }
        gnutls_transport_set_errno(session->tls, EAGAIN);
        return -1;
    }
    size_t some = there < room ? there : room;
    struct ms_slice part = {session->in.data + session->in_at, some};
    if (!log_bytes(session, part, true)) {
        gnutls_transport_set_errno(session->tls, ENOMEM);
        return -1;
    }
    memcpy(to, part.data, some);
    session->in_at += some;
    session->pulled += some;
    return (ssize_t)some;
}

static int on_pull_timeout(gnutls_transport_ptr_t pointer, unsigned ms) {
    (void)ms;
    struct ms_session *session = pointer;
    return session->in.len > session->in_at || session->in_ended;
}

/* ---- alerts ---- */

static int on_alert(gnutls_session_t tls, gnutls_record_encryption_level_t encryption,
                    gnutls_alert_level_t level, gnutls_alert_description_t alert) {
    (void)encryption;
    struct ms_session *session = session_of(tls);
    if (level == GNUTLS_AL_FATAL && session->alert_instead) {
        alert = (gnutls_alert_description_t)session->alert_instead;
    }
    /* An intercepted alert is kept back, so it is sent again with the interception lifted. */
    gnutls_alert_set_read_function(tls, NULL);
    session->sending_alert = true;
    int result = gnutls_alert_send(tls, level, alert);
    session->sending_alert = false;
    gnutls_alert_set_read_function(tls, on_alert);
    if (result < 0) {
        return result;
    }
    struct ms_event *event = ms_log_add(session->log, session->role, MS_EVENT_ALERT);
    if (!event) {
        session->memory_short = true;
        return GNUTLS_E_MEMORY_ERROR;
    }
    event->level = (uint8_t)level;
    event->type = (uint8_t)alert;
    return 0;
}

const struct ms_alert *ms_session_clear_alert(const struct ms_session *session) {
    size_t left = session->alert_records - session->alerts_noted;
    const struct ms_alert *alert = &session->clear_alerts[session->alerts_noted % MS_ALERTS_KEPT];
    return left > 0 && left <= MS_ALERTS_KEPT && alert->level > 0 ? alert : NULL;
}

void ms_session_note_alert(struct ms_session *session, uint8_t level) {
    struct ms_event *event = ms_log_add(session->log, session->role, MS_EVENT_ALERT);
    if (!event) {
        session->memory_short = true;
        return;
    }
    /* GnuTLS remembers the last alert it could read; one in clear is on record itself. */
    const struct ms_alert *clear = ms_session_clear_alert(session);
    event->incoming = true;
    event->level = clear ? clear->level : level;
    event->type = clear ? clear->description : (uint8_t)gnutls_alert_get(session->tls);
    if (session->alerts_noted < session->alert_records) {
        session->alerts_noted++;
    }
}

/* ---- handshake messages ---- */

const struct ms_site *ms_session_find_site(const struct ms_session *session, const char *name) {
    const struct ms_site *sites = session->config->sites;
    for (size_t i = 0; name && i < session->config->num_sites; i++) {
        if (strcasecmp(sites[i].name, name) == 0) {
            return &sites[i];
        }
    }
    const char *dot = name ? strchr(name, '.') : NULL;
    for (size_t i = 0; dot && i < session->config->num_sites; i++) {
        if (strncmp(sites[i].name, "*.", 2) == 0 && strcasecmp(sites[i].name + 1, dot) == 0) {
            return &sites[i];
        }
    }
    return NULL;
}

/* A server with sites: what holds for the name that the client wants. */
static int choose_site(struct ms_session *session, struct ms_slice body) {
    struct ms_client_hello hello;
    if (!ms_wire_client_hello(body, &hello)) {
        session->memory_short |= hello.memory_short;
        return hello.memory_short ? GNUTLS_E_MEMORY_ERROR : 0; /* GnuTLS will say what is wrong */
    }
    const char *name = hello.server_name;
    const struct ms_site *chosen = ms_session_find_site(session, name);
    bool unknown = name && !chosen;
    ms_client_hello_clear(&hello);
    if (unknown && session->config->reject_unknown_name) {
        return GNUTLS_E_UNRECOGNIZED_NAME;
    }
    session->site = chosen;
    struct ms_error error = {0};
    return ms_session_apply(session, chosen ? chosen->config : session->config, &error)
               ? 0
               : error.number;
}

static bool log_message(struct ms_session *session, uint8_t type, bool incoming,
                        struct ms_slice body) {
    struct ms_slice kept = incoming ? ms_log_keep_carried(session->log, session->role, body)
                                    : ms_log_keep(session->log, body.data, body.len);
    bool request = type == GNUTLS_HANDSHAKE_CERTIFICATE_REQUEST;
    for (int i = 0; kept.data && i <= request; i++) {
        struct ms_event *event =
            ms_log_add(session->log, session->role, i == 0 ? MS_EVENT_MESSAGE : MS_EVENT_REQUEST);
        if (!event) {
            return false;
        }
        event->incoming = incoming;
        event->type = type;
        event->bytes = kept;
        event->version = ms_session_version(session);
    }
    return kept.data != NULL;
}

/* GnuTLS numbers what is not a HandshakeType of its own beyond a byte. */
static uint8_t message_type(unsigned type) {
    switch (type) {
    case GNUTLS_HANDSHAKE_HELLO_RETRY_REQUEST:
        return MS_MESSAGE_HELLO_RETRY_REQUEST;
    case GNUTLS_HANDSHAKE_CLIENT_HELLO_V2:
        return GNUTLS_HANDSHAKE_CLIENT_HELLO;
    default:
        return (uint8_t)type;
    }
}

/* ---- secrets ---- */

static void keep_secret(struct ms_session *session, const char *label,
                        const gnutls_datum_t *secret) {
    gnutls_datum_t client_random = {0}, server_random = {0};
    gnutls_session_get_random(session->tls, &client_random, &server_random);
    if (!ms_log_keep_secret(session->log, label,
                            (struct ms_slice){client_random.data, client_random.size},
                            (struct ms_slice){secret->data, secret->size})) {
        session->memory_short = true; /* the step says so */
    }
}

/* Takes the place of GnuTLS's own function, which writes to SSLKEYLOGFILE. */
static int on_secret(gnutls_session_t tls, const char *label, const gnutls_datum_t *secret) {
    keep_secret(session_of(tls), label, secret);
    return 0;
}

/* Up to TLS 1.2 GnuTLS does not tell the secret of a session that it resumes. */
static void keep_master_secret(struct ms_session *session) {
    gnutls_datum_t secret = {0};
    gnutls_session_get_master_secret(session->tls, &secret);
    keep_secret(session, "CLIENT_RANDOM", &secret);
}

static int on_message(gnutls_session_t tls, unsigned type, unsigned when, unsigned incoming,
                      const gnutls_datum_t *body) {
    (void)when;
    struct ms_session *session = session_of(tls);
    struct ms_slice bytes = {body->size ? body->data : (const uint8_t *)"", body->size};
    if (!incoming && type == GNUTLS_HANDSHAKE_CERTIFICATE_PKT) {
        ms_session_note_selection(session);
    } else if (!incoming && type == GNUTLS_HANDSHAKE_SERVER_HELLO) {
        gnutls_db_set_cache_expiration(tls, (int)gnutls_db_get_default_cache_expiration());
    }
    bool asked = incoming && type == GNUTLS_HANDSHAKE_CERTIFICATE_REQUEST;
    if ((asked && !ms_session_note_request(session)) ||
        !log_message(session, message_type(type), incoming, bytes)) {
        session->memory_short = true; /* the step says so */
        /* GnuTLS 3.7.9 frees a session ticket twice when the hook refuses to send it. */
        return incoming ? GNUTLS_E_MEMORY_ERROR : 0;
    }
    session->answered |= incoming && type == GNUTLS_HANDSHAKE_SERVER_HELLO;
    if (type == GNUTLS_HANDSHAKE_FINISHED && ms_session_version(session) < TLS1_3) {
        keep_master_secret(session);
    }
    if (incoming && type == GNUTLS_HANDSHAKE_KEY_UPDATE && bytes.len == 1) {
        session->owes_key_update = bytes.data[0] == KEY_UPDATE_REQUESTED;
    }
    bool by_name = session->config->num_sites > 0 || session->config->reject_unknown_name;
    if (incoming && type == GNUTLS_HANDSHAKE_CLIENT_HELLO && by_name) {
        return choose_site(session, bytes);
    }
    return 0;
}

/* ---- judging the peer ---- */

static bool add_to_question(void *context, struct ms_slice der) {
    struct ms_session *session = context;
    struct ms_certificate *certificate = ms_log_certificate(session->log, der);
    bool added = certificate && ms_certificates_add(&session->question_chain, certificate);
    session->memory_short |= !added;
    return added;
}

static int judge(struct ms_session *session) {
    const struct ms_config *config = session->effective;
    struct ms_demand demand = {
        .trust = config->trust,
        .name = config->verify_name,
        .purpose = session->role == MS_CLIENT ? MS_PURPOSE_SERVER : MS_PURPOSE_CLIENT,
        .flags = config->made_priority->verify_flags,
        .max_depth = config->max_depth >= 0 ? config->max_depth : 16,
    };
    struct ms_verification *result = ms_alloc(sizeof *result);
    if (!result) {
        return GNUTLS_E_MEMORY_ERROR;
    }
    struct ms_event *event = NULL;
    struct ms_error error;
    if (ms_verify(&session->question_chain, &demand, result, &error)) {
        event = ms_log_add(session->log, session->role, MS_EVENT_VERIFICATION);
    }
    if (!event) {
        ms_verification_clear(result);
        ms_free(result);
        return GNUTLS_E_MEMORY_ERROR;
    }
    event->verification = result;
    session->question = event;
    return 0;
}

static int verdict(struct ms_session *session) {
    const struct ms_verification *result = session->question->verification;
    session->answer = MS_ANSWER_NONE;
    if (result->accepted) {
        return 0;
    }
    return ms_texts_has(&result->problems, "depth_exceeded")
               ? GNUTLS_E_CERTIFICATE_ERROR /* as GnuTLS's own verification of a long chain */
               : GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR;
}

static int on_verify(gnutls_session_t tls) {
    struct ms_session *session = session_of(tls);
    if (session->effective->verify == MS_VERIFY_NEVER) {
        return 0;
    }
    if (session->answer == MS_ANSWER_AWAITED) {
        return GNUTLS_E_AGAIN;
    }
    if (session->answer != MS_ANSWER_NONE) {
        return verdict(session);
    }
    /* Not gnutls_certificate_get_peers(), which keeps the chain of an earlier handshake when this
     * one's Certificate message is empty. */
    const struct ms_event *message =
        ms_session_message(session, GNUTLS_HANDSHAKE_CERTIFICATE_PKT, true);
    ms_certificates_clear(&session->question_chain);
    if (message &&
        !ms_wire_certificates(message->bytes, message->version, add_to_question, session)) {
        return GNUTLS_E_MEMORY_ERROR;
    }
    if (session->question_chain.num == 0) {
        return 0; /* none was sent, and none was required */
    }
    int result = judge(session);
    if (result < 0) {
        session->memory_short = true;
        return result;
    }
    if (session->effective->verify == MS_VERIFY_ASK) {
        session->question->verification->accepted = false; /* until the answer comes */
        session->answer = MS_ANSWER_AWAITED;
        return GNUTLS_E_AGAIN; /* suspends: GnuTLS asks again at the next call */
    }
    return verdict(session);
}

void ms_session_hook(struct ms_session *session) {
    gnutls_session_t tls = session->tls;
    gnutls_transport_set_ptr(tls, session);
    gnutls_transport_set_vec_push_function(tls, on_push);
    gnutls_transport_set_pull_function(tls, ms_session_pull);
    gnutls_transport_set_pull_timeout_function(tls, on_pull_timeout);
    gnutls_alert_set_read_function(tls, on_alert);
    gnutls_handshake_set_hook_function(tls, ANY_MESSAGE, GNUTLS_HOOK_PRE, on_message);
    gnutls_session_set_verify_function(tls, on_verify);
    gnutls_session_set_keylog_function(tls, on_secret);
}
