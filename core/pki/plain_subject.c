/* SPDX-License-Identifier: MIT */
#include "plain_subject.h"

#include "der.h"

#include <string.h>

enum { SEQUENCE = 0x30, SET = 0x31, INTEGER = 0x02, OID = 0x06, VERSION = 0xa0, MOST_RDNS = 16 };

struct rdn {
    const char *label;
    struct ms_slice value;
};

static const struct {
    const char *label, *oid; /* the OID's DER, without its header */
} types[] = {
    {"CN", "\x55\x04\x03"},
    {"C", "\x55\x04\x06"},
    {"L", "\x55\x04\x07"},
    {"ST", "\x55\x04\x08"},
    {"O", "\x55\x04\x0a"},
    {"OU", "\x55\x04\x0b"},
    {"DC", "\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19"},
};

static const char *label_of(struct ms_slice oid) {
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strlen(types[i].oid) == oid.len && memcmp(types[i].oid, oid.data, oid.len) == 0) {
            return types[i].label;
        }
    }
    return NULL;
}

/* A value that RFC 4514 writes as it is. */
static bool is_plain(struct ms_slice value) {
    for (size_t i = 0; i < value.len; i++) {
        if (value.data[i] < 0x20 || value.data[i] == 0x7f || strchr("\"#+,;<=>\\", value.data[i])) {
            return false;
        }
    }
    return value.len > 0 && value.data[0] != ' ' && value.data[value.len - 1] != ' ';
}

/* The value of a UTF8String, a PrintableString or an IA5String. */
static bool read_string(struct ms_slice from, struct ms_slice *value) {
    static const uint8_t tags[] = {0x0c, 0x13, 0x16};
    return from.len > 0 && memchr(tags, from.data[0], sizeof tags) &&
           ms_der_next(&from, from.data[0], value, NULL) && from.len == 0;
}

static bool read_rdn(struct ms_slice set, struct rdn *rdn) {
    struct ms_slice attribute, oid;
    if (!ms_der_next(&set, SEQUENCE, &attribute, NULL) || set.len > 0 ||
        !ms_der_next(&attribute, OID, &oid, NULL) || !read_string(attribute, &rdn->value)) {
        return false;
    }
    rdn->label = label_of(oid);
    return rdn->label && is_plain(rdn->value);
}

/* The content of the name. */
static bool find_subject(struct ms_slice der, struct ms_slice *name) {
    struct ms_slice certificate, part, skipped;
    if (!ms_der_next(&der, SEQUENCE, &certificate, NULL) ||
        !ms_der_next(&certificate, SEQUENCE, &part, NULL)) {
        return false;
    }
    if (part.len > 0 && part.data[0] == VERSION && !ms_der_next(&part, VERSION, &skipped, NULL)) {
        return false;
    }
    return ms_der_next(&part, INTEGER, &skipped, NULL) &&  /* serial number */
           ms_der_next(&part, SEQUENCE, &skipped, NULL) && /* signature algorithm */
           ms_der_next(&part, SEQUENCE, &skipped, NULL) && /* issuer */
           ms_der_next(&part, SEQUENCE, &skipped, NULL) && /* validity */
           ms_der_next(&part, SEQUENCE, name, NULL);
}

/* Appends; returns false when it does not fit. */
static bool append(char *to, size_t size, size_t *used, const void *bytes, size_t len) {
    if (len > size - *used) {
        return false;
    }
    memcpy(to + *used, bytes, len);
    *used += len;
    return true;
}

size_t ms_plain_subject(struct ms_slice der, char *to, size_t size) {
    struct rdn rdns[MOST_RDNS];
    size_t num = 0, used = 0;
    struct ms_slice name, set;
    if (!find_subject(der, &name)) {
        return 0;
    }
    while (name.len > 0) {
        if (num == MOST_RDNS || !ms_der_next(&name, SET, &set, NULL) ||
            !read_rdn(set, &rdns[num])) {
            return 0;
        }
        num++;
    }
    for (size_t i = num; i > 0; i--) { /* RFC 4514 begins with the last */
        const struct rdn *rdn = &rdns[i - 1];
        if (!append(to, size, &used, ",", i < num) ||
            !append(to, size, &used, rdn->label, strlen(rdn->label)) ||
            !append(to, size, &used, "=", 1) ||
            !append(to, size, &used, rdn->value.data, rdn->value.len)) {
            return 0;
        }
    }
    return used;
}
