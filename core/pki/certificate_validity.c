/* SPDX-License-Identifier: MIT */
#include "certificate_validity.h"

#include "der.h"

#include <time.h>

#define TAG_INTEGER 0x02
#define TAG_UTC_TIME 0x17
#define TAG_GENERALIZED_TIME 0x18
#define TAG_SEQUENCE 0x30
#define TAG_VERSION 0xa0

static bool read_digits(struct ms_slice *from, size_t num, int *value) {
    struct ms_slice digits;
    if (!ms_read_fixed(from, num, &digits)) {
        return false;
    }
    *value = 0;
    for (size_t i = 0; i < num; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9') {
            return false;
        }
        *value = *value * 10 + (digits.data[i] - '0');
    }
    return true;
}

static bool in_range(const struct tm *tm) {
    return tm->tm_mon >= 0 && tm->tm_mon <= 11 && tm->tm_mday >= 1 && tm->tm_mday <= 31 &&
           tm->tm_hour <= 23 && tm->tm_min <= 59 && tm->tm_sec <= 60;
}

static bool read_time(struct ms_slice *from, int64_t *seconds) {
    struct ms_slice text;
    struct tm tm = {0};
    bool is_utc = from->len && from->data[0] == TAG_UTC_TIME;
    if (!ms_der_next(from, is_utc ? TAG_UTC_TIME : TAG_GENERALIZED_TIME, &text, NULL) ||
        !read_digits(&text, is_utc ? 2 : 4, &tm.tm_year) || !read_digits(&text, 2, &tm.tm_mon) ||
        !read_digits(&text, 2, &tm.tm_mday) || !read_digits(&text, 2, &tm.tm_hour) ||
        !read_digits(&text, 2, &tm.tm_min) || !read_digits(&text, 2, &tm.tm_sec) || text.len != 1 ||
        text.data[0] != 'Z') {
        return false;
    }
    tm.tm_mon--;
    if (is_utc) {
        tm.tm_year += tm.tm_year < 50 ? 100 : 0; /* RFC 5280 section 4.1.2.5.1 */
    } else {
        tm.tm_year -= 1900;
    }
    if (!in_range(&tm)) {
        return false;
    }
    *seconds = timegm(&tm);
    return true;
}

bool ms_validity_read(struct ms_slice der, int64_t *not_before, int64_t *not_after) {
    struct ms_slice certificate;
    struct ms_slice part;
    struct ms_slice validity;
    if (!ms_der_next(&der, TAG_SEQUENCE, &certificate, NULL) ||
        !ms_der_next(&certificate, TAG_SEQUENCE, &part, NULL)) {
        return false;
    }
    if (part.len && part.data[0] == TAG_VERSION && !ms_der_next(&part, TAG_VERSION, NULL, NULL)) {
        return false;
    }
    return ms_der_next(&part, TAG_INTEGER, NULL, NULL) &&       /* serialNumber */
           ms_der_next(&part, TAG_SEQUENCE, NULL, NULL) &&      /* signature */
           ms_der_next(&part, TAG_SEQUENCE, NULL, NULL) &&      /* issuer */
           ms_der_next(&part, TAG_SEQUENCE, &validity, NULL) && /* validity */
           read_time(&validity, not_before) && read_time(&validity, not_after);
}
