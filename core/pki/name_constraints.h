/* SPDX-License-Identifier: MIT */
/* The name constraints of a recipe (RFC 5280 section 4.2.1.10). */
#ifndef MS_NAME_CONSTRAINTS_H
#define MS_NAME_CONSTRAINTS_H

#include "bytes.h"
#include "error.h"

#include <gnutls/x509.h>

/* Writes them, critical, into `crt`; nothing where both lists are empty. Each text is
 * "dns:example.org", "ip:10.0.0.0/8" (an address and the length of its prefix), "email:" or "uri:"
 * with what follows as RFC 5280 wants it. */
bool ms_name_constraints_write(gnutls_x509_crt_t crt, const struct ms_texts *permitted,
                               const struct ms_texts *excluded, struct ms_error *error);

#endif
