-- SPDX-License-Identifier: MIT
-- Whether what people read has colours, and how they are written.
local colours = {}

local CODES = {
  red = 31, green = 32, yellow = 33, blue = 34, magenta = 35, bold = 1, dim = 2,
}

-- What the environment says, the strongest word first.
local function is_wanted(is_terminal)
  local function set(name)
    local value = os.getenv(name)
    return value ~= nil and value ~= ""
  end
  if set "NO_COLOR" then
    return false
  elseif set "CLICOLOR_FORCE" and os.getenv "CLICOLOR_FORCE" ~= "0" then
    return true
  end
  return is_terminal and os.getenv "CLICOLOR" ~= "0" and os.getenv "TERM" ~= "dumb"
end

--- What paints a text, for a stream that is a terminal or not.
---@param is_terminal boolean
---@return fun(text: string, name: string): string
function colours.painter(is_terminal)
  local wanted = is_wanted(is_terminal)
  return function(text, name)
    return wanted and ("\27[%dm%s\27[0m"):format(CODES[name], text) or text
  end
end

return colours
