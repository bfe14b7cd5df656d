/* SPDX-License-Identifier: MIT */
/* Links as Lua values. Whatever reads what a link owns step by step, and whatever pumps it, holds
 * its box: a script's function or finaliser that runs meanwhile finds it in use. */
#include "bind_config.h"
#include "bind_pki.h"
#include "context.h"
#include "deadline.h"
#include "link.h"
#include "native.h"
#include "walker.h"

#include <string.h>

struct link_box {
    struct ms_box box;
    struct ms_link *link;
    struct ms_context *context;    /* counted: its clock is the sessions' */
    struct ms_identity *chosen[2]; /* by role: what choosing functions gave last */
    bool disposed;
};

enum { VALUE_CONFIGS = 1, VALUE_RAISED = MS_PUMP_RAISED, NUM_VALUES = VALUE_RAISED };

/* The events to tell should the process be lost now. */
static void use_log(const struct link_box *box) {
    box->context->log = ms_link_log(box->link);
}

static void forget_log(const struct link_box *box) {
    if (box->link && box->context->log == ms_link_log(box->link)) {
        box->context->log = NULL;
    }
}

static void clear_link(void *data) {
    struct link_box *box = data;
    forget_log(box);
    ms_link_free(box->link);
    ms_identity_release(box->chosen[MS_CLIENT]);
    ms_identity_release(box->chosen[MS_SERVER]);
    ms_context_release(box->context);
}

static bool dispose(struct link_box *box, struct ms_error *error) {
    if (!box->disposed && !ms_link_retire(box->link, error)) {
        return false;
    }
    forget_log(box);
    box->disposed = true;
    return true;
}

static void finish_link(void *data) {
    struct link_box *box = data;
    if (box->link) {
        (void)dispose(box, NULL); /* for want of memory it is left to the collector */
    }
}

static const struct ms_class link_class = {.name = "moonshake.link",
                                           .size = sizeof(struct link_box),
                                           .num_values = NUM_VALUES,
                                           .clear = clear_link,
                                           .finish = finish_link};

/* Every method begins with one of these. */

static struct link_box *check_box(lua_State *L) {
    struct link_box *box = ms_box_check(L, 1, &link_class);
    if (box->box.users > 0) {
        luaL_error(L, "the link is in use: a function that it runs cannot use it");
    }
    return box;
}

/* For what needs the TLS sessions: false once they are gone. */
static bool check_sessions(lua_State *L, struct link_box **box, struct ms_error *error) {
    *box = check_box(L);
    return !(*box)->disposed || ms_fail(error, "the link is closed");
}

/* In what runs held by ms_box_read(). */
static struct ms_link *held_link(lua_State *L) {
    struct link_box *box = lua_touserdata(L, 1);
    return box->link;
}

static enum ms_role to_role(lua_State *L, int index) {
    static const char *const roles[] = {"client", "server", NULL};
    return luaL_checkoption(L, index, NULL, roles) == 0 ? MS_CLIENT : MS_SERVER;
}

static void push_role(lua_State *L, enum ms_role role) {
    lua_pushstring(L, role == MS_CLIENT ? "client" : "server");
}

/* The role at index 2, of an end that is here. */
static enum ms_role to_role_here(lua_State *L, struct ms_link *link) {
    enum ms_role role = to_role(L, 2);
    luaL_argcheck(L, ms_link_end(link, role), 2, "the far end");
    return role;
}

static struct ms_session *held_end(lua_State *L) {
    struct ms_link *link = held_link(L);
    return ms_link_end(link, to_role_here(L, link));
}

/* Returns true to Lua, or nil and why not. */
static int answer(lua_State *L, bool done, const struct ms_error *error) {
    if (!done) {
        return ms_native_fail(L, error);
    }
    lua_pushboolean(L, true);
    return 1;
}

/* A config's box must outlive the sessions that use it: a choosing function is reached by it. */
static void keep_config(lua_State *L, int link, int config) {
    lua_getiuservalue(L, link, VALUE_CONFIGS);
    lua_pushvalue(L, config);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    lua_pop(L, 1);
}

static struct ms_config *config_or_none(lua_State *L, int index) {
    return lua_isnil(L, index) ? NULL : ms_config_check(L, index);
}

/* (client's config, server's config, link resumed from or nil) -> link; of the configs one may be
 * nil. Pointers are taken out of boxes when nothing can run any more that might close one. */
