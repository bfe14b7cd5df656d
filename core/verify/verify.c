/* SPDX-License-Identifier: MIT */
#include "verify.h"

#include "clock.h"
#include "finding.h"
#include "memory.h"

#include <arpa/inet.h>

#define NO_STATUS 0xffffffffU

#define FIELD(name, type, about)                                                                   \
    { #name, type, offsetof(struct ms_verification, name), NULL, about }
const struct ms_field ms_verification_fields[] = {
    FIELD(verified, MS_FIELD_BOOL, "Whether GnuTLS found nothing wrong with the chain."),
    FIELD(accepted, MS_FIELD_BOOL,
          "Whether this end accepted the chain: as `verified`, unless a policy decided."),
    FIELD(problems, MS_FIELD_TEXTS,
          "GnuTLS's status flags as words, with the exact finding where it has one flag for "
          "several causes; empty when verified."),
    FIELD(text, MS_FIELD_TEXT, "The outcome in one sentence, which names certificates by subject."),
    FIELD(certificate, MS_FIELD_CERTIFICATE,
          "The certificate that carries the violated constraint or is itself at fault."),
    FIELD(path, MS_FIELD_CERTIFICATES,
          "The certification path (RFC 5280 section 6), leaf first, ending in the anchor where one "
          "was reached."),
    {0},
};

/* A result that GnuTLS has no flag for. `certificate` may be NULL. */
static bool conclude(struct ms_verification *result, const char *problem,
                     struct ms_certificate *certificate, struct ms_sentence *sentence,
                     struct ms_error *error) {
    result->status = NO_STATUS;
    result->text = ms_sentence_end(sentence);
    result->certificate = certificate ? ms_certificate_retain(certificate) : NULL;
    return (result->text && ms_texts_add(&result->problems, problem)) || ms_fail_memory(error);
}

static bool conclude_too_deep(const struct ms_certificates *chain, const struct ms_demand *demand,
                              struct ms_verification *result, struct ms_error *error) {
    struct ms_sentence sentence = {0};
    ms_sentence_add(&sentence, "the chain has %zu certificates, the limit is %lld", chain->num,
                    (long long)demand->max_depth);
    return conclude(result, "depth_exceeded", NULL, &sentence, error);
}

static bool conclude_malformed(const struct ms_path *path, struct ms_verification *result,
                               struct ms_error *error) {
    struct ms_sentence sentence = {0};
    ms_sentence_add(&sentence, "certificate %zu of the chain cannot be parsed",
                    path->chain.num + 1);
    return conclude(result, "malformed_certificate", path->unreadable, &sentence, error);
}

static bool conclude_verified(struct ms_verification *result, struct ms_error *error) {
    struct ms_sentence sentence = {0};
    ms_sentence_add(&sentence, "the path of %zu certificate%s to a trusted one is valid",
                    result->path.num, result->path.num == 1 ? "" : "s");
    result->verified = result->accepted = true;
    result->text = ms_sentence_end(&sentence);
    return result->text || ms_fail_memory(error);
}

/* The name and the purpose as GnuTLS takes them. */
struct typed_demand {
    gnutls_typed_vdata_st data[2];
    unsigned num;
    unsigned char address[16];
};

static void add_data(struct typed_demand *typed, gnutls_vdata_types_t type, const void *data,
                     unsigned size) {
    /* GnuTLS declares what it only reads as if it wrote. */
    typed->data[typed->num++] =
        (gnutls_typed_vdata_st){.type = type, .data = (unsigned char *)data, .size = size};
}

static void type_demand(const struct ms_demand *demand, struct typed_demand *typed) {
    typed->num = 0;
    if (demand->name && inet_pton(AF_INET, demand->name, typed->address) == 1) {
        add_data(typed, GNUTLS_DT_IP_ADDRESS, typed->address, 4);
    } else if (demand->name && inet_pton(AF_INET6, demand->name, typed->address) == 1) {
        add_data(typed, GNUTLS_DT_IP_ADDRESS, typed->address, 16);
    } else if (demand->name) {
        add_data(typed, GNUTLS_DT_DNS_HOSTNAME, demand->name, 0);
    }
    if (demand->purpose == MS_PURPOSE_SERVER) {
        add_data(typed, GNUTLS_DT_KEY_PURPOSE_OID, GNUTLS_KP_TLS_WWW_SERVER, 0);
    } else if (demand->purpose == MS_PURPOSE_CLIENT) {
        add_data(typed, GNUTLS_DT_KEY_PURPOSE_OID, GNUTLS_KP_TLS_WWW_CLIENT, 0);
    }
}

static bool judge(struct ms_path *path, const struct ms_demand *demand,
                  struct ms_verification *result, struct ms_error *error) {
    struct typed_demand typed;
    type_demand(demand, &typed);
    if (!ms_path_check(path, typed.data, typed.num, &result->status, error) ||
        !ms_path_list(path, &result->path, error)) {
        return false;
    }
    if (result->status == 0) {
        return conclude_verified(result, error);
    }
    struct ms_evidence evidence = {.path = path,
                                   .demand = demand,
                                   .list = &result->path,
                                   .status = result->status,
                                   .failure = ms_path_failure(path, result->status)};
    return ms_finding_explain(&evidence, result, error);
}

bool ms_verify(const struct ms_certificates *chain, const struct ms_demand *demand,
               struct ms_verification *result, struct ms_error *error) {
    *result = (struct ms_verification){0};
    if (chain->num == 0) {
        return ms_fail(error, "there is no certificate to verify");
    }
    result->present = true;
    result->at = ms_clock_in_force();
    struct ms_path path;
    bool fine = ms_path_open(&path, chain, demand->trust, demand->flags, error);
    if (fine && !ms_texts_begin(&result->problems)) {
        fine = ms_fail_memory(error);
    }
    if (fine && demand->max_depth != 0 && chain->num > (uint64_t)demand->max_depth) {
        /* As GnuTLS's credentials do: -101 (GNUTLS_E_CONSTRAINT_ERROR) before any verification. */
        fine = ms_path_list(&path, &result->path, error) &&
               conclude_too_deep(chain, demand, result, error);
    } else if (fine && path.unreadable) {
        fine =
            ms_path_list(&path, &result->path, error) && conclude_malformed(&path, result, error);
    } else if (fine) {
        fine = judge(&path, demand, result, error);
    }
    ms_path_close(&path);
    if (!fine) {
        ms_verification_clear(result);
    }
    return fine;
}

bool ms_verification_copy(struct ms_verification *to, const struct ms_verification *from) {
    *to = *from;
    to->problems = (struct ms_texts){0};
    to->path = (struct ms_certificates){0};
    to->text = ms_copy_text(from->text);
    if (to->certificate) {
        ms_certificate_retain(to->certificate);
    }
    if ((from->text && !to->text) || !ms_texts_copy(&to->problems, &from->problems) ||
        !ms_certificates_copy(&to->path, &from->path)) {
        ms_verification_clear(to);
        return false;
    }
    return true;
}

void ms_verification_clear(struct ms_verification *result) {
    ms_texts_clear(&result->problems);
    ms_free(result->text);
    ms_certificate_release(result->certificate);
    ms_certificates_clear(&result->path);
    *result = (struct ms_verification){0};
}
