/* SPDX-License-Identifier: MIT */
/* native.verify: judges a chain outside of a handshake. */
#include "bind_pki.h"
#include "context.h"
#include "native.h"
#include "options.h"
#include "walker.h"

enum { GNUTLS_MAX_DEPTH = 16 }; /* what a session's limit is unless told otherwise, in 3.7.9 */

struct wish {
    int64_t at;
    const char *name;
    enum ms_purpose purpose;
    int64_t max_depth;
};

struct verify_box {
    struct ms_box box;
    struct ms_certificates chain;
    struct ms_trust *trust;
    struct wish wish;
    struct ms_verification result;
};

static const char *const purposes[] = {"any", "server", "client", NULL};

static const struct ms_option wish_options[] = {
    {"trust", MS_OPTION_OTHER, 0, 0, NULL},
    {"at", MS_OPTION_INTEGER, 0, offsetof(struct wish, at), NULL},
    {"name", MS_OPTION_TEXT, 0, offsetof(struct wish, name), NULL},
    {"purpose", MS_OPTION_WORD, 0, offsetof(struct wish, purpose), purposes},
    {"max_depth", MS_OPTION_INTEGER, 0, offsetof(struct wish, max_depth), NULL},
    {NULL, MS_OPTION_OTHER, 0, 0, NULL},
};

static void clear_verify(void *data) {
    struct verify_box *box = data;
    ms_certificates_clear(&box->chain);
    ms_trust_release(box->trust);
    ms_options_clear(wish_options, &box->wish);
    ms_verification_clear(&box->result);
}

static const struct ms_class verify_class = {.name = "moonshake.scratch.verification",
                                             .size = sizeof(struct verify_box),
                                             .clear = clear_verify};

static bool verify_box(struct verify_box *box, const struct ms_clock *clock,
                       struct ms_error *error) {
    struct ms_demand demand = {.trust = box->trust,
                               .name = box->wish.name,
                               .purpose = box->wish.purpose,
                               .max_depth = box->wish.max_depth};
    ms_clock_use(clock, 0, 0);
    bool judged = ms_verify(&box->chain, &demand, &box->result, error);
    ms_clock_use(NULL, 0, 0);
    return judged;
}

/* (list of certificates, { trust =, at =, name =, purpose =, max_depth = }) -> verification */
static int verify(lua_State *L) {
    const struct ms_context *context = ms_context_of(L);
    luaL_checktype(L, 2, LUA_TTABLE);
    struct verify_box *box = ms_box_scratch(L, &verify_class);
    box->wish.max_depth = GNUTLS_MAX_DEPTH;
    struct ms_error error;
    ms_options_get(L, 2, "trust");
    if (!ms_pki_read_trust(L, -1, &box->trust, &error) ||
        !ms_pki_read_certificates(L, 1, &box->chain, &error) ||
        !ms_options_read(L, 2, wish_options, &box->wish, &error)) {
        return ms_native_fail(L, &error);
    }
    struct ms_clock clock = context->clock;
    if (ms_options_get(L, 2, "at") != LUA_TNIL) {
        ms_clock_set(&clock, box->wish.at);
    }
    if (!verify_box(box, &clock, &error)) {
        return ms_native_fail(L, &error);
    }
    ms_walker_push_all(L, ms_verification_fields, &box->result);
    return 1;
}

void ms_verify_open(lua_State *L) {
    static const luaL_Reg functions[] = {{"verify", verify}, {NULL, NULL}};
    ms_class_register(L, &verify_class);
    lua_pop(L, 1);
    ms_native_add(L, functions);
}
