/* SPDX-License-Identifier: MIT */
#include "finding.h"

#include "clock.h"
#include "constraint.h"
#include "memory.h"

#include <string.h>

/* Each writes a clause on its flag and returns the certificate at fault (borrowed), or NULL where
 * it is none in particular. */
typedef struct ms_certificate *explain_function(const struct ms_evidence *evidence,
                                                struct ms_sentence *sentence);

static struct ms_certificate *leaf_of(const struct ms_evidence *evidence) {
    return evidence->path->chain.items[0];
}

static struct ms_certificate *top_of(const struct ms_evidence *evidence) {
    return evidence->list->items[evidence->list->num - 1];
}

/* The two sides of the check that failed; the leaf where it is not known. */
static struct ms_certificate *failed_subject(const struct ms_evidence *evidence) {
    return evidence->failure ? evidence->failure->subject : leaf_of(evidence);
}

static struct ms_certificate *failed_issuer(const struct ms_evidence *evidence) {
    return evidence->failure && evidence->failure->issuer ? evidence->failure->issuer
                                                          : failed_subject(evidence);
}

static gnutls_x509_crt_t crt_of(struct ms_certificate *certificate) {
    return ms_certificate_crt(certificate, NULL);
}

/* An anchor that has the name of the issuer wanted, but not its key. */
static bool trusts_namesake(const struct ms_evidence *evidence, struct ms_certificate *subject) {
    const struct ms_certificates *anchors =
        evidence->path->trust ? ms_trust_anchors(evidence->path->trust) : NULL;
    gnutls_datum_t wanted = {0};
    if (!anchors || gnutls_x509_crt_get_raw_issuer_dn(crt_of(subject), &wanted) < 0) {
        return false;
    }
    bool found = false;
    for (size_t i = 0; i < anchors->num && !found; i++) {
        gnutls_datum_t name = {0};
        found = gnutls_x509_crt_get_raw_dn(crt_of(anchors->items[i]), &name) >= 0 &&
                ms_slice_equal((struct ms_slice){name.data, name.size},
                               (struct ms_slice){wanted.data, wanted.size});
        gnutls_free(name.data);
    }
    gnutls_free(wanted.data);
    return found;
}

static struct ms_certificate *explain_signer_not_found(const struct ms_evidence *evidence,
                                                       struct ms_sentence *sentence) {
    struct ms_certificate *top = top_of(evidence);
    gnutls_x509_crt_t crt = crt_of(top);
    if (gnutls_x509_crt_check_issuer(crt, crt)) {
        ms_sentence_add_subject(sentence, top);
        ms_sentence_add(sentence, " is self-signed and not trusted");
        return top;
    }
    ms_sentence_add(sentence, "the issuer of ");
    ms_sentence_add_subject(sentence, top);
    ms_sentence_add(sentence, " (");
    ms_sentence_add_issuer(sentence, top);
    if (ms_path_sent_issuer(evidence->path, top)) {
        ms_sentence_add(sentence, ") was sent, but not right after it, and %s",
                        evidence->path->flags & GNUTLS_VERIFY_DO_NOT_ALLOW_UNSORTED_CHAIN
                            ? "an unsorted chain is not allowed"
                            : "GnuTLS sorts only the last 16 certificates of a chain");
    } else if (trusts_namesake(evidence, top)) {
        ms_sentence_add(sentence, ") was not sent; one of that name is trusted, with another key");
    } else {
        ms_sentence_add(sentence, ") was not sent and is not trusted");
    }
    return top;
}

static struct ms_certificate *explain_signature_failure(const struct ms_evidence *evidence,
                                                        struct ms_sentence *sentence) {
    struct ms_certificate *subject = failed_subject(evidence);
    ms_sentence_add(sentence, "the signature of ");
    ms_sentence_add_subject(sentence, subject);
    ms_sentence_add(sentence, " was not made with the key of ");
    ms_sentence_add_subject(sentence, failed_issuer(evidence));
    return subject;
}

static struct ms_certificate *explain_signer_not_ca(const struct ms_evidence *evidence,
                                                    struct ms_sentence *sentence) {
    struct ms_certificate *issuer = failed_issuer(evidence);
    unsigned is_ca;
    int limit;
    bool said = gnutls_x509_crt_get_basic_constraints(crt_of(issuer), NULL, &is_ca, &limit) !=
                GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE;
    ms_sentence_add_subject(sentence, issuer);
    ms_sentence_add(sentence, " signed ");
    ms_sentence_add_subject(sentence, failed_subject(evidence));
    ms_sentence_add(sentence, said ? " but is no CA (its basic constraints say so)"
                                   : " but is no CA (it has no basic constraints)");
    return issuer;
}

