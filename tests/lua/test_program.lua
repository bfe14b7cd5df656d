-- SPDX-License-Identifier: MIT
-- What the program does to its own process (moonshake.program), seen from outside.
local unit = dofile((arg[0]:match ".*/" or "") .. "harness.lua")
local escape = require "moonshake.escape"
local files = require "moonshake.io.files"
local uv = require "luv"
local test, equal, contains = unit.test, unit.equal, unit.contains

local there, own = pcall(require, "moonshake.program")
if not there then
  print "# a stock interpreter has no moonshake.program"
  unit.done()
end

local linux = uv.os_uname().sysname == "Linux"
local directory = assert(files.temporary_directory())
local script = directory .. "/script.lua"
local BEGINNING = ([[
package.cpath = %q .. package.cpath
local program = require "moonshake.program"
local native = require "moonshake.native"
local found, disaster = pcall(require, "disaster")
]]):format(arg[-2]:match "^.*/" .. "tests/meta/?.so;")

-- What a program prints that goes on with `ending`, and its exit status as a shell gives it.
local function run(ending, redirection)
  local file = assert(io.open(script, "wb"))
  file:write(BEGINNING, ending)
  file:close()
  local pipe = assert(io.popen(("ulimit -c 0\n%s lua %s $$ 2>%s %s\necho \"[$?]\"")
    :format(escape.shell(arg[-2]), script, directory .. "/errors", redirection or "")))
  local output = pipe:read "a"
  pipe:close()
  local text, status = output:match "^(.*)%[(%d+)%]\n$"
  return text or output, tonumber(status)
end

local limited, why = own.limit_memory(1 << 50) -- no limit, but whether there could be one
if limited then
  test("memory that is limited runs out in Lua", function()
    local text, status = run [[
assert(program.limit_memory(100 << 20))
print(pcall(function() assert(("x"):rep(200 << 20)) end))
print(pcall(function() assert(("x"):rep(10 << 20)) end))
local all = {}
print(pcall(function()
  while #all < 300 do
    all[#all + 1] = ("x"):rep(1 << 20) .. #all
  end
end))
assert(#all > 10)
]]
    equal(text, "false\tnot enough memory\ntrue\nfalse\tnot enough memory\n")
    equal(status, 0)
  end)

  test("memory that is limited runs out in C", function()
    local text, status = run [[
assert(program.limit_memory(100 << 20))
if found then
  disaster.allocate_for_ever(1 << 30)
end
]]
    equal(text, "")
    assert(status == 134 or status == 0, status)
  end)
else
  test("memory that cannot be limited is not, and it is told why", function()
    assert(#why > 20, why)
    local text = run "print(program.limit_memory(1 << 20)) print(#('x'):rep(10 << 20))"
    equal(text, ("nil\t%s\n10485760\n"):format(why))
  end)
end

test("a limit is a number of bytes", function()
  unit.raises("not a size", function() own.limit_memory(0) end)
  unit.raises("number expected", function() own.limit_memory "much" end)
end)

test("a process dies with its parent", function()
  local text, status = run [[
if program.die_with_parent() then
  os.execute("kill -KILL " .. arg[1])
  native.deadline(20)
  print(pcall(function() while true do end end))
end
print "cannot"
]]
  equal(text, linux and "" or "cannot\n")
  equal(status, not linux and 0 or nil)
end)

test("a process whose parent is dead already dies at once", function()
  local text, status = run [[
print "before"
io.stdout:flush()
program.die_with_parent(1)
print "after"
]]
  equal(text, linux and "before\n" or "before\nafter\n")
  equal(status, linux and 137 or 0)
  text, status = run "program.die_with_parent(tonumber(arg[1])) print 'lives'"
  equal(text, "lives\n")
  equal(status, 0)
end)

test("a descriptor that is kept to itself is not inherited", function()
  local text = run([[
print(os.execute "{ true >&3; } 2>/dev/null")
print(program.keep_to_itself(3))
print((os.execute "{ true >&3; } 2>/dev/null"))
print(io.open("/dev/fd/3", "w") and true)
]], "3>&1")
  equal(text, "true\texit\t0\ntrue\nnil\ntrue\n")
  local kept, problem = own.keep_to_itself(1 << 20)
  equal(kept, nil)
  contains(problem:lower(), "bad file descriptor")
  unit.raises("not a descriptor", function() own.keep_to_itself(-1) end)
end)

test("a lock is held by one until it is closed", function()
  local first, second = assert(uv.fs_open(directory, "r", 0)), assert(uv.fs_open(directory, "r", 0))
  equal(own.lock(first), true)
  equal(own.lock(first), true)
  equal(own.lock(second), false)
  uv.fs_close(first)
  equal(own.lock(second), true)
  uv.fs_close(second)
  local locked, problem = own.lock(1 << 20)
  equal(locked, nil)
  contains(problem:lower(), "bad file descriptor")
  unit.raises("not a descriptor", function() own.lock(-1) end)
end)

assert(files.remove_tree(directory))
unit.done()
