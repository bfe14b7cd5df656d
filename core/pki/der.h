/* SPDX-License-Identifier: MIT */
/* A reader of DER elements (X.690), for what GnuTLS has no function for. */
#ifndef MS_DER_H
#define MS_DER_H

#include "bytes.h"

/* Takes the first element off `from`, which must have `tag` (a tag of one byte). `content` is what
 * it holds, `whole` the same with its header; either may be NULL. Both borrow. False when there is
 * no such element or it is longer than `from`; `from` is then unspecified. */
bool ms_der_next(struct ms_slice *from, uint8_t tag, struct ms_slice *content,
                 struct ms_slice *whole);

#endif
