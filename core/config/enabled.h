/* SPDX-License-Identifier: MIT */
/* What an end has enabled, whether it was told so or GnuTLS's defaults say it: for whoever has to
 * say why two ends have nothing in common. */
#ifndef MS_ENABLED_H
#define MS_ENABLED_H

#include "config.h"
#include "names.h"

/* The names of versions, cipher suites, groups or signature schemes that a finished config enables,
 * in its order of preference. `names` holds nothing; on failure (memory) it is to be cleared. */
bool ms_enabled_names(const struct ms_config *config, enum ms_names kind, struct ms_texts *names);

#endif
