/* SPDX-License-Identifier: MIT */
#include "priority_flags.h"

#include <ctype.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

enum { MOST_WORDS = GNUTLS_MAX_ALGORITHM_NUM };

struct word {
    const char *start;
    size_t len;
};

/* The next word of a priority string, as GnuTLS breaks it. NULL `next` is the end. */
static struct word take_word(const char **next) {
    struct word word = {*next, strcspn(*next, ":")};
    const char *rest = word.start + word.len;
    *next = *rest ? rest + 1 + strspn(rest + 1, " ") : NULL;
    return word;
}

static bool word_is(struct word word, const char *text) {
    return strlen(text) == word.len && strncasecmp(word.start, text, word.len) == 0;
}

static bool word_begins(struct word word, const char *text) {
    return strncasecmp(word.start, text, strlen(text)) == 0;
}

struct meaning {
    const char *word;
    unsigned value;
};

/* A level only ever lowers the profile, unless none was set. LEGACY has none. */
static const struct meaning levels[] = {
    {"NORMAL", GNUTLS_PROFILE_LOW},          {"PFS", GNUTLS_PROFILE_LOW},
    {"PERFORMANCE", GNUTLS_PROFILE_LOW},     {"SECURE128", GNUTLS_PROFILE_LOW},
    {"SECURE", GNUTLS_PROFILE_LOW},          {"SECURE192", GNUTLS_PROFILE_HIGH},
    {"SECURE256", GNUTLS_PROFILE_HIGH},      {"SUITEB128", GNUTLS_PROFILE_SUITEB128},
    {"SUITEB192", GNUTLS_PROFILE_SUITEB192},
};

/* %PROFILE_SUITEB192 sets SUITEB128 in GnuTLS 3.7.9. */
static const struct meaning profiles[] = {
    {"%PROFILE_VERY_WEAK", GNUTLS_PROFILE_VERY_WEAK},
    {"%PROFILE_LOW", GNUTLS_PROFILE_LOW},
    {"%PROFILE_LEGACY", GNUTLS_PROFILE_LEGACY},
    {"%PROFILE_MEDIUM", GNUTLS_PROFILE_MEDIUM},
    {"%PROFILE_HIGH", GNUTLS_PROFILE_HIGH},
    {"%PROFILE_ULTRA", GNUTLS_PROFILE_ULTRA},
    {"%PROFILE_FUTURE", GNUTLS_PROFILE_FUTURE},
    {"%PROFILE_SUITEB128", GNUTLS_PROFILE_SUITEB128},
    {"%PROFILE_SUITEB192", GNUTLS_PROFILE_SUITEB128},
};

static const struct meaning flags_of_words[] = {
    {"%VERIFY_ALLOW_BROKEN", GNUTLS_VERIFY_ALLOW_BROKEN},
    {"%VERIFY_ALLOW_SIGN_RSA_MD5", GNUTLS_VERIFY_ALLOW_SIGN_RSA_MD5},
    {"%VERIFY_ALLOW_SIGN_WITH_SHA1", GNUTLS_VERIFY_ALLOW_SIGN_WITH_SHA1},
    {"%VERIFY_DISABLE_CRL_CHECKS", GNUTLS_VERIFY_DISABLE_CRL_CHECKS},
    {"%DISABLE_WILDCARDS", GNUTLS_VERIFY_DO_NOT_ALLOW_WILDCARDS},
};

static unsigned value_of(const struct meaning *meanings, size_t num, struct word word) {
    for (size_t i = 0; i < num; i++) {
        if (word_is(word, meanings[i].word)) {
            return meanings[i].value;
        }
    }
    return 0;
}

#define VALUE_OF(meanings, word) value_of(meanings, sizeof(meanings) / sizeof(meanings)[0], word)

unsigned ms_priority_flags(const char *text) {
    unsigned flags = 0, profile = 0;
    while (isspace((unsigned char)*text)) {
        text++;
    }
    for (const char *next = text; next;) {
        struct word word = take_word(&next);
        struct word bare = *word.start == '+' ? (struct word){word.start + 1, word.len - 1} : word;
        unsigned level = VALUE_OF(levels, bare), fixed = VALUE_OF(profiles, word);
        if (level && (profile == 0 || profile > level)) {
            profile = level;
        }
        if (fixed) {
            profile = fixed;
        }
        flags |= VALUE_OF(flags_of_words, word);
    }
    return flags | GNUTLS_PROFILE_TO_VFLAGS(profile);
}

/* "+KX-DHE" is neither a key exchange nor an error to GnuTLS. */
static bool is_passed_over(struct word word) {
    static const char *const families[] = {"MAC-", "CIPHER-", "KX-"};
    struct word name = {word.start + 1, word.len - 1};
    char text[64];
    if (!strchr("+-!", *word.start) || name.len >= sizeof text) {
        return false;
    }
    memcpy(text, name.start, name.len);
    text[name.len] = '\0';
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        size_t len = strlen(families[i]);
        if (word_begins(name, families[i])) {
            return strcasecmp(text + len, "ALL") != 0 && strcasecmp(text + len, "GOST-ALL") != 0 &&
                   gnutls_mac_get_id(text) == GNUTLS_MAC_UNKNOWN;
        }
    }
    return false;
}

bool ms_priority_words(const char *text, struct ms_error *error) {
    size_t num = 0;
    while (isspace((unsigned char)*text)) {
        text++;
    }
    if (*text == '@') {
        return ms_fail(error, "priority: %.60s is a policy of this machine's; write its words out",
                       text);
    }
    for (const char *next = text; next; num++) {
        struct word word = take_word(&next);
        if (word.len > 0 && is_passed_over(word)) {
            return ms_fail(error, "priority: GnuTLS would ignore %.*s",
                           (int)(word.len > 60 ? 60 : word.len), word.start);
        }
    }
    return num <= MOST_WORDS ||
           ms_fail(error, "priority: GnuTLS would ignore all after the first %d of %zu words",
                   MOST_WORDS, num);
}
