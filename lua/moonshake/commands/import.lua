-- SPDX-License-Identifier: MIT
-- moonshake import: from a capture to a scenario that shows the same in process.
local complain = require "moonshake.report.complain"
local escape = require "moonshake.escape"
local files = require "moonshake.io.files"
local history = require "moonshake.import.history"
local model = require "moonshake.import.model"
local source = require "moonshake.reproduce.source"
local tshark = require "moonshake.import.tshark"

local PRIVATE = tonumber("600", 8) -- mode of a file that tells of others' connections

local function describe(stream)
  return ("%d: %s, %s:%s to %s:%s%s"):format(
    stream.number, os.date("!%Y-%m-%d %H:%M:%S", stream.at), stream.client, stream.client_port,
    stream.server, stream.server_port,
    stream.server_name and (" (%s)"):format(stream.server_name) or "")
end

local MOST_LISTED = 20

-- A sentence, and below it which connections there are.
local function with_streams(sentence, streams)
  local lines = { sentence }
  for index, stream in ipairs(streams) do
    if index > MOST_LISTED then
      lines[#lines + 1] = ("... %d more"):format(#streams - MOST_LISTED)
      break
    end
    lines[#lines + 1] = escape.line(describe(stream))
  end
  return table.concat(lines, "\n")
end

-- Why a stream (all of them) has none.
local function no_hello(capture, stream)
  return capture:is_short(stream) and " that can be read. " .. model.SHORT
    or ": the capture began in the middle of it"
end

-- The connection that is meant; nil and the exit status.
local function choose(capture, path, wanted)
  local streams, problem = capture:streams()
  if not streams then
    return nil, complain(("%s: %s"):format(path, problem))
  end
  for _, stream in ipairs(streams) do
    if stream.number == wanted then
      return stream
    end
  end
  if wanted then
    local why = capture:has_tls(wanted)
      and "has TLS, but no ClientHello" .. no_hello(capture, wanted) or "is no connection with TLS"
    return nil, complain(with_streams(("%s: stream %d %s"):format(path, wanted, why), streams))
  elseif #streams == 1 then
    return streams[1]
  elseif #streams == 0 then
    local why = "there is no TLS in it (over TCP)"
    if capture:has_tls() then
      why = "there is TLS in it, but no connection begins with a ClientHello" .. no_hello(capture)
    end
    return nil, complain(("%s: %s%s"):format(
      path, why, capture.cut and "; the file was cut short in the middle of a packet" or ""))
  end
  return nil, complain(with_streams(
    ("%s has %d connections: choose one with --stream"):format(path, #streams), streams))
end

local function origin_of(path, stream)
  return ("Written by moonshake import from %s, TCP stream %s."):format(
    path:match "[^/]*$", describe(stream))
end

-- Says on standard error what a reader of the file should not have to find out.
local function tell(capture, path, hidden, told)
  if capture.cut then
    complain(("%s was cut short in the middle of a packet: what comes before is used"):format(path))
  end
  for _, sentence in ipairs(hidden) do
    complain(sentence)
  end
  if told.skipped then
    complain("this cannot be shown in process, the scenario is skipped: " .. told.skipped)
  elseif #told.differences > 0 then
    complain(("two ends of GnuTLS come to something else in %d points; comments tell which")
      :format(#told.differences))
  end
end

-- Of what cannot be read several times, as tshark is run on it, what it is.
local UNFIT = { none = "no such file", directory = "is a directory", other = "is no regular file" }

--- Runs the command.
---@param options { file: string, keylog: string?, output: string?, stream: integer? }
---@return integer status
return function(options)
  for _, path in ipairs { options.file, options.keylog } do
    local unfit = UNFIT[files.kind(path) or "none"]
    if unfit then
      return complain(("%s: %s"):format(path, unfit))
    end
  end
  local capture, problem = tshark.open(options.file, options.keylog)
  if not capture then
    return complain(problem)
  end
  local stream, status = choose(capture, options.file, options.stream)
  if not stream then
    return status
  end
  local said
  said, problem = capture:said(stream)
  local told = said and history.read(said)
  if not told or not told.list[1] or not told.list[1].hello then
    return complain(("%s: stream %d: %s"):format(options.file, stream.number,
                                                problem or "its ClientHello cannot be read"))
  end
  told.short = capture:is_short(stream.number)
  local made, hidden = model.make(told, stream, origin_of(options.file, stream),
                                  options.keylog ~= nil)
  local text, written = source.write(made)
  tell(capture, options.file, hidden, written)
  local done
  if options.output then
    done, problem = files.write(options.output, text, PRIVATE)
  else
    done, problem = files.print(text)
    problem = problem and "the scenario could not be written: " .. problem
  end
  return done and 0 or complain(problem)
end
