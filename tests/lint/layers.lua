-- SPDX-License-Identifier: MIT
-- Who may include and require whom. Arrows point down: scenarios, Lua library, binding, core,
-- GnuTLS.
local sources = require "sources"

-- The core's rooms, folders of core/, from the ground up. A file may include the headers of its own
-- room and of those before it.
local CORE = {
  "ground", "words", "priority", "pki", "verify", "config", "log", "session", "link",
}

-- The library's rooms, in the same way. "x.*" is all below x.
local LIBRARY = {
  { "native", "program" },
  { "io.*" },
  { "strict", "suggest", "escape", "diff", "marks", "words", "matrix", "needs", "arguments",
    "options", "settings", "traceback", "clock", "events", "json_map", "key_log", "base64",
    "hash" },
  {
    "certificates", "pki",
    "far", "endpoint", "reported",
    "link", "link.*", "connection", "listener",
    "flight", "aim", "faults", "relay", "background",
    "tls",
    "partial", "matchers", "expect",
    "group", "together", "foreign",
    "scenario", "plain", "evidence", "case", "init",
    "relay.*",
  },
  { "views.*" },
  { "reproduce.*" },
  { "import.*" },
  { "probe.*", "probe" },
  { "runner.tally", "runner.shard" },
  { "report.*" },
  { "runner.*", "runner", "standalone" },
  { "serve.*", "serve" },
  { "commands.*" },
  { "option_values", "cli" },
}

-- Arrows that point up, each with its reason.
local UPWARD = {
  -- Under a stock interpreter nobody else starts the runner.
  ["scenario -> standalone"] = true,
  -- What is shown of a link is made of what the link has; its methods load it when it is wanted.
  ["link.shown -> views.diagram"] = true,
  ["link.shown -> views.state_text"] = true,
  -- Views of a case are made where its links still are.
  ["evidence -> views.narrative"] = true,
  ["endpoint -> views.projections"] = true,
  -- A link shows itself, by views that are loaded when somebody asks.
  ["link.shown -> views.explain"] = true,
  ["link.shown -> views.pcapng"] = true,
  -- What a relay knows of a connection shows itself likewise.
  ["relay.record -> views.diagram"] = true,
  ["relay.record -> views.relayed"] = true,
  ["relay.record -> views.relayed_capture"] = true,
  ["relay.record -> views.pcapng"] = true,
  -- What is kept of a case is views of its links.
  ["evidence -> views.explain"] = true,
  ["evidence -> views.pcapng"] = true,
  ["evidence -> views.picture"] = true,
  ["evidence -> views.record"] = true,
  ["evidence -> views.usage"] = true,
}

local function room_of(rooms, name)
  for number, room in ipairs(rooms) do
    for _, member in ipairs(room) do
      if member == name or member:sub(-2) == ".*" and name:sub(1, #member - 1) == member:sub(1, -2)
      then
        return number
      end
    end
  end
end

local FLOOR = {}
for number, name in ipairs(CORE) do
  FLOOR[name] = number
end

local core_files = sources.list({ "core" }, { ".c", ".h" })

local ROOM_OF_HEADER = {}
for _, path in ipairs(core_files) do
  local room, header = path:match "^core/(%w+)/([%w_]+%.h)$"
  if header then
    ROOM_OF_HEADER[header] = room
  end
end

local function check_core(path)
  local own = path:match "^core/(%w+)/"
  if not FLOOR[own] then
    sources.complain(path, 1, "the file stands in no room that tests/lint/layers.lua knows")
    return
  end
  for number, line in ipairs(sources.lines(path)) do
    local header = line:match '^%s*#%s*include%s+"([^"]+)"'
    local system = line:match "^%s*#%s*include%s+<([^>]+)>"
    local room = header and ROOM_OF_HEADER[header]
    if header and not room then
      sources.complain(path, number, "%s is no header of the core", header)
    elseif header and FLOOR[room] > FLOOR[own] then
      sources.complain(path, number, "%s includes %s of %s, which stands above it", own, header,
                       room)
    elseif system and (system:find "^lua" or system == "lauxlib.h") then
      sources.complain(path, number, "the core knows no Lua")
    elseif system and (system:find "^sys/socket" or system:find "^netinet/") then
      sources.complain(path, number, "the core touches no socket")
    end
  end
end

local function check_binding(path)
  for number, line in ipairs(sources.lines(path)) do
    if line:find "^%s*#%s*include%s+<gnutls/" then
      sources.complain(path, number, "only core/ includes GnuTLS's headers")
    elseif line:find "%f[%w_]gnutls_[%w_]+%s*%(" then
      sources.complain(path, number, "only core/ calls GnuTLS")
    end
  end
end

-- Calls f(line number, module) for each module that a Lua file requires.
local function each_required(path, f)
  for number, line in ipairs(sources.lines(path)) do
    local code = " " .. line:gsub("%-%-.*", "")
    for module in code:gmatch "[^%w_\"']require%s*%(?%s*[\"']([^\"']+)[\"']" do
      f(number, module)
    end
  end
end

local function check_library(path)
  local name = path:match "^lua/moonshake/(.*)%.lua$":gsub("/", ".")
  local own = room_of(LIBRARY, name)
  if not own then
    sources.complain(path, 1, "the file stands in no room: name it in tests/lint/layers.lua")
    return
  end
  each_required(path, function(number, module)
    local ours = module:match "^moonshake%.(.*)$" or module == "moonshake" and "init"
    local room = ours and room_of(LIBRARY, ours)
    if module == "luv" and not name:find "^io%." then
      sources.complain(path, number, "only files below lua/moonshake/io load luv")
    elseif ours and not room then
      sources.complain(path, number, "%s is no module of the library", module)
    elseif ours and room > own and not UPWARD[name .. " -> " .. ours] then
      sources.complain(path, number, "%s (room %d) requires %s, which stands above it (room %d)",
                       name, own, ours, room)
    end
  end)
end

local function check_scenario(path)
  each_required(path, function(number, module)
    if module ~= "moonshake" then
      sources.complain(path, number, 'a scenario requires "moonshake" and nothing else')
    end
  end)
end

for check, paths in pairs {
  [check_core] = core_files,
  [check_binding] = sources.list({ "lua" }, { ".c", ".h" }),
  [check_library] = sources.list({ "lua/moonshake" }, { ".lua" }),
  [check_scenario] = sources.list({ "scenarios" }, { ".lua" }),
} do
  for _, path in ipairs(paths) do
    check(path)
  end
end
sources.finish "layers"
