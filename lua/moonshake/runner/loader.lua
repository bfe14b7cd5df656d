-- SPDX-License-Identifier: MIT
-- Loads scenario files. A file sees the modules that lie beside it, and neither its globals nor
-- those modules are seen by another file.
local native = require "moonshake.native"
local case = require "moonshake.case"
local shared = require "moonshake.runner.globals"
local no_exit = require "moonshake.runner.no_exit"
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
  if not self.foreign then
    self.foreign = {}
    for name in pairs(package.loaded) do
      self.foreign[name] = true
    end
  end
  for name, module in pairs(self.modules) do
    package.loaded[name] = module
  end
end

--- Ends what enter() began; the file keeps the modules it loaded from beside it, and its globals
--- are what they were when it was loaded.
function File:leave()
  if self.restore then
    self.restore {}
  end
  for name, module in pairs(package.loaded) do
    if not self.foreign[name] then
      if self.modules[name] or package.searchpath(name, self.search) then
        self.modules[name] = module
      else
        self.foreign[name] = true
      end
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
  if line then
    return ("%s:%s: %s"):format(path, line, rest)
  end
  return message:find(path, 1, true) and message or ("%s: %s"):format(path, message)
end

local function load_problem(path, failure, timeout)
  if traceback.is_deadline(failure) then
    return ("%s: loading it took longer than %g s"):format(traceback.place(failure) or path,
                                                           timeout)
  elseif traceback.is_out_of_memory(failure) then
    return path .. ": loading it took more memory than a worker may have (--memory)"
  end
  return ("%s: %s"):format(traceback.place(failure) or path, failure.message)
end

local function on_error(value)
  native.deadline(nil)
  return traceback.failure(value, loader.load)
end

-- A scenario that got its name and no table, as a problem of the file.
local function half_made(path, begun)
  local first
  for name, line in pairs(begun) do
    if not first or line < begun[first] then
      first = name
    end
  end
  return first and ('%s:%d: scenario "%s": no table follows the name'):format(path, begun[first],
                                                                              first)
end

--- Loads the file at `path`, which is also what its cases' ids begin with. Options: `arguments` are
--- what `...` in it gives; `timeout` is the seconds it may take (default 60); `program` is true
--- for a program that may define scenarios: it shares the globals, may end the process and may take
--- its time.
---@param path string
---@param options? { arguments: string[]?, timeout: number?, program: boolean? }
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
  local timeout = options.timeout or TIMEOUT
  native.deadline(not options.program and timeout or nil)
  local call = options.program and xpcall or no_exit
  local scenarios, done, failure = scenario.collect(call, function()
    chunk(table.unpack(options.arguments or {}))
  end, on_error)
  native.deadline(nil)
  file:leave()
  if not done then
    if type(failure) ~= "table" then -- memory ran out, or the handler failed
      failure = traceback.bare(failure)
    end
    return nil, load_problem(path, failure, timeout), failure
  end
  local problem = half_made(path, scenarios.begun)
  if problem then
    return nil, problem, traceback.bare(problem)
  end
  if not options.program then
    file.restore = shared.remember("", globals)
  end
  for _, made in ipairs(scenarios) do
    for _, combination in ipairs(made.combinations) do
      file.cases[#file.cases + 1] = case.new(made, combination, file)
    end
  end
  return file
end

return loader
