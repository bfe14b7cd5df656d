-- SPDX-License-Identifier: MIT
-- Waits, and functions side by side. What happens in these is made to happen by the other function,
-- so that no test depends on how long anything takes.
local unit = dofile((arg[0]:match ".*/" or "") .. "harness.lua")
local ms = require "moonshake"
local native = require "moonshake.native"
local wait = require "moonshake.io.wait"
local loop = require "moonshake.io.loop"
local test, equal, contains, raises = unit.test, unit.equal, unit.contains, unit.raises

local LONG = 600

-- Something that a callback of the loop's will make happen, with these values.
local function soon(...)
  local w, values = wait.new(), table.pack(...)
  local timer
  timer = loop.timer(function()
    timer:close()
    w:finish(table.unpack(values, 1, values.n))
  end)
  timer:set(0)
  return w
end

-- Calls f under a deadline that is over soon, and returns what it raised.
local function until_deadline(f)
  native.deadline(0.01)
  local done, message = pcall(f)
  native.deadline(nil)
  equal(done, false, "it came to its end")
  return message
end

test("a wait gives what its callback told, nil included", function()
  local got = table.pack(wait.await(soon("a", nil, "c", nil), LONG))
  equal(got.n, 5)
  equal(got[1], true)
  equal(got[2], "a")
  equal(got[4], "c")
end)

test("a wait that is over takes no turn, and the first word holds", function()
  local w = wait.new()
  w:finish(1)
  w:finish(2)
  equal(select(2, wait.await(w, 0)), 1)
  equal(select(2, wait.await(w)), 1)
end)

test("without time a wait still takes notice of what has happened", function()
  equal(wait.await(soon(), 0), true)
  equal(wait.await(wait.new(), 0), false)
  equal(wait.await(wait.new(), -1), false)
end)

test("a wait without time comes back each time, whatever else is waited for", function()
  local timer = loop.timer(function() end)
  timer:set(LONG)
  for _ = 1, 100 do
    equal(wait.await(wait.new(), 0), false)
    equal(wait.await(soon(), LONG), true)
  end
  timer:close()
end)

test("a wait ends in time while something else is open, whenever the loop last ran", function()
  local listener = ms.tls.listen { server = {} }
  equal(wait.await(wait.new(), 0), false)
  local begun = os.clock()
  repeat until os.clock() - begun > 0.01
  equal(wait.await(wait.new(), 0.001), false)
  listener:close()
end)

test("an error of a callback's is raised by the wait", function()
  local timer
  timer = loop.timer(function()
    timer:close()
    error "from a callback"
  end)
  timer:set(0)
  raises("from a callback", function() wait.await(wait.new(), LONG) end)
  equal(wait.await(soon(), LONG), true)
end)

test("a wait that nothing can end is an error, not a hang", function()
  raises("nothing is left that could end a wait", function() wait.await(wait.new()) end)
  raises("nothing is left that could end a wait", function()
    ms.together(function() wait.await(wait.new()) end, function() wait.await(wait.new()) end)
  end)
end)

