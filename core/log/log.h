/* SPDX-License-Identifier: MIT */
/* The one ordered list of everything that the ends of a link did. Snapshots, traces, diagrams,
 * captures and explanations are views of it; nothing is observed by a second mechanism.
 * Events are only ever appended; what they point at lives as long as the log. Counted. */
#ifndef MS_LOG_H
#define MS_LOG_H

#include "certificate.h"
#include "config.h"
#include "hello.h"
#include "secrets.h"

enum ms_event_kind {
    MS_EVENT_RECORD,       /* a TLS record left or reached this end */
    MS_EVENT_MESSAGE,      /* a handshake message was made or parsed; its body in clear */
    MS_EVENT_ALERT,        /* an alert was sent or received */
    MS_EVENT_REQUEST,      /* a CertificateRequest was sent or received */
    MS_EVENT_SELECTION,    /* this end chose what to present (certificate NULL: none) */
    MS_EVENT_VERIFICATION, /* this end judged its peer's chain */
    MS_EVENT_ERROR,        /* this end failed, or was refused */
    MS_EVENT_DATA          /* application data was sent or received */
};

/* Why an end failed: the harness's own word, and GnuTLS's. */
struct ms_failure {
    bool present;
    const char *problem; /* static; a word of the contract */
    const char *code;    /* static; "GNUTLS_E_..." */
    int64_t number;
    char *message;
};
extern const struct ms_field ms_failure_fields[];

/* An alert, as a snapshot and a dissector tell of it. */
struct ms_alert_state {
    bool present;
    const char *level, *name;
    int64_t number;
    char spare[16];
};
extern const struct ms_field ms_alert_fields[];
/* Fills `alert` with an alert of these numbers. */
void ms_alert_tell(struct ms_alert_state *alert, uint8_t level, uint8_t number);

struct ms_event {
    int64_t index; /* from 1 */
    int64_t time;  /* seconds since the epoch, by the clock of the end that did it */
    enum ms_role role;
    enum ms_event_kind kind;
    uint32_t epoch;   /* index into the log's epochs */
    bool incoming;    /* record, message, alert, request, data */
    bool delivered;   /* an outgoing message or request has been handed to the carrier */
    uint16_t version; /* the code point in force (record: of its header); 0 when none yet */
    uint8_t type;     /* record: ContentType; message: HandshakeType; alert: AlertDescription */
    uint8_t level;    /* alert: 1 warning, 2 fatal */
    uint8_t during;   /* error: enum ms_during */
    bool by_peer;     /* error: whether the peer told */
    struct ms_slice bytes; /* record with its header; message body without header; data */
    struct ms_certificate *certificate;   /* selection: the leaf chosen, or NULL */
    struct ms_verification *verification; /* verification */
    struct ms_failure *failure;           /* error */
};

enum ms_during {
    MS_DURING_NOTHING,
    MS_DURING_HANDSHAKE,
    MS_DURING_READ,
    MS_DURING_WRITE,
    MS_DURING_CLOSE
};
const char *ms_during_word(enum ms_during during); /* NULL for nothing */

struct ms_log;

struct ms_log *ms_log_new(struct ms_error *error);
struct ms_log *ms_log_retain(struct ms_log *log);
void ms_log_release(struct ms_log *log); /* NULL is fine */

/* Appends and returns the event to be filled (index, time, role, kind and epoch are; the time is
 * that of the clock in force), or NULL when memory is short. Borrowed until the log goes: events do
 * not move. */
struct ms_event *ms_log_add(struct ms_log *log, enum ms_role role, enum ms_event_kind kind);
size_t ms_log_num(const struct ms_log *log);
const struct ms_event *ms_log_at(const struct ms_log *log, size_t index); /* from 0 */

/* A copy that lives as long as the log; data NULL when memory is short. */
struct ms_slice ms_log_keep(struct ms_log *log, const void *bytes, size_t len);

/* The same for what crosses the wire: bytes that the other end logged a moment ago are kept once.
 */
struct ms_slice ms_log_keep_carried(struct ms_log *log, enum ms_role role, struct ms_slice bytes);

/* Makes the log use these certificate objects for their DER (retains): what an end presents has
 * been parsed already, and its peer need not do so again. False when memory is short. */
bool ms_log_know(struct ms_log *log, const struct ms_certificates *chain);

/* The certificate of this DER, the same object for the same bytes. Borrowed until the log goes;
 * NULL when memory is short. */
struct ms_certificate *ms_log_certificate(struct ms_log *log, struct ms_slice der);
/* The same, but NULL where there is none of these bytes yet. */
struct ms_certificate *ms_log_known(const struct ms_log *log, struct ms_slice der);

/* The secrets of the link, which go with the log. */
bool ms_log_keep_secret(struct ms_log *log, const char *label, struct ms_slice client_random,
                        struct ms_slice secret); /* false when memory is short */
const struct ms_secrets *ms_log_secrets(const struct ms_log *log);

/* Epochs: "initial", "renegotiation 1", "reauthentication 1", ... each with its first event. */
bool ms_log_begin_epoch(struct ms_log *log, const char *kind);
uint32_t ms_log_epoch(const struct ms_log *log);
const char *ms_log_epoch_name(const struct ms_log *log, uint32_t epoch);
size_t ms_log_epoch_first(const struct ms_log *log, uint32_t epoch);

/* An event as a script reads it: one struct with all fields of all kinds, absent where they do not
 * apply. Certificates of a Certificate message, names of a request, ... are parsed from the bytes
 * here. */
struct ms_event_view {
    int64_t index, time;
    const char *role, *kind, *epoch, *direction; /* "sent" or "received"; nil where neither */
    enum ms_maybe delivered;
    const char *type; /* record: ContentType; message: HandshakeType */
    const char *version;
    int64_t length; /* -1: none. Bytes of the record with header, of the body, of the data */
    struct ms_slice bytes;
    const char *level, *name;                                /* alert */
    int64_t number;                                          /* alert, error; -1: none */
    struct ms_certificates certificates;                     /* Certificate message */
    struct ms_hello hello;                                   /* a hello, EncryptedExtensions */
    struct ms_texts issuers;                                 /* request */
    struct ms_texts signature_schemes;                       /* request, CertificateVerify */
    struct ms_certificate *certificate;                      /* selection */
    struct ms_verification verification;                     /* verification; borrowed contents */
    int64_t at;                                              /* verification; -1: none */
    const char *problem, *code, *message, *during, *told_by; /* error */
    char spare[4][16];
};
extern const struct ms_field ms_event_fields[];
bool ms_event_view(struct ms_log *log, size_t index, struct ms_event_view *view,
                   struct ms_error *error);
/* All but what has to be parsed (what hellos say, the lists of a Certificate message and of a
 * request stay absent). Allocates nothing, so that there is nothing to clear. */
void ms_event_glance(const struct ms_log *log, size_t index, struct ms_event_view *view);
void ms_event_view_clear(struct ms_event_view *view);

#endif
