/* SPDX-License-Identifier: MIT */
#include "link.h"

#include "memory.h"

struct epoch_states {
    struct ms_state ends[2];
};

struct ms_link {
    struct ms_log *log;
    struct ms_resumption *resumption;
    struct ms_session *ends[2]; /* by role */
    struct epoch_states *past;
    size_t num_past, past_capacity;
    ms_carry *carry;
    void *carry_context;
    bool begun, closed;
    bool closed_by[2]; /* by role: the script closed that end */
};

static enum ms_role other(enum ms_role role) {
    return role == MS_CLIENT ? MS_SERVER : MS_CLIENT;
}

struct ms_link *ms_link_new(struct ms_config *client, struct ms_config *server,
                            const struct ms_clock *clock, struct ms_link *resumed_from,
                            struct ms_error *error) {
    struct ms_session *resume = resumed_from ? resumed_from->ends[MS_CLIENT] : NULL;
    if (resume && !ms_session_can_resume(resume, error)) {
        return NULL;
    }
    struct ms_link *link = ms_alloc(sizeof *link);
    if (!link) {
        ms_fail_memory(error);
        return NULL;
    }
    link->log = ms_log_new(error);
    link->resumption =
        resumed_from ? ms_resumption_retain(resumed_from->resumption) : ms_resumption_new(error);
    if (link->log && link->resumption) {
        link->ends[MS_CLIENT] = ms_session_new(client, link->log, clock, NULL, resume, error);
        if (link->ends[MS_CLIENT]) {
            link->ends[MS_SERVER] =
                ms_session_new(server, link->log, clock, link->resumption, NULL, error);
        }
    }
    if (!link->ends[MS_SERVER]) {
        ms_link_free(link);
        return NULL;
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
    ms_session_free(link->ends[MS_CLIENT]);
    ms_session_free(link->ends[MS_SERVER]);
    ms_resumption_release(link->resumption);
    ms_log_release(link->log);
    ms_free(link);
}

bool ms_link_retire(struct ms_link *link, struct ms_error *error) {
    link->closed = link->closed_by[MS_CLIENT] = link->closed_by[MS_SERVER] = true;
    return ms_session_retire(link->ends[MS_CLIENT], error) &&
           ms_session_retire(link->ends[MS_SERVER], error);
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
        if (ms_session_failed(end) || ms_session_waits(end) || !ms_session_completed(end)) {
            return false;
        }
    }
    return true;
}

static bool is_1_3(const struct ms_link *link) {
    return ms_session_negotiated(link->ends[MS_CLIENT]) >= 0x0304;
}

static bool begin_epoch(struct ms_link *link, const char *kind, struct ms_error *error) {
    if (!ms_grow_array(&link->past, link->num_past, &link->past_capacity,
                       sizeof(struct epoch_states))) {
        return ms_fail_memory(error);
    }
    struct epoch_states *past = &link->past[link->num_past];
    if (!ms_session_freeze(link->ends[MS_CLIENT], &past->ends[MS_CLIENT], error)) {
        return false;
    }
    if (!ms_session_freeze(link->ends[MS_SERVER], &past->ends[MS_SERVER], error)) {
        ms_state_clear(&past->ends[MS_CLIENT]);
        return false;
    }
    if (!ms_log_begin_epoch(link->log, kind)) {
        ms_state_clear(&past->ends[MS_CLIENT]);
        ms_state_clear(&past->ends[MS_SERVER]);
        return ms_fail_memory(error);
    }
    link->num_past++;
    return true;
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
    ms_session_start_handshake(link->ends[MS_CLIENT]);
    ms_session_start_handshake(link->ends[MS_SERVER]);
    return true;
}

