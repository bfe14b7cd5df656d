/* SPDX-License-Identifier: MIT */
/* What an end presents: where the script or `send_certificate = "always"` decides, the choice is
 * made here; where GnuTLS decides, what it chose is noted. */
#include "session_private.h"

#include "memory.h"
#include "names.h"

#include <string.h>

#define TLS1_2 0x0303
#define TLS1_3 0x0304

/* RFC 8446 section 4.2.3, RFC 5246 section 7.4.1.4.1. Up to TLS 1.2 a scheme says nothing about the
 * curve; GnuTLS is left to judge that. */
bool ms_key_signs(const struct ms_key *key, uint16_t scheme) {
    const char *type = ms_key_type(key);
    switch (scheme) {
    case 0x0807:
        return strcmp(type, "ed25519") == 0;
    case 0x0808:
        return strcmp(type, "ed448") == 0;
    case 0x0804:
    case 0x0805:
    case 0x0806:
        return strcmp(type, "rsa") == 0;
    case 0x0809:
    case 0x080a:
    case 0x080b:
        return strcmp(type, "rsa-pss") == 0;
    default:
        switch (scheme & 0xff) {
        case 1:
            return strcmp(type, "rsa") == 0;
        case 3:
            return strncmp(type, "ecdsa", 5) == 0;
        default:
            return false;
        }
    }
}

/* What the peer accepts signatures with, in its order, by code point. */
static bool requested_schemes(struct ms_session *session, struct ms_codes *codes) {
    gnutls_sign_algorithm_t algorithm;
    for (size_t i = 0; gnutls_sign_algorithm_get_requested(session->tls, i, &algorithm) >= 0; i++) {
        uint32_t code = ms_names_scheme_code((int)algorithm);
        if (code && !ms_codes_add(codes, (uint16_t)code)) {
            return false;
        }
    }
    return true;
}

static bool usable(const struct ms_identity *identity, const struct ms_codes *schemes,
                   const struct gnutls_cert_retr_st *info) {
    for (size_t i = 0; i < schemes->num; i++) {
        if (ms_key_signs(ms_identity_key(identity), schemes->items[i])) {
            return true;
        }
    }
    if (schemes->num > 0) {
        return false;
    }
    /* Before TLS 1.2 a request has certificate types only. */
    gnutls_pk_algorithm_t mine = (gnutls_pk_algorithm_t)gnutls_privkey_get_pk_algorithm(
        ms_key_private(ms_identity_key(identity)), NULL);
    for (unsigned i = 0; i < (unsigned)info->pk_algos_length; i++) {
        if (info->pk_algos[i] == mine) {
            return true;
        }
    }
    return false;
}

static struct ms_identity *first_usable(struct ms_session *session, const struct ms_codes *schemes,
                                        const struct gnutls_cert_retr_st *info) {
    const struct ms_identities *mine = &session->effective->identities;
    for (size_t i = 0; i < mine->num; i++) {
        if (usable(mine->items[i], schemes, info)) {
            return mine->items[i];
        }
    }
    return NULL;
}

/* The request in a script's words. A server answers a ClientHello, which names no issuers. */
static bool ask_script(struct ms_session *session, const struct ms_codes *schemes,
                       const struct gnutls_cert_retr_st *info, struct ms_identity **identity) {
    struct ms_texts issuers = {0}, names = {0};
    char server_name[256];
    size_t size = sizeof server_name - 1;
    unsigned type;
    bool ready = ms_texts_begin(&names) && ms_texts_begin(&issuers);
    for (size_t i = 0; ready && i < schemes->num; i++) {
        char spare[16];
        ready = ms_texts_add(&names,
                             ms_names_text(MS_NAMES_SIGNATURE_SCHEME, schemes->items[i], spare));
    }
    for (unsigned i = 0; ready && i < (unsigned)info->nreqs; i++) {
        struct ms_slice der = {info->req_ca_rdn[i].data, info->req_ca_rdn[i].size};
        char *text = ms_name_decode(der, NULL);
        ready = text && ms_texts_add(&issuers, text);
        ms_free(text);
    }
    struct ms_choice choice = {.signature_schemes = &names};
    if (session->role == MS_CLIENT) {
        choice.issuers = &issuers;
        choice.server_name = session->effective->server_name;
    } else if (gnutls_server_name_get(session->tls, server_name, &size, &type, 0) >= 0) {
        choice.server_name = server_name;
    }
    session->memory_short |= !ready;
    bool answered =
        ready && session->effective->choose(session->effective->choose_context, &choice, identity);
    ms_session_enter(session); /* the script may have used other sessions */
    ms_texts_clear(&issuers);
    ms_texts_clear(&names);
    return answered;
}

