/* SPDX-License-Identifier: MIT */
#include "enabled.h"

/* Once each: GnuTLS has two numbers for some schemes. */
static bool add(struct ms_texts *names, enum ms_names kind, uint32_t code) {
    char spare[16];
    const char *name = ms_names_text(kind, code, spare);
    return code == 0 || ms_texts_has(names, name) || ms_texts_add(names, name);
}

static bool add_suites(gnutls_priority_t cache, struct ms_texts *names) {
    unsigned at;
    int result = 0;
    for (unsigned i = 0; result != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE; i++) {
        unsigned char id[2];
        result = gnutls_priority_get_cipher_suite_index(cache, i, &at);
        if (result >= 0 && gnutls_cipher_suite_info(at, id, NULL, NULL, NULL, NULL) &&
            !add(names, MS_NAMES_CIPHER_SUITE, (uint32_t)id[0] << 8 | id[1])) {
            return false;
        }
    }
    return true;
}

bool ms_enabled_names(const struct ms_config *config, enum ms_names kind, struct ms_texts *names) {
    gnutls_priority_t cache = config->made_priority->cache;
    const unsigned *list = NULL;
    int num = 0;
    uint32_t (*code)(int) = NULL;
    switch (kind) {
    case MS_NAMES_VERSION:
        num = gnutls_priority_protocol_list(cache, &list);
        code = ms_names_version_code;
        break;
    case MS_NAMES_GROUP:
        num = gnutls_priority_group_list(cache, &list);
        code = ms_names_group_code;
        break;
    case MS_NAMES_SIGNATURE_SCHEME:
        num = gnutls_priority_sign_list(cache, &list);
        code = ms_names_scheme_code;
        break;
    default:
        break;
    }
    if (!ms_texts_begin(names)) {
        return false;
    }
    for (int i = 0; i < num; i++) {
        if (!add(names, kind, code((int)list[i]))) {
            return false;
        }
    }
    return kind != MS_NAMES_CIPHER_SUITE || add_suites(cache, names);
}