static struct ms_certificate *explain_insecure_algorithm(const struct ms_evidence *evidence,
                                                         struct ms_sentence *sentence) {
    struct ms_certificate *culprit = failed_subject(evidence);
    int signature = gnutls_x509_crt_get_signature_algorithm(crt_of(culprit));
    unsigned bits = 0;
    if (signature > 0 && !gnutls_sign_is_secure2(signature, GNUTLS_SIGN_FLAG_SECURE_FOR_CERTS)) {
        ms_sentence_add_subject(sentence, culprit);
        ms_sentence_add(sentence, " is signed with %s, which is not secure",
                        gnutls_sign_get_name(signature));
        return culprit;
    }
    /* Else the profile in force asks for more: of the two keys, the weaker one is named. */
    unsigned other_bits = 0;
    struct ms_certificate *issuer = failed_issuer(evidence);
    int type = gnutls_x509_crt_get_pk_algorithm(crt_of(culprit), &bits);
    int other_type = gnutls_x509_crt_get_pk_algorithm(crt_of(issuer), &other_bits);
    if (gnutls_pk_bits_to_sec_param(other_type, other_bits) <
        gnutls_pk_bits_to_sec_param(type, bits)) {
        culprit = issuer;
        type = other_type;
        bits = other_bits;
        signature = gnutls_x509_crt_get_signature_algorithm(crt_of(culprit));
    }
    const char *key_name = gnutls_pk_get_name(type);
    const char *signature_name = signature > 0 ? gnutls_sign_get_name(signature) : NULL;
    ms_sentence_add_subject(sentence, culprit);
    ms_sentence_add(sentence, " (a key of %u bits for %s, signed with %s) is weaker than demanded",
                    bits, key_name ? key_name : "an unknown algorithm",
                    signature_name ? signature_name : "an unknown algorithm");
    return culprit;
}

/* Critical extensions that GnuTLS 3.7.9 understands (lib/x509/supported_exts.gperf). */
static const char *const understood[] = {
    "2.5.29.14",         "2.5.29.15",          "2.5.29.17", "2.5.29.18",         "2.5.29.19",
    "2.5.29.30",         "2.5.29.31",          "2.5.29.35", "2.5.29.37",         "2.5.29.32",
    "1.3.6.1.5.5.7.1.1", "1.3.6.1.5.5.7.1.14", "2.5.29.54", "1.3.6.1.5.5.7.1.24"};

static bool is_understood(const char *oid) {
    for (size_t i = 0; i < sizeof understood / sizeof *understood; i++) {
        if (strcmp(understood[i], oid) == 0) {
            return true;
        }
    }
    return false;
}

static bool has_unknown_extension(struct ms_certificate *certificate, char oid[128]) {
    unsigned critical = 0;
    size_t size = 128;
    for (unsigned i = 0;; i++, size = 128) {
        if (gnutls_x509_crt_get_extension_info(crt_of(certificate), i, oid, &size, &critical) < 0) {
            return false;
        }
        if (critical && !is_understood(oid)) {
            return true;
        }
    }
}

static struct ms_certificate *explain_unknown_extension(const struct ms_evidence *evidence,
                                                        struct ms_sentence *sentence) {
    struct ms_certificate *culprit = failed_issuer(evidence);
    char oid[128];
    bool known = has_unknown_extension(culprit, oid);
    if (!known) {
        culprit = failed_subject(evidence);
        known = has_unknown_extension(culprit, oid);
    }
    ms_sentence_add_subject(sentence, culprit);
    ms_sentence_add(sentence, " has a critical extension that GnuTLS does not understand%s%s",
                    known ? ", " : "", known ? oid : "");
    return culprit;
}

/* The topmost certificate of the path that the clock in force lies outside of. */
static struct ms_certificate *outside(const struct ms_evidence *evidence, bool after) {
    bool anchor_exempt = evidence->path->flags & GNUTLS_VERIFY_DISABLE_TRUSTED_TIME_CHECKS;
    int64_t now = ms_clock_in_force();
    for (size_t i = evidence->list->num; i-- > 0;) {
        gnutls_x509_crt_t crt = crt_of(evidence->list->items[i]);
        bool exempt = anchor_exempt && i > 0 && i + 1 == evidence->list->num;
        if (!exempt && (after ? now > gnutls_x509_crt_get_expiration_time(crt)
                              : now < gnutls_x509_crt_get_activation_time(crt))) {
            return evidence->list->items[i];
        }
    }
    return failed_subject(evidence);
}

