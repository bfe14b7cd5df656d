/* SPDX-License-Identifier: MIT */
/* The inside of a session, shared by the files that make it up: session.c (its life and its
 * carrier), session_callbacks.c (what GnuTLS tells), session_actions.c (what it is told to do),
 * session_step.c (what it does next), session_failure.c (how it fails), session_choice.c (what it
 * presents) and session_state.c (what it reports). */
#ifndef MS_SESSION_PRIVATE_H
#define MS_SESSION_PRIVATE_H

#include "credentials.h"
#include "session.h"
#include "wire.h"

enum ms_task {
    MS_TASK_NONE,      /* not begun, failed or closed */
    MS_TASK_HANDSHAKE, /* gnutls_handshake() */
    MS_TASK_REAUTH,    /* gnutls_reauth() */
    MS_TASK_READ       /* gnutls_record_recv() */
};

enum ms_phase {
    MS_PHASE_IDLE,
    MS_PHASE_HANDSHAKING,
    MS_PHASE_ESTABLISHED,
    MS_PHASE_STALLED,
    MS_PHASE_FAILED,
    MS_PHASE_CLOSED
};

enum ms_state_made { MS_STATE_NONE, MS_STATE_BEGUN, MS_STATE_WHOLE };

enum ms_answer { MS_ANSWER_NONE, MS_ANSWER_AWAITED, MS_ANSWER_ACCEPT, MS_ANSWER_REJECT };

enum { MS_ALERTS_KEPT = 16 };

struct ms_alert {
    uint8_t level; /* 0: it was encrypted */
    uint8_t description;
};

struct ms_session {
    gnutls_session_t tls; /* NULL once retired */
    enum ms_role role;
    struct ms_log *log;
    const struct ms_clock *clock;
    int64_t window_shift; /* seconds that GnuTLS's key-update window has been moved past */
    struct ms_resumption *resumption;
    gnutls_datum_t resume_data; /* kept when retired */

    /* GnuTLS borrows credentials for as long as they may be reported, so all configs stay. */
    struct ms_config **configs;
    size_t num_configs, config_capacity;
    struct ms_config *config;    /* the last of them */
    struct ms_config *effective; /* what is in force: it, or that of a site */
    const struct ms_site *site;  /* NULL: none */
    bool alpn_set, resumption_enabled;

    struct ms_bytes in, out, data;
    size_t in_at;
    bool in_ended, out_taken, data_taken;
    struct ms_records sent, received;
    size_t pulled, pushed; /* bytes ever */

    enum ms_task task;
    enum ms_phase phase;
    bool completed; /* this epoch's own handshake returned success */
    bool ever_completed;
    bool expecting;         /* the peer is to begin a renegotiation or reauthentication */
    bool owes_key_update;   /* the peer asked for one */
    bool said_goodbye;      /* close_notify was sent */
    bool refused_hello;     /* a refused ClientHello is left over in GnuTLS */
    bool answered;          /* this handshake's ServerHello came */
    ms_peer_begins *begins; /* the peer is somewhere else; NULL: it is not */
    void *begins_context;
    bool peer_began, goes_along; /* reauthentication, by a CertificateRequest */
    size_t action_first;         /* first event of the last thing started */
    bool needs_completion;       /* which is a handshake */
    int64_t renegotiations;
    const char *cipher_suite; /* of the last handshake that completed; static */

    size_t first_pending; /* messages from here on may wait to be flushed */
    bool sending_alert;
    uint8_t alert_instead; /* "rfc": the alert to send for the present failure; 0: the library's */
    size_t alert_records, alerts_noted;
    struct ms_alert clear_alerts[MS_ALERTS_KEPT]; /* of the last alert records, in a ring */
    unsigned warnings;                            /* received in a row */
    bool memory_short;

    struct ms_presented presented; /* by the session's own choice */
    struct ms_certificates selected_chain;
    bool selection_noted;
    gnutls_datum_t ours_at_epoch; /* borrowed by GnuTLS, compared only */

    enum ms_answer answer;
    struct ms_event *question;
    struct ms_certificates question_chain;

    struct ms_state state;
    enum ms_state_made state_made;
    size_t state_log_num;
    enum ms_phase state_phase;
};

/* Before every call into GnuTLS: the clock of this end is in force. */
void ms_session_enter(struct ms_session *session);

/* session_callbacks.c */
void ms_session_hook(struct ms_session *session);
/* GnuTLS's pull function: what was fed, each record of it on record. */
ssize_t ms_session_pull(void *session, void *to, size_t room);
/* An alert was received: the first that was not noted yet, if it came in clear; else what GnuTLS
 * says, of this level. */
void ms_session_note_alert(struct ms_session *session, uint8_t level);
/* The first alert that came in clear and was not noted, if it is next; NULL: it is not. */
const struct ms_alert *ms_session_clear_alert(const struct ms_session *session);
/* The site of the config for a server name: exact first, then by wildcard; NULL: none. */
const struct ms_site *ms_session_find_site(const struct ms_session *session, const char *name);

/* session_choice.c */
int ms_session_retrieve(gnutls_session_t tls, const struct gnutls_cert_retr_st *info,
                        gnutls_pcert_st **chain, unsigned *num, gnutls_ocsp_data_st **ocsp,
                        unsigned *num_ocsp, gnutls_privkey_t *key, unsigned *flags);
void ms_session_note_selection(struct ms_session *session);
bool ms_key_signs(const struct ms_key *key, uint16_t scheme);

/* session.c: puts a config in force. */
bool ms_session_apply(struct ms_session *session, struct ms_config *config, struct ms_error *error);

/* session_step.c */
/* The peer begins a reauthentication, whose CertificateRequest is next to be logged. */
bool ms_session_note_request(struct ms_session *session);

/* session_actions.c */
/* An action begins: a handshake, or one that the established connection bears. */
void ms_session_begin_action(struct ms_session *session, bool handshake);
void ms_session_begin_task(struct ms_session *session, enum ms_task task);
/* In the renegotiation that begins, a server whose peer is somewhere else takes no session back. */
void ms_session_take_back_nothing(struct ms_session *session);

/* session_failure.c */
void ms_session_fail(struct ms_session *session, int code, enum ms_during during);
/* A handshake within the connection failed, and that goes on. */
void ms_session_refuse(struct ms_session *session, int code, bool by_peer, const char *problem);
/* Fails where the peer said goodbye: of it nothing can be had any more. Returns whether it did. */
bool ms_session_fail_if_ended(struct ms_session *session);

/* session_state.c */
/* Makes the part of the present state that needs the TLS session; ms_session_state() makes the
 * rest. */
bool ms_session_begin_state(struct ms_session *session, struct ms_error *error);

/* session_absence.c: why a configured client certificate was not sent in this epoch; static, NULL
 * when it was, when there is none, or when it may still be. `*memory` is cleared when memory is
 * short. */
const char *ms_session_absence(const struct ms_session *session, bool *memory);

/* Calls `each` for the certificates of the last Certificate message of this epoch that this end
 * received, or that it sent and that was handed to the carrier; `*there` tells whether there was
 * one. */
bool ms_session_wire_chain(const struct ms_session *session, bool incoming, bool *there,
                           struct ms_certificates *chain);

/* The last message of a type in the present epoch, or NULL. */
const struct ms_event *ms_session_message(const struct ms_session *session, uint8_t type,
                                          bool incoming);

/* GnuTLS's version: before a ServerHello the highest offered. */
uint16_t ms_session_version(const struct ms_session *session);

#endif
