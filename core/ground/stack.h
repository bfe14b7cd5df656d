/* SPDX-License-Identifier: MIT */
/* The TLS library that plays the ends. */
#ifndef MS_STACK_H
#define MS_STACK_H

/* The version of GnuTLS that is loaded, which need not be the one that was compiled against:
 * "3.7.9"; static. */
const char *ms_stack_version(void);

#endif
