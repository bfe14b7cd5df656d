/* SPDX-License-Identifier: MIT */
#include "trust.h"

#include "memory.h"

struct ms_trust {
    size_t count;
    gnutls_x509_trust_list_t list;
    struct ms_certificates anchors;
    gnutls_x509_crt_t *crts; /* of the anchors, in their order; borrowed from them */
    bool owns_crts;          /* the list made its certificates itself and frees them */
};

static struct ms_trust *new_trust(unsigned buckets, struct ms_error *error) {
    struct ms_trust *trust = ms_alloc(sizeof *trust);
    if (!trust) {
        ms_fail_memory(error);
        return NULL;
    }
    trust->count = 1;
    int code = gnutls_x509_trust_list_init(&trust->list, buckets);
    if (code < 0) {
        ms_fail_gnutls(error, code, "cannot make a trust list");
        ms_free(trust);
        return NULL;
    }
    return trust;
}

static bool add_anchors(struct ms_trust *trust, const struct ms_certificates *anchors,
                        struct ms_error *error) {
    if (!ms_certificates_copy(&trust->anchors, anchors) ||
        !ms_certificates_begin(&trust->anchors)) {
        return ms_fail_memory(error);
    }
    trust->crts = ms_alloc(anchors->num * sizeof(gnutls_x509_crt_t));
    if (!trust->crts) {
        return ms_fail_memory(error);
    }
    for (size_t i = 0; i < anchors->num; i++) {
        trust->crts[i] = ms_certificate_crt(anchors->items[i], error);
        if (!trust->crts[i]) {
            return false;
        }
    }
    /* Without a flag for duplicates the list only borrows what it is given. */
    int added = gnutls_x509_trust_list_add_cas(trust->list, trust->crts, (unsigned)anchors->num, 0);
    return added == (int)anchors->num || ms_fail_memory(error);
}

struct ms_trust *ms_trust_new(const struct ms_certificates *anchors, struct ms_error *error) {
    /* The list is a hash table; GnuTLS's default is 127 buckets, made for a system's store. */
    struct ms_trust *trust = new_trust(anchors->num < 16 ? 16 : 127, error);
    if (trust && !add_anchors(trust, anchors, error)) {
        ms_trust_release(trust);
        return NULL;
    }
    return trust;
}

struct ms_trust *ms_trust_system(struct ms_error *error) {
    struct ms_trust *trust = new_trust(0, error);
    if (!trust) {
        return NULL;
    }
    trust->owns_crts = true;
    int code = gnutls_x509_trust_list_add_system_trust(trust->list, 0, 0);
    if (code <= 0) {
        ms_fail_gnutls(error, code < 0 ? code : GNUTLS_E_NO_CERTIFICATE_FOUND,
                       "the system's trust store cannot be read");
        ms_trust_release(trust);
        return NULL;
    }
    return trust;
}

struct ms_trust *ms_trust_retain(struct ms_trust *trust) {
    trust->count++;
    return trust;
}

void ms_trust_release(struct ms_trust *trust) {
    if (!trust || --trust->count > 0) {
        return;
    }
    gnutls_x509_trust_list_deinit(trust->list, trust->owns_crts);
    ms_free(trust->crts);
    ms_certificates_clear(&trust->anchors);
    ms_free(trust);
}

const struct ms_certificates *ms_trust_anchors(const struct ms_trust *trust) {
    return &trust->anchors;
}

gnutls_x509_trust_list_t ms_trust_list(const struct ms_trust *trust) {
    return trust->list;
}

struct ms_certificate *ms_trust_anchor(const struct ms_trust *trust, gnutls_x509_crt_t crt) {
    for (size_t i = 0; i < trust->anchors.num; i++) {
        if (trust->crts[i] == crt) {
            return trust->anchors.items[i];
        }
    }
    return NULL;
}

bool ms_trust_has(const struct ms_trust *trust, const struct ms_certificate *certificate) {
    for (size_t i = 0; i < trust->anchors.num; i++) {
        if (ms_certificate_equal(trust->anchors.items[i], certificate)) {
            return true;
        }
    }
    return false;
}
