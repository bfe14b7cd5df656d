/* SPDX-License-Identifier: MIT */
/* The attribute types of distinguished names that have a name. */
#ifndef MS_ATTRIBUTE_TYPES_H
#define MS_ATTRIBUTE_TYPES_H

#include <stddef.h>

/* The OID for a name of `len` bytes, in any case; static, NULL when there is none. */
const char *ms_attribute_oid(const char *name, size_t len);

#endif
