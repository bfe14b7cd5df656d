-- SPDX-License-Identifier: MIT
-- Runs what is going to be written, in this process, and keeps what each step came to. The text is
-- ours: nothing of a stranger's stands in it but inside of string literals.
local trial = {}

--- The statements of a link and of all its steps as text, with `after(step)` between them: lines
--- that are not indented.
---@param made table of setup.make()
---@param steps { statement: string, subject: string }[]
---@param after fun(step: table, index: integer): string[]
---@return string[] lines
function trial.body(made, steps, after)
  local literal = require "moonshake.reproduce.literal"
  local lines = table.move(made.lines, 1, #made.lines, 1, {})
  lines[#lines + 1] = #lines > 0 and "" or nil
  local text = "local link = tls.link " .. literal.render(made.options, 0, 22)
  for line in text:gmatch "[^\n]+" do
    lines[#lines + 1] = line
  end
  for index, step in ipairs(steps) do
    lines[#lines + 1] = index > 1 and "" or nil
    for line in step.statement:gmatch "[^\n]+" do
      lines[#lines + 1] = line
    end
    for _, line in ipairs(after(step, index)) do
      lines[#lines + 1] = line
    end
  end
  return lines
end

local function close(link)
  getmetatable(link).__close(link)
end

--- Runs them.
---@param made table
---@param steps table[]
---@return table[]|nil observed one for each step: client and server (snapshots), failed_first
---@return string|nil problem why there is nothing
function trial.run(made, steps)
  local ms = require "moonshake"
  local observed, links = {}, {}
  local function observe(link)
    links[#links + 1] = link
    observed[#observed + 1] = { client = link.client:snapshot(), server = link.server:snapshot(),
                                failed_first = link.failed_first }
  end
  local lines = trial.body(made, steps, function(step)
    return { ("observe(%s)"):format(step.subject) }
  end)
  table.insert(lines, 1, "local pki, tls, observe = ...")
  local chunk, problem = load(table.concat(lines, "\n"), "=scenario", "t", {})
  local done = chunk and true
  if chunk then
    done, problem = pcall(chunk, ms.pki, ms.tls, observe)
  end
  for _, link in ipairs(links) do
    close(link)
  end
  if not done and #observed == 0 then
    return nil, (tostring(problem):gsub("^scenario:%d+: ", ""))
  end
  return observed, problem
end

return trial
