-- SPDX-License-Identifier: MIT
-- What the probe says of our certificate: whether it was sent, and if not, who keeps it and why.
local here = arg[0]:match ".*/" or ""
local unit = dofile(here .. "harness.lua")
local world = dofile(here .. "probed.lua")
local files = require "moonshake.io.files"
local json = require "dkjson"
local to_json = require "moonshake.probe.json"
local to_text = require "moonshake.probe.text"
local test, equal, contains = unit.test, unit.equal, unit.contains
local asking, probed = world.asking, world.probed

local function text_of(found)
  return table.concat(to_text(found, { width = 200, paint = function(text) return text end }), "\n")
end

local rsa_server = world.sub:issue { dns = "server.example", key = "rsa-2048" }
local RSA_PSS = { identity = rsa_server, signature_schemes = { "rsa_pss_rsae_sha256" },
                  versions = "TLS1.3" }

test("one whose key cannot sign as is wanted is not said to have been sent", function()
  local found = probed(asking("require", RSA_PSS), { identity = world.alice })
  equal(found.verdict, "refused", found.summary)
  equal(found.ours.sent, false)
  contains(found.summary, "it requires a client certificate")
  contains(found.next[1], "does not fit (signature_scheme)")
  local text = text_of(found)
  contains(text, "our certificate: not sent")
  contains(text, "(no_common_signature_scheme), and cannot be made to send it")
  found = probed(asking("request", RSA_PSS), { identity = world.alice })
  equal(found.verdict, "accepted", found.summary)
  contains(found.summary, "accepted without our certificate CN=alice")
  contains(found.next[1], "does not fit (signature_scheme)")
  equal(json.decode(to_json(found)).ours.sent, false)
end)

test("where GnuTLS keeps home what fits, it is not told to be a sender, nor the issuer blamed",
     function()
  local rsa = world.sub:issue { cn = "rsa", key = "rsa-2048", purpose = "client" }
  local found = probed(asking("require", RSA_PSS), { identity = rsa })
  equal(found.verdict, "accepted", found.summary)
  equal(found.ours.withheld, "library_choice")
  equal(found.ours.judged.fits, true)
  equal(found.ours.judged.sent_by.gnutls, false)
  contains(found.next[1], "have the server list rsa_pkcs1_sha256")
end)

-- GnuTLS does not offer TLS 1.3 then, and does not sign before.
test("a key that its usage keeps from signing is tried in TLS 1.3, too", function()
  local mute = world.sub:issue { cn = "mute", key_usage = "keyAgreement", purpose = "client" }
  local found = probed(asking("require", { versions = "TLS1.3" }), { identity = mute })
  equal(found.ours.asked, true)
  equal(found.ours.withheld, "key_usage")
  equal(found.ours.sent, true)
  equal(found.ours.attempt.connection.client.version, "TLS1.3")
  contains(found.next[1], "does not fit (key_usage)")
  found = probed(asking("request", { versions = "TLS1.2" }), { identity = mute })
  equal(found.verdict, "accepted", found.summary)
  equal(found.ours.sent, false)
  contains(found.summary, "accepted without our certificate CN=mute")
end)

test("a page that lets our certificate in, and forbids without, requires it in that version",
     function()
  local found = probed(asking("request", { versions = "TLS1.3" }), {
    identity = world.alice,
    behave = function(one)
      if one:handshake { timeout = 5 } and one:receive { timeout = 5 } then
        one:send { data = one.server.peer_certificate and world.OK
                     or "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n" }
      end
      one:close()
    end,
  })
  equal(found.request.requirement, "required")
  equal(found.request.by_version["TLS1.3"].requirement, "required")
end)

-- The keys of objects within a value, as a set; those that are versions are not among them.
local function add_keys(value, keys)
  for name, inner in pairs(type(value) == "table" and value or {}) do
    if type(name) == "string" and not name:find "^TLS" then
      keys[name] = true
    end
    add_keys(inner, keys)
  end
  return keys
end

test("each key of the JSON is told of at the head of the file that makes it", function()
  local head = assert(files.read(here .. "../../lua/moonshake/probe/json.lua"))
    :match "^(.-)\nlocal "
  local text = to_json(probed(asking("require", {
    identity = world.server:with { chain = { world.server } }, versions = "TLS1.3",
  }), { identity = world.alice, depth = true }))
  local keys = add_keys(json.decode(text, 1, json.null), {})
  for _, name in ipairs { "server", "subject", "java", "by_version", "accepted", "certificates" } do
    equal(keys[name], true, name)
  end
  for name in pairs(keys) do
    equal(head:find("%f[%w_]" .. name .. "%f[^%w_]") ~= nil, true, name)
  end
end)

unit.done()
