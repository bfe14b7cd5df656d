-- SPDX-License-Identifier: MIT
-- Every option that the library takes: its name, type, range and meaning. The only source of what
-- is checked (arguments.lua), of what complaints suggest and of what is told about options.
local options = {}

local ROLES = { "client", "server" }
local INTEGER = { min = 0, max = math.maxinteger }

---------------------------------------------------------------------------------------------------
-- Ends

--- The options of an end. `role`: only that end has it. `site`: may stand in a server's `sites`.
--- `fixed`: cannot be changed during a link's life. `later`: not part of this version.
options.ends = {
  { name = "identity", type = "identities", site = true,
    about = "an identity, a list of them from which the library chooses, or a function of the "
      .. "request ({ issuers =, signature_schemes =, server_name = }) that returns one or nil" },
  { name = "trust", type = "trust", site = true,
    about = "authorities, identities or certificates that end a chain, or \"system\"; none if "
      .. "absent" },
  { name = "verify", type = "verify",
    about = "true (default where trust is given): chain, validity, purpose and, at a client, the "
      .. "name; false; or a function of the verification result that returns whether to accept" },
  { name = "server_name", type = "host name", role = "client",
    about = "the name to send (SNI) and to verify" },
  { name = "verify_name", type = "a name or false", role = "client",
    about = "another name to verify, or false for none; default server_name" },
  { name = "client_auth", type = "word", words = { "none", "request", "require" },
    role = "server", site = true, about = "whether the client is asked for a certificate" },
  { name = "issuers", type = "issuers", role = "server", site = true,
    about = "the names to send in the request instead of those of trust: RFC 4514 names, "
      .. "authorities or certificates; {} sends none" },
  { name = "send_certificate", type = "word", words = { "matching", "always", "never" },
    role = "client", about = "whether GnuTLS chooses by the request (default), the first identity "
      .. "that the schemes allow is sent whatever issuers are named, or none" },
  { name = "identity_change", type = "word", words = { "refuse", "allow" }, fixed = true,
    about = "whether the peer may show another certificate later; default \"refuse\"" },
  { name = "versions", type = "list of tls names", kind = "version", full = true, site = true,
    about = "\"TLS1.0\" to \"TLS1.3\"; default TLS 1.2 and 1.3" },
  { name = "cipher_suites", type = "list of tls names", kind = "cipher_suite", full = true,
    site = true, about = "IANA names in preference order" },
  { name = "groups", type = "list of tls names", kind = "group", full = true,
    about = "IANA names in preference order" },
  { name = "signature_schemes", type = "list of tls names", kind = "signature_scheme", full = true,
    about = "IANA names in preference order: what this end signs with and what it accepts" },
  { name = "server_preference", type = "boolean", role = "server",
    about = "whether the server's order of suites and of ALPN protocols wins; default false" },
  { name = "alpn", type = "alpn protocols", max = 8, site = true, fixed = true,
    about = "at most 8 protocols of up to 31 bytes, in preference order" },
  { name = "alpn_required", type = "boolean", role = "server",
    about = "whether a client that offers only other protocols is refused; default false" },
  { name = "tickets", type = "integer", min = 0, max = 255, site = true,
    about = "server: how many session tickets to send, 0 none; client: 0 does not offer the "
      .. "extension" },
  { name = "extended_master_secret", type = "boolean", about = "RFC 7627; default true" },
  { name = "renegotiation", type = "word",
    words = { "partial", "safe", "unsafe", "absent", "refuse" },
    about = "RFC 5746: only protected renegotiation (\"partial\", default), no peer without it, "
      .. "none needed, not offered, or every wish of the peer refused" },
  { name = "post_handshake_auth", type = "boolean", fixed = true,
    about = "whether TLS 1.3's post-handshake authentication is offered; default true" },
  { name = "max_depth", type = "integer", min = 1, max = 0x7fffffff,
    about = "longest chain accepted, in certificates as GnuTLS counts them" },
  { name = "max_message_size", type = "integer", min = 1, max = 0xffffff,
    about = "longest handshake message accepted, in bytes" },
  { name = "alerts", type = "word", words = { "library", "rfc" },
    about = "the alert that GnuTLS sends (default), or the one that the RFC names for the cause" },
  { name = "clock_offset", type = "integer", min = -100000000000, max = 100000000000,
    about = "seconds by which this end's clock differs" },
  { name = "sites", type = "table", role = "server", fixed = true,
    about = "from server name (exact or \"*.example\") to the options that replace these for it" },
  { name = "unknown_name", type = "word", words = { "ignore", "reject" }, role = "server",
    about = "what a name that is not in sites gets: these options (default), or an alert" },
  { name = "priority", type = "name", about = "a GnuTLS priority string" },
  { name = "stack", type = "stack",
    about = "which implementation plays this end: \"gnutls\"" },
  { name = "crls", later = true },
  { name = "ocsp", later = true },
  { name = "psk", later = true },
  { name = "raw_public_keys", later = true },
  { name = "early_data", later = true },
  { name = "record_size_limit", later = true },
}

