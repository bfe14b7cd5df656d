/* SPDX-License-Identifier: MIT */
/* The way that GnuTLS took through a chain: which certificate it checked against which issuer, with
 * what result, and the certification path that follows from it. */
#ifndef MS_PATH_H
#define MS_PATH_H

#include "trust.h"

/* One check of GnuTLS's. Borrows from the path. */
struct ms_edge {
    struct ms_certificate *subject, *issuer; /* issuer NULL: none was found, or none was looked for
                                                (a path length limit was met first) */
    unsigned status;                         /* gnutls_certificate_status_t of this check */
};

/* Made by ms_path_open(); everything in it is for reading. */
struct ms_path {
    struct ms_certificates chain;      /* as sent, up to the first that cannot be read; borrows */
    gnutls_x509_crt_t *crts;           /* of the chain */
    struct ms_certificate *unreadable; /* that first one, or NULL; borrows */
    const struct ms_trust *trust;      /* may be NULL; borrows */
    unsigned flags;                    /* gnutls_certificate_verify_flags */
    struct ms_edge *edges;             /* in the order of the checks: from the anchor down */
    size_t num, capacity;
    struct ms_certificates strangers; /* anchors out of a system's store that were met */
    bool broken;                      /* memory was short while GnuTLS was checking */
};

/* Readies a chain of at least one certificate for checking. `chain` and `trust` are borrowed until
 * ms_path_close(), which is needed in any case. */
bool ms_path_open(struct ms_path *path, const struct ms_certificates *chain,
                  const struct ms_trust *trust, unsigned flags, struct ms_error *error);
void ms_path_close(struct ms_path *path);

/* Has GnuTLS judge the chain (once), by these typed data and the flags. `status` gets
 * gnutls_certificate_status_t. */
bool ms_path_check(struct ms_path *path, gnutls_typed_vdata_st *data, unsigned num_data,
                   unsigned *status, struct ms_error *error);

/* The check that made `status` what it is, or NULL where none did (the name, the leaf's purpose).
 */
const struct ms_edge *ms_path_failure(const struct ms_path *path, unsigned status);

/* Appends the certification path, leaf first, as far as it goes: to the anchor that GnuTLS reached,
 * else to the last certificate whose issuer was not sent (where GnuTLS would look for it). */
bool ms_path_list(const struct ms_path *path, struct ms_certificates *list, struct ms_error *error);

/* The issuer of `certificate` among the others of the chain, wherever it stands in the list, or
 * NULL. GnuTLS takes it only from the next place where it does not sort: before the last 16
 * certificates, and everywhere under GNUTLS_VERIFY_DO_NOT_ALLOW_UNSORTED_CHAIN. */
struct ms_certificate *ms_path_sent_issuer(const struct ms_path *path,
                                           const struct ms_certificate *certificate);

#endif
