/* SPDX-License-Identifier: MIT */
#include "priority.h"

#include "bytes.h"
#include "memory.h"
#include "names.h"
#include "priority_flags.h"
#include "priority_groups.h"
#include "priority_suites.h"

#include <string.h>

enum { MAX_VERSIONS = 8 };

struct making {
    const struct ms_restrictions *asked;
    struct ms_suites all, wanted;    /* of this GnuTLS; the asked ones */
    uint16_t versions[MAX_VERSIONS]; /* newest first, but those of a given string in its order */
    size_t num_versions;             /* 0: the given string's, which is not yet made */
    struct ms_bytes text;            /* no NUL until it is whole */
    gnutls_priority_t cache;
};

static struct ms_code_list versions_of(const struct making *making) {
    return (struct ms_code_list){making->versions, making->num_versions};
}

static bool has_version(const struct making *making, uint16_t version) {
    for (size_t i = 0; i < making->num_versions; i++) {
        if (making->versions[i] == version) {
            return true;
        }
    }
    return false;
}

static bool is_dtls(uint16_t version) {
    return version >= 0xfe00;
}

/* DTLS counts downwards. */
static bool is_newer(uint16_t a, uint16_t b) {
    return is_dtls(a) ? a < b : a > b;
}

/* What the lists themselves may be: known here, each once. */

static bool is_supported(const struct ms_suites *all, enum ms_names kind, uint16_t code) {
    const struct ms_name *row = ms_names_by_code(kind, code);
    if (kind == MS_NAMES_CIPHER_SUITE) {
        return ms_suites_find(all, code);
    }
    if (!row || !row->gnutls) {
        return false;
    }
    if (kind == MS_NAMES_VERSION) {
        return gnutls_protocol_get_id(row->gnutls) != GNUTLS_VERSION_UNKNOWN;
    }
    if (kind == MS_NAMES_GROUP) {
        return gnutls_group_get_id(row->gnutls) != GNUTLS_GROUP_INVALID;
    }
    return gnutls_sign_is_secure(gnutls_sign_get_id(row->gnutls));
}

static bool check_list(const struct making *making, const char *option, enum ms_names kind,
                       struct ms_code_list list, struct ms_error *error) {
    char spare[16];
    for (size_t i = 0; i < list.num; i++) {
        if (!is_supported(&making->all, kind, list.codes[i])) {
            return ms_fail(error, "%s: %s is not in GnuTLS %s", option,
                           ms_names_text(kind, list.codes[i], spare), gnutls_check_version(NULL));
        }
        for (size_t j = 0; j < i; j++) {
            if (list.codes[j] == list.codes[i]) {
                return ms_fail(error, "%s: %s is listed twice", option,
                               ms_names_text(kind, list.codes[i], spare));
            }
        }
    }
    return true;
}

static bool check_lists(struct making *making, struct ms_error *error) {
    const struct ms_restrictions *asked = making->asked;
    if (!check_list(making, "versions", MS_NAMES_VERSION, asked->versions, error) ||
        !check_list(making, "cipher_suites", MS_NAMES_CIPHER_SUITE, asked->cipher_suites, error) ||
        !check_list(making, "groups", MS_NAMES_GROUP, asked->groups, error) ||
        !check_list(making, "signature_schemes", MS_NAMES_SIGNATURE_SCHEME,
                    asked->signature_schemes, error)) {
        return false;
    }
    for (size_t i = 0; i < asked->cipher_suites.num; i++) {
        const struct ms_suite *suite = ms_suites_find(&making->all, asked->cipher_suites.codes[i]);
        const char *credentials = ms_suite_special_credentials(suite);
        char spare[16];
        if (credentials) {
            return ms_fail(error,
                           "cipher_suites: %s needs %s credentials, which are not part of this "
                           "version",
                           ms_names_text(MS_NAMES_CIPHER_SUITE, suite->code, spare), credentials);
        }
        making->wanted.items[making->wanted.num++] = *suite;
    }
    return true;
}

/* What the lists are to the versions. */

static bool signs_in_tls13(uint16_t scheme) {
    return (scheme >= 0x0804 && scheme <= 0x080b) || scheme == 0x0403 || scheme == 0x0503 ||
           scheme == 0x0603;
}

/* Those that GnuTLS 3.7.9 leaves out of its list when TLS 1.3 is the only version. */
static bool is_for_tls12_only(uint16_t scheme) {
    return scheme == 0x0202 || scheme == 0x0840 || scheme == 0x0841;
}

