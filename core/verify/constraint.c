/* SPDX-License-Identifier: MIT */
#include "constraint.h"

/* Whether the words "subject" and "issuer" of a certificate are the same name. */
static bool self_issued(gnutls_x509_crt_t crt) {
    gnutls_datum_t subject = {0};
    gnutls_datum_t issuer = {0};
    bool same = gnutls_x509_crt_get_raw_dn(crt, &subject) >= 0 &&
                gnutls_x509_crt_get_raw_issuer_dn(crt, &issuer) >= 0 &&
                ms_slice_equal((struct ms_slice){subject.data, subject.size},
                               (struct ms_slice){issuer.data, issuer.size});
    gnutls_free(subject.data);
    gnutls_free(issuer.data);
    return same;
}

/* -1: no limit. */
static int path_length(gnutls_x509_crt_t crt) {
    unsigned is_ca = 0;
    int limit = -1;
    int code = gnutls_x509_crt_get_basic_constraints(crt, NULL, &is_ca, &limit);
    return code >= 0 && is_ca ? limit : -1;
}

static gnutls_x509_crt_t crt_at(const struct ms_evidence *evidence, size_t index) {
    return ms_certificate_crt(evidence->list->items[index], NULL);
}

/* The topmost CA below which there are more intermediates than it allows, the last certificate of
 * the path not counted (RFC 5280 4.2.1.9); or NULL. */
static struct ms_certificate *over_limit(const struct ms_evidence *evidence, bool count_self_issued,
                                         int *limit, int *count) {
    struct ms_certificate *culprit = NULL;
    int below = 0;
    bool unchecked = evidence->path->flags & GNUTLS_VERIFY_DISABLE_CA_SIGN;
    for (size_t i = 1; i < evidence->list->num && !unchecked; i++) {
        gnutls_x509_crt_t crt = crt_at(evidence, i);
        int allowed = path_length(crt);
        if (allowed >= 0 && below > allowed) {
            culprit = evidence->list->items[i];
            *limit = allowed;
            *count = below;
        }
        below += count_self_issued || !self_issued(crt);
    }
    return culprit;
}

static struct ms_certificate *find_path_length(const struct ms_evidence *evidence,
                                               struct ms_sentence *sentence) {
    int limit;
    int count;
    struct ms_certificate *culprit = over_limit(evidence, false, &limit, &count);
    if (culprit) {
        ms_sentence_add_subject(sentence, culprit);
        ms_sentence_add(sentence, " allows %d intermediate%s below it, there %s %d", limit,
                        limit == 1 ? "" : "s", count == 1 ? "is" : "are", count);
    }
    return culprit;
}

struct ms_certificate *ms_constraint_miscounted(const struct ms_evidence *evidence,
                                                struct ms_sentence *sentence) {
    int limit;
    int count;
    struct ms_certificate *culprit = over_limit(evidence, true, &limit, &count);
    if (culprit) {
        ms_sentence_add_subject(sentence, culprit);
        ms_sentence_add(sentence,
                        " allows %d intermediate%s below it; there are no more, but GnuTLS counts "
                        "self-issued ones, too, and comes to %d",
                        limit, limit == 1 ? "" : "s", count);
    }
    return culprit;
}

static struct ms_certificate *find_key_usage(const struct ms_evidence *evidence,
                                             struct ms_sentence *sentence) {
    bool unchecked = evidence->path->flags & GNUTLS_VERIFY_DISABLE_CA_SIGN;
    for (size_t i = evidence->list->num; i-- > 1 && !unchecked;) {
        unsigned usage = 0;
        if (gnutls_x509_crt_get_key_usage(crt_at(evidence, i), &usage, NULL) >= 0 &&
            !(usage & GNUTLS_KEY_KEY_CERT_SIGN)) {
            ms_sentence_add_subject(sentence, evidence->list->items[i]);
            ms_sentence_add(sentence, " may not sign certificates (its key usage lacks "
                                      "keyCertSign), but signed ");
            ms_sentence_add_subject(sentence, evidence->list->items[i - 1]);
            return evidence->list->items[i];
        }
    }
    return NULL;
}

static const struct {
    gnutls_x509_subject_alt_name_t type;
    const char *plural;
} name_types[] = {{GNUTLS_SAN_DNSNAME, "DNS names"},
                  {GNUTLS_SAN_RFC822NAME, "mail addresses"},
                  {GNUTLS_SAN_DN, "directory names"},
                  {GNUTLS_SAN_URI, "URIs"},
                  {GNUTLS_SAN_IPADDRESS, "IP addresses"}};
#define NUM_NAME_TYPES (sizeof name_types / sizeof *name_types)

/* What kind of name of `subject` the constraints forbid, or NULL. */
static const char *forbidden_names(gnutls_x509_name_constraints_t constraints,
                                   gnutls_x509_crt_t subject) {
    for (size_t i = 0; i < NUM_NAME_TYPES; i++) {
        if (!gnutls_x509_name_constraints_check_crt(constraints, name_types[i].type, subject)) {
            return name_types[i].plural;
        }
    }
    return NULL;
}

/* The kind of name that the CA at `index` of the path forbids the leaf, or NULL. RFC 5280 6.1.3
 * holds the intermediates to the constraints as well; GnuTLS 3.7.9 does not, so that what they are
 * called never explains its verdict. */
static const char *forbidden_by(const struct ms_evidence *evidence, size_t index) {
    gnutls_x509_name_constraints_t constraints;
    if (gnutls_x509_name_constraints_init(&constraints) < 0) {
        return NULL;
    }
    const char *kind = NULL;
    if (gnutls_x509_crt_get_name_constraints(crt_at(evidence, index), constraints, 0, NULL) >= 0) {
        kind = forbidden_names(constraints, crt_at(evidence, 0));
    }
    gnutls_x509_name_constraints_deinit(constraints);
    return kind;
}

static struct ms_certificate *find_name_constraint(const struct ms_evidence *evidence,
                                                   struct ms_sentence *sentence) {
    for (size_t i = evidence->list->num; i-- > 1;) {
        const char *kind = forbidden_by(evidence, i);
        if (kind) {
            ms_sentence_add_subject(sentence, evidence->list->items[i]);
            ms_sentence_add(sentence, " constrains the %s below it, which those of ", kind);
            ms_sentence_add_subject(sentence, evidence->list->items[0]);
            ms_sentence_add(sentence, " violate");
            return evidence->list->items[i];
        }
    }
    return NULL;
}

const struct ms_constraint ms_constraints[] = {
    {"path_length_exceeded", find_path_length},
    {"name_constraint_violated", find_name_constraint},
    {"key_usage_forbids_signing", find_key_usage},
    {NULL, NULL},
};
