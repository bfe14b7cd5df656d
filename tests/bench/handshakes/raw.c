/* SPDX-License-Identifier: MIT */
/* The baseline of the bench: mutual TLS in a bare loop over GnuTLS, two sessions in memory, both
 * ends verifying (name at the client, purpose at both), one intermediate. Nothing of Moonshake.
 *
 *   raw ecdsa-p256|rsa-2048 TLS1.2|TLS1.3 shared|fresh COUNT
 *
 * prints the CPU microseconds that one handshake took. "shared" makes certificates and credentials
 * once, "fresh" makes new ones (of pooled keys, where they are RSA) for every handshake. */
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static void check(int result, const char *what) {
    if (result < 0) {
        fprintf(stderr, "%s: %s\n", what, gnutls_strerror(result));
        exit(1);
    }
}

/* ---- certificates ---- */

struct holder {
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t crt;
};

enum { ROOT, ISSUER, SERVER, CLIENT, HOLDERS };

static gnutls_x509_privkey_t pooled_rsa[HOLDERS];

static gnutls_x509_privkey_t make_key(bool rsa, int who) {
    gnutls_x509_privkey_t key;
    if (rsa && pooled_rsa[who]) {
        return pooled_rsa[who];
    }
    check(gnutls_x509_privkey_init(&key), "key");
    if (rsa) {
        check(gnutls_x509_privkey_generate(key, GNUTLS_PK_RSA, 2048, 0), "key");
        pooled_rsa[who] = key;
    } else {
        check(gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
                                           GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
              "key");
    }
    return key;
}

static void issue(struct holder *to, const struct holder *by, bool rsa, int who) {
    static const char *const names[] = {"CN=Root", "CN=Issuing CA", "CN=server.example",
                                        "CN=alice"};
    gnutls_x509_crt_t crt;
    unsigned char serial[16];
    const char *error;
    bool authority = who == ROOT || who == ISSUER;
    to->key = make_key(rsa, who);
    check(gnutls_x509_crt_init(&crt), "certificate");
    check(gnutls_x509_crt_set_version(crt, 3), "version");
    check(gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof serial), "serial");
    serial[0] &= 0x7f;
    check(gnutls_x509_crt_set_serial(crt, serial, sizeof serial), "serial");
    check(gnutls_x509_crt_set_activation_time(crt, time(NULL) - 86400), "time");
    check(gnutls_x509_crt_set_expiration_time(crt, time(NULL) + 86400L * 90), "time");
    check(gnutls_x509_crt_set_dn(crt, names[who], &error), "name");
    check(gnutls_x509_crt_set_key(crt, to->key), "key");
    if (authority) {
        check(gnutls_x509_crt_set_basic_constraints(crt, 1, -1), "ca");
        check(gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN),
              "usage");
    } else {
        check(gnutls_x509_crt_set_basic_constraints(crt, 0, -1), "ca");
        check(gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE), "usage");
        check(gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_SERVER, 0), "purpose");
        check(gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_CLIENT, 0), "purpose");
    }
    if (who == SERVER) {
        check(gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, "server.example", 14,
                                                   GNUTLS_FSAN_SET),
              "name");
    }
    unsigned char id[20];
    size_t id_size = sizeof id;
    check(gnutls_x509_crt_get_key_id(crt, 0, id, &id_size), "key id");
    check(gnutls_x509_crt_set_subject_key_id(crt, id, id_size), "key id");
    if (by) {
        id_size = sizeof id;
        check(gnutls_x509_crt_get_subject_key_id(by->crt, id, &id_size, NULL), "key id");
        check(gnutls_x509_crt_set_authority_key_id(crt, id, id_size), "key id");
    }
    check(gnutls_x509_crt_sign2(crt, by ? by->crt : crt, by ? by->key : to->key, GNUTLS_DIG_SHA256,
                                0),
          "sign");
    gnutls_datum_t der;
    check(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der), "export");
    gnutls_x509_crt_deinit(crt);
    check(gnutls_x509_crt_init(&to->crt), "certificate");
    check(gnutls_x509_crt_import(to->crt, &der, GNUTLS_X509_FMT_DER), "import");
    gnutls_free(der.data);
}

