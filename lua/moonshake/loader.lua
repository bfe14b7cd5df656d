-- SPDX-License-Identifier: MIT
-- Loads scenario files. A file sees the modules that lie beside it, and neither its globals nor
-- those modules are seen by another file.
local native = require "moonshake.native"
local case = require "moonshake.case"
local scenario = require "moonshake.scenario"
local traceback = require "moonshake.traceback"

local TIMEOUT = 60 -- seconds that a file may take to load

local loader = {}

local File = {}
File.__index = File

--- Makes the modules beside the file visible to require().
function File:enter()
  self.outer_path = package.path
  package.path = self.search .. ";" .. package.path
  self.before = {}
  for name in pairs(package.loaded) do
    self.before[name] = true
  end
  for name, module in pairs(self.modules) do
    package.loaded[name] = module
  end
end

--- Ends what enter() began; the file keeps the modules it loaded from beside it.
function File:leave()
  for name, module in pairs(package.loaded) do
    if not self.before[name] and package.searchpath(name, self.search) then
      self.modules[name] = module
    end
  end
  for name in pairs(self.modules) do
    package.loaded[name] = nil
  end
  package.path = self.outer_path
end

-- "FILE:LINE: message" with the whole path, which Lua shortens.
local function syntax_problem(path, message)
  local line, rest = message:match ":(%d+): (.*)$"
  return line and ("%s:%s: %s"):format(path, line, rest) or message
end

local function load_problem(path, failure)
  if traceback.is_deadline(failure) then
    return ("%s: loading it took longer than %d s"):format(path, TIMEOUT)
  end
  return ("%s: %s"):format(traceback.place(failure) or path, failure.message)
end

local function on_error(value)
  native.deadline(nil)
  return traceback.failure(value, loader.load)
end

--- Loads the file at `path`, which is also what its cases' ids begin with. Options: `arguments` are
--- what `...` in it gives; `program` is true for a program that may define scenarios: it shares the
--- globals and may take its time.
---@param path string
---@param options? { arguments: string[]?, program: boolean? }
---@return table|nil file with `cases`, `path`, `id`
---@return string|nil problem "FILE:LINE: message"
---@return table|nil failure where running the file, not compiling it, failed
function loader.load(path, options)
  options = options or {}
  local directory = path:match "^(.*/)[^/]*$" or "./"
  local globals = options.program and _G or setmetatable({}, { __index = _G })
  local chunk, message = loadfile(path, "t", globals)
  if not chunk then
    return nil, syntax_problem(path, message)
  end
  local file = setmetatable({
    path = path,
    id = path,
    cases = {},
    modules = {},
    search = directory .. "?.lua;" .. directory .. "?/init.lua",
  }, File)
  file:enter()
  native.deadline(not options.program and TIMEOUT or nil)
  local scenarios, done, failure = scenario.collect(function()
    chunk(table.unpack(options.arguments or {}))
  end, on_error)
  native.deadline(nil)
  file:leave()
  if not done then
    if type(failure) ~= "table" then -- memory ran out, or the handler failed
      failure = traceback.bare(failure)
    end
    return nil, load_problem(path, failure), failure
  end
  for _, made in ipairs(scenarios) do
    for _, combination in ipairs(made.combinations) do
      file.cases[#file.cases + 1] = case.new(made, combination, file)
    end
  end
  return file
end

return loader