static bool schemes_fit(struct ms_code_list schemes, uint16_t version) {
    for (size_t i = 0; i < schemes.num; i++) {
        if (version != 0x0304 || signs_in_tls13(schemes.codes[i])) {
            return true;
        }
    }
    return schemes.num == 0;
}

static bool check_version(const struct making *making, uint16_t version, struct ms_error *error) {
    const struct ms_restrictions *asked = making->asked;
    char spare[16];
    const char *name = ms_names_text(MS_NAMES_VERSION, version, spare);
    if (making->wanted.num > 0 && !ms_suites_fit(&making->wanted, version)) {
        return ms_fail(error, "cipher_suites: none is listed for %s, which is among the versions",
                       name);
    }
    if (version == 0x0304 && asked->groups.num > 0 && !ms_groups_fit_tls13(asked->groups)) {
        return ms_fail(error, "groups: none is listed for %s, which is among the versions", name);
    }
    return schemes_fit(asked->signature_schemes, version) ||
           ms_fail(error, "signature_schemes: none is listed for %s, which is among the versions",
                   name);
}

static bool take_versions(struct making *making, struct ms_error *error) {
    struct ms_code_list list = making->asked->versions;
    for (size_t i = 0; i < list.num && making->num_versions < MAX_VERSIONS; i++) {
        size_t place = making->num_versions++;
        for (; place > 0 && is_newer(list.codes[i], making->versions[place - 1]); place--) {
            making->versions[place] = making->versions[place - 1];
        }
        making->versions[place] = list.codes[i];
    }
    for (size_t i = 1; i < list.num; i++) {
        if (is_dtls(list.codes[i]) != is_dtls(list.codes[0])) {
            return ms_fail(error, "versions: TLS and DTLS cannot be listed together");
        }
    }
    if (has_version(making, 0x0304) && list.num > 1 && !has_version(making, 0x0303)) {
        return ms_fail(error, "versions: TLS1.3 with an older version needs TLS1.2 as well, or "
                              "GnuTLS drops TLS1.3");
    }
    for (size_t i = 0; i < making->num_versions; i++) {
        if (!check_version(making, making->versions[i], error)) {
            return false;
        }
    }
    return true;
}

/* Who lists suites, groups or schemes of one version means that version. */
static bool choose_versions(struct making *making, struct ms_error *error) {
    static const uint16_t defaults[] = {0x0304, 0x0303};
    for (size_t i = 0; i < sizeof defaults / sizeof defaults[0]; i++) {
        if (check_version(making, defaults[i], NULL)) {
            making->versions[making->num_versions++] = defaults[i];
        }
    }
    return making->num_versions > 0 || check_version(making, 0x0304, error);
}

static bool is_tls13_only(const struct making *making) {
    return making->num_versions == 1 && making->versions[0] == 0x0304;
}

static bool check_suites(const struct making *making, struct ms_error *error) {
    char spare[16];
    for (size_t i = 0; i < making->wanted.num; i++) {
        const struct ms_suite *suite = &making->wanted.items[i];
        bool fits = false;
        for (size_t v = 0; v < making->num_versions; v++) {
            fits = fits || ms_suite_fits(suite, making->versions[v]);
        }
        if (!fits) {
            bool tls13 = ms_suite_fits(suite, 0x0304), tls12 = !ms_suite_fits(suite, 0x0301);
            return ms_fail(error,
                           "cipher_suites: %s is for %s, and no such version is among the versions",
                           ms_names_text(MS_NAMES_CIPHER_SUITE, suite->code, spare),
                           tls13   ? "TLS 1.3"
                           : tls12 ? "TLS 1.2"
                                   : "TLS 1.2 and older");
        }
        if (suite->cipher == GNUTLS_CIPHER_NULL && has_version(making, 0x0304)) {
            return ms_fail(error,
                           "cipher_suites: with %s GnuTLS drops TLS1.3, which is among the "
                           "versions",
                           ms_names_text(MS_NAMES_CIPHER_SUITE, suite->code, spare));
        }
        if (making->asked->groups.num > 0 &&
            !ms_groups_serve(making->asked->groups, suite, error)) {
            return false;
        }
    }
    return true;
}

/* Up to TLS 1.1 the hash is fixed, so the list would mean nothing. */
static bool negotiates_schemes(uint16_t version) {
    return version == 0x0303 || version == 0x0304 || version == 0xfefd;
}

