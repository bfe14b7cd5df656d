-- SPDX-License-Identifier: MIT
-- The descriptions of a file's cases (case.lua) on their way from a worker to its parent. A matrix
-- makes many cases of a scenario, and reading JSON is what a case costs most: so what they share
-- goes once, and of each case a text, "SCENARIO|what follows the name in its id|value|value...".

local listing = {}

local ARRAY = { __jsontype = "array" }

-- What is each case's own, or is made of that.
local OWN = { id = true, label = true, params = true }

local function quote(text)
  return (text:gsub("[\\|]", { ["\\"] = "\\\\", ["|"] = "\\p" }))
end

local function unquote(text)
  return (text:gsub("\\(.)", { ["\\"] = "\\", p = "|" }))
end

local function value_text(value)
  if math.type(value) == "float" then
    return ("n%a"):format(value)
  end
  return type(value):sub(1, 1) .. quote(tostring(value))
end

local function read_value(text)
  local kind, rest = text:sub(1, 1), text:sub(2)
  if kind == "n" then
    return tonumber(rest)
  elseif kind == "b" then
    return rest == "true"
  end
  return unquote(rest)
end

-- What all cases of a scenario share; `params` are the names of their values.
local function shared_of(description)
  local shared = { params = setmetatable({}, ARRAY) }
  for name, value in next, description do
    if not OWN[name] then
      shared[name] = value
    end
  end
  for name in next, description.params do
    table.insert(shared.params, name)
  end
  return shared
end

--- Descriptions as JSON can say them in short.
---@param descriptions table[]
---@return table packed
function listing.pack(descriptions)
  local scenarios, cases = setmetatable({}, ARRAY), setmetatable({}, ARRAY)
  local shared
  for index, description in ipairs(descriptions) do
    if not shared or shared.name ~= description.name then
      shared = shared_of(description)
      scenarios[#scenarios + 1] = shared
    end
    local pieces = { #scenarios, quote(description.label:sub(#shared.name + 1)) }
    for position, name in ipairs(shared.params) do
      pieces[position + 2] = value_text(description.params[name])
    end
    cases[index] = table.concat(pieces, "|")
  end
  return { scenarios = scenarios, cases = cases }
end

local function read_case(row, scenarios)
  local number, suffix, rest = row:match "^(%d+)|([^|]*)(.*)$"
  local shared = scenarios[tonumber(number)]
  local label, params, position = shared.name .. unquote(suffix), {}, 0
  for text in rest:gmatch "|([^|]*)" do
    position = position + 1
    params[shared.params[position]] = read_value(text)
  end
  local made = { id = shared.file .. "::" .. label, label = label }
  for name, value in next, shared do
    made[name] = value
  end
  made.params = params
  return made
end

--- What pack() was given.
---@param packed table
---@return table[] descriptions
function listing.unpack(packed)
  local descriptions = {}
  for index, row in ipairs(packed.cases) do
    descriptions[index] = read_case(row, packed.scenarios)
  end
  return descriptions
end

return listing
