/* SPDX-License-Identifier: MIT */
/* A small world for the tests of sessions and links: an authority, a server, a client. */
#ifndef TEST_WORLD_H
#define TEST_WORLD_H

#include "link.h"

/* Delivers of what `from` wrote what it likes, by world_deliver(). */
typedef bool world_carrier(void *context, struct ms_link *link, enum ms_role from,
                           struct ms_slice bytes, struct ms_error *error);

struct world {
    struct ms_clock clock;
    struct ms_identity *root, *server, *client;
    struct ms_trust *trust;
    struct ms_config *client_config, *server_config;
    struct ms_link *link;
    world_carrier *carry; /* NULL: what an end wrote goes to the other as it is */
    void *carry_context;
};

/* An authority with a server "server.example" and a client "alice"; both ends trust it, the client
 * has no identity yet, the server asks for none. Configs wait to be changed and finished. */
void world_make(struct world *world, uint16_t version);
/* Finishes both configs and makes the link. */
void world_link(struct world *world, struct ms_link *resumed_from);
/* Pumps until quiet; fails the test when the link stops otherwise. */
void world_pump(struct world *world);
/* The same, until `stop` says so. */
enum ms_pumped world_pump_until(struct world *world, bool (*stop)(void *context), void *context,
                                struct ms_error *error);
/* From now on `carry` stands between the ends of the world's link. */
void world_carry(struct world *world, world_carrier *carry, void *context);
bool world_deliver(struct ms_link *link, enum ms_role from, struct ms_slice bytes,
                   struct ms_error *error);
void world_clear(struct world *world);

struct ms_identity *world_issue(struct world *world, const char *subject, const char *dns);
/* A config like the world's own for that role, unfinished. Returned, caller releases. */
struct ms_config *world_config(struct world *world, enum ms_role role, uint16_t version);
const struct ms_state *world_state(struct world *world, enum ms_role role);

#endif
