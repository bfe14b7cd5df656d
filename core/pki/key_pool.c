/* SPDX-License-Identifier: MIT */
#include "key.h"

#include "memory.h"

#include <string.h>

/* The keys made for one word, and how many of them are in use since the last rewind. */
struct shelf {
    const char *word; /* one of ms_key_words */
    struct ms_key **keys;
    size_t num, capacity, used;
};

struct ms_key_pool {
    struct shelf *shelves;
    size_t num, capacity;
};

struct ms_key_pool *ms_key_pool_new(struct ms_error *error) {
    struct ms_key_pool *pool = ms_alloc(sizeof *pool);
    if (!pool) {
        ms_fail_memory(error);
    }
    return pool;
}

void ms_key_pool_free(struct ms_key_pool *pool) {
    if (!pool) {
        return;
    }
    for (size_t i = 0; i < pool->num; i++) {
        for (size_t k = 0; k < pool->shelves[i].num; k++) {
            ms_key_release(pool->shelves[i].keys[k]);
        }
        ms_free(pool->shelves[i].keys);
    }
    ms_free(pool->shelves);
    ms_free(pool);
}

void ms_key_pool_rewind(struct ms_key_pool *pool) {
    for (size_t i = 0; i < pool->num; i++) {
        pool->shelves[i].used = 0;
    }
}

static const char *static_word(const char *word) {
    for (size_t i = 0; ms_key_words[i]; i++) {
        if (strcmp(ms_key_words[i], word) == 0) {
            return ms_key_words[i];
        }
    }
    return NULL;
}

static struct shelf *shelf_of(struct ms_key_pool *pool, const char *word, struct ms_error *error) {
    for (size_t i = 0; i < pool->num; i++) {
        if (strcmp(pool->shelves[i].word, word) == 0) {
            return &pool->shelves[i];
        }
    }
    if (!ms_grow_array(&pool->shelves, pool->num, &pool->capacity, sizeof *pool->shelves)) {
        ms_fail_memory(error);
        return NULL;
    }
    struct shelf *shelf = &pool->shelves[pool->num++];
    *shelf = (struct shelf){.word = word};
    return shelf;
}

struct ms_key *ms_key_pool_take(struct ms_key_pool *pool, const char *word,
                                struct ms_error *error) {
    const char *known = static_word(word);
    if (!known || strncmp(word, "rsa", 3) != 0) {
        return ms_key_generate(word, error);
    }
    struct shelf *shelf = shelf_of(pool, known, error);
    if (!shelf) {
        return NULL;
    }
    if (shelf->used == shelf->num) {
        if (!ms_grow_array(&shelf->keys, shelf->num, &shelf->capacity, sizeof(struct ms_key *))) {
            ms_fail_memory(error);
            return NULL;
        }
        struct ms_key *key = ms_key_generate(word, error);
        if (!key) {
            return NULL;
        }
        shelf->keys[shelf->num++] = key;
    }
    return ms_key_retain(shelf->keys[shelf->used++]);
}
