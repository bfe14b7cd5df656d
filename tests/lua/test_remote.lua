-- SPDX-License-Identifier: MIT
-- What becomes of cases whose worker answers too late: the order of answers and deadlines is chosen
-- here, for the process and the clock are none.
local unit = dofile((arg[0]:match ".*/" or "") .. "harness.lua")
local json = require "dkjson"
local loop = require "moonshake.io.loop"
local test, equal = unit.test, unit.equal

local child, timer

package.loaded["moonshake.io.process"] = {
  own_id = function() return 1 end,
  start = function(how)
    child = { did = {} }
    for _, name in ipairs { "send", "signal", "kill", "finish" } do
      child[name] = function(_, word)
        child.did[#child.did + 1] = name == "send" and name or name .. (word and " " .. word or "")
        if name == "send" and not child.token then
          child.token = json.decode(word).token
        end
      end
    end
    function child.take_output() end
    function child.tell(message)
      how.on_line(child.token .. " " .. json.encode(message))
    end
    child.ends = how.on_end
    return child
  end,
}
package.loaded["moonshake.io.loop"] = setmetatable({
  now = function() return 0 end,
  timer = function(f)
    timer = { over = f }
    for _, name in ipairs { "set", "clear", "close" } do
      timer[name] = function() end
    end
    return timer
  end,
}, { __index = loop })

local remote = require "moonshake.runner.remote"

-- A worker that was given two cases, and what its owner was told.
local function worker()
  local told = {}
  local function add(...)
    told[#told + 1] = table.concat({ ... }, " ")
  end
  local made = remote.start({
    ended = function(_, _, result) add("ended", result.case.index) end,
    lost = function(_, _, run, failure) add("lost", run.case.index, failure.message) end,
    ended_badly = function(_, _, problem) add(problem) end,
    gone = function() add "gone" end,
  }, "x.lua", { environment = {}, timeout = 60, settings = {} })
  made.loaded = true
  for index = 1, 2 do
    made:give { case = { index = index, file = "x.lua" }, attempt = 1, seconds = 5 }
  end
  return made, told
end

local function ended(index)
  return { ended = { index = index, outcome = "passed", failures = {}, notes = {}, seconds = 5 } }
end

test("a case that ends while its worker is asked to stop does not cost the next one", function()
  local made, told = worker()
  timer.over()
  equal(table.concat(child.did, ", ", 4), "signal sigterm, signal sigcont")
  child.tell(ended(1))
  child.ends { code = 0, signal = loop.signal "SIGTERM" }
  equal(table.concat(told, ", "), "ended 1, gone")
  equal(#made.given, 1)
  equal(made.given[1].case.index, 2)
end)

test("nor is it forgiven when it dies of something else then", function()
  local _, told = worker()
  timer.over()
  child.tell(ended(1))
  child.ends { code = 0, signal = loop.signal "SIGSEGV" }
  equal(table.concat(told, ", "), "ended 1, x.lua: after its last case, its process "
    .. "was killed by SIGSEGV (it used memory that it does not have), gone")
end)

unit.done()
