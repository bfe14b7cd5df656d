/* SPDX-License-Identifier: MIT */
#include "state.h"

#include "memory.h"

#define FAILURE(type, name, about)                                                                 \
    { #name, type, offsetof(struct ms_failure, name), NULL, about }
const struct ms_field ms_failure_fields[] = {
    FAILURE(MS_FIELD_TEXT, problem, "the harness's own stable word for the cause"),
    FAILURE(MS_FIELD_TEXT, code, "GnuTLS's name: \"GNUTLS_E_...\""),
    FAILURE(MS_FIELD_INTEGER, number, "GnuTLS's number, negative"),
    FAILURE(MS_FIELD_TEXT, message, "GnuTLS's text"),
    {NULL, MS_FIELD_TEXT, 0, NULL, NULL}};

#define WIRE(type, name, about)                                                                    \
    { #name, type, offsetof(struct ms_wire_state, name), NULL, about }
static const struct ms_field wire_fields[] = {
    WIRE(MS_FIELD_CERTIFICATES, sent_certificates,
         "what the Certificate message of this epoch carried that was handed to the carrier; nil: "
         "no message; {}: an empty one"),
    WIRE(MS_FIELD_CERTIFICATES, received_certificates,
         "what the Certificate message received in this epoch carried"),
    {NULL, MS_FIELD_TEXT, 0, NULL, NULL}};

#define FIELD(type, name, about)                                                                   \
    { #name, type, offsetof(struct ms_state, name), NULL, about }
#define RECORD(name, fields, about)                                                                \
    { #name, MS_FIELD_RECORD, offsetof(struct ms_state, name), fields, about }

const struct ms_field ms_state_fields[] = {
    FIELD(MS_FIELD_TEXT, role, "\"client\" or \"server\""),
    FIELD(MS_FIELD_TEXT, stack, "what plays this end: \"gnutls 3.7.9\""),
    FIELD(MS_FIELD_TEXT, epoch, "\"initial\", \"renegotiation 1\", \"reauthentication 1\", ..."),
    FIELD(MS_FIELD_TEXT, phase,
          "\"idle\", \"handshaking\", \"established\", \"stalled\", \"failed\" or \"closed\" "
          "(close_notify sent or received)"),
    FIELD(MS_FIELD_BOOL, handshake_completed,
          "whether this end's own handshake of this epoch returned success, whatever came later"),
    FIELD(MS_FIELD_TEXT, failed_during, "\"handshake\", \"read\", \"write\" or \"close\""),
    FIELD(MS_FIELD_TEXT, told_by, "who told of the failure: \"itself\" or \"peer\""),
    RECORD(error, ms_failure_fields, "why this end failed or was refused; nil: it did not"),
    RECORD(alert_sent, ms_alert_fields, "the last alert of this epoch that this end sent"),
    RECORD(alert_received, ms_alert_fields, "the last alert of this epoch that reached this end"),
    FIELD(MS_FIELD_TEXT, version, "negotiated version: \"TLS1.2\""),
    FIELD(MS_FIELD_TEXT, cipher_suite, "IANA's name"),
    FIELD(MS_FIELD_TEXT, group, "IANA's name of the (EC)DHE group; nil with RSA key exchange"),
    FIELD(MS_FIELD_TEXT, signature_scheme,
          "IANA's name of what this end signed with in this epoch; nil if it did not"),
    FIELD(MS_FIELD_TEXT, peer_signature_scheme, "the same of its peer"),
    FIELD(MS_FIELD_CERTIFICATES, local_certificates,
          "the leaf that the library reports as its own (gnutls_certificate_get_ours), followed by "
          "the rest of the chain of the identity selected with it"),
    FIELD(MS_FIELD_CERTIFICATE, local_certificate, "the first of them"),
    FIELD(MS_FIELD_CERTIFICATES, peer_certificates,
          "the chain that the library reports as its peer's (gnutls_certificate_get_peers)"),
    FIELD(MS_FIELD_CERTIFICATE, peer_certificate, "the first of them"),
    RECORD(wire, wire_fields, "what really crossed the wire in this epoch"),
    FIELD(MS_FIELD_BOOL, certificate_requested,
          "whether this epoch had a CertificateRequest, sent by a server, received by a client"),
    FIELD(MS_FIELD_TEXTS, requested_issuers, "the names in it, RFC 4514, in wire order"),
    FIELD(MS_FIELD_TEXTS, requested_signature_schemes, "the schemes in it, in wire order"),
    FIELD(MS_FIELD_TEXT, not_sent_because,
          "client: why a configured certificate stayed at home: \"not_requested\", "
          "\"issuer_not_named\", \"ambiguous\", \"no_common_signature_scheme\", \"key_usage\", "
          "\"policy\", \"library_choice\" or \"failed_before\""),
    RECORD(verification, ms_verification_fields, "the judgement on the peer's chain; nil: none"),
    FIELD(MS_FIELD_COUNT, tickets_received, "client: NewSessionTicket messages on this link"),
    FIELD(MS_FIELD_TEXT, server_name, "the name in the ClientHello (RFC 6066 section 3)"),
    FIELD(MS_FIELD_TEXT, site, "server: the key of `sites` in force"),
    FIELD(MS_FIELD_TEXT, alpn, "the protocol negotiated (RFC 7301)"),
    FIELD(MS_FIELD_BOOL, resumed, "whether an earlier session was resumed"),
    FIELD(MS_FIELD_INTEGER, renegotiations, "renegotiations that completed"),
    FIELD(MS_FIELD_MAYBE, secure_renegotiation,
          "whether RFC 5746 protects renegotiation; nil in TLS 1.3"),
    FIELD(MS_FIELD_MAYBE, extended_master_secret, "whether RFC 7627 is in use; nil in TLS 1.3"),
    FIELD(MS_FIELD_BYTES, session_id, "the session's id up to TLS 1.2"),
    FIELD(MS_FIELD_BYTES, tls_unique, "channel binding of RFC 5929 up to TLS 1.2"),
    {NULL, MS_FIELD_TEXT, 0, NULL, NULL}};

void ms_state_clear(struct ms_state *state) {
    ms_free(state->stack);
    ms_free(state->epoch);
    ms_free(state->error.message);
    ms_free(state->version);
    ms_free(state->cipher_suite);
    ms_free(state->group);
    ms_free(state->signature_scheme);
    ms_free(state->peer_signature_scheme);
    ms_certificates_clear(&state->local_certificates);
    ms_certificates_clear(&state->peer_certificates);
    ms_certificates_clear(&state->wire.sent_certificates);
    ms_certificates_clear(&state->wire.received_certificates);
    ms_texts_clear(&state->requested_issuers);
    ms_texts_clear(&state->requested_signature_schemes);
    ms_verification_clear(&state->verification);
    ms_free(state->server_name);
    ms_free(state->site);
    ms_free(state->alpn);
    ms_free((void *)state->session_id.data);
    ms_free((void *)state->tls_unique.data);
    *state = (struct ms_state){0};
}
