/* SPDX-License-Identifier: MIT */
#include "cause.h"

#include "names.h"

#include <string.h>

#define TLS1_2 0x0303
#define TLS1_3 0x0304

const char *const ms_problem_words[] = {"no_certificate",
                                        "certificate_rejected",
                                        "no_shared_version",
                                        "no_shared_cipher_suite",
                                        "no_shared_group",
                                        "no_shared_signature_scheme",
                                        "renegotiation_refused",
                                        "client_changed_identity",
                                        "server_changed_identity",
                                        "message_too_large",
                                        "peer_alert",
                                        "closed_early",
                                        "protocol_violation",
                                        "timeout",
                                        "connection_refused",
                                        "connection_reset",
                                        "name_not_found",
                                        "no_shared_protocol",
                                        "unknown_server_name",
                                        "key_usage_violation",
                                        "bad_signature",
                                        "identity_unusable",
                                        "post_handshake_auth_not_offered",
                                        "library_error",
                                        NULL};

const char *ms_cause_known(const char *problem) {
    const char *const *word = ms_problem_words;
    while (*word && strcmp(*word, problem) != 0) {
        word++;
    }
    return *word ? *word : "library_error";
}

static bool has_code(const struct ms_codes *codes, uint32_t code) {
    for (size_t i = 0; i < codes->num; i++) {
        if (codes->items[i] == code) {
            return true;
        }
    }
    return false;
}

/* The highest version that both have, or 0. */
static uint16_t shared_version(const struct ms_client_hello *hello, gnutls_priority_t mine) {
    const unsigned *list = NULL;
    int num = gnutls_priority_protocol_list(mine, &list);
    uint16_t best = 0;
    for (int i = 0; i < num; i++) {
        uint32_t code = ms_names_version_code((int)list[i]);
        bool offered = hello->versions.num > 0 ? has_code(&hello->versions, code)
                                               : code <= hello->legacy_version && code < TLS1_3;
        if (offered && code > best) {
            best = (uint16_t)code;
        }
    }
    return best;
}

/* Whether a suite's authentication suits one of the server's keys. TLS 1.3 suites name none. */
static bool suits_identities(gnutls_kx_algorithm_t kx, const struct ms_config *config) {
    if (config->choose) {
        return true;
    }
    for (size_t i = 0; i < config->identities.num; i++) {
        const char *type = ms_key_type(ms_identity_key(config->identities.items[i]));
        bool rsa = strncmp(type, "rsa", 3) == 0;
        switch (kx) {
        case GNUTLS_KX_RSA:
        case GNUTLS_KX_ECDHE_RSA:
        case GNUTLS_KX_DHE_RSA:
            if (rsa) {
                return true;
            }
            break;
        case GNUTLS_KX_ECDHE_ECDSA:
            if (!rsa) {
                return true;
            }
            break;
        default:
            return true;
        }
    }
    return false;
}

/* GnuTLS says GNUTLS_E_UNSUPPORTED_VERSION_PACKET of a record whose header is wrong, too: then the
 * versions did meet. */
static bool versions_differ(const struct ms_circumstances *c) {
    if (c->role == MS_SERVER) {
        return c->hello && !shared_version(c->hello, c->config->made_priority->cache);
    }
    const struct ms_client_hello as_offer = {.legacy_version = c->selected_version,
                                             .versions = {(uint16_t[]){c->selected_version}, 1, 1}};
    return c->selected_version && !shared_version(&as_offer, c->config->made_priority->cache);
}

struct shared_suites {
    size_t num, without_group; /* those that need no (EC)DHE group */
};

static struct shared_suites shared_suites(const struct ms_client_hello *hello,
                                          const struct ms_config *config, uint16_t version) {
    struct shared_suites shared = {0};
    gnutls_priority_t mine = config->made_priority->cache;
    unsigned at;
    for (unsigned i = 0;; i++) {
        int result = gnutls_priority_get_cipher_suite_index(mine, i, &at);
        if (result == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE) {
            return shared;
        }
        unsigned char id[2];
        gnutls_kx_algorithm_t kx;
        if (result < 0 || !gnutls_cipher_suite_info(at, id, &kx, NULL, NULL, NULL)) {
            continue;
        }
        bool for_1_3 = id[0] == 0x13;
        if (for_1_3 != (version == TLS1_3) ||
            !has_code(&hello->cipher_suites, (uint32_t)id[0] << 8 | id[1]) ||
            (!for_1_3 && !suits_identities(kx, config))) {
            continue;
        }
        shared.num++;
        shared.without_group += !for_1_3 && kx == GNUTLS_KX_RSA;
    }
}

