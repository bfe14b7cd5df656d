/* SPDX-License-Identifier: MIT */
#include "resumption.h"

#include "memory.h"

#include <string.h>

/* Bytes of sessions that are kept: some thousand of them, or few whose clients sent long chains. */
#define MOST_STORED ((size_t)4 * 1024 * 1024)

struct stored {
    struct stored *next;
    gnutls_datum_t key, value;
};

struct ms_resumption {
    size_t count;
    gnutls_datum_t ticket_key; /* by gnutls_session_ticket_key_generate() */
    struct stored *oldest, **end;
    size_t size; /* bytes of all */
    bool memory_short;
};

struct ms_resumption *ms_resumption_new(struct ms_error *error) {
    struct ms_resumption *resumption = ms_alloc(sizeof *resumption);
    if (!resumption) {
        ms_fail_memory(error);
        return NULL;
    }
    resumption->count = 1;
    resumption->end = &resumption->oldest;
    int result = gnutls_session_ticket_key_generate(&resumption->ticket_key);
    if (result < 0) {
        ms_resumption_release(resumption);
        ms_fail_gnutls(error, result, "session ticket key");
        return NULL;
    }
    return resumption;
}

struct ms_resumption *ms_resumption_retain(struct ms_resumption *resumption) {
    resumption->count++;
    return resumption;
}

static void free_stored(struct stored *stored) {
    ms_free(stored->key.data);
    ms_free(stored->value.data);
    ms_free(stored);
}

static void drop(struct ms_resumption *resumption, struct stored **at) {
    struct stored *dropped = *at;
    *at = dropped->next;
    if (!dropped->next) {
        resumption->end = at;
    }
    resumption->size -= dropped->value.size;
    free_stored(dropped);
}

void ms_resumption_release(struct ms_resumption *resumption) {
    if (!resumption || --resumption->count > 0) {
        return;
    }
    while (resumption->oldest) {
        drop(resumption, &resumption->oldest);
    }
    gnutls_free(resumption->ticket_key.data);
    ms_free(resumption);
}

static struct stored **find(struct ms_resumption *resumption, gnutls_datum_t key) {
    struct stored **at = &resumption->oldest;
    while (*at &&
           ((*at)->key.size != key.size || memcmp((*at)->key.data, key.data, key.size) != 0)) {
        at = &(*at)->next;
    }
    return at;
}

static struct stored *new_stored(gnutls_datum_t key, gnutls_datum_t value) {
    struct stored *fresh = ms_alloc(sizeof *fresh);
    if (!fresh) {
        return NULL;
    }
    fresh->key = (gnutls_datum_t){ms_copy_bytes(key.data, key.size), key.size};
    fresh->value = (gnutls_datum_t){ms_copy_bytes(value.data, value.size), value.size};
    if (!fresh->key.data || !fresh->value.data) {
        free_stored(fresh);
        return NULL;
    }
    return fresh;
}

static int store(void *context, gnutls_datum_t key, gnutls_datum_t value) {
    struct ms_resumption *resumption = context;
    struct stored *fresh = new_stored(key, value);
    if (!fresh) {
        resumption->memory_short = true; /* GnuTLS goes on, whatever this returns */
        return GNUTLS_E_MEMORY_ERROR;
    }
    struct stored **before = find(resumption, key);
    if (*before) {
        drop(resumption, before);
    }
    *resumption->end = fresh;
    resumption->end = &fresh->next;
    resumption->size += value.size;
    while (resumption->oldest && resumption->size > MOST_STORED) {
        drop(resumption, &resumption->oldest);
    }
    return 0;
}

static gnutls_datum_t retrieve(void *context, gnutls_datum_t key) {
    struct stored *found = *find(context, key);
    gnutls_datum_t value = {0};
    if (found) {
        value.data = gnutls_malloc(found->value.size);
        if (value.data) {
            value.size = found->value.size;
            memcpy(value.data, found->value.data, value.size);
        }
    }
    return value;
}

static int forget(void *context, gnutls_datum_t key) {
    struct stored **at = find(context, key);
    if (!*at) {
        return GNUTLS_E_DB_ERROR;
    }
    drop(context, at);
    return 0;
}

int ms_resumption_enable(struct ms_resumption *resumption, gnutls_session_t tls, bool tickets) {
    if (tickets) {
        return gnutls_session_ticket_enable_server(tls, &resumption->ticket_key);
    }
    gnutls_db_set_ptr(tls, resumption);
    gnutls_db_set_store_function(tls, store);
    gnutls_db_set_retrieve_function(tls, retrieve);
    gnutls_db_set_remove_function(tls, forget);
    return 0;
}

bool ms_resumption_was_short(struct ms_resumption *resumption) {
    bool was_short = resumption->memory_short;
    resumption->memory_short = false;
    return was_short;
}