static void make_holders(struct holder *holders, bool rsa) {
    issue(&holders[ROOT], NULL, rsa, ROOT);
    issue(&holders[ISSUER], &holders[ROOT], rsa, ISSUER);
    issue(&holders[SERVER], &holders[ISSUER], rsa, SERVER);
    issue(&holders[CLIENT], &holders[ISSUER], rsa, CLIENT);
}

static void free_holders(struct holder *holders, bool rsa) {
    for (int i = 0; i < HOLDERS; i++) {
        gnutls_x509_crt_deinit(holders[i].crt);
        if (!rsa) {
            gnutls_x509_privkey_deinit(holders[i].key);
        }
    }
}

static gnutls_certificate_credentials_t make_credentials(const struct holder *holders, int who) {
    gnutls_certificate_credentials_t credentials;
    gnutls_pcert_st *chain = calloc(2, sizeof *chain);
    gnutls_privkey_t key;
    gnutls_x509_crt_t root = holders[ROOT].crt;
    check(gnutls_certificate_allocate_credentials(&credentials), "credentials");
    gnutls_certificate_set_flags(credentials, GNUTLS_CERTIFICATE_SKIP_KEY_CERT_MATCH);
    check(gnutls_certificate_set_x509_trust(credentials, &root, 1), "trust");
    check(gnutls_pcert_import_x509(&chain[0], holders[who].crt, 0), "chain");
    check(gnutls_pcert_import_x509(&chain[1], holders[ISSUER].crt, 0), "chain");
    check(gnutls_privkey_init(&key), "key");
    check(gnutls_privkey_import_x509(key, holders[who].key, 0), "key");
    check(gnutls_certificate_set_key(credentials, NULL, 0, chain, 2, key), "credentials");
    free(chain);
    return credentials;
}

/* ---- two sessions in memory ---- */

struct end {
    gnutls_session_t tls;
    struct end *peer;
    unsigned char *in;
    size_t at, len, room;
};

static ssize_t push(gnutls_transport_ptr_t pointer, const giovec_t *parts, int num) {
    struct end *to = ((struct end *)pointer)->peer;
    ssize_t total = 0;
    if (to->at == to->len) {
        to->at = to->len = 0;
    }
    for (int i = 0; i < num; i++) {
        if (to->len + parts[i].iov_len > to->room) {
            to->room = (to->len + parts[i].iov_len) * 2;
            to->in = realloc(to->in, to->room);
        }
        memcpy(to->in + to->len, parts[i].iov_base, parts[i].iov_len);
        to->len += parts[i].iov_len;
        total += (ssize_t)parts[i].iov_len;
    }
    return total;
}

static ssize_t pull(gnutls_transport_ptr_t pointer, void *data, size_t size) {
    struct end *end = pointer;
    size_t some = end->len - end->at;
    if (some == 0) {
        gnutls_transport_set_errno(end->tls, EAGAIN);
        return -1;
    }
    some = some < size ? some : size;
    memcpy(data, end->in + end->at, some);
    end->at += some;
    return (ssize_t)some;
}

static void open_end(struct end *end, unsigned flags, gnutls_priority_t priority,
                     gnutls_certificate_credentials_t credentials, gnutls_typed_vdata_st *demands,
                     unsigned num_demands) {
    check(gnutls_init(&end->tls, flags | GNUTLS_NONBLOCK), "session");
    check(gnutls_priority_set(end->tls, priority), "priority");
    check(gnutls_credentials_set(end->tls, GNUTLS_CRD_CERTIFICATE, credentials), "credentials");
    gnutls_session_set_verify_cert2(end->tls, demands, num_demands, 0);
    gnutls_transport_set_ptr(end->tls, end);
    gnutls_transport_set_vec_push_function(end->tls, push);
    gnutls_transport_set_pull_function(end->tls, pull);
}

