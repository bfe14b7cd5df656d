/* SPDX-License-Identifier: MIT */
/* The words of TLS. One table a kind, by code point as IANA assigned it; every spelling that GnuTLS
 * or OpenSSL uses is understood, and IANA's is what comes back. */
#ifndef MS_NAMES_H
#define MS_NAMES_H

#include <stddef.h>
#include <stdint.h>

enum ms_names {
    MS_NAMES_VERSION,          /* "TLS1.2", ... as the design spells them; code 0x0303, ... */
    MS_NAMES_CIPHER_SUITE,     /* TLS Cipher Suites registry */
    MS_NAMES_GROUP,            /* TLS Supported Groups registry */
    MS_NAMES_SIGNATURE_SCHEME, /* TLS SignatureScheme registry */
    MS_NAMES_ALERT,            /* TLS Alerts registry */
    MS_NAMES_MESSAGE, /* TLS HandshakeType registry, in RFC 8446's CamelCase: "ClientHello" */
    MS_NAMES_RECORD   /* TLS ContentType registry */
};

struct ms_name {
    uint32_t code;
    const char *iana;    /* what is reported */
    const char *gnutls;  /* GnuTLS's spelling, or NULL: the keyword of its priority strings where it
                            has one */
    const char *openssl; /* OpenSSL's spelling, or NULL */
};

/* All return static data or NULL. ms_names_find() ignores case and takes any of the spellings, with
 * or without the prefix of a priority string ("VERS-", "GROUP-", "SIGN-"); a NULL word is not
 * found. ms_names_at() counts from 0 and gives NULL past the end. */
const struct ms_name *ms_names_by_code(enum ms_names kind, uint32_t code);
const struct ms_name *ms_names_find(enum ms_names kind, const char *word);
const struct ms_name *ms_names_at(enum ms_names kind, size_t index);

/* IANA's name, or the code as "0x1301" (written into `spare`) when the table has none. As
 * ms_names_by_code() it may be called in a signal handler. */
const char *ms_names_text(enum ms_names kind, uint32_t code, char spare[16]);

/* What GnuTLS 3.7.9 calls a number of its own, as IANA's code point, or 0 when there is none.
 * gnutls_protocol_t, gnutls_group_t, gnutls_sign_algorithm_t. */
uint32_t ms_names_version_code(int protocol);
uint32_t ms_names_group_code(int group);
uint32_t ms_names_scheme_code(int sign_algorithm);

#endif
