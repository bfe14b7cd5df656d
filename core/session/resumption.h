/* SPDX-License-Identifier: MIT */
/* What a server needs to take back the sessions it gave out: a ticket key, and a store by session
 * id for those without tickets, whose oldest are forgotten for want of room. Counted; shared by the
 * sessions that are to resume each other. */
#ifndef MS_RESUMPTION_H
#define MS_RESUMPTION_H

#include "error.h"

#include <gnutls/gnutls.h>

struct ms_resumption;
struct ms_resumption *ms_resumption_new(struct ms_error *error);
struct ms_resumption *ms_resumption_retain(struct ms_resumption *resumption);
void ms_resumption_release(struct ms_resumption *resumption); /* NULL is fine */

/* Makes a server session use it, which must not outlive it: tickets (RFC 5077, RFC 8446 4.6.1), or
 * session ids up to TLS 1.2. Returns what GnuTLS does. */
int ms_resumption_enable(struct ms_resumption *resumption, gnutls_session_t tls, bool tickets);
/* Whether a session was not kept for want of memory since this was asked last. */
bool ms_resumption_was_short(struct ms_resumption *resumption);

#endif