static bool log_selection(struct ms_session *session, struct ms_certificate *leaf) {
    struct ms_event *event = ms_log_add(session->log, session->role, MS_EVENT_SELECTION);
    if (!event) {
        session->memory_short = true;
        return false;
    }
    event->certificate = leaf ? ms_certificate_retain(leaf) : NULL;
    session->selection_noted = true;
    return true;
}

static bool remember_chain(struct ms_session *session, const struct ms_certificates *chain) {
    struct ms_certificates copy = {0};
    if (chain && !ms_certificates_copy(&copy, chain)) {
        session->memory_short = true;
        return false;
    }
    ms_certificates_clear(&session->selected_chain);
    session->selected_chain = copy;
    return true;
}

static bool present(struct ms_session *session, struct ms_identity *identity) {
    struct ms_presented presented = {0};
    if (identity && !ms_presented_make(identity, &presented, NULL)) {
        session->memory_short = true;
        return false;
    }
    const struct ms_certificates *chain = identity ? ms_identity_chain(identity) : NULL;
    if (chain && !ms_log_know(session->log, chain)) {
        session->memory_short = true;
    } else if (remember_chain(session, chain) &&
               log_selection(session, identity ? ms_identity_leaf(identity) : NULL)) {
        ms_presented_clear(&session->presented);
        session->presented = presented;
        return true;
    }
    ms_presented_clear(&presented); /* GnuTLS goes on pointing at what was there */
    return false;
}

int ms_session_retrieve(gnutls_session_t tls, const struct gnutls_cert_retr_st *info,
                        gnutls_pcert_st **chain, unsigned *num, gnutls_ocsp_data_st **ocsp,
                        unsigned *num_ocsp, gnutls_privkey_t *key, unsigned *flags) {
    struct ms_session *session = gnutls_session_get_ptr(tls);
    struct ms_codes schemes = {0};
    struct ms_identity *identity = NULL;
    bool chosen = requested_schemes(session, &schemes);
    if (chosen && session->effective->choose) {
        chosen = ask_script(session, &schemes, info, &identity);
    } else if (chosen) {
        identity = first_usable(session, &schemes, info);
    } else {
        session->memory_short = true;
    }
    ms_free(schemes.items);
    if (!chosen || !present(session, identity)) {
        return -1;
    }
    *chain = session->presented.chain;
    *num = session->presented.num;
    *key = session->presented.key;
    *ocsp = NULL;
    *num_ocsp = 0;
    *flags = 0; /* the session keeps them */
    return 0;
}

/* The identity whose leaf GnuTLS points at: it hands out the credentials' own bytes. */
static const struct ms_certificates *chain_of(struct ms_session *session,
                                              const gnutls_datum_t *ours) {
    const struct ms_config *config = session->effective;
    gnutls_certificate_credentials_t handle = ms_credentials_handle(config->credentials);
    for (size_t i = 0; i < config->identities.num; i++) {
        gnutls_datum_t leaf;
        if (gnutls_certificate_get_crt_raw(handle, (unsigned)i, 0, &leaf) >= 0 &&
            leaf.data == ours->data) {
            return ms_identity_chain(config->identities.items[i]);
        }
    }
    return NULL;
}

void ms_session_note_selection(struct ms_session *session) {
    if (session->selection_noted || ms_config_chooses(session->effective)) {
        return;
    }
    const gnutls_datum_t *ours = gnutls_certificate_get_ours(session->tls);
    const struct ms_certificates *chain = ours ? chain_of(session, ours) : NULL;
    if (chain && !remember_chain(session, chain)) {
        return;
    }
    (void)log_selection(session, chain ? chain->items[0] : NULL);
}
