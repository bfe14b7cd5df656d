/* SPDX-License-Identifier: MIT */
#include "link.h"

#include "memory.h"
#include "pieces.h"

struct epoch_states {
    struct ms_state ends[2];
};

/* How often a far peer may begin a handshake anew: each such epoch keeps a state. */
#define MOST_BEGUN_BY_PEER 100

struct ms_link {
    struct ms_log *log;
    struct ms_resumption *resumption;
    struct ms_session *ends[2]; /* by role; NULL: that end is somewhere else */
    bool alone;                 /* one of them is */
    struct epoch_states *past;
    size_t num_past, past_capacity;
    bool tampered;              /* flights are handed out */
    struct ms_pieces pieces[2]; /* of a link in memory, by the role that they go to */
    bool begun, closed;
    bool closed_by[2]; /* by role: the script closed that end */
    size_t begun_by_peer;
};

static enum ms_role other(enum ms_role role) {
    return role == MS_CLIENT ? MS_SERVER : MS_CLIENT;
}

static ms_peer_begins peer_begins;

static bool make_client(struct ms_link *link, struct ms_config *config,
                        const struct ms_clock *clock, struct ms_link *resumed_from,
                        struct ms_error *error) {
    struct ms_session *resume = resumed_from ? resumed_from->ends[MS_CLIENT] : NULL;
    link->ends[MS_CLIENT] = ms_session_new(config, link->log, clock, NULL, resume, error);
    return link->ends[MS_CLIENT] != NULL;
}

static bool make_server(struct ms_link *link, struct ms_config *config,
                        const struct ms_clock *clock, struct ms_error *error) {
    link->ends[MS_SERVER] = ms_session_new(config, link->log, clock, link->resumption, NULL, error);
    return link->ends[MS_SERVER] != NULL;
}

struct ms_link *ms_link_new(struct ms_config *client, struct ms_config *server,
                            const struct ms_clock *clock, struct ms_link *resumed_from,
                            struct ms_error *error) {
    struct ms_session *resume = resumed_from && client ? resumed_from->ends[MS_CLIENT] : NULL;
    if (resume && !ms_session_can_resume(resume, error)) {
        return NULL;
    }
    struct ms_link *link = ms_alloc(sizeof *link);
    if (!link) {
        ms_fail_memory(error);
        return NULL;
    }
    link->alone = !client || !server;
    link->log = ms_log_new(error);
    link->resumption =
        resumed_from ? ms_resumption_retain(resumed_from->resumption) : ms_resumption_new(error);
    if (!link->log || !link->resumption ||
        (client && !make_client(link, client, clock, resumed_from, error)) ||
        (server && !make_server(link, server, clock, error))) {
        ms_link_free(link);
        return NULL;
    }
    for (int role = 0; role < 2; role++) {
        if (link->alone && link->ends[role]) {
            ms_session_leave_alone(link->ends[role], peer_begins, link);
        }
    }
    return link;
}

void ms_link_free(struct ms_link *link) {
    if (!link) {
        return;
    }
    for (size_t i = 0; i < link->num_past; i++) {
        ms_state_clear(&link->past[i].ends[MS_CLIENT]);
        ms_state_clear(&link->past[i].ends[MS_SERVER]);
    }
    ms_free(link->past);
    ms_pieces_clear(&link->pieces[MS_CLIENT]);
    ms_pieces_clear(&link->pieces[MS_SERVER]);
    ms_session_free(link->ends[MS_CLIENT]);
    ms_session_free(link->ends[MS_SERVER]);
    ms_resumption_release(link->resumption);
    ms_log_release(link->log);
    ms_free(link);
}

bool ms_link_retire(struct ms_link *link, struct ms_error *error) {
    link->closed = link->closed_by[MS_CLIENT] = link->closed_by[MS_SERVER] = true;
    return (!link->ends[MS_CLIENT] || ms_session_retire(link->ends[MS_CLIENT], error)) &&
           (!link->ends[MS_SERVER] || ms_session_retire(link->ends[MS_SERVER], error));
}

