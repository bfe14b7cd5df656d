/* SPDX-License-Identifier: MIT */
/* Causes: the harness's stable word for why an end failed, where GnuTLS says one thing for many. */
#ifndef MS_CAUSE_H
#define MS_CAUSE_H

#include "wire.h"

/* What a problem word is chosen by. */
struct ms_circumstances {
    int code; /* GnuTLS's, negative */
    enum ms_role role;
    bool alert_received; /* a fatal alert ended it, whatever the code says */
    const struct ms_config *config;
    bool nothing_to_present;             /* the end's choosing function returned none */
    const struct ms_client_hello *hello; /* what was offered, if it is known; else NULL */
    uint16_t selected_version;           /* client: by the ServerHello; 0: none came */
    bool peer_signed;                    /* a CertificateVerify came */
};

/* A static word of the contract; "library_error" where there is none. */
const char *ms_cause_word(const struct ms_circumstances *circumstances);

/* Every word that ms_cause_word() and the harness give, ended by NULL. */
extern const char *const ms_problem_words[];

/* The static word of the contract that says the same; "library_error" where there is none. */
const char *ms_cause_known(const char *problem);

/* GnuTLS's name of an error by its number without the sign ("GNUTLS_E_AGAIN" of 28), or NULL; no
 * number is as high as MS_CAUSE_CODES_END. Static. */
#define MS_CAUSE_CODES_END 2000
const char *ms_cause_code(int number);
/* What GnuTLS says of it, for people. Static. */
const char *ms_cause_text(int number);

/* The alert that the RFC names for a failure (RFC 5246 7.2.2, RFC 8446 6.2), or 0 to leave it to
 * the library. `verification` may be NULL. */
uint8_t ms_cause_alert(const char *problem, const struct ms_verification *verification,
                       uint16_t version);

#endif
