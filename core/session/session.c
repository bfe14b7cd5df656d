/* SPDX-License-Identifier: MIT */
#include "session_private.h"

#include "memory.h"

#include <string.h>

#define TLS1_2 0x0303
#define TLS1_3 0x0304

/* Of the MD5 and SHA-1 pseudo-random function; beyond it gnutls_prf_rfc5705() says success and
 * writes nothing (3.7.9). */
#define PRF_MOST 200

#define MESSAGE_SIZE_BY_DEFAULT ((size_t)128 * 1024) /* GnuTLS's own limit */

void ms_session_enter(struct ms_session *session) {
    ms_clock_use(session->clock, session->config->clock_offset, session->window_shift);
}

/* ---- its life ---- */

static unsigned init_flags(const struct ms_config *config) {
    unsigned flags = GNUTLS_NONBLOCK;
    flags |= config->role == MS_CLIENT ? GNUTLS_CLIENT : GNUTLS_SERVER;
    if (config->post_handshake_auth) {
        flags |= GNUTLS_POST_HANDSHAKE_AUTH;
    }
    if (config->allow_identity_change) {
        flags |= GNUTLS_ALLOW_ID_CHANGE;
    }
    if (config->role == MS_CLIENT && config->tickets == 0) {
        flags |= GNUTLS_NO_TICKETS;
    }
    if (config->role == MS_SERVER && (config->tickets > 0 || config->num_sites > 0)) {
        flags |= GNUTLS_NO_AUTO_SEND_TICKET; /* the session sends as many as it is told */
    }
    return flags;
}

static int set_alpn(struct ms_session *session, const struct ms_config *config) {
    gnutls_datum_t protocols[8];
    if (!config->alpn.items || session->alpn_set) {
        return 0;
    }
    session->alpn_set = true; /* GnuTLS only ever appends */
    unsigned num = 0;
    for (; num < config->alpn.num && num < 8; num++) {
        char *name = config->alpn.items[num];
        protocols[num] = (gnutls_datum_t){(unsigned char *)name, (unsigned)strlen(name)};
    }
    unsigned flags = 0;
    flags |= config->alpn_required ? (unsigned)GNUTLS_ALPN_MANDATORY : 0;
    flags |= config->server_preference ? (unsigned)GNUTLS_ALPN_SERVER_PRECEDENCE : 0;
    return gnutls_alpn_set_protocols(session->tls, protocols, num, flags);
}

static int apply_to_server(struct ms_session *session, const struct ms_config *config) {
    static const gnutls_certificate_request_t modes[] = {
        [MS_AUTH_NONE] = GNUTLS_CERT_IGNORE,
        [MS_AUTH_REQUEST] = GNUTLS_CERT_REQUEST,
        [MS_AUTH_REQUIRE] = GNUTLS_CERT_REQUIRE,
    };
    gnutls_certificate_server_set_request(session->tls, modes[config->client_auth]);
    /* With sites, what can be set only once waits for the ClientHello's name. */
    if (session->config->num_sites > 0 && session->phase == MS_PHASE_IDLE) {
        return 0;
    }
    int result = 0;
    if (!session->resumption_enabled) {
        session->resumption_enabled = true;
        result = ms_resumption_enable(session->resumption, session->tls, config->tickets != 0);
    }
    return result >= 0 ? set_alpn(session, config) : result;
}

static int apply_to_client(struct ms_session *session, const struct ms_config *config) {
    int result = set_alpn(session, config);
    const char *name = config->server_name ? config->server_name : ""; /* that takes one back */
    return result >= 0 ? gnutls_server_name_set(session->tls, GNUTLS_NAME_DNS, name, strlen(name))
                       : result;
}

bool ms_session_apply(struct ms_session *session, struct ms_config *config,
                      struct ms_error *error) {
    gnutls_session_t tls = session->tls;
    gnutls_certificate_credentials_t handle = ms_credentials_handle(config->credentials);
    int result = gnutls_priority_set(tls, config->made_priority->cache);
    if (result >= 0) {
        if (ms_config_chooses(config)) {
            gnutls_certificate_set_retrieve_function3(handle, ms_session_retrieve);
        }
        result = gnutls_credentials_set(tls, GNUTLS_CRD_CERTIFICATE, handle);
    }
    if (result >= 0) {
        result = session->role == MS_SERVER ? apply_to_server(session, config)
                                            : apply_to_client(session, config);
    }
    if (result < 0) {
        return ms_fail_gnutls(error, result, "GnuTLS refuses these options");
    }
    bool limited = config->max_message_size >= 0;
    gnutls_handshake_set_max_packet_length(tls, limited ? (size_t)config->max_message_size
                                                        : MESSAGE_SIZE_BY_DEFAULT);
    session->effective = config;
    return true;
}

static bool know_identities(struct ms_session *session, const struct ms_config *config) {
    for (size_t i = 0; i < config->identities.num; i++) {
        if (!ms_log_know(session->log, ms_identity_chain(config->identities.items[i]))) {
            return false;
        }
    }
    for (size_t i = 0; i < config->num_sites; i++) {
        if (!know_identities(session, config->sites[i].config)) {
            return false;
        }
    }
    return true;
}

