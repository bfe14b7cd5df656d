/* SPDX-License-Identifier: MIT */
/* Distinguished names, from RFC 4514 text into a certificate under construction. GnuTLS's own
 * reader knows no hex escapes, ends at a newline and takes `\\,` for an escaped comma. */
#ifndef MS_DISTINGUISHED_NAME_H
#define MS_DISTINGUISHED_NAME_H

#include "error.h"

#include <gnutls/x509.h>

/* Writes the name as the subject of `crt`, which has none yet. "" writes nothing: an empty name.
 * Impossible is an unknown attribute type, an empty value and, as GnuTLS writes none, an RDN of
 * several values. */
bool ms_name_set_subject(gnutls_x509_crt_t crt, const char *rfc4514, struct ms_error *error);

#endif
