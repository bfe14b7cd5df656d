/* SPDX-License-Identifier: MIT */
#include "bind_pki.h"

#include "context.h"
#include "native.h"
#include "options.h"
#include "walker.h"

#include <string.h>

struct key_box {
    struct ms_box box;
    struct ms_key *key;
};

struct certificate_box {
    struct ms_box box;
    struct ms_certificate *certificate;
};

struct identity_box {
    struct ms_box box;
    struct ms_identity *identity;
};

static void clear_key(void *box) {
    ms_key_release(((struct key_box *)box)->key);
}

static void clear_certificate(void *box) {
    ms_certificate_release(((struct certificate_box *)box)->certificate);
}

static void clear_identity(void *box) {
    ms_identity_release(((struct identity_box *)box)->identity);
}

static void clear_bytes(void *box) {
    ms_bytes_clear(&((struct ms_bytes_box *)box)->bytes);
}

static void clear_certificates(void *box) {
    ms_certificates_clear(&((struct ms_certificates_box *)box)->list);
}

static int equal_keys(lua_State *L);
static int equal_certificates(lua_State *L);
static int equal_identities(lua_State *L);

static const struct ms_class key_class = {.name = "moonshake.key",
                                          .size = sizeof(struct key_box),
                                          .clear = clear_key,
                                          .equal = equal_keys};
static const struct ms_class certificate_class = {.name = "moonshake.certificate",
                                                  .size = sizeof(struct certificate_box),
                                                  .clear = clear_certificate,
                                                  .equal = equal_certificates};
static const struct ms_class identity_class = {.name = "moonshake.identity",
                                               .size = sizeof(struct identity_box),
                                               .clear = clear_identity,
                                               .equal = equal_identities};
static const struct ms_class authority_class = {.name = "moonshake.authority",
                                                .size = sizeof(struct identity_box),
                                                .clear = clear_identity,
                                                .equal = equal_identities};
const struct ms_class ms_bytes_class = {
    .name = "moonshake.scratch.bytes", .size = sizeof(struct ms_bytes_box), .clear = clear_bytes};
const struct ms_class ms_certificates_class = {.name = "moonshake.scratch.certificates",
                                               .size = sizeof(struct ms_certificates_box),
                                               .clear = clear_certificates};

static int equal_keys(lua_State *L) {
    const struct key_box *a = ms_box_test(L, 1, &key_class);
    const struct key_box *b = ms_box_test(L, 2, &key_class);
    lua_pushboolean(L, a && b && a->key == b->key);
    return 1;
}

static int equal_certificates(lua_State *L) {
    const struct ms_certificate *a = ms_pki_test_certificate(L, 1);
    const struct ms_certificate *b = ms_pki_test_certificate(L, 2);
    lua_pushboolean(L, a && b && ms_certificate_equal(a, b));
    return 1;
}

static int equal_identities(lua_State *L) {
    const struct ms_identity *a = ms_pki_test_identity(L, 1);
    lua_pushboolean(L, a && a == ms_pki_test_identity(L, 2));
    return 1;
}

/* To and from Lua */

void ms_pki_push_certificate(lua_State *L, struct ms_certificate *certificate) {
    if (!certificate) {
        lua_pushnil(L);
        return;
    }
    struct certificate_box *box = ms_box_new(L, &certificate_class);
    box->certificate = ms_certificate_retain(certificate);
}