static bool shared_group(const struct ms_client_hello *hello, gnutls_priority_t mine) {
    if (!hello->has_groups) { /* RFC 8422 section 4: any will do */
        return true;
    }
    const unsigned *list = NULL;
    int num = gnutls_priority_group_list(mine, &list);
    for (int i = 0; i < num; i++) {
        if (has_code(&hello->groups, ms_names_group_code((int)list[i]))) {
            return true;
        }
    }
    return false;
}

static bool shared_scheme(const struct ms_client_hello *hello, gnutls_priority_t mine) {
    if (!hello->has_schemes) {
        return true;
    }
    const unsigned *list = NULL;
    int num = gnutls_priority_sign_list(mine, &list);
    for (int i = 0; i < num; i++) {
        uint32_t code = ms_names_scheme_code((int)list[i]);
        if (code && has_code(&hello->schemes, code)) {
            return true;
        }
    }
    return false;
}

/* What keeps every key of a server from signing: a certificate that is not its own, or that may not
 * sign; else it is the schemes. */
static const char *cause_of_no_signature(const struct ms_identities *identities) {
    const char *cause = NULL;
    for (size_t i = 0; i < identities->num; i++) {
        const struct ms_identity *identity = identities->items[i];
        bool fits = false;
        (void)ms_identity_fits(ms_identity_key(identity), ms_identity_leaf(identity), &fits, NULL);
        if (fits && ms_identity_may_sign(identity)) {
            return "no_shared_signature_scheme";
        }
        cause = fits ? "key_usage_violation" : cause ? cause : "identity_unusable";
    }
    return cause ? cause : "no_shared_signature_scheme";
}

/* GnuTLS says GNUTLS_E_NO_CIPHER_SUITES for everything that keeps it from choosing a suite; the
 * offer and the server's own lists tell which it was. */
static const char *cause_of_no_suite(const struct ms_client_hello *hello,
                                     const struct ms_config *config, bool nothing_to_present) {
    gnutls_priority_t mine = config->made_priority->cache;
    uint16_t version = shared_version(hello, mine);
    if (!version) {
        return "no_shared_version";
    }
    if (nothing_to_present || (!config->choose && config->identities.num == 0)) {
        return "identity_unusable";
    }
    struct shared_suites suites = shared_suites(hello, config, version);
    if (suites.num == 0) {
        return "no_shared_cipher_suite";
    }
    if (suites.without_group == 0 && !shared_group(hello, mine)) {
        return "no_shared_group";
    }
    if (!shared_scheme(hello, mine)) {
        return "no_shared_signature_scheme";
    }
    /* Suite, group and schemes are there: what is left is that no key of ours can sign with one. */
    return cause_of_no_signature(&config->identities);
}

/* False only where it is known that no key belongs to the certificate that it is presented with. */
static bool own_key_fits(const struct ms_circumstances *c) {
    size_t num = c->config ? c->config->identities.num : 0;
    bool fits = num == 0;
    for (size_t i = 0; !fits && i < num; i++) {
        const struct ms_identity *identity = c->config->identities.items[i];
        if (!ms_identity_fits(ms_identity_key(identity), ms_identity_leaf(identity), &fits, NULL)) {
            return true;
        }
    }
    return fits;
}

