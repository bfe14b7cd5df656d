/* SPDX-License-Identifier: MIT */
/* Says in words what GnuTLS found wrong with a chain, and finds out exactly which constraint of
 * which certificate it was where GnuTLS has one flag for several causes. A finding explains a flag
 * that GnuTLS set; it never adds to the verdict. */
#ifndef MS_FINDING_H
#define MS_FINDING_H

#include "path.h"
#include "sentence.h"
#include "verify.h"

/* What there is to reason from. Borrows. */
struct ms_evidence {
    const struct ms_path *path;
    const struct ms_demand *demand;
    const struct ms_certificates *list; /* the certification path, leaf first */
    unsigned status;                    /* the verdict, not 0 */
    const struct ms_edge *failure;      /* the check that made it, or NULL */
};

/* Fills `problems`, `text` and `certificate` of `result` (which holds none yet) from the status. */
bool ms_finding_explain(const struct ms_evidence *evidence, struct ms_verification *result,
                        struct ms_error *error);

#endif
