/* SPDX-License-Identifier: MIT */
/* Who a certificate is for, read off its DER without allocating: for a signal handler, where GnuTLS
 * may not be asked. */
#ifndef MS_PLAIN_SUBJECT_H
#define MS_PLAIN_SUBJECT_H

#include "bytes.h"

/* Writes the subject as ms_certificate_facts() would give it and returns its length. 0 where that
 * takes more than copying: another type than CN, C, L, ST, O, OU and DC, several values in an RDN,
 * a character to escape, a string that is neither UTF-8 nor ASCII, more than `size` bytes, no name,
 * no certificate. What was taken for UTF-8 may turn out to be none. */
size_t ms_plain_subject(struct ms_slice der, char *to, size_t size);

#endif
