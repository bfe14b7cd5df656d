/* SPDX-License-Identifier: MIT */
/* Events as scripts and reports read them. */
#include "log.h"

#include "memory.h"
#include "names.h"
#include "wire.h"

#include <string.h>

#define TLS1_2 0x0303

#define FIELD(type, name, about)                                                                   \
    { #name, type, offsetof(struct ms_event_view, name), NULL, about }

const struct ms_field ms_event_fields[] = {
    FIELD(MS_FIELD_INTEGER, index, "position in the log, from 1"),
    FIELD(MS_FIELD_INTEGER, time, "seconds since the epoch by the clock of the end that did it"),
    FIELD(MS_FIELD_TEXT, role, "the end that did it: \"client\" or \"server\""),
    FIELD(MS_FIELD_TEXT, kind,
          "\"record\", \"message\", \"alert\", \"request\", \"selection\", \"verification\", "
          "\"error\" or \"data\""),
    FIELD(MS_FIELD_TEXT, epoch, "\"initial\", \"renegotiation 1\", \"reauthentication 1\", ..."),
    FIELD(MS_FIELD_TEXT, direction, "\"sent\" or \"received\", for what crosses the wire"),
    FIELD(MS_FIELD_MAYBE, delivered,
          "whether a message or request made by this end was handed to the carrier"),
    FIELD(MS_FIELD_TEXT, type, "ContentType of a record, HandshakeType of a message"),
    FIELD(MS_FIELD_TEXT, version, "version in force; of a record the one in its header"),
    FIELD(MS_FIELD_COUNT, length,
          "bytes: of a record with its header, of a message's body, of application data"),
    FIELD(MS_FIELD_BYTES, bytes, "those bytes; a message's are in clear"),
    FIELD(MS_FIELD_TEXT, level, "alert: \"warning\" or \"fatal\""),
    FIELD(MS_FIELD_TEXT, name, "alert: IANA's name"),
    FIELD(MS_FIELD_COUNT, number, "alert: its code; error: GnuTLS's code, negated"),
    FIELD(MS_FIELD_CERTIFICATES, certificates, "Certificate message: the chain it carries"),
    {"hello", MS_FIELD_RECORD, offsetof(struct ms_event_view, hello), ms_hello_fields,
     "ClientHello, ServerHello, HelloRetryRequest, EncryptedExtensions: what they say"},
    FIELD(MS_FIELD_TEXTS, issuers, "request: the names of acceptable issuers, RFC 4514"),
    FIELD(MS_FIELD_TEXTS, signature_schemes,
          "request: IANA's names, in wire order; CertificateVerify from TLS 1.2 on: the one used"),
    FIELD(MS_FIELD_CERTIFICATE, certificate, "selection: the leaf chosen; none: nil"),
    {"verification", MS_FIELD_RECORD, offsetof(struct ms_event_view, verification),
     ms_verification_fields, "verification: its result"},
    FIELD(MS_FIELD_COUNT, at,
          "verification: the time that was judged by, in seconds since the epoch"),
    FIELD(MS_FIELD_TEXT, problem, "error: the harness's word"),
    FIELD(MS_FIELD_TEXT, code, "error: GnuTLS's name"),
    FIELD(MS_FIELD_TEXT, message, "error: GnuTLS's text"),
    FIELD(MS_FIELD_TEXT, during, "error: \"handshake\", \"read\", \"write\" or \"close\""),
    FIELD(MS_FIELD_TEXT, told_by, "error: \"itself\" or \"peer\""),
    {NULL, MS_FIELD_TEXT, 0, NULL, NULL}};

#define ALERT(type, name, about)                                                                   \
    { #name, type, offsetof(struct ms_alert_state, name), NULL, about }
const struct ms_field ms_alert_fields[] = {ALERT(MS_FIELD_TEXT, level, "\"warning\" or \"fatal\""),
                                           ALERT(MS_FIELD_TEXT, name, "IANA's name"),
                                           ALERT(MS_FIELD_INTEGER, number, "its code"),
                                           {NULL, MS_FIELD_TEXT, 0, NULL, NULL}};

static const char *alert_level(uint8_t level) {
    return level == GNUTLS_AL_FATAL ? "fatal" : "warning";
}

void ms_alert_tell(struct ms_alert_state *alert, uint8_t level, uint8_t number) {
    alert->present = true;
    alert->level = alert_level(level);
    alert->number = number;
    alert->name = ms_names_text(MS_NAMES_ALERT, number, alert->spare);
}

struct collected {
    struct ms_log *log;
    struct ms_certificates *list;
    bool memory_short;
};

static bool collect(void *context, struct ms_slice der) {
    struct collected *to = context;
    struct ms_certificate *certificate = ms_log_certificate(to->log, der);
    to->memory_short = !certificate || !ms_certificates_add(to->list, certificate);
    return !to->memory_short;
}

static bool parse_certificates(struct ms_log *log, const struct ms_event *event,
                               struct ms_event_view *view) {
    struct collected to = {log, &view->certificates, false};
    if (!ms_certificates_begin(&view->certificates)) {
        return false;
    }
    (void)ms_wire_certificates(event->bytes, event->version, collect, &to);
    return !to.memory_short;
}

static bool parse_request(const struct ms_event *event, struct ms_event_view *view) {
    struct ms_request request;
    if (!ms_wire_request(event->bytes, event->version, &request)) {
        return !request.memory_short; /* malformed: the message's bytes are there to look at */
    }
    bool kept = ms_texts_copy(&view->issuers, &request.issuers) &&
                ms_request_scheme_names(&request, &view->signature_schemes);
    ms_request_clear(&request);
    return kept;
}

static bool parse_signed_with(const struct ms_event *event, struct ms_event_view *view) {
    uint16_t scheme = event->version >= TLS1_2 ? ms_wire_signed_with(event->bytes) : 0;
    char spare[16];
    return scheme == 0 || ms_texts_add(&view->signature_schemes,
                                       ms_names_text(MS_NAMES_SIGNATURE_SCHEME, scheme, spare));
}

static bool parse_message(struct ms_log *log, const struct ms_event *event,
                          struct ms_event_view *view) {
    switch (event->type) {
    case GNUTLS_HANDSHAKE_CERTIFICATE_PKT:
        return parse_certificates(log, event, view);
    case GNUTLS_HANDSHAKE_CERTIFICATE_VERIFY:
        return parse_signed_with(event, view);
    default:
        return ms_hello_read(event->type, event->bytes, &view->hello);
    }
}

static void view_error(const struct ms_event *event, struct ms_event_view *view) {
    view->problem = event->failure->problem;
    view->code = event->failure->code;
    view->message = event->failure->message;
    view->number = -event->failure->number;
    view->during = ms_during_word(event->during);
    view->told_by = event->by_peer ? "peer" : "itself";
}

static void view_kind(const struct ms_event *event, struct ms_event_view *view) {
    switch (event->kind) {
    case MS_EVENT_RECORD:
        view->type = ms_names_text(MS_NAMES_RECORD, event->type, view->spare[0]);
        break;
    case MS_EVENT_MESSAGE:
        view->type = ms_names_text(MS_NAMES_MESSAGE, event->type, view->spare[0]);
        break;
    case MS_EVENT_ALERT:
        view->level = alert_level(event->level);
        view->name = ms_names_text(MS_NAMES_ALERT, event->type, view->spare[1]);
        view->number = event->type;
        break;
    case MS_EVENT_SELECTION:
        view->certificate = event->certificate;
        break;
    case MS_EVENT_VERIFICATION:
        view->verification = *event->verification;
        view->at = event->verification->at;
        break;
    case MS_EVENT_ERROR:
        view_error(event, view);
        break;
    case MS_EVENT_REQUEST:
    case MS_EVENT_DATA:
        break;
    }
}

void ms_event_glance(const struct ms_log *log, size_t index, struct ms_event_view *view) {
    static const char *const kinds[] = {"record",    "message",      "alert", "request",
                                        "selection", "verification", "error", "data"};
    const struct ms_event *event = ms_log_at(log, index);
    *view = (struct ms_event_view){.index = event->index,
                                   .time = event->time,
                                   .role = event->role == MS_CLIENT ? "client" : "server",
                                   .kind = kinds[event->kind],
                                   .epoch = ms_log_epoch_name(log, event->epoch),
                                   .length = -1,
                                   .at = -1,
                                   .number = -1};
    bool on_wire = event->kind == MS_EVENT_RECORD || event->kind == MS_EVENT_MESSAGE ||
                   event->kind == MS_EVENT_ALERT || event->kind == MS_EVENT_REQUEST ||
                   event->kind == MS_EVENT_DATA;
    if (on_wire) {
        view->direction = event->incoming ? "received" : "sent";
    }
    if ((event->kind == MS_EVENT_MESSAGE || event->kind == MS_EVENT_REQUEST) && !event->incoming) {
        view->delivered = event->delivered ? MS_TRUE : MS_FALSE;
    }
    if (event->bytes.data && event->kind != MS_EVENT_REQUEST) {
        view->bytes = event->bytes;
        view->length = (int64_t)event->bytes.len;
    }
    if (event->version) {
        view->version = ms_names_text(MS_NAMES_VERSION, event->version, view->spare[2]);
    }
    view_kind(event, view);
}

bool ms_event_view(struct ms_log *log, size_t index, struct ms_event_view *view,
                   struct ms_error *error) {
    const struct ms_event *event = ms_log_at(log, index);
    bool parsed = true;
    ms_event_glance(log, index, view);
    if (event->kind == MS_EVENT_REQUEST) {
        parsed = parse_request(event, view);
    } else if (event->kind == MS_EVENT_MESSAGE) {
        parsed = parse_message(log, event, view);
    }
    if (!parsed) {
        ms_event_view_clear(view);
        return ms_fail_memory(error);
    }
    return true;
}

void ms_event_view_clear(struct ms_event_view *view) {
    ms_certificates_clear(&view->certificates);
    ms_hello_clear(&view->hello);
    ms_texts_clear(&view->issuers);
    ms_texts_clear(&view->signature_schemes);
}
