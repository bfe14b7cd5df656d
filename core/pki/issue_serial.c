/* SPDX-License-Identifier: MIT */
#include "issue_serial.h"

#include <gnutls/crypto.h>
#include <stdint.h>
#include <string.h>

#define RANDOM_BYTES 16
#define MAX_BYTES 256 /* far beyond the 20 of RFC 5280 */

static int digit(char c) {
    return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* An INTEGER's content is the shortest two's complement of the number. */
static size_t encode(const char *digits, size_t num, bool negative, uint8_t out[MAX_BYTES + 1]) {
    size_t len = (num + 1) / 2;
    memset(out, 0, MAX_BYTES + 1);
    for (size_t i = 0; i < num; i++) {
        size_t place = num - 1 - i; /* from the right */
        out[len - place / 2] |= (uint8_t)(digit(digits[i]) << (place % 2 ? 4 : 0));
    }
    unsigned carry = 1;
    for (size_t i = len + 1; negative && i > 0; i--) {
        carry += (uint8_t)~out[i - 1];
        out[i - 1] = (uint8_t)carry;
        carry >>= 8;
    }
    return len + 1; /* the first byte is the sign's */
}

static int write_number(gnutls_x509_crt_t crt, const char *digits, size_t num, bool negative) {
    uint8_t bytes[MAX_BYTES + 1];
    size_t len = encode(digits, num, negative, bytes);
    bool sign_shows = len > 1 && (bytes[1] & 0x80) == (bytes[0] & 0x80);
    return gnutls_x509_crt_set_serial(crt, bytes + sign_shows, len - sign_shows);
}

static int write_random(gnutls_x509_crt_t crt) {
    uint8_t bytes[RANDOM_BYTES];
    int result = gnutls_rnd(GNUTLS_RND_NONCE, bytes, sizeof bytes);
    if (result < 0) {
        return result;
    }
    bytes[0] = (bytes[0] & 0x7f) | 0x40; /* positive, and always 16 bytes long */
    return gnutls_x509_crt_set_serial(crt, bytes, sizeof bytes);
}

bool ms_issue_serial(gnutls_x509_crt_t crt, const char *hex, struct ms_error *error) {
    if (!hex) {
        int result = write_random(crt);
        return result >= 0 || ms_fail_gnutls(error, result, "serial: no random number");
    }
    bool negative = *hex == '-';
    const char *digits = hex + negative;
    size_t num = strlen(digits);
    if (num == 0 || strspn(digits, "0123456789abcdefABCDEF") != num) {
        return ms_fail(error, "serial: `%.100s` is no hex number", hex);
    }
    size_t zeros = strspn(digits, "0");
    digits += zeros;
    num -= zeros;
    if (num == 0) {
        return ms_fail(error, "serial: GnuTLS cannot write 0");
    }
    if (num > (size_t)MAX_BYTES * 2) {
        return ms_fail(error, "serial: a number of more than %d bytes", MAX_BYTES);
    }
    int result = write_number(crt, digits, num, negative);
    return result >= 0 || ms_fail_gnutls(error, result, "serial: `%.100s` cannot be written", hex);
}
