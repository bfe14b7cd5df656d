-- SPDX-License-Identifier: MIT
-- Whether our projection of Python's ssl says what Python's ssl says.
--   moonshake lua tests/formats/python.lua PYTHON
local unit = dofile "tests/lua/harness.lua"
local raw_names = dofile "tests/lua/raw_names.lua"
local json = require "dkjson"
local diff = require "moonshake.diff"
local escape = require "moonshake.escape"
local files = require "moonshake.io.files"
local ms = require "moonshake"
local native = require "moonshake.native"
local plain = require "moonshake.plain"
local python = require "moonshake.views.projections.python"
local pki, tls = ms.pki, ms.tls
local test, equal = unit.test, unit.equal

local PYTHON = arg[1]
local directory = assert(files.temporary_directory())

-- Without marks on its tables: they are to be compared.
local function decode(text)
  return assert(json.decode(text, 1, nil, nil, nil))
end

local function run(program, ...)
  assert(files.write(directory .. "/program.py", program))
  local words = { PYTHON, directory .. "/program.py", ... }
  for index, word in ipairs(words) do
    words[index] = escape.shell(word)
  end
  local pipe = assert(io.popen(table.concat(words, " "), "r"))
  local said = pipe:read "a"
  assert(pipe:close(), "Python failed")
  return decode(said)
end

-- What both say of certificates; Python decodes them as it does for getpeercert().
local function compare(identities)
  local paths = {}
  for index, identity in ipairs(identities) do
    paths[index] = ("%s/%d.pem"):format(directory, index)
    assert(files.write(paths[index], identity.certificate:pem()))
  end
  for index, theirs in ipairs(run([=[
import json, ssl, sys
print(json.dumps([ssl._ssl._test_decode_cert(path) for path in sys.argv[1:]]))
]=], table.unpack(paths))) do
    local told = python.getpeercert(identities[index].certificate)
    for _, difference in ipairs(diff.compare(decode(json.encode(plain.value(told))), theirs)) do
      error(("%d: %s: ours %s, Python's %s"):format(index, difference.path, difference.found,
                                                    difference.wanted), 2)
    end
  end
end

local root = pki.authority { subject = "CN=Root,O=Example,C=DE" }

test("a plain certificate, a CA, every kind of name", function()
  compare {
    root,
    root:issue { cn = "alice" },
    root:issue {
      subject = "CN=a\\,b\\+c\\\"d\\\\,OU=\\C3\\A9t\\C3\\A9,O=\\#x,ST=y,L=z,DC=example,UID=u,"
        .. "serialNumber=5,title=t,GN=g,SN=s,street=1,1.2.840.113549.1.9.1=#1603614062",
      dns = { "b.example", "*.a.example" }, ip = { "192.0.2.1", "2001:db8::ff", "::" },
      uri = { "spiffe://example.org/a;Hash=00", "x:\"'" }, email = "a@b.example",
      ocsp_url = "http://ocsp.example/x", crl_urls = { "http://crl.example/1", "http://2" },
    },
    root:issue { subject = "", dns = "only.example" },
  }
end)

test("names in any order, and of other kinds", function()
  local rdn = raw_names.der(0x31, raw_names.der(0x30, "\6\3\x55\4\3" .. raw_names.der(0x0C, "cn")))
  local identities = {}
  for index, names in ipairs {
    { { "uri", "u:1" }, { "dns", "d" }, { "uri", "u:2" }, { "email", "m@x" } },
    { { "directory", raw_names.der(0x30, rdn .. rdn) }, { "dns", "d" } },
    { { "id", "\x2A\3\4" }, { "dns", "d" } },
    { { "dns", "caf\xC3\xA9" }, { "ip", "\x20\1" .. ("\0"):rep(13) .. "\1" } },
  } do
    identities[index] = root:issue { cn = "x", extensions = raw_names.extension(names) }
  end
  compare(identities)
end)

