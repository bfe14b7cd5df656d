/* SPDX-License-Identifier: MIT */
/* What a GnuTLS priority string means for certificates, and its words that GnuTLS ignores. For
 * priority.c alone. */
#ifndef MS_PRIORITY_FLAGS_H
#define MS_PRIORITY_FLAGS_H

#include "error.h"

/* The gnutls_certificate_verify_flags that a session with this string adds to its credentials' own
 * (3.7.9 has no call that tells). A string that GnuTLS took; a minimum profile in the system's
 * configuration is not seen. */
unsigned ms_priority_flags(const char *text);

/* False, with the error ("priority: ..."), for what GnuTLS would pass over in silence: words after
 * the 128th, unknown words after "MAC-", "CIPHER-" and "KX-"; and for "@NAME", a policy of the
 * machine's, whose profile cannot be told. */
bool ms_priority_words(const char *text, struct ms_error *error);

#endif