static bool check_schemes(const struct making *making, struct ms_error *error) {
    struct ms_code_list schemes = making->asked->signature_schemes;
    bool negotiated = schemes.num == 0;
    char spare[16];
    for (size_t i = 0; i < making->num_versions; i++) {
        negotiated = negotiated || negotiates_schemes(making->versions[i]);
    }
    if (!negotiated) {
        return ms_fail(error, "signature_schemes: %s does not negotiate them",
                       ms_names_text(MS_NAMES_VERSION, making->versions[0], spare));
    }
    for (size_t i = 0; i < schemes.num; i++) {
        if (is_tls13_only(making) && is_for_tls12_only(schemes.codes[i])) {
            return ms_fail(error, "signature_schemes: TLS1.3 does not have %s",
                           ms_names_text(MS_NAMES_SIGNATURE_SCHEME, schemes.codes[i], spare));
        }
    }
    return true;
}

/* The string. */

static bool add_text(struct making *making, const char *text) {
    return ms_bytes_add(&making->text, text, strlen(text));
}

static bool add_versions(struct making *making) {
    if (making->num_versions > 0 && !add_text(making, ":-VERS-ALL")) {
        return false;
    }
    for (size_t i = 0; i < making->num_versions; i++) {
        if (!add_text(making, ":+VERS-") ||
            !add_text(making, ms_names_by_code(MS_NAMES_VERSION, making->versions[i])->gnutls)) {
            return false;
        }
    }
    return true;
}

/* All of GnuTLS's names of a scheme side by side: for ECDSA it has one for TLS 1.2 and one for TLS
 * 1.3, and 3.7.9 sends the code twice unless they are neighbours. */
static bool add_scheme(struct making *making, const uint32_t *codes, uint16_t scheme) {
    const gnutls_sign_algorithm_t *sign = gnutls_sign_list();
    for (size_t i = 0; sign[i] && i < GNUTLS_MAX_ALGORITHM_NUM; i++) {
        if (codes[i] == scheme && (i == 0 || sign[i] != sign[i - 1]) && /* some are listed twice */
            !(add_text(making, ":+SIGN-") && add_text(making, gnutls_sign_get_name(sign[i])))) {
            return false;
        }
    }
    return true;
}

static bool add_schemes(struct making *making) {
    struct ms_code_list schemes = making->asked->signature_schemes;
    const gnutls_sign_algorithm_t *sign = gnutls_sign_list();
    uint32_t codes[GNUTLS_MAX_ALGORITHM_NUM] = {0};
    if (schemes.num == 0) {
        return true;
    }
    for (size_t i = 0; sign[i] && i < GNUTLS_MAX_ALGORITHM_NUM; i++) {
        codes[i] = ms_names_scheme_code((int)sign[i]);
    }
    if (!add_text(making, ":-SIGN-ALL")) {
        return false;
    }
    for (size_t i = 0; i < schemes.num; i++) {
        if (!add_scheme(making, codes, schemes.codes[i])) {
            return false;
        }
    }
    return true;
}

static bool add_keywords(struct making *making) {
    static const char *const renegotiation[] = {
        [MS_RENEGOTIATION_PARTIAL] = "",
        [MS_RENEGOTIATION_SAFE] = ":%SAFE_RENEGOTIATION",
        [MS_RENEGOTIATION_UNSAFE] = ":%UNSAFE_RENEGOTIATION",
        [MS_RENEGOTIATION_ABSENT] = ":%DISABLE_SAFE_RENEGOTIATION",
        [MS_RENEGOTIATION_REFUSE] = "",
    };
    const struct ms_restrictions *asked = making->asked;
    return add_text(making, asked->server_preference ? ":%SERVER_PRECEDENCE" : "") &&
           add_text(making, asked->no_extended_master_secret ? ":%NO_SESSION_HASH" : "") &&
           add_text(making, renegotiation[asked->renegotiation]);
}

static bool write_string(struct making *making, struct ms_error *error) {
    const struct ms_restrictions *asked = making->asked;
    bool suites_listed = making->wanted.num > 0;
    if (!add_text(making, asked->priority ? asked->priority : "NORMAL") || !add_versions(making) ||
        (suites_listed && !ms_suites_write(&making->wanted, &making->text)) ||
        (asked->groups.num > 0 && !ms_groups_write(asked->groups, !suites_listed, &making->text)) ||
        !add_schemes(making) || !add_keywords(making) || !ms_bytes_add(&making->text, "", 1)) {
        return ms_fail_memory(error);
    }
    return true;
}

/* Words first: the rest of the string may well add what this one alone lacks. */
static bool check_given_string(const char *text, struct ms_error *error) {
    gnutls_priority_t cache = NULL;
    const char *position = text;
    if (!ms_priority_words(text, error)) {
        return false;
    }
    int result = gnutls_priority_init2(&cache, text, &position, 0);
    gnutls_priority_deinit(cache);
    if (result != GNUTLS_E_INVALID_REQUEST) {
        return true;
    }
    size_t len = strcspn(position, ":");
    return ms_fail(error, "priority: GnuTLS does not know the word \"%.*s\" at character %td",
                   (int)(len > 100 ? 100 : len), position, position - text + 1);
}