bool ms_link_renegotiate(struct ms_link *link, enum ms_role by, struct ms_error *error) {
    if (!open_for_action(link, error)) {
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
    ms_session_expect(link->ends[other(by)]);
    ms_session_start_renegotiation(link->ends[by]);
    return true;
}

bool ms_link_reauthenticate(struct ms_link *link, struct ms_error *error) {
    if (!open_for_action(link, error)) {
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
    ms_session_expect(link->ends[MS_CLIENT]);
    ms_session_start_reauthentication(link->ends[MS_SERVER]);
    return true;
}

static void start_other(struct ms_link *link) {
    ms_session_start_other(link->ends[MS_CLIENT]);
    ms_session_start_other(link->ends[MS_SERVER]);
}

bool ms_link_update_keys(struct ms_link *link, enum ms_role by, bool request_peer,
                         struct ms_error *error) {
    if (!open_for_action(link, error)) {
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
    ms_session_shift_window(link->ends[MS_CLIENT]);
    ms_session_shift_window(link->ends[MS_SERVER]); /* it may have an answer to receive */
    ms_session_update_keys(link->ends[by], request_peer);
    return true;
}

bool ms_link_close(struct ms_link *link, bool client, bool server, struct ms_error *error) {
    const bool named[] = {[MS_CLIENT] = client, [MS_SERVER] = server};
    if (!link->begun) {
        return open_for_action(link, error);
    }
    bool left = false;
    for (int role = 0; role < 2; role++) {
        left = left || (named[role] && !link->closed_by[role]);
    }
    if (!left) {
        return ms_fail(error, "the link is closed");
    }
    start_other(link);
    link->closed = true;
    for (int role = 0; role < 2; role++) {
        if (named[role] && !link->closed_by[role]) {
            link->closed_by[role] = true;
            ms_session_close(link->ends[role]);
        }
    }
    return true;
}

bool ms_link_send(struct ms_link *link, enum ms_role from, struct ms_slice data,
                  struct ms_error *error) {
    if (!open_for_action(link, error)) {
        return false;
    }
    if (alive(link)) {
        start_other(link);
        ms_session_send(link->ends[from], data);
    }
    return true;
}

/* ---- pumping ---- */

void ms_link_carry(struct ms_link *link, ms_carry *carry, void *context) {
    link->carry = carry;
    link->carry_context = context;
}

static bool deliver(struct ms_link *link, enum ms_role from, bool *moved, struct ms_error *error) {
    struct ms_slice bytes = ms_session_take(link->ends[from]);
    if (bytes.len == 0) {
        return true;
    }
    *moved = true;
    if (link->carry) {
        return link->carry(link->carry_context, link, from, bytes, error);
    }
    return ms_session_feed(link->ends[other(from)], bytes, error);
}

static bool step(struct ms_link *link, enum ms_role role, bool *moved, struct ms_error *error) {
    bool stepped = false;
    if (!ms_session_step(link->ends[role], &stepped, error)) {
        return false;
    }
    *moved |= stepped;
    return deliver(link, role, moved, error);
}

static bool asks(const struct ms_link *link) {
    return ms_session_question(link->ends[MS_CLIENT]) || ms_session_question(link->ends[MS_SERVER]);
}

enum ms_role ms_link_asking(const struct ms_link *link) {
    return ms_session_question(link->ends[MS_CLIENT]) ? MS_CLIENT : MS_SERVER;
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
            if (!step(link, (enum ms_role)role, &moved, error)) {
                return MS_PUMP_FAILED;
            }
            if (stop && stop(context)) {
                return MS_PUMP_STOPPED;
            }
        }
        if (asks(link)) {
            return MS_PUMP_ASKS;
        }
    }
    ms_session_quiet(link->ends[MS_CLIENT]);
    ms_session_quiet(link->ends[MS_SERVER]);
    return MS_PUMP_QUIET;
}

/* ---- what it answers ---- */

bool ms_link_content(const struct ms_link *link) {
    return ms_session_content(link->ends[MS_CLIENT]) && ms_session_content(link->ends[MS_SERVER]);
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
