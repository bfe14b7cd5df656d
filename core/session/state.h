/* SPDX-License-Identifier: MIT */
/* What one end reports about itself, as of one moment: a plain deep copy with a table of fields.
 * `local_*` and `peer_*` are the library's own word, even where it misleads; `wire`,
 * `verification`, `alert_*`, `certificate_requested` and `error` are facts, read off the event log.
 */
#ifndef MS_STATE_H
#define MS_STATE_H

#include "log.h"

struct ms_wire_state {
    bool present;
    struct ms_certificates sent_certificates, received_certificates;
};

struct ms_state {
    const char *role;
    char *stack, *epoch;
    const char *phase;
    bool handshake_completed;
    const char *failed_during, *told_by;
    struct ms_failure error;
    struct ms_alert_state alert_sent, alert_received;
    char *version, *cipher_suite, *group, *signature_scheme, *peer_signature_scheme;
    struct ms_certificates local_certificates, peer_certificates;
    struct ms_certificate *local_certificate, *peer_certificate; /* borrowed from the lists */
    struct ms_wire_state wire;
    bool certificate_requested;
    struct ms_texts requested_issuers, requested_signature_schemes;
    const char *not_sent_because;
    struct ms_verification verification;
    int64_t tickets_received; /* -1 at a server */
    char *server_name, *site, *alpn;
    bool resumed;
    int64_t renegotiations;
    enum ms_maybe secure_renegotiation, extended_master_secret;
    struct ms_slice session_id, tls_unique; /* owned */
};
extern const struct ms_field ms_state_fields[];

void ms_state_clear(struct ms_state *state); /* frees the contents, not the struct */

#endif
