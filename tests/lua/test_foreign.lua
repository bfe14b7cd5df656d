-- SPDX-License-Identifier: MIT
-- Foreign programs. What they do is made to happen by what is written to them; that a process is
-- gone is seen by a pipe whose last writer it was.
local unit = dofile((arg[0]:match ".*/" or "") .. "harness.lua")
local ms = require "moonshake"
local files = require "moonshake.io.files"
local loader = require "moonshake.runner.loader"
local loop = require "moonshake.io.loop"
local native = require "moonshake.native"
local programs = require "moonshake.io.program"
local serial = require "moonshake.runner.serial"
local test, equal, contains, raises = unit.test, unit.equal, unit.contains, unit.raises

local directory = assert(files.temporary_directory())

-- A program of the shell's.
local function shell(script, given)
  given = given or {}
  given[1], given[2], given[3] = "sh", "-c", script
  return ms.program(given)
end

local pipes = 0

-- A named pipe, and a program that ends when the last process that writes to it has ended.
local function new_pipe()
  pipes = pipes + 1
  local path = ("%s/pipe-%d"):format(directory, pipes)
  equal(ms.program { "mkfifo", path }:wait().code, 0)
  return path, ms.program { "cat", path }
end

-- A shell script that leaves a process behind which writes to the pipe.
local function leaving(path)
  return ("exec 3>%s; tail -f /dev/null & echo started; wait"):format(path)
end

-- Runs a scenario's text as a case; what its report is told.
local function run_case(text)
  local path = directory .. "/scenario.lua"
  assert(files.write(path, 'local ms = require "moonshake"\n' .. text))
  local file = assert(loader.load(path))
  local told
  serial.run(file.cases, {}, {
    begin = function() end,
    case_begins = function() end,
    case_ended = function(_, result) told = result end,
    finish = function() return true end,
  })
  return told
end

test("a line is waited for, with what the pattern captures", function()
  local program = shell "echo one; echo two 22 >&2; echo three"
  local line, capture, nothing = program:line { match = "^two (%d+)$" }
  equal(line, "two 22")
  equal(capture, "22")
  equal(nothing, nil)
  equal(select("#", program:line { match = "three" }), 1)
  local none, problem = program:line()
  equal(none, nil)
  equal(problem, "ended")
  equal(program:wait().output, "one\ntwo 22\nthree\n")
end)

test("the last line needs no end, and one that ends as in Windows has none of it", function()
  local program = shell [[printf 'a\r\n\nb']]
  equal(program:line(), "a")
  equal(program:line(), "")
  equal(program:line(), "b")
  equal(select(2, program:line()), "ended")
end)

test("without a line in time there is none, and it may still come", function()
  local program = ms.program { "cat" }
  equal(select(2, program:line { timeout = 0 }), "timeout")
  equal(select(2, program:read { timeout = 0 }), "timeout")
  equal(select(2, program:wait { timeout = 0 }), "timeout")
  equal(program:write "half", true)
  equal(select(2, program:line { timeout = 0.001 }), "timeout")
  equal(program:write " and half\n", true)
  equal(program:line(), "half and half")
  program:close_input()
  equal(program:wait().code, 0)
end)

test("the program's timeout holds for its calls", function()
  local program = ms.program { "cat", timeout = 0.001 }
  equal(select(2, program:line()), "timeout")
  equal(select(2, program:wait()), "timeout")
  program:stop()
end)

test("what nobody has read can be read, whole lines or not", function()
  local program = shell "echo one; echo two; printf thr; read line"
  equal(program:line(), "one")
  local text = ""
  repeat
    text = text .. program:read()
  until #text == 7
  equal(text, "two\nthr")
  program:close_input()
  equal(select(2, program:read()), "ended")
end)

test("exit status and signal are told apart", function()
  local result = shell "exit 9":wait()
  equal(result.code, 9)
  equal(result.signal, nil)
  result = shell "kill -KILL $$":wait()
  equal(result.code, nil)
  equal(result.signal, "SIGKILL")
  result = ms.program { "cat" }:stop()
  equal(result.signal, "SIGTERM")
  raises('unknown field "status"', function() return result.status end)
  raises("read-only", function() result.code = 1 end)
end)

