-- SPDX-License-Identifier: MIT
-- The C boundary: what it refuses, what it locks, what closing and collecting do, and that nothing
-- a script does in a finaliser, a coroutine or a choosing function can hurt it.
local unit = dofile((arg[0]:match ".*/" or "") .. "harness.lua")
local native = require "moonshake.native"
local links = native.link_methods
local test, equal, raises, contains = unit.test, unit.equal, unit.raises, unit.contains

local NOW = 1700000000
native.clock_set(NOW)

local function recipe(given)
  given.not_before, given.not_after = NOW - 86400, NOW + 86400
  return given
end

local function field(object, name)
  local known, value = native.field(object, name)
  assert(known, value or name)
  return value
end

local key = assert(native.key "ecdsa-p256")
local root = assert(native.issue(recipe {
  subject = "CN=Root", ca = true, key_usage = { "keyCertSign" },
}, key, nil, true))
local anchors = { field(root, "certificate") }

local function issue(name)
  return assert(native.issue(recipe {
    subject = "CN=" .. name, dns = { name }, key_usage = { "digitalSignature" },
    purposes = { "server", "client" },
  }, key, root))
end

local server, client = issue "server.example", issue "client.example"

-- A link whose client's identity is what choose() returns.
local function choosing_link(choose, version)
  return assert(native.link(
    assert(native.config("client", {
      choose = choose, trust = anchors, verify = "always", server_name = "server.example",
      versions = { version or "TLS1.3" },
    })),
    assert(native.config("server", {
      identities = { server }, trust = anchors, verify = "always", client_auth = "require",
      versions = { version or "TLS1.3" },
    }))))
end

local function present_client()
  return client
end

local function shake(link)
  assert(links.begin(link, "handshake", {}))
  equal(assert(links.pump(link)), "quiet")
  assert(links.content(link))
  return link
end

---------------------------------------------------------------------------------------------------
-- Refusals

test("wrong types raise and wrong values are told", function()
  raises("unknown option", function()
    native.config("client", { trusts = {} })
  end)
  raises("server_name: string expected", function()
    native.config("client", { server_name = 1 })
  end)
  raises("verify: unknown word", function()
    native.config("client", { verify = "sometimes" })
  end)
  raises("moonshake.certificate expected", function()
    native.config("client", { trust = { key } })
  end)
  local made, message = native.config("client", { server_name = "a\0b" })
  equal(made, nil)
  contains(message, "server_name: has a zero byte")
  made, message = native.config("client", { cipher_suites = { "TLS_NONE" } })
  equal(made, nil)
  contains(message, "cipher_suites: ")
end)

test("a config of the other role is refused", function()
  local link = choosing_link(present_client)
  raises("a config of the other role", function()
    links.use(link, "server", native.config("client", {}))
  end)
end)

test("nothing can be asked of an end that is somewhere else", function()
  local made = assert(native.config("server", { identities = { server } }))
  local link = assert(native.link(assert(native.config("client", {})), nil))
  local arguments = {
    use = { made }, answer = { true }, feed = { "x" }, take = {}, hang_up = {}, question = {},
    field = { "phase" }, snapshot = {}, history = {}, received = {}, standing = {},
    exporter = { "EXPORTER-test", nil, 32 },
  }
  for name, given in pairs(arguments) do
    raises("the far end", function()
      links[name](link, "server", table.unpack(given, 1, 3))
    end)
  end
  for action, given in pairs {
    renegotiate = { by = "server" }, reauthenticate = {}, update_keys = { by = "server" },
    send = { from = "server", data = "x" }, close = { by = "server" },
  } do
    local done, why = links.begin(link, action, given)
    equal(done, nil, action)
    equal(type(why), "string")
  end
end)

test("metamethods called with something else do nothing", function()
  local meta = getmetatable(key)
  meta.__gc(anchors[1])
  meta.__close(io.stdout)
  meta.__gc(nil)
  equal(meta.__eq(key, anchors[1]), false)
  assert(field(anchors[1], "subject") == "CN=Root")
end)

test("equality is that of what is held", function()
  assert(field(server, "key") == key and field(server, "issuer") == root)
  assert(native.authority(server) == server and server ~= client)
  assert(native.read_certificates(native.certificate_pem(anchors[1]))[1] == anchors[1])
  assert(anchors[1] ~= key)
end)

---------------------------------------------------------------------------------------------------
-- Closing

test("a closed value says so and closing twice is fine", function()
  local copy = native.authority(server)
  do
    local _ <close> = copy
  end
  getmetatable(copy).__gc(copy)
  raises("already closed", function()
    native.field(copy, "chain")
  end)
  assert(field(server, "chain"))
end)

