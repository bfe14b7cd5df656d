/* SPDX-License-Identifier: MIT */
/* Keys, certificates and identities as Lua values, and what other parts of the binding need to
 * take them from Lua and to give them to it. */
#ifndef MS_BIND_PKI_H
#define MS_BIND_PKI_H

#include "box.h"
#include "identity.h"
#include "verify.h"

/* Pushes a new userdata with a count of its own; nil for NULL. */
void ms_pki_push_certificate(lua_State *L, struct ms_certificate *certificate);
/* Pushes a list of them; nil for an absent one. */
void ms_pki_push_certificates(lua_State *L, const struct ms_certificates *list);

/* What the box at `index` holds, borrowed until that goes; raise unless it is one and open.
 * An authority is an identity, too. */
struct ms_certificate *ms_pki_certificate(lua_State *L, int index);
struct ms_identity *ms_pki_identity(lua_State *L, int index);
/* The same, or NULL. */
struct ms_certificate *ms_pki_test_certificate(lua_State *L, int index);
struct ms_identity *ms_pki_test_identity(lua_State *L, int index);

/* Adds the certificates of the list at `index`, which makes it present. False when memory is short.
 */
bool ms_pki_read_certificates(lua_State *L, int index, struct ms_certificates *list,
                              struct ms_error *error);
/* The anchors that are the value at `index`: a list of certificates, "system", or nil for nobody
 * (NULL). The caller releases `*trust`; it should be part of a box already, for this may raise. */
bool ms_pki_read_trust(lua_State *L, int index, struct ms_trust **trust, struct ms_error *error);

/* Scratch boxes. */
struct ms_bytes_box {
    struct ms_box box;
    struct ms_bytes bytes;
};
extern const struct ms_class ms_bytes_class;

struct ms_certificates_box {
    struct ms_box box;
    struct ms_certificates list;
};
extern const struct ms_class ms_certificates_class;

/* An empty identity or authority to put a result into: the place for it. */
struct ms_identity **ms_pki_new_identity(lua_State *L, bool authority);
/* The key of the box at `index`. */
struct ms_key *ms_pki_key(lua_State *L, int index);

/* Parts of ms_pki_open(). */
void ms_issue_open(lua_State *L);
void ms_verify_open(lua_State *L);

#endif
