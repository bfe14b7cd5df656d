-- SPDX-License-Identifier: MIT
-- A scenario's matrix: one combination for each way to take one value from every list.

local matrix = {}

local sorted_keys

-- A text for a value that is the same in every run, or nil and why there is none.
local function text_of(value)
  local kind = type(value)
  if kind == "string" or kind == "number" or kind == "boolean" then
    return tostring(value)
  elseif kind ~= "table" then
    return nil, ("a %s has no text that is the same in every run"):format(kind)
  elseif type(value.name) == "string" then
    return value.name
  end
  local pieces = {}
  for index, key in ipairs(sorted_keys(value)) do
    local text, problem = text_of(value[key])
    if not (math.type(key) == "integer" or type(key) == "string") then
      return nil, ("a key that is a %s has no text that is the same in every run"):format(type(key))
    elseif not text then
      return nil, problem .. " (a string field `name` would give one)"
    end
    pieces[index] = key == index and text or tostring(key) .. "=" .. text
  end
  return "{" .. table.concat(pieces, ",") .. "}"
end

-- Numbers first, so that the items of a list come in their order.
function sorted_keys(values)
  local keys = {}
  for key in pairs(values) do
    keys[#keys + 1] = key
  end
  table.sort(keys, function(a, b)
    if type(a) == type(b) and (type(a) == "number" or type(a) == "string") then
      return a < b
    end
    return type(a) < type(b)
  end)
  return keys
end

-- Why `key` with `list` cannot be a part of a matrix, or nil.
local function complaint(key, list, taken)
  if type(key) ~= "string" or not key:find "^[%a_][%w_]*$" then
    return ("a name wanted, got %s"):format(tostring(key))
  elseif taken[key] then
    return ("%s is a name that every case has"):format(key)
  elseif type(list) ~= "table" then
    return ("%s: a list wanted, got a %s"):format(key, type(list))
  elseif #list == 0 then
    return ("%s: the list is empty, so there would be no case"):format(key)
  end
  local seen = {}
  for index, value in ipairs(list) do
    local text, problem = text_of(value)
    if not text then
      return ("%s: value %d: %s"):format(key, index, problem)
    elseif seen[text] then
      return ("%s: %s stands twice"):format(key, text)
    end
    seen[text] = true
  end
  for index in pairs(list) do
    if math.type(index) ~= "integer" or index < 1 or index > #list then
      return ("%s: a list wanted, got the key %s"):format(key, tostring(index))
    end
  end
end

--- All combinations, in the order of the lists, the alphabetically last name changing fastest.
---@param lists table<string, any[]>|nil nil gives the one combination of nothing
---@param taken table<string, boolean> names that may not be used
---@return table[]|nil each with `text` ("[key=value,...]", "" for no names), `names` in
--- alphabetical order, and by name `values` and `texts`
---@return string|nil problem
function matrix.combinations(lists, taken)
  local names = lists and sorted_keys(lists) or {}
  if lists and #names == 0 then
    return nil, "the matrix is empty: it names no value"
  end
  local rows = { {} }
  for _, name in ipairs(names) do
    local problem = complaint(name, lists[name], taken)
    if problem then
      return nil, problem
    end
    local longer = {}
    for _, row in ipairs(rows) do
      for _, value in ipairs(lists[name]) do
        local values = { table.unpack(row) }
        values[#values + 1] = { name = name, value = value }
        longer[#longer + 1] = values
      end
    end
    rows = longer
  end
  local combinations = {}
  for index, row in ipairs(rows) do
    local pieces, values, texts = {}, {}, {}
    for position, pair in ipairs(row) do
      local text = text_of(pair.value)
      pieces[position] = pair.name .. "=" .. text
      values[pair.name], texts[pair.name] = pair.value, text
    end
    combinations[index] = {
      names = names,
      texts = texts,
      text = #pieces > 0 and "[" .. table.concat(pieces, ",") .. "]" or "",
      values = values,
    }
  end
  return combinations
end

return matrix
