/* SPDX-License-Identifier: MIT */
/* The validity of a certificate from its DER: GnuTLS gives 0 for every time before 1970. */
#ifndef MS_CERTIFICATE_VALIDITY_H
#define MS_CERTIFICATE_VALIDITY_H

#include "bytes.h"

/* Both in seconds since the epoch. False when the times are not as RFC 5280 wants them. */
bool ms_validity_read(struct ms_slice der, int64_t *not_before, int64_t *not_after);

#endif
