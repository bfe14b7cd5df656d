/* SPDX-License-Identifier: MIT */
/* The rows behind names.h, one sorted table a kind. For names.c alone. */
#ifndef MS_NAMES_TABLES_H
#define MS_NAMES_TABLES_H

#include "names.h"

struct ms_name_table {
    const struct ms_name *rows; /* sorted by code, each code once */
    size_t num;
};

/* A spelling beyond the three of its row. */
struct ms_name_alias {
    enum ms_names kind;
    uint32_t code;
    const char *word;
};

extern const struct ms_name_table ms_names_cipher_suites;
extern const struct ms_name_table ms_names_versions, ms_names_groups, ms_names_signature_schemes,
    ms_names_alerts, ms_names_messages, ms_names_records;
extern const struct ms_name_alias ms_names_aliases[];
extern const size_t ms_names_num_aliases;

#endif