test("a link that was disposed of answers on and does nothing", function()
  local link = shake(choosing_link(present_client))
  do
    local _ <close> = link
  end
  assert(links.dispose(link))
  equal(assert(links.snapshot(link, "server")).handshake_completed, true)
  equal(#assert(links.history(link, "client")), 1)
  assert(#links.events(link) > 10)
  for _, action in ipairs { "handshake", "close", "reauthenticate" } do
    local done, message = links.begin(link, action, {})
    equal(done, nil)
    equal(message, "the link is closed")
  end
  equal(select(2, links.pump(link)), "the link is closed")
  equal(select(2, links.use(link, "client", native.config("client", {}))), "the link is closed")
  equal((links.exporter(link, "client", "EXPORTER-x", nil, 16)), nil)
end)

test("a session of a link that is gone can still be offered", function()
  local link = shake(choosing_link(present_client))
  links.dispose(link)
  local resumed = shake(assert(native.link(
    native.config("client", { trust = anchors, verify = "always", server_name = "server.example" }),
    native.config("server", { identities = { server } }), link)))
  link = nil -- luacheck: ignore
  collectgarbage()
  equal(assert(links.snapshot(resumed, "client")).resumed, true)
end)

---------------------------------------------------------------------------------------------------
-- Choosing functions

test("a link is locked while its choosing function runs", function()
  local refused = 0
  local link
  link = choosing_link(function()
    equal(links.busy(link), true)
    local locked = {
      function() links.snapshot(link, "client") end,
      function() links.pump(link) end,
      function() links.begin(link, "close", {}) end,
      function() links.dispose(link) end,
      function() native.link(native.config("client", {}), native.config("server", {}), link) end,
    }
    for _, f in ipairs(locked) do
      raises("in use", f)
      refused = refused + 1
    end
    return client
  end)
  shake(link)
  equal(refused, 5)
  equal(links.busy(link), false)
end)

test("closing a link inside its choosing function waits until it has returned", function()
  local link
  link = choosing_link(function()
    local _ <close> = link
    return client
  end)
  assert(links.begin(link, "handshake", {}))
  equal(links.pump(link), "quiet")
  equal(select(2, links.begin(link, "close", {})), "the link is closed")
  link = choosing_link(function()
    getmetatable(link).__gc(link)
    return client
  end)
  assert(links.begin(link, "handshake", {}))
  equal(links.pump(link), "quiet")
  raises("already closed", function()
    links.snapshot(link, "client")
  end)
end)

test("what a choosing function raises comes back as it is", function()
  for _, value in ipairs { "text", 7, {}, false } do
    local link = choosing_link(function()
      error(value, 0)
    end)
    assert(links.begin(link, "handshake", {}))
    local what, raised = links.pump(link)
    equal(what, "raised")
    equal(raised, value)
    equal(links.content(link), false)
  end
  local link = choosing_link(function()
    error()
  end)
  assert(links.begin(link, "handshake", {}))
  local results = table.pack(links.pump(link))
  equal(results[1], "raised")
  equal(results[2], nil)
end)

test("a choosing function may not yield nor return something else", function()
  local link = choosing_link(coroutine.yield)
  local done, what, message = coroutine.resume(coroutine.create(function()
    assert(links.begin(link, "handshake", {}))
    return links.pump(link)
  end))
  assert(done)
  equal(what, "raised")
  contains(message, "yield")
  link = choosing_link(function()
    return key
  end)
  assert(links.begin(link, "handshake", {}))
  contains(select(2, links.pump(link)), "an identity or nil expected")
end)

test("an identity that only the choosing function knew lives as long as it is needed", function()
  for _, version in ipairs { "TLS1.2", "TLS1.3" } do
    local link = shake(choosing_link(function()
      return issue "client.example"
    end, version))
    collectgarbage()
    equal(field(assert(links.snapshot(link, "server")).peer_certificate, "subject"),
          "CN=client.example")
  end
end)

test("a config is shared by links that run inside each other", function()
  local depth = 0
  local shared_client, shared_server
  local function run()
    return shake(assert(native.link(shared_client, shared_server)))
  end
  shared_client = assert(native.config("client", {
    trust = anchors, verify = "always", server_name = "server.example",
    choose = function()
      depth = depth + 1
      if depth < 4 then
        coroutine.wrap(run)()
      end
      return issue("client" .. depth .. ".example")
    end,
  }))
  shared_server = assert(native.config("server", {
    identities = { server }, trust = anchors, verify = "never", client_auth = "require",
  }))
  run()
  equal(depth, 4)
end)

test("whatever a choosing function does, the handshake goes on by its own clock", function()
  for _, meanwhile in ipairs {
    function() shake(choosing_link(present_client)) end,
    function() native.verify(anchors, { trust = anchors, at = NOW + 1000 * 86400 }) end,
    collectgarbage,
  } do
    shake(choosing_link(present_client)) -- garbage from here on
    shake(choosing_link(function()
      meanwhile()
      return client
    end))
  end
end)

test("a config lives as long as a link that uses it", function()
  local link = choosing_link(function()
    collectgarbage()
    return client
  end)
  collectgarbage()
  collectgarbage()
  shake(link)
end)

test("memory that runs out in the stack of Lua is an error of the link", function()
  local link = choosing_link(function()
    local function deeper()
      return 1 + deeper()
    end
    return deeper()
  end)
  assert(links.begin(link, "handshake", {}))
  local what, message = links.pump(link)
  equal(what, "raised")
  contains(message, "stack overflow")
end)

---------------------------------------------------------------------------------------------------
-- Collecting

local function collect_all_the_time()
  collectgarbage("incremental", 10, 1000)
  collectgarbage()
end

test("finalisers that use what is being read find it in use or whole", function()
  local link = shake(choosing_link(present_client))
  local ran, refused = 0, 0
  local function litter()
    setmetatable({}, {
      __gc = function()
        ran = ran + 1
        for _, f in ipairs {
          function() links.dispose(link) end,
          function() getmetatable(link).__gc(anchors[1]) end,
        } do
          refused = refused + (pcall(f) and 0 or 1)
        end
      end,
    })
  end
  collect_all_the_time()
  for _ = 1, 50 do
    litter()
    local snapshot = links.snapshot(link, "client")
    litter()
    local events = links.events(link)
    assert(snapshot.phase and #events > 10)
    if select(2, links.begin(link, "close", {})) == "the link is closed" then
      link = shake(choosing_link(present_client))
    end
  end
  collectgarbage("incremental", 200, 100)
  assert(ran > 10 and refused > 0, ran)
end)

test("a finaliser that closes a certificate does not take its facts away", function()
  local meta = getmetatable(anchors[1])
  local pem = native.certificate_pem(field(server, "certificate"))
  collect_all_the_time()
  for _ = 1, 50 do
    local certificate = native.read_certificates(pem)[1]
    setmetatable({}, {
      __gc = function()
        meta.__close(certificate)
      end,
    })
    local done, names = pcall(field, certificate, "dns_names")
    assert(not done or names[1] == "server.example")
  end
  collectgarbage("incremental", 200, 100)
end)

test("links are collected in whatever order", function()
  for _ = 1, 10 do
    local first = shake(choosing_link(present_client))
    local second = assert(native.link(native.config("client", {}), native.config("server", {}),
                                      first))
    first, second = nil, first and second and nil -- luacheck: ignore
    collectgarbage()
  end
end)

---------------------------------------------------------------------------------------------------
-- Dissectors

test("a dissector cuts and names what it is fed", function()
  local dissector = native.dissector()
  equal(#assert(dissector:feed("client", "\22\3\1\0")), 0)
  equal(dissector:rest "client", "\22\3\1\0")
  equal(dissector:rest "server", "")
  local found = assert(dissector:feed("client", "\4\1\0\0\0\22\3"))
  equal(#found, 1)
  equal(found[1].bytes, "\22\3\1\0\4\1\0\0\0")
  equal(found[1].type, "handshake")
  equal(found[1].version, "TLS1.0")
  equal(found[1].length, 9)
  equal(found[1].encrypted, false)
  equal(table.concat(found[1].messages, " "), "ClientHello")
  found = assert(dissector:feed("server", "EHLO\r\n"))
  equal(found[1].bytes, "EHLO\r\n")
  equal(found[1].type, nil)
  equal(#found[1].messages, 0)
  raises("invalid option", function() dissector:feed("carrier", "") end)
  raises("dissector", function() dissector.feed({}, "client", "") end)
end)

---------------------------------------------------------------------------------------------------
-- The deadline

test("the deadline ends a loop that swallows errors", function()
  local swallow = assert(load([[
    while true do
      pcall(function() while true do end end)
    end
  ]], "=swallow"))
  native.deadline(0.02)
  local done, message = pcall(swallow)
  native.deadline(nil)
  equal(done, false)
  equal(message, native.deadline_message)
end)

test("the deadline ends coroutines, pumps and choosing functions", function()
  native.deadline(0.02)
  local done, message = coroutine.resume(coroutine.create(function()
    while true do end -- luacheck: ignore
  end))
  native.deadline(nil)
  equal(done, false)
  equal(message, native.deadline_message)

  local link = choosing_link(present_client)
  links.begin(link, "handshake", {})
  native.deadline(-1)
  done, message = pcall(links.pump, link)
  native.deadline(nil)
  equal(done, false)
  equal(message, native.deadline_message)
  equal(links.pump(link), "quiet") -- and it goes on where it was
  equal(links.content(link), true)

  link = choosing_link(function()
    native.deadline(-1) -- here, so that it is not over before, however slow the machine
    while true do end -- luacheck: ignore
  end)
  links.begin(link, "handshake", {})
  local what
  what, message = links.pump(link)
  native.deadline(nil)
  equal(what, "raised")
  equal(message, native.deadline_message)
end)

test("a deadline that is not over does nothing", function()
  native.deadline(1000)
  for _ = 1, 100000 do end -- luacheck: ignore
  shake(choosing_link(present_client))
  native.deadline(nil)
end)

unit.done()
