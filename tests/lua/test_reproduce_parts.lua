-- SPDX-License-Identifier: MIT
-- The parts that scenarios are written of: a certificate as the options that make its like, the
-- word for a key, and values as text.
local unit = dofile((arg[0]:match ".*/" or "") .. "harness.lua")
local certificate = require "moonshake.reproduce.certificate"
local literal = require "moonshake.reproduce.literal"
local ms = require "moonshake"
local test, equal, contains = unit.test, unit.equal, unit.contains
local pki = ms.pki

local root = pki.authority { cn = "Example Root" }
local DAY = 86400

local function now()
  return ms.clock:now()
end

---------------------------------------------------------------------------------------------------
-- Certificates

-- The options of a certificate as text, and what is not the same.
local function written(identity, authority, signer)
  local options, remarks = certificate.options(identity.certificate, {
    at = now(), authority = authority or false, signer = signer or "ecdsa-p256",
  })
  return literal.render(options, 0, 0), table.concat(remarks, "; ")
end

for _, row in ipairs {
  -- what it was issued with, and what is written of that, if it is not the same
  { '{ cn = "x" }' }, { '{ dns = "a.example" }' },
  { '{ cn = "x", dns = { "a.example", "b.example" }, ip = "192.0.2.1" }' },
  { '{ uri = "spiffe://a/b", email = "a@b.example" }' },
  { '{ cn = "x", key = "ecdsa-p384" }' }, { '{ cn = "x", key = "ed25519" }' },
  { '{ cn = "x", key = "rsa-2048" }' }, { '{ subject = "CN=x,O=Example\\\\, Inc." }' },
  { '{ subject = "" }' }, { '{ cn = "a.example", dns = "a.example" }', '{ dns = "a.example" }' },
  { '{ cn = "x", not_before = "-20d", not_after = "-3d" }' },
  { '{ cn = "x", not_before = "+3d", not_after = "+20d" }' },
  { '{ cn = "x", not_before = "-2d", not_after = "-2h" }' },
  { '{ cn = "x", not_before = "-20d", not_after = "+3d" }', '{ cn = "x" }' },
  { '{ cn = "x", purpose = false }' }, { '{ cn = "x", purpose = "client" }' },
  { '{ cn = "x", purpose = { "client", "server" } }', '{ cn = "x" }' },
  { '{ cn = "x", purpose = { "client", "any" } }' },
  { '{ cn = "x", key_usage = false }' }, { '{ cn = "x", key_usage = "keyAgreement" }' },
  { '{ cn = "x", key_usage = { "digitalSignature", "keyAgreement" } }' },
  { '{ cn = "x", key_usage = "digitalSignature" }', '{ cn = "x" }' },
  { '{ cn = "x", key = "rsa-2048", key_usage = "digitalSignature" }' },
  { '{ cn = "x", ca = true }' }, { '{ cn = "x", digest = "sha512" }' },
  { '{ cn = "x", digest = "sha1" }' },
  { '{ cn = "x", extensions = { { oid = "1.2.3.4", critical = true, der = "\\x05\\x00" } } }' },
} do
  local options, wanted = row[1], row[2] or row[1]
  test(("what was issued with %s is so again"):format(options), function()
    local text, remarks = written(root:issue(assert(load("return " .. options))()))
    equal(text, wanted)
    equal(remarks, "")
  end)
end

for _, row in ipairs {
  { '{ cn = "x" }' }, { '{ cn = "x", path_length = 0 }' }, { '{ cn = "x", path_length = 3 }' },
  { '{ cn = "x", purpose = "server" }' }, { '{ cn = "x", key_usage = "digitalSignature" }' },
  { '{ cn = "x", omit = "basic_constraints" }' }, { '{ cn = "x", ca = false }' },
  { '{ cn = "x", permitted = { dns = "a.example", email = "b.example" } }' },
  { '{ cn = "x", permitted = { dns = { "a.test", "c.test" } }, excluded = { dns = "b.a.test" } }' },
} do
  test(("an authority that was made with %s is so again"):format(row[1]), function()
    local text, remarks = written(root:authority(assert(load("return " .. row[1]))()), true)
    equal(text, row[1])
    equal(remarks, "")
  end)
