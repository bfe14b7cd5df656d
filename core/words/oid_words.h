/* SPDX-License-Identifier: MIT */
/* The words that stand for OIDs and bits in certificates, both ways. All results are static, and
 * NULL or 0 when there is none. */
#ifndef MS_OID_WORDS_H
#define MS_OID_WORDS_H

/* "server", "client" and "any" (extended key usage). */
const char *ms_purpose_word(const char *oid);
const char *ms_purpose_oid(const char *word);

/* A signature algorithm as the RFC that defines it spells it: "ecdsa-with-SHA256", ... */
const char *ms_signature_word(const char *oid);

/* Bits of GNUTLS_KEY_*, words of RFC 5280 ("digitalSignature", ...) in the order of its bits. */
unsigned ms_key_usage_bit(const char *word);
extern const struct ms_key_usage {
    const char *word; /* NULL ends the table */
    unsigned bit;
} ms_key_usages[];

/* Whether a text is an OID in dotted form. */
_Bool ms_is_oid(const char *text);

#endif