local function only(test)
  local list = {}
  for _, option in ipairs(options.ends) do
    if option.later or test(option) then
      list[#list + 1] = option
    end
  end
  return list
end

--- Those that may stand in a server's `sites`.
options.site = only(function(option) return option.site end)

--- The two ends as named arguments.
options.pair = {
  { name = "client", type = "table", about = "options of the client" },
  { name = "server", type = "table", about = "options of the server" },
}

--- Fields of an end that the contract has and this version has not.
options.later_fields = { "ocsp_response", "early_data" }

---------------------------------------------------------------------------------------------------
-- Actions of a link

options.renegotiate = {
  { name = "by", type = "word", words = ROLES, required = true,
    about = "the end that asks: \"client\" or \"server\"" },
  options.pair[1],
  options.pair[2],
}

options.update_keys = {
  { name = "by", type = "word", words = ROLES, required = true,
    about = "the end that begins: \"client\" or \"server\"" },
  { name = "request_peer", type = "boolean", about = "whether the peer must too; default false" },
}

options.close = {
  { name = "by", type = "word", words = ROLES, about = "the end that closes; both if absent" },
}

options.send = {
  { name = "from", type = "word", words = ROLES, required = true,
    about = "the end that sends: \"client\" or \"server\"" },
  { name = "data", type = "string", required = true, about = "the bytes to send" },
}

---------------------------------------------------------------------------------------------------
-- Connections

local TIMEOUT = { name = "timeout", type = "seconds",
                  about = "how long to wait, in seconds; default 10" }

--- Of a handshake, and of whatever else only waits.
options.handshake = { TIMEOUT }

options.connect = {
  { name = "host", type = "name", about = "a name or an address; default \"127.0.0.1\"" },
  { name = "port", type = "integer", min = 1, max = 65535, about = "the port to connect to" },
  { name = "path", type = "name", about = "a unix socket, instead of host and port" },
  { name = "client", type = "table", about = "options of the client" },
}

options.listen = {
  { name = "host", type = "name",
    about = "the address to listen on; default \"127.0.0.1\", which only this machine reaches" },
  { name = "port", type = "integer", min = 0, max = 65535,
    about = "the port to listen on; default 0, one that is free" },
  { name = "path", type = "name", about = "a unix socket, instead of host and port" },
  { name = "server", type = "table", about = "options of the server" },
}

options.send_live = { options.send[2], TIMEOUT }

options.receive = {
  TIMEOUT,
  { name = "max", type = "integer", min = 1, max = math.maxinteger,
    about = "at most so many bytes; the rest stays for the next call" },
}

options.renegotiate_live = {
  { name = "client", type = "table", role = "client", about = "options of the client" },
  { name = "server", type = "table", role = "server", about = "options of the server" },
  TIMEOUT,
}

options.update_keys_live = { options.update_keys[2], TIMEOUT }

options.close_live = {
  { name = "how", type = "word", words = { "orderly", "fin", "reset" },
    about = "with a close_notify (default), or without: by a FIN, or a reset" },
  TIMEOUT,
}

options.resume_live = { options.pair[1] }

---------------------------------------------------------------------------------------------------
---------------------------------------------------------------------------------------------------
-- Faults

local AT = { name = "at", type = "carried", required = true,
             about = "a HandshakeType, a ContentType or \"encrypted\": which record is meant" }
local AT_OR_ALL = { name = "at", type = "carried", about = AT.about .. "; all if absent" }
local FROM = { name = "from", type = "word", words = ROLES,
               about = "who sends it; either, if absent" }
local NTH = { name = "nth", type = "integer", min = 1, max = 1000000,
              about = "the how manieth such record of the connection; default 1" }

options.faults = {
  drop = { AT, FROM, NTH },
  flip = {
    AT, FROM, NTH,
    { name = "byte", type = "integer", min = -20000, max = 20000,
      about = "which byte of the record, from 1, or from its end if negative; default: one behind "
        .. "its header, by the seed" },
    { name = "bit", type = "integer", min = 0, max = 7, about = "which bit; default: by the seed" },
    { name = "seed", type = "integer", min = 1, max = 0xffffffff,
      about = "what chance begins with; default the relay's, else 1" },
  },
  cut = {
    AT, FROM, NTH,
    { name = "after", type = "integer", min = 0, max = 20000, required = true,
      about = "how many bytes of the record still come" },
  },
  split = {
    AT_OR_ALL, FROM, NTH,
    { name = "size", type = "integer", min = 1, max = 1000000, required = true,
      about = "the bytes of a piece" },
  },
  reorder = { AT, FROM, NTH },
  delay = {
    AT_OR_ALL, FROM, NTH,
    { name = "seconds", type = "seconds", required = true, about = "how much later it comes" },
  },
  stop = { AT, FROM, NTH },
  close = { AT, FROM, NTH },
  reset = { AT, FROM, NTH },
}

---------------------------------------------------------------------------------------------------
-- Relays

options.relay = {
  { name = "listen", type = "table", about = "where to listen: host (default \"127.0.0.1\", which "
      .. "only this machine reaches) and port (default 0, one that is free), or path" },
  { name = "to", type = "table", required = true,
    about = "where to connect to: host (default \"127.0.0.1\") and port, or path" },
  { name = "tamper", type = "function", about = "what sees each record, as a link's does" },
  { name = "seed", type = "integer", min = 1, max = 0xffffffff,
    about = "what chance begins with in faults that do not say their own; default 1" },
  { name = "keep", type = "integer", min = 0, max = 1 << 30,
    about = "how many bytes of each connection's flights are kept; default 65536" },
}

options.relay_listen = { options.listen[1], options.listen[2], options.listen[3] }
options.relay_to = { options.connect[1], options.connect[2], options.connect[3] }

options.relay_wait = {
  { name = "connections", type = "integer", min = 1, max = math.maxinteger,
    about = "how many are to be over; default 1" },
  TIMEOUT,
}

---------------------------------------------------------------------------------------------------
-- Views

options.state = {
  { name = "width", type = "integer", min = 40, max = 1000,
    about = "columns; default 80, and below 64 the ends stand one below the other" },
}

options.projection = {
  name = "projection", type = "word", words = { "channelz", "envoy", "go", "python" },
}

options.exporter = {
  label = { name = "label", type = "string" },
  context = { name = "context", type = "string" },
  length = { name = "length", type = "integer", min = 1, max = 65535 },
}

---------------------------------------------------------------------------------------------------
-- Certificates

local KEY_USAGES = {
  "digitalSignature", "nonRepudiation", "contentCommitment", "keyEncipherment",
  "dataEncipherment", "keyAgreement", "keyCertSign", "cRLSign", "encipherOnly", "decipherOnly",
}

--- What `issue` and `authority` take.
options.certificate = {
  { name = "cn", type = "string", about = "common name: the subject is CN= and this" },
  { name = "subject", type = "string",
    about = "RFC 4514 name; default CN= and the first of dns, uri, email, ip" },
  { name = "dns", type = "list of strings", about = "DNS names (subject alternative names)" },
  { name = "ip", type = "list of strings", about = "IP addresses" },
  { name = "uri", type = "list of strings", about = "URIs" },
  { name = "email", type = "list of strings", about = "mail addresses" },
  { name = "key", type = "key",
    about = "\"ecdsa-p256\" (default), \"ecdsa-p384\", \"ecdsa-p521\", \"rsa-2048\", "
      .. "\"rsa-3072\", \"rsa-4096\", \"rsa-pss-2048\", \"ed25519\", \"ed448\", or a key" },
  { name = "not_before", type = "time",
    about = "seconds since the epoch, or relative with the units s m h d y; default \"-1d\"" },
  { name = "not_after", type = "time",
    about = "likewise; default \"+90d\", for authorities \"+10y\"" },
  { name = "serial", type = "hex", about = "hex digits; random if absent" },
  { name = "purpose", type = "purpose",
    about = "\"server\", \"client\", \"both\" (default for leaves), \"any\", OIDs, or false for "
      .. "no extension (default for authorities)" },
  { name = "key_usage", type = "key usage", words = KEY_USAGES,
    about = "RFC 5280's words, or false for no extension" },
  { name = "ca", type = "boolean", about = "what basicConstraints says" },
  { name = "path_length", type = "integer", min = 0, max = 0x7fffffff,
    about = "how many intermediates may follow; no constraint if absent" },
  { name = "digest", type = "word",
    words = { "sha256", "sha384", "sha512", "sha224", "sha1", "md5" },
    about = "what the issuer signs with; as fits its key if absent" },
  { name = "permitted", type = "name constraints",
    about = "permitted names: DNS names, or { dns =, ip =, email =, uri = }" },
  { name = "excluded", type = "name constraints", about = "excluded names, likewise" },
  { name = "crl_urls", type = "list of strings", about = "CRL distribution points" },
  { name = "ocsp_url", type = "string", about = "OCSP responder" },
  { name = "must_staple", type = "boolean", about = "RFC 7633's status_request feature" },
  { name = "extensions", type = "extensions",
    about = "raw extensions: a list of { oid =, critical =, der = }" },
  { name = "issuer_name", type = "string",
    about = "RFC 4514 name to write instead of the issuer's" },
  { name = "omit", type = "list of words",
    words = { "basic_constraints", "key_usage", "subject_key_id", "authority_key_id" },
    about = "extensions to leave out" },
}

options.chain = {
  { name = "depth", type = "integer", min = 0, max = 10000, required = true,
    about = "the number of intermediates" },
  { name = "leaf", type = "table", about = "options of the leaf, as issue takes them" },
  { name = "key", type = "word", words = require("moonshake.native").key_words,
    about = "the kind of key of each certificate that does not say its own" },
}

options.with = {
  { name = "chain", type = "chain", required = true,
    about = "exactly the certificates to present, the leaf included" },
}

local OF_PROGRAM = { name = "timeout", type = "seconds",
                     about = "how long this may take; default the program's" }

--- ms.program's, beside the program and its arguments.
options.program = {
  { name = "timeout", type = "seconds",
    about = "how long each of the calls may take that do not say it themselves; default 10" },
  { name = "directory", type = "name", about = "its working directory; default this one's" },
  { name = "environment", type = "environment",
    about = "variables that it gets beside those of here; false takes one away" },
  { name = "stderr", type = "word", words = { "merge", "discard" },
    about = "whether standard error is read as a part of the output (default), or goes nowhere" },
}
options.program_line = {
  { name = "match", type = "pattern", about = "a Lua pattern that is to be found in the line" },
  OF_PROGRAM,
}
options.program_wait = { OF_PROGRAM }
options.program_stop = {
  { name = "grace", type = "seconds",
    about = "how long it may take to end by itself before it is killed; default 2" },
}
options.load = {
  { name = "certificate", type = "file or pem", required = true,
    about = "the chain, leaf first: a file's path, or PEM" },
  { name = "key", type = "file or pem", required = true,
    about = "the private key: a file's path, or PEM" },
  { name = "password", type = "string", about = "of an encrypted key" },
}

options.load_pkcs12 = {
  { name = "file", type = "name", required = true, about = "the file's path" },
  { name = "password", type = "string", about = "what it is encrypted with" },
}

options.pkcs12 = {
  { name = "password", type = "string", required = true, about = "what to encrypt it with" },
}

options.verify = {
  { name = "chain", type = "chain", required = true,
    about = "an identity, or a list of certificates, leaf first" },
  { name = "trust", type = "trust", about = "as an end's; nobody is trusted if absent" },
  { name = "at", type = "time", about = "the time to judge by; default ms.clock's" },
  { name = "name", type = "name",
    about = "the name that the leaf must carry; not checked if absent" },
  { name = "purpose", type = "word", words = { "server", "client", "any" },
    about = "what the chain must be good for; not checked if absent" },
  { name = "max_depth", type = "integer", min = 1, max = 0x7fffffff,
    about = "longest chain accepted, in certificates" },
  { name = "crls", later = true },
}

options.diagram = {
  { name = "format", type = "word", words = { "text", "mermaid", "svg" },
    about = "what it is drawn as; default \"text\"" },
  { name = "width", type = "integer", min = 60, max = 1000,
    about = "of text: the columns there are; default 80" },
}

options.password = { name = "password", type = "string" }

---------------------------------------------------------------------------------------------------
-- The clock

options.clock = {
  epoch = { name = "epoch", type = "integer", min = 0, max = 100000000000 },
  seconds = { name = "seconds", type = "integer", min = -100000000000, max = 100000000000 },
}

--- A count: of a list's items, of a string's bytes.
options.count = { name = "length", type = "integer", min = INTEGER.min, max = INTEGER.max }

return options
