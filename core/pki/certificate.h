/* SPDX-License-Identifier: MIT */
/* A certificate as it stands on the wire: its DER, and what it says, read when first asked.
 * Counted. A peer may send anything, so a certificate need not be readable to be held and compared.
 */
#ifndef MS_CERTIFICATE_H
#define MS_CERTIFICATE_H

#include "bytes.h"
#include "error.h"
#include "fields.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

struct ms_certificate;

/* A list of retained certificates. `items` NULL means absent; a list of none has items != NULL. */
struct ms_certificates {
    struct ms_certificate **items;
    size_t num, capacity;
};

/* What a certificate says. Texts are UTF-8, names RFC 4514; see ms_certificate_fields. */
struct ms_certificate_facts {
    char *subject, *issuer, *serial, *fingerprint;
    int64_t not_before, not_after; /* seconds since the epoch, both inclusive */
    struct ms_texts dns_names, ip_addresses, uris,
        email_addresses; /* always present, may be empty */
    bool is_ca;
    int64_t path_length; /* -1: no constraint */
    struct ms_texts key_usage,
        purposes;   /* absent: no extension. Words of RFC 5280; "server", "client", "any" or OIDs */
    char *key_type; /* as ms_key_type(), or an OID */
    int64_t key_bits;          /* -1: unknown */
    char *signature_algorithm; /* "ecdsa-with-SHA256", ... or an OID */
    char *principal;           /* first URI SAN, else first DNS SAN, else subject */
    bool self_signed;          /* subject equals issuer and its own key verifies it */
};
extern const struct ms_field ms_certificate_fields[];

/* Copies. Never parses: fails only for want of memory. Returned, caller releases. */
struct ms_certificate *ms_certificate_new(struct ms_slice der, struct ms_error *error);
struct ms_certificate *ms_certificate_retain(struct ms_certificate *certificate);
void ms_certificate_release(struct ms_certificate *certificate); /* NULL is fine */

struct ms_slice ms_certificate_der(const struct ms_certificate *certificate); /* borrows */
bool ms_certificate_equal(const struct ms_certificate *a, const struct ms_certificate *b);

/* Parsed once, kept. Both borrow until the certificate goes; NULL when it cannot be parsed. */
gnutls_x509_crt_t ms_certificate_crt(struct ms_certificate *certificate, struct ms_error *error);
const struct ms_certificate_facts *ms_certificate_facts(struct ms_certificate *certificate,
                                                        struct ms_error *error);

/* The facts if they have been read, else NULL: for who may not allocate (a signal handler). */
const struct ms_certificate_facts *ms_certificate_known(const struct ms_certificate *certificate);

/* Whether subject and issuer are the same name and its own key verifies its signature; found out
 * once. False when the certificate cannot be parsed. */
bool ms_certificate_self_signed(struct ms_certificate *certificate, bool *self_signed,
                                struct ms_error *error);
/* Spares finding it out: for who has just signed it so. */
void ms_certificate_mark_self_signed(struct ms_certificate *certificate);

/* Appended to `to`: PEM, and the long text that gnutls_x509_crt_print() makes. */
bool ms_certificate_pem(struct ms_certificate *certificate, struct ms_bytes *to,
                        struct ms_error *error);
bool ms_certificate_text(struct ms_certificate *certificate, struct ms_bytes *to,
                         struct ms_error *error);

/* Every certificate of a PEM text (all of them, not GnuTLS's first 16) or the one of a DER text.
 * Each must parse; the error says which one does not. Appends to `list`. */
bool ms_certificates_read(struct ms_slice text, struct ms_certificates *list,
                          struct ms_error *error);

bool ms_certificates_begin(struct ms_certificates *list); /* present, may stay empty */
bool ms_certificates_add(struct ms_certificates *list,
                         struct ms_certificate *certificate); /* retains */
bool ms_certificates_copy(struct ms_certificates *to, const struct ms_certificates *from);
void ms_certificates_clear(struct ms_certificates *list);

/* An RFC 4514 name as DER, as the certificate factory encodes it, and back. Appended to `der`; the
 * text is returned, caller frees with ms_free(). What is no name becomes `#` and its hex, so that
 * decoding fails for want of memory only. */
bool ms_name_encode(const char *rfc4514, struct ms_bytes *der, struct ms_error *error);
char *ms_name_decode(struct ms_slice der, struct ms_error *error);

#endif