/* Until both are quiet, tickets read too: what the harness's link does. */
static void shake(struct end *ends) {
    bool done[2] = {false, false};
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 2; i++) {
            if (!done[i]) {
                int result = gnutls_handshake(ends[i].tls);
                done[i] = result == 0;
                if (result < 0 && result != GNUTLS_E_AGAIN) {
                    check(result, "handshake");
                }
            }
        }
        if (done[0] && done[1]) {
            break;
        }
    }
    if (!done[0] || !done[1]) {
        check(GNUTLS_E_TIMEDOUT, "handshake");
    }
    for (int i = 0; i < 2; i++) {
        unsigned char data[1024];
        while (ends[i].at < ends[i].len) {
            (void)gnutls_record_recv(ends[i].tls, data, sizeof data);
        }
    }
}

struct situation {
    gnutls_priority_t priority;
    gnutls_datum_t ticket_key;
    gnutls_certificate_credentials_t client, server;
};

static void handshake(const struct situation *with) {
    struct end ends[2] = {{0}, {0}};
    gnutls_typed_vdata_st at_client[] = {
        {GNUTLS_DT_DNS_HOSTNAME, (unsigned char *)"server.example", 0},
        {GNUTLS_DT_KEY_PURPOSE_OID, (unsigned char *)GNUTLS_KP_TLS_WWW_SERVER, 0}};
    gnutls_typed_vdata_st at_server[] = {
        {GNUTLS_DT_KEY_PURPOSE_OID, (unsigned char *)GNUTLS_KP_TLS_WWW_CLIENT, 0}};
    ends[0].peer = &ends[1];
    ends[1].peer = &ends[0];
    open_end(&ends[0], GNUTLS_CLIENT, with->priority, with->client, at_client, 2);
    open_end(&ends[1], GNUTLS_SERVER, with->priority, with->server, at_server, 1);
    check(gnutls_server_name_set(ends[0].tls, GNUTLS_NAME_DNS, "server.example", 14), "name");
    check(gnutls_session_ticket_enable_server(ends[1].tls, &with->ticket_key), "tickets");
    gnutls_certificate_server_set_request(ends[1].tls, GNUTLS_CERT_REQUIRE);
    shake(ends);
    for (int i = 0; i < 2; i++) {
        gnutls_deinit(ends[i].tls);
        free(ends[i].in);
    }
}

static double cpu_microseconds(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return ((double)usage.ru_utime.tv_sec + (double)usage.ru_stime.tv_sec) * 1e6 +
           (double)usage.ru_utime.tv_usec + (double)usage.ru_stime.tv_usec;
}

int main(int argc, char **argv) {
    if (argc != 5) {
        fprintf(stderr, "usage: raw ecdsa-p256|rsa-2048 TLS1.2|TLS1.3 shared|fresh COUNT\n");
        return 2;
    }
    bool rsa = strcmp(argv[1], "rsa-2048") == 0, fresh = strcmp(argv[3], "fresh") == 0;
    long count = strtol(argv[4], NULL, 10);
    char text[64];
    struct situation with = {0};
    struct holder holders[HOLDERS];
    snprintf(text, sizeof text, "NORMAL:-VERS-ALL:+VERS-%s", argv[2]);
    check(gnutls_priority_init2(&with.priority, text, NULL, 0), "priority");
    check(gnutls_session_ticket_key_generate(&with.ticket_key), "ticket key");
    make_holders(holders, rsa);
    with.client = make_credentials(holders, CLIENT);
    with.server = make_credentials(holders, SERVER);
    handshake(&with); /* warm */
    double begin = cpu_microseconds();
    for (long i = 0; i < count; i++) {
        if (fresh) {
            gnutls_certificate_free_credentials(with.client);
            gnutls_certificate_free_credentials(with.server);
            free_holders(holders, rsa);
            make_holders(holders, rsa);
            with.client = make_credentials(holders, CLIENT);
            with.server = make_credentials(holders, SERVER);
        }
        handshake(&with);
    }
    printf("%.1f\n", (cpu_microseconds() - begin) / (double)count);
    gnutls_certificate_free_credentials(with.client);
    gnutls_certificate_free_credentials(with.server);
    free_holders(holders, rsa);
    for (int i = 0; i < HOLDERS; i++) {
        if (pooled_rsa[i]) {
            gnutls_x509_privkey_deinit(pooled_rsa[i]);
        }
    }
    gnutls_free(with.ticket_key.data);
    gnutls_priority_deinit(with.priority);
    return 0;
}
