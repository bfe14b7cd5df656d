/* SPDX-License-Identifier: MIT */
#include "session_private.h"

#include "memory.h"
#include "names.h"
#include "stack.h"

#include <stdio.h>
#include <string.h>

#define TLS1_2 0x0303
#define TLS1_3 0x0304

static const char *const phases[] = {"idle",    "handshaking", "established",
                                     "stalled", "failed",      "closed"};

/* Fails only for want of memory, like everything that fills a state. */
static bool put_text(char **to, const char *text) {
    *to = ms_copy_text(text);
    return *to || !text;
}

/* ---- from the log ---- */

struct listed {
    struct ms_log *log;
    struct ms_certificates *chain;
    bool memory_short;
};

static bool add_certificate(void *context, struct ms_slice der) {
    struct listed *to = context;
    struct ms_certificate *certificate = ms_log_certificate(to->log, der);
    to->memory_short = !certificate || !ms_certificates_add(to->chain, certificate);
    return !to->memory_short;
}

static bool list_message(struct ms_log *log, const struct ms_event *message,
                         struct ms_certificates *chain) {
    struct listed to = {log, chain, false};
    if (!ms_certificates_begin(chain)) {
        return false;
    }
    (void)ms_wire_certificates(message->bytes, message->version, add_certificate, &to);
    return !to.memory_short;
}

bool ms_session_wire_chain(const struct ms_session *session, bool incoming, bool *there,
                           struct ms_certificates *chain) {
    const struct ms_event *message =
        ms_session_message(session, GNUTLS_HANDSHAKE_CERTIFICATE_PKT, incoming);
    *there = message && (incoming || message->delivered);
    return !*there || list_message(session->log, message, chain);
}

static bool put_request(const struct ms_event *event, struct ms_state *state) {
    struct ms_request request;
    state->certificate_requested = true;
    ms_texts_clear(&state->requested_issuers);
    ms_texts_clear(&state->requested_signature_schemes);
    if (!ms_wire_request(event->bytes, event->version, &request)) {
        return !request.memory_short;
    }
    bool put = ms_texts_copy(&state->requested_issuers, &request.issuers) &&
               ms_request_scheme_names(&request, &state->requested_signature_schemes);
    ms_request_clear(&request);
    return put;
}

static bool put_failure(const struct ms_event *event, struct ms_state *state) {
    ms_free(state->error.message);
    state->error = *event->failure;
    state->failed_during = ms_during_word((enum ms_during)event->during);
    state->told_by = event->by_peer ? "peer" : "itself";
    return put_text(&state->error.message, event->failure->message);
}

static bool put_event(const struct ms_event *event, struct ms_state *state) {
    switch (event->kind) {
    case MS_EVENT_ALERT:
        ms_alert_tell(event->incoming ? &state->alert_received : &state->alert_sent, event->level,
                      event->type);
        return true;
    case MS_EVENT_REQUEST:
        return !(event->incoming || event->delivered) || put_request(event, state);
    case MS_EVENT_VERIFICATION:
        ms_verification_clear(&state->verification);
        return ms_verification_copy(&state->verification, event->verification);
    case MS_EVENT_ERROR:
        return put_failure(event, state);
    case MS_EVENT_MESSAGE:
        if (event->incoming && event->type == GNUTLS_HANDSHAKE_NEW_SESSION_TICKET) {
            state->tickets_received++;
        }
        return true;
    default:
        return true;
    }
}

static bool put_log(const struct ms_session *session, struct ms_state *state) {
    uint32_t epoch = ms_log_epoch(session->log);
    state->tickets_received = 0;
    for (size_t i = 0; i < ms_log_num(session->log); i++) {
        const struct ms_event *event = ms_log_at(session->log, i);
        if (event->role != session->role ||
            (event->epoch != epoch && event->kind != MS_EVENT_MESSAGE)) {
            continue;
        }
        if (!put_event(event, state)) {
            return false;
        }
    }
    if (session->role == MS_SERVER) {
        state->tickets_received = -1;
    }
    return true;
}

/* The scheme that this epoch's CertificateVerify names (RFC 5246 7.4.8, RFC 8446 4.4.3). */
static bool put_scheme(const struct ms_session *session, bool incoming, char **to) {
    const struct ms_event *verify =
        ms_session_message(session, GNUTLS_HANDSHAKE_CERTIFICATE_VERIFY, incoming);
    bool happened = verify && (incoming || verify->delivered);
    uint32_t code = 0;
    if (happened && verify->version >= TLS1_2) {
        struct ms_slice body = verify->bytes;
        (void)ms_read_number(&body, 2, &code);
    }
    /* Up to TLS 1.2 a server signs its ServerKeyExchange. */
    bool servers = incoming == (session->role == MS_CLIENT);
    if (!happened && servers && ms_session_version(session) >= TLS1_2 &&
        ms_session_message(session, GNUTLS_HANDSHAKE_SERVER_KEY_EXCHANGE, incoming)) {
        code = ms_names_scheme_code((int)gnutls_sign_algorithm_get(session->tls));
    }
    char spare[16];
    return !code || put_text(to, ms_names_text(MS_NAMES_SIGNATURE_SCHEME, code, spare));
}

