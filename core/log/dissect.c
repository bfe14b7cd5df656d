/* SPDX-License-Identifier: MIT */
#include "dissect.h"

#include "memory.h"
#include "names.h"

#include <string.h>

#define TLS1_3 0x0304
#define RECORD_HEADER 5
#define MESSAGE_HEADER 4
#define LONGEST_BODY 65536    /* a message that is longer is not looked into */
#define MOST_CERTIFICATES 256 /* nor is a longer list of them */

/* RFC 5246 section 6.2.3: the most that any version has. */
#define LONGEST_FRAGMENT (16384 + 2048)

#define FIELD(type, name, about)                                                                   \
    { #name, type, offsetof(struct ms_dissected, name), NULL, about }
const struct ms_field ms_dissected_fields[] = {
    FIELD(MS_FIELD_TEXT, type, "ContentType; nil: these bytes are no record of TLS"),
    FIELD(MS_FIELD_TEXT, version, "the version in its header"),
    FIELD(MS_FIELD_INTEGER, length, "bytes, with its header"),
    FIELD(MS_FIELD_BYTES, bytes, "those bytes"),
    FIELD(MS_FIELD_BOOL, encrypted, "whether it is encrypted"),
    FIELD(MS_FIELD_TEXTS, messages,
          "HandshakeTypes of the messages that end in it, as far as they can be told"),
    {"alert", MS_FIELD_RECORD, offsetof(struct ms_dissected, alert), ms_alert_fields,
     "the alert in it, where it is in clear"},
    {"hello", MS_FIELD_RECORD, offsetof(struct ms_dissected, hello), ms_hello_fields,
     "what the hello in it says, where it is in clear"},
    FIELD(MS_FIELD_CERTIFICATES, certificates,
          "the chain of the Certificate in it, where it is in clear"),
    FIELD(MS_FIELD_TEXTS, issuers,
          "the names of the CertificateRequest in it, where it is in clear, RFC 4514"),
    {NULL, MS_FIELD_TEXT, 0, NULL, NULL}};

void ms_dissected_clear(struct ms_dissected *found) {
    ms_texts_clear(&found->messages);
    ms_hello_clear(&found->hello);
    ms_certificates_clear(&found->certificates);
    ms_texts_clear(&found->issuers);
    ms_bytes_clear(&found->greeting);
}

/* ---- records ---- */

/* Whether bytes can be what a record begins with, as far as its header has come. */
static bool begins_record(const uint8_t *header, size_t len) {
    if (len > 0 && (header[0] < MS_RECORD_CHANGE_CIPHER_SPEC || header[0] > MS_RECORD_HEARTBEAT)) {
        return false;
    }
    if (len > 1 && header[1] != 3) { /* every version of TLS, and SSL 3.0 */
        return false;
    }
    return len < RECORD_HEADER || ((size_t)header[3] << 8 | header[4]) <= LONGEST_FRAGMENT;
}

/* Whether what goes on with `bytes` is a record. */
static bool is_record(const struct ms_direction *direction, struct ms_slice bytes) {
    uint8_t header[RECORD_HEADER];
    struct ms_slice held = ms_records_held(&direction->records);
    if (held.len >= RECORD_HEADER) {
        return true; /* that was looked at already */
    }
    size_t some = RECORD_HEADER - held.len < bytes.len ? RECORD_HEADER - held.len : bytes.len;
    if (held.len > 0) {
        memcpy(header, held.data, held.len);
    }
    memcpy(header + held.len, bytes.data, some);
    return begins_record(header, held.len + some);
}

/* Hands out what is no record, with what was held of it. */
static bool pass(struct ms_direction *direction, struct ms_slice *bytes, struct ms_slice *passed) {
    struct ms_bytes *part = &direction->records.part;
    if (ms_records_held(&direction->records).len == 0) {
        *passed = *bytes;
    } else {
        if (!ms_bytes_add(part, bytes->data, bytes->len)) {
            return false;
        }
        *passed = (struct ms_slice){part->data, part->len};
        direction->passed = true;
    }
    *bytes = (struct ms_slice){bytes->data + bytes->len, 0};
    return true;
}

/* ---- messages ---- */

/* RFC 8446 section 4.1.3: SHA-256 of "HelloRetryRequest". */
static bool is_retry(const struct ms_bytes *body) {
    static const uint8_t random[32] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11,
                                       0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
                                       0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e,
                                       0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};
    return body->len >= 2 + sizeof random && memcmp(body->data + 2, random, sizeof random) == 0;
}

