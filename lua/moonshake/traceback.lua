-- SPDX-License-Identifier: MIT
-- Errors as failures (what a failure is stands at the top of expect.lua): where in the script, and
-- by which way.
local escape = require "moonshake.escape"
local native = require "moonshake.native"

local traceback = {}

local MOST_FRAMES = 12
local MOST_LEVELS = 1000 -- an endless recursion has some 200000

-- What the chunk names of the library's own files begin with, in the program and outside of it.
local OWN = debug.getinfo(1, "S").source:match "^(.*)traceback%.lua$"

--- Raises an error value that another coroutine raised, with the way to it there (see frames()).
---@param value any
---@param frames table[]
function traceback.rethrow(value, frames) -- luacheck: ignore 212 (each_script_frame reads it)
  error(value, 0)
end

-- The first of these that f makes something of.
local function first_of(frames, f)
  for _, info in ipairs(frames) do
    local answer = f(info)
    if answer ~= nil then
      return answer
    end
  end
  return nil
end

-- Calls f(info) for each frame of a script above the function `bottom`, innermost first, until f
-- returns something.
local function each_script_frame(bottom, f)
  local level = 2
  while true do
    local info = debug.getinfo(level, "Slnf")
    if not info or info.func == bottom then
      return nil
    end
    if info.func == traceback.rethrow then
      local _, frames = debug.getlocal(level, 2)
      local answer = first_of(frames, f)
      if answer ~= nil then
        return answer
      end
    elseif info.currentline > 0 and info.source:sub(1, #OWN) ~= OWN then
      local answer = f(info)
      if answer ~= nil then
        return answer
      end
    end
    level = level + 1
    if level > MOST_LEVELS then
      return nil
    end
  end
end

--- The frames of a script above the function `bottom`, innermost first, as debug.getinfo() has
--- them. To be called by a message handler.
---@param bottom function
---@return table[]
function traceback.frames(bottom)
  local frames = {}
  each_script_frame(bottom, function(info)
    frames[#frames + 1] = info
  end)
  return frames
end

local function frame_text(info)
  local name = "in a function"
  if info.what == "main" then
    name = "in the file"
  elseif info.name then
    name = ("in %s %s"):format(info.namewhat ~= "" and info.namewhat or "function", info.name)
  end
  return ("%s:%d: %s"):format(info.short_src, info.currentline, name)
end

-- An error value as a sentence.
local function message_of(value)
  if type(value) == "string" then
    return value
  elseif type(value) == "number" then
    return tostring(value)
  end
  local metatable = getmetatable(value)
  if type(metatable) == "table" and metatable.__tostring then
    local done, text = pcall(tostring, value)
    return done and text or "the error value's __tostring failed"
  end
  if value == nil then
    return "error was called without a value"
  end
  return ("the error value is a %s that has no text"):format(type(value))
end

--- The text of a line of a file without its indentation, nil where it cannot be read.
---@param path string
---@param number integer
---@return string|nil
function traceback.source_line(path, number)
  local file = io.open(path, "r")
  if not file then
    return nil
  end
  local found
  local count = 0
  for line in file:lines() do
    count = count + 1
    if count == number then
      found = line:match "^%s*(.-)%s*$"
      break
    end
  end
  file:close()
  return found
end

local function failure(kind, message, file, line)
  return {
    kind = kind,
    message = message,
    file = file,
    line = line,
    source = file and traceback.source_line(file, line),
    differences = {},
    notes = {},
    events = {},
  }
end

-- The frames as lines, the same one in a row only once; and the innermost frame.
local function frames_above(bottom)
  local frames, innermost = {}, nil
  each_script_frame(bottom, function(info)
    innermost = innermost or info
    local text = frame_text(info)
    local repeated = text .. ", again and again"
    if frames[#frames] == text then
      frames[#frames] = repeated
    elseif frames[#frames] ~= repeated then
      frames[#frames + 1] = text
    end
    return #frames > MOST_FRAMES or nil
  end)
  if #frames > MOST_FRAMES then
    frames[#frames] = "..."
  end
  return frames, innermost
end

-- The line that Lua put in front of a message, and the message without it. It may not be that of
-- the innermost frame: a coroutine's frames are gone when its error gets here, and coroutine.wrap
-- has put its own place in front.
local function split_place(message, info)
  local found = info.currentline
  while true do
    local file, line, rest = message:match "^(.-):(%d+): (.*)$"
    if file ~= info.short_src then
      return found, message
    end
    found, message = math.tointeger(tonumber(line)), rest
  end
end

--- The failure that an error value stands for; `trace` in it is the way through the script, the
--- innermost frame first. To be called by a message handler.
---@param value any
---@param bottom function where the script's frames end: the one that called it
---@return table
function traceback.failure(value, bottom)
  local frames, innermost = frames_above(bottom)
  if not innermost then
    return traceback.bare(value)
  end
  local line, message = split_place(message_of(value), innermost)
  local made = failure("error", message, innermost.source:match "^@(.*)" or innermost.short_src,
                       line)
  made.trace = frames
  return made
end

--- A failure without a place, of an error value that came without its stack.
---@param value any
---@return table
function traceback.bare(value)
  return failure("error", message_of(value))
end

--- Whether a failure is the deadline's error (behind which a coroutine may have put its place).
---@param made table
---@return boolean
function traceback.is_deadline(made)
  return made.kind == "error" and made.message:sub(-#native.deadline_message) ==
    native.deadline_message
end

--- Whether a failure is Lua's complaint that there is no more memory. (No message handler runs for
--- it, so it has no place.)
---@param made table
---@return boolean
function traceback.is_out_of_memory(made)
  return made.kind == "error" and made.message == "not enough memory"
end

--- A failure of a whole case, at the line where its scenario begins.
---@param case table
---@param kind string
---@param message string
function traceback.at_scenario(case, kind, message)
  return failure(kind, message, case.file.path, case.scenario.line)
end

--- "FILE:LINE" of a failure, for a report; nil where it has no place.
function traceback.place(made)
  return made.file and escape.line(("%s:%d"):format(made.file, made.line)) or nil
end

return traceback