/* ---- the library's own word ---- */

static bool put_local(const struct ms_session *session, struct ms_state *state) {
    const gnutls_datum_t *ours = gnutls_certificate_get_ours(session->tls);
    if (!ours) {
        return true;
    }
    struct ms_slice der = {ours->data, ours->size};
    const struct ms_certificates *chain = &session->selected_chain;
    if (chain->num > 0 && ms_slice_equal(ms_certificate_der(chain->items[0]), der)) {
        return ms_certificates_copy(&state->local_certificates, chain);
    }
    struct ms_certificate *leaf = ms_log_certificate(session->log, der);
    return leaf && ms_certificates_add(&state->local_certificates, leaf);
}

static bool put_peer(const struct ms_session *session, struct ms_state *state) {
    unsigned num = 0;
    const gnutls_datum_t *list = gnutls_certificate_get_peers(session->tls, &num);
    for (unsigned i = 0; list && i < num; i++) {
        struct ms_slice der = {list[i].data, list[i].size};
        struct ms_certificate *certificate = ms_log_certificate(session->log, der);
        if (!certificate || !ms_certificates_add(&state->peer_certificates, certificate)) {
            return false;
        }
    }
    return true;
}

/* Negotiated parameters; there are none before a ServerHello, whatever GnuTLS's getters say. */
uint16_t ms_session_negotiated(const struct ms_session *session) {
    for (size_t i = 0; i < ms_log_num(session->log); i++) {
        const struct ms_event *event = ms_log_at(session->log, i);
        if (event->role == session->role && event->kind == MS_EVENT_MESSAGE &&
            event->type == GNUTLS_HANDSHAKE_SERVER_HELLO) {
            return ms_session_version(session);
        }
    }
    return 0;
}

static bool put_group(const struct ms_session *session, uint16_t version, struct ms_state *state) {
    if (version < TLS1_3 && gnutls_kx_get(session->tls) == GNUTLS_KX_RSA) {
        return true; /* GnuTLS may remember one of an earlier handshake */
    }
    const gnutls_group_t group = gnutls_group_get(session->tls);
    char spare[16];
    uint32_t code = group ? ms_names_group_code((int)group) : 0;
    return !code || put_text(&state->group, ms_names_text(MS_NAMES_GROUP, code, spare));
}

static bool put_binding(const struct ms_session *session, struct ms_state *state) {
    gnutls_datum_t found = {0};
    if (gnutls_session_get_id2(session->tls, &found) >= 0 && found.size > 0) {
        state->session_id = (struct ms_slice){ms_copy_bytes(found.data, found.size), found.size};
        if (!state->session_id.data) {
            return false;
        }
    }
    if (!session->ever_completed ||
        gnutls_session_channel_binding(session->tls, GNUTLS_CB_TLS_UNIQUE, &found) < 0) {
        return true;
    }
    state->tls_unique = (struct ms_slice){ms_copy_bytes(found.data, found.size), found.size};
    gnutls_free(found.data);
    return state->tls_unique.data != NULL;
}

/* The suite that the ServerHello names (RFC 5246 7.4.1.3, RFC 8446 4.1.3), or NULL. */
static const char *suite_in_hello(const struct ms_session *session) {
    const struct ms_event *hello =
        ms_session_message(session, GNUTLS_HANDSHAKE_SERVER_HELLO, session->role == MS_CLIENT);
    uint32_t version, code;
    struct ms_slice random, id, body = hello ? hello->bytes : (struct ms_slice){0};
    if (!ms_read_number(&body, 2, &version) || !ms_read_fixed(&body, 32, &random) ||
        !ms_read_vector(&body, 1, &id) || !ms_read_number(&body, 2, &code)) {
        return NULL;
    }
    const struct ms_name *name = ms_names_by_code(MS_NAMES_CIPHER_SUITE, code);
    return name ? name->iana : NULL;
}

static bool put_negotiated(const struct ms_session *session, struct ms_state *state) {
    uint16_t version = ms_session_negotiated(session);
    if (!version) {
        return true;
    }
    char spare[16];
    /* GnuTLS knows none until it is done, nor while a renegotiation is under way or was refused. */
    const char *suite = gnutls_ciphersuite_get(session->tls);
    suite = suite ? suite : session->cipher_suite;
    suite = suite ? suite : suite_in_hello(session);
    bool put = put_text(&state->version, ms_names_text(MS_NAMES_VERSION, version, spare)) &&
               put_text(&state->cipher_suite, suite) && put_group(session, version, state);
    state->resumed = gnutls_session_is_resumed(session->tls);
    if (put && version < TLS1_3) {
        state->secure_renegotiation =
            gnutls_safe_renegotiation_status(session->tls) ? MS_TRUE : MS_FALSE;
        state->extended_master_secret =
            gnutls_session_ext_master_secret_status(session->tls) ? MS_TRUE : MS_FALSE;
        put = put_binding(session, state);
    }
    return put;
}

/* Of the last ClientHello: GnuTLS goes on telling a name that a later one lacks, and none of a
 * hello that it refused. */
