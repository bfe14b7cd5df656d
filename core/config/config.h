/* SPDX-License-Identifier: MIT */
/* What one end is told to do: the options of the contract as plain data. Counted, and never changed
 * once a session uses it: changed options are another config. */
#ifndef MS_CONFIG_H
#define MS_CONFIG_H

#include "identity.h"
#include "shared_priority.h"
#include "verify.h"

enum ms_role { MS_CLIENT, MS_SERVER };
enum ms_verify_policy { MS_VERIFY_NEVER, MS_VERIFY_ALWAYS, MS_VERIFY_ASK };
enum ms_client_auth { MS_AUTH_NONE, MS_AUTH_REQUEST, MS_AUTH_REQUIRE };
enum ms_send_certificate { MS_SEND_MATCHING, MS_SEND_ALWAYS, MS_SEND_NEVER };

/* What a choosing function is told about the request it answers. Borrows until it returns. */
struct ms_choice {
    const struct ms_texts *issuers;           /* RFC 4514, in wire order; NULL at a server */
    const struct ms_texts *signature_schemes; /* IANA names, in the peer's order */
    const char *server_name;                  /* NULL: none */
};

/* Picks the identity to present. Runs below a GnuTLS frame, which cannot be suspended: it must
 * return, never unwind. `*identity` NULL means none (borrowed until the session has the next one);
 * false aborts the handshake with GNUTLS_E_USER_ERROR. */
typedef bool ms_choose(void *context, const struct ms_choice *choice,
                       struct ms_identity **identity);

struct ms_identities {
    struct ms_identity **items;
    size_t num, capacity;
};

struct ms_site {
    char *name; /* exact or "*.example", lower case */
    struct ms_config *config;
};

struct ms_codes {
    uint16_t *items;
    size_t num, capacity;
};

struct ms_config {
    size_t count; /* references; see ms_config_retain() */
    enum ms_role role;

    struct ms_identities identities;
    ms_choose *choose; /* instead of identities; NULL: none */
    void *choose_context;
    struct ms_trust *trust; /* NULL: nobody */
    enum ms_verify_policy verify;
    char *server_name, *verify_name; /* NULL: none */
    enum ms_client_auth client_auth;
    bool issuers_given;                         /* send `issuer_names` instead of the trust's */
    struct ms_texts issuer_names;               /* each an RFC 4514 name */
    struct ms_certificates issuer_certificates; /* named too, after those */
    enum ms_send_certificate send_certificate;
    bool allow_identity_change;

    struct ms_codes versions, cipher_suites, groups, signature_schemes; /* num 0: not said */
    char *priority;                                                     /* NULL: not said */
    bool server_preference, extended_master_secret;
    enum ms_renegotiation renegotiation;
    struct ms_texts alpn; /* no items: not said */
    bool alpn_required;
    int64_t tickets; /* -1: GnuTLS's default */
    bool post_handshake_auth;
    int64_t max_depth, max_message_size; /* -1: GnuTLS's default */
    bool rfc_alerts;
    int64_t clock_offset; /* seconds */
    struct ms_site *sites;
    size_t num_sites;
    bool reject_unknown_name;

    /* made by ms_config_finish() */
    struct ms_shared_priority *shared_priority;
    const struct ms_priority *made_priority; /* borrowed from it */
    struct ms_credentials *credentials;
};

/* What configs share with earlier ones that were told the same: priorities and credentials. */
struct ms_config_cache;
struct ms_config_cache *ms_config_cache_new(struct ms_error *error);
void ms_config_cache_free(struct ms_config_cache *cache); /* NULL is fine */

/* An empty config with every default but those of the Lua library: no lists, EMS on, PARTIAL,
 * post-handshake authentication on, -1 for "GnuTLS's default". Fill it, then finish it.
 * Returned, caller releases. */
struct ms_config *ms_config_new(enum ms_role role, struct ms_error *error);

/* Checks it, makes its priority and its credentials (taken from `cache` where an equal set is
 * there; the cache must outlive the call only). The error begins with the option at fault. */
bool ms_config_finish(struct ms_config *config, struct ms_config_cache *cache,
                      struct ms_error *error);
struct ms_config *ms_config_retain(struct ms_config *config);
void ms_config_release(struct ms_config *config); /* NULL is fine */

/* Helpers to fill it; all retain or copy. False when memory is short. */
bool ms_config_add_identity(struct ms_config *config, struct ms_identity *identity);
bool ms_config_add_site(struct ms_config *config, const char *name, struct ms_config *site);
bool ms_codes_add(struct ms_codes *codes, uint16_t code);

#endif
