-- SPDX-License-Identifier: MIT
-- openssl s_client, gnutls-cli and curl against our server. What the server tells is certain; what
-- a client learns of a late refusal in TLS 1.3 is whatever reaches it first.
local ms = require "moonshake"
local curl = require "peers.curl"
local gnutls = require "peers.gnutls"
local openssl = require "peers.openssl"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local VERSIONS = { "TLS1.2", "TLS1.3" }

local function world(options)
  local root = pki.authority { cn = "Example Root" }
  local w = {
    root = root,
    alice = root:authority { cn = "Client CA" }:issue { cn = "alice" },
    stranger = pki.authority { cn = "Another Root" }:issue { cn = "stranger" },
  }
  options.identity = root:authority { cn = "Server CA" }:issue { dns = "server.example" }
  options.trust = root
  w.listener = tls.listen { server = options }
  return w
end

-- The connection of a program, and what its handshake returned.
local function accept(w)
  local server = w.listener:accept()
  expect(server, "a connection").no:is_nil()
  return server, server:handshake()
end

-- Receives until there is this text.
local function receive(connection, text)
  local all = ""
  repeat
    local data, why = connection:receive()
    expect(why):is_nil()
    all = all .. data
  until all:find(text, 1, true)
  return all
end

local function serve_page(server)
  receive(server, "\r\n\r\n")
  server:send { data = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n" }
  server:close()
end

---------------------------------------------------------------------------------------------------
-- Programs that talk

-- What tells that a client has an open connection, and what it prints of an alert.
local TALKING = {
  openssl = { start = openssl.client, refused = "alert number (%d+)" },
  gnutls = { start = gnutls.client, refused = "alert %[(%d+)%]" },
}

for _, name in ipairs { "openssl", "gnutls" } do
  local client = TALKING[name]
  ms.scenario(name .. "'s client shows its certificate and talks") {
    needs = name,
    matrix = { version = VERSIONS, auth = { "request", "require" } },
    run = function(case)
      local w = world { client_auth = case.auth }
      local program = client.start(case, { port = w.listener.port, trust = w.root,
                                           identity = w.alice, version = case.version })
      local server, content = accept(w)
      expect(content):is_true()
      expect(server.server):has { version = case.version, server_name = "server.example" }
      expect(server.server):verified()
      expect(server.server.peer_certificates):equals(w.alice.chain)
      expect(server.client.wire.sent_certificates):equals(w.alice.chain)
      program:write "question\n"
      receive(server, "question")
      expect(server:send { data = "answer\n" }):is_true()
      expect(program:line { match = "answer" }):contains "answer"
      server:close()
      program:close_input()
      expect(program:wait().code):equals(0)
      expect(select(2, server:receive())):one_of { "closed", "closed_early", "connection_reset" }
    end,
  }

  ms.scenario(name .. "'s client shows no certificate") {
    needs = name,
    matrix = { version = VERSIONS, auth = { "request", "require" } },
    run = function(case)
      local w = world { client_auth = case.auth, alerts = "rfc" }
      local program = client.start(case, { port = w.listener.port, trust = w.root,
                                           version = case.version })
      local server, content = accept(w)
      expect(content):equals(case.auth == "request")
      expect(server.server.certificate_requested):is_true()
      expect(server.server.wire.received_certificates):equals {}
      if case.auth == "request" then
        program:write "question\n"
        receive(server, "question")
        return
      end
      local number = case.version == "TLS1.3" and 116 or 40
      expect(server.server):has { ["error.problem"] = "no_certificate", told_by = "itself",
                                  ["alert_sent.number"] = number }
      expect(program:wait().output:match(client.refused)):equals(tostring(number))
    end,
  }

  ms.scenario(name .. "'s client shows a certificate of nobody we know") {
    needs = name,
    matrix = { version = VERSIONS },
    run = function(case)
      local w = world { client_auth = "require", alerts = "rfc" }
      local program = client.start(case, { port = w.listener.port, trust = w.root,
                                           identity = w.stranger, version = case.version })
      local server, content = accept(w)
      expect(content):is_false()
      expect(server.server):unverified "signer_not_found"
      expect(server.server.alert_sent):has { level = "fatal", name = "unknown_ca" }
      expect(server.server.wire.received_certificates):equals(w.stranger.chain)
      expect(program:wait().output:match(client.refused)):equals "48"
    end,
  }

  ms.scenario(name .. "'s client does not trust our server") {
    needs = name,
    matrix = { version = VERSIONS },
    run = function(case)
      local w = world {}
      local program = client.start(case, { port = w.listener.port, trust = w.stranger.issuer,
                                           version = case.version })
      local server, content = accept(w)
      if content then -- gnutls-cli judges after its handshake
        server:receive()
      end
      expect(server.server.error.problem):one_of { "peer_alert", "closed_early" }
      expect(program:wait().code).no:equals(0)
    end,
  }
end

ms.scenario "openssl s_client is asked for its certificate by a renegotiation" {
  matrix = { tickets = { 0, 1 } },
  about = "It offers its session again, and a server that took it back would ask for nothing.",
  needs = "openssl",
  run = function(case)
    local w = world { versions = "TLS1.2", tickets = case.tickets }
    local program = openssl.client(case, { port = w.listener.port, trust = w.root,
                                           identity = w.alice })
    local server, content = accept(w)
    expect(content):is_true()
    expect(server:renegotiate { server = { client_auth = "require" } }):is_true()
    expect(server.server.history[1].peer_certificate):is_nil()
    expect(server.server.history[2]):has { renegotiations = 1, epoch = "renegotiation 1" }
    expect(server.server.peer_certificate):is(w.alice)
    expect(server:send { data = "welcome\n" }):is_true()
    expect(program:line { match = "welcome" }):contains "welcome"
  end,
}

ms.scenario "a client is asked for its certificate after the handshake" {
  needs = { "openssl", "gnutls" },
  rfc = "RFC 8446 section 4.6.2",
  matrix = { client = { "openssl", "gnutls" }, offers = { true, false } },
  run = function(case)
    local w = world { versions = "TLS1.3" }
    local offer = case.client == "openssl" and "-enable_pha" or "--post-handshake-auth"
    local program = TALKING[case.client].start(case, {
      port = w.listener.port, trust = w.root, identity = w.alice, version = "TLS1.3",
      arguments = case.offers and { offer } or {},
    })
    local server, content = accept(w)
    expect(content):is_true()
    program:write "question\n" -- gnutls-cli answers while it waits for its input
    receive(server, "question")
    local asked = server:reauthenticate { server = { client_auth = "require" } }
    expect(asked):equals(case.offers)
    if not case.offers then
      expect(server.server.error.problem):equals "post_handshake_auth_not_offered"
      return
    end
    expect(server.server.epoch):equals "reauthentication 1"
    expect(server.server.peer_certificate):is(w.alice)
    expect(server:send { data = "welcome\n" }):is_true()
    expect(program:line { match = "welcome" }):contains "welcome"
  end,
}

ms.scenario "openssl s_client resumes its session" {
  needs = "openssl",
  matrix = { version = VERSIONS },
  run = function(case)
    local w = world { client_auth = "require", versions = case.version }
    local path = case.dir .. "/session.pem"
    for _, how in ipairs { "-sess_out", "-sess_in" } do
      local program = openssl.client(case, {
        port = w.listener.port, trust = w.root, identity = w.alice, arguments = { how, path },
      })
      local server, content = accept(w)
      expect(content):is_true()
      expect(server.server.resumed):equals(how == "-sess_in")
      expect(server.server.certificate_requested):equals(how == "-sess_out")
      expect(server.server.peer_certificate):is(w.alice)
      expect(server:send { data = "welcome\n" }):is_true() -- the tickets were read before it
      expect(program:line { match = "welcome" }):contains "welcome"
      server:close()
      expect(program:wait().code):equals(0)
    end
  end,
}

---------------------------------------------------------------------------------------------------
-- curl

ms.scenario "curl gets a page" {
  needs = "curl",
  matrix = { version = VERSIONS, auth = { "none", "request", "require" },
             identity = { "alice", "none" } },
  run = function(case)
    local w = world { client_auth = case.auth }
    local program = curl.client(case, { port = w.listener.port, trust = w.root,
                                        identity = w[case.identity], version = case.version })
    local server, content = accept(w)
    local refused = case.auth == "require" and case.identity == "none"
    expect(content):equals(not refused)
    if refused then
      expect(server.server.error.problem):equals "no_certificate"
      -- In TLS 1.2 its handshake fails, in TLS 1.3 its sending or its reading.
      local codes = case.version == "TLS1.2" and { 35 } or { 55, 56 }
      expect(program:wait().code):one_of(codes)
      return
    end
    serve_page(server)
    local result = program:wait()
    expect(result.code):equals(0)
    expect(result.output):equals "hello\n"
    local sent = case.auth ~= "none" and case.identity == "alice"
    expect(server.server.peer_certificates):equals(sent and w.alice.chain or tls.none)
  end,
}

ms.scenario "curl shows a certificate of nobody we know" {
  needs = "curl",
  matrix = { version = VERSIONS },
  run = function(case)
    local w = world { client_auth = "require", alerts = "rfc" }
    local program = curl.client(case, { port = w.listener.port, trust = w.root,
                                        identity = w.stranger, version = case.version })
    local server, content = accept(w)
    expect(content):is_false()
    expect(server.server):unverified "signer_not_found"
    expect(program:wait().code):one_of(case.version == "TLS1.2" and { 35 } or { 55, 56 })
  end,
}

ms.scenario "curl does not trust our server" {
  needs = "curl",
  matrix = { version = VERSIONS },
  run = function(case)
    local w = world {}
    local program = curl.client(case, { port = w.listener.port, trust = w.stranger.issuer,
                                        version = case.version })
    local server, content = accept(w)
    expect(content):is_false()
    expect(server.server.error.problem):equals "peer_alert"
    expect(server.server.alert_received):has { level = "fatal", name = "unknown_ca" }
    expect(program:wait().code):equals(60)
  end,
}

ms.scenario "curl proceeds when it is asked for a certificate in the middle" {
  about = "By a renegotiation in TLS 1.2, and after the handshake in TLS 1.3.",
  needs = "curl",
  matrix = { version = VERSIONS },
  run = function(case)
    local w = world {}
    local program = curl.client(case, { port = w.listener.port, trust = w.root,
                                        identity = w.alice, version = case.version })
    local server, content = accept(w)
    expect(content):is_true()
    receive(server, "\r\n\r\n")
    local ask = case.version == "TLS1.2" and server.renegotiate or server.reauthenticate
    expect(ask(server, { server = { client_auth = "require" } })):is_true()
    expect(server.server.peer_certificate):is(w.alice)
    expect(#server.server.history):equals(2)
    server:send { data = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n" }
    server:close()
    local result = program:wait()
    expect(result.output):equals "hello\n"
    expect(result.code):equals(0)
  end,
}
