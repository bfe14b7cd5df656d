-- SPDX-License-Identifier: MIT
-- An object with any keys, for dkjson: that takes { n = 3 } for a list of three.
local json = require "dkjson"

--- `map` as dkjson writes it as an object, keys in alphabetical order. Values that have a JSON of
--- their own keep it.
---@param map table<string, any>
---@return table
return function(map)
  return setmetatable({}, {
    __tojson = function()
      local names = {}
      for name in pairs(map) do
        names[#names + 1] = name
      end
      table.sort(names)
      for index, name in ipairs(names) do
        names[index] = json.quotestring(name) .. ":" .. json.encode(map[name])
      end
      return "{" .. table.concat(names, ",") .. "}"
    end,
  })
end
