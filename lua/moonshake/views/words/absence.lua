-- SPDX-License-Identifier: MIT
-- What the words of `not_sent_because` mean: why a client's certificate stayed at home. An entry is
-- described in alerts.lua; go, java, openssl, ... here say what those do in the same situation.
return {
  not_requested = {
    means = "The server sent no CertificateRequest.",
    causes = { "client_auth = \"none\"", "a resumed session, in which nobody is asked again",
               "TLS 1.3: the server means to ask after the handshake" },
    rfc = "RFC 5246 section 7.4.4; RFC 8446 section 4.3.2",
    next = "Let the server ask: client_auth = \"request\" or \"require\".",
    related = { "certificate_required", "post_handshake_auth_not_offered" },
  },
  issuer_not_named = {
    means = "The request names issuers, and none of them is one in the client's chain.",
    causes = { "the server trusts another authority", "the server names roots, and the client "
                 .. "presents a leaf without the intermediate that leads there" },
    rfc = "RFC 8446 section 4.2.4; RFC 5246 section 7.4.4",
    next = "Compare requested_issuers with the issuers of the client's chain.",
    related = { "no_certificate", "unknown_ca" },
    openssl = "sends its certificate all the same, so that the server says unknown_ca",
    go = "sends none, also where its chain does not reach a named authority",
    java = "sends none, also where its chain does not reach a named authority",
  },
  ambiguous = {
    means = "The client has several identities and the request names no issuers to choose by.",
    causes = { "a server without trust, or with issuers = {}" },
    rfc = "RFC 5246 section 7.4.4",
    next = "Give the client one identity, or send_certificate = \"always\".",
    related = { "no_certificate", "issuer_not_named" },
  },
  no_common_signature_scheme = {
    means = "The client's key cannot sign with any scheme that the request lists.",
    causes = { "an RSA key where ECDSA alone is accepted, or the other way round" },
    rfc = "RFC 8446 section 4.4.2.3",
    next = "Compare requested_signature_schemes with the key of the client's certificate.",
    related = { "no_shared_signature_scheme" },
  },
  key_usage = {
    means = "The key usage of the client's certificate lacks digitalSignature.",
    causes = { "a certificate that was made for key exchange" },
    rfc = "RFC 5246 section 7.4.6; RFC 8446 section 4.4.2.3",
    next = "Issue it with the key usage digitalSignature.",
    related = { "key_usage_violation" },
  },
  policy = {
    means = "An option or a function of the script said so.",
    causes = { "send_certificate = \"never\"", "an identity function that returned nil" },
    rfc = "RFC 8446 section 4.4.2",
    next = "Change the option or the function.",
    related = { "no_certificate" },
  },
  library_choice = {
    means = "The library gave no certificate though nothing else explains it.",
    causes = { "GnuTLS, TLS 1.2: an EdDSA key, which fits neither certificate type of the request",
               "GnuTLS, TLS 1.3: an RSA key where only rsa_pss_rsae_* is requested" },
    rfc = "RFC 8446 section 4.4.2.3",
    next = "Tell the client send_certificate = \"always\".",
    related = { "no_common_signature_scheme" },
  },
  failed_before = {
    means = "The handshake failed before the client's Certificate was due.",
    causes = { "the client refused the server", "nothing in common in the hellos" },
    rfc = "RFC 8446 section 2; RFC 5246 section 7.3",
    next = "Look at the failure itself.",
    related = { "peer_alert" },
  },
}
