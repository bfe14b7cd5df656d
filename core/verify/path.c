/* SPDX-License-Identifier: MIT */
#include "path.h"

#include "memory.h"

/* DEFAULT_MAX_VERIFY_DEPTH of GnuTLS 3.7.9. What stands before the last so many certificates of a
 * list must be in order: measured with Debian's build, which has the fix of CVE-2024-28835. One
 * without it takes longer lists for as long as its stack, and must not be given any. */
#define SORTED_AT_MOST 16

/* GnuTLS hands its verdict on each pair of certificates to a function without any argument of the
 * caller's, so who is listening can only be said beside the call. NULL outside ms_path_check(). */
static _Thread_local struct ms_path *listening;

bool ms_path_open(struct ms_path *path, const struct ms_certificates *chain,
                  const struct ms_trust *trust, unsigned flags, struct ms_error *error) {
    *path = (struct ms_path){.chain = {.items = chain->items}, .trust = trust, .flags = flags};
    path->crts = ms_alloc(chain->num * sizeof(gnutls_x509_crt_t));
    if (!path->crts) {
        return ms_fail_memory(error);
    }
    for (size_t i = 0; i < chain->num; i++) {
        struct ms_error why = {0};
        path->crts[i] = ms_certificate_crt(chain->items[i], &why);
        if (!path->crts[i] && why.number == GNUTLS_E_MEMORY_ERROR) {
            return ms_fail_memory(error);
        }
        if (!path->crts[i]) {
            path->unreadable = chain->items[i];
            break;
        }
        path->chain.num++;
    }
    return true;
}

void ms_path_close(struct ms_path *path) {
    ms_free(path->crts);
    ms_free(path->edges);
    ms_certificates_clear(&path->strangers);
    *path = (struct ms_path){0};
}

/* A system's store is GnuTLS's own, and one behind PKCS #11 frees its certificates as soon as they
 * are checked: what is seen of it is copied at once. */
static struct ms_certificate *meet_stranger(struct ms_path *path, gnutls_x509_crt_t crt) {
    gnutls_datum_t der = {0};
    struct ms_certificate *stranger = NULL;
    if (gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der) >= 0) {
        stranger = ms_certificate_new((struct ms_slice){der.data, der.size}, NULL);
        gnutls_free(der.data);
    }
    /* Parsed now, so that nothing after the check can fail to. */
    if (!stranger || !ms_certificate_crt(stranger, NULL) ||
        !ms_certificates_add(&path->strangers, stranger)) {
        path->broken = true;
        ms_certificate_release(stranger);
        return NULL;
    }
    ms_certificate_release(stranger); /* the list holds it */
    return stranger;
}

static struct ms_certificate *recognise(struct ms_path *path, gnutls_x509_crt_t crt) {
    for (size_t i = 0; i < path->chain.num; i++) {
        if (path->crts[i] == crt) {
            return path->chain.items[i];
        }
    }
    struct ms_certificate *anchor = path->trust ? ms_trust_anchor(path->trust, crt) : NULL;
    return anchor ? anchor : meet_stranger(path, crt);
}

static int hear(gnutls_x509_crt_t subject, gnutls_x509_crt_t issuer, gnutls_x509_crl_t crl,
                unsigned status) {
    (void)crl;
    struct ms_path *path = listening;
    if (path->broken ||
        !ms_grow_array(&path->edges, path->num, &path->capacity, sizeof *path->edges)) {
        path->broken = true;
        return 0;
    }
    struct ms_edge *edge = &path->edges[path->num++];
    *edge = (struct ms_edge){.subject = recognise(path, subject), .status = status};
    if (issuer) {
        edge->issuer = recognise(path, issuer);
    }
    return 0;
}

bool ms_path_check(struct ms_path *path, gnutls_typed_vdata_st *data, unsigned num_data,
                   unsigned *status, struct ms_error *error) {
    gnutls_x509_trust_list_t nobody = NULL;
    if (!path->trust && gnutls_x509_trust_list_init(&nobody, 1) < 0) {
        return ms_fail_memory(error);
    }
    listening = path;
    int code = gnutls_x509_trust_list_verify_crt2(path->trust ? ms_trust_list(path->trust) : nobody,
                                                  path->crts, (unsigned)path->chain.num, data,
                                                  num_data, path->flags, status, hear);
    listening = NULL;
    gnutls_x509_trust_list_deinit(nobody, 0);
    if (path->broken) {
        return ms_fail_memory(error);
    }
    return code >= 0 || ms_fail_gnutls(error, code, "the chain cannot be judged");
}

const struct ms_edge *ms_path_failure(const struct ms_path *path, unsigned status) {
    /* GnuTLS may try twice, and the verdict is that of one of the two tries: a check that found
     * what the verdict does not say belongs to the other. */
    for (size_t i = 0; i < path->num; i++) {
        const struct ms_edge *edge = &path->edges[i];
        if (edge->status && !(edge->status & ~status)) {
            return edge;
        }
    }
    return NULL;
}

