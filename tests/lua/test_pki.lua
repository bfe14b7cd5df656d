-- SPDX-License-Identifier: MIT
local unit = dofile((arg[0]:match ".*/" or "") .. "harness.lua")
local ms = require "moonshake"
local diff = require "moonshake.diff"
local files = require "moonshake.io.files"
local pki, clock = ms.pki, ms.clock
local test, equal, raises, contains = unit.test, unit.equal, unit.raises, unit.contains

local DAY, YEAR = 86400, 365 * 86400

local function same(found, wanted)
  local differences = diff.compare(found, wanted)
  for _, one in ipairs(differences) do
    error(("%s: found %s, wanted %s"):format(one.path, one.found, one.wanted), 2)
  end
end

test("an authority signs itself and may sign others", function()
  local root = pki.authority { cn = "Root" }
  local certificate = root.certificate
  equal(certificate.subject, "CN=Root")
  equal(certificate.issuer, "CN=Root")
  equal(certificate.is_ca, true)
  equal(certificate.self_signed, true)
  equal(certificate.path_length, nil)
  same(certificate.key_usage, { "keyCertSign", "cRLSign" })
  equal(certificate.purposes, nil)
  equal(certificate.key_type, "ecdsa-p256")
  equal(root.issuer, nil)
end)

test("a leaf has both purposes and signs", function()
  local leaf = pki.authority { cn = "Root" }:issue { dns = "a.example" }
  local certificate = leaf.certificate
  equal(certificate.is_ca, false)
  same(certificate.purposes, { "server", "client" })
  same(certificate.key_usage, { "digitalSignature" })
  same(certificate.dns_names, { "a.example" })
  equal(certificate.principal, "a.example")
end)

test("an RSA leaf also transports keys", function()
  local leaf = pki.authority { cn = "Root" }:issue { cn = "a", key = "rsa-2048" }
  same(leaf.certificate.key_usage, { "digitalSignature", "keyEncipherment" })
  equal(leaf.key.type, "rsa")
  equal(leaf.key.bits, 2048)
end)

test("the subject is CN= the first name", function()
  local root = pki.authority {}
  equal(root.certificate.subject, "CN=Root")
  equal(root:issue({ dns = { "a.example", "b.example" } }).certificate.subject, "CN=a.example")
  equal(root:issue({ uri = "spiffe://x/y" }).certificate.subject, "CN=spiffe://x/y")
  equal(root:issue({ cn = "Foo, Inc." }).certificate.subject, "CN=Foo\\, Inc.")
  equal(root:issue({ subject = "O=Org,CN=x" }).certificate.subject, "O=Org,CN=x")
  equal(root:issue({ subject = "" }).certificate.subject, "")
  raises("authority:issue: cn and subject both name the subject", function()
    root:issue { cn = "a", subject = "CN=b" }
  end)
end)

test("dates count from the clock, in all units", function()
  clock:set(1000000000)
  local root = pki.authority {}
  equal(root.certificate.not_before, 1000000000 - DAY)
  equal(root.certificate.not_after, 1000000000 + 10 * YEAR)
  local leaf = root:issue {}
  equal(leaf.certificate.not_after, 1000000000 + 90 * DAY)
  for text, offset in pairs { ["-30s"] = -30, ["+2m"] = 120, ["3h"] = 10800, ["+1y"] = YEAR } do
    leaf = root:issue { not_before = "-1y", not_after = text }
    equal(leaf.certificate.not_after, 1000000000 + offset, text)
  end
  leaf = root:issue { not_before = 5, not_after = 7 }
  equal(leaf.certificate.not_before, 5)
  equal(leaf.certificate.not_after, 7)
  raises("not_after: wants seconds since the epoch, or a relative time", function()
    root:issue { not_after = "tomorrow" }
  end)
  require("moonshake.native").clock_reset()
end)

test("everything that is told stands in the certificate", function()
  local root = pki.authority { cn = "Root", key = "ecdsa-p384", digest = "sha384",
                               path_length = 3 }
  equal(root.certificate.path_length, 3)
  equal(root.certificate.signature_algorithm, "ecdsa-with-SHA384")
  local leaf = root:issue { cn = "x", ip = { "127.0.0.1", "::1" }, email = "a@b.example",
                            serial = "AbC", purpose = "client",
                            key_usage = { "keyAgreement" } }
  local certificate = leaf.certificate
  same(certificate.ip_addresses, { "127.0.0.1", "::1" })
  same(certificate.email_addresses, { "a@b.example" })
  equal(certificate.serial, "0abc")
  same(certificate.purposes, { "client" })
  same(certificate.key_usage, { "keyAgreement" })
end)