const char *ms_cause_word(const struct ms_circumstances *c) {
    if (c->alert_received) {
        return "peer_alert";
    }
    switch (c->code) {
    case GNUTLS_E_NO_CERTIFICATE_FOUND:
    case GNUTLS_E_CERTIFICATE_REQUIRED:
        return "no_certificate";
    case GNUTLS_E_CERTIFICATE_ERROR:
    case GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR:
        return "certificate_rejected";
    case GNUTLS_E_NO_CIPHER_SUITES:
        if (c->hello && c->role == MS_SERVER) {
            return cause_of_no_suite(c->hello, c->config, c->nothing_to_present);
        }
        return "no_shared_cipher_suite";
    case GNUTLS_E_UNSUPPORTED_VERSION_PACKET:
        return versions_differ(c) ? "no_shared_version" : "protocol_violation";
    case GNUTLS_E_NO_COMMON_KEY_SHARE:
    case GNUTLS_E_ECC_NO_SUPPORTED_CURVES:
    case GNUTLS_E_ECC_UNSUPPORTED_CURVE:
        return "no_shared_group";
    case GNUTLS_E_NO_APPLICATION_PROTOCOL:
        return "no_shared_protocol";
    case GNUTLS_E_SESSION_USER_ID_CHANGED:
        return c->role == MS_SERVER ? "client_changed_identity" : "server_changed_identity";
    case GNUTLS_E_HANDSHAKE_TOO_LARGE:
        return "message_too_large";
    case GNUTLS_E_PREMATURE_TERMINATION:
    case GNUTLS_E_PULL_ERROR:
    case GNUTLS_E_PUSH_ERROR:
        return "closed_early";
    case GNUTLS_E_SAFE_RENEGOTIATION_FAILED:
    case GNUTLS_E_UNSAFE_RENEGOTIATION_DENIED:
        return "renegotiation_refused";
    case GNUTLS_E_UNRECOGNIZED_NAME:
        return "unknown_server_name";
    case GNUTLS_E_KEY_USAGE_VIOLATION:
        return "key_usage_violation";
    case GNUTLS_E_PK_SIG_VERIFY_FAILED:
        return "bad_signature";
    case GNUTLS_E_INSUFFICIENT_CREDENTIALS:
        return "identity_unusable";
    case GNUTLS_E_INCOMPATIBLE_SIG_WITH_KEY: /* only a server says it of its own */
        return c->role == MS_CLIENT || c->peer_signed ? "bad_signature" : "identity_unusable";
    case GNUTLS_E_UNWANTED_ALGORITHM:
        return own_key_fits(c) ? "no_shared_signature_scheme" : "identity_unusable";
    case GNUTLS_E_UNSUPPORTED_SIGNATURE_ALGORITHM:
        return "no_shared_signature_scheme";
    case GNUTLS_E_TIMEDOUT:
        return "timeout";
    case GNUTLS_E_DECRYPTION_FAILED: /* with RSA key exchange, what the server's key cannot open */
        return c->role == MS_CLIENT || own_key_fits(c) ? "protocol_violation" : "identity_unusable";
    case GNUTLS_E_UNEXPECTED_PACKET:
    case GNUTLS_E_UNEXPECTED_PACKET_LENGTH:
    case GNUTLS_E_UNEXPECTED_HANDSHAKE_PACKET:
    case GNUTLS_E_RECEIVED_ILLEGAL_PARAMETER:
    case GNUTLS_E_RECEIVED_ILLEGAL_EXTENSION:
    case GNUTLS_E_UNEXPECTED_EXTENSIONS_LENGTH:
    case GNUTLS_E_UNKNOWN_CIPHER_SUITE:
    case GNUTLS_E_PK_INVALID_PUBKEY: /* a key share that is none */
    case GNUTLS_E_MISSING_EXTENSION:
    case GNUTLS_E_ERROR_IN_FINISHED_PACKET:
    case GNUTLS_E_TOO_MANY_HANDSHAKE_PACKETS:
    case GNUTLS_E_TOO_MANY_EMPTY_PACKETS:
    case GNUTLS_E_ILLEGAL_PARAMETER:
    case GNUTLS_E_RECEIVED_DISALLOWED_NAME:
    case GNUTLS_E_RECORD_OVERFLOW:
        return "protocol_violation";
    default:
        return "library_error";
    }
}

const char *ms_cause_code(int number) {
    return gnutls_strerror_name(-number);
}

const char *ms_cause_text(int number) {
    return gnutls_strerror(-number);
}

static uint8_t rejection_alert(const struct ms_verification *verification) {
    static const struct {
        const char *problem;
        uint8_t alert;
    } table[] = {{"signer_not_found", GNUTLS_A_UNKNOWN_CA},
                 {"revoked", GNUTLS_A_CERTIFICATE_REVOKED},
                 {"expired", GNUTLS_A_CERTIFICATE_EXPIRED},
                 {"not_activated", GNUTLS_A_CERTIFICATE_EXPIRED},
                 {"purpose_mismatch", GNUTLS_A_UNSUPPORTED_CERTIFICATE}};
    for (size_t i = 0; verification && i < sizeof table / sizeof *table; i++) {
        if (ms_texts_has(&verification->problems, table[i].problem)) {
            return table[i].alert;
        }
    }
    return GNUTLS_A_BAD_CERTIFICATE;
}

uint8_t ms_cause_alert(const char *problem, const struct ms_verification *verification,
                       uint16_t version) {
    if (strcmp(problem, "certificate_rejected") == 0) {
        return rejection_alert(verification);
    }
    if (strcmp(problem, "no_certificate") == 0) {
        return version >= TLS1_3 ? GNUTLS_A_CERTIFICATE_REQUIRED : GNUTLS_A_HANDSHAKE_FAILURE;
    }
    if (strcmp(problem, "no_shared_version") == 0) {
        return GNUTLS_A_PROTOCOL_VERSION;
    }
    if (strcmp(problem, "bad_signature") == 0) {
        return GNUTLS_A_DECRYPT_ERROR;
    }
    return 0;
}