void ms_pki_push_certificates(lua_State *L, const struct ms_certificates *list) {
    if (!list->items) {
        lua_pushnil(L);
        return;
    }
    lua_createtable(L, (int)list->num, 0);
    for (size_t i = 0; i < list->num; i++) {
        ms_pki_push_certificate(L, list->items[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

struct ms_certificate *ms_pki_certificate(lua_State *L, int index) {
    struct certificate_box *box = ms_box_check(L, index, &certificate_class);
    return box->certificate;
}

struct ms_certificate *ms_pki_test_certificate(lua_State *L, int index) {
    struct certificate_box *box = ms_box_test(L, index, &certificate_class);
    return box ? box->certificate : NULL;
}

struct ms_identity *ms_pki_test_identity(lua_State *L, int index) {
    struct identity_box *box = ms_box_test(L, index, &identity_class);
    if (!box) {
        box = ms_box_test(L, index, &authority_class);
    }
    return box ? box->identity : NULL;
}

struct ms_identity *ms_pki_identity(lua_State *L, int index) {
    bool authority = ms_box_is(L, index, &authority_class);
    struct identity_box *box =
        ms_box_check(L, index, authority ? &authority_class : &identity_class);
    return box->identity;
}

struct ms_key *ms_pki_key(lua_State *L, int index) {
    struct key_box *box = ms_box_check(L, index, &key_class);
    return box->key;
}

struct ms_identity **ms_pki_new_identity(lua_State *L, bool authority) {
    struct identity_box *box = ms_box_new(L, authority ? &authority_class : &identity_class);
    return &box->identity;
}

static void push_key(lua_State *L, struct ms_key *key) {
    struct key_box *box = ms_box_new(L, &key_class);
    box->key = ms_key_retain(key);
}

static void push_identity(lua_State *L, struct ms_identity *identity, bool authority) {
    if (!identity) {
        lua_pushnil(L);
        return;
    }
    *ms_pki_new_identity(L, authority) = ms_identity_retain(identity);
}

bool ms_pki_read_certificates(lua_State *L, int index, struct ms_certificates *list,
                              struct ms_error *error) {
    index = lua_absindex(L, index);
    luaL_checktype(L, index, LUA_TTABLE);
    if (!ms_certificates_begin(list)) {
        return ms_fail_memory(error);
    }
    lua_Integer num = (lua_Integer)lua_rawlen(L, index);
    for (lua_Integer i = 1; i <= num; i++) {
        lua_rawgeti(L, index, i);
        if (!ms_certificates_add(list, ms_pki_certificate(L, -1))) {
            return ms_fail_memory(error);
        }
        lua_pop(L, 1);
    }
    return true;
}

bool ms_pki_read_trust(lua_State *L, int index, struct ms_trust **trust, struct ms_error *error) {
    *trust = NULL;
    if (lua_isnoneornil(L, index)) {
        return true;
    }
    if (lua_type(L, index) == LUA_TSTRING) {
        if (strcmp(lua_tostring(L, index), "system") != 0) {
            luaL_error(L, "trust: \"system\" or a list expected");
        }
        *trust = ms_trust_system(error);
        return *trust != NULL;
    }
    index = lua_absindex(L, index);
    struct ms_certificates_box *box = ms_box_new(L, &ms_certificates_class);
    if (ms_pki_read_certificates(L, index, &box->list, error)) {
        *trust = ms_trust_new(&box->list, error);
    }
    ms_certificates_clear(&box->list);
    lua_pop(L, 1);
    return *trust != NULL;
}

/* A text or DER argument; borrows from the argument. */
static struct ms_slice check_slice(lua_State *L, int index) {
    size_t len;
    const char *text = luaL_checklstring(L, index, &len);
    return (struct ms_slice){(const uint8_t *)text, len};
}

/* Keys */

static int make_key(lua_State *L) {
    struct ms_context *context = ms_context_of(L);
    const char *word = luaL_checkstring(L, 1);
    struct key_box *box = ms_box_new(L, &key_class);
    struct ms_error error;
    box->key = ms_key_pool_take(context->keys, word, &error);
    return box->key ? 1 : ms_native_fail(L, &error);
}

static int read_key(lua_State *L) {
    struct ms_slice text = check_slice(L, 1);
    const char *password;
    struct ms_error error;
    if (!ms_options_maybe_text(L, 2, "password", &password, &error)) {
        return ms_native_fail(L, &error);
    }
    struct key_box *box = ms_box_new(L, &key_class);
    box->key = ms_key_read(text, password, &error);
    return box->key ? 1 : ms_native_fail(L, &error);
}

/* Pushes what `made` says is in the scratch box, or fails. */
static int push_made(lua_State *L, bool made, const struct ms_bytes_box *box,
                     const struct ms_error *error) {
    if (!made) {
        return ms_native_fail(L, error);
    }
    lua_pushlstring(L, (const char *)box->bytes.data, box->bytes.len);
    return 1;
}

static int key_pem(lua_State *L) {
    const char *password;
    struct ms_error error;
    if (!ms_options_maybe_text(L, 2, "password", &password, &error)) {
        return ms_native_fail(L, &error);
    }
    struct ms_bytes_box *box = ms_box_scratch(L, &ms_bytes_class);
    bool made = ms_key_pem(ms_pki_key(L, 1), password, &box->bytes, &error);
    return push_made(L, made, box, &error);
}

static int key_public_pem(lua_State *L) {
    struct ms_bytes_box *box = ms_box_scratch(L, &ms_bytes_class);
    struct ms_error error;
    bool made = ms_key_public_pem(ms_pki_key(L, 1), &box->bytes, &error);
    return push_made(L, made, box, &error);
}

/* Certificates */

static int read_certificates(lua_State *L) {
    struct ms_slice text = check_slice(L, 1);
    struct ms_certificates_box *box = ms_box_scratch(L, &ms_certificates_class);
    struct ms_error error;
    if (!ms_certificates_begin(&box->list)) {
        ms_fail_memory(&error);
        return ms_native_fail(L, &error);
    }
    if (!ms_certificates_read(text, &box->list, &error)) {
        return ms_native_fail(L, &error);
    }
    ms_pki_push_certificates(L, &box->list);
    return 1;
}

static int certificate_pem(lua_State *L) {
    struct ms_bytes_box *box = ms_box_scratch(L, &ms_bytes_class);
    struct ms_error error;
    bool made = ms_certificate_pem(ms_pki_certificate(L, 1), &box->bytes, &error);
    return push_made(L, made, box, &error);
}

static int certificate_text(lua_State *L) {
    struct ms_bytes_box *box = ms_box_scratch(L, &ms_bytes_class);
    struct ms_error error;
    bool made = ms_certificate_text(ms_pki_certificate(L, 1), &box->bytes, &error);
    return push_made(L, made, box, &error);
}

static int certificate_der(lua_State *L) {
    struct ms_slice der = ms_certificate_der(ms_pki_certificate(L, 1));
    lua_pushlstring(L, (const char *)der.data, der.len);
    return 1;
}

/* Identities */

static int make_identity(lua_State *L) {
    lua_settop(L, 3);
    struct ms_certificates_box *list = ms_box_scratch(L, &ms_certificates_class);
    struct ms_identity **identity = ms_pki_new_identity(L, false);
    struct ms_error error;
    if (ms_pki_read_certificates(L, 2, &list->list, &error)) {
        struct ms_key *key = ms_pki_key(L, 1);
        struct ms_identity *issuer = lua_isnil(L, 3) ? NULL : ms_pki_identity(L, 3);
        *identity = ms_identity_new(key, &list->list, issuer, false, &error);
    }
    return *identity ? 1 : ms_native_fail(L, &error);
}

static int to_authority(lua_State *L) {
    struct ms_identity **authority = ms_pki_new_identity(L, true);
    *authority = ms_identity_retain(ms_pki_identity(L, 1));
    return 1;
}

static int read_identity(lua_State *L) {
    struct ms_slice chain = check_slice(L, 1);
    struct ms_slice key = check_slice(L, 2);
    const char *password;
    struct ms_error error;
    if (!ms_options_maybe_text(L, 3, "password", &password, &error)) {
        return ms_native_fail(L, &error);
    }
    struct ms_identity **identity = ms_pki_new_identity(L, false);
    *identity = ms_identity_read(chain, key, password, &error);
    return *identity ? 1 : ms_native_fail(L, &error);
}

static int read_pkcs12(lua_State *L) {
    struct ms_slice der = check_slice(L, 1);
    const char *password;
    struct ms_error error;
    if (!ms_options_maybe_text(L, 2, "password", &password, &error)) {
        return ms_native_fail(L, &error);
    }
    struct ms_identity **identity = ms_pki_new_identity(L, false);
    *identity = ms_identity_read_pkcs12(der, password, &error);
    return *identity ? 1 : ms_native_fail(L, &error);
}

static int identity_pkcs12(lua_State *L) {
    const char *password;
    struct ms_error error;
    if (!ms_options_maybe_text(L, 2, "password", &password, &error)) {
        return ms_native_fail(L, &error);
    }
    struct ms_bytes_box *box = ms_box_scratch(L, &ms_bytes_class);
    bool made = ms_identity_pkcs12(ms_pki_identity(L, 1), password, &box->bytes, &error);
    return push_made(L, made, box, &error);
}

/* native.field(): (object, name) -> known, value */

/* Runs held (see ms_box_read), for facts are lists that belong to the certificate. */
static int certificate_field(lua_State *L) {
    struct ms_certificate *certificate = ms_pki_certificate(L, 1);
    const struct ms_field *field = ms_walker_find(ms_certificate_fields, luaL_checkstring(L, 2));
    lua_pushboolean(L, field != NULL);
    if (!field) {
        return 1;
    }
    struct ms_error error;
    const struct ms_certificate_facts *facts = ms_certificate_facts(certificate, &error);
    if (!facts) {
        return ms_native_fail(L, &error);
    }
    ms_walker_push(L, field, facts);
    return 2;
}

static int key_field(lua_State *L) {
    const struct ms_key *key = ms_pki_key(L, 1);
    const char *name = luaL_checkstring(L, 2);
    bool type = strcmp(name, "type") == 0;
    lua_pushboolean(L, type || strcmp(name, "bits") == 0);
    if (type) {
        lua_pushstring(L, ms_key_type(key));
    } else {
        lua_pushinteger(L, ms_key_bits(key));
    }
    return lua_toboolean(L, -2) ? 2 : 1;
}

static int identity_field(lua_State *L) {
    static const char *const names[] = {"certificate", "chain", "key", "issuer", NULL};
    const struct ms_identity *identity = ms_pki_identity(L, 1);
    const char *name = luaL_checkstring(L, 2);
    int which = 0;
    while (names[which] && strcmp(names[which], name) != 0) {
        which++;
    }
    lua_pushboolean(L, names[which] != NULL);
    switch (which) {
    case 0:
        ms_pki_push_certificate(L, ms_identity_leaf(identity));
        return 2;
    case 1:
        ms_pki_push_certificates(L, ms_identity_chain(identity));
        return 2;
    case 2:
        push_key(L, ms_identity_key(identity));
        return 2;
    case 3:
        push_identity(L, ms_identity_issuer(identity), true);
        return 2;
    default:
        return 1;
    }
}

static int get_field(lua_State *L) {
    if (ms_box_is(L, 1, &key_class)) {
        return key_field(L);
    }
    if (ms_box_is(L, 1, &certificate_class)) {
        return ms_box_read(L, lua_touserdata(L, 1), &certificate_class, certificate_field);
    }
    (void)ms_pki_identity(L, 1); /* raises unless it is one */
    return ms_box_read(L, lua_touserdata(L, 1), &identity_class, identity_field);
}

static void add_key_words(lua_State *L) {
    lua_newtable(L);
    for (lua_Integer i = 0; ms_key_words[i]; i++) {
        lua_pushstring(L, ms_key_words[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "key_words");
}

void ms_pki_open(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"key", make_key},
        {"read_key", read_key},
        {"key_pem", key_pem},
        {"key_public_pem", key_public_pem},
        {"read_certificates", read_certificates},
        {"certificate_pem", certificate_pem},
        {"certificate_text", certificate_text},
        {"certificate_der", certificate_der},
        {"identity", make_identity},
        {"authority", to_authority},
        {"read_identity", read_identity},
        {"read_pkcs12", read_pkcs12},
        {"pkcs12", identity_pkcs12},
        {"field", get_field},
        {NULL, NULL},
    };
    static const struct ms_class *const classes[] = {&key_class,      &certificate_class,
                                                     &identity_class, &authority_class,
                                                     &ms_bytes_class, &ms_certificates_class};
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        ms_class_register(L, classes[i]);
        lua_pop(L, 1);
    }
    ms_native_add(L, functions);
    add_key_words(L);
    ms_issue_open(L);
    ms_verify_open(L);
}