bool ms_link_use(struct ms_link *link, enum ms_role role, struct ms_config *config,
                 struct ms_error *error) {
    return ms_session_use(link->ends[role], config, error);
}

/* ---- actions ---- */

static bool open_for_action(const struct ms_link *link, struct ms_error *error) {
    if (link->closed) {
        return ms_fail(error, "the link is closed");
    }
    return link->begun || ms_fail(error, "the link has had no handshake yet: call handshake()");
}

/* Whether both ends can go on; what keeps one from it is state, not misuse. */
static bool alive(const struct ms_link *link) {
    for (int role = 0; role < 2; role++) {
        const struct ms_session *end = link->ends[role];
        if (end &&
            (ms_session_failed(end) || ms_session_waits(end) || !ms_session_completed(end))) {
            return false;
        }
    }
    return true;
}

static bool is_1_3(const struct ms_link *link) {
    const struct ms_session *end =
        link->ends[MS_CLIENT] ? link->ends[MS_CLIENT] : link->ends[MS_SERVER];
    return ms_session_negotiated(end) >= 0x0304;
}

static bool is_here(const struct ms_link *link, enum ms_role role, struct ms_error *error) {
    return link->ends[role] || ms_fail(error, "the %s is the far end: only it can do that",
                                       role == MS_CLIENT ? "client" : "server");
}

static bool begin_epoch(struct ms_link *link, const char *kind, struct ms_error *error) {
    if (!ms_grow_array(&link->past, link->num_past, &link->past_capacity,
                       sizeof(struct epoch_states))) {
        return ms_fail_memory(error);
    }
    struct epoch_states *past = &link->past[link->num_past];
    *past = (struct epoch_states){0};
    for (int role = 0; role < 2; role++) {
        if (link->ends[role] && !ms_session_freeze(link->ends[role], &past->ends[role], error)) {
            ms_state_clear(&past->ends[MS_CLIENT]);
            return false;
        }
    }
    if (!ms_log_begin_epoch(link->log, kind)) {
        ms_state_clear(&past->ends[MS_CLIENT]);
        ms_state_clear(&past->ends[MS_SERVER]);
        return ms_fail_memory(error);
    }
    link->num_past++;
    return true;
}

/* The peer of an end that is alone begins an epoch unasked. */
static bool peer_begins(void *context, const char *kind, bool *goes_along) {
    struct ms_link *link = context;
    struct ms_error error;
    *goes_along = ++link->begun_by_peer <= MOST_BEGUN_BY_PEER;
    return !*goes_along || begin_epoch(link, kind, &error);
}

bool ms_link_handshake(struct ms_link *link, struct ms_error *error) {
    if (link->closed) {
        return ms_fail(error, "the link is closed");
    }
    if (link->begun) {
        return ms_fail(error, "the link has had its handshake: use renegotiate() or "
                              "reauthenticate(), or make another link");
    }
    link->begun = true;
    for (int role = 0; role < 2; role++) {
        if (link->ends[role]) {
            ms_session_start_handshake(link->ends[role]);
        }
    }
    return true;
}

static void expect(struct ms_link *link, enum ms_role role) {
    if (link->ends[role]) {
        ms_session_expect(link->ends[role]);
    }
}

bool ms_link_renegotiate(struct ms_link *link, enum ms_role by, struct ms_error *error) {
    if (!open_for_action(link, error) || !is_here(link, by, error)) {
        return false;
    }
    if (is_1_3(link)) {
        return ms_fail(error, "TLS 1.3 has no renegotiation (RFC 8446 section 4.1.2): use "
                              "reauthenticate() or update_keys()");
    }
    if (!alive(link)) {
        return true;
    }
    if (!begin_epoch(link, "renegotiation", error)) {
        return false;
    }
    expect(link, other(by));
    ms_session_start_renegotiation(link->ends[by]);
    return true;
}