test("what breaks the rules is built as told", function()
  local root = pki.authority { cn = "Root" }
  equal(root:issue({ ca = true, path_length = 0 }).certificate.is_ca, true)
  equal(root:authority({ ca = false }).certificate.is_ca, false)
  local bare = root:authority { omit = { "basic_constraints", "key_usage", "subject_key_id",
                                         "authority_key_id" } }
  equal(bare.certificate.is_ca, false)
  equal(bare.certificate.key_usage, nil)
  equal(root:issue({ purpose = false }).certificate.purposes, nil)
  equal(root:issue({ issuer_name = "CN=Nobody" }).certificate.issuer, "CN=Nobody")
  equal(root:issue({ not_before = "+1d", not_after = "-1d" }).certificate.issuer, "CN=Root")
  local text = root:authority({ permitted = "example.org",
                                excluded = { dns = "bad.example.org", ip = "10.0.0.0/8" },
                                extensions = { { oid = "1.2.3.4", der = "\5\0" } } })
    .certificate:text()
  contains(text, "bad.example.org")
  contains(text, "1.2.3.4")
end)

test("purposes may be OIDs and any", function()
  local root = pki.authority {}
  same(root:issue({ purpose = { "any", "1.2.3.4.5" } }).certificate.purposes,
       { "any", "1.2.3.4.5" })
  raises('purpose: unknown word "sever" (did you mean "server"?)', function()
    root:issue { purpose = "sever" }
  end)
end)

test("a key may be another identity's", function()
  local root = pki.authority {}
  local first = root:issue { cn = "a", key = "ed25519" }
  local second = root:issue { cn = "b", key = first.key }
  equal(second.key:public_pem(), first.key:public_pem())
  raises('key: unknown word "ecdsa-p265" (did you mean "ecdsa-p256"?)', function()
    root:issue { key = "ecdsa-p265" }
  end)
end)

