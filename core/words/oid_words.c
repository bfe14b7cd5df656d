/* SPDX-License-Identifier: MIT */
#include "oid_words.h"

#include <gnutls/x509.h>
#include <string.h>

struct word {
    const char *oid;
    const char *word;
};

static const struct word purposes[] = {{GNUTLS_KP_TLS_WWW_SERVER, "server"},
                                       {GNUTLS_KP_TLS_WWW_CLIENT, "client"},
                                       {GNUTLS_KP_ANY, "any"},
                                       {NULL, NULL}};

static const struct word signatures[] = {
    /* RFC 8017 appendix C */
    {"1.2.840.113549.1.1.2", "md2WithRSAEncryption"},
    {"1.2.840.113549.1.1.4", "md5WithRSAEncryption"},
    {"1.2.840.113549.1.1.5", "sha1WithRSAEncryption"},
    {"1.2.840.113549.1.1.10", "id-RSASSA-PSS"},
    {"1.2.840.113549.1.1.11", "sha256WithRSAEncryption"},
    {"1.2.840.113549.1.1.12", "sha384WithRSAEncryption"},
    {"1.2.840.113549.1.1.13", "sha512WithRSAEncryption"},
    {"1.2.840.113549.1.1.14", "sha224WithRSAEncryption"},
    /* RFC 3279 section 2.2.3, RFC 5758 section 3.2 */
    {"1.2.840.10045.4.1", "ecdsa-with-SHA1"},
    {"1.2.840.10045.4.3.1", "ecdsa-with-SHA224"},
    {"1.2.840.10045.4.3.2", "ecdsa-with-SHA256"},
    {"1.2.840.10045.4.3.3", "ecdsa-with-SHA384"},
    {"1.2.840.10045.4.3.4", "ecdsa-with-SHA512"},
    /* RFC 8410 section 3 */
    {"1.3.101.112", "id-Ed25519"},
    {"1.3.101.113", "id-Ed448"},
    /* RFC 3279 section 2.2.2, RFC 5758 section 3.1 */
    {"1.2.840.10040.4.3", "id-dsa-with-sha1"},
    {"2.16.840.1.101.3.4.3.1", "id-dsa-with-sha224"},
    {"2.16.840.1.101.3.4.3.2", "id-dsa-with-sha256"},
    /* RFC 8692 names the SHAKE ones, RFC 9688 those with SHA-3 */
    {"1.3.6.1.5.5.7.6.30", "id-RSASSA-PSS-SHAKE128"},
    {"1.3.6.1.5.5.7.6.31", "id-RSASSA-PSS-SHAKE256"},
    {"1.3.6.1.5.5.7.6.32", "id-ecdsa-with-shake128"},
    {"1.3.6.1.5.5.7.6.33", "id-ecdsa-with-shake256"},
    {"2.16.840.1.101.3.4.3.9", "id-ecdsa-with-sha3-224"},
    {"2.16.840.1.101.3.4.3.10", "id-ecdsa-with-sha3-256"},
    {"2.16.840.1.101.3.4.3.11", "id-ecdsa-with-sha3-384"},
    {"2.16.840.1.101.3.4.3.12", "id-ecdsa-with-sha3-512"},
    {"2.16.840.1.101.3.4.3.13", "id-rsassa-pkcs1-v1-5-with-sha3-224"},
    {"2.16.840.1.101.3.4.3.14", "id-rsassa-pkcs1-v1-5-with-sha3-256"},
    {"2.16.840.1.101.3.4.3.15", "id-rsassa-pkcs1-v1-5-with-sha3-384"},
    {"2.16.840.1.101.3.4.3.16", "id-rsassa-pkcs1-v1-5-with-sha3-512"},
    /* RFC 4491 section 2.2, RFC 9215 section 2 */
    {"1.2.643.2.2.3", "id-GostR3411-94-with-GostR3410-2001"},
    {"1.2.643.7.1.1.3.2", "id-tc26-signwithdigest-gost3410-12-256"},
    {"1.2.643.7.1.1.3.3", "id-tc26-signwithdigest-gost3410-12-512"},
    {NULL, NULL}};

const struct ms_key_usage ms_key_usages[] = {{"digitalSignature", GNUTLS_KEY_DIGITAL_SIGNATURE},
                                             {"nonRepudiation", GNUTLS_KEY_NON_REPUDIATION},
                                             {"keyEncipherment", GNUTLS_KEY_KEY_ENCIPHERMENT},
                                             {"dataEncipherment", GNUTLS_KEY_DATA_ENCIPHERMENT},
                                             {"keyAgreement", GNUTLS_KEY_KEY_AGREEMENT},
                                             {"keyCertSign", GNUTLS_KEY_KEY_CERT_SIGN},
                                             {"cRLSign", GNUTLS_KEY_CRL_SIGN},
                                             {"encipherOnly", GNUTLS_KEY_ENCIPHER_ONLY},
                                             {"decipherOnly", GNUTLS_KEY_DECIPHER_ONLY},
                                             {NULL, 0}};

static const char *word_of(const struct word *table, const char *oid) {
    while (table->oid && strcmp(table->oid, oid) != 0) {
        table++;
    }
    return table->word;
}

const char *ms_purpose_word(const char *oid) {
    return word_of(purposes, oid);
}

const char *ms_purpose_oid(const char *word) {
    const struct word *at = purposes;
    while (at->oid && strcmp(at->word, word) != 0) {
        at++;
    }
    return at->oid;
}

const char *ms_signature_word(const char *oid) {
    return word_of(signatures, oid);
}

unsigned ms_key_usage_bit(const char *word) {
    /* RFC 5280 section 4.2.1.3: what recent editions of X.509 call it */
    if (strcmp(word, "contentCommitment") == 0) {
        return GNUTLS_KEY_NON_REPUDIATION;
    }
    const struct ms_key_usage *at = ms_key_usages;
    while (at->word && strcmp(at->word, word) != 0) {
        at++;
    }
    return at->bit;
}

_Bool ms_is_oid(const char *text) {
    size_t len = strlen(text);
    return len > 2 && strspn(text, "0123456789.") == len && text[0] >= '0' && text[0] <= '2' &&
           text[1] == '.' && text[len - 1] != '.' && !strstr(text, "..");
}
