/* SPDX-License-Identifier: MIT */
#include "constraint.h"

#include <arpa/inet.h>
#include <stdio.h>

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

static const struct name_type {
    gnutls_x509_subject_alt_name_t type;
    const char *plural;
} name_types[] = {{GNUTLS_SAN_DNSNAME, "DNS names"},
                  {GNUTLS_SAN_RFC822NAME, "mail addresses"},
                  {GNUTLS_SAN_DN, "directory names"},
                  {GNUTLS_SAN_URI, "URIs"},
                  {GNUTLS_SAN_IPADDRESS, "IP addresses"}};
#define NUM_NAME_TYPES (sizeof name_types / sizeof *name_types)

/* What kind of name of `subject` the constraints forbid, or NULL. */
static const struct name_type *forbidden_names(gnutls_x509_name_constraints_t constraints,
                                               gnutls_x509_crt_t subject) {
    for (size_t i = 0; i < NUM_NAME_TYPES; i++) {
        if (!gnutls_x509_name_constraints_check_crt(constraints, name_types[i].type, subject)) {
            return &name_types[i];
        }
    }
    return NULL;
}

/* One name of a certificate, as its constraints are checked by. */
struct name {
    unsigned char bytes[512];
    size_t size;
};

static bool lets_pass(gnutls_x509_name_constraints_t constraints,
                      gnutls_x509_subject_alt_name_t type, struct name *name) {
    const gnutls_datum_t datum = {name->bytes, (unsigned)name->size};
    return gnutls_x509_name_constraints_check(constraints, type, &datum);
}

/* The first name of this kind that is forbidden; as GnuTLS does, the common name where there is no
 * DNS name. False where none is found: names that are longer are not looked at. */
static bool find_forbidden(gnutls_x509_name_constraints_t constraints,
                           gnutls_x509_subject_alt_name_t type, gnutls_x509_crt_t crt,
                           struct name *name) {
    int found = 0;
    for (unsigned i = 0; found >= 0 || found == GNUTLS_E_SHORT_MEMORY_BUFFER; i++) {
        name->size = sizeof name->bytes;
        found = gnutls_x509_crt_get_subject_alt_name(crt, i, name->bytes, &name->size, NULL);
        if (found == (int)type && !lets_pass(constraints, type, name)) {
            return true;
        }
    }
    name->size = sizeof name->bytes;
    return type == GNUTLS_SAN_DNSNAME &&
           gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name->bytes,
                                         &name->size) >= 0 &&
           !lets_pass(constraints, type, name);
}

/* Whether what is excluded forbids the name, and not only what is permitted. */
static bool is_excluded(gnutls_x509_name_constraints_t constraints,
                        gnutls_x509_subject_alt_name_t type, struct name *name) {
    gnutls_x509_name_constraints_t excluded;
    if (gnutls_x509_name_constraints_init(&excluded) < 0) {
        return false;
    }
    unsigned of_type;
    gnutls_datum_t subtree;
    for (unsigned i = 0;
         gnutls_x509_name_constraints_get_excluded(constraints, i, &of_type, &subtree) >= 0; i++) {
        (void)gnutls_x509_name_constraints_add_excluded(excluded, of_type, &subtree);
    }
    bool found = !lets_pass(excluded, type, name);
    gnutls_x509_name_constraints_deinit(excluded);
    return found;
}

/* GnuTLS 3.7.9 can check three kinds of names, and refuses any of another kind that is constrained
 * at all (gnutls_x509_name_constraints_check()). */
static bool can_check(gnutls_x509_subject_alt_name_t type) {
    return type == GNUTLS_SAN_DNSNAME || type == GNUTLS_SAN_RFC822NAME ||
           type == GNUTLS_SAN_IPADDRESS;
}

static void add_forbidden(gnutls_x509_name_constraints_t constraints, const struct name_type *kind,
                          gnutls_x509_crt_t crt, struct ms_sentence *sentence) {
    const gnutls_x509_subject_alt_name_t type = kind->type;
    struct name name;
    if (!find_forbidden(constraints, type, crt, &name)) {
        return;
    }
    char text[sizeof name.bytes + 1];
    snprintf(text, sizeof text, "%.*s", (int)name.size, (const char *)name.bytes);
    if (type == GNUTLS_SAN_IPADDRESS && (name.size == 4 || name.size == 16)) {
        inet_ntop(name.size == 4 ? AF_INET : AF_INET6, name.bytes, text, sizeof text);
    }
    ms_sentence_add(sentence, ": ");
    ms_sentence_add_text(sentence, text);
    if (!can_check(type)) {
        ms_sentence_add(sentence, " (GnuTLS cannot check %s and refuses any)", kind->plural);
    } else {
        ms_sentence_add(sentence, is_excluded(constraints, type, &name) ? " is excluded"
                                                                        : " is not permitted");
    }
}

/* Says that the CA forbids the leaf one of its names, where it does. RFC 5280 6.1.3 holds the
 * intermediates to the constraints as well; GnuTLS 3.7.9 does not, so that what they are called
 * never explains its verdict. */
static bool forbids(struct ms_certificate *ca, struct ms_certificate *leaf,
                    struct ms_sentence *sentence) {
    gnutls_x509_name_constraints_t constraints;
    gnutls_x509_crt_t crt = ms_certificate_crt(leaf, NULL);
    if (gnutls_x509_name_constraints_init(&constraints) < 0) {
        return false;
    }
    const struct name_type *type = NULL;
    if (gnutls_x509_crt_get_name_constraints(ms_certificate_crt(ca, NULL), constraints, 0, NULL) >=
        0) {
        type = forbidden_names(constraints, crt);
    }
    if (type) {
        ms_sentence_add_subject(sentence, ca);
        ms_sentence_add(sentence, " constrains the %s below it, which those of ", type->plural);
        ms_sentence_add_subject(sentence, leaf);
        ms_sentence_add(sentence, " violate");
        add_forbidden(constraints, type, crt, sentence);
    }
    gnutls_x509_name_constraints_deinit(constraints);
    return type != NULL;
}

static struct ms_certificate *find_name_constraint(const struct ms_evidence *evidence,
                                                   struct ms_sentence *sentence) {
    for (size_t i = evidence->list->num; i-- > 1;) {
        if (forbids(evidence->list->items[i], evidence->list->items[0], sentence)) {
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
