-- SPDX-License-Identifier: MIT
-- What a terminal shows while cases run.
local unit = dofile((arg[0]:match ".*/" or "") .. "harness.lua")
local live = require "moonshake.report.live"
local test, equal, contains = unit.test, unit.equal, unit.contains

local ERASE_ONE, ERASE_THREE = "\r\27[J", "\r\27[2A\27[J"

-- A terminal of 60 columns: what was written since the last look.
local function terminal(total)
  local pieces = {}
  local shown = live.new({
    write = function(_, ...)
      for _, piece in ipairs { ... } do
        pieces[#pieces + 1] = piece
      end
    end,
    flush = function() return true end,
  }, total, function() return 60 end)
  return shown, function()
    local text = table.concat(pieces)
    pieces = {}
    return text
  end
end

test("a picture has the bar and what runs, and is replaced by the next", function()
  local shown, look = terminal(4)
  shown:begins({ id = "a" }, 1)
  equal(look(), "[                        ] 0/4\n   0.0 s  a")
  shown.since_shown = nil
  shown:ended { case = { id = "a" }, attempt = 1, outcome = "passed" }
  shown:begins({ id = "b" }, 1)
  contains(look(), "\r\27[1A\27[J[======                  ] 1/4\n   0.0 s  b")
  shown.since_shown = nil
  shown:begins({ id = "c" }, 1)
  look()
  shown:erase()
  equal(look(), ERASE_THREE)
  shown:erase()
  equal(look(), "")
end)

test("pictures come with time between them", function()
  local shown, look = terminal(2)
  shown:begins({ id = "a" }, 1)
  look()
  shown:begins({ id = "b" }, 1)
  equal(look(), "")
end)

test("failures are counted, and of two runs of a case the right one ends", function()
  local shown, look = terminal(4)
  shown:begins({ id = "a" }, 1)
  shown:begins({ id = "a" }, 2)
  shown:ended { case = { id = "a" }, attempt = 1, outcome = "failed" }
  look()
  shown.since_shown = nil
  shown:show()
  contains(look(), "1/4, 1 failed\n   0.0 s  a")
  equal(#shown.running, 1)
  equal(shown.running[1].attempt, 2)
end)

test("lines fit, hostile ids do no harm, and only so many are shown", function()
  local shown, look = terminal(99)
  shown:begins({ id = "\27[2J" .. ("x"):rep(100) }, 1)
  contains(look(), "\n   0.0 s  \\x1B[2J" .. ("x"):rep(39) .. "...")
  for number = 1, 10 do
    shown:begins({ id = tostring(number) }, 1)
  end
  shown.since_shown = nil
  shown:show()
  local text = look()
  contains(text, "\n   0.0 s  7\n  and 3 more")
  for line in text:gsub("\27%[[%dAJ]+", ""):gmatch "[^\n]+" do
    equal(utf8.len(line) < 60, true, line)
  end
end)

test("the time left is told once it can be guessed", function()
  local shown, look = terminal(100)
  shown.elapsed = function() return 10.3 end
  shown.done = 4
  shown:show()
  equal(look():find("left", 1, true), nil)
  shown.done, shown.since_shown = 10, nil
  shown:show()
  contains(look(), ERASE_ONE .. "[==                      ] 10/100, about 2 min left")
  equal(shown.width(), 60)
end)

unit.done()
