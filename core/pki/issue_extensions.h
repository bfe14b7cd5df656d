/* SPDX-License-Identifier: MIT */
/* The extensions of a recipe, but for the key identifiers. */
#ifndef MS_ISSUE_EXTENSIONS_H
#define MS_ISSUE_EXTENSIONS_H

#include "issue.h"

/* Writes them into `crt`. Raw extensions come last and replace what the recipe says otherwise. */
bool ms_issue_extensions(gnutls_x509_crt_t crt, const struct ms_recipe *recipe,
                         struct ms_error *error);

#endif
