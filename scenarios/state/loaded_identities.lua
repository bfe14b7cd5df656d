-- SPDX-License-Identifier: MIT
-- Certificates and keys as they lie on real machines: PEM and PKCS #12 files that OpenSSL's
-- command line made, with PKCS #8, PKCS #1 and SEC 1 keys, encrypted or not, and the mistakes that
-- everybody makes with them: the wrong password, the wrong key, the wrong order, the wrong file. A
-- file that cannot be used is named with the reason; nothing is dropped, sorted or cut silently.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local VERSIONS = { "TLS1.2", "TLS1.3" }

local CONFIGURATION = [[
[req]
distinguished_name = names
prompt = no
[names]
CN = unused
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
subjectAltName = DNS:server.example
]]

local function write(path, text)
  local file <close> = assert(io.open(path, "wb"))
  assert(file:write(text))
end

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

local function quoted(word)
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

-- Runs `openssl` in the case's directory; returns what it printed.
local function openssl(case, ...)
  local words = { "cd", quoted(case.dir), "&&", "openssl" }
  for _, word in ipairs { ... } do
    words[#words + 1] = quoted(word)
  end
  local pipe = assert(io.popen(table.concat(words, " ") .. " 2>&1", "r"))
  local printed = pipe:read "a"
  assert(pipe:close(), ("openssl %s: %s"):format(table.concat({ ... }, " "), printed))
  return printed
end

-- NAME.key (SEC 1) and NAME.pem, signed by the authority of that name or by itself.
local function issue(case, name, subject, section, authority)
  openssl(case, "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", name .. ".key")
  openssl(case, "req", "-new", "-config", "openssl.cnf", "-subj", subject, "-key", name .. ".key",
          "-out", name .. ".csr")
  local sign = { "x509", "-req", "-in", name .. ".csr", "-out", name .. ".pem", "-days", "30",
                 "-sha256", "-extfile", "openssl.cnf", "-extensions", section,
                 "-set_serial", tostring(#name + 1) }
  local by = authority and { "-CA", authority .. ".pem", "-CAkey", authority .. ".key" }
    or { "-signkey", name .. ".key" }
  table.move(by, 1, #by, #sign + 1, sign)
  openssl(case, table.unpack(sign))
end

-- root.pem, root.key, leaf.pem, leaf.key; returns a function from file names to paths.
local function prepare(case)
  local function path(name) return case.dir .. "/" .. name end
  write(path "openssl.cnf", CONFIGURATION)
  issue(case, "root", "/O=Example/CN=OpenSSL Root", "authority")
  issue(case, "leaf", "/CN=server.example", "leaf", "root")
  return path
end

-- A server with that identity is verified by a client that trusts root.pem.
local function expect_served(path, version, identity)
  local link = tls.link {
    server   = { identity = identity },
    client   = { trust = pki.certificates(path "root.pem"), server_name = "server.example" },
    versions = version,
  }
  expect(link:handshake()):is_true()
  expect(link.client):verified()
  expect(link.client.peer_certificates):equals(identity.chain)
  expect(link.client.wire.received_certificates):equals(identity.chain)
  expect(link):mirrored()
end

ms.scenario "a certificate that OpenSSL issued serves as its facts say" {
  about  = "Subject, issuer, names and usage are read as they were written.",
  rfc    = "RFC 5280 section 4",
  tags   = { "state" },
  needs  = { "openssl" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local path = prepare(case)
    local leaf = pki.load { certificate = path "leaf.pem", key = path "leaf.key" }
    expect(leaf.certificate):has {
      subject = "CN=server.example", dns_names = { "server.example" }, is_ca = false,
      path_length = tls.none, key_usage = { "digitalSignature" }, purposes = tls.none,
      key_type = "ecdsa-p256", signature_algorithm = "ecdsa-with-SHA256", self_signed = false,
    }
    expect(leaf.certificate.issuer):equals "CN=OpenSSL Root,O=Example"
    expect(leaf.issuer):is_nil()                            -- a file does not say whose it is
    expect(leaf.chain):has_length(1)
    local printed = openssl(case, "x509", "-in", "leaf.pem", "-noout", "-fingerprint", "-sha256")
    local fingerprint = printed:match "=(%S+)":gsub(":", ""):lower()
    expect(leaf.certificate.fingerprint):equals(fingerprint)
    expect_served(path, case.version, leaf)
  end,
}

ms.scenario "each format of a private key is read" {
  about  = "SEC 1 and PKCS #8 for ECDSA, PKCS #1 and PKCS #8 for RSA: it is the same key.",
  rfc    = "RFC 5915; RFC 8017 appendix A.1.2; RFC 5958",
  tags   = { "state" },
  needs  = { "openssl" },
  matrix = { format = { "SEC 1", "PKCS #8", "PKCS #1 (RSA)", "PKCS #8 (RSA)" } },
  run    = function(case)
    local path = prepare(case)
    if case.format:find "RSA" then
      openssl(case, "genrsa", "-out", "leaf.key", "2048")
      openssl(case, "req", "-new", "-config", "openssl.cnf", "-subj", "/CN=server.example",
              "-key", "leaf.key", "-out", "leaf.csr")
      openssl(case, "x509", "-req", "-in", "leaf.csr", "-out", "leaf.pem", "-CA", "root.pem",
              "-CAkey", "root.key", "-set_serial", "9", "-extfile", "openssl.cnf",
              "-extensions", "leaf")
    end
    if case.format:find "PKCS #8" then
      openssl(case, "pkcs8", "-topk8", "-nocrypt", "-in", "leaf.key", "-out", "formatted.key")
    elseif case.format:find "RSA" then                      -- OpenSSL 3 has to be told
      local new = openssl(case, "version"):match "^OpenSSL [3-9]"
      openssl(case, "rsa", "-in", "leaf.key", "-out", "formatted.key", new and "-traditional")
    else
      write(path "formatted.key", read(path "leaf.key"))
    end
    local headings = { ["SEC 1"] = "BEGIN EC PRIVATE", ["PKCS #1 (RSA)"] = "BEGIN RSA PRIVATE" }
    expect(read(path "formatted.key")):contains(headings[case.format] or "BEGIN PRIVATE")

    local leaf = pki.load { certificate = path "leaf.pem", key = path "formatted.key" }
    expect(leaf.key.type):equals(case.format:find "RSA" and "rsa" or "ecdsa-p256")
    expect(leaf.key.bits):equals(case.format:find "RSA" and 2048 or 256)
    expect_served(path, "TLS1.3", leaf)
  end,
}

ms.scenario "an encrypted key opens with its password and with no other" {
  about  = "Encrypted PKCS #8, and the older PEM encryption of OpenSSL: the right password, a "
    .. "wrong one, none.",
  rfc    = "RFC 8018 section 6.2; RFC 1421 section 4.6",
  tags   = { "state" },
  needs  = { "openssl" },
  matrix = { format = { "PKCS #8", "traditional" }, password = { "right", "wrong", "none" } },
  run    = function(case)
    local path = prepare(case)
    if case.format == "PKCS #8" then
      openssl(case, "pkcs8", "-topk8", "-v2", "aes-256-cbc", "-in", "leaf.key",
              "-out", "locked.key", "-passout", "pass:it's a secret")
      expect(read(path "locked.key")):contains "BEGIN ENCRYPTED PRIVATE KEY"
    else
      openssl(case, "ec", "-aes128", "-in", "leaf.key", "-out", "locked.key",
              "-passout", "pass:it's a secret")
      expect(read(path "locked.key")):contains "ENCRYPTED"
    end
    local passwords = { right = "it's a secret", wrong = "another" }
    local function load()
      return pki.load {
        certificate = path "leaf.pem", key = path "locked.key", password = passwords[case.password],
      }
    end

    if case.password == "right" then
      expect_served(path, "TLS1.3", load())
    else
      expect(load):raises "locked%.key"
      expect(load):raises "password"
    end
  end,
}

ms.scenario "a PKCS #12 file brings key and chain together" {
  about  = "What browsers and Java export; the authority that it carries belongs to the chain.",
  rfc    = "RFC 7292",
  tags   = { "state" },
  needs  = { "openssl" },
  matrix = { password = { "right", "wrong", "none" } },
  run    = function(case)
    local path = prepare(case)
    issue(case, "issuing", "/CN=Issuing CA", "authority", "root")
    issue(case, "leaf", "/CN=server.example", "leaf", "issuing")
    openssl(case, "pkcs12", "-export", "-in", "leaf.pem", "-inkey", "leaf.key",
            "-certfile", "issuing.pem", "-out", "bundle.p12", "-passout", "pass:secret")
    local passwords = { right = "secret", wrong = "another" }
    local function load()
      return pki.load_pkcs12 { file = path "bundle.p12", password = passwords[case.password] }
    end

    if case.password == "right" then
      local leaf = load()
      expect(leaf.chain):has_length(2)
      expect(leaf.certificate):is(pki.certificates(path "leaf.pem")[1])
      expect(leaf.chain[2].subject):equals "CN=Issuing CA"
      expect_served(path, "TLS1.3", leaf)
    else
      expect(load):raises "bundle%.p12"
      expect(load):raises "password"
    end
  end,
}

ms.scenario "a key that does not belong to the certificate is refused" {
  about  = "Before any handshake: a server that started with it would fail every client.",
  tags   = { "state" },
  needs  = { "openssl" },
  matrix = { mistake = { "another key", "the chain in the wrong order" } },
  run    = function(case)
    local path = prepare(case)
    local function load()
      if case.mistake == "another key" then
        return pki.load { certificate = path "leaf.pem", key = path "root.key" }
      end
      write(path "chain.pem", read(path "root.pem") .. read(path "leaf.pem"))
      return pki.load { certificate = path "chain.pem", key = path "leaf.key" }
    end
    expect(load):raises "does not"
    expect(load):raises(case.mistake == "another key" and "root%.key" or "leaf%.key")
  end,
}

ms.scenario "a file that is not what it should be is named with the reason" {
  about  = "Garbage, emptiness, a key where the certificate belongs, a file that is not there.",
  rfc    = "RFC 7468 section 2",
  tags   = { "state" },
  needs  = { "openssl" },
  matrix = {
    part = { "certificate", "key" },
    file = { "garbage", "empty", "cut short", "the other one", "absent" },
  },
  run    = function(case)
    local path = prepare(case)
    local files = { certificate = path "leaf.pem", key = path "leaf.key" }
    local good = read(files[case.part])
    local other = read(files[case.part == "key" and "certificate" or "key"])
    local contents = {
      garbage = "-----BEGIN NONSENSE-----\nMIIB\n", empty = "",
      ["cut short"] = good:sub(1, #good // 2), ["the other one"] = other,
    }
    files[case.part] = path "wrong.pem"
    if contents[case.file] then
      write(path "wrong.pem", contents[case.file])
    end
    expect(function() return pki.load(files) end)
      :raises("pki%.load: " .. case.part .. ".*wrong%.pem")
  end,
}

ms.scenario "a chain of more than sixteen certificates is loaded and sent whole" {
  about  = "GnuTLS's own loader keeps the first sixteen and says nothing; its verifier takes no "
    .. "more unless it is told to.",
  rfc    = "RFC 8446 section 4.4.2",
  tags   = { "state" },
  needs  = { "openssl" },
  run    = function(case)
    local path = prepare(case)
    local chain, above = {}, "root"
    for number = 1, 18 do
      local name = "ca" .. number
      write(path(name .. ".key"), read(path "root.key"))    -- one key for all: it saves time
      openssl(case, "req", "-new", "-config", "openssl.cnf", "-subj", "/CN=CA " .. number,
              "-key", name .. ".key", "-out", name .. ".csr")
      openssl(case, "x509", "-req", "-in", name .. ".csr", "-out", name .. ".pem",
              "-CA", above .. ".pem", "-CAkey", "root.key", "-set_serial", tostring(number),
              "-extfile", "openssl.cnf", "-extensions", "authority")
      table.insert(chain, 1, read(path(name .. ".pem")))
      above = name
    end
    issue(case, "leaf", "/CN=server.example", "leaf", above)
    write(path "chain.pem", read(path "leaf.pem") .. table.concat(chain))
    local leaf = pki.load { certificate = path "chain.pem", key = path "leaf.key" }
    expect(leaf.chain):has_length(19)
    expect(leaf.chain[19].subject):equals "CN=CA 1"

    for _, max_depth in ipairs { 18, 19 } do
      local link = tls.link {
        server = { identity = leaf },
        client = { trust = pki.certificates(path "root.pem"), server_name = "server.example",
                   max_depth = max_depth },
      }
      expect(link:handshake()):equals(max_depth == 19)
      expect(link.client.wire.received_certificates):equals(leaf.chain)
      if max_depth == 19 then
        expect(link.client):verified()
        expect(link.client.verification.path):has_length(20)
      else
        expect(link.client):unverified "depth_exceeded"
        expect(link.server):failed "peer_alert"
      end
    end
  end,
}

ms.scenario "what was saved is what is loaded" {
  about  = "Both ways: OpenSSL reads and verifies our files, and we read them back as they were.",
  rfc    = "RFC 7468",
  tags   = { "state" },
  needs  = { "openssl" },
  matrix = { key = { "ecdsa-p256", "rsa-2048", "ed25519" } },
  run    = function(case)
    local root = pki.authority { cn = "Example Root" }
    local leaf = root:authority { cn = "Issuing CA" }:issue {
      dns = "server.example", key = case.key,
    }
    local certificate, chain, key = leaf:save(case.dir .. "/saved")
    root:save(case.dir .. "/root")
    expect(certificate):equals(case.dir .. "/saved/cert.pem")
    local loaded = pki.load { certificate = chain, key = key }

    expect(loaded.certificate):is(leaf)
    expect(loaded.chain):equals(leaf.chain)
    expect(loaded.key:public_pem()):equals(leaf.key:public_pem())
    expect(openssl(case, "verify", "-CAfile", "root/cert.pem", "-untrusted", "saved/chain.pem",
                   "saved/cert.pem")):contains "OK"
    expect(openssl(case, "pkey", "-in", "saved/key.pem", "-pubout")):equals(leaf.key:public_pem())
    local link = tls.link {
      server = { identity = loaded }, client = { trust = root, server_name = "server.example" },
    }
    expect(link:handshake()):is_true()
    expect(link.client):verified()
    expect(link.client.peer_certificate):is(leaf)
  end,
}

ms.scenario "our PKCS #12 is OpenSSL's as well" {
  about  = "The bundle that an identity makes opens there with its password, and here again.",
  rfc    = "RFC 7292",
  tags   = { "state" },
  needs  = { "openssl" },
  run    = function(case)
    local alice = pki.authority { cn = "Example Root" }:issue { cn = "alice" }
    write(case.dir .. "/alice.p12", alice:pkcs12 { password = "secret" })
    openssl(case, "pkcs12", "-in", "alice.p12", "-nodes", "-passin", "pass:secret",
            "-out", "alice.pem")
    expect(pki.certificates(case.dir .. "/alice.pem")):equals(alice.chain)
    local loaded = pki.load_pkcs12 { file = case.dir .. "/alice.p12", password = "secret" }
    expect(loaded.certificate):is(alice)
    expect(loaded.key:public_pem()):equals(alice.key:public_pem())
  end,
}

ms.scenario "PEM files may carry what people put into them" {
  about  = "The printed certificate above the block, the key in the same file, the line ends of "
    .. "another system, or the text itself instead of a path.",
  rfc    = "RFC 7468 section 2",
  tags   = { "state" },
  needs  = { "openssl" },
  matrix = { file = { "with text", "key and certificate", "CRLF", "no file at all" } },
  run    = function(case)
    local path = prepare(case)
    local certificate, key = path "leaf.pem", path "leaf.key"
    if case.file == "with text" then
      write(path "text.pem", openssl(case, "x509", "-in", "leaf.pem", "-text"))
      certificate = path "text.pem"
    elseif case.file == "key and certificate" then
      write(path "both.pem", read(key) .. read(certificate))
      certificate, key = path "both.pem", path "both.pem"
    elseif case.file == "CRLF" then
      write(path "crlf.pem", (read(certificate):gsub("\n", "\r\n")))
      write(path "crlf.key", (read(key):gsub("\n", "\r\n")))
      certificate, key = path "crlf.pem", path "crlf.key"
    else
      certificate, key = read(certificate), read(key)
    end
    local leaf = pki.load { certificate = certificate, key = key }
    expect(leaf.certificate):is(pki.certificates(path "leaf.pem")[1])
    expect_served(path, "TLS1.3", leaf)
  end,
}
