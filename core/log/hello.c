/* SPDX-License-Identifier: MIT */
#include "hello.h"

#include "foreign_text.h"
#include "memory.h"
#include "names.h"
#include "wire.h"

#include <stddef.h>

#define TLS1_3 0x0304
#define RENEGOTIATION_SCSV 0x00ff /* RFC 5746 section 3.3 */

#define FIELD(type, name, about)                                                                   \
    { #name, type, offsetof(struct ms_hello, name), NULL, about }

const struct ms_field ms_hello_fields[] = {
    FIELD(MS_FIELD_TEXTS, versions, "offered, or the one chosen"),
    FIELD(MS_FIELD_MAYBE, or_older,
          "offer without supported_versions: the one in `versions` is the newest, and older ones "
          "are not told"),
    FIELD(MS_FIELD_TEXTS, cipher_suites, "offered, or the one chosen"),
    FIELD(MS_FIELD_TEXTS, groups, "offered; TLS 1.3: the one chosen, or those the server prefers"),
    FIELD(MS_FIELD_TEXTS, key_shares, "offer: the groups for which it has a key share"),
    FIELD(MS_FIELD_TEXTS, signature_schemes, "offer: what the client accepts"),
    FIELD(MS_FIELD_TEXT, server_name, "offer: the name wanted (SNI)"),
    FIELD(MS_FIELD_TEXTS, alpn, "protocols offered, or the one chosen"),
    FIELD(MS_FIELD_BYTES, session_id, "offered, or the answer"),
    FIELD(MS_FIELD_MAYBE, ticket, "SessionTicket extension: wanted, or promised (RFC 5077)"),
    FIELD(MS_FIELD_MAYBE, ticket_presented, "offer: that extension carries a ticket"),
    FIELD(MS_FIELD_MAYBE, pre_shared_key, "offered (TLS 1.3's tickets are), or accepted"),
    FIELD(MS_FIELD_MAYBE, early_data, "offered, or accepted"),
    FIELD(MS_FIELD_MAYBE, post_handshake_auth, "offered"),
    FIELD(MS_FIELD_MAYBE, extended_master_secret, "offered, or agreed to (RFC 7627)"),
    FIELD(MS_FIELD_MAYBE, secure_renegotiation, "offered, or agreed to (RFC 5746)"),
    {NULL, MS_FIELD_TEXT, 0, NULL, NULL}};

static enum ms_maybe maybe(bool value) {
    return value ? MS_TRUE : MS_FALSE;
}

static bool add_name(struct ms_texts *texts, enum ms_names kind, uint32_t code) {
    char spare[16];
    return ms_texts_add(texts, ms_names_text(kind, code, spare));
}

static bool add_names(struct ms_texts *texts, enum ms_names kind, const struct ms_codes *codes) {
    bool added = ms_texts_begin(texts);
    for (size_t i = 0; added && i < codes->num; i++) {
        added = add_name(texts, kind, codes->items[i]);
    }
    return added;
}

/* ---- the client's ---- */

static bool tell_lists(const struct ms_client_hello *offer, struct ms_hello *hello) {
    bool told = true;
    if (offer->versions.num > 0) {
        told = add_names(&hello->versions, MS_NAMES_VERSION, &offer->versions);
    } else {
        told = add_name(&hello->versions, MS_NAMES_VERSION, offer->legacy_version);
    }
    told = told && add_names(&hello->cipher_suites, MS_NAMES_CIPHER_SUITE, &offer->cipher_suites);
    if (told && offer->has_groups) {
        told = add_names(&hello->groups, MS_NAMES_GROUP, &offer->groups);
    }
    if (told && offer->has_key_shares) {
        told = add_names(&hello->key_shares, MS_NAMES_GROUP, &offer->key_shares);
    }
    if (told && offer->has_schemes) {
        told = add_names(&hello->signature_schemes, MS_NAMES_SIGNATURE_SCHEME, &offer->schemes);
    }
    if (told && offer->alpn.items) {
        told = ms_texts_copy(&hello->alpn, &offer->alpn);
    }
    if (told && offer->server_name) {
        hello->server_name = ms_copy_text(offer->server_name);
        told = hello->server_name != NULL;
    }
    return told;
}

static bool offers_suite(const struct ms_client_hello *offer, uint16_t code) {
    for (size_t i = 0; i < offer->cipher_suites.num; i++) {
        if (offer->cipher_suites.items[i] == code) {
            return true;
        }
    }
    return false;
}

static bool read_offer(struct ms_slice body, struct ms_hello *hello) {
    struct ms_client_hello offer;
    if (!ms_wire_client_hello(body, &offer)) {
        return !offer.memory_short;
    }
    bool told = tell_lists(&offer, hello);
    hello->present = true;
    hello->or_older = maybe(offer.versions.num == 0);
    hello->session_id = offer.session_id;
    hello->ticket = maybe(offer.session_ticket);
    hello->ticket_presented = maybe(offer.ticket_presented);
    hello->pre_shared_key = maybe(offer.pre_shared_key);
    hello->early_data = maybe(offer.early_data);
    hello->post_handshake_auth = maybe(offer.post_handshake_auth);
    hello->extended_master_secret = maybe(offer.extended_master_secret);
    hello->secure_renegotiation =
        maybe(offer.renegotiation_info || offers_suite(&offer, RENEGOTIATION_SCSV));
    ms_client_hello_clear(&offer);
    return told;
}

/* ---- the server's ---- */

/* What is read of an answer before it is told. */
struct answer {
    uint32_t version, suite, group; /* group 0: none */
    bool ticket, pre_shared_key, early_data, extended_master_secret, secure_renegotiation;
    struct ms_slice alpn, groups;
};

static bool read_answer_extension(uint32_t type, struct ms_slice data, struct answer *answer) {
    struct ms_slice list;
    switch (type) {
    case MS_EXTENSION_SUPPORTED_VERSIONS:
        return ms_read_number(&data, 2, &answer->version);
    case MS_EXTENSION_KEY_SHARE:
        return ms_read_number(&data, 2, &answer->group);
    case MS_EXTENSION_ALPN:
        return ms_read_vector(&data, 2, &list) && ms_read_vector(&list, 1, &answer->alpn);
    case MS_EXTENSION_SUPPORTED_GROUPS:
        return ms_read_vector(&data, 2, &answer->groups);
    case MS_EXTENSION_SESSION_TICKET:
        answer->ticket = true;
        return true;
    case MS_EXTENSION_PRE_SHARED_KEY:
        answer->pre_shared_key = true;
        return true;
    case MS_EXTENSION_EARLY_DATA:
        answer->early_data = true;
        return true;
    case MS_EXTENSION_EXTENDED_MASTER_SECRET:
        answer->extended_master_secret = true;
        return true;
    case MS_EXTENSION_RENEGOTIATION_INFO:
        answer->secure_renegotiation = true;
        return true;
    default:
        return true;
    }
}

static bool read_extensions(struct ms_slice body, struct answer *answer) {
    struct ms_slice extensions = {0}, data;
    uint32_t type;
    if (body.len > 0 && !ms_read_vector(&body, 2, &extensions)) {
        return false;
    }
    while (extensions.len > 0) {
        if (!ms_wire_extension(&extensions, &type, &data) ||
            !read_answer_extension(type, data, answer)) {
            return false;
        }
    }
    return true;
}

static bool tell_alpn(const struct answer *answer, struct ms_hello *hello) {
    return !answer->alpn.data || ms_texts_add_foreign(&hello->alpn, answer->alpn);
}

static bool read_server_hello(struct ms_slice body, bool retry, struct ms_hello *hello) {
    struct answer answer = {0};
    struct ms_slice random, session_id;
    uint32_t compression;
    if (!ms_read_number(&body, 2, &answer.version) || !ms_read_fixed(&body, 32, &random) ||
        !ms_read_vector(&body, 1, &session_id) || !ms_read_number(&body, 2, &answer.suite) ||
        !ms_read_number(&body, 1, &compression) || !read_extensions(body, &answer)) {
        return true;
    }
    hello->present = true;
    hello->session_id = session_id;
    if (answer.version >= TLS1_3) {
        hello->pre_shared_key = retry ? MS_NIL : maybe(answer.pre_shared_key);
    } else {
        hello->ticket = maybe(answer.ticket);
        hello->extended_master_secret = maybe(answer.extended_master_secret);
        hello->secure_renegotiation = maybe(answer.secure_renegotiation);
    }
    return add_name(&hello->versions, MS_NAMES_VERSION, answer.version) &&
           add_name(&hello->cipher_suites, MS_NAMES_CIPHER_SUITE, answer.suite) &&
           (answer.group == 0 || add_name(&hello->groups, MS_NAMES_GROUP, answer.group)) &&
           tell_alpn(&answer, hello);
}

static bool read_encrypted_extensions(struct ms_slice body, struct ms_hello *hello) {
    struct answer answer = {0};
    uint32_t group;
    if (body.len == 0 || !read_extensions(body, &answer)) {
        return true;
    }
    hello->present = true;
    hello->early_data = maybe(answer.early_data);
    while (answer.groups.len > 1) {
        (void)ms_read_number(&answer.groups, 2, &group);
        if (!add_name(&hello->groups, MS_NAMES_GROUP, group)) {
            return false;
        }
    }
    return tell_alpn(&answer, hello);
}

bool ms_hello_read(uint8_t type, struct ms_slice body, struct ms_hello *hello) {
    bool read = true;
    *hello = (struct ms_hello){0};
    switch (type) {
    case GNUTLS_HANDSHAKE_CLIENT_HELLO:
        read = read_offer(body, hello);
        break;
    case GNUTLS_HANDSHAKE_SERVER_HELLO:
        read = read_server_hello(body, false, hello);
        break;
    case MS_MESSAGE_HELLO_RETRY_REQUEST:
        read = read_server_hello(body, true, hello);
        break;
    case GNUTLS_HANDSHAKE_ENCRYPTED_EXTENSIONS:
        read = read_encrypted_extensions(body, hello);
        break;
    default:
        break;
    }
    if (!read) {
        ms_hello_clear(hello);
    }
    return read;
}

void ms_hello_clear(struct ms_hello *hello) {
    ms_texts_clear(&hello->versions);
    ms_texts_clear(&hello->cipher_suites);
    ms_texts_clear(&hello->groups);
    ms_texts_clear(&hello->key_shares);
    ms_texts_clear(&hello->signature_schemes);
    ms_texts_clear(&hello->alpn);
    ms_free(hello->server_name);
    *hello = (struct ms_hello){0};
}
