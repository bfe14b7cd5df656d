-- SPDX-License-Identifier: MIT
-- The probe against servers that no one here wrote: openssl s_server, nginx, Apache with
-- certificates for a directory, gnutls-serv. What is not installed is skipped.
local files = require "moonshake.io.files"
local ms = require "moonshake"
local probe = require "moonshake.probe"
local process = require "moonshake.io.process"
local write = require "moonshake.probe.scenario"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local BOTH = { "TLS1.2", "TLS1.3" }

-- Where Debian puts what only root is meant to start.
local function program(name)
  return files.find_program(name)
    or files.kind("/usr/sbin/" .. name) == "file" and "/usr/sbin/" .. name
    or ms.skip(("needs %s, which is not in PATH"):format(name))
end

-- The files of a world with a root, a server and two clients.
local function world(case)
  local root = pki.authority { cn = "Example Root" }
  local sub = root:authority { cn = "Issuing CA" }
  local made = {
    root = root, server = sub:issue { dns = "server.example" },
    alice = sub:issue { cn = "alice", purpose = "client" },
    mallory = pki.authority { cn = "Other Root" }:issue { cn = "mallory" }, directory = case.dir,
  }
  made.leaf, made.chain, made.key = made.server:save(case.dir .. "/server")
  made.trust = root:save(case.dir .. "/root")
  files.write(case.dir .. "/sub.pem", sub.certificate:pem())
  made.sub = case.dir .. "/sub.pem"
  return made
end

local function probed(given, place, how)
  how = how or {}
  return probe.run {
    place = place, server_name = "server.example", verify_name = "server.example",
    trust = given.root, identity = how.identity, authority = how.authority, request = how.request,
    depth = how.depth or false,
  }
end

-- What was kept runs, and passes.
local function expect_kept(case, found)
  local path = case.dir .. "/kept.lua"
  files.write(path, (write(found)))
  local result = ms.program({ process.own_program(), "run", "-j1", path }):wait()
  expect(result.code, "the scenario that was kept"):equals(0)
end

---------------------------------------------------------------------------------------------------
-- openssl s_server

local VERSION = { ["TLS1.2"] = "-tls1_2", ["TLS1.3"] = "-tls1_3" }

