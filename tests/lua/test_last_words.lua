-- SPDX-License-Identifier: MIT
-- What a process tells before it dies of a signal: native.last_words(). Each test writes a program,
-- has it run with a pipe as descriptor 3, and reads what comes out of that until nobody holds it.
local unit = dofile((arg[0]:match ".*/" or "") .. "harness.lua")
local dkjson = require "dkjson"
local escape = require "moonshake.escape"
local events = require "moonshake.events"
local files = require "moonshake.io.files"
local uv = require "luv"
local test, equal, contains = unit.test, unit.equal, unit.contains

-- Where the build is: beside the program, or above the module of a stock interpreter.
local built = arg[-2] and arg[-2]:match "^.*/"
  or package.searchpath("moonshake.native", package.cpath):match "^(.*/)lua/moonshake/"
local command = arg[-2] and escape.shell(arg[-2]) .. " lua" or escape.shell(arg[-1])
local disasters = files.kind(built .. "tests/meta/disaster.so") == "file"

-- AddressSanitizer ends a process by its report, where it listens: not by the signal.
local has_program, program = pcall(require, "moonshake.program")
local sanitized = has_program
  and (select(2, program.limit_memory(1 << 40)) or ""):find("AddressSanitizer", 1, true)
local REPORTED = {
  [uv.constants.SIGSEGV] = true, [uv.constants.SIGBUS] = true, [uv.constants.SIGFPE] = true,
}

local directory = assert(files.temporary_directory())
local script = directory .. "/dying.lua"

-- `act` runs in the middle of the handshake of `link`.
local BEGINNING = ([[
package.cpath = %q .. package.cpath
local native = require "moonshake.native"
local ms = require "moonshake"
local found, disaster = pcall(require, "disaster")
local act = function() end
local ca = ms.pki.authority { cn = "Example Root" }
local function new_link()
  return ms.tls.link {
    server = { identity = ca:issue { dns = "server.example" }, trust = ca,
               client_auth = "request" },
    client = { trust = ca, server_name = "server.example", identity = function() act() end },
    versions = "TLS1.3",
  }
end
local link = new_link()
assert(native.last_words(3, "TOKEN"))
]]):format(built .. "tests/meta/?.so;")

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  file:close()
end

-- Runs the program that goes on with `ending`. Returns what it told, its exit status as a shell
-- gives it, and what it printed. `before` are commands of the shell.
local function run(ending, before)
  write(script, BEGINNING .. ending)
  local pipe = assert(io.popen(("ulimit -c 0; %s\n%s %s 3>&1 >%s 2>&1; echo $? >%s"):format(
    before or "", command, script, directory .. "/output", directory .. "/status")))
  local told = pipe:read "a"
  pipe:close()
  return told, tonumber(files.read(directory .. "/status")), files.read(directory .. "/output")
end

-- The same, for a program that dies of this signal at "HERE": what it told, decoded, and what it
-- printed.
local function last_words(signal, ending, before)
  local told, status, output = run(ending, before)
  if sanitized and REPORTED[signal] then
    contains(output, "AddressSanitizer")
  else
    equal(status, 128 + signal, output)
  end
  local line = told:match "^TOKEN ({[^\n]*})\n$"
  assert(line, ("found %q, wanted one line; the program said: %s"):format(told, output))
  local words = assert(dkjson.decode(line)).last_words
  equal(words.signal, signal)
  local _, above = (BEGINNING .. ending):match "^(.-)HERE":gsub("\n", "")
  equal(words.file, script)
  equal(words.line, above + 1)
  return words, output
end

-- The events as lines, with numbers of bytes that are the same in each run.
local function lines(words)
  return (table.concat(events.told(words.events), "\n"):gsub("%d+ bytes", "N bytes"))
end

local IN_THE_MIDDLE = [[
  1 client sent ClientHello: N bytes
  5 server sent ServerHello: N bytes
  8 server sent EncryptedExtensions: N bytes
  9 server sent CertificateRequest: N bytes
 10 server sent a certificate request
 11 server chose to present CN=server.example
 12 server sent Certificate: CN=server.example
 13 server sent CertificateVerify: N bytes
 14 server sent Finished: N bytes
 21 client received ServerHello: N bytes
 25 client received EncryptedExtensions: N bytes
 27 client received CertificateRequest: N bytes
 28 client received a certificate request]]

-- A program that does this in the middle of a handshake.
local function in_the_middle(statement)
  return "act = function() " .. statement .. " end -- HERE\nlink:handshake()\n"
end

local function signal(name)
  return assert(uv.constants["SIG" .. name])
end

local function kill(name)
  return ("os.execute 'kill -%d $PPID'"):format(signal(name))
end

for _, name in ipairs { "SEGV", "BUS", "FPE", "ILL", "ABRT", "SYS", "TRAP", "TERM" } do
  test("SIG" .. name .. " in the middle of a handshake is told, and is what is died of", function()
    equal(lines(last_words(signal(name), in_the_middle(kill(name)))), IN_THE_MIDDLE)
  end)
end