bool ms_link_reauthenticate(struct ms_link *link, struct ms_error *error) {
    if (!open_for_action(link, error) || !is_here(link, MS_SERVER, error)) {
        return false;
    }
    if (!alive(link)) {
        return true;
    }
    if (!is_1_3(link)) {
        return ms_fail(error, "post-handshake authentication is TLS 1.3's (RFC 8446 section "
                              "4.6.2): use renegotiate()");
    }
    if (!begin_epoch(link, "reauthentication", error)) {
        return false;
    }
    expect(link, MS_CLIENT);
    ms_session_start_reauthentication(link->ends[MS_SERVER]);
    return true;
}

static void start_other(struct ms_link *link) {
    for (int role = 0; role < 2; role++) {
        if (link->ends[role]) {
            ms_session_start_other(link->ends[role]);
        }
    }
}

bool ms_link_update_keys(struct ms_link *link, enum ms_role by, bool request_peer,
                         struct ms_error *error) {
    if (!open_for_action(link, error) || !is_here(link, by, error)) {
        return false;
    }
    if (!alive(link)) {
        return true;
    }
    if (!is_1_3(link)) {
        return ms_fail(error, "key updates are TLS 1.3's (RFC 8446 section 4.6.3): use "
                              "renegotiate()");
    }
    start_other(link);
    for (int role = 0; role < 2; role++) { /* the other may have an answer to receive */
        if (link->ends[role]) {
            ms_session_shift_window(link->ends[role]);
        }
    }
    ms_session_update_keys(link->ends[by], request_peer);
    return true;
}

bool ms_link_close(struct ms_link *link, bool client, bool server, struct ms_error *error) {
    const bool named[] = {[MS_CLIENT] = client, [MS_SERVER] = server};
    if (!link->begun && !link->alone) { /* an end that is alone has a stream to close */
        return open_for_action(link, error);
    }
    bool left = false;
    for (int role = 0; role < 2; role++) {
        left = left || (named[role] && link->ends[role] && !link->closed_by[role]);
    }
    if (!left) {
        return ms_fail(error, "the link is closed");
    }
    start_other(link);
    link->closed = true;
    for (int role = 0; role < 2; role++) {
        if (named[role] && link->ends[role] && !link->closed_by[role]) {
            link->closed_by[role] = true;
            ms_session_close(link->ends[role]);
        }
    }
    return true;
}

bool ms_link_send(struct ms_link *link, enum ms_role from, struct ms_slice data,
                  struct ms_error *error) {
    if (!open_for_action(link, error) || !is_here(link, from, error)) {
        return false;
    }
    if (alive(link)) {
        start_other(link);
        ms_session_send(link->ends[from], data);
    }
    return true;
}

/* ---- pumping ---- */

bool ms_link_feed(struct ms_link *link, enum ms_role to, struct ms_slice bytes,
                  struct ms_error *error) {
    if (link->alone) {
        return ms_session_feed(link->ends[to], bytes, error);
    }
    return ms_pieces_add(&link->pieces[to], bytes) || ms_fail_memory(error);
}

struct ms_slice ms_link_take(struct ms_link *link, enum ms_role from) {
    return ms_session_take(link->ends[from]);
}

void ms_link_hang_up(struct ms_link *link, enum ms_role at) {
    ms_session_hang_up(link->ends[at]);
}

bool ms_link_break(struct ms_link *link, const char *problem, const char *message,
                   struct ms_error *error) {
    link->begun = true;
    for (int role = 0; role < 2; role++) {
        if (link->ends[role] && !ms_session_break(link->ends[role], problem, message, error)) {
            return false;
        }
    }
    return true;
}

void ms_link_tamper(struct ms_link *link, bool on) {
    link->tampered = on;
}

static bool deliver(struct ms_link *link, enum ms_role from, bool *moved, struct ms_error *error) {
    if (link->alone || link->tampered || !link->ends[from]) {
        return true; /* whoever carries takes it */
    }
    struct ms_slice bytes = ms_session_take(link->ends[from]);
    if (bytes.len == 0) {
        return true;
    }
    *moved = true;
    return ms_session_feed(link->ends[other(from)], bytes, error);
}

