/* SPDX-License-Identifier: MIT */
/* Why a certificate stayed at home. GnuTLS does not say; the request and the identities do. */
#include "session_private.h"

#include "foreign_text.h"
#include "memory.h"

#include <string.h>

#define TLS1_2 0x0303

const char *const ms_absence_words[] = {"not_requested",
                                        "issuer_not_named",
                                        "ambiguous",
                                        "no_common_signature_scheme",
                                        "key_usage",
                                        "policy",
                                        "library_choice",
                                        "failed_before",
                                        NULL};

static bool is_named(struct ms_certificate *certificate, const struct ms_request *request,
                     bool *memory) {
    gnutls_x509_crt_t crt = ms_certificate_crt(certificate, NULL);
    gnutls_datum_t issuer;
    if (!crt || gnutls_x509_crt_get_raw_issuer_dn(crt, &issuer) < 0) {
        return false;
    }
    char *hex = ms_hex_text("", issuer.data, issuer.size);
    gnutls_free(issuer.data);
    *memory = *memory && hex;
    bool named = hex && ms_texts_has(&request->issuers_der, hex);
    ms_free(hex);
    return named;
}

/* GnuTLS takes an identity when the issuer of any certificate in its chain is named. */
static bool chain_is_named(const struct ms_identity *identity, const struct ms_request *request,
                           bool *memory) {
    const struct ms_certificates *chain = ms_identity_chain(identity);
    for (size_t i = 0; i < chain->num; i++) {
        if (is_named(chain->items[i], request, memory)) {
            return true;
        }
    }
    return false;
}

static bool shares_scheme(const struct ms_identity *identity, const struct ms_request *request,
                          uint16_t version) {
    const struct ms_key *key = ms_identity_key(identity);
    for (size_t i = 0; i < request->schemes.num; i++) {
        if (ms_key_signs(key, request->schemes.items[i])) {
            return true;
        }
    }
    if (version >= TLS1_2) {
        return false;
    }
    /* ClientCertificateType: rsa_sign 1, ecdsa_sign 64 (RFC 4346 section 7.4.4, RFC 8422 5.5) */
    uint8_t wanted = strncmp(ms_key_type(key), "rsa", 3) == 0 ? 1 : 64;
    return request->types.len > 0 && memchr(request->types.data, wanted, request->types.len);
}

/* For GnuTLS's own choice, which then sent nothing. */
static const char *why_none_fits(const struct ms_config *config, const struct ms_request *request,
                                 uint16_t version, bool *memory) {
    const struct ms_identities *mine = &config->identities;
    if (request->issuers.num == 0 && mine->num > 1) {
        return "ambiguous";
    }
    const char *why = NULL;
    for (size_t i = 0; i < mine->num; i++) {
        const struct ms_identity *identity = mine->items[i];
        if (request->issuers.num > 0 && !chain_is_named(identity, request, memory)) {
            continue;
        }
        if (!ms_identity_may_sign(identity)) {
            why = why ? why : "key_usage";
        } else if (!shares_scheme(identity, request, version)) {
            why = why ? why : "no_common_signature_scheme";
        } else {
            return "library_choice";
        }
    }
    return why ? why : "issuer_not_named";
}

static const char *why_empty(const struct ms_session *session, const struct ms_event *request,
                             bool *memory) {
    const struct ms_config *config = session->effective;
    const struct ms_identity *chosen =
        ms_config_chooses(config) ? session->presented.identity : NULL;
    if (!chosen && (config->choose || config->send_certificate == MS_SEND_NEVER)) {
        return "policy";
    }
    if (!chosen && config->send_certificate == MS_SEND_ALWAYS) {
        return "no_common_signature_scheme";
    }
    struct ms_request read;
    if (!ms_wire_request(request->bytes, request->version, &read)) {
        *memory = *memory && !read.memory_short;
        return "library_choice";
    }
    const char *why = NULL;
    if (!chosen) {
        why = why_none_fits(config, &read, request->version, memory);
    } else { /* our choice, which GnuTLS left out */
        why = shares_scheme(chosen, &read, request->version) ? "library_choice"
                                                             : "no_common_signature_scheme";
    }
    ms_request_clear(&read);
    return why;
}

const char *ms_session_absence(const struct ms_session *session, bool *memory) {
    const struct ms_config *config = session->effective;
    bool has_one = config->choose || config->identities.num > 0;
    if (session->role != MS_CLIENT || !has_one || session->phase == MS_PHASE_IDLE) {
        return NULL;
    }
    struct ms_certificates sent = {0};
    bool there;
    *memory = ms_session_wire_chain(session, false, &there, &sent) && *memory;
    bool any = sent.num > 0;
    ms_certificates_clear(&sent);
    if (any) {
        return NULL;
    }
    const struct ms_event *request =
        ms_session_message(session, GNUTLS_HANDSHAKE_CERTIFICATE_REQUEST, true);
    if (there && request) {
        return why_empty(session, request, memory);
    }
    bool over = session->phase == MS_PHASE_ESTABLISHED && !session->expecting; /* or refused */
    if (session->completed || (over && !request)) {
        return "not_requested";
    }
    return session->phase == MS_PHASE_FAILED ? "failed_before" : NULL;
}
