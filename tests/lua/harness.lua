-- SPDX-License-Identifier: MIT
-- A harness for units of Lua modules: prints TAP, and exits with 1 if a test failed.
--   local unit = dofile((arg[0]:match ".*/" or "") .. "harness.lua")
--   unit.test("two and two make four", function() unit.equal(2 + 2, 4) end)
--   unit.done()
local harness = {}

local count, failed = 0, 0

local function show(value)
  return type(value) == "string" and ("%q"):format(value) or tostring(value)
end

--- Runs f() as the test of this name, a sentence in the present tense; it passes if f does
--- not raise.
function harness.test(name, f)
  count = count + 1
  local done, message = xpcall(f, function(problem)
    return debug.traceback(tostring(problem), 2)
  end)
  if done then
    print(("ok %d - %s"):format(count, name))
  else
    failed = failed + 1
    print(("not ok %d - %s\n# %s"):format(count, name, (message:gsub("\n", "\n# "))))
  end
end

--- Raises unless the values are equal.
function harness.equal(found, wanted, what)
  if found ~= wanted then
    error(("%sfound %s, wanted %s"):format(what and what .. ": " or "", show(found), show(wanted)),
          2)
  end
end

--- Raises unless `text` contains `part`.
function harness.contains(text, part)
  if type(text) ~= "string" or not text:find(part, 1, true) then
    error(("found %s, wanted something that contains %s"):format(show(text), show(part)), 2)
  end
end

--- Raises unless f() raises an error whose message contains `part`; returns the error. (What a
--- failed expectation says beside its message shows the line of the test, and so the part.)
function harness.raises(part, f)
  local done, message = pcall(f)
  if done then
    error("nothing was raised, wanted " .. show(part), 2)
  end
  local text = type(message) == "table" and message.message or tostring(message)
  if not text:find(part, 1, true) then
    error(("raised %s, wanted %s"):format(show(text), show(part)), 2)
  end
  return message
end

--- A table of what is in `base`, and of what is in `more`, if there is one, put over it.
function harness.with(base, more)
  local made = {}
  for _, values in ipairs { base, more or {} } do
    for name, value in pairs(values) do
      made[name] = value
    end
  end
  return made
end

--- The line of the caller, to compare with the one that an error names.
function harness.line()
  return debug.getinfo(2, "l").currentline
end

--- Ends the file: prints the plan and exits.
function harness.done()
  print("1.." .. count)
  os.exit(failed == 0 and 0 or 1, true)
end

return harness
