/* SPDX-License-Identifier: MIT */
#include "log.h"

#include "certificate_set.h"
#include "clock.h"
#include "memory.h"
#include "names.h"
#include "wire.h"

#include <stdio.h>
#include <string.h>

/* Sized for one mutual handshake with tickets: a few chunks, little slack per live link. */
#define EVENTS_IN_CHUNK 32
#define ARENA_CHUNK 4096

/* How far back the sender of a record or message stands: a flight is a few dozen events. */
#define CARRIED_BACK 96

struct chunk {
    struct ms_event events[EVENTS_IN_CHUNK];
};

struct arena {
    struct arena *next;
    size_t used, size;
    uint8_t bytes[];
};

struct epoch {
    char *name;
    size_t first;
};

struct ms_log {
    size_t count;
    struct chunk **chunks;
    size_t num_chunks, chunk_capacity, num;
    struct arena *arena;
    struct epoch *epochs;
    size_t num_epochs, epoch_capacity;
    struct ms_certificate_set certificates;
    struct ms_secrets secrets;
};

const char *ms_during_word(enum ms_during during) {
    static const char *const words[] = {NULL, "handshake", "read", "write", "close"};
    return words[during];
}

struct ms_log *ms_log_new(struct ms_error *error) {
    struct ms_log *log = ms_alloc(sizeof *log);
    if (!log) {
        ms_fail_memory(error);
        return NULL;
    }
    log->count = 1;
    if (!ms_log_begin_epoch(log, "initial")) {
        ms_log_release(log);
        ms_fail_memory(error);
        return NULL;
    }
    return log;
}

struct ms_log *ms_log_retain(struct ms_log *log) {
    log->count++;
    return log;
}

static void clear_event(struct ms_event *event) {
    if (event->verification) {
        ms_verification_clear(event->verification);
        ms_free(event->verification);
    }
    if (event->failure) {
        ms_free(event->failure->message);
        ms_free(event->failure);
    }
    ms_certificate_release(event->certificate);
}

void ms_log_release(struct ms_log *log) {
    if (!log || --log->count > 0) {
        return;
    }
    for (size_t i = 0; i < log->num; i++) {
        clear_event(&log->chunks[i / EVENTS_IN_CHUNK]->events[i % EVENTS_IN_CHUNK]);
    }
    for (size_t i = 0; i < log->num_chunks; i++) {
        ms_free(log->chunks[i]);
    }
    ms_free(log->chunks);
    for (struct arena *arena = log->arena, *next; arena; arena = next) {
        next = arena->next;
        ms_free(arena);
    }
    for (size_t i = 0; i < log->num_epochs; i++) {
        ms_free(log->epochs[i].name);
    }
    ms_free(log->epochs);
    ms_certificate_set_clear(&log->certificates);
    ms_secrets_clear(&log->secrets);
    ms_free(log);
}

struct ms_event *ms_log_add(struct ms_log *log, enum ms_role role, enum ms_event_kind kind) {
    if (log->num == log->num_chunks * EVENTS_IN_CHUNK) {
        if (!ms_grow_array(&log->chunks, log->num_chunks, &log->chunk_capacity,
                           sizeof(struct chunk *))) {
            return NULL;
        }
        struct chunk *chunk = ms_alloc(sizeof *chunk);
        if (!chunk) {
            return NULL;
        }
        log->chunks[log->num_chunks++] = chunk;
    }
    size_t at = log->num++;
    struct ms_event *event = &log->chunks[at / EVENTS_IN_CHUNK]->events[at % EVENTS_IN_CHUNK];
    event->index = (int64_t)at + 1;
    event->time = ms_clock_in_force();
    event->role = role;
    event->kind = kind;
    event->epoch = ms_log_epoch(log);
    return event;
}

size_t ms_log_num(const struct ms_log *log) {
    return log->num;
}

const struct ms_event *ms_log_at(const struct ms_log *log, size_t index) {
    return &log->chunks[index / EVENTS_IN_CHUNK]->events[index % EVENTS_IN_CHUNK];
}

