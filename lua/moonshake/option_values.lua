-- SPDX-License-Identifier: MIT
-- What follows an option of the command line, as a value; or nil and what is wrong with it.
local random = require "moonshake.io.random"
local shard = require "moonshake.runner.shard"
local suggest = require "moonshake.suggest"

local values = {}

--- What --shuffle and --certificates alone stand for.
values.ANY_SEED, values.NO_PLACE = "any", "-"

local FORMATS = { "pretty", "tap", "junit", "json", "github" }

local function whole(text, least)
  local number = text:find "^%d+$" and math.tointeger(tonumber(text))
  return number and number >= least and number or nil
end

--- What reads a whole number that is at least `least`.
---@param option string for the complaint
---@param least integer
---@return fun(text: string): integer|nil, string
function values.whole(option, least)
  return function(text)
    return whole(text, least),
           ("%s: a whole number from %d wanted, got '%s'"):format(option, least, text)
  end
end

-- What reads words with commas between them.
local function list_of(option)
  return function(text)
    local list = {}
    for word in text:gmatch "[^,]+" do
      list[#list + 1] = word
    end
    return #list > 0 and list or nil,
           ("%s: words wanted, with commas between them, got '%s'"):format(option, text)
  end
end

local NOUNS = { ADDRESS = "an address", DIR = "a directory", FILE = "a file", NAME = "a name" }

--- What reads that of which nothing is known but that it is not empty; a LIST as one.
---@param option string for the complaint
---@param argument string what help calls it: "FILE"
---@return fun(text: string): string|string[]|nil, string
function values.taken(option, argument)
  return argument == "LIST" and list_of(option) or function(text)
    return text ~= "" and text or nil, ("%s: %s wanted, got ''"):format(option, NOUNS[argument])
  end
end

--- The path of an HTTP request.
function values.request(text)
  if text:find "^/[!-~]*$" then
    return text
  end
  return nil, ("--request: a path wanted, which begins with / and has no space, got '%s'"):format(
    text)
end

--- An exit status.
function values.status(text)
  local status = whole(text, 0)
  if status and status <= 255 then
    return status
  end
  return nil, ("--skip-status: a whole number up to 255 wanted, got '%s'"):format(text)
end

--- Seconds above 0, and not more than a deadline can be (31 years).
function values.seconds(text)
  local seconds = tonumber(text)
  if seconds and seconds > 0 and seconds < 1e9 then
    return seconds
  end
  return nil, ("--timeout: a number of seconds above 0, below 1e9 wanted, got '%s'"):format(text)
end

local UNITS = { [""] = 0, K = 10, M = 20, G = 30 }
local LEAST = 16 << 20 -- what a worker takes before it has a file

--- A size in bytes: 512M, 2G, 1048576.
function values.size(text)
  local digits, unit = text:match "^(%d+)([KMG]?)$"
  local number = digits and #digits < 10 and math.tointeger(tonumber(digits))
  local size = number and number << UNITS[unit]
  if size and size >= LEAST then
    return size
  end
  return nil, ("--memory: a size from 16M wanted, such as 512M or 2G, got '%s'"):format(text)
end

--- A seed; ANY_SEED is a new one.
function values.seed(text)
  if text == values.ANY_SEED then
    return tonumber(random.word():sub(1, 8), 16)
  end
  return whole(text, 0), ("--shuffle: the seed is a whole number from 0, got '%s'"):format(text)
end

--- A port to listen on; 0 is one that is free.
function values.port(text)
  local number = whole(text, 0)
  if number and number <= 65535 then
    return number
  end
  return nil, ("--port: a whole number up to 65535 wanted, got '%s'"):format(text)
end

--- The path of a page.
function values.url_path(text)
  if text:find "^/[%w%-._~/%%!$&'()*+,;=:@]*$" then
    return text
  end
  return nil, ("--ask-at: a path wanted that begins with /, got '%s'"):format(text)
end

--- Where something goes: { path = }, none for standard output.
function values.place(text)
  if text == "" then
    return nil, "--certificates=: a file wanted behind the ="
  end
  return { path = text ~= values.NO_PLACE and text or nil }
end

--- Which shard: { index =, total = }, or what shard.parse() says of `auto`.
function values.shard(text)
  return shard.parse(text)
end

--- A format, and where it goes: { format =, path = }.
function values.format(text)
  local format, path = text:match "^([^=]*)=(.*)$"
  format = format or text
  for _, known in ipairs(FORMATS) do
    if format == known then
      if path == "" then
        return nil, ("--format %s=: a file wanted behind the ="):format(format)
      end
      return { format = format, path = path }
    end
  end
  return nil, ("unknown format '%s'%s"):format(format, suggest.hint(format, FORMATS))
end

--- What is wrong with a set of formats, or nil: two cannot share standard output.
---@param formats { format: string, path: string? }[]
---@return string|nil problem
function values.one_at_standard_output(formats)
  local first
  for _, one in ipairs(formats) do
    if not one.path and first then
      return ("--format %s and --format %s: only one can go to standard output; "
              .. "write the other to a file: %s=FILE"):format(first.format, one.format, one.format)
    end
    first = first or not one.path and one or nil
  end
end

return values