local function s_server(given, options)
  local arguments = { program "openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", given.leaf,
                      "-key", given.key, "-www", "-no-CApath" }
  for _, option in ipairs(options) do
    arguments[#arguments + 1] = option
  end
  local server = ms.program(arguments)
  local _, port = server:line { match = "^ACCEPT 127.0.0.1:(%d+)" }
  return { host = "127.0.0.1", port = math.tointeger(tonumber(port)) }
end

ms.scenario "openssl s_server that asks for nothing" {
  about  = "Both versions, resumption, the whole chain.",
  run    = function(case)
    local given = world(case)
    local found = probed(given, s_server(given, { "-cert_chain", given.sub, "-no-CAfile" }))
    expect(found.summary):contains "accepted; it asks for no client certificate"
    expect(found.versions):equals { ["TLS1.0"] = false, ["TLS1.1"] = false, ["TLS1.2"] = true,
                                    ["TLS1.3"] = true }
    expect(found.resumption.versions):equals { ["TLS1.2"] = true, ["TLS1.3"] = true }
    expect(found.chain):has_length(2)
    expect_kept(case, found)
  end,
}

ms.scenario "openssl s_server that forgot its intermediate" {
  matrix = { version = BOTH },
  run    = function(case)
    local given = world(case)
    local found = probed(given, s_server(given, { VERSION[case.version], "-no-CAfile" }))
    expect(found.verdict):equals "refused"
    expect(found.by):equals "us"
    expect(found.summary):contains "the intermediate CN=Issuing CA was not sent"
    expect(found.versions[case.version]):is_true()
    expect_kept(case, found)
  end,
}

local function requiring(given, version)
  return s_server(given, { VERSION[version], "-cert_chain", given.sub, "-CAfile", given.trust,
                           "-Verify", 9, "-verify_return_error" })
end

ms.scenario "openssl s_server that requires a certificate which never comes" {
  matrix = { version = BOTH },
  run    = function(case)
    local given = world(case)
    local found = probed(given, requiring(given, case.version))
    expect(found.verdict):equals "refused"
    expect(found.request):has { when = "handshake", requirement = "required",
                                issuers = { "CN=Example Root" } }
    expect(found.summary):contains(case.version == "TLS1.3"
      and "certificate_required (116) after our handshake was complete"
      or "handshake_failure (40) in the handshake: it requires a client certificate")
    expect_kept(case, found)
  end,
}

ms.scenario "openssl s_server takes our certificate, and remembers it" {
  matrix = { version = BOTH },
  run    = function(case)
    local given = world(case)
    local found = probed(given, requiring(given, case.version), { identity = given.alice })
    expect(found.summary):contains "accepted with our certificate CN=alice, which it requires"
    expect(found.ours.judged.fits):is_true()
    expect_kept(case, found)
  end,
}

ms.scenario "openssl s_server refuses a certificate of another root" {
  matrix = { version = BOTH },
  run    = function(case)
    local given = world(case)
    local found = probed(given, requiring(given, case.version), { identity = given.mallory })
    expect(found.verdict):equals "refused"
    expect(found.summary):contains "unknown_ca (48)"
    expect(found.ours):has { withheld = "issuer_not_named", sent = true }
    expect_kept(case, found)
  end,
}

ms.scenario "openssl s_server that names no issuers is malformed in TLS 1.3" {
  run = function(case)
    local given = world(case)
    local place = s_server(given, { "-cert_chain", given.sub, "-CAfile", given.trust, "-Verify", 9,
                                    "-no_ca_names" })
    local found = probed(given, place)
    expect(found.verdict):equals "refused"
    if found.by == "us" then -- a newer one may send no list at all
      expect(found.summary):contains "an empty list of issuers"
    end
  end,
}

ms.scenario "openssl s_server whose certificate may not sign is judged all the same" {
  run = function(case)
    local given = world(case)
    local authority = pki.authority { cn = "Lone Root" }
    given.leaf, given.chain, given.key = authority:save(case.dir .. "/lone")
    local found = probed(given, s_server(given, { "-tls1_3", "-no-CAfile" }))
    expect(found.summary):contains "refused by us in the handshake"
    expect(found.summary):contains "key_usage_violation"
    expect(found.remarks[1]):contains "its chain does not verify: its certificate is self-signed"
    expect(found.asked):is_false()
    expect_kept(case, found)
  end,
}

ms.scenario "openssl s_server resumes by ticket alone, and a client with a certificate by that" {
  matrix = { version = BOTH },
  run    = function(case)
    local given = world(case)
    local place = s_server(given, { VERSION[case.version], "-cert_chain", given.sub, "-CAfile",
                                    given.trust, "-Verify", 9, "-verify_return_error",
                                    "-no_cache" })
    local found = probed(given, place, { identity = given.alice })
    expect(found.resumption.ours):has { resumed = true, asked = false, accepted = true }
  end,
}

ms.scenario "openssl s_server takes what GnuTLS keeps at home" {
  about  = "A key usage that does not allow to sign: GnuTLS offers no TLS 1.3 with it.",
  run    = function(case)
    local given = world(case)
    local mute = given.root:issue { cn = "mute", key_usage = "keyAgreement", purpose = "client" }
    local found = probed(given, requiring(given, "TLS1.3"), { identity = mute })
    expect(found.summary):contains "accepted with our certificate CN=mute, which it requires"
    expect(found.ours):has { withheld = "key_usage", sent = true }
    expect_kept(case, found)
    found = probed(given, requiring(given, "TLS1.2"), { identity = mute })
    expect(found.ours):has { withheld = "key_usage", sent = false }
    expect(found.summary):contains "it requires a client certificate"
    expect_kept(case, found)
  end,
}

ms.scenario "openssl s_server that requires a certificate, whoever issued it" {
  run = function(case)
    local given = world(case)
    local place = s_server(given, { "-tls1_3", "-cert_chain", given.sub, "-CAfile", given.trust,
                                    "-Verify", 9 })
    local found = probed(given, place, { depth = true })
    expect(found.verdict):equals "refused"
    expect(found.remarks[1]):contains "an authority that we made up was accepted"
  end,
}

ms.scenario "openssl s_server is asked for the deepest chain" {
  run = function(case)
    local given = world(case)
    local place = s_server(given, { "-tls1_3", "-cert_chain", given.sub, "-CAfile", given.trust,
                                    "-Verify", 9, "-verify_return_error", "-verify_depth", 3 })
    local found = probed(given, place, { identity = given.alice, authority = given.root,
                                         depth = true })
    expect(found.depth):has { trusted = true, deepest = 3 }
  end,
}

---------------------------------------------------------------------------------------------------
-- nginx, on a unix socket

local NGINX = [[
daemon off; master_process on; pid DIR/nginx.pid; error_log stderr notice; worker_processes 1;
USER
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path DIR/b; proxy_temp_path DIR/p; fastcgi_temp_path DIR/f;
  uwsgi_temp_path DIR/u; scgi_temp_path DIR/s;
  server {
    listen unix:DIR/nginx.sock ssl;
    ssl_certificate CHAIN; ssl_certificate_key KEY; ssl_protocols TLSv1.2 TLSv1.3;
    ssl_client_certificate TRUST; ssl_verify_depth 2; ssl_verify_client VERIFY;
    location / { default_type text/plain; return 200 "verify=$ssl_client_verify\n"; }
  }
}
]]

local function filled(text, values)
  return (text:gsub("%u%u%u+", values))
end

local function is_root()
  return files.read "/proc/self/status":match "\nUid:%s*(%d+)" == "0"
end

