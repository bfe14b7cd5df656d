/* SPDX-License-Identifier: MIT */
/* Groups as GnuTLS's priority strings see them. For priority.c alone. */
#ifndef MS_PRIORITY_GROUPS_H
#define MS_PRIORITY_GROUPS_H

#include "bytes.h"
#include "error.h"
#include "priority_suites.h"

/* Whether TLS 1.3 can use one of them: GnuTLS makes no key share for GOST's curves. */
bool ms_groups_fit_tls13(struct ms_code_list groups);

/* False, with the error, for a suite whose key exchange needs a kind of group that is not listed:
 * GnuTLS would then use one that is not listed. */
bool ms_groups_serve(struct ms_code_list groups, const struct ms_suite *suite,
                     struct ms_error *error);

/* The words that enable these groups and, where `drop_kx`, disable the key exchanges for which none
 * of them can be used. Appended with a colon before each. False when memory is short. */
bool ms_groups_write(struct ms_code_list groups, bool drop_kx, struct ms_bytes *text);

/* Would GnuTLS 3.7.9 use and send exactly these, in this order? It sorts them by kind and leaves a
 * kind out that no key exchange needs. */
bool ms_groups_compare(struct ms_code_list groups, const struct ms_suites *all,
                       gnutls_priority_t cache, bool tls13, struct ms_error *error);

#endif