test("a function that waits lets the others go on", function()
  local told = {}
  local first, second = wait.new(), wait.new()
  ms.together(function()
    told[#told + 1] = "a waits"
    wait.await(first, LONG)
    told[#told + 1] = "a goes on"
    second:finish()
  end, function()
    told[#told + 1] = "b begins"
    first:finish()
    wait.await(second, LONG)
    told[#told + 1] = "b goes on"
  end)
  equal(table.concat(told, ", "), "a waits, b begins, a goes on, b goes on")
end)

test("what each function returned first is returned, in order", function()
  local got = table.pack(ms.together(
    function() wait.await(soon(), LONG) return 1, 2 end, function() end,
    function() return false end, function() wait.await(soon(), LONG) end))
  equal(got.n, 4)
  equal(got[1], 1)
  equal(got[2], nil)
  equal(got[3], false)
end)

test("two functions may wait for the same", function()
  local w = wait.new()
  local function f()
    return select(2, wait.await(w, LONG))
  end
  local a, b = ms.together(f, f, function() w:finish "x" end)
  equal(a .. b, "xx")
end)

test("a function whose time is over goes on while the others wait", function()
  local w = wait.new()
  local late, came = ms.together(function()
    local happened = wait.await(wait.new(), 0.001)
    w:finish()
    return happened
  end, function()
    return wait.await(w, LONG)
  end)
  equal(late, false)
  equal(came, true)
end)

test("together nests, and who waits inside lets those outside go on", function()
  local inner, outer = wait.new(), wait.new()
  local got = ms.together(function()
    local a, b = ms.together(function()
      wait.await(inner, LONG)
      outer:finish()
      return "a"
    end, function()
      wait.await(soon(), LONG)
      return "b"
    end)
    return a .. b
  end, function()
    wait.await(soon(), LONG)
    inner:finish()
    wait.await(outer, LONG)
  end)
  equal(got, "ab")
end)

test("a wait lets others go on below a pcall, an iterator and a metamethod", function()
  local w = wait.new()
  local waiting = setmetatable({}, { __index = function() return wait.await(w, LONG) end })
  local got = ms.together(function()
    local done, value = pcall(function() return waiting.field end)
    for happened in function(_, before) return not before and wait.await(w, LONG) or nil end do
      equal(happened, true)
    end
    return done and value
  end, function() w:finish() end)
  equal(got, true)
end)

test("where Lua cannot yield a wait holds up the others, and comes to its end", function()
  local told = {}
  ms.together(function()
    local list = { 2, 1 }
    table.sort(list, function(a, b)
      wait.await(soon(), LONG)
      told[#told + 1] = "sorts"
      return a < b
    end)
  end, function() told[#told + 1] = "goes on" end)
  equal(table.concat(told, ", "), "sorts, goes on")
end)

test("a wait in a coroutine of the script's own holds up the others", function()
  local told = {}
  ms.together(function()
    coroutine.wrap(function()
      wait.await(soon(), LONG)
      told[#told + 1] = "waited"
    end)()
  end, function() told[#told + 1] = "goes on" end)
  equal(table.concat(told, ", "), "waited, goes on")
end)

test("the first error ends all, and is raised as it is", function()
  local closed = {}
  local function watched(name)
    return setmetatable({}, { __close = function() closed[#closed + 1] = name end })
  end
  local value = {}
  local done, raised = pcall(ms.together, function()
    local _ <close> = watched "a"
    wait.await(wait.new(), LONG)
  end, function()
    wait.await(soon(), LONG)
    error(value)
  end, function()
    local _ <close> = watched "c"
    ms.together(function()
      local _ <close> = watched "inner"
      wait.await(wait.new(), LONG)
    end)
  end)
  equal(done, false)
  equal(raised, value)
  equal(table.concat(closed, " "), "a inner c")
  local line
  local message = raises("test_together.lua:", function()
    ms.together(function()
      line = unit.line() + 1
      error "why"
    end)
  end)
  contains(message, (":%d: why"):format(line))
end)

test("an error without a value is one", function()
  local done, raised = pcall(ms.together, function() error() end)
  equal(done, false)
  equal(raised, nil)
end)

test("a function that is given up may wait while it closes", function()
  local closed
  raises("why", function()
    ms.together(function()
      local _ <close> = setmetatable({}, { __close = function()
        closed = wait.await(soon(), LONG)
      end })
      wait.await(wait.new(), LONG)
    end, function() error "why" end)
  end)
  equal(closed, true)
end)

test("what a function waited for and comes too late does nothing", function()
  local w = wait.new()
  pcall(ms.together, function() wait.await(w, LONG) end, function() error "why" end)
  w:finish "late"
  equal(wait.await(w, 0), true)
end)

test("a failed expectation passes through as it is", function()
  local failure = raises("equals", function()
    ms.together(function() ms.expect(1):equals(2) end)
  end)
  equal(require("moonshake.expect").is_failure(failure), true)
end)

test("a misuse inside of a function names its line, and that of together its caller's", function()
  local line
  local message = raises("unknown option", function()
    ms.together(function()
      line = unit.line() + 1
      ms.tls.link { sever = {} }
    end)
  end)
  contains(message, ("test_together.lua:%d: tls.link"):format(line))
  message = raises("ms.together: a function is missing", function()
    line = unit.line() + 1
    ms.together()
  end)
  contains(message, ("test_together.lua:%d: "):format(line))
  raises("ms.together: argument 2: wants a function, got nil", function()
    ms.together(print and function() end, nil)
  end)
end)

test("to yield in a function is refused, with its line", function()
  local line
  local message = raises("can wait, but not yield", function()
    ms.together(function()
      line = unit.line() + 1
      coroutine.yield "x"
    end)
  end)
  contains(message, ("test_together.lua:%d: "):format(line))
end)

test("the deadline ends a wait wherever it is", function()
  local function forever()
    wait.await(wait.new(), LONG)
  end
  local message = native.deadline_message
  equal(until_deadline(forever), message)
  equal(until_deadline(function() wait.await(wait.new()) end), message)
  equal(until_deadline(function() ms.together(forever, forever) end), message)
  equal(until_deadline(function()
    ms.together(forever, function() ms.together(forever, forever) end)
  end), message)
  contains(until_deadline(function() coroutine.wrap(forever)() end), message)
  contains(until_deadline(function()
    ms.together(forever, function() coroutine.wrap(forever)() end)
  end), message)
end)

test("the deadline ends functions that swallow it, and those that do not wait", function()
  local message = native.deadline_message
  local function swallows()
    while true do
      pcall(wait.await, wait.new(), LONG)
    end
  end
  equal(until_deadline(function() ms.together(swallows, swallows) end), message)
  equal(until_deadline(function()
    ms.together(function() wait.await(wait.new()) end, function() while true do end end)
  end), message)
  equal(until_deadline(function()
    ms.together(function() while true do wait.await(wait.new(), 0) end end)
  end), message)
end)

test("the time that is left goes down, and is not there without a deadline", function()
  equal(native.time_left(), nil)
  native.check_time()
  native.deadline(LONG)
  local left = native.time_left()
  native.check_time()
  native.deadline(-1)
  local over = native.time_left()
  local done, message = pcall(native.check_time)
  native.deadline(nil)
  equal(left > 0 and left <= LONG, true)
  equal(over < 0, true)
  equal(done, false)
  equal(message, native.deadline_message)
end)

test("what must not be disturbed is not, and passes on what it is given", function()
  local f = native.undisturbed(function(...)
    for _ = 1, 100000 do end
    return ..., select("#", ...)
  end)
  native.deadline(-1)
  local done, a, count = pcall(f, "x", nil)
  local raised = native.undisturbed(error)
  local again, message = pcall(raised, "why", 0)
  native.deadline(nil)
  equal(done, true)
  equal(a, "x")
  equal(count, 2)
  equal(again, false)
  equal(message, "why")
  raises("function expected", function() native.undisturbed(1) end)
end)

unit.done()