test("strings of every type", function()
  local identities = {}
  for tag, bytes in pairs {
    [0x0C] = "\xC3\xA9", [0x12] = "123", [0x13] = "plain", [0x14] = "\xE9t\xE9", [0x16] = "ia5",
    [0x1C] = "\0\1\xF6\0", [0x1E] = "\0\xE9\x4E\x2D",
  } do
    local hex = raw_names.der(tag, bytes):gsub(".", function(byte)
      return ("%02x"):format(byte:byte())
    end)
    identities[#identities + 1] = root:issue { subject = "CN=#" .. hex, dns = "x" }
  end
  compare(identities)
end)

test("serial numbers and dates", function()
  local identities = {}
  for _, serial in ipairs { "01", "7f", "80", "00ff", "0100", ("ab"):rep(19) } do
    identities[#identities + 1] = root:issue { cn = "x", serial = serial }
  end
  for _, dates in ipairs { { 0, 86399 }, { 951782400, 951868799 }, { 2524607999, 2524608000 },
                           { 1700000000, 253402300799 } } do
    identities[#identities + 1] = root:issue { cn = "x", not_before = dates[1],
                                               not_after = dates[2] }
  end
  compare(identities)
end)

test("suites have OpenSSL's names, versions and bits", function()
  local known = 0
  for _, row in ipairs(run [=[
import json, ssl
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.set_ciphers("ALL:COMPLEMENTOFALL:@SECLEVEL=0")
print(json.dumps([[c["id"] & 0xFFFF, c["name"], c["protocol"], c["strength_bits"]]
                  for c in context.get_ciphers()]))
]=]) do
    local iana = native.find("cipher_suite", row[2])
    local told = iana and python.cipher(iana)
    local is_psk = row[2]:find "PSK" -- no end of ours offers one
    if told and not is_psk then
      known = known + 1
      equal(table.concat(told, " "), ("%s %s %d"):format(row[2], row[3], row[4]), iana)
      equal(select(2, native.find("cipher_suite", iana)), row[1], iana)
    end
  end
  equal(known > 40, true, known .. " suites")
end)

test("a connection says what Python's says of the same one", function()
  -- Python's own ends, in memory, with identities of ours.
  local server = root:issue { dns = "server.example" }
  local client = root:issue { cn = "alice", uri = "spiffe://example.org/alice" }
  local paths = {}
  for name, identity in pairs { server = server, client = client, root = root } do
    paths[name] = { identity:save(directory .. "/" .. name) }
  end
  local theirs = run([=[
import base64, json, ssl, sys
root, version = sys.argv[1], getattr(ssl.TLSVersion, sys.argv[2])
def context(protocol, chain, key):
    made = ssl.SSLContext(protocol)
    made.load_cert_chain(chain, key)
    made.load_verify_locations(root)
    made.verify_mode = ssl.CERT_REQUIRED
    made.minimum_version = made.maximum_version = version
    made.set_alpn_protocols(["h2"])
    return made
a, b = ssl.MemoryBIO(), ssl.MemoryBIO()
client = context(ssl.PROTOCOL_TLS_CLIENT, *sys.argv[3:5]).wrap_bio(
    a, b, server_hostname="server.example")
server = context(ssl.PROTOCOL_TLS_SERVER, *sys.argv[5:7]).wrap_bio(b, a, server_side=True)
for end in [client, server] * 4:
    try:
        end.do_handshake()
    except ssl.SSLWantReadError:
        pass
def told(end):
    return {
        "version": end.version(), "cipher": end.cipher(), "session_reused": end.session_reused,
        "selected_alpn_protocol": end.selected_alpn_protocol(),
        "server_hostname": end.server_hostname, "getpeercert": end.getpeercert(),
        "get_unverified_chain": [base64.b64encode(end.getpeercert(True)).decode()],
    }
print(json.dumps({"client": told(client), "server": told(server)}))
]=], paths.root[1], "TLSv1_2", paths.client[2], paths.client[3], paths.server[2], paths.server[3])
  local link = tls.link {
    client = { identity = client, trust = root, server_name = "server.example" },
    server = { identity = server, trust = root, client_auth = "require" },
    versions = "TLS1.2", alpn = "h2",
    cipher_suites = native.find("cipher_suite", theirs.client.cipher[1]),
  }
  equal(link:handshake(), true)
  for _, role in ipairs { "client", "server" } do
    local ours = decode(link[role]:as_json "python")
    for name in pairs(theirs[role]) do
      equal(#diff.compare(ours[name], theirs[role][name]), 0,
            ("%s: %s: %s"):format(role, name, diff.show { ours[name], theirs[role][name] }))
    end
  end
end)

assert(files.remove_tree(directory))
unit.done()
