/* SPDX-License-Identifier: MIT */
#include "distinguished_name.h"

#include "attribute_types.h"
#include "bytes.h"
#include "certificate.h"
#include "foreign_text.h"
#include "memory.h"

#include <stdio.h>
#include <string.h>

#define MAX_OID 128

/* One attribute of the name; each is an RDN of its own. */
struct attribute {
    char oid[MAX_OID];
    struct ms_bytes value;
    bool is_der;
};

struct name {
    struct attribute *attributes;
    size_t num, capacity;
};

static void clear(struct name *name) {
    for (size_t i = 0; i < name->num; i++) {
        ms_bytes_clear(&name->attributes[i].value);
    }
    ms_free(name->attributes);
}

static bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const char *skip_space(const char *p) {
    while (is_space(*p)) {
        p++;
    }
    return p;
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool add_byte(struct ms_bytes *to, int byte, struct ms_error *error) {
    uint8_t one = (uint8_t)byte;
    return ms_bytes_add(to, &one, 1) || ms_fail_memory(error);
}

static bool is_dotted(const char *type, size_t len) {
    return len > 2 && strspn(type, "0123456789.") >= len && type[0] != '.' &&
           type[len - 1] != '.' && memchr(type, '.', len) && !memmem(type, len, "..", 2);
}

static bool read_type(const char **at, struct attribute *to, struct ms_error *error) {
    const char *type = skip_space(*at);
    size_t len = strcspn(type, "=,+ \t\r\n");
    const char *equals = skip_space(type + len);
    if (len == 0 || *equals != '=') {
        return ms_fail(error, "`%.100s` is no attribute: `TYPE=value` is wanted", type);
    }
    if (is_dotted(type, len)) {
        if (len >= sizeof to->oid) {
            return ms_fail(error, "the OID `%.*s` is too long", (int)len, type);
        }
        memcpy(to->oid, type, len);
        to->oid[len] = 0;
    } else {
        const char *oid = ms_attribute_oid(type, len);
        if (!oid) {
            return ms_fail(error, "`%.*s` is no attribute type (an OID will do)",
                           (int)(len < 60 ? len : 60), type);
        }
        snprintf(to->oid, sizeof to->oid, "%s", oid);
    }
    *at = skip_space(equals + 1);
    return true;
}

/* `#` and hex digits: the value's DER. */
static bool read_hex(const char **at, struct ms_bytes *to, struct ms_error *error) {
    const char *p = *at + 1;
    while (hex_digit(p[0]) >= 0 && hex_digit(p[1]) >= 0) {
        if (!add_byte(to, hex_digit(p[0]) << 4 | hex_digit(p[1]), error)) {
            return false;
        }
        p += 2;
    }
    const char *end = skip_space(p);
    if (to->len == 0 || (*end && *end != ',' && *end != '+')) {
        return ms_fail(error, "`%.60s` is no `#` with pairs of hex digits", *at);
    }
    *at = end;
    return true;
}

static bool read_escape(const char **at, struct ms_bytes *to, struct ms_error *error) {
    const char *p = *at + 1;
    if (hex_digit(p[0]) >= 0 && hex_digit(p[1]) >= 0) {
        *at = p + 2;
        return add_byte(to, hex_digit(p[0]) << 4 | hex_digit(p[1]), error);
    }
    if (*p == 0 || !strchr("\"+,;<>\\ #=", *p)) {
        return ms_fail(error, "`\\%.1s` is no escape (RFC 4514)", p);
    }
    *at = p + 1;
    return add_byte(to, *p, error);
}

static bool read_string(const char **at, struct ms_bytes *to, struct ms_error *error) {
    size_t keep = 0; /* unescaped spaces at the end do not belong to the value */
    while (**at && **at != ',' && **at != '+') {
        bool counts = !is_space(**at);
        if (**at == '\\') {
            if (!read_escape(at, to, error)) {
                return false;
            }
        } else if (!add_byte(to, *(*at)++, error)) {
            return false;
        }
        keep = counts ? to->len : keep;
    }
    to->len = keep;
    return true;
}

static bool read_attribute(const char **at, struct attribute *to, struct ms_error *error) {
    if (!read_type(at, to, error)) {
        return false;
    }
    to->is_der = **at == '#';
    if (!(to->is_der ? read_hex(at, &to->value, error) : read_string(at, &to->value, error))) {
        return false;
    }
    if (to->value.len == 0) {
        return ms_fail(error, "an attribute's value is empty (GnuTLS cannot write that)");
    }
    if (**at == '+') {
        return ms_fail(error,
                       "an unescaped `+` makes an RDN of several values (GnuTLS writes none)");
    }
    return true;
}

static bool parse(const char *text, struct name *name, struct ms_error *error) {
    const char *at = skip_space(text);
    while (*at) {
        if (!ms_grow_array(&name->attributes, name->num, &name->capacity,
                           sizeof *name->attributes)) {
            return ms_fail_memory(error);
        }
        struct attribute *attribute = &name->attributes[name->num++];
        *attribute = (struct attribute){0};
        if (!read_attribute(&at, attribute, error)) {
            return false;
        }
        if (*at == ',' && !*(at = skip_space(at + 1))) {
            return ms_fail(error, "nothing follows the last comma");
        }
    }
    return true;
}

/* GnuTLS has no syntax for a type that it does not know: such a value becomes a UTF8String. */
static bool make_der(struct attribute *attribute, struct ms_error *error) {
    size_t len = attribute->value.len;
    uint8_t head[4] = {0x0c, (uint8_t)len};
    size_t head_len = 2;
    if (len > 0xffff) {
        return ms_fail(error, "a value of %zu bytes is too long", len);
    }
    if (len > 0xff) {
        memcpy(head + 1, (uint8_t[]){0x82, (uint8_t)(len >> 8), (uint8_t)len}, 3);
        head_len = 4;
    } else if (len > 0x7f) {
        memcpy(head + 1, (uint8_t[]){0x81, (uint8_t)len}, 2);
        head_len = 3;
    }
    struct ms_bytes der = {0};
    if (!ms_bytes_add(&der, head, head_len) ||
        !ms_bytes_add(&der, attribute->value.data, attribute->value.len)) {
        ms_bytes_clear(&der);
        return ms_fail_memory(error);
    }
    ms_bytes_clear(&attribute->value);
    attribute->value = der;
    attribute->is_der = true;
    return true;
}

static bool write_attribute(gnutls_x509_crt_t crt, struct attribute *attribute,
                            struct ms_error *error) {
    if (!attribute->is_der && !gnutls_x509_dn_oid_known(attribute->oid) &&
        !make_der(attribute, error)) {
        return false;
    }
    int result =
        gnutls_x509_crt_set_dn_by_oid(crt, attribute->oid, attribute->is_der, attribute->value.data,
                                      (unsigned)attribute->value.len);
    if (result < 0) {
        const char *name = gnutls_x509_dn_oid_name(attribute->oid, GNUTLS_X509_DN_OID_RETURN_OID);
        return ms_fail_gnutls(error, result, "the value of `%s` cannot be written", name);
    }
    return true;
}

bool ms_name_set_subject(gnutls_x509_crt_t crt, const char *rfc4514, struct ms_error *error) {
    struct name name = {0};
    bool written = parse(rfc4514, &name, error);
    /* RFC 4514 begins with the last RDN */
    for (size_t i = name.num; written && i > 0; i--) {
        written = write_attribute(crt, &name.attributes[i - 1], error);
    }
    clear(&name);
    return written;
}

/* DER of the subject of a certificate that has nothing else. */
static int export_subject(gnutls_x509_crt_t crt, gnutls_datum_t *der) {
    gnutls_x509_dn_t dn;
    int result = gnutls_x509_crt_get_subject(crt, &dn);
    return result < 0 ? result : gnutls_x509_dn_export2(dn, GNUTLS_X509_FMT_DER, der);
}

bool ms_name_encode(const char *rfc4514, struct ms_bytes *der, struct ms_error *error) {
    static const uint8_t empty[] = {0x30, 0x00};
    if (!*skip_space(rfc4514)) {
        return ms_bytes_add(der, empty, sizeof empty) || ms_fail_memory(error);
    }
    gnutls_x509_crt_t crt;
    int result = gnutls_x509_crt_init(&crt);
    if (result < 0) {
        return ms_fail_gnutls(error, result, "no room for a name");
    }
    gnutls_datum_t encoded = {NULL, 0};
    bool done = ms_name_set_subject(crt, rfc4514, error);
    if (done) {
        result = export_subject(crt, &encoded);
        done = result >= 0 || ms_fail_gnutls(error, result, "the name cannot be encoded");
    }
    if (done) {
        done = ms_bytes_add(der, encoded.data, encoded.size) || ms_fail_memory(error);
    }
    gnutls_free(encoded.data);
    gnutls_x509_crt_deinit(crt);
    return done;
}

char *ms_name_decode(struct ms_slice der, struct ms_error *error) {
    gnutls_datum_t encoded = {(unsigned char *)der.data, (unsigned)der.len};
    gnutls_datum_t text = {NULL, 0};
    int result = gnutls_x509_rdn_get2(&encoded, &text, 0);
    char *copy;
    if (result >= 0) {
        copy = ms_foreign_text(text.data, text.size);
    } else if (result == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE) {
        copy = ms_copy_text("");
    } else {
        copy = ms_hex_text("#", der.data, der.len);
    }
    gnutls_free(text.data);
    if (!copy) {
        ms_fail_memory(error);
    }
    return copy;
}