bool ms_session_use(struct ms_session *session, struct ms_config *config, struct ms_error *error) {
    /* What there is to report of what is over is reported by the options that it had. */
    if (session->config && !ms_session_state(session, error)) {
        return false;
    }
    if (!ms_grow_array(&session->configs, session->num_configs, &session->config_capacity,
                       sizeof(struct ms_config *)) ||
        !know_identities(session, config)) {
        return ms_fail_memory(error);
    }
    struct ms_config *before = session->config, *effective = session->effective;
    const struct ms_site *site = session->site;
    session->configs[session->num_configs++] = ms_config_retain(config);
    session->config = config;
    if (!session->tls) {
        return true;
    }
    /* TLS 1.3 has no further ClientHello that would choose the site again. */
    session->site = site ? ms_session_find_site(session, session->state.server_name) : NULL;
    if (ms_session_apply(session, session->site ? session->site->config : config, error)) {
        return true;
    }
    session->config = before;
    session->site = site;
    (void)ms_session_apply(session, effective, NULL);
    return false;
}

static int offer_session(struct ms_session *session, struct ms_session *earlier) {
    gnutls_datum_t data = earlier->resume_data;
    if (!earlier->tls) {
        return gnutls_session_set_data(session->tls, data.data, data.size);
    }
    ms_session_enter(earlier);
    int result = gnutls_session_get_data2(earlier->tls, &data);
    if (result >= 0) {
        ms_session_enter(session);
        result = gnutls_session_set_data(session->tls, data.data, data.size);
        gnutls_free(data.data);
    }
    return result;
}

static bool prepare(struct ms_session *session, struct ms_session *resume, struct ms_error *error) {
    struct ms_config *config = session->config;
    ms_session_enter(session);
    int result = gnutls_init(&session->tls, init_flags(config));
    if (result < 0) {
        return ms_fail_gnutls(error, result, "session");
    }
    gnutls_session_set_ptr(session->tls, session);
    if (resume) {
        result = offer_session(session, resume);
    }
    if (result < 0) {
        return ms_fail_gnutls(error, result, "resumption");
    }
    ms_session_hook(session);
    return ms_session_apply(session, config, error);
}

struct ms_session *ms_session_new(struct ms_config *config, struct ms_log *log,
                                  const struct ms_clock *clock, struct ms_resumption *resumption,
                                  struct ms_session *resume, struct ms_error *error) {
    struct ms_session *session = ms_alloc(sizeof *session);
    if (!session) {
        ms_fail_memory(error);
        return NULL;
    }
    session->role = config->role;
    session->log = ms_log_retain(log);
    session->clock = clock;
    session->resumption = resumption ? ms_resumption_retain(resumption) : NULL;
    if (!ms_session_use(session, config, error) || !prepare(session, resume, error)) {
        ms_session_free(session);
        return NULL;
    }
    return session;
}

static void free_tls(struct ms_session *session) {
    if (session->tls) {
        ms_session_enter(session);
        gnutls_deinit(session->tls);
        session->tls = NULL;
        ms_clock_use(NULL, 0, 0);
    }
    ms_presented_clear(&session->presented);
    ms_bytes_clear(&session->in);
    ms_bytes_clear(&session->out);
    ms_records_clear(&session->sent);
    ms_records_clear(&session->received);
}

void ms_session_free(struct ms_session *session) {
    if (!session) {
        return;
    }
    free_tls(session);
    ms_bytes_clear(&session->data);
    ms_certificates_clear(&session->selected_chain);
    ms_certificates_clear(&session->question_chain);
    if (session->state_made != MS_STATE_NONE) {
        ms_state_clear(&session->state);
    }
    gnutls_free(session->resume_data.data);
    for (size_t i = 0; i < session->num_configs; i++) {
        ms_config_release(session->configs[i]);
    }
    ms_free(session->configs);
    ms_resumption_release(session->resumption);
    ms_log_release(session->log);
    ms_free(session);
}

bool ms_session_retire(struct ms_session *session, struct ms_error *error) {
    if (!session->tls) {
        return true;
    }
    session->answer = MS_ANSWER_NONE; /* to a question that is asked no more */
    ms_session_quiet(session);
    if (!ms_session_begin_state(session, error)) {
        return false;
    }
    if (ms_session_can_resume(session, NULL)) {
        int result = gnutls_session_get_data2(session->tls, &session->resume_data);
        if (result < 0) {
            session->resume_data = (gnutls_datum_t){0};
        }
    }
    free_tls(session);
    session->task = MS_TASK_NONE;
    return true;
}

/* ---- its carrier ---- */

void ms_session_leave_alone(struct ms_session *session, ms_peer_begins *begins, void *context) {
    session->begins = begins;
    session->begins_context = context;
}

bool ms_session_feed(struct ms_session *session, struct ms_slice bytes, struct ms_error *error) {
    if (session->in_at == session->in.len) {
        session->in.len = session->in_at = 0;
    }
    return ms_bytes_add(&session->in, bytes.data, bytes.len) || ms_fail_memory(error);
}

