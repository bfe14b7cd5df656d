/* SPDX-License-Identifier: MIT */
/* A small world for the tests of sessions and links: an authority, a server, a client. */
#ifndef TEST_WORLD_H
#define TEST_WORLD_H

#include "link.h"

struct world {
    struct ms_clock clock;
    struct ms_identity *root, *server, *client;
    struct ms_trust *trust;
    struct ms_config *client_config, *server_config;
    struct ms_link *link;
};

/* An authority with a server "server.example" and a client "alice"; both ends trust it, the client
 * has no identity yet, the server asks for none. Configs wait to be changed and finished. */
void world_make(struct world *world, uint16_t version);
/* Finishes both configs and makes the link. */
void world_link(struct world *world, struct ms_link *resumed_from);
/* Pumps until quiet; fails the test when the link stops otherwise. */
void world_pump(struct world *world);
void world_clear(struct world *world);

struct ms_identity *world_issue(struct world *world, const char *subject, const char *dns);
/* A config like the world's own for that role, unfinished. Returned, caller releases. */
struct ms_config *world_config(struct world *world, enum ms_role role, uint16_t version);
const struct ms_state *world_state(struct world *world, enum ms_role role);

#endif
