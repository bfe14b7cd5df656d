/* SPDX-License-Identifier: MIT */
/* The certificate factory. It builds what it is told, rules of RFC 5280 broken or not; only the
 * impossible fails. */
#ifndef MS_ISSUE_H
#define MS_ISSUE_H

#include "identity.h"

struct ms_extension {
    const char *oid;
    bool critical;
    struct ms_slice der;
};

/* What to write into a certificate. Everything borrows until the call returns. The caller (the Lua
 * library) has put every default in: an absent value means that the certificate lacks it. */
struct ms_recipe {
    const char *subject; /* RFC 4514; "" is an empty name */
    const char
        *issuer_name; /* RFC 4514: write this instead of the issuer's subject; NULL normally */
    struct ms_texts dns, ip, uri, email;
    int64_t not_before, not_after; /* seconds since the epoch */
    const char *serial;            /* hex, "-" before it for a negative one (any length, not 0);
                                      NULL: 16 random bytes, the first below 0x80 */
    struct ms_texts key_usage;     /* words of RFC 5280; items NULL: no extension */
    struct ms_texts purposes;      /* "server", "client", "any" or OIDs; items NULL: no extension */
    enum ms_maybe ca;              /* basicConstraints: nil none, false CA:FALSE, true CA:TRUE */
    int64_t path_length;           /* -1: none */
    const char *digest;            /* "sha256", ...; NULL: as fits the issuer's key */
    struct ms_texts permitted, excluded; /* name constraints "dns:example.org", "ip:10.0.0.0/8",
                                            "email:example.org", "uri:example.org" */
    struct ms_texts crl_urls;
    const char *ocsp_url;
    bool must_staple;
    const struct ms_extension *extensions; /* each replaces what stands above for its OID */
    size_t num_extensions;
    /* The latter has no effect on a self-signed one or below an issuer without the former: those
     * have no authority key identifier anyway. */
    bool omit_subject_key_id, omit_authority_key_id;
};

/* Issues a certificate for `key`. `issuer` NULL: self-signed. The chain of the result is its leaf,
 * then the issuer's chain without a self-signed root; a self-signed one's chain is itself. An
 * error's text begins with the field of the recipe that cannot be had. Retains `key` and `issuer`.
 * Returned, caller releases. */
struct ms_identity *ms_issue(const struct ms_recipe *recipe, struct ms_key *key,
                             struct ms_identity *issuer, struct ms_error *error);

#endif