/* What GnuTLS made of it. */

static bool read_versions(struct making *making, struct ms_error *error) {
    const unsigned *list = NULL;
    int num = gnutls_priority_protocol_list(making->cache, &list);
    for (size_t i = 0; i < making->num_versions; i++) {
        bool found = false;
        for (int j = 0; j < num; j++) {
            found = found || ms_names_version_code((int)list[j]) == making->versions[i];
        }
        if (!found) {
            char spare[16];
            return ms_fail(error, "versions: GnuTLS drops %s from \"%s\"",
                           ms_names_text(MS_NAMES_VERSION, making->versions[i], spare),
                           (const char *)making->text.data);
        }
    }
    for (int i = 0; making->asked->versions.num == 0 && making->asked->priority && i < num; i++) {
        uint32_t code = ms_names_version_code((int)list[i]);
        if (code && making->num_versions < MAX_VERSIONS) {
            making->versions[making->num_versions++] = (uint16_t)code;
        }
    }
    if (making->num_versions == 0) {
        return ms_fail(error, "priority: \"%s\" enables no version",
                       (const char *)making->text.data);
    }
    return check_suites(making, error) && check_schemes(making, error);
}

static bool check_made_suites(const struct making *making, struct ms_error *error) {
    struct ms_suites enabled;
    ms_suites_enabled(&making->all, making->cache, versions_of(making), &enabled);
    if (making->wanted.num > 0) {
        return ms_suites_compare(&making->wanted, &enabled, error);
    }
    for (size_t i = 0; i < making->asked->versions.num; i++) {
        if (!ms_suites_fit(&enabled, making->versions[i])) {
            char spare[16];
            return ms_fail(error, "versions: there is no cipher suite for %s in \"%s\"",
                           ms_names_text(MS_NAMES_VERSION, making->versions[i], spare),
                           (const char *)making->text.data);
        }
    }
    return enabled.num > 0 || ms_fail(error, "%s: \"%s\" leaves no cipher suite",
                                      making->asked->priority ? "priority" : "groups",
                                      (const char *)making->text.data);
}

static bool make_cache(struct making *making, struct ms_error *error) {
    const char *text = (const char *)making->text.data;
    int result = gnutls_priority_init2(&making->cache, text, NULL, 0);
    if (result >= 0) {
        return true;
    }
    making->cache = NULL;
    if (result == GNUTLS_E_MEMORY_ERROR) {
        return ms_fail_memory(error);
    }
    return ms_fail_gnutls(error, result, "priority: \"%s\"", text);
}

static bool check_made(struct making *making, struct ms_error *error) {
    struct ms_code_list groups = making->asked->groups;
    return ms_priority_words((const char *)making->text.data, error) && make_cache(making, error) &&
           read_versions(making, error) && check_made_suites(making, error) &&
           (groups.num == 0 || ms_groups_compare(groups, &making->all, making->cache,
                                                 has_version(making, 0x0304), error));
}

static bool plan(struct making *making, struct ms_error *error) {
    const struct ms_restrictions *asked = making->asked;
    if ((asked->priority && !check_given_string(asked->priority, error)) ||
        !check_lists(making, error)) {
        return false;
    }
    if (asked->versions.num == 0 && asked->priority) {
        return true; /* the string's versions, seen once it is made */
    }
    return (asked->versions.num > 0 ? take_versions(making, error)
                                    : choose_versions(making, error)) &&
           check_suites(making, error) && check_schemes(making, error);
}

bool ms_priority_make(const struct ms_restrictions *restrictions, struct ms_priority *priority,
                      struct ms_error *error) {
    *priority = (struct ms_priority){0};
    struct making *making = ms_alloc(sizeof *making);
    if (!making) {
        return ms_fail_memory(error);
    }
    making->asked = restrictions;
    ms_suites_read(&making->all);
    bool made = plan(making, error) && write_string(making, error) && check_made(making, error);
    if (made) {
        priority->cache = making->cache;
        priority->text = (char *)making->text.data;
        priority->verify_flags = ms_priority_flags(priority->text);
    } else {
        gnutls_priority_deinit(making->cache);
        ms_bytes_clear(&making->text);
    }
    ms_free(making);
    return made;
}

void ms_priority_clear(struct ms_priority *priority) {
    gnutls_priority_deinit(priority->cache);
    ms_free(priority->text);
    *priority = (struct ms_priority){0};
}