struct ms_slice ms_log_keep(struct ms_log *log, const void *bytes, size_t len) {
    struct arena *arena = log->arena;
    if (!arena || arena->size - arena->used < len) {
        bool large = len > ARENA_CHUNK / 4;
        size_t size = large ? len : ARENA_CHUNK - sizeof *arena;
        struct arena *fresh = ms_alloc(sizeof *fresh + size);
        if (!fresh) {
            return (struct ms_slice){0};
        }
        fresh->size = size;
        if (large && arena) { /* keep filling the present chunk afterwards */
            fresh->next = arena->next;
            arena->next = fresh;
        } else {
            fresh->next = arena;
            log->arena = fresh;
        }
        arena = fresh;
    }
    uint8_t *to = arena->bytes + arena->used;
    if (len) {
        memcpy(to, bytes, len);
    }
    arena->used += len;
    return (struct ms_slice){to, len};
}

struct ms_slice ms_log_keep_carried(struct ms_log *log, enum ms_role role, struct ms_slice bytes) {
    size_t first = log->num > CARRIED_BACK ? log->num - CARRIED_BACK : 0;
    for (size_t i = log->num; i > first; i--) {
        const struct ms_event *event = ms_log_at(log, i - 1);
        if (event->role != role && !event->incoming && event->bytes.data &&
            ms_slice_equal(event->bytes, bytes)) {
            return event->bytes;
        }
    }
    return ms_log_keep(log, bytes.data, bytes.len);
}

bool ms_log_know(struct ms_log *log, const struct ms_certificates *chain) {
    for (size_t i = 0; i < chain->num; i++) {
        if (!ms_certificate_set_add(&log->certificates, chain->items[i])) {
            return false;
        }
    }
    return true;
}

struct ms_certificate *ms_log_known(const struct ms_log *log, struct ms_slice der) {
    return ms_certificate_set_find(&log->certificates, der);
}

struct ms_certificate *ms_log_certificate(struct ms_log *log, struct ms_slice der) {
    struct ms_certificate *known = ms_log_known(log, der);
    if (known) {
        return known;
    }
    struct ms_certificate *fresh = ms_certificate_new(der, NULL);
    if (!fresh) {
        return NULL;
    }
    bool added = ms_certificate_set_add(&log->certificates, fresh);
    ms_certificate_release(fresh);
    return added ? fresh : NULL;
}

bool ms_log_keep_secret(struct ms_log *log, const char *label, struct ms_slice client_random,
                        struct ms_slice secret) {
    return ms_secrets_add(&log->secrets, label, client_random, secret);
}

const struct ms_secrets *ms_log_secrets(const struct ms_log *log) {
    return &log->secrets;
}

bool ms_log_begin_epoch(struct ms_log *log, const char *kind) {
    size_t same = 0;
    for (size_t i = 0; i < log->num_epochs; i++) {
        same += strncmp(log->epochs[i].name, kind, strlen(kind)) == 0;
    }
    char name[64];
    if (log->num_epochs == 0) {
        snprintf(name, sizeof name, "%s", kind);
    } else {
        snprintf(name, sizeof name, "%s %zu", kind, same + 1);
    }
    if (!ms_grow_array(&log->epochs, log->num_epochs, &log->epoch_capacity, sizeof(struct epoch))) {
        return false;
    }
    char *copy = ms_copy_text(name);
    if (!copy) {
        return false;
    }
    log->epochs[log->num_epochs++] = (struct epoch){.name = copy, .first = log->num};
    return true;
}

uint32_t ms_log_epoch(const struct ms_log *log) {
    return (uint32_t)(log->num_epochs - 1);
}

const char *ms_log_epoch_name(const struct ms_log *log, uint32_t epoch) {
    return log->epochs[epoch].name;
}

size_t ms_log_epoch_first(const struct ms_log *log, uint32_t epoch) {
    return log->epochs[epoch].first;
}
