/* SPDX-License-Identifier: MIT */
#include "name_constraints.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static const struct form {
    const char *prefix;
    gnutls_x509_subject_alt_name_t type;
} forms[] = {{"dns:", GNUTLS_SAN_DNSNAME},
             {"ip:", GNUTLS_SAN_IPADDRESS},
             {"email:", GNUTLS_SAN_RFC822NAME},
             {"uri:", GNUTLS_SAN_URI}};

static const struct form *form_of(const char *text) {
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (strncmp(text, forms[i].prefix, strlen(forms[i].prefix)) == 0) {
            return &forms[i];
        }
    }
    return NULL;
}

static bool read_prefix(const char *text, size_t most, size_t *bits) {
    if (strspn(text, "0123456789") != strlen(text) || !*text || strlen(text) > 3) {
        return false;
    }
    *bits = strtoul(text, NULL, 10);
    return *bits <= most;
}

/* "10.0.0.0/8" as address and mask. gnutls_x509_cidr_to_rfc5280() takes what follows the digits
 * for granted. */
static bool read_network(const char *text, unsigned char network[32], size_t *len) {
    char address[INET6_ADDRSTRLEN + 1];
    const char *slash = strchr(text, '/');
    if (!slash || (size_t)(slash - text) >= sizeof address) {
        return false;
    }
    memcpy(address, text, (size_t)(slash - text));
    address[slash - text] = 0;
    size_t size = 4;
    if (inet_pton(AF_INET, address, network) != 1) {
        size = 16;
        if (inet_pton(AF_INET6, address, network) != 1) {
            return false;
        }
    }
    size_t bits;
    if (!read_prefix(slash + 1, size * 8, &bits)) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        size_t set = bits > i * 8 ? bits - i * 8 : 0;
        network[size + i] = set >= 8 ? 0xff : (unsigned char)(0xff00U >> set);
        network[i] &= network[size + i];
    }
    *len = size * 2;
    return true;
}

static bool add(gnutls_x509_name_constraints_t constraints, const char *field, const char *text,
                bool is_permitted, struct ms_error *error) {
    const struct form *form = form_of(text);
    if (!form) {
        return ms_fail(error, "%s: `%.100s` does not begin with dns:, ip:, email: or uri:", field,
                       text);
    }
    const char *rest = text + strlen(form->prefix);
    unsigned char network[32];
    size_t len = strlen(rest);
    bool is_ip = form->type == GNUTLS_SAN_IPADDRESS;
    if (is_ip && !read_network(rest, network, &len)) {
        return ms_fail(error, "%s: `%.100s` is no network (`ip:10.0.0.0/8`)", field, text);
    }
    gnutls_datum_t data = {is_ip ? network : (unsigned char *)rest, (unsigned)len};
    int result = is_permitted
                     ? gnutls_x509_name_constraints_add_permitted(constraints, form->type, &data)
                     : gnutls_x509_name_constraints_add_excluded(constraints, form->type, &data);
    return result >= 0 ||
           ms_fail_gnutls(error, result, "%s: `%.100s` cannot be written", field, text);
}

bool ms_name_constraints_write(gnutls_x509_crt_t crt, const struct ms_texts *permitted,
                               const struct ms_texts *excluded, struct ms_error *error) {
    if (!permitted->num && !excluded->num) {
        return true;
    }
    gnutls_x509_name_constraints_t constraints;
    int result = gnutls_x509_name_constraints_init(&constraints);
    if (result < 0) {
        return ms_fail_gnutls(error, result, "no room for name constraints");
    }
    bool done = true;
    for (size_t i = 0; done && i < permitted->num; i++) {
        done = add(constraints, "permitted", permitted->items[i], true, error);
    }
    for (size_t i = 0; done && i < excluded->num; i++) {
        done = add(constraints, "excluded", excluded->items[i], false, error);
    }
    if (done) {
        result = gnutls_x509_crt_set_name_constraints(crt, constraints, 1);
        done =
            result >= 0 || ms_fail_gnutls(error, result, "the name constraints cannot be written");
    }
    gnutls_x509_name_constraints_deinit(constraints);
    return done;
}