test("who does not want to end is killed", function()
  local program = shell "trap '' TERM; echo ready; while :; do read line; done"
  equal(program:line(), "ready")
  equal(program:stop { grace = 0.001 }.signal, "SIGKILL")
  equal(program:stop().signal, "SIGKILL")
end)

test("what a program started ends with it", function()
  for _, how in ipairs { "stop", "leave" } do
    local path, watcher = new_pipe()
    local program = shell(how == "stop" and leaving(path)
                          or leaving(path):gsub("wait$", "read line"))
    equal(program:line(), "started")
    if how == "stop" then
      program:stop()
    else
      program:close_input()
      equal(program:wait().signal, nil)
    end
    equal(watcher:wait().code, 0)
  end
end)

test("to write to who reads no more is no error", function()
  local program = shell "exit 0"
  program:wait()
  local done, problem = program:write "x"
  equal(done, nil)
  equal(problem, "ended")
  program = shell "exec <&-; echo closed; tail -f /dev/null"
  equal(program:line(), "closed")
  done, problem = program:write "x"
  equal(done, nil)
  equal(problem, "ended")
  program:stop()
end)

test("what a program does not take in time is a timeout", function()
  local program = ms.program { "tail", "-f", "/dev/null" }
  equal(select(2, program:write(("x"):rep(1 << 20), { timeout = 0.001 })), "timeout")
  equal(program:stop().signal, "SIGTERM")
end)

