/* SPDX-License-Identifier: MIT */
#include "wire.h"

#include "foreign_text.h"
#include "memory.h"
#include "names.h"

#include <ctype.h>
#include <string.h>

#define TLS1_2 0x0303
#define TLS1_3 0x0304
#define RECORD_HEADER 5

/* How many bytes the record that begins in `part` still lacks, or its header while that is short.
 */
static size_t lacking(const struct ms_bytes *part) {
    if (part->len < RECORD_HEADER) {
        return RECORD_HEADER - part->len;
    }
    size_t whole = RECORD_HEADER + ((size_t)part->data[3] << 8 | part->data[4]);
    return whole - part->len;
}

struct ms_slice ms_records_held(const struct ms_records *records) {
    const struct ms_bytes *part = &records->part;
    bool whole = part->len >= RECORD_HEADER && lacking(part) == 0; /* handed out by the last call */
    return whole ? (struct ms_slice){0} : (struct ms_slice){part->data, part->len};
}

bool ms_records_next(struct ms_records *records, struct ms_slice *bytes, struct ms_slice *record) {
    struct ms_bytes *part = &records->part;
    *record = (struct ms_slice){0};
    part->len = ms_records_held(records).len;
    while (bytes->len > 0) {
        size_t some = lacking(part);
        some = some < bytes->len ? some : bytes->len;
        struct ms_slice taken;
        if (!ms_bytes_add(part, bytes->data, some)) {
            return false;
        }
        (void)ms_read_fixed(bytes, some, &taken);
        if (part->len >= RECORD_HEADER && lacking(part) == 0) {
            *record = (struct ms_slice){part->data, part->len};
            return true;
        }
    }
    return true;
}

void ms_records_rest(struct ms_records *records) {
    if (ms_records_held(records).len == 0) {
        ms_bytes_clear(&records->part);
    }
}

void ms_records_clear(struct ms_records *records) {
    ms_bytes_clear(&records->part);
}

bool ms_wire_extension(struct ms_slice *list, uint32_t *type, struct ms_slice *data) {
    return ms_read_number(list, 2, type) && ms_read_vector(list, 2, data);
}

bool ms_wire_certificates(struct ms_slice body, uint16_t version,
                          bool (*each)(void *context, struct ms_slice der), void *context) {
    struct ms_slice skipped, list, der;
    if (version >= TLS1_3 &&
        !ms_read_vector(&body, 1, &skipped)) { /* certificate_request_context */
        return false;
    }
    if (!ms_read_vector(&body, 3, &list)) {
        return false;
    }
    while (list.len > 0) {
        if (!ms_read_vector(&list, 3, &der) ||
            (version >= TLS1_3 && !ms_read_vector(&list, 2, &skipped)) || !each(context, der)) {
            return false;
        }
    }
    return true;
}

/* Sets `*memory_short` where that is why it returns false; so do the functions below. */
static bool read_codes(struct ms_slice list, struct ms_codes *codes, bool *memory_short) {
    while (list.len > 0) {
        uint32_t code;
        if (!ms_read_number(&list, 2, &code)) {
            return false;
        }
        if (!ms_codes_add(codes, (uint16_t)code)) {
            *memory_short = true;
            return false;
        }
    }
    return true;
}

static bool read_code_vector(struct ms_slice from, size_t width, struct ms_codes *codes,
                             bool *memory_short) {
    struct ms_slice list;
    return ms_read_vector(&from, width, &list) && read_codes(list, codes, memory_short);
}

static bool add_hex(struct ms_texts *texts, struct ms_slice bytes) {
    char *hex = ms_hex_text("", bytes.data, bytes.len);
    bool added = hex && ms_texts_add(texts, hex);
    ms_free(hex);
    return added;
}

static bool add_issuer(struct ms_texts *texts, struct ms_slice der) {
    char *text = ms_name_decode(der, NULL);
    bool added = text && ms_texts_add(texts, text);
    ms_free(text);
    return added;
}

static bool read_issuers(struct ms_slice from, struct ms_request *request) {
    struct ms_slice list, der;
    if (!ms_read_vector(&from, 2, &list)) {
        return false;
    }
    while (list.len > 0) {
        if (!ms_read_vector(&list, 2, &der)) {
            return false;
        }
        if (!add_hex(&request->issuers_der, der) || !add_issuer(&request->issuers, der)) {
            request->memory_short = true;
            return false;
        }
    }
    return true;
}