static int make_link(lua_State *L) {
    lua_settop(L, 3);
    struct link_box *box = ms_box_new(L, &link_class);
    lua_createtable(L, 2, 0);
    lua_setiuservalue(L, 4, VALUE_CONFIGS);
    for (int config = 1; config <= 2; config++) {
        if (!lua_isnil(L, config)) {
            keep_config(L, 4, config);
        }
    }
    struct ms_config *client = config_or_none(L, 1);
    struct ms_config *server = config_or_none(L, 2);
    luaL_argcheck(L, client || server, 1, "a config");
    struct ms_link *resumed_from = NULL;
    if (!lua_isnil(L, 3)) {
        struct link_box *earlier = ms_box_check(L, 3, &link_class);
        luaL_argcheck(L, earlier->box.users == 0, 3, "the link is in use");
        resumed_from = earlier->link;
    }
    struct ms_error error;
    box->context = ms_context_retain(ms_context_of(L));
    box->link = ms_link_new(client, server, &box->context->clock, resumed_from, &error);
    if (!box->link) {
        return ms_native_fail(L, &error);
    }
    use_log(box);
    return 1;
}

/* Acting */

static enum ms_role role_field(lua_State *L, const char *name) {
    lua_getfield(L, 3, name);
    return to_role(L, -1);
}

static bool begin_close(lua_State *L, struct ms_link *link, struct ms_error *error) {
    bool both = lua_getfield(L, 3, "by") == LUA_TNIL;
    enum ms_role by = both ? MS_CLIENT : to_role(L, -1);
    return ms_link_close(link, both || by == MS_CLIENT, both || by == MS_SERVER, error);
}

static bool begin_send(lua_State *L, struct ms_link *link, struct ms_error *error) {
    enum ms_role from = role_field(L, "from");
    struct ms_slice data;
    lua_getfield(L, 3, "data");
    data.data = (const uint8_t *)luaL_checklstring(L, -1, &data.len);
    return ms_link_send(link, from, data, error);
}

static bool begin_update_keys(lua_State *L, struct ms_link *link, struct ms_error *error) {
    enum ms_role by = role_field(L, "by");
    lua_getfield(L, 3, "request_peer");
    return ms_link_update_keys(link, by, lua_toboolean(L, -1), error);
}

/* (link, action, arguments) -> true */
static int begin(lua_State *L) {
    static const char *const actions[] = {
        "handshake", "renegotiate", "reauthenticate", "update_keys", "close", "send", NULL};
    struct ms_error error;
    struct link_box *box;
    bool begun = check_sessions(L, &box, &error);
    int action = luaL_checkoption(L, 2, NULL, actions);
    luaL_checktype(L, 3, LUA_TTABLE);
    if (begun) {
        use_log(box);
        switch (action) {
        case 0:
            begun = ms_link_handshake(box->link, &error);
            break;
        case 1:
            begun = ms_link_renegotiate(box->link, role_field(L, "by"), &error);
            break;
        case 2:
            begun = ms_link_reauthenticate(box->link, &error);
            break;
        case 3:
            begun = begin_update_keys(L, box->link, &error);
            break;
        case 4:
            begun = begin_close(L, box->link, &error);
            break;
        default:
            begun = begin_send(L, box->link, &error);
            break;
        }
    }
    return answer(L, begun, &error);
}

/* (link, role, config) -> true */
static int use_config(lua_State *L) {
    struct ms_error error;
    struct link_box *box;
    bool open = check_sessions(L, &box, &error);
    enum ms_role role = to_role_here(L, box->link);
    struct ms_config *config = ms_config_check(L, 3);
    luaL_argcheck(L, config->role == role, 3, "a config of the other role");
    keep_config(L, 1, 3);
    return answer(L, open && ms_link_use(box->link, role, config, &error), &error);
}

static bool out_of_time(void *context) {
    return ms_deadline_over(context);
}

static enum ms_pumped run_pump(struct link_box *box, struct ms_pump *pump, struct ms_error *error) {
    pump->outer = box->context->pump;
    box->context->pump = pump;
    use_log(box);
    ms_box_hold(box);
    enum ms_pumped result = ms_link_pump(box->link, out_of_time, box->context, error);
    box->context->pump = pump->outer;
    return result;
}

