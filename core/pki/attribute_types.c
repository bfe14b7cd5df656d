/* SPDX-License-Identifier: MIT */
#include "attribute_types.h"

#include <string.h>
#include <strings.h>

/* The short names of RFC 4514, then those that GnuTLS writes into a text for other types, then the
 * long names of RFC 4519 and what OpenSSL writes. */
static const struct {
    const char *name;
    const char *oid;
} types[] = {
    {"CN", "2.5.4.3"},
    {"L", "2.5.4.7"},
    {"ST", "2.5.4.8"},
    {"O", "2.5.4.10"},
    {"OU", "2.5.4.11"},
    {"C", "2.5.4.6"},
    {"STREET", "2.5.4.9"},
    {"DC", "0.9.2342.19200300.100.1.25"},
    {"UID", "0.9.2342.19200300.100.1.1"},

    {"EMAIL", "1.2.840.113549.1.9.1"},
    {"serialNumber", "2.5.4.5"},
    {"title", "2.5.4.12"},
    {"description", "2.5.4.13"},
    {"businessCategory", "2.5.4.15"},
    {"postalCode", "2.5.4.17"},
    {"telephoneNumber", "2.5.4.20"},
    {"name", "2.5.4.41"},
    {"surName", "2.5.4.4"},
    {"givenName", "2.5.4.42"},
    {"initials", "2.5.4.43"},
    {"generationQualifier", "2.5.4.44"},
    {"dnQualifier", "2.5.4.46"},
    {"pseudonym", "2.5.4.65"},
    {"userPrincipalName", "1.2.840.113556.1.4.656"},
    {"jurisdictionOfIncorporationLocalityName", "1.3.6.1.4.1.311.60.2.1.1"},
    {"jurisdictionOfIncorporationStateOrProvinceName", "1.3.6.1.4.1.311.60.2.1.2"},
    {"jurisdictionOfIncorporationCountryName", "1.3.6.1.4.1.311.60.2.1.3"},
    {"placeOfBirth", "1.3.6.1.5.5.7.9.2"},
    {"gender", "1.3.6.1.5.5.7.9.3"},
    {"countryOfCitizenship", "1.3.6.1.5.5.7.9.4"},
    {"countryOfResidence", "1.3.6.1.5.5.7.9.5"},
    {"XmppAddr", "1.3.6.1.5.5.7.8.5"},
    {"OGRN", "1.2.643.100.1"},
    {"SNILS", "1.2.643.100.3"},
    {"OGRNIP", "1.2.643.100.5"},
    {"INN", "1.2.643.3.131.1.1"},

    {"commonName", "2.5.4.3"},
    {"localityName", "2.5.4.7"},
    {"stateOrProvinceName", "2.5.4.8"},
    {"organizationName", "2.5.4.10"},
    {"organizationalUnitName", "2.5.4.11"},
    {"countryName", "2.5.4.6"},
    {"streetAddress", "2.5.4.9"},
    {"domainComponent", "0.9.2342.19200300.100.1.25"},
    {"userId", "0.9.2342.19200300.100.1.1"},
    {"emailAddress", "1.2.840.113549.1.9.1"},
    {"SN", "2.5.4.4"},
    {"GN", "2.5.4.42"},
};

const char *ms_attribute_oid(const char *name, size_t len) {
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strlen(types[i].name) == len && strncasecmp(types[i].name, name, len) == 0) {
            return types[i].oid;
        }
    }
    return NULL;
}
