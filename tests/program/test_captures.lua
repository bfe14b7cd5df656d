-- SPDX-License-Identifier: MIT
-- What a run leaves that is secret: captures (--pcap, --pcap-failures) and the key log.
local here = arg[0]:match ".*/"
package.path = here .. "?.lua;" .. package.path
local unit = dofile(here .. "../lua/harness.lua")
local read = dofile(here .. "../lua/capture_reader.lua")
local place = require "place"
local test, equal, contains = unit.test, unit.equal, unit.contains

place.put("a.lua", [[
local ms = require "moonshake"
local function new_link(version)
  local ca = ms.pki.authority { cn = "Root" }
  return ms.tls.link {
    server = { identity = ca:issue { dns = "server.example" } },
    client = { trust = ca, server_name = "server.example" },
    versions = version,
  }
end
ms.scenario "shakes hands" { matrix = { version = { "TLS1.2", "TLS1.3" } }, run = function(case)
  ms.expect(new_link(case.version):handshake()):is_true()
end }
ms.scenario "fails" { run = function()
  for _ = 1, 3 do
    new_link("TLS1.3"):handshake()
    collectgarbage()
  end
  ms.expect(1):equals(2)
end }
ms.scenario "has none" { run = function()
  new_link("TLS1.3")
  ms.expect(1):equals(1)
end }
ms.scenario "is expected to fail" { expected_failure = "yet", run = function()
  ms.expect(new_link("TLS1.3"):handshake()):is_false()
end }
ms.scenario "makes many" { run = function()
  for _ = 1, 70 do
    new_link("TLS1.2"):handshake()
  end
  ms.expect(1):equals(1)
end }
ms.scenario "passes by mistake" { expected_failure = "yet", run = function()
  ms.expect(new_link("TLS1.3"):handshake()):is_true()
end }]])

local CASES = {
  "fails", "is-expected-to-fail", "makes-many", "passes-by-mistake",
  "shakes-hands-version=TLS1.2", "shakes-hands-version=TLS1.3",
}