static bool read_request_1_3(struct ms_slice body, struct ms_request *request) {
    struct ms_slice skipped, extensions;
    if (!ms_read_vector(&body, 1, &skipped) || !ms_read_vector(&body, 2, &extensions)) {
        return false;
    }
    while (extensions.len > 0) {
        uint32_t type;
        struct ms_slice data;
        if (!ms_wire_extension(&extensions, &type, &data)) {
            return false;
        }
        if (type == MS_EXTENSION_SIGNATURE_ALGORITHMS &&
            !read_code_vector(data, 2, &request->schemes, &request->memory_short)) {
            return false;
        }
        if (type == MS_EXTENSION_CERTIFICATE_AUTHORITIES && !read_issuers(data, request)) {
            return false;
        }
    }
    return true;
}

uint16_t ms_wire_signed_with(struct ms_slice body) {
    uint32_t scheme;
    struct ms_slice signature;
    bool read = ms_read_number(&body, 2, &scheme) && ms_read_vector(&body, 2, &signature);
    return read ? (uint16_t)scheme : 0;
}

bool ms_wire_request(struct ms_slice body, uint16_t version, struct ms_request *request) {
    *request = (struct ms_request){0};
    bool read = ms_texts_begin(&request->issuers) && ms_texts_begin(&request->issuers_der);
    request->memory_short = !read;
    request->has_schemes = version >= TLS1_2;
    if (read && version >= TLS1_3) {
        read = read_request_1_3(body, request);
    } else if (read) {
        struct ms_slice schemes;
        read = ms_read_vector(&body, 1, &request->types);
        if (read && version == TLS1_2) {
            read = ms_read_vector(&body, 2, &schemes) &&
                   read_codes(schemes, &request->schemes, &request->memory_short);
        }
        read = read && read_issuers(body, request);
    }
    if (!read) {
        ms_request_clear(request);
    }
    return read;
}

bool ms_request_scheme_names(const struct ms_request *request, struct ms_texts *names) {
    bool kept = !request->has_schemes || ms_texts_begin(names);
    for (size_t i = 0; kept && i < request->schemes.num; i++) {
        char spare[16];
        kept = ms_texts_add(
            names, ms_names_text(MS_NAMES_SIGNATURE_SCHEME, request->schemes.items[i], spare));
    }
    return kept;
}

void ms_request_clear(struct ms_request *request) {
    ms_texts_clear(&request->issuers);
    ms_texts_clear(&request->issuers_der);
    ms_free(request->schemes.items);
    request->schemes = (struct ms_codes){0};
}

/* RFC 6066 section 3; the first host_name counts. */
static bool read_server_name(struct ms_slice data, struct ms_client_hello *hello) {
    struct ms_slice list, name;
    uint32_t type;
    if (!ms_read_vector(&data, 2, &list)) {
        return false;
    }
    while (list.len > 0) {
        if (!ms_read_number(&list, 1, &type) || !ms_read_vector(&list, 2, &name)) {
            return false;
        }
        if (type == 0 && !hello->server_name) {
            hello->server_name = ms_foreign_text(name.data, name.len);
            if (!hello->server_name) {
                hello->memory_short = true;
                return false;
            }
        }
    }
    return true;
}

static bool read_alpn(struct ms_slice data, struct ms_client_hello *hello) {
    struct ms_slice list, name;
    if (!ms_texts_begin(&hello->alpn)) {
        hello->memory_short = true;
        return false;
    }
    if (!ms_read_vector(&data, 2, &list)) {
        return false;
    }
    while (list.len > 0) {
        if (!ms_read_vector(&list, 1, &name)) {
            return false;
        }
        if (!ms_texts_add_foreign(&hello->alpn, name)) {
            hello->memory_short = true;
            return false;
        }
    }
    return true;
}

/* RFC 8446 section 4.2.8 */
static bool read_key_shares(struct ms_slice data, struct ms_client_hello *hello) {
    struct ms_slice list, exchange;
    hello->has_key_shares = true;
    if (!ms_read_vector(&data, 2, &list)) {
        return false;
    }
    while (list.len > 0) {
        uint32_t group;
        if (!ms_read_number(&list, 2, &group) || !ms_read_vector(&list, 2, &exchange)) {
            return false;
        }
        if (!ms_codes_add(&hello->key_shares, (uint16_t)group)) {
            hello->memory_short = true;
            return false;
        }
    }
    return true;
}

