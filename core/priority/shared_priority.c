/* SPDX-License-Identifier: MIT */
#include "shared_priority.h"

#include "bytes.h"
#include "memory.h"

#include <string.h>

#define CACHED 16

struct ms_shared_priority {
    size_t count;
    struct ms_bytes asked; /* the restrictions, written out one after another */
    struct ms_priority made;
};

struct ms_priority_cache {
    struct ms_shared_priority *entries[CACHED];
    size_t next; /* to be replaced */
};

struct ms_priority_cache *ms_priority_cache_new(struct ms_error *error) {
    struct ms_priority_cache *cache = ms_alloc(sizeof *cache);
    if (!cache) {
        ms_fail_memory(error);
    }
    return cache;
}

void ms_priority_cache_free(struct ms_priority_cache *cache) {
    for (size_t i = 0; cache && i < CACHED; i++) {
        ms_shared_priority_release(cache->entries[i]);
    }
    ms_free(cache);
}

static bool add_list(struct ms_bytes *to, const struct ms_code_list *list) {
    return ms_bytes_add(to, &list->num, sizeof list->num) &&
           ms_bytes_add(to, list->codes, list->num * sizeof *list->codes);
}

/* Equal bytes are equal restrictions: every part says how long it is. */
static bool write_out(const struct ms_restrictions *asked, struct ms_bytes *to) {
    const char *text = asked->priority ? asked->priority : "";
    const unsigned char switches[] = {asked->priority != NULL, asked->server_preference,
                                      asked->no_extended_master_secret,
                                      (unsigned char)asked->renegotiation};
    return ms_bytes_add(to, switches, sizeof switches) &&
           ms_bytes_add(to, text, strlen(text) + 1) && add_list(to, &asked->versions) &&
           add_list(to, &asked->cipher_suites) && add_list(to, &asked->groups) &&
           add_list(to, &asked->signature_schemes);
}

static struct ms_shared_priority *find(const struct ms_priority_cache *cache,
                                       const struct ms_bytes *asked) {
    for (size_t i = 0; cache && i < CACHED; i++) {
        struct ms_shared_priority *entry = cache->entries[i];
        if (entry && entry->asked.len == asked->len &&
            memcmp(entry->asked.data, asked->data, asked->len) == 0) {
            entry->count++;
            return entry;
        }
    }
    return NULL;
}

static struct ms_shared_priority *make(const struct ms_restrictions *restrictions,
                                       struct ms_error *error) {
    struct ms_shared_priority *shared = ms_alloc(sizeof *shared);
    if (!shared) {
        ms_fail_memory(error);
        return NULL;
    }
    shared->count = 1;
    if (!ms_priority_make(restrictions, &shared->made, error)) {
        ms_free(shared);
        return NULL;
    }
    return shared;
}

struct ms_shared_priority *ms_shared_priority_get(const struct ms_restrictions *restrictions,
                                                  struct ms_priority_cache *cache,
                                                  struct ms_error *error) {
    struct ms_bytes asked = {0};
    if (!write_out(restrictions, &asked)) {
        ms_bytes_clear(&asked);
        ms_fail_memory(error);
        return NULL;
    }
    struct ms_shared_priority *shared = find(cache, &asked);
    if (!shared) {
        shared = make(restrictions, error);
        if (shared) {
            shared->asked = asked;
            asked = (struct ms_bytes){0};
        }
        if (shared && cache) {
            ms_shared_priority_release(cache->entries[cache->next]);
            cache->entries[cache->next] = shared;
            shared->count++;
            cache->next = (cache->next + 1) % CACHED;
        }
    }
    ms_bytes_clear(&asked);
    return shared;
}

void ms_shared_priority_release(struct ms_shared_priority *shared) {
    if (!shared || --shared->count > 0) {
        return;
    }
    ms_priority_clear(&shared->made);
    ms_bytes_clear(&shared->asked);
    ms_free(shared);
}

const struct ms_priority *ms_shared_priority_made(const struct ms_shared_priority *shared) {
    return &shared->made;
}