local function is_of(name, case)
  local lead = ("a.lua-%s-"):format(case)
  equal(name:sub(1, #lead), lead)
  equal(name:sub(#lead + 1):match "^%x%x%x%x%x%x%x%x%.pcapng$" ~= nil, true, name)
end

local function listed(folder)
  local names = {}
  for name in place.shell("ls " .. folder):gmatch "[^\n]+" do
    names[#names + 1] = name
  end
  return names
end

-- A capture of the folder by the beginning of its name.
local function capture(folder, name)
  for _, one in ipairs(listed(folder)) do
    if one:sub(1, #name) == name then
      return read(place.get(folder .. "/" .. one))
    end
  end
  error("no capture of " .. name)
end

local function connections(made)
  local count = 0
  for _, packet in ipairs(made.packets) do
    count = count + (packet.flags == "SYN" and 1 or 0)
  end
  return count
end

-- The captures that a JSON report tells, by the id of the case.
local function told(name)
  local by_id = {}
  for _, event in ipairs(place.events(name)) do
    by_id[event.id or 1] = event.captures or by_id[event.id or 1]
  end
  return by_id
end

test("--pcap leaves a private file for each case that had a link", function()
  local text, status = place.shell(
    "moonshake run -j2 --pcap deep/captures a.lua --format json=json "
    .. "--format tap=tap --format junit=junit")
  equal(status, 1)
  local names, said = listed "deep/captures", told "json"
  equal(#names, #CASES)
  for index, name in ipairs(names) do
    is_of(name, CASES[index])
  end
  equal(place.shell "find deep/captures -type f ! -perm 600", "")
  local path = "deep/captures/" .. names[1]
  equal(said["a.lua::fails"][1], path)
  equal(said["a.lua::has none"], nil)
  equal(said["a.lua::shakes hands[version=TLS1.2]"][1], "deep/captures/" .. names[5])
  contains(text, ("\n  capture: %s\n  rerun: "):format(path))
  contains(place.get "tap", ('\n  pcapng: "%s"\n'):format(path))
  local _, attached = place.get "junit":gsub("%[%[ATTACHMENT|deep/captures/[%w.=-]+%]%]", "")
  equal(attached, #CASES)
end)

test("all links of a case are in its capture, also those that it let go", function()
  local failed = capture("deep/captures", "a.lua-fails")
  equal(connections(failed), 3)
  equal(failed.comment, "a.lua::fails")
  equal(connections(capture("deep/captures", "a.lua-shakes")), 1)
end)

test("of very many links the last are captured, and it says so", function()
  local many = capture("deep/captures", "a.lua-makes-many")
  equal(connections(many), 64)
  equal(many.comment, "a.lua::makes many (the last 64 of 70 links)")
end)

test("--pcap-failures leaves those of cases that fail", function()
  place.shell "moonshake run --pcap-failures failures a.lua --format json=json"
  local names = listed "failures"
  equal(#names, 2)
  is_of(names[1], "fails")
  is_of(names[2], "passes-by-mistake")
  equal(told "json"["a.lua::shakes hands[version=TLS1.2]"], nil)
end)

test("repeats of a case have captures of their own", function()
  place.shell "moonshake run -j2 --repeat 3 --pcap again a.lua::fails"
  local names = listed "again"
  equal(#names, 3)
  contains(names[1] .. names[2] .. names[3], "-repeat-2.pcapng")
  contains(names[1] .. names[2] .. names[3], "-repeat-3.pcapng")
end)

test("an engine's place for outputs gets the captures of failures unasked", function()
  place.shell 'TEST_UNDECLARED_OUTPUTS_DIR="$PWD/outputs" moonshake run a.lua'
  equal(#listed "outputs", 2)
  place.shell 'TEST_UNDECLARED_OUTPUTS_DIR="$PWD/outputs" moonshake run --pcap all a.lua'
  equal(#listed "outputs/all", #CASES)
  place.shell 'TEST_UNDECLARED_OUTPUTS_DIR="$PWD/outputs" moonshake run --pcap "$PWD/other" a.lua'
  equal(#listed "other", #CASES)
end)

test("a place where nothing can be written is said", function()
  place.put("file", "")
  local text, status = place.shell "moonshake run --pcap file/captures a.lua"
  equal(text, "moonshake: cannot make directory file: file already exists\n")
  equal(status, 2)
  place.shell "mkdir -p full; for n in deep/captures/a.lua-fails*; do mkdir full/${n##*/}; done"
  text, status = place.shell "moonshake run --pcap full a.lua::fails"
  contains(text, "cannot write full/a.lua-fails-")
  equal(text:find("capture:", 1, true), nil)
  equal(status, 1)
end)

---------------------------------------------------------------------------------------------------
-- The key log

place.put("k.lua", [[
local ms = require "moonshake"
local expect = ms.expect
for n = 1, 8 do
  ms.scenario("links " .. n) { matrix = { version = { "TLS1.2", "TLS1.3" } }, run = function(case)
    local ca = ms.pki.authority { cn = "Root" }
    local link = ms.tls.link {
      server = { identity = ca:issue { dns = "server.example" } },
      client = { trust = ca, server_name = "server.example" },
      versions = case.version,
    }
    expect(link:handshake()):is_true()
    if case.version == "TLS1.2" then
      expect(link:renegotiate { by = "client" }):is_true()
    end
    link:send { from = "client", data = "hello" }
    local resumed = link:resume()
    expect(resumed:handshake()):is_true()
    expect(resumed.client.resumed):is_true()
  end }
end]])

test("SSLKEYLOGFILE gets each secret once, in whole lines, from all workers", function()
  local _, status = place.shell "SSLKEYLOGFILE=keys moonshake run -j4 --repeat 3 k.lua"
  equal(status, 0)
  local text, seen, count = place.get "keys", {}, {}
  for line in text:gmatch "([^\n]*)\n" do
    local label, random, secret = line:match "^([%u_0]+) (%x+) (%x+)$"
    equal(#random, 64, line)
    equal(#secret, 96, line)
    equal(seen[line], nil, "twice: " .. line)
    seen[line] = true
    count[label] = (count[label] or 0) + 1
  end
  equal(text:sub(-1), "\n")
  local cases = 3 * 8
  equal(count.CLIENT_RANDOM, cases * 3) -- two handshakes and a resumed one
  for _, label in ipairs { "CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET",
                           "CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0",
                           "EXPORTER_SECRET" } do
    equal(count[label], cases * 2, label)
  end
  equal(place.shell "find keys -perm 600", "keys\n")
end)

test("a key log that is there is added to, and an empty name is none", function()
  place.put("old", "# of before\n")
  place.shell "SSLKEYLOGFILE=old moonshake run 'k.lua::links 1[version=TLS1.3]'"
  equal(place.get "old":match "^# of before\n(%u+)", "CLIENT")
  local _, status = place.shell "SSLKEYLOGFILE= moonshake run 'k.lua::links 1[version=TLS1.3]'"
  equal(status, 0)
end)

test("a program's links are logged too", function()
  place.put("p.lua", [[
local ms = require "moonshake"
local link = ms.tls.link { server = { identity = ms.pki.authority():issue() } }
link:handshake()
assert(select(2, io.open(os.getenv "SSLKEYLOGFILE"):read "a":gsub("\n", "")) == 5)
link:close()]])
  local text, status = place.shell "SSLKEYLOGFILE=program moonshake lua p.lua"
  equal(text, "")
  equal(status, 0)
end)

test("a key log that cannot be written ends the run before it begins", function()
  local text, status = place.shell "SSLKEYLOGFILE=nowhere/keys moonshake run k.lua"
  equal(text, "moonshake: SSLKEYLOGFILE: cannot write nowhere/keys: no such file or directory\n")
  equal(status, 2)
  text = place.shell "SSLKEYLOGFILE=nowhere/keys moonshake lua p.lua"
  contains(text, "p.lua:3: link:handshake: SSLKEYLOGFILE: cannot write nowhere/keys: no such file")
end)

place.remove()
unit.done()