struct ms_slice ms_session_take(struct ms_session *session) {
    if (session->out_taken) {
        return (struct ms_slice){0};
    }
    session->out_taken = true; /* the next push overwrites */
    return (struct ms_slice){session->out.data, session->out.len};
}

bool ms_session_wrote(const struct ms_session *session) {
    return !session->out_taken && session->out.len > 0;
}

void ms_session_hang_up(struct ms_session *session) {
    session->in_ended = true;
}

struct ms_slice ms_session_received(struct ms_session *session) {
    if (session->data_taken) {
        return (struct ms_slice){0};
    }
    session->data_taken = true;
    return (struct ms_slice){session->data.data, session->data.len};
}

/* ---- what it is asked ---- */

const struct ms_verification *ms_session_question(const struct ms_session *session) {
    return session->answer == MS_ANSWER_AWAITED ? session->question->verification : NULL;
}

const struct ms_certificates *ms_session_question_chain(const struct ms_session *session) {
    return &session->question_chain;
}

void ms_session_answer(struct ms_session *session, bool accept) {
    if (session->answer == MS_ANSWER_AWAITED) {
        session->answer = accept ? MS_ANSWER_ACCEPT : MS_ANSWER_REJECT;
        session->question->verification->accepted = accept;
    }
}

bool ms_session_waits(const struct ms_session *session) {
    return session->task == MS_TASK_HANDSHAKE || session->task == MS_TASK_REAUTH;
}

bool ms_session_failed(const struct ms_session *session) {
    return session->phase == MS_PHASE_FAILED;
}

bool ms_session_ended(const struct ms_session *session) {
    return session->phase == MS_PHASE_CLOSED && session->task == MS_TASK_NONE;
}

bool ms_session_completed(const struct ms_session *session) {
    return session->ever_completed;
}

bool ms_session_content(const struct ms_session *session) {
    if (session->phase == MS_PHASE_FAILED || session->phase == MS_PHASE_STALLED ||
        (session->needs_completion && !session->completed)) {
        return false;
    }
    for (size_t i = session->action_first; i < ms_log_num(session->log); i++) {
        const struct ms_event *event = ms_log_at(session->log, i);
        if (event->role == session->role && event->kind == MS_EVENT_ERROR) {
            return false;
        }
    }
    return true;
}

const struct ms_event *ms_session_message(const struct ms_session *session, uint8_t type,
                                          bool incoming) {
    size_t first = ms_log_epoch_first(session->log, ms_log_epoch(session->log));
    for (size_t i = ms_log_num(session->log); i > first; i--) {
        const struct ms_event *event = ms_log_at(session->log, i - 1);
        if (event->role == session->role && event->kind == MS_EVENT_MESSAGE &&
            event->type == type && event->incoming == incoming) {
            return event;
        }
    }
    return NULL;
}

bool ms_session_can_resume(struct ms_session *session, struct ms_error *error) {
    if (session->role != MS_CLIENT || !session->ever_completed) {
        return ms_fail(error, "there is no session to offer: the handshake did not complete");
    }
    if (session->phase == MS_PHASE_FAILED) {
        return ms_fail(error, "there is no session to offer: one that failed is not resumed");
    }
    if (!session->tls) {
        return session->resume_data.data ||
               ms_fail(error, "there is no session to offer: none was kept");
    }
    bool ticket = gnutls_session_get_flags(session->tls) & GNUTLS_SFLAGS_SESSION_TICKET;
    if (ms_session_version(session) >= TLS1_3) {
        return ticket || ms_fail(error, "there is no session to offer: no ticket came");
    }
    gnutls_datum_t id = {0};
    bool has_id = gnutls_session_get_id2(session->tls, &id) >= 0 && id.size > 0;
    return ticket || has_id ||
           ms_fail(error, "there is no session to offer: the server gave no ticket and no id");
}

bool ms_session_export(struct ms_session *session, const char *label, struct ms_slice context,
                       size_t length, struct ms_bytes *to, struct ms_error *error) {
    if (!session->tls || !session->ever_completed) {
        return ms_fail(error, "there is no keying material: no handshake has completed, or the "
                              "link is gone");
    }
    if (ms_session_version(session) < TLS1_3 &&
        !gnutls_session_ext_master_secret_status(session->tls)) {
        return ms_fail(error, "the keying material is not protected: neither TLS 1.3 nor an "
                              "extended master secret is in use (RFC 7627 section 5.4)");
    }
    if (ms_session_version(session) < TLS1_2 && length > PRF_MOST) {
        return ms_fail(error,
                       "before TLS 1.2 GnuTLS makes at most %d bytes of keying material, not %zu",
                       PRF_MOST, length);
    }
    char *out = ms_alloc(length);
    if (!out) {
        return ms_fail_memory(error);
    }
    ms_session_enter(session);
    int result = gnutls_prf_rfc5705(session->tls, strlen(label), label, context.len,
                                    (const char *)context.data, length, out);
    bool done = result >= 0 || ms_fail_gnutls(error, result, "exporter");
    done = done && (ms_bytes_add(to, out, length) || ms_fail_memory(error));
    ms_free(out);
    return done;
}
