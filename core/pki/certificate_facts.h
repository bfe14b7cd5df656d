/* SPDX-License-Identifier: MIT */
/* Reads what a parsed certificate says; the certificate itself calls this, once. */
#ifndef MS_CERTIFICATE_FACTS_H
#define MS_CERTIFICATE_FACTS_H

#include "certificate.h"

/* Fills `facts`, which is zero, but for `self_signed`. On failure ms_certificate_facts_clear()
 * releases what is there. */
bool ms_certificate_facts_read(gnutls_x509_crt_t crt, struct ms_slice der,
                               struct ms_certificate_facts *facts, struct ms_error *error);
void ms_certificate_facts_clear(struct ms_certificate_facts *facts);

#endif