/* (link) -> "quiet" | "asks", role | "flight", role | "raised", error object */
static int pump_link(lua_State *L) {
    struct ms_error error;
    struct link_box *box;
    if (!check_sessions(L, &box, &error)) {
        return ms_native_fail(L, &error);
    }
    /* All that is needed afterwards: once the box is let go, nothing of it may be used. */
    struct ms_context *context = box->context;
    struct ms_pump pump = {.L = L, .log = ms_link_log(box->link), .chosen = box->chosen};
    enum ms_pumped result = run_pump(box, &pump, &error);
    enum ms_role whose =
        result == MS_PUMP_ASKS ? ms_link_asking(box->link) : ms_link_writing(box->link);
    ms_box_let_go(box, &link_class);
    if (pump.raised) {
        lua_pushliteral(L, "raised");
        lua_getiuservalue(L, 1, VALUE_RAISED);
        lua_pushnil(L);
        lua_setiuservalue(L, 1, VALUE_RAISED);
        return 2;
    }
    if (pump.short_of_memory) {
        ms_fail_memory(&error);
        return ms_native_fail(L, &error);
    }
    switch (result) {
    case MS_PUMP_QUIET:
        lua_pushliteral(L, "quiet");
        return 1;
    case MS_PUMP_ASKS:
    case MS_PUMP_FLIGHT:
        lua_pushstring(L, result == MS_PUMP_ASKS ? "asks" : "flight");
        push_role(L, whose);
        return 2;
    case MS_PUMP_STOPPED:
        return ms_deadline_raise(L, context);
    default:
        return ms_native_fail(L, &error);
    }
}

static int answer_question(lua_State *L) {
    struct ms_error error;
    struct link_box *box;
    bool open = check_sessions(L, &box, &error);
    enum ms_role role = to_role_here(L, box->link);
    luaL_checktype(L, 3, LUA_TBOOLEAN);
    if (open) {
        ms_session_answer(ms_link_end(box->link, role), lua_toboolean(L, 3));
    }
    return answer(L, open, &error);
}

/* The carrier's side. Roles are those of ends that are here. */

/* (link, role, bytes) -> true */
static int feed_link(lua_State *L) {
    struct ms_error error;
    struct link_box *box;
    bool open = check_sessions(L, &box, &error);
    enum ms_role role = to_role_here(L, box->link);
    struct ms_slice bytes;
    bytes.data = (const uint8_t *)luaL_checklstring(L, 3, &bytes.len);
    return answer(L, open && ms_link_feed(box->link, role, bytes, &error), &error);
}

/* (link, role) -> what that end wrote, "" for nothing */
static int take_from_link(lua_State *L) {
    struct ms_error error;
    struct link_box *box;
    if (!check_sessions(L, &box, &error)) {
        return ms_native_fail(L, &error);
    }
    struct ms_slice bytes = ms_link_take(box->link, to_role_here(L, box->link));
    lua_pushlstring(L, (const char *)bytes.data, bytes.len);
    return 1;
}

/* (link, role) -> true */
static int hang_up_link(lua_State *L) {
    struct ms_error error;
    struct link_box *box;
    bool open = check_sessions(L, &box, &error);
    enum ms_role role = to_role_here(L, box->link);
    if (open) {
        ms_link_hang_up(box->link, role);
    }
    return answer(L, open, &error);
}

/* (link, problem, message) -> true */
static int break_link(lua_State *L) {
    struct ms_error error;
    struct link_box *box;
    bool open = check_sessions(L, &box, &error);
    const char *problem = luaL_checkstring(L, 2), *message = luaL_checkstring(L, 3);
    return answer(L, open && ms_link_break(box->link, problem, message, &error), &error);
}

/* (link, whether the pump hands out flights) -> true */
static int tamper_link(lua_State *L) {
    struct ms_error error;
    struct link_box *box;
    bool open = check_sessions(L, &box, &error);
    luaL_checktype(L, 2, LUA_TBOOLEAN);
    if (open) {
        ms_link_tamper(box->link, lua_toboolean(L, 2));
    }
    return answer(L, open, &error);
}

static int dispose_link(lua_State *L) {
    struct ms_error error;
    return answer(L, dispose(check_box(L), &error), &error);
}

/* Reading. Each of these runs held, see read_held(). */

static int read_question(lua_State *L) {
    struct ms_session *end = held_end(L);
    const struct ms_verification *question = ms_session_question(end);
    struct ms_error error;
    if (!question) {
        ms_fail(&error, "this end does not wait for an answer");
        return ms_native_fail(L, &error);
    }
    ms_walker_push_all(L, ms_verification_fields, question);
    ms_pki_push_certificates(L, ms_session_question_chain(end));
    lua_setfield(L, -2, "peer_certificates");
    const struct ms_state *state = ms_session_state(end, &error);
    if (!state) {
        return ms_native_fail(L, &error);
    }
    lua_pushstring(L, state->server_name);
    lua_setfield(L, -2, "server_name");
    return 1;
}