static struct ms_certificate *checked_issuer(const struct ms_path *path,
                                             const struct ms_certificate *subject) {
    for (size_t i = path->num; i-- > 0;) {
        const struct ms_edge *edge = &path->edges[i];
        if (edge->issuer && ms_certificate_equal(edge->subject, subject)) {
            return edge->issuer;
        }
    }
    return NULL;
}

static bool key_id(struct ms_certificate *certificate, uint8_t id[32]) {
    gnutls_x509_crt_t crt = ms_certificate_crt(certificate, NULL);
    size_t size = 32;
    return crt && gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA256, id, &size) >= 0;
}

static bool subject_dn_equal(struct ms_certificate *a, struct ms_certificate *b) {
    gnutls_datum_t dn_a = {0};
    gnutls_datum_t dn_b = {0};
    gnutls_x509_crt_t crt_a = ms_certificate_crt(a, NULL);
    gnutls_x509_crt_t crt_b = ms_certificate_crt(b, NULL);
    bool equal = crt_a && crt_b && gnutls_x509_crt_get_raw_dn(crt_a, &dn_a) >= 0 &&
                 gnutls_x509_crt_get_raw_dn(crt_b, &dn_b) >= 0 &&
                 ms_slice_equal((struct ms_slice){dn_a.data, dn_a.size},
                                (struct ms_slice){dn_b.data, dn_b.size});
    gnutls_free(dn_a.data);
    gnutls_free(dn_b.data);
    return equal;
}

/* GnuTLS replaces a certificate of the chain by a trusted one with the same name and key, and
 * reports the pair as if one had issued the other. */
static bool same_authority(struct ms_certificate *a, struct ms_certificate *b) {
    uint8_t id_a[32];
    uint8_t id_b[32];
    return ms_certificate_equal(a, b) ||
           (subject_dn_equal(a, b) && key_id(a, id_a) && key_id(b, id_b) &&
            ms_slice_equal((struct ms_slice){id_a, 32}, (struct ms_slice){id_b, 32}));
}

/* The chain's position of a certificate, or its length. */
static size_t position(const struct ms_path *path, const struct ms_certificate *certificate) {
    size_t at = 0;
    while (at < path->chain.num && !ms_certificate_equal(path->chain.items[at], certificate)) {
        at++;
    }
    return at;
}

/* The first of the chain's certificates from `first` up to `end` that is an issuer of the one at
 * `at`. */
static struct ms_certificate *issuer_among(const struct ms_path *path, size_t at, size_t first,
                                           size_t end) {
    if (at == path->chain.num ||
        gnutls_x509_crt_check_issuer(path->crts[at], path->crts[at])) { /* self-signed */
        return NULL;
    }
    for (size_t i = first; i < end && i < path->chain.num; i++) {
        if (i != at && gnutls_x509_crt_check_issuer(path->crts[at], path->crts[i])) {
            return path->chain.items[i];
        }
    }
    return NULL;
}

/* The issuer from where GnuTLS would take it. */
static struct ms_certificate *issuer_in_place(const struct ms_path *path,
                                              const struct ms_certificate *subject) {
    size_t at = position(path, subject);
    size_t sorted = path->chain.num > SORTED_AT_MOST ? path->chain.num - SORTED_AT_MOST : 0;
    if (at < sorted || path->flags & GNUTLS_VERIFY_DO_NOT_ALLOW_UNSORTED_CHAIN) {
        return issuer_among(path, at, at + 1, at + 2);
    }
    return issuer_among(path, at, sorted ? sorted : 1, path->chain.num);
}

struct ms_certificate *ms_path_sent_issuer(const struct ms_path *path,
                                           const struct ms_certificate *certificate) {
    return issuer_among(path, position(path, certificate), 1, path->chain.num);
}

static bool in_list(const struct ms_certificates *list, const struct ms_certificate *certificate) {
    for (size_t i = 0; i < list->num; i++) {
        if (ms_certificate_equal(list->items[i], certificate)) {
            return true;
        }
    }
    return false;
}

bool ms_path_list(const struct ms_path *path, struct ms_certificates *list,
                  struct ms_error *error) {
    bool fine = ms_certificates_begin(list);
    bool checked = false; /* GnuTLS itself came to `current` */
    struct ms_certificate *next = path->chain.num ? path->chain.items[0] : NULL;
    while (fine && next && !in_list(list, next)) {
        struct ms_certificate *current = next;
        next = checked_issuer(path, current);
        if (next && same_authority(current, next)) {
            /* The trusted one is the one that counted. */
            return ms_certificates_add(list, next) || ms_fail_memory(error);
        }
        fine = ms_certificates_add(list, current);
        bool at_anchor = checked && path->trust && ms_trust_has(path->trust, current);
        checked = next != NULL;
        if (!next && !at_anchor) {
            next = issuer_in_place(path, current);
        }
    }
    return fine || ms_fail_memory(error);
}
