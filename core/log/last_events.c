/* SPDX-License-Identifier: MIT */
#include "last_events.h"

#include "plain_subject.h"
#include "wire.h"

#include <string.h>

enum { MOST_CERTIFICATES = 16, MOST_TEXTS = 32, TEXT = 256 };

size_t ms_log_last(const struct ms_log *log, size_t positions[MS_LAST_EVENTS]) {
    size_t left[2] = {MS_LAST_OF_EACH, MS_LAST_OF_EACH}, at = MS_LAST_EVENTS;
    for (size_t i = ms_log_num(log); i > 0 && left[0] + left[1] > 0; i--) {
        const struct ms_event *event = ms_log_at(log, i - 1);
        if (event->kind != MS_EVENT_RECORD && left[event->role] > 0) {
            left[event->role]--;
            positions[--at] = i - 1;
        }
    }
    size_t num = MS_LAST_EVENTS - at;
    memmove(positions, positions + at, num * sizeof positions[0]);
    return num;
}

/* A text whose end may be lost is not looked for far. */
static void add_text(struct ms_json *json, const char *text) {
    ms_json_text(json, text, TEXT + 1, TEXT);
}

static void key_text(struct ms_json *json, const char *name, const char *text) {
    ms_json_key(json, name);
    add_text(json, text);
}

static void add_certificate(struct ms_json *json, struct ms_slice der,
                            const struct ms_certificate *certificate) {
    const struct ms_certificate_facts *facts =
        certificate ? ms_certificate_known(certificate) : NULL;
    char subject[TEXT];
    ms_json_begin(json, '{');
    if (facts) {
        key_text(json, "subject", facts->subject);
        key_text(json, "fingerprint", facts->fingerprint);
    } else {
        size_t len = ms_plain_subject(der, subject, sizeof subject);
        if (len > 0) {
            ms_json_key(json, "subject");
            ms_json_text(json, subject, len, len);
        }
    }
    ms_json_end(json, '}');
}

struct certificates {
    const struct ms_log *log;
    struct ms_json *json;
    size_t num;
};

static bool add_each(void *context, struct ms_slice der) {
    struct certificates *to = context;
    add_certificate(to->json, der, ms_log_known(to->log, der));
    return ++to->num <= MOST_CERTIFICATES && !to->json->full;
}

static void add_certificates(struct ms_json *json, const struct ms_log *log,
                             const struct ms_event *event) {
    struct certificates to = {log, json, 0};
    size_t before = json->used;
    if (json->full) {
        return;
    }
    ms_json_key(json, "certificates");
    ms_json_begin(json, '[');
    bool told = ms_wire_certificates(event->bytes, event->version, add_each, &to);
    ms_json_end(json, ']');
    if (!told || json->full) {
        json->used = before;
        json->full = false;
    }
}

static void add_fields(struct ms_json *json, const struct ms_field *fields, const void *base);

static void add_texts(struct ms_json *json, const char *name, const struct ms_texts *texts) {
    if (!texts->items) {
        return;
    }
    ms_json_key(json, name);
    ms_json_begin(json, '[');
    for (size_t i = 0; i < texts->num && i < MOST_TEXTS; i++) {
        add_text(json, texts->items[i]);
    }
    ms_json_end(json, ']');
}

static void add_number(struct ms_json *json, const char *name, int64_t number, bool count) {
    if (!count || number >= 0) {
        ms_json_key(json, name);
        ms_json_number(json, number);
    }
}

static void add_bool(struct ms_json *json, const char *name, enum ms_maybe value) {
    if (value != MS_NIL) {
        ms_json_key(json, name);
        ms_json_bool(json, value == MS_TRUE);
    }
}

static void add_field(struct ms_json *json, const struct ms_field *field, const void *place) {
    const char *text;
    switch (field->type) {
    case MS_FIELD_TEXT:
        text = *(const char *const *)place;
        if (text) {
            key_text(json, field->name, text);
        }
        break;
    case MS_FIELD_BOOL:
        add_bool(json, field->name, *(const bool *)place ? MS_TRUE : MS_FALSE);
        break;
    case MS_FIELD_MAYBE:
        add_bool(json, field->name, *(const enum ms_maybe *)place);
        break;
    case MS_FIELD_INTEGER:
    case MS_FIELD_COUNT:
        add_number(json, field->name, *(const int64_t *)place, field->type == MS_FIELD_COUNT);
        break;
    case MS_FIELD_TEXTS:
        add_texts(json, field->name, place);
        break;
    case MS_FIELD_RECORD:
        if (*(const bool *)place) {
            ms_json_key(json, field->name);
            ms_json_begin(json, '{');
            add_fields(json, field->fields, place);
            ms_json_end(json, '}');
        }
        break;
    case MS_FIELD_BYTES:
    case MS_FIELD_CERTIFICATE:
    case MS_FIELD_CERTIFICATES:
        break;
    }
}

static void add_fields(struct ms_json *json, const struct ms_field *fields, const void *base) {
    for (; fields->name; fields++) {
        add_field(json, fields, (const char *)base + fields->offset);
    }
}

static void add_selected(struct ms_json *json, const struct ms_certificate *certificate) {
    ms_json_key(json, "certificate");
    if (certificate) {
        add_certificate(json, ms_certificate_der(certificate), certificate);
    } else {
        ms_json_bool(json, false);
    }
}

void ms_log_tell(const struct ms_log *log, size_t position, struct ms_json *json) {
    const struct ms_event *event = ms_log_at(log, position);
    struct ms_event_view view;
    struct ms_json part = *json;
    if (part.size - part.used > MS_EVENT_JSON) {
        part.size = part.used + MS_EVENT_JSON;
    }
    ms_event_glance(log, position, &view);
    ms_json_begin(&part, '{');
    add_fields(&part, ms_event_fields, &view);
    if (event->kind == MS_EVENT_SELECTION) {
        add_selected(&part, event->certificate);
    } else if (event->kind == MS_EVENT_MESSAGE && event->type == GNUTLS_HANDSHAKE_CERTIFICATE_PKT) {
        add_certificates(&part, log, event);
    }
    ms_json_end(&part, '}');
    if (!part.full) {
        json->used = part.used;
    }
}