static int read_field(lua_State *L) {
    struct ms_session *end = held_end(L);
    const struct ms_field *field = ms_walker_find(ms_state_fields, luaL_checkstring(L, 3));
    struct ms_error error;
    const struct ms_state *state = field ? ms_session_state(end, &error) : NULL;
    if (field && !state) {
        return ms_native_fail(L, &error);
    }
    lua_pushboolean(L, field != NULL);
    if (!field) {
        return 1;
    }
    ms_walker_push(L, field, state);
    return 2;
}

static int read_snapshot(lua_State *L) {
    struct ms_error error;
    const struct ms_state *state = ms_session_state(held_end(L), &error);
    if (!state) {
        return ms_native_fail(L, &error);
    }
    ms_walker_push_all(L, ms_state_fields, state);
    return 1;
}

static int read_history(lua_State *L) {
    struct ms_link *link = held_link(L);
    enum ms_role role = to_role_here(L, link);
    size_t num = ms_link_num_history(link);
    lua_createtable(L, (int)num, 0);
    for (size_t i = 0; i < num; i++) {
        struct ms_error error;
        const struct ms_state *state = ms_link_history(link, role, i, &error);
        if (!state) {
            return ms_native_fail(L, &error);
        }
        ms_walker_push_all(L, ms_state_fields, state);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

struct view_box {
    struct ms_box box;
    struct ms_event_view view;
};

static void clear_view(void *box) {
    ms_event_view_clear(&((struct view_box *)box)->view);
}

static const struct ms_class view_class = {
    .name = "moonshake.scratch.view", .size = sizeof(struct view_box), .clear = clear_view};

/* (link, index of the first one wanted) */
static int read_events(lua_State *L) {
    struct ms_log *log = ms_link_log(held_link(L));
    size_t num = ms_log_num(log);
    lua_Integer first = luaL_optinteger(L, 2, 1);
    luaL_argcheck(L, first >= 1, 2, "counts from 1");
    lua_settop(L, 2);
    struct view_box *box = ms_box_scratch(L, &view_class);
    lua_newtable(L);
    for (size_t i = (size_t)first - 1; i < num; i++) {
        struct ms_error error;
        ms_event_view_clear(&box->view);
        if (!ms_event_view(log, i, &box->view, &error)) {
            return ms_native_fail(L, &error);
        }
        ms_walker_push_all(L, ms_event_fields, &box->view);
        lua_rawseti(L, 4, (lua_Integer)(i + 2) - first);
    }
    return 1;
}

/* (link) -> how many events there are */
static int read_num_events(lua_State *L) {
    lua_pushinteger(L, (lua_Integer)ms_log_num(ms_link_log(held_link(L))));
    return 1;
}

/* (link) -> list of { label =, client_random =, secret = }, the oldest first. For the library
 * alone: whoever has these can read and forge what the link carries. */
static int read_secrets(lua_State *L) {
    const struct ms_secrets *secrets = ms_log_secrets(ms_link_log(held_link(L)));
    lua_createtable(L, (int)secrets->num, 0);
    lua_Integer at = (lua_Integer)secrets->num;
    for (const struct ms_secret *secret = secrets->newest; secret; secret = secret->older) {
        lua_createtable(L, 0, 3);
        lua_pushstring(L, secret->label);
        lua_setfield(L, -2, "label");
        lua_pushlstring(L, (const char *)secret->client_random, MS_SECRET_RANDOM);
        lua_setfield(L, -2, "client_random");
        lua_pushlstring(L, (const char *)secret->bytes, secret->len);
        lua_setfield(L, -2, "secret");
        lua_rawseti(L, -2, at--);
    }
    return 1;
}

static int read_failed_first(lua_State *L) {
    const struct ms_log *log = ms_link_log(held_link(L));
    size_t num = ms_log_num(log);
    for (size_t i = 0; i < num; i++) {
        const struct ms_event *event = ms_log_at(log, i);
        if (event->kind == MS_EVENT_ERROR) {
            push_role(L, event->role);
            return 1;
        }
    }
    lua_pushnil(L);
    return 1;
}

static int read_received(lua_State *L) {
    struct ms_slice data = ms_session_received(held_end(L));
    lua_pushlstring(L, (const char *)data.data, data.len);
    return 1;
}

/* (link, role, label, context or nil, length) */
static int read_exporter(lua_State *L) {
    struct ms_session *end = held_end(L);
    const char *label = luaL_checkstring(L, 3);
    struct ms_slice context = {NULL, 0};
    if (!lua_isnoneornil(L, 4)) {
        context.data = (const uint8_t *)luaL_checklstring(L, 4, &context.len);
    }
    lua_Integer length = luaL_checkinteger(L, 5);
    luaL_argcheck(L, length >= 0 && length <= 1 << 20, 5, "not a length of keying material");
    struct ms_bytes_box *box = ms_box_scratch(L, &ms_bytes_class);
    struct ms_error error;
    if (!ms_session_export(end, label, context, (size_t)length, &box->bytes, &error)) {
        return ms_native_fail(L, &error);
    }
    lua_pushlstring(L, (const char *)box->bytes.data, box->bytes.len);
    return 1;
}

static int read_can_resume(lua_State *L) {
    struct ms_error error;
    struct ms_session *client = ms_link_end(held_link(L), MS_CLIENT);
    bool can = client ? ms_session_can_resume(client, &error)
                      : ms_fail(&error, "only a client offers a session");
    return answer(L, can, &error);
}

static int read_content(lua_State *L) {
    lua_pushboolean(L, ms_link_content(held_link(L)));
    return 1;
}

/* (link, role) -> how it stands with the handshake of that end and its peer, for a carrier */
static int read_standing(lua_State *L) {
    const struct ms_session *end = held_end(L);
    const char *standing = "open";
    if (ms_session_failed(end)) {
        standing = "failed";
    } else if (ms_session_waits(end)) {
        standing = "waits";
    } else if (ms_session_ended(end)) {
        standing = "closed";
    } else if (!ms_session_completed(end)) {
        standing = "idle";
    }
    lua_pushstring(L, standing);
    return 1;
}

/* (link, number) -> the name of that epoch, and its number; without one those of the present */
static int read_epoch(lua_State *L) {
    const struct ms_log *log = ms_link_log(held_link(L));
    lua_Integer last = (lua_Integer)ms_log_epoch(log), number = luaL_optinteger(L, 2, last);
    luaL_argcheck(L, number >= 0 && number <= last, 2, "no epoch");
    lua_pushstring(L, ms_log_epoch_name(log, (uint32_t)number));
    lua_pushinteger(L, number);
    return 2;
}

static int read_closed(lua_State *L) {
    lua_pushboolean(L, ms_link_closed(held_link(L)));
    return 1;
}

/* The function to run held is upvalue 1. */
static int read_held(lua_State *L) {
    return ms_box_read(L, check_box(L), &link_class, lua_tocfunction(L, lua_upvalueindex(1)));
}

static int is_busy(lua_State *L) {
    const struct ms_box *box = ms_box_check(L, 1, &link_class);
    lua_pushboolean(L, box->users > 0);
    return 1;
}

void ms_link_open(lua_State *L) {
    static const luaL_Reg functions[] = {{"link", make_link}, {NULL, NULL}};
    static const luaL_Reg methods[] = {
        {"begin", begin},          {"use", use_config},
        {"pump", pump_link},       {"answer", answer_question},
        {"feed", feed_link},       {"take", take_from_link},
        {"hang_up", hang_up_link}, {"break_off", break_link},
        {"tamper", tamper_link},   {"dispose", dispose_link},
        {"busy", is_busy},         {NULL, NULL},
    };
    static const luaL_Reg readers[] = {
        {"question", read_question},
        {"field", read_field},
        {"snapshot", read_snapshot},
        {"history", read_history},
        {"events", read_events},
        {"num_events", read_num_events},
        {"failed_first", read_failed_first},
        {"received", read_received},
        {"exporter", read_exporter},
        {"can_resume", read_can_resume},
        {"content", read_content},
        {"closed", read_closed},
        {"standing", read_standing},
        {"epoch", read_epoch},
        {"secrets", read_secrets},
        {NULL, NULL},
    };
    ms_class_register(L, &link_class);
    lua_pop(L, 1);
    ms_class_register(L, &view_class);
    lua_pop(L, 1);
    ms_native_add(L, functions);
    luaL_newlib(L, methods);
    for (const luaL_Reg *reader = readers; reader->name; reader++) {
        lua_pushcfunction(L, reader->func);
        lua_pushcclosure(L, read_held, 1);
        lua_setfield(L, -2, reader->name);
    }
    lua_setfield(L, -2, "link_methods");
}