test("a chain has as many intermediates as told, and knows its authorities", function()
  local deep = pki.chain { depth = 3, leaf = { dns = "deep.example" } }
  equal(#deep.chain, 4)
  equal(deep.certificate.subject, "CN=deep.example")
  equal(deep.chain[4].issuer, "CN=Root")
  equal(#deep.authorities, 4)
  equal(deep.root.certificate.subject, "CN=Root")
  equal(deep.authorities[4], deep.issuer)
  equal(#pki.chain({ depth = 0 }).chain, 1)
  local other = pki.chain { depth = 1, key = "ed25519", leaf = { key = "ecdsa-p384" } }
  equal(other.root.key.type, "ed25519")
  equal(other.key.type, "ecdsa-p384")
  raises("pki.chain: depth is missing", function() pki.chain {} end)
  raises('pki.chain: leaf: unknown option "dsn" (did you mean "dns"?)', function()
    pki.chain { depth = 0, leaf = { dsn = "x" } }
  end)
end)

test("an authority is the last of its authorities", function()
  local root = pki.authority {}
  local sub = root:authority { cn = "Sub" }
  equal(#sub.authorities, 2)
  equal(sub.authorities[2], sub)
  equal(sub.root, root)
  equal(root.root, root)
end)

test("with presents exactly what it is told", function()
  local deep = pki.chain { depth = 2 }
  local chain = deep.chain
  table.remove(chain, 2)
  chain[#chain + 1] = deep.root.certificate
  local cut = deep:with { chain = chain }
  same(cut.chain, chain)
  equal(cut.key, deep.key)
  equal(#deep.chain, 3)
  equal(#cut.authorities, 3)
  equal(#deep:with({ chain = { deep, deep.root } }).chain, 2)
  raises("identity:with: chain: is empty", function() deep:with { chain = {} } end)
  raises("identity:with: chain: wants authorities, identities or certificates", function()
    deep:with { chain = { "x" } }
  end)
end)

test("fields and methods that do not exist raise", function()
  local leaf = pki.authority({}):issue {}
  raises('identity: unknown field "certifcate" (did you mean "certificate"?)', function()
    return leaf.certifcate
  end)
  raises('certificate: unknown field "dns_name" (did you mean "dns_names"?)', function()
    return leaf.certificate.dns_name
  end)
  raises('key: unknown field "typ"', function() return leaf.key.typ end)
  raises('pki: unknown name "authorty"', function() return pki.authorty end)
  raises("authority:crl is not part of this version", function() return leaf.issuer.crl end)
  raises("identity: unknown field \"issue\"", function() return leaf.issue end)
  raises("certificate: is read-only", function() leaf.certificate.subject = "x" end)
  raises("authority:issue: to be called with a colon", function()
    leaf.issuer.issue { cn = "x" }
  end)
  raises("pki.authority: unknown option \"subjcet\" (did you mean \"subject\"?)", function()
    pki.authority { subjcet = "CN=x" }
  end)
end)

test("certificates are equal when their DER is", function()
  local leaf = pki.authority({}):issue {}
  local again = pki.certificates(leaf.certificate:pem())[1]
  equal(again, leaf.certificate)
  equal(again:der(), leaf.certificate:der())
  equal(leaf.issuer:issue({}).certificate == leaf.certificate, false)
end)

test("objects say who they are", function()
  local leaf = pki.authority({}):issue { cn = "alice" }
  local short = leaf.certificate.fingerprint:sub(1, 16)
  equal(tostring(leaf.certificate), ("CN=alice (%s)"):format(short))
  equal(tostring(leaf), ("identity CN=alice (%s)"):format(short))
  equal(tostring(leaf.key), "key ecdsa-p256, 256 bits")
  equal(diff.show(leaf.chain), ("{ CN=alice (%s) }"):format(short))
end)

---------------------------------------------------------------------------------------------------

local directory = assert(files.temporary_directory())

test("what is saved can be loaded", function()
  local deep = pki.chain { depth = 20 }
  local certificate, chain, key = deep:save(directory .. "/deep/er")
  equal(certificate, directory .. "/deep/er/cert.pem")
  local loaded = pki.load { certificate = chain, key = key }
  same(loaded.chain, deep.chain)
  equal(loaded.issuer, nil)
  equal(#loaded.authorities, 0)
  equal(loaded.root, nil)
  equal(#pki.certificates(chain), 21)
  local text = assert(files.read(chain))
  same(pki.load({ certificate = text, key = deep.key:pem() }).chain, deep.chain)
  local stat = require("luv").fs_stat(key)
  equal(stat.mode & 511, tonumber("600", 8))
end)

test("a loaded certificate authority issues", function()
  local root = pki.authority { cn = "Stored" }
  local loaded = pki.load { certificate = root.certificate:pem(), key = root.key:pem() }
  local leaf = loaded:issue { cn = "x" }
  equal(leaf.certificate.issuer, "CN=Stored")
  equal(pki.verify({ chain = leaf, trust = root }).verified, true)
end)

test("encrypted keys want their password", function()
  local leaf = pki.authority({}):issue {}
  local pem = leaf.key:pem { password = "secret" }
  contains(pem, "ENCRYPTED")
  local certificate = leaf.certificate:pem()
  same(pki.load({ certificate = certificate, key = pem, password = "secret" }).chain, leaf.chain)
  contains(raises("pki.load: key: ", function()
    pki.load { certificate = certificate, key = pem }
  end), "password")
  raises("pki.load: key: ", function()
    pki.load { certificate = certificate, key = pem, password = "wrong" }
  end)
end)

test("PKCS #12 goes round", function()
  local leaf = pki.chain { depth = 1 }
  local path = directory .. "/leaf.p12"
  assert(files.write(path, leaf:pkcs12 { password = "secret" }))
  same(pki.load_pkcs12({ file = path, password = "secret" }).chain, leaf.chain)
  raises("pki.load_pkcs12: file: " .. path .. ": ", function()
    pki.load_pkcs12 { file = path, password = "wrong" }
  end)
end)

test("a file that is missing or garbage is named, with the reason", function()
  local leaf = pki.authority({}):issue {}
  local pem, key = leaf.certificate:pem(), leaf.key:pem()
  local missing, garbage = directory .. "/missing.pem", directory .. "/garbage.pem"
  assert(files.write(garbage, "this is not a certificate"))
  contains(raises("pki.load: certificate: ", function()
    pki.load { certificate = missing, key = key }
  end), missing)
  contains(raises("no such file", function() pki.certificates(missing) end), missing)
  raises("pki.load: certificate: " .. garbage .. ": ", function()
    pki.load { certificate = garbage, key = key }
  end)
  raises("pki.load: key: " .. garbage .. ": ", function()
    pki.load { certificate = pem, key = garbage }
  end)
  raises("pki.certificates: " .. garbage .. ": ", function() pki.certificates(garbage) end)
end)

test("a key that does not belong to the certificate is refused", function()
  local root = pki.authority {}
  local one, other = root:issue {}, root:issue {}
  raises("pki.load: key: ", function()
    pki.load { certificate = one.certificate:pem(), key = other.key:pem() }
  end)
end)

assert(files.remove_tree(directory))

---------------------------------------------------------------------------------------------------

test("verify judges as a handshake would", function()
  local deep = pki.chain { depth = 2, leaf = { dns = "deep.example", purpose = "server" } }
  local result = pki.verify { chain = deep, trust = deep.root, name = "deep.example",
                              purpose = "server" }
  equal(result.verified, true)
  equal(result.accepted, true)
  same(result.problems, {})
  equal(#result.path, 4)
  result = pki.verify { chain = deep, trust = deep.root, name = "other.example" }
  same(result.problems, { "unexpected_owner" })
  result = pki.verify { chain = deep.chain, trust = deep.root, purpose = "client" }
  same(result.problems, { "purpose_mismatch" })
  same(pki.verify({ chain = deep }).problems, { "signer_not_found" })
  same(pki.verify({ chain = deep, trust = deep.root, at = "+91d" }).problems, { "expired" })
  raises('verification: unknown field "problem"', function() return result.problem end)
  raises("pki.verify: crls is not part of this version", function()
    pki.verify { chain = deep, crls = {} }
  end)
end)

test("several hundred intermediates do not take long", function()
  local before = os.clock()
  local deep = pki.chain { depth = 400 }
  equal(#deep.chain, 401)
  equal(os.clock() - before < 20, true)
end)

unit.done()
