/* SPDX-License-Identifier: MIT */
/* Certificates by their DER, each once. A peer may send tens of thousands of what is none, in any
 * order: finding one takes few comparisons all the same. */
#ifndef MS_CERTIFICATE_SET_H
#define MS_CERTIFICATE_SET_H

#include "certificate.h"

struct ms_certificate_node {
    struct ms_certificate *certificate;
    size_t left, right; /* numbers of nodes, from 1; 0: none */
    unsigned level;
};

/* Zero-initialise. */
struct ms_certificate_set {
    struct ms_certificate_node *nodes;
    size_t num, capacity;
    size_t top; /* likewise */
};

/* Borrowed until the set is cleared; NULL when there is none of these bytes. Allocates nothing. */
struct ms_certificate *ms_certificate_set_find(const struct ms_certificate_set *set,
                                               struct ms_slice der);
/* Retains; one whose bytes are there already is not added. False when memory is short. */
bool ms_certificate_set_add(struct ms_certificate_set *set, struct ms_certificate *certificate);
void ms_certificate_set_clear(struct ms_certificate_set *set);

#endif