test("a signal that was ignored is told, and is what is died of", function()
  last_words(signal "TERM", in_the_middle(kill "TERM"), "trap '' TERM")
  if not sanitized then
    last_words(signal "SEGV", in_the_middle(kill "SEGV"), "trap '' SEGV")
  end
end)

if disasters then
  test("a fault in C is told", function()
    local words, output = last_words(signal "SEGV", in_the_middle "disaster.segfault()")
    equal(lines(words), IN_THE_MIDDLE)
    if sanitized then -- it was the fault itself that came again
      assert(output:find "#0 [^\n]*disaster", output)
    end
    equal(lines(last_words(signal "ABRT", in_the_middle "disaster.abort_now()")), IN_THE_MIDDLE)
  end)

  test("a stack that is used up is told", function()
    equal(lines(last_words(signal "SEGV", in_the_middle "disaster.overflow_the_stack()")),
          IN_THE_MIDDLE)
  end)

  test("what cannot be read any more is left out", function()
    local told, status = run(in_the_middle "disaster.spoil_the_heap()")
    if status ~= 0 and not sanitized then -- where such a heap is
      equal(told, ('TOKEN {"last_words":{"signal":%d,"events":[]}}\n'):format(signal "SEGV"))
      equal(status, 128 + signal "SEGV")
    end
  end)

  test("an endless loop in C is told when it is asked to stop", function()
    last_words(signal "TERM", in_the_middle [[
      os.execute "kill -TERM $PPID &" disaster.loop_for_ever()]])
  end)

  test("the child of a fork tells nothing", function()
    local ending = in_the_middle(("os.execute('kill -SEGV ' .. disaster.fork_and_leave()) %s")
      :format(kill "TERM"))
    last_words(signal "TERM", ending)
  end)

  test("a descriptor that has become another file's is left alone", function()
    local other = directory .. "/other"
    local told, status = run(([[
disaster.close_descriptors()
local opened = {}
for index = 1, 9 do
  opened[index] = assert(io.open(%q, "a"))
end
assert(disaster.write_garbage(3, "mine"))
%s]]):format(other, kill "TERM"))
    equal(told, "")
    equal(status, 128 + signal "TERM")
    equal(files.read(other), "mine")
  end)
else
  print "# no disaster.so: faults in C are not tested"
end

test("a loop in Lua is told by its line", function()
  last_words(signal "TERM", [[
native.deadline(60)
local count, waiting = 0, io.popen("exec 4<&0; { cat <&4; kill -TERM $PPID; } &", "w")
while true do count = count + 1 if count == 1000 then waiting:close() end end -- HERE
]])
end)

test("the place is that of the coroutine which pumps", function()
  local ending = in_the_middle(kill "TERM"):gsub("\n(.*)\n",
                                                 "\ncoroutine.wrap(function() %1 end)()\n")
  equal(lines(last_words(signal "TERM", ending)), IN_THE_MIDDLE)
end)

test("the library's files are no place, nor is what is no file", function()
  local told, status = run(("native.last_words(3, 'TOKEN', '@%s')\n%s"):format(directory,
                                                                            kill "TERM"))
  equal(told, ('TOKEN {"last_words":{"signal":%d,"events":[]}}\n'):format(signal "TERM"))
  equal(status, 128 + signal "TERM")
  last_words(signal "TERM", ("load(%q)() -- HERE"):format(kill "TERM"))
end)

test("the link used last is told of, until it is disposed of", function()
  local words = last_words(signal "TERM", [[
link:handshake()
new_link():handshake()
link:send { from = "client", data = "hello" }
]] .. kill "TERM" .. " -- HERE")
  contains(lines(words), "server received N bytes of data")
  words = last_words(signal "TERM", [[
do
  local other <close> = new_link()
  other:handshake()
end
]] .. kill "TERM" .. " -- HERE")
  equal(#words.events, 0)
  words = last_words(signal "TERM", [[
new_link():handshake()
link = nil
collectgarbage()
]] .. kill "TERM" .. " -- HERE")
  equal(#words.events, 0)
end)

test("a link that pumps is told of though another was used in it", function()
  local words = last_words(signal "TERM", in_the_middle([[
    act = function() end
    local other <close> = new_link()
    other:handshake()
    ]] .. kill "TERM"))
  equal(lines(words), IN_THE_MIDDLE)
end)

test("who takes the last words back dies without", function()
  local told, status = run("native.last_words(nil)\n" .. kill "TERM")
  equal(told, "")
  equal(status, 128 + signal "TERM")
end)

test("a process that ends by itself tells nothing", function()
  local told, status = run "link:handshake()"
  equal(told, "")
  equal(status, 0)
end)

test("wrong arguments are refused", function()
  local native = require "moonshake.native"
  unit.raises("not a descriptor", function() native.last_words(-1, "x") end)
  unit.raises("too long", function() native.last_words(1, ("x"):rep(1000)) end)
  unit.raises("too long", function() native.last_words(1, "x", ("x"):rep(1000)) end)
  local asked, problem = native.last_words(1 << 20, "x")
  equal(asked, nil)
  contains(problem, "last words: descriptor 1048576: ")
  equal(native.last_words(nil), true)
end)

assert(files.remove_tree(directory))
unit.done()
