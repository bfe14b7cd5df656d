-- SPDX-License-Identifier: MIT
-- What is told of the clients while they come and go: in words or as JSON, one capture each, and
-- how many there were. What cannot be told costs nobody his connection.
local colours = require "moonshake.report.colours"
local complain = require "moonshake.report.complain"
local dkjson = require "dkjson"
local escape = require "moonshake.escape"
local facts = require "moonshake.serve.facts"
local files = require "moonshake.io.files"
local json = require "moonshake.serve.json"
local phrase = require "moonshake.views.phrase"
local text = require "moonshake.serve.text"

local report = {}

local WIDTH = 80

local Report = {}
Report.__index = Report

--- Begins to tell.
---@param options { json: boolean?, quiet: boolean?, log: string? } of the command
---@return table
function report.new(options)
  return setmetatable({
    json = options.json, quiet = options.quiet, log = options.log,
    counts = { accepted = 0, refused = 0, refused_server = 0, failed = 0 }, total = 0,
    how = { width = math.max(files.terminal_width() or WIDTH, WIDTH),
            paint = colours.painter(files.is_terminal(1)) },
  }, Report)
end

-- Tells these lines. A reader that left has read what it wanted; what cannot be written for another
-- reason is complained about once.
local function print_lines(self, lines)
  local done, problem, left = files.print(table.concat(lines, "\n") .. "\n")
  if not done and not left and not self.unwritten then
    self.unwritten = true
    complain("what there is to tell could not be written: " .. problem)
  end
end

-- What goes wrong with telling is told, and no more.
local function try(what, f)
  local done, problem = pcall(f)
  if not done then
    complain(("%s: %s"):format(what, tostring(problem)))
  end
end

--- The first line, which programs read: where clients are to go; in words or as JSON. People are
--- told more.
---@param url string
---@param told table the same and more, as names and values
---@param sentences string[]
---@return boolean whether somebody could be told
function Report:begin(url, told, sentences)
  local lines = { "listening on " .. escape.line(url) }
  for index, sentence in ipairs(sentences) do
    lines[index + 1] = escape.line(sentence)
  end
  if self.json then
    told.listening = url
    lines = { dkjson.encode(told, { keyorder = { "listening" } }) }
  end
  print_lines(self, lines)
  return not self.unwritten
end

local function tells(self)
  return not self.json and not self.quiet
end

--- A client whose handshake is complete.
---@param one table
function Report:client(one)
  if tells(self) then
    try(("client %d"):format(one.number), function()
      print_lines(self, text.report(facts.of(one), self.how))
      one.told = true
    end)
  end
end

--- A request.
---@param one table the client
---@param request table { method =, target =, status = }: nil where they are not known, or nothing
---  was sent
---@param made table|nil the answer, if there is one
function Report:request(one, request, made)
  if tells(self) then
    try(("client %d"):format(one.number), function()
      print_lines(self, text.request(one.number, request, made, self.how))
    end)
  end
end

local CAPTURE = "client-%04d.pcapng"

--- Whether a file of this name is a client's capture.
---@param name string
---@return boolean
function report.is_capture(name)
  local number = name:match "^client%-(%d+)%.pcapng$"
  return number ~= nil and CAPTURE:format(number) == name
end

local function write_capture(self, one)
  one.connection:pcapng(self.log:gsub("/+$", "") .. "/" .. CAPTURE:format(one.number))
end

--- A client that is gone.
---@param one table
function Report:ended(one)
  local name = ("client %d"):format(one.number)
  local told
  try(name, function() told = facts.of(one) end)
  local outcome = told and told.outcome or "failed"
  self.counts[outcome], self.total = self.counts[outcome] + 1, self.total + 1
  if told then
    try(name, function()
      if self.json then
        print_lines(self, { json.of(told) })
      elseif not self.quiet and not one.told then
        print_lines(self, text.report(told, self.how))
      elseif not self.quiet then
        print_lines(self, text.ending(told, self.how))
      end
    end)
  end
  if self.log then
    try(name, function() write_capture(self, one) end)
  end
end

--- How many there were.
---@return boolean whether all of this could be told
function Report:summarize()
  local counts = self.counts
  local line = ("%s: %d accepted, %d refused, %d refused the server, %d failed"):format(
    phrase.count(self.total, "client"), counts.accepted, counts.refused, counts.refused_server,
    counts.failed)
  if self.json then
    line = dkjson.encode({
      clients = self.total, accepted = counts.accepted, refused = counts.refused,
      refused_server = counts.refused_server, failed = counts.failed,
    }, { keyorder = { "clients", "accepted", "refused", "refused_server", "failed" } })
  end
  print_lines(self, { line })
  return not self.unwritten
end

return report
