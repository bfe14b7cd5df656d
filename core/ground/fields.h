/* SPDX-License-Identifier: MIT */
/* What a struct looks like to somebody who reads it by name. A snapshot, a certificate, an event
 * and a verification result each have one table of fields: the only source of the names, types and
 * meanings that scripts, reports and documentation see. */
#ifndef MS_FIELDS_H
#define MS_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ms_field_type {
    MS_FIELD_TEXT,         /* const char * (or char *); NULL is nil */
    MS_FIELD_BOOL,         /* bool */
    MS_FIELD_MAYBE,        /* enum ms_maybe */
    MS_FIELD_INTEGER,      /* int64_t */
    MS_FIELD_COUNT,        /* int64_t; negative is nil */
    MS_FIELD_BYTES,        /* struct ms_slice; no data is nil */
    MS_FIELD_TEXTS,        /* struct ms_texts; no items is nil */
    MS_FIELD_CERTIFICATE,  /* struct ms_certificate *; NULL is nil */
    MS_FIELD_CERTIFICATES, /* struct ms_certificates; no items is nil */
    MS_FIELD_RECORD        /* an inline struct whose first member is `bool present` */
};

enum ms_maybe { MS_NIL, MS_FALSE, MS_TRUE };

struct ms_field {
    const char *name; /* NULL ends a table */
    enum ms_field_type type;
    size_t offset;
    const struct ms_field *fields; /* of a record */
    const char *about;             /* one sentence, with the unit and the RFC where there is one */
};

#endif