static bool put_server_name(const struct ms_session *session, struct ms_state *state) {
    for (size_t i = ms_log_num(session->log); i > 0; i--) {
        const struct ms_event *event = ms_log_at(session->log, i - 1);
        if (event->role == session->role && event->kind == MS_EVENT_MESSAGE &&
            event->type == GNUTLS_HANDSHAKE_CLIENT_HELLO) {
            struct ms_client_hello hello;
            if (!ms_wire_client_hello(event->bytes, &hello)) {
                return !hello.memory_short;
            }
            state->server_name = hello.server_name;
            hello.server_name = NULL;
            ms_client_hello_clear(&hello);
            return true;
        }
    }
    return true;
}

static bool put_names(const struct ms_session *session, struct ms_state *state) {
    gnutls_datum_t protocol;
    if (!put_server_name(session, state) ||
        !put_text(&state->site, session->site ? session->site->name : NULL)) {
        return false;
    }
    if (gnutls_alpn_get_selected_protocol(session->tls, &protocol) >= 0) {
        char text[256] = {0};
        memcpy(text, protocol.data, protocol.size < 255 ? protocol.size : 255);
        return put_text(&state->alpn, text);
    }
    return true;
}

/* ---- the whole ---- */

static bool put_wire(const struct ms_session *session, struct ms_state *state) {
    bool there;
    state->wire.present = true;
    return ms_session_wire_chain(session, false, &there, &state->wire.sent_certificates) &&
           ms_session_wire_chain(session, true, &there, &state->wire.received_certificates);
}

/* What needs the TLS session. */
static bool put_library(struct ms_session *session, struct ms_state *state) {
    char stack[64];
    *state = (struct ms_state){0};
    snprintf(stack, sizeof stack, "gnutls %s", ms_stack_version());
    ms_session_enter(session);
    state->role = session->role == MS_CLIENT ? "client" : "server";
    state->phase = phases[session->phase];
    state->handshake_completed = session->completed;
    state->renegotiations = session->renegotiations;
    return put_text(&state->stack, stack) && put_scheme(session, false, &state->signature_scheme) &&
           put_scheme(session, true, &state->peer_signature_scheme) && put_local(session, state) &&
           put_peer(session, state) && put_negotiated(session, state) && put_names(session, state);
}

/* The rest, which the log and the options tell. */
static bool put_facts(const struct ms_session *session, struct ms_state *state) {
    const char *epoch = ms_log_epoch_name(session->log, ms_log_epoch(session->log));
    const struct ms_certificates *local = &state->local_certificates;
    const struct ms_certificates *peer = &state->peer_certificates;
    bool memory = true;
    state->local_certificate = local->num ? local->items[0] : NULL;
    state->peer_certificate = peer->num ? peer->items[0] : NULL;
    state->not_sent_because = ms_session_absence(session, &memory);
    return memory && put_text(&state->epoch, epoch) && put_log(session, state) &&
           put_wire(session, state);
}

/* Back to the library's part, so that another try can succeed. */
static void drop_facts(struct ms_state *state) {
    ms_free(state->epoch);
    ms_free(state->error.message);
    ms_texts_clear(&state->requested_issuers);
    ms_texts_clear(&state->requested_signature_schemes);
    ms_verification_clear(&state->verification);
    ms_certificates_clear(&state->wire.sent_certificates);
    ms_certificates_clear(&state->wire.received_certificates);
    state->epoch = NULL;
    state->error = (struct ms_failure){0};
}

static void drop_state(struct ms_session *session) {
    if (session->state_made != MS_STATE_NONE) {
        ms_state_clear(&session->state);
        session->state_made = MS_STATE_NONE;
    }
}

static bool is_current(const struct ms_session *session) {
    return session->state_made == MS_STATE_WHOLE &&
           (!session->tls || (session->state_phase == session->phase &&
                              session->state_log_num == ms_log_num(session->log)));
}

bool ms_session_begin_state(struct ms_session *session, struct ms_error *error) {
    if (is_current(session)) {
        return true;
    }
    drop_state(session);
    if (!put_library(session, &session->state)) {
        ms_state_clear(&session->state);
        return ms_fail_memory(error);
    }
    session->state_made = MS_STATE_BEGUN;
    return true;
}

const struct ms_state *ms_session_state(struct ms_session *session, struct ms_error *error) {
    if (is_current(session)) {
        return &session->state;
    }
    /* Of a retired session the library's part was kept; its facts are read when first asked for. */
    if ((session->tls || session->state_made != MS_STATE_BEGUN) &&
        !ms_session_begin_state(session, error)) {
        return NULL;
    }
    if (!put_facts(session, &session->state)) {
        drop_facts(&session->state);
        ms_fail_memory(error);
        return NULL;
    }
    session->state_made = MS_STATE_WHOLE;
    session->state_phase = session->phase;
    session->state_log_num = ms_log_num(session->log);
    return &session->state;
}

bool ms_session_freeze(struct ms_session *session, struct ms_state *to, struct ms_error *error) {
    if (!ms_session_state(session, error)) {
        return false;
    }
    *to = session->state;
    session->state_made = MS_STATE_NONE;
    return true;
}
