/* SPDX-License-Identifier: MIT */
#include "bind_config.h"

#include "bind_pki.h"
#include "context.h"
#include "enabled.h"
#include "memory.h"
#include "native.h"
#include "options.h"

#include <string.h>

/* Only its address is used: the registry's table from a config box's address to the box, with weak
 * values. A config in use is held by the link that uses it. */
static const char boxes_key;

struct config_box {
    struct ms_box box;
    struct ms_config *config;
    struct ms_context *context; /* borrowed: used only while a link, which holds it, is pumped */
};

enum { VALUE_CHOOSE = 1, VALUE_SITES, NUM_VALUES = VALUE_SITES };

static void clear_config(void *box) {
    ms_config_release(((struct config_box *)box)->config);
}

static const struct ms_class config_class = {.name = "moonshake.config",
                                             .size = sizeof(struct config_box),
                                             .num_values = NUM_VALUES,
                                             .clear = clear_config};

struct ms_config *ms_config_check(lua_State *L, int index) {
    struct config_box *box = ms_box_check(L, index, &config_class);
    return box->config;
}

/* Choosing */

struct request {
    struct config_box *box;
    const struct ms_choice *choice;
    struct ms_identity *identity;
};

static void push_texts(lua_State *L, const struct ms_texts *texts) {
    lua_createtable(L, (int)texts->num, 0);
    for (size_t i = 0; i < texts->num; i++) {
        lua_pushstring(L, texts->items[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

static void set_texts(lua_State *L, const char *name, const struct ms_texts *texts) {
    if (texts) {
        push_texts(L, texts);
        lua_setfield(L, -2, name);
    }
}

/* Runs protected: everything that may raise on behalf of choose(). */
static int run_choose(lua_State *L) {
    struct request *request = lua_touserdata(L, 1);
    const struct ms_choice *choice = request->choice;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &boxes_key);
    lua_rawgetp(L, -1, request->box);
    lua_getiuservalue(L, -1, VALUE_CHOOSE);
    lua_createtable(L, 0, 3);
    set_texts(L, "issuers", choice->issuers);
    set_texts(L, "signature_schemes", choice->signature_schemes);
    lua_pushstring(L, choice->server_name);
    lua_setfield(L, -2, "server_name");
    lua_call(L, 1, 1);
    if (!lua_isnil(L, -1)) {
        struct ms_identity *identity = ms_pki_test_identity(L, -1);
        if (!identity) {
            return luaL_error(L, "an identity or nil expected from the choosing function, got %s",
                              luaL_typename(L, -1));
        }
        request->identity = ms_identity_retain(identity);
    }
    return 0;
}

/* Below a GnuTLS frame: nothing here may raise. */
static bool choose(void *data, const struct ms_choice *choice, struct ms_identity **identity) {
    struct config_box *box = data;
    struct ms_pump *pump = box->context->pump;
    struct request request = {box, choice, NULL};
    if (!pump || pump->raised) {
        return false;
    }
    lua_State *L = pump->L;
    if (!lua_checkstack(L, 2)) {
        pump->short_of_memory = true;
        return false;
    }
    lua_pushcfunction(L, run_choose);
    lua_pushlightuserdata(L, &request);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
        lua_setiuservalue(L, 1, MS_PUMP_RAISED);
        pump->raised = true;
        return false;
    }
    if (request.identity) {
        struct ms_identity **chosen = &pump->chosen[box->config->role];
        ms_identity_release(*chosen);
        *chosen = request.identity;
    }
    *identity = request.identity;
    return true;
}

/* Making one */

static const char *const verify_words[] = {"never", "always", "ask", NULL};
static const char *const client_auth_words[] = {"none", "request", "require", NULL};
static const char *const send_words[] = {"matching", "always", "never", NULL};
static const char *const change_words[] = {"refuse", "allow", NULL};
static const char *const renegotiation_words[] = {"partial", "safe",   "unsafe",
                                                  "absent",  "refuse", NULL};
static const char *const alerts_words[] = {"library", "rfc", NULL};
static const char *const unknown_name_words[] = {"ignore", "reject", NULL};

#define OPTION(type, name)                                                                         \
    { #name, type, 0, offsetof(struct ms_config, name), NULL }
#define WORDS(type, name, field, words)                                                            \
    { name, type, 0, offsetof(struct ms_config, field), words }
#define CODES(name, kind)                                                                          \
    { #name, MS_OPTION_CODES, kind, offsetof(struct ms_config, name), NULL }
#define OTHER(name)                                                                                \
    { name, MS_OPTION_OTHER, 0, 0, NULL }

static const struct ms_option config_options[] = {
    OTHER("identities"),
    OTHER("choose"),
    OTHER("trust"),
    WORDS(MS_OPTION_WORD, "verify", verify, verify_words),
    OPTION(MS_OPTION_TEXT, server_name),
    OPTION(MS_OPTION_TEXT, verify_name),
    WORDS(MS_OPTION_WORD, "client_auth", client_auth, client_auth_words),
    OTHER("issuers"),
    WORDS(MS_OPTION_WORD, "send_certificate", send_certificate, send_words),
    WORDS(MS_OPTION_FLAG, "identity_change", allow_identity_change, change_words),
    CODES(versions, MS_NAMES_VERSION),
    CODES(cipher_suites, MS_NAMES_CIPHER_SUITE),
    CODES(groups, MS_NAMES_GROUP),
    CODES(signature_schemes, MS_NAMES_SIGNATURE_SCHEME),
    OPTION(MS_OPTION_TEXT, priority),
    OPTION(MS_OPTION_BOOL, server_preference),
    OPTION(MS_OPTION_BOOL, extended_master_secret),
    WORDS(MS_OPTION_WORD, "renegotiation", renegotiation, renegotiation_words),
    OPTION(MS_OPTION_TEXTS, alpn),
    OPTION(MS_OPTION_BOOL, alpn_required),
    OPTION(MS_OPTION_INTEGER, tickets),
    OPTION(MS_OPTION_BOOL, post_handshake_auth),
    OPTION(MS_OPTION_INTEGER, max_depth),
    OPTION(MS_OPTION_INTEGER, max_message_size),
    WORDS(MS_OPTION_FLAG, "alerts", rfc_alerts, alerts_words),
    OPTION(MS_OPTION_INTEGER, clock_offset),
    OTHER("sites"),
    WORDS(MS_OPTION_FLAG, "unknown_name", reject_unknown_name, unknown_name_words),
    OTHER(NULL),
};

/* Each of these reads the field of the options (argument 2) that it is named for. */

static bool read_identities(lua_State *L, struct ms_config *config, struct ms_error *error) {
    if (ms_options_get(L, 2, "identities") == LUA_TNIL) {
        return true;
    }
    luaL_checktype(L, -1, LUA_TTABLE);
    lua_Integer num = (lua_Integer)lua_rawlen(L, -1);
    for (lua_Integer i = 1; i <= num; i++) {
        lua_rawgeti(L, -1, i);
        if (!ms_config_add_identity(config, ms_pki_identity(L, -1))) {
            return ms_fail_memory(error);
        }
        lua_pop(L, 1);
    }
    return true;
}

static bool read_issuers(lua_State *L, struct ms_config *config, struct ms_error *error) {
    if (ms_options_get(L, 2, "issuers") == LUA_TNIL) {
        return true;
    }
    luaL_checktype(L, -1, LUA_TTABLE);
    config->issuers_given = true;
    lua_Integer num = (lua_Integer)lua_rawlen(L, -1);
    for (lua_Integer i = 1; i <= num; i++) {
        bool added;
        if (lua_rawgeti(L, -1, i) == LUA_TSTRING) {
            const char *name = ms_options_text(L, -1, "issuers", error);
            if (!name) {
                return false;
            }
            added = ms_texts_add(&config->issuer_names, name);
        } else {
            added = ms_certificates_add(&config->issuer_certificates, ms_pki_certificate(L, -1));
        }
        if (!added) {
            return ms_fail_memory(error);
        }
        lua_pop(L, 1);
    }
    return true;
}

/* The sites' boxes are kept visible by this one, whose box is argument 3: they have functions. */
static bool read_sites(lua_State *L, struct ms_config *config, struct ms_error *error) {
    if (ms_options_get(L, 2, "sites") == LUA_TNIL) {
        return true;
    }
    luaL_checktype(L, -1, LUA_TTABLE);
    int list = lua_gettop(L);
    lua_Integer num = (lua_Integer)lua_rawlen(L, list);
    lua_createtable(L, (int)num, 0);
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, 3, VALUE_SITES);
    for (lua_Integer i = 1; i <= num; i++) {
        lua_rawgeti(L, list, i);
        luaL_checktype(L, -1, LUA_TTABLE);
        ms_options_get(L, -1, "name");
        const char *name = ms_options_text(L, -1, "sites", error);
        if (!name) {
            return false;
        }
        ms_options_get(L, -2, "config");
        if (!ms_config_add_site(config, name, ms_config_check(L, -1))) {
            return ms_fail_memory(error);
        }
        lua_rawseti(L, list + 1, i);
        lua_settop(L, list + 1);
    }
    return true;
}

static bool read_trust(lua_State *L, struct ms_config *config, struct ms_error *error) {
    ms_options_get(L, 2, "trust");
    return ms_pki_read_trust(L, -1, &config->trust, error);
}

static bool read_choose(lua_State *L, struct config_box *box) {
    if (ms_options_get(L, 2, "choose") != LUA_TNIL) {
        luaL_checktype(L, -1, LUA_TFUNCTION);
        lua_setiuservalue(L, 3, VALUE_CHOOSE);
        lua_rawgetp(L, LUA_REGISTRYINDEX, &boxes_key);
        lua_pushvalue(L, 3);
        lua_rawsetp(L, -2, box);
        box->config->choose = choose;
        box->config->choose_context = box;
    }
    return true;
}

/* (role, options) -> config */
static int make_config(lua_State *L) {
    static const char *const roles[] = {"client", "server", NULL};
    struct ms_context *context = ms_context_of(L);
    enum ms_role role = luaL_checkoption(L, 1, NULL, roles) == 0 ? MS_CLIENT : MS_SERVER;
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    struct config_box *box = ms_box_new(L, &config_class);
    box->context = context;
    struct ms_error error;
    box->config = ms_config_new(role, &error);
    bool made = box->config && ms_options_read(L, 2, config_options, box->config, &error) &&
                read_identities(L, box->config, &error) && read_trust(L, box->config, &error) &&
                read_issuers(L, box->config, &error) && read_sites(L, box->config, &error) &&
                read_choose(L, box) && ms_config_finish(box->config, context->cache, &error);
    if (!made) {
        return ms_native_fail(L, &error);
    }
    lua_settop(L, 3);
    return 1;
}

struct texts_box {
    struct ms_box box;
    struct ms_texts texts;
};

static void clear_texts(void *box) {
    ms_texts_clear(&((struct texts_box *)box)->texts);
}

static const struct ms_class texts_class = {
    .name = "moonshake.scratch.texts", .size = sizeof(struct texts_box), .clear = clear_texts};

/* The config of a site, or the end's own. */
static const struct ms_config *config_of_site(const struct ms_config *config, const char *site) {
    for (size_t i = 0; site && i < config->num_sites; i++) {
        if (strcmp(config->sites[i].name, site) == 0) {
            return config->sites[i].config;
        }
    }
    return config;
}

/* (config, kind of names, key of its sites or nil) -> what is enabled, in order of preference */
static int list_enabled(lua_State *L) {
    static const char *const words[] = {"version", "cipher_suite", "group", "signature_scheme",
                                        NULL};
    static const enum ms_names kinds[] = {MS_NAMES_VERSION, MS_NAMES_CIPHER_SUITE, MS_NAMES_GROUP,
                                          MS_NAMES_SIGNATURE_SCHEME};
    const struct ms_config *config =
        config_of_site(ms_config_check(L, 1), luaL_optstring(L, 3, NULL));
    enum ms_names kind = kinds[luaL_checkoption(L, 2, NULL, words)];
    struct texts_box *box = ms_box_scratch(L, &texts_class);
    struct ms_error error;
    if (!ms_enabled_names(config, kind, &box->texts)) {
        ms_fail_memory(&error);
        return ms_native_fail(L, &error);
    }
    push_texts(L, &box->texts);
    return 1;
}

void ms_config_open(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"config", make_config}, {"enabled", list_enabled}, {NULL, NULL}};
    ms_class_register(L, &config_class);
    lua_pop(L, 1);
    ms_class_register(L, &texts_class);
    lua_pop(L, 1);
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &boxes_key) == LUA_TNIL) {
        lua_newtable(L);
        lua_createtable(L, 0, 1);
        lua_pushliteral(L, "v");
        lua_setfield(L, -2, "__mode");
        lua_setmetatable(L, -2);
        lua_rawsetp(L, LUA_REGISTRYINDEX, &boxes_key);
    }
    lua_pop(L, 1);
    ms_native_add(L, functions);
}
