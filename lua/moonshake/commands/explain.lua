-- SPDX-License-Identifier: MIT
-- moonshake explain: what a word of a failure means, or which words there are.
local colours = require "moonshake.report.colours"
local complain = require "moonshake.report.complain"
local escape = require "moonshake.escape"
local files = require "moonshake.io.files"
local lexicon = require "moonshake.views.lexicon"

local WIDTH = 80 -- where there is no terminal

-- Prints lines; returns the exit status.
local function tell(lines)
  local done, problem = files.print(table.concat(lines, "\n") .. "\n")
  if not done then
    return complain("the explanation could not be written: " .. problem)
  end
  return 0
end

--- Runs the command.
---@param options table as the command line was parsed
---@return integer status 2 where nothing is known of the word
return function(options)
  local is_terminal = files.is_terminal(1)
  local how = { width = is_terminal and files.terminal_width() or WIDTH,
                paint = colours.painter(is_terminal) }
  local word = table.concat(options.words, " ")
  if word == "" then
    return tell(lexicon.overview(how))
  end
  local found = lexicon.find(word)
  if #found == 0 then
    return complain(("explain: nothing is known of \"%s\"%s"):format(escape.short(word),
                                                                    lexicon.hint(word)))
  end
  return tell(lexicon.lines(found, how))
end
