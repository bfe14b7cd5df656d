/* SPDX-License-Identifier: MIT */
#include "secrets.h"

#include "memory.h"

#include <gnutls/gnutls.h>
#include <string.h>

/* How many back the same secret may stand: a handshake has five, told by both ends in turn. */
#define KNOWN_BACK 16

static bool is_known(const struct ms_secrets *secrets, const char *label,
                     struct ms_slice client_random, struct ms_slice bytes) {
    const struct ms_secret *at = secrets->newest;
    for (int i = 0; at && i < KNOWN_BACK; i++, at = at->older) {
        if (memcmp(at->client_random, client_random.data, MS_SECRET_RANDOM) == 0 &&
            strcmp(at->label, label) == 0 &&
            ms_slice_equal((struct ms_slice){at->bytes, at->len}, bytes)) {
            return true;
        }
    }
    return false;
}

bool ms_secrets_add(struct ms_secrets *secrets, const char *label, struct ms_slice client_random,
                    struct ms_slice secret) {
    bool is_one = strlen(label) < MS_SECRET_LABEL && client_random.len == MS_SECRET_RANDOM &&
                  secret.len > 0 && secret.len <= MS_SECRET_MOST;
    if (!is_one || is_known(secrets, label, client_random, secret)) {
        return true;
    }
    struct ms_secret *fresh = ms_alloc(sizeof *fresh);
    if (!fresh) {
        return false;
    }
    memcpy(fresh->label, label, strlen(label));
    memcpy(fresh->client_random, client_random.data, client_random.len);
    memcpy(fresh->bytes, secret.data, secret.len);
    fresh->len = secret.len;
    fresh->older = secrets->newest;
    secrets->newest = fresh;
    secrets->num++;
    return true;
}

void ms_secrets_clear(struct ms_secrets *secrets) {
    for (struct ms_secret *secret = secrets->newest, *older; secret; secret = older) {
        older = secret->older;
        gnutls_memset(secret, 0, sizeof *secret);
        ms_free(secret);
    }
    *secrets = (struct ms_secrets){0};
}