static bool read_hello_extension(uint32_t type, struct ms_slice data,
                                 struct ms_client_hello *hello) {
    switch (type) {
    case MS_EXTENSION_SERVER_NAME:
        return read_server_name(data, hello);
    case MS_EXTENSION_SUPPORTED_GROUPS:
        hello->has_groups = true;
        return read_code_vector(data, 2, &hello->groups, &hello->memory_short);
    case MS_EXTENSION_SIGNATURE_ALGORITHMS:
        hello->has_schemes = true;
        return read_code_vector(data, 2, &hello->schemes, &hello->memory_short);
    case MS_EXTENSION_ALPN:
        return read_alpn(data, hello);
    case MS_EXTENSION_SUPPORTED_VERSIONS:
        return read_code_vector(data, 1, &hello->versions, &hello->memory_short);
    case MS_EXTENSION_EXTENDED_MASTER_SECRET:
        hello->extended_master_secret = true;
        return true;
    case MS_EXTENSION_SESSION_TICKET:
        hello->session_ticket = true;
        hello->ticket_presented = data.len > 0;
        return true;
    case MS_EXTENSION_EARLY_DATA:
        hello->early_data = true;
        return true;
    case MS_EXTENSION_KEY_SHARE:
        return read_key_shares(data, hello);
    case MS_EXTENSION_PRE_SHARED_KEY:
        hello->pre_shared_key = true;
        return true;
    case MS_EXTENSION_POST_HANDSHAKE_AUTH:
        hello->post_handshake_auth = true;
        return true;
    case MS_EXTENSION_RENEGOTIATION_INFO:
        hello->renegotiation_info = true;
        return true;
    default:
        return true;
    }
}

static bool read_hello(struct ms_slice body, struct ms_client_hello *hello) {
    uint32_t version;
    struct ms_slice random, suites, compression, extensions;
    if (!ms_read_number(&body, 2, &version) || !ms_read_fixed(&body, 32, &random) ||
        !ms_read_vector(&body, 1, &hello->session_id) || !ms_read_vector(&body, 2, &suites) ||
        !read_codes(suites, &hello->cipher_suites, &hello->memory_short) ||
        !ms_read_vector(&body, 1, &compression)) {
        return false;
    }
    hello->legacy_version = (uint16_t)version;
    if (body.len == 0) { /* no extensions at all is legal up to TLS 1.2 */
        return true;
    }
    if (!ms_read_vector(&body, 2, &extensions)) {
        return false;
    }
    while (extensions.len > 0) {
        uint32_t type;
        struct ms_slice data;
        if (!ms_wire_extension(&extensions, &type, &data) ||
            !read_hello_extension(type, data, hello)) {
            return false;
        }
    }
    return true;
}

bool ms_wire_client_hello(struct ms_slice body, struct ms_client_hello *hello) {
    *hello = (struct ms_client_hello){0};
    if (!read_hello(body, hello)) {
        bool memory_short = hello->memory_short;
        ms_client_hello_clear(hello);
        hello->memory_short = memory_short;
        return false;
    }
    return true;
}

void ms_client_hello_clear(struct ms_client_hello *hello) {
    ms_free(hello->versions.items);
    ms_free(hello->cipher_suites.items);
    ms_free(hello->groups.items);
    ms_free(hello->schemes.items);
    ms_free(hello->key_shares.items);
    ms_free(hello->server_name);
    ms_texts_clear(&hello->alpn);
    *hello = (struct ms_client_hello){0};
}

uint16_t ms_wire_selected_version(struct ms_slice body) {
    uint32_t version, suite, compression, type;
    struct ms_slice random, session_id, extensions = {0}, data;
    if (!ms_read_number(&body, 2, &version) || !ms_read_fixed(&body, 32, &random) ||
        !ms_read_vector(&body, 1, &session_id) || !ms_read_number(&body, 2, &suite) ||
        !ms_read_number(&body, 1, &compression)) {
        return 0;
    }
    if (body.len > 0 && !ms_read_vector(&body, 2, &extensions)) {
        return 0;
    }
    while (extensions.len > 0) {
        if (!ms_wire_extension(&extensions, &type, &data)) {
            return 0;
        }
        if (type == MS_EXTENSION_SUPPORTED_VERSIONS && !ms_read_number(&data, 2, &version)) {
            return 0;
        }
    }
    return (uint16_t)version;
}
