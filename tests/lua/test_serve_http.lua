-- SPDX-License-Identifier: MIT
-- HTTP as `moonshake serve` reads and writes it, without a socket.
local unit = dofile((arg[0]:match ".*/" or "") .. "harness.lua")
local http = require "moonshake.serve.http"
local test, equal, contains = unit.test, unit.equal, unit.contains

-- A reader of these pieces, each of which takes a second to come; then `why`.
local function reader(pieces, why)
  local time, number = 0, 0
  local function receive(seconds)
    number = number + 1
    if seconds < 1 or not pieces[number] then
      time = time + seconds
      number = number - 1
      return nil, pieces[number + 1] and "timeout" or why or "closed"
    end
    time = time + 1
    return pieces[number]
  end
  return http.reader(receive, function() return time end)
end

local function bytes_of(text)
  local list = {}
  for one in text:gmatch "." do
    list[#list + 1] = one
  end
  return list
end

local GET = "GET /a?b=c HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n\r\n"

test("a request is understood, however it comes in pieces", function()
  for _, pieces in ipairs { { GET }, bytes_of(GET), { "\r\n" .. GET:sub(1, 20), GET:sub(21) } } do
    local request = assert(reader(pieces):head(5, 1000))
    equal(request.method, "GET")
    equal(request.target, "/a?b=c")
    equal(request.path, "/a")
    equal(request.version, "1.1")
    equal(request.fields.accept, "text/html")
    equal(request.length, 0)
    equal(request.keep_alive, true)
    equal(request.expects, false)
  end
end)

test("what follows a request is the next one's, behind the body", function()
  local both = reader { "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc" .. GET }
  local first = assert(both:head(5, 5))
  equal(first.length, 3)
  equal(both:body(first, 5), true)
  equal(assert(both:head(5, 5)).path, "/a")
  local none, why = both:head(5, 5)
  equal(none, nil)
  equal(why, "closed")
end)

test("lines may end without a CR, and a whole address may be asked for", function()
  local request = assert(http.parse "GET http://localhost:1/x/y?z HTTP/1.0\nConnection: keep-alive")
  equal(request.path, "/x/y")
  equal(request.keep_alive, true)
  equal(assert(http.parse "GET http://localhost HTTP/1.0").path, "/")
  equal(assert(http.parse "GET / HTTP/1.0").keep_alive, false)
  equal(assert(http.parse "GET / HTTP/1.1\nHost: a\nConnection: x, Close").keep_alive, false)
end)

for _, row in ipairs {
  { "hello", 400 },
  { "GET /", 400 },
  { "GET  / HTTP/1.1", 400 },
  { "G(T / HTTP/1.1\nHost: a", 400 },
  { "\22\3\1\2\0", 400 },
  { "GET / HTTP/2.0", 505 },
  { "GET / HTTP/1.1", 400 },
  { "GET / HTTP/1.1\nHost : a", 400 },
  { "GET / HTTP/1.1\nHost: a\n folded: b", 400 },
  { "GET / HTTP/1.1\nHost: a\nnothing", 400 },
  { "GET / HTTP/1.1\nHost: a\nX: a\0b", 400 },
  { "GET / HTTP/1.1\nHost: a\nContent-Length: x", 400 },
  { "GET / HTTP/1.1\nHost: a\nContent-Length: -1", 400 },
  { "GET / HTTP/1.1\nHost: a\nContent-Length:", 400 },
  { "GET / HTTP/1.1\nHost: a\nContent-Length: 1\nContent-Length: 2", 400 },
  { "GET / HTTP/1.1\nHost: a\nContent-Length: 1048577", 413 },
  { "GET / HTTP/1.1\nHost: a\nContent-Length: 99999999999999999999999", 413 },
  { "GET / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked", 501 },
  { "GET / HTTP/1.1\nHost: a\nExpect: a miracle", 417 },
  { "GET / HTTP/1.1\nHost: a" .. ("\nX: a"):rep(100), 431 },
} do
  local text, wanted = table.unpack(row)
  local name = text:sub(1, 60):gsub("%c", " ")
  test(("'%s' is answered by %d"):format(name, wanted), function()
    local request, status, sentence = http.parse(text)
    equal(request, nil)
    equal(status, wanted)
    equal(type(sentence), "string")
    equal(type(http.REASONS[status]), "string")
  end)
end

test("the same Content-Length twice is one", function()
  local length = "\nContent-Length: 7"
  equal(assert(http.parse("GET / HTTP/1.1\nHost: a" .. length .. length)).length, 7)
end)

test("a head without end is refused as soon as it is too long", function()
  local _, why, status = reader({ ("x"):rep(20000), ("x"):rep(20000), "x" }):head(5, 1000)
  equal(why, "bad")
  equal(status, 431)
end)

test("one byte a second is too slow", function()
  local _, why, status, sentence = reader(bytes_of(GET)):head(100, 10)
  equal(why, "bad")
  equal(status, 408)
  contains(sentence, "within 10 s")
end)

test("who asks nothing is left in peace until it is too long", function()
  local _, why = reader({}, "timeout"):head(30, 10)
  equal(why, "timeout")
end)

test("a body that does not come is no body", function()
  local one = reader({ "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab" }, "timeout")
  local request = assert(one:head(5, 5))
  local done, why = one:body(request, 10)
  equal(done, nil)
  equal(why, "timeout")
end)

test("who sends a body may want to be told to", function()
  local head = "POST / HTTP/1.%d\nHost: a\nContent-Length: %d\nExpect: 100-Continue"
  equal(http.parse(head:format(1, 3)).expects, true)
  equal(http.parse(head:format(1, 0)).expects, false)
  equal(http.parse(head:format(0, 3)).expects, false)
end)

test("a HEAD is answered without the body, of which it says the length", function()
  local answer = { status = 403, type = "text/plain", body = "no", fields = { "X-A: b" } }
  local text = http.answer({ method = "HEAD" }, answer, true)
  contains(text, "HTTP/1.1 403 Forbidden\r\n")
  contains(text, "Content-Length: 2\r\n")
  contains(text, "X-A: b\r\n")
  contains(text, "Connection: keep-alive\r\n")
  equal(text:sub(-4), "\r\n\r\n")
  text = http.answer({ method = "GET" }, answer, false)
  equal(text:sub(-6), "\r\n\r\nno")
  contains(text, "Connection: close\r\n")
end)

local TYPES = { "text/plain", "text/html", "application/json" }
for _, row in ipairs {
  { "", "text/plain" },
  { "*/*", "text/plain" }, { "text/html", "text/html" },
  { "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html" },
  { "application/json", "application/json" },
  { "APPLICATION/*, text/plain;q=0.5", "application/json" },
  { "text/html;q=0, */*", "text/plain" },
  { "image/png", "text/plain" },
  { "*/*, application/json", "application/json" },
  { "text/html; Q=0.2, text/*;q=0.1", "text/html" },
} do
  local accept, wanted = table.unpack(row)
  test(("Accept: %s wants %s"):format(accept, wanted), function()
    equal(http.preferred(accept, TYPES), wanted)
  end)
end
test("who says nothing wants text", function()
  equal(http.preferred(nil, TYPES), "text/plain")
end)

unit.done()
