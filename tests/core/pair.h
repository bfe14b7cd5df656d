/* SPDX-License-Identifier: MIT */
/* Two links that have one end each, against each other: the test carries the bytes. */
#ifndef TEST_PAIR_H
#define TEST_PAIR_H

#include "world.h"

struct pair {
    struct world world;      /* its link is not used */
    struct ms_link *ends[2]; /* by the role of the end that is there */
};

enum ms_role pair_other(enum ms_role role);

/* The world of it, whose configs wait to be changed. */
void pair_make(struct pair *pair, uint16_t version);
/* Makes the links and begins their handshakes. */
void pair_begin(struct pair *pair);
/* All of this, and the handshakes. */
void pair_meet(struct pair *pair, uint16_t version);
void pair_clear(struct pair *pair);

enum ms_pumped pair_pump(struct ms_link *link);
void pair_feed(struct pair *pair, enum ms_role to, const void *bytes, size_t len);
/* What an end wrote reaches the other, in pieces of at most so many bytes; whether it had written
 * something. */
bool pair_carry_from(struct pair *pair, enum ms_role from, size_t most);
/* Both ways until nobody has anything to say. */
void pair_carry_in_pieces(struct pair *pair, size_t most);
void pair_carry(struct pair *pair);
void pair_send(struct pair *pair, enum ms_role from, const char *text);

const struct ms_state *pair_state(struct pair *pair, enum ms_role role);
void pair_assert_problem(struct pair *pair, enum ms_role role, const char *problem);
void pair_assert_received(struct pair *pair, enum ms_role role, const char *wanted);
size_t pair_count(struct pair *pair, enum ms_role role, enum ms_event_kind kind, bool incoming);

#endif