test("much is written and read, byte by byte what it was", function()
  local program, text = ms.program { "cat" }, ("0123456789abcdef"):rep(1 << 14)
  local got = {}
  ms.together(function()
    equal(program:write(text), true)
    program:close_input()
  end, function()
    local piece, problem
    repeat
      piece, problem = program:read()
      got[#got + 1] = piece
    until not piece
    equal(problem, "ended")
  end)
  equal(table.concat(got), text)
  equal(program:wait().output, text)
end)

test("who prints without end is held up, and takes no memory", function()
  collectgarbage()
  local before = collectgarbage "count"
  local program = ms.program { "yes", ("x"):rep(99) }
  for _ = 1, 100000 do
    equal(#program:line(), 99)
  end
  equal(select(2, program:line { match = "z", timeout = 0.2 }), "timeout")
  equal(select(2, program:wait { timeout = 0.1 }), "timeout")
  collectgarbage()
  equal(collectgarbage "count" - before < 8192, true, "memory")
  local result = program:stop()
  equal(result.cut > 1 << 20, true)
  contains(result.output, ("bytes are left out]"))
  equal(#result.output < 1 << 20, true)
end)

test("who waits for the end is not held up by what nobody reads", function()
  local program = shell "head -c 4000000 /dev/zero; echo done"
  local result = program:wait()
  equal(result.code, 0)
  equal(result.output:sub(-5), "done\n")
  equal(result.cut, 4000005 - (1 << 19))
end)

test("who waits for the end of a program that is held up already lets it go on", function()
  local program = programs.start { path = "/bin/sh",
                                   arguments = { "-c", "head -c 4000000 /dev/zero" } }
  while not program.child.paused do
    loop.settle()
  end
  equal(program:wait_for_end(60), true)
  equal(program.status.code, 0)
end)

test("a line without an end is one where it is too long", function()
  local program = shell "head -c 3000000 /dev/zero"
  equal(#program:line() >= 1 << 20, true)
  program:stop()
end)

test("arguments, directory and environment are as told", function()
  local program = ms.program {
    "sh", "-c", 'printf "%s|" "$0" "$@"; pwd; echo "$ADDED:${HOME-none}:${PATH:+path}"',
    "a b", 7, "",
    directory = directory, environment = { ADDED = "x=y", HOME = false },
  }
  equal(program:line(), "a b|7||" .. files.real_path(directory))
  equal(program:line(), "x=y:none:path")
end)

test("standard error can go nowhere", function()
  equal(shell("echo no >&2; echo yes", { stderr = "discard" }):wait().output, "yes\n")
end)

test("a wait for a program lets others go on", function()
  local program = ms.program { "cat" }
  local line = ms.together(function()
    return program:line { match = "x" }
  end, function()
    program:write "a\n"
    program:write "x\n"
  end)
  equal(line, "x")
  program:stop()
end)

test("the deadline of the case ends every wait for a program", function()
  local program = ms.program { "cat", timeout = 600 }
  for _, f in ipairs {
    function() program:line() end, function() program:read() end, function() program:wait() end,
    function() program:write(("x"):rep(1 << 22)) end,
  } do
    native.deadline(0.01)
    local done, message = pcall(f)
    native.deadline(nil)
    equal(done, false)
    equal(message, native.deadline_message)
  end
  program:stop()
end)

test("a misuse names the line and what is wrong", function()
  local line
  local message = raises("ms.program: no-such-program is not in PATH (", function()
    line = unit.line() + 1
    ms.program { "no-such-program" }
  end)
  contains(message, ("test_foreign.lua:%d: "):format(line))
  contains(message, os.getenv "PATH")
  raises("there is no file ./no/such", function() ms.program { "./no/such" } end)
  raises("wants a table", function() ms.program "cat" end)
  raises("got no program", function() ms.program {} end)
  raises("argument 1: wants a string or an integer, got nil", function()
    ms.program { "cat", nil, "x" }
  end)
  raises("argument 1: wants a string or an integer, got true", function()
    ms.program { "cat", true }
  end)
  raises('unknown option "timeot" (did you mean "timeout"?)', function()
    ms.program { "cat", timeot = 1 }
  end)
  raises("timeout: wants a number of seconds", function() ms.program { "cat", timeout = -1 } end)
  raises("directory: there is no directory /no/such", function()
    ms.program { "cat", directory = "/no/such" }
  end)
  raises("environment: wants a string or false for X, got 1", function()
    ms.program { "cat", environment = { X = 1 } }
  end)
  raises("cannot start /etc/passwd: EACCES", function() ms.program { "/etc/passwd" } end)
end)

test("a program's calls are checked", function()
  local program = ms.program { "cat" }
  raises('unknown field "lines" (did you mean "line"?)', function() return program.lines end)
  raises("program: is read-only", function() program.pid = 1 end)
  raises("program:line: to be called with a colon, on a program", function()
    program.line { match = "x" }
  end)
  raises("match: malformed pattern", function() program:line { match = "[" } end)
  raises("program:write: text: wants a string, got nil", function() program:write() end)
  equal(math.type(program.pid), "integer")
  equal(tostring(program), "program cat")
  program:close_input()
  raises("program:write: its input was closed", function() program:write "x" end)
  equal(program:wait().code, 0)
end)

test("programs of a case are gone when it has ended, and those of one that failed are told of",
     function()
  local function script(rest, timeout)
    local path, watcher = new_pipe()
    local told = run_case(([[
      ms.scenario "a" { timeout = %s, run = function()
        local program = ms.program { "sh", "-c", %q }
        ms.expect(program:line()):equals "started"
        %s
      end }]]):format(timeout or 60, leaving(path), rest))
    equal(watcher:wait().code, 0)
    return told
  end
  local told = script ""
  equal(told.outcome, "passed")
  equal(#told.notes, 0)
  equal(script 'ms.skip "why"'.outcome, "skipped")
  told = script "ms.expect(1):equals(2)"
  equal(told.outcome, "failed")
  equal(table.concat(told.notes, "\n"), "sh was still running; it printed last:\n  started")
  told = script "ms.program { 'sh', '-c', 'exit 3' }:wait() error 'no'"
  equal(told.notes[1], "sh had ended with status 3; it printed nothing")
  told = script("program:line()", 0.5)
  equal(told.failures[1].message, "timeout after 0.5 s")
  equal(told.notes[2], "  started")
  told = script("ms.together(function() program:wait() end, function() program:line() end)", 0.5)
  equal(told.failures[1].kind, "timeout")
end)

assert(files.remove_tree(directory))
test("what a program leaves in its group ends with it", function()
  local program = ms.program { "sh", "-c", "tail -f /dev/null >/dev/null 2>&1 & echo $!" }
  local pid = program:line()
  equal(program:wait().code, 0)
  if not io.open "/proc/self/status" then
    return -- where there is no way to look
  end
  local function lives()
    local file <close> = io.open(("/proc/%s/status"):format(pid))
    return file ~= nil and (file:read "a" or ""):find "State:%s+[^ZX]" ~= nil
  end
  local due = loop.now() + 10
  while lives() and loop.now() < due do end -- a killed process may take a moment
  equal(lives(), false)
end)

unit.done()