/* One piece to each end, once all that came before has been dealt with. */
static bool deliver_pieces(struct ms_link *link, bool *moved, struct ms_error *error) {
    for (int role = 0; role < 2; role++) {
        struct ms_slice piece = ms_pieces_first(&link->pieces[role]);
        if (piece.data) {
            if (!ms_session_feed(link->ends[role], piece, error)) {
                return false;
            }
            ms_pieces_drop(&link->pieces[role]);
            *moved = true;
        }
    }
    return true;
}

static bool step(struct ms_link *link, enum ms_role role, bool *moved, struct ms_error *error) {
    struct ms_session *end = link->ends[role];
    bool stepped = false;
    if (!end) {
        return true;
    }
    if (!ms_session_step(end, &stepped, error)) {
        return false;
    }
    *moved |= stepped;
    return deliver(link, role, moved, error);
}

static bool asks(const struct ms_link *link, enum ms_role role) {
    return link->ends[role] && ms_session_question(link->ends[role]);
}

enum ms_role ms_link_asking(const struct ms_link *link) {
    return asks(link, MS_CLIENT) ? MS_CLIENT : MS_SERVER;
}

/* Whether an end wrote what a carrier is to take. */
static bool wrote(const struct ms_link *link, enum ms_role role) {
    return link->tampered && link->ends[role] && ms_session_wrote(link->ends[role]);
}

enum ms_role ms_link_writing(const struct ms_link *link) {
    return wrote(link, MS_CLIENT) ? MS_CLIENT : MS_SERVER;
}

static void rest(struct ms_link *link) {
    for (int role = 0; role < 2; role++) {
        if (link->ends[role] && link->alone) {
            ms_session_rest(link->ends[role]);
        } else if (link->ends[role]) {
            ms_session_quiet(link->ends[role]);
        }
    }
}

enum ms_pumped ms_link_pump(struct ms_link *link, bool (*stop)(void *context), void *context,
                            struct ms_error *error) {
    bool moved = true;
    /* What an action itself wrote goes first. */
    if (!deliver(link, MS_CLIENT, &moved, error) || !deliver(link, MS_SERVER, &moved, error)) {
        return MS_PUMP_FAILED;
    }
    while (moved) {
        moved = false;
        for (int role = 0; role < 2; role++) {
            if (wrote(link, MS_CLIENT) || wrote(link, MS_SERVER)) {
                return MS_PUMP_FLIGHT;
            }
            if (!step(link, (enum ms_role)role, &moved, error)) {
                return MS_PUMP_FAILED;
            }
            if (stop && stop(context)) {
                return MS_PUMP_STOPPED;
            }
        }
        if (asks(link, MS_CLIENT) || asks(link, MS_SERVER)) {
            return MS_PUMP_ASKS;
        }
        if (!moved && !deliver_pieces(link, &moved, error)) {
            return MS_PUMP_FAILED;
        }
    }
    if (wrote(link, MS_CLIENT) || wrote(link, MS_SERVER)) {
        return MS_PUMP_FLIGHT;
    }
    rest(link);
    return MS_PUMP_QUIET;
}

/* ---- what it answers ---- */

bool ms_link_content(const struct ms_link *link) {
    return (!link->ends[MS_CLIENT] || ms_session_content(link->ends[MS_CLIENT])) &&
           (!link->ends[MS_SERVER] || ms_session_content(link->ends[MS_SERVER]));
}

bool ms_link_closed(const struct ms_link *link) {
    return link->closed;
}

struct ms_session *ms_link_end(struct ms_link *link, enum ms_role role) {
    return link->ends[role];
}

struct ms_log *ms_link_log(struct ms_link *link) {
    return link->log;
}

size_t ms_link_num_history(struct ms_link *link) {
    return link->num_past + 1;
}

const struct ms_state *ms_link_history(struct ms_link *link, enum ms_role role, size_t index,
                                       struct ms_error *error) {
    return index < link->num_past ? &link->past[index].ends[role]
                                  : ms_session_state(link->ends[role], error);
}
