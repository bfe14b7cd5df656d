-- SPDX-License-Identifier: MIT
-- What a process printed, divided at marks, however it comes in pieces.
local unit = dofile((arg[0]:match ".*/" or "") .. "harness.lua")
local captured = require "moonshake.io.captured"
local test, equal = unit.test, unit.equal

local MARK = "\0MARK\n"
local HALF = 32768

test("a part ends at a mark, whatever the pieces are", function()
  local text = "one" .. MARK .. MARK .. "\0MA\0MARK" .. MARK .. "rest\0MAR"
  for size = 1, #text do
    local output = captured.new(MARK)
    for at = 1, #text, size do
      output:add(text:sub(at, at + size - 1))
    end
    equal(output:take(), "one")
    equal(output:take(), nil)
    equal(output:take(), "\0MA\0MARK")
    equal(output:take(), "rest\0MAR")
    equal(output:take(), nil)
  end
end)

test("what has no mark yet is given as it is", function()
  local output = captured.new(MARK)
  output:add "half a mark\0MA"
  equal(output:take(), "half a mark\0MA")
  output:add "RK\n"
  equal(output:take(), "RK\n")
  output:add("more" .. MARK)
  equal(output:take(), "more")
end)

test("of a flood the beginning and the end are kept, of each part its own", function()
  local output = captured.new(MARK)
  for _ = 1, 100 do
    output:add(("a"):rep(1000))
  end
  output:add(MARK .. "b" .. MARK .. ("c"):rep(2 * HALF) .. MARK)
  output:add(("d"):rep(HALF) .. "left out" .. ("e"):rep(HALF))
  local text, cut = output:take()
  equal(text, ("a"):rep(2 * HALF))
  equal(cut, 100000 - 2 * HALF)
  text, cut = output:take()
  equal(text, "b")
  equal(cut, nil)
  text, cut = output:take()
  equal(#text, 2 * HALF)
  equal(cut, nil)
  text, cut = output:take()
  equal(text, ("d"):rep(HALF) .. ("e"):rep(HALF))
  equal(cut, #"left out")
end)

unit.done()