local function nginx(given, verify)
  local path, directory = program "nginx", given.directory
  files.write(directory .. "/nginx.conf", filled(NGINX, {
    DIR = directory, CHAIN = given.chain, KEY = given.key, TRUST = given.trust, VERIFY = verify,
    USER = is_root() and "user root;" or "",
  }))
  local server = ms.program { path, "-p", directory, "-c", directory .. "/nginx.conf", "-e",
                              "stderr" }
  expect((server:line { match = "start worker process %d" })).no:is_nil()
  return { path = directory .. "/nginx.sock" }
end

ms.scenario "nginx completes the handshake with whoever comes, and refuses in HTTP" {
  run = function(case)
    local given = world(case)
    local place = nginx(given, "on")
    local found = probed(given, place)
    expect(found.verdict):equals "refused"
    expect(found.summary):contains "in HTTP, not in TLS: HTTP/1.1 400 Bad Request"
    expect(found.summary):contains "No required SSL certificate was sent"
    expect(found.request.requirement):equals "required"
    expect_kept(case, found)
    found = probed(given, place, { identity = given.mallory })
    expect(found.summary):contains "The SSL certificate error"
    found = probed(given, place, { identity = given.alice })
    expect(found.summary):contains "accepted with our certificate CN=alice, which it requires"
    expect(found.main.answer.server):matches "^nginx"
  end,
}

ms.scenario "nginx for which a certificate is optional" {
  run = function(case)
    local given = world(case)
    local found = probed(given, nginx(given, "optional"))
    expect(found.verdict):equals "accepted"
    expect(found.request.requirement):equals "optional"
    expect(found.resumption.anonymous.outcome):equals "not_asked"
  end,
}

---------------------------------------------------------------------------------------------------
-- Apache, a certificate for a directory

local APACHE = [[
ServerRoot DIR
PidFile DIR/httpd.pid
DefaultRuntimeDir DIR
Mutex posixsem default
ServerName server.example
Listen 127.0.0.1:PORT
LoadModule mpm_event_module MODULES/mod_mpm_event.so
LoadModule authz_core_module MODULES/mod_authz_core.so
LoadModule ssl_module MODULES/mod_ssl.so
LoadModule socache_shmcb_module MODULES/mod_socache_shmcb.so
LoadModule status_module MODULES/mod_status.so
ErrorLog "|/bin/cat"
StartServers 1
OWNER
DocumentRoot MODULES
SSLSessionCache shmcb:DIR/cache
SSLEngine on
SSLCertificateFile CHAIN
SSLCertificateKeyFile KEY
SSLProtocol -all +TLSv1.2 +TLSv1.3
SSLCACertificateFile TRUST
<Location />
  SetHandler server-status
</Location>
<Location /secret>
  SSLVerifyClient require
  SSLVerifyDepth 5
</Location>
]]

local MODULES = "/usr/lib/apache2/modules"

local function free_port()
  local listener <close> = tls.listen { server = { identity = pki.authority {}:issue {} } }
  return listener.port
end

local function apache(given)
  local path, directory = program "apache2", given.directory
  if files.kind(MODULES) ~= "directory" then
    ms.skip("needs " .. MODULES)
  end
  local port = free_port()
  files.write(directory .. "/httpd.conf", filled(APACHE, {
    DIR = directory, CHAIN = given.chain, KEY = given.key, TRUST = given.trust, PORT = port,
    MODULES = MODULES, OWNER = is_root() and "User www-data\nGroup www-data" or "",
  }))
  local server = ms.program { path, "-d", directory, "-f", directory .. "/httpd.conf",
                              "-DFOREGROUND", "-k", "start" }
  expect((server:line { match = "resuming normal operations" })).no:is_nil()
  return { host = "127.0.0.1", port = port }
end

ms.scenario "Apache asks for a certificate once it knows the path" {
  about = "By renegotiation in TLS 1.2, after the handshake in TLS 1.3.",
  run   = function(case)
    local given = world(case)
    local place = apache(given)
    local found = probed(given, place)
    expect(found.summary):contains "accepted; it asks for no client certificate"
    found = probed(given, place, { request = "/secret/" })
    expect(found.verdict):equals "refused"
    expect(found.summary):contains "certificate_required (116) in the post-handshake"
    expect(found.request.by_version):equals {
      ["TLS1.2"] = { when = "renegotiation", requirement = "required" },
      ["TLS1.3"] = { when = "post_handshake", requirement = "required" },
    }
    expect(found.resumption.anonymous.outcome):equals "asked_again"
    expect_kept(case, found)
    found = probed(given, place, { request = "/secret/", identity = given.alice })
    expect(found.summary):contains "accepted with our certificate CN=alice, which it requires"
    expect(found.main.answer.status):equals(200)
    expect_kept(case, found)
    found = probed(given, place, { request = "/secret/", identity = given.mallory })
    expect(found.summary):contains "unknown_ca (48)"
  end,
}