static struct ms_certificate *explain_time(const struct ms_evidence *evidence,
                                           struct ms_sentence *sentence, bool after) {
    struct ms_certificate *culprit = outside(evidence, after);
    gnutls_x509_crt_t crt = crt_of(culprit);
    ms_sentence_add_subject(sentence, culprit);
    ms_sentence_add(sentence, after ? " was valid until " : " is not valid before ");
    ms_sentence_add_time(sentence, after ? gnutls_x509_crt_get_expiration_time(crt)
                                         : gnutls_x509_crt_get_activation_time(crt));
    ms_sentence_add(sentence, ", it is now ");
    ms_sentence_add_time(sentence, ms_clock_in_force());
    return culprit;
}

static struct ms_certificate *explain_not_activated(const struct ms_evidence *evidence,
                                                    struct ms_sentence *sentence) {
    return explain_time(evidence, sentence, false);
}

static struct ms_certificate *explain_expired(const struct ms_evidence *evidence,
                                              struct ms_sentence *sentence) {
    return explain_time(evidence, sentence, true);
}

static struct ms_certificate *explain_revoked(const struct ms_evidence *evidence,
                                              struct ms_sentence *sentence) {
    struct ms_certificate *culprit = failed_subject(evidence);
    ms_sentence_add_subject(sentence, culprit);
    ms_sentence_add(sentence, " is revoked");
    return culprit;
}

static struct ms_certificate *explain_purpose(const struct ms_evidence *evidence,
                                              struct ms_sentence *sentence) {
    bool server = evidence->demand->purpose == MS_PURPOSE_SERVER;
    const char *oid = server ? GNUTLS_KP_TLS_WWW_SERVER : GNUTLS_KP_TLS_WWW_CLIENT;
    struct ms_certificate *culprit = leaf_of(evidence);
    for (size_t i = 0; i + 1 < evidence->list->num; i++) {
        struct ms_certificate *one = evidence->list->items[i];
        /* GnuTLS takes "any purpose" from a leaf, not from an intermediate. */
        if (!gnutls_x509_crt_check_key_purpose(crt_of(one), oid,
                                               i ? GNUTLS_KP_FLAG_DISALLOW_ANY : 0)) {
            culprit = one;
            break;
        }
    }
    ms_sentence_add_subject(sentence, culprit);
    ms_sentence_add(
        sentence, " is not for %s authentication (its extended key usage%s)",
        server ? "server" : "client",
        ms_certificate_equal(culprit, leaf_of(evidence)) ? "" : " binds what it issues, too");
    return culprit;
}

static struct ms_certificate *explain_owner(const struct ms_evidence *evidence,
                                            struct ms_sentence *sentence) {
    struct ms_certificate *leaf = leaf_of(evidence);
    struct ms_error why = {0};
    const struct ms_certificate_facts *facts = ms_certificate_facts(leaf, &why);
    sentence->broken = sentence->broken || (!facts && why.number == GNUTLS_E_MEMORY_ERROR);
    char common_name[256];
    size_t size = sizeof common_name;
    if (facts && (facts->dns_names.num || facts->ip_addresses.num)) {
        ms_sentence_add(sentence, "the certificate is for ");
        ms_sentence_add_texts(sentence, &facts->dns_names, false);
        ms_sentence_add_texts(sentence, &facts->ip_addresses, facts->dns_names.num > 0);
    } else if (gnutls_x509_crt_get_dn_by_oid(crt_of(leaf), GNUTLS_OID_X520_COMMON_NAME, 0, 0,
                                             common_name, &size) >= 0) {
        ms_sentence_add(sentence, "the certificate is for ");
        ms_sentence_add_text(sentence, common_name);
    } else {
        ms_sentence_add(sentence, "the certificate names no host");
    }
    ms_sentence_add(sentence, ", not for ");
    ms_sentence_add_text(sentence, evidence->demand->name);
    return leaf;
}

/* What stands where no single constraint explains the flag: GnuTLS's way of counting a path, a TLS
 * feature that the issuer has and the subject lacks, or parameters of an RSA-PSS key. */
static struct ms_certificate *explain_constraints(const struct ms_evidence *evidence,
                                                  struct ms_sentence *sentence) {
    struct ms_certificate *counted = ms_constraint_miscounted(evidence, sentence);
    if (!counted) {
        ms_sentence_add(sentence, "a constraint of ");
        ms_sentence_add_subject(sentence, failed_issuer(evidence));
        ms_sentence_add(sentence, " or above is violated by ");
        ms_sentence_add_subject(sentence, failed_subject(evidence));
    }
    return counted;
}

static struct ms_certificate *explain_generally(const struct ms_evidence *evidence,
                                                struct ms_sentence *sentence) {
    struct ms_certificate *subject = failed_subject(evidence);
    ms_sentence_add(sentence, "GnuTLS refuses ");
    ms_sentence_add_subject(sentence, subject);
    ms_sentence_add(sentence, " without saying more");
    return subject;
}