struct collected {
    struct ms_certificates *list;
    bool memory_short;
};

static bool collect(void *context, struct ms_slice der) {
    struct collected *to = context;
    struct ms_error error;
    if (to->list->num >= MOST_CERTIFICATES) {
        return false;
    }
    struct ms_certificate *certificate = ms_certificate_new(der, &error);
    to->memory_short = !certificate || !ms_certificates_add(to->list, certificate);
    ms_certificate_release(certificate);
    return !to->memory_short;
}

static bool read_certificates(struct ms_slice body, uint16_t version,
                              struct ms_certificates *list) {
    struct collected to = {list, false};
    if (list->items) {
        return true;
    }
    if (!ms_certificates_begin(list)) {
        return false;
    }
    if (!ms_wire_certificates(body, version, collect, &to)) {
        ms_certificates_clear(list);
    }
    return !to.memory_short;
}

static bool read_request(struct ms_slice body, uint16_t version, struct ms_texts *issuers) {
    struct ms_request request;
    if (issuers->items) {
        return true;
    }
    if (!ms_wire_request(body, version, &request)) {
        return !request.memory_short;
    }
    bool kept = ms_texts_copy(issuers, &request.issuers);
    ms_request_clear(&request);
    return kept;
}

static bool read_hello(uint8_t type, struct ms_bytes *body, struct ms_dissected *found) {
    if (found->greeting.data) {
        return true;
    }
    found->greeting = *body;
    *body = (struct ms_bytes){0};
    return ms_hello_read(type, (struct ms_slice){found->greeting.data, found->greeting.len},
                         &found->hello);
}

/* Whether a message of this type is looked into. */
static bool is_read(uint8_t type) {
    return type == GNUTLS_HANDSHAKE_CLIENT_HELLO || type == GNUTLS_HANDSHAKE_SERVER_HELLO ||
           type == GNUTLS_HANDSHAKE_CERTIFICATE_PKT || type == GNUTLS_HANDSHAKE_CERTIFICATE_REQUEST;
}

/* Looks into a message whose body is there. */
static bool read_body(const struct ms_dissector *dissector, uint8_t type, struct ms_bytes *body,
                      struct ms_dissected *found) {
    struct ms_slice bytes = {body->data, body->len};
    switch (type) {
    case GNUTLS_HANDSHAKE_CERTIFICATE_PKT:
        return read_certificates(bytes, dissector->version, &found->certificates);
    case GNUTLS_HANDSHAKE_CERTIFICATE_REQUEST:
        return read_request(bytes, dissector->version, &found->issuers);
    default:
        return read_hello(type, body, found);
    }
}

static bool end_message(struct ms_dissector *dissector, struct ms_direction *direction,
                        struct ms_dissected *found) {
    uint8_t type = direction->header[0];
    direction->num_header = 0;
    if (type == GNUTLS_HANDSHAKE_SERVER_HELLO && direction->body.len > 0) {
        uint16_t version =
            ms_wire_selected_version((struct ms_slice){direction->body.data, direction->body.len});
        if (version != 0 && direction == &dissector->directions[MS_SERVER]) {
            dissector->version = version;
        }
        type = is_retry(&direction->body) ? MS_MESSAGE_HELLO_RETRY_REQUEST : type;
    }
    bool read = direction->body.len == 0 || read_body(dissector, type, &direction->body, found);
    ms_bytes_clear(&direction->body);
    char spare[16];
    return read && ms_texts_add(&found->messages, ms_names_text(MS_NAMES_MESSAGE, type, spare));
}