end

test("a key that there is none of has the next one's word, and a remark", function()
  for _, row in ipairs {
    { "rsa", 2048, "rsa-2048 nil" }, { "rsa", 3072, "rsa-3072 nil" },
    { "rsa", 4096, "rsa-4096 nil" },
    { "rsa", 1024, "rsa-2048 its RSA key has 1024 bits" },
    { "rsa", 2049, "rsa-3072 its RSA key has 2049 bits" },
    { "rsa", 8192, "rsa-4096 its RSA key has 8192 bits" }, { "rsa-pss", 2048, "rsa-pss-2048 nil" },
    { "rsa-pss", 3072, "rsa-pss-2048 its RSA-PSS key has 3072 bits" },
    { "ecdsa-p521", 521, "ecdsa-p521 nil" }, { "ed448", 456, "ed448 nil" },
    { "dsa", 2048, "ecdsa-p256 its key is of another type: dsa, 2048 bits" },
    { nil, nil, "ecdsa-p256 its key is of another type: nil, 0 bits" },
  } do
    local word, remark = certificate.key_word(row[1], row[2])
    equal(("%s %s"):format(word, remark), row[3])
  end
end)

test("whose key signed is told by the signature", function()
  for signature, wanted in pairs {
    ["ecdsa-with-SHA256"] = "ecdsa-p256", ["ecdsa-with-SHA384"] = "ecdsa-p384",
    ["ecdsa-with-SHA512"] = "ecdsa-p521", Ed25519 = "ed25519", Ed448 = "ed448",
    ["RSA-SHA256"] = "rsa-2048", ["RSA-PSS-SHA256"] = "rsa-pss-2048", ["DSA-SHA1"] = "ecdsa-p256",
  } do
    equal(certificate.signer_key(signature), wanted, signature)
  end
end)

test("what was out of date by hours stays out of date", function()
  local at = now()
  local made = root:issue { cn = "x", not_before = "-2d", not_after = "-1s" }
  contains(written(made), 'not_after = "-1h"')
  equal(made.certificate.not_after < at + DAY, true)
end)

---------------------------------------------------------------------------------------------------
-- Values

test("long texts are broken between words and never within an escape", function()
  local function back(text)
    local lines = literal.render(literal.string(text), 2, 10)
    for line in lines:gmatch "[^\n]+" do
      equal(#line <= 100, true, line)
    end
    equal(assert(load("return " .. lines))(), text)
  end
  back(("word "):rep(50))
  back(("\27"):rep(100))
  back(("\u{E9}"):rep(150))
  back(("\\"):rep(150) .. '"' .. ("x"):rep(150))
  back ""
end)

test("tables are flat where they fit, else an item a line, and short items side by side", function()
  local made = literal.table()
  equal(literal.render(made, 0, 0), "{}")
  literal.add(made, "a", "1")
  literal.add(made, "not a name", "2")
  literal.add(made, "end", "3")
  literal.add(made, "nothing", nil)
  equal(literal.render(made, 0, 0), '{ a = 1, ["not a name"] = 2, ["end"] = 3 }')
  equal(literal.render(made, 2, 90), '{\n    a = 1,\n    ["not a name"] = 2,\n'
        .. '    ["end"] = 3,\n  }')
  local list = literal.table()
  for _ = 1, 40 do
    literal.add(list, nil, "1234567")
  end
  local lines = literal.render(list, 0, 0)
  equal(select(2, lines:gsub("\n", "")), 5)
  equal(select(2, lines:gsub("1234567,", "")), 40)
end)

unit.done()
