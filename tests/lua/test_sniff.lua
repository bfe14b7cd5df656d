-- SPDX-License-Identifier: MIT
-- What bytes look like that should have been TLS.
local unit = dofile((arg[0]:match ".*/" or "") .. "harness.lua")
local sniff = require "moonshake.views.sniff"
local test, equal, contains = unit.test, unit.equal, unit.contains

test("what may be a record of TLS is none of these, however little of it came", function()
  for _, bytes in ipairs {
    "\22", "\22\3", "\22\3\0", "\20\3\3\0\1\1", "\21\3\3", "\23\3\3", "\24\3\4",
  } do
    equal(sniff(bytes), nil)
  end
  for _, bytes in ipairs { "\19", "\25", "\22\2", "\22\3\5", "\25\3\3", "\22\2\3" } do
    local found = sniff(bytes)
    equal(found.looks, "it is no record")
    contains(found.why, "the version 3.x")
    equal(found.next, "check host and port")
  end
end)

test("protocols are known by how they begin", function()
  for bytes, wanted in pairs {
    ["HTTP/1.1 200 OK\r\n"] = "an answer in plain HTTP",
    ["GET / HTTP/1.1\r\n"] = "a request in plain HTTP", ["GET /"] = "a request in plain HTTP",
    ["PRI * HTTP/2.0\r\n\r\nSM"] = "HTTP/2 without TLS", ["SSH-2.0-x"] = "SSH",
    ["220 FTP ready"] = "FTP or SMTP", ["220 ready"] = "SMTP (or FTP)", ["421 busy"] = "SMTP (or",
    ["554-no"] = "SMTP (or", ["EHLO x"] = "it looks like SMTP", ["HELO x"] = "it looks like SMTP",
    ["* OK x"] = "IMAP", ["* BYE x"] = "IMAP", ["* PREAUTH x"] = "IMAP", ["+OK x"] = "POP3",
    ["-ERR x"] = "POP3 (or Redis)", ["<?xml version='1.0'?>"] = "XMPP", ["<stream:stream"] = "XMPP",
    ["J\0\0\0\0108.0.36\0"] = "MySQL", ["\0\0\0\8\4\210\22\47"] = "PostgreSQL's request for TLS",
    S = "an answer of PostgreSQL", N = "an answer of PostgreSQL",
    ["E\0\0\0\90"] = "an answer of PostgreSQL",
    ["PROXY TCP4 "] = "the PROXY protocol", ["\r\n\r\n\0\r\nQUIT\n\33"] = "the PROXY protocol",
    ["\128\46\1\3\1"] = "the hello of SSL 2.0", ["\128\46\1\0\2"] = "the hello of SSL 2.0",
    ["\128\46\2\0\2"] = "it is no record", ["NO"] = "it is no record",
    ["320 x"] = "it is no record", [" HTTP/1.1"] = "it is no record",
  } do
    contains(sniff(bytes).looks, wanted)
  end
end)

test("what to do depends on who speaks it", function()
  local http = sniff("GET / HTTP/1.1").next
  contains(http.server, "use the server's port for https")
  contains(http.client, "let the client use https://")
  contains(sniff("* OK").next, "ask for TLS by its own command first (STARTTLS), or use its port")
end)

test("a line is shown as text, what is none in hexadecimal, and of neither too much", function()
  equal(sniff("+OK ready\r\nmore").shown, '"+OK ready"')
  equal(sniff("+" .. ("x"):rep(47)).shown, '"+' .. ("x"):rep(47) .. '"')
  equal(sniff("+" .. ("x"):rep(48)).shown, '"+' .. ("x"):rep(47) .. '..."')
  equal(sniff("+\27[2J").shown, "2b 1b 5b 32 4a")
  equal(sniff("\r\nx").shown, "0d 0a 78")
  equal(sniff(("\1"):rep(17)).shown, ("01 "):rep(15) .. "01")
end)

unit.done()
