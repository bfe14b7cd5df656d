/* SPDX-License-Identifier: MIT */
/* What decrypts the records of a link: the secrets of its handshakes, named as key logs name them
 * (SSLKEYLOGFILE). No script sees them; captures and the key log do. */
#ifndef MS_SECRETS_H
#define MS_SECRETS_H

#include "bytes.h"

/* Of the longest label, with its end, and of the longest secret there is. */
enum { MS_SECRET_LABEL = 32, MS_SECRET_RANDOM = 32, MS_SECRET_MOST = 48 };

struct ms_secret {
    struct ms_secret *older;
    char label[MS_SECRET_LABEL];             /* "CLIENT_RANDOM", "CLIENT_TRAFFIC_SECRET_0", ... */
    uint8_t client_random[MS_SECRET_RANDOM]; /* of the handshake that it is of */
    uint8_t bytes[MS_SECRET_MOST];
    size_t len;
};

/* Zero-initialise. */
struct ms_secrets {
    struct ms_secret *newest;
    size_t num;
};

/* Copies. What is known already (both ends tell of the same secrets) or is none (a length that no
 * secret has) is not kept again. False when memory is short. */
bool ms_secrets_add(struct ms_secrets *secrets, const char *label, struct ms_slice client_random,
                    struct ms_slice secret);
/* Overwrites them before they are freed. */
void ms_secrets_clear(struct ms_secrets *secrets);

#endif
