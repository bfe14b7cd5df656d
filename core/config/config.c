/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "credentials.h"
#include "memory.h"

struct ms_config_cache {
    struct ms_priority_cache *priorities;
    struct ms_credentials_cache *credentials;
};

struct ms_config_cache *ms_config_cache_new(struct ms_error *error) {
    struct ms_config_cache *cache = ms_alloc(sizeof *cache);
    if (!cache) {
        ms_fail_memory(error);
        return NULL;
    }
    cache->priorities = ms_priority_cache_new(error);
    cache->credentials = cache->priorities ? ms_credentials_cache_new(error) : NULL;
    if (!cache->credentials) {
        ms_config_cache_free(cache);
        return NULL;
    }
    return cache;
}

void ms_config_cache_free(struct ms_config_cache *cache) {
    if (cache) {
        ms_priority_cache_free(cache->priorities);
        ms_credentials_cache_free(cache->credentials);
        ms_free(cache);
    }
}

struct ms_config *ms_config_new(enum ms_role role, struct ms_error *error) {
    struct ms_config *config = ms_alloc(sizeof *config);
    if (!config) {
        ms_fail_memory(error);
        return NULL;
    }
    config->count = 1;
    config->role = role;
    config->extended_master_secret = true;
    config->post_handshake_auth = true;
    config->tickets = config->max_depth = config->max_message_size = -1;
    return config;
}

static struct ms_code_list code_list(const struct ms_codes *codes) {
    return (struct ms_code_list){codes->items, codes->num};
}

bool ms_config_finish(struct ms_config *config, struct ms_config_cache *cache,
                      struct ms_error *error) {
    struct ms_restrictions restrictions = {
        .priority = config->priority,
        .versions = code_list(&config->versions),
        .cipher_suites = code_list(&config->cipher_suites),
        .groups = code_list(&config->groups),
        .signature_schemes = code_list(&config->signature_schemes),
        .server_preference = config->server_preference,
        .no_extended_master_secret = !config->extended_master_secret,
        .renegotiation = config->renegotiation,
    };
    config->shared_priority =
        ms_shared_priority_get(&restrictions, cache ? cache->priorities : NULL, error);
    if (!config->shared_priority) {
        return false;
    }
    config->made_priority = ms_shared_priority_made(config->shared_priority);
    config->credentials = ms_credentials_get(config, cache ? cache->credentials : NULL, error);
    return config->credentials != NULL;
}

struct ms_config *ms_config_retain(struct ms_config *config) {
    config->count++;
    return config;
}

static void free_codes(struct ms_codes *codes) {
    ms_free(codes->items);
}

void ms_config_release(struct ms_config *config) {
    if (!config || --config->count > 0) {
        return;
    }
    for (size_t i = 0; i < config->identities.num; i++) {
        ms_identity_release(config->identities.items[i]);
    }
    ms_free(config->identities.items);
    ms_trust_release(config->trust);
    ms_free(config->server_name);
    ms_free(config->verify_name);
    ms_texts_clear(&config->issuer_names);
    ms_certificates_clear(&config->issuer_certificates);
    free_codes(&config->versions);
    free_codes(&config->cipher_suites);
    free_codes(&config->groups);
    free_codes(&config->signature_schemes);
    ms_free(config->priority);
    ms_texts_clear(&config->alpn);
    for (size_t i = 0; i < config->num_sites; i++) {
        ms_free(config->sites[i].name);
        ms_config_release(config->sites[i].config);
    }
    ms_free(config->sites);
    ms_shared_priority_release(config->shared_priority);
    ms_credentials_release(config->credentials);
    ms_free(config);
}

bool ms_config_add_identity(struct ms_config *config, struct ms_identity *identity) {
    struct ms_identities *list = &config->identities;
    if (!ms_grow_array(&list->items, list->num, &list->capacity, sizeof(struct ms_identity *))) {
        return false;
    }
    list->items[list->num++] = ms_identity_retain(identity);
    return true;
}

bool ms_config_add_site(struct ms_config *config, const char *name, struct ms_config *site) {
    struct ms_site *grown = ms_grow(config->sites, (config->num_sites + 1) * sizeof *grown);
    if (!grown) {
        return false;
    }
    config->sites = grown;
    char *copy = ms_copy_text(name);
    if (!copy) {
        return false;
    }
    grown[config->num_sites++] = (struct ms_site){copy, ms_config_retain(site)};
    return true;
}

bool ms_codes_add(struct ms_codes *codes, uint16_t code) {
    if (!ms_grow_array(&codes->items, codes->num, &codes->capacity, sizeof(uint16_t))) {
        return false;
    }
    codes->items[codes->num++] = code;
    return true;
}
