/* SPDX-License-Identifier: MIT */
#include "stack.h"

#include <gnutls/gnutls.h>
#include <stddef.h>

const char *ms_stack_version(void) {
    return gnutls_check_version(NULL);
}