/* In the order in which problems are told: whether the path stands, then what its certificates are,
 * then whether the leaf fits the occasion. */
static const struct {
    unsigned flag;
    const char *problem;
    explain_function *explain;
} flags[] = {
    {GNUTLS_CERT_SIGNER_NOT_FOUND, "signer_not_found", explain_signer_not_found},
    {GNUTLS_CERT_SIGNATURE_FAILURE, "signature_failure", explain_signature_failure},
    {GNUTLS_CERT_SIGNER_NOT_CA, "signer_not_ca", explain_signer_not_ca},
    {GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE, "signer_constraints_failure", explain_constraints},
    {GNUTLS_CERT_INSECURE_ALGORITHM, "insecure_algorithm", explain_insecure_algorithm},
    {GNUTLS_CERT_UNKNOWN_CRIT_EXTENSIONS, "unknown_crit_extensions", explain_unknown_extension},
    {GNUTLS_CERT_NOT_ACTIVATED, "not_activated", explain_not_activated},
    {GNUTLS_CERT_EXPIRED, "expired", explain_expired},
    {GNUTLS_CERT_REVOKED, "revoked", explain_revoked},
    {GNUTLS_CERT_PURPOSE_MISMATCH, "purpose_mismatch", explain_purpose},
    {GNUTLS_CERT_UNEXPECTED_OWNER, "unexpected_owner", explain_owner},
    {GNUTLS_CERT_MISMATCH, "mismatch", explain_generally},
    {GNUTLS_CERT_REVOCATION_DATA_SUPERSEDED, "revocation_data_superseded", explain_generally},
    {GNUTLS_CERT_REVOCATION_DATA_ISSUED_IN_FUTURE, "revocation_data_issued_in_future",
     explain_generally},
    {GNUTLS_CERT_MISSING_OCSP_STATUS, "missing_ocsp_status", explain_generally},
    {GNUTLS_CERT_INVALID_OCSP_STATUS, "invalid_ocsp_status", explain_generally},
};
#define NUM_FLAGS (sizeof flags / sizeof *flags)

const char *ms_verification_word(size_t index) {
    static const char *const others[] = {"depth_exceeded", "malformed_certificate", "invalid"};
    if (index < NUM_FLAGS) {
        return flags[index].problem;
    }
    index -= NUM_FLAGS;
    size_t at = 0;
    for (; ms_constraints[at].problem; at++) {
        if (at == index) {
            return ms_constraints[at].problem;
        }
    }
    index -= at;
    return index < sizeof others / sizeof *others ? others[index] : NULL;
}

/* One more problem: its word and, unless that is NULL, whose fault it is. The first fault stands.
 */
static void note(struct ms_verification *result, struct ms_sentence *sentence, const char *problem,
                 struct ms_certificate *certificate) {
    sentence->broken = sentence->broken || !ms_texts_add(&result->problems, problem);
    if (certificate && !result->certificate) {
        result->certificate = ms_certificate_retain(certificate);
    }
}

/* Whether a single constraint accounts for the flag. */
static bool explain_exactly(const struct ms_evidence *evidence, struct ms_verification *result,
                            struct ms_sentence *sentence) {
    bool explained = false;
    for (const struct ms_constraint *one = ms_constraints; one->problem; one++) {
        ms_sentence_begin_clause(sentence);
        struct ms_certificate *culprit = one->find(evidence, sentence);
        if (culprit) {
            note(result, sentence, one->problem, culprit);
            explained = true;
        }
    }
    return explained;
}

static void explain_flag(const struct ms_evidence *evidence, size_t index,
                         struct ms_verification *result, struct ms_sentence *sentence) {
    note(result, sentence, flags[index].problem, NULL);
    if (flags[index].flag == GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE &&
        explain_exactly(evidence, result, sentence)) {
        return;
    }
    ms_sentence_begin_clause(sentence);
    struct ms_certificate *culprit = flags[index].explain(evidence, sentence);
    if (culprit && !result->certificate) {
        result->certificate = ms_certificate_retain(culprit);
    }
}

bool ms_finding_explain(const struct ms_evidence *evidence, struct ms_verification *result,
                        struct ms_error *error) {
    struct ms_sentence sentence = {0};
    for (size_t i = 0; i < NUM_FLAGS; i++) {
        if (evidence->status & flags[i].flag) {
            explain_flag(evidence, i, result, &sentence);
        }
    }
    if (result->problems.num == 0) {
        note(result, &sentence, "invalid", explain_generally(evidence, &sentence));
    }
    result->text = ms_sentence_end(&sentence);
    return result->text || ms_fail_memory(error);
}