static void begin_message(struct ms_direction *direction) {
    const uint8_t *header = direction->header;
    direction->left = (uint32_t)header[1] << 16 | (uint32_t)header[2] << 8 | header[3];
    direction->body.len = 0;
    direction->is_read = is_read(header[0]) && direction->left <= LONGEST_BODY;
}

/* Reads on in a stream of handshake messages. */
static bool read_messages(struct ms_dissector *dissector, struct ms_direction *direction,
                          struct ms_slice part, struct ms_dissected *found) {
    while (part.len > 0) {
        struct ms_slice some;
        if (direction->num_header < MESSAGE_HEADER) {
            (void)ms_read_fixed(&part, 1, &some);
            direction->header[direction->num_header++] = some.data[0];
            if (direction->num_header < MESSAGE_HEADER) {
                continue;
            }
            begin_message(direction);
        }
        (void)ms_read_fixed(&part, direction->left < part.len ? direction->left : part.len, &some);
        direction->left -= (uint32_t)some.len;
        if (direction->is_read && !ms_bytes_add(&direction->body, some.data, some.len)) {
            return false;
        }
        if (direction->left == 0 && !end_message(dissector, direction, found)) {
            return false;
        }
    }
    return true;
}

static bool read_record(struct ms_dissector *dissector, struct ms_direction *direction,
                        struct ms_slice record, struct ms_dissected *found) {
    uint8_t type = record.data[0];
    struct ms_slice part = {record.data + RECORD_HEADER, record.len - RECORD_HEADER};
    found->type = ms_names_text(MS_NAMES_RECORD, type, found->spare[0]);
    found->version = ms_names_text(MS_NAMES_VERSION, (uint32_t)record.data[1] << 8 | record.data[2],
                                   found->spare[1]);
    /* In TLS 1.3 all that is encrypted says that it is application data; before, nothing of that
     * type is not. */
    found->encrypted = direction->encrypted || type == MS_RECORD_APPLICATION_DATA;
    if (found->encrypted) {
        return true;
    }
    switch (type) {
    case MS_RECORD_CHANGE_CIPHER_SPEC:
        /* One before the ServerHello, or in TLS 1.3, is for middleboxes (RFC 8446 appendix D.4). */
        direction->encrypted = dissector->version != 0 && dissector->version < TLS1_3;
        return true;
    case MS_RECORD_HANDSHAKE:
        return read_messages(dissector, direction, part, found);
    case MS_RECORD_ALERT:
        if (part.len == 2) {
            ms_alert_tell(&found->alert, part.data[0], part.data[1]);
        }
        return true;
    default:
        return true;
    }
}

bool ms_dissect_next(struct ms_dissector *dissector, enum ms_role from, struct ms_slice *bytes,
                     struct ms_dissected *found) {
    struct ms_direction *direction = &dissector->directions[from];
    struct ms_slice record = {0};
    *found = (struct ms_dissected){0};
    if (direction->passed) {
        direction->records.part.len = 0;
        direction->passed = false;
    }
    if (bytes->len == 0) {
        return true;
    }
    bool read = ms_texts_begin(&found->messages);
    if (read && !is_record(direction, *bytes)) {
        read = pass(direction, bytes, &found->bytes);
    } else if (read) {
        read = ms_records_next(&direction->records, bytes, &record) &&
               (!record.data || read_record(dissector, direction, record, found));
        found->bytes = record;
    }
    found->length = (int64_t)found->bytes.len;
    if (!read) {
        ms_dissected_clear(found);
    }
    return read;
}

struct ms_slice ms_dissect_held(const struct ms_dissector *dissector, enum ms_role from) {
    const struct ms_direction *direction = &dissector->directions[from];
    return direction->passed ? (struct ms_slice){0} : ms_records_held(&direction->records);
}

void ms_dissector_clear(struct ms_dissector *dissector) {
    for (int role = 0; role < 2; role++) {
        ms_records_clear(&dissector->directions[role].records);
        ms_bytes_clear(&dissector->directions[role].body);
    }
    *dissector = (struct ms_dissector){0};
}
