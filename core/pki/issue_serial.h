/* SPDX-License-Identifier: MIT */
/* The serial number of a new certificate. */
#ifndef MS_ISSUE_SERIAL_H
#define MS_ISSUE_SERIAL_H

#include "error.h"

#include <gnutls/x509.h>

/* Writes the number that `hex` is, in either case and with a minus before it if it is to be
 * negative; leading zeros do not count. NULL: 16 random bytes. Impossible is 0. */
bool ms_issue_serial(gnutls_x509_crt_t crt, const char *hex, struct ms_error *error);

#endif
