-- SPDX-License-Identifier: MIT
-- What every link shows of itself, whoever carries its bytes.
local arguments = require "moonshake.arguments"
local changes = require "moonshake.link.changes"
local endpoint = require "moonshake.endpoint"
local inside = require "moonshake.link.state"
local native = require "moonshake.native"
local options = require "moonshake.options"
local reported = require "moonshake.reported"
local scenario = require "moonshake.scenario"
local strict = require "moonshake.strict"

local shown = {}

local natives = native.link_methods

local EVENT = strict.schema("event", native.fields "event")

--- The fields of a link, for schemas.
shown.fields = {
  { name = "client", about = "the client's end" },
  { name = "server", about = "the server's end" },
  { name = "failed_first", about = "nil, \"client\" or \"server\": whose error came first" },
  { name = "events", about = "everything that the ends did, in order" },
  { name = "findings", about = "what went wrong and why, as views/explain.lua finds it" },
}

-- What a capture of a link is made of (see views/pcapng.lua). Whoever has it can read what the link
-- carried, and no script gets it.
local function capture(self, state)
  local client = state.checked.client or {}
  return {
    number = state.number, events = self.events, failed_first = self.failed_first,
    far = inside.far(self), server_name = self.client.server_name or client.server_name,
    phases = { client = self.client.phase, server = self.server.phase },
    clock_offset = function(event)
      local told = state.told[event.epoch] or {}
      return (told[event.role] or { checked = {} }).checked.clock_offset or 0
    end,
    secrets = strict.check("link:pcapng", natives.secrets(state.native)),
  }
end

--- What a capture of a link is made of, see above.
---@param self table
---@return table
function shown.capture(self)
  return capture(self, inside.of(self))
end

--- What Certificate messages carried, as reported.carried() gives it.
---@param self table
---@param epochs? integer as of that epoch, by its number
function shown.carried(self, epochs)
  return reported.carried(self, inside.of(self).earlier, epochs)
end

local function events_of(state, api)
  if state.events then
    return state.events
  end
  endpoint.check_free(api, state.native)
  local list = strict.check(api, natives.events(state.native))
  for index, values in ipairs(list) do
    list[index] = strict.record(EVENT, values)
  end
  list = strict.wrap(list, nil, true)
  state.events = not state.acting and list or nil
  return list
end

local function findings_of(self, state, api)
  endpoint.check_free(api, state.native)
  return require("moonshake.views.explain").of(self, changes.told(state))
end

--- The methods by which links of a class show themselves.
---@param class table
---@param kind string what such a link is called: "link"
---@return table<string, function>
function shown.methods(class, kind)
  local methods = {}

  --- link:explain(): what went wrong, where, why, and by which clause; how each end learned of it,
  --- and what to do. In words for people; as tables for scripts in link.findings.
  ---@return string text lines, without a line break at the end
  function methods:explain()
    local api = kind .. ":explain"
    local findings = findings_of(self, inside.check(self, class, api), api)
    return table.concat(require("moonshake.views.explain").told(findings), "\n")
  end

  --- link:pcapng(path): writes what the ends wrote to a file that Wireshark opens decrypted. Also
  --- after close, and before the handshake (nothing is in it then). The file holds session keys: it
  --- is for this user alone.
  ---@param path string
  ---@return string path
  function methods:pcapng(path)
    local api = kind .. ":pcapng"
    local state = inside.check(self, class, api)
    endpoint.check_free(api, state.native)
    arguments.check_one(api, { name = "path", type = "name" }, path)
    local case = scenario.current()
    strict.check(api, require("moonshake.views.pcapng").write(path, { capture(self, state) },
                                                              case and case.id))
    return path
  end

  --- link:state { width = 80 }: the certificate state of both ends as text for a terminal: for each
  --- epoch what each end reported and what Certificate messages carried, then each certificate.
  ---@param given? table
  ---@return string
  function methods:state(given)
    inside.check(self, class, kind .. ":state")
    local checked = arguments.check(kind .. ":state", options.state, given)
    local state_text = require "moonshake.views.state_text"
    return table.concat(state_text.text(self, checked.width), "\n")
  end

  --- link:diagram { format =, width = }: what happened, as a sequence diagram: "text" for a
  --- terminal (the default, in ASCII), "mermaid" or "svg".
  ---@param given? table
  ---@return string
  function methods:diagram(given)
    local api = kind .. ":diagram"
    inside.check(self, class, api)
    local checked = arguments.check(api, options.diagram, given)
    local diagram = require "moonshake.views.diagram"
    return diagram.draw(diagram.model(self), checked.format or "text", { width = checked.width })
  end

  return methods
end

--- Makes `class` a metatable of links: methods, fields and what else they answer to.
---@param class table
---@param kind string what such a link is called: "link"
---@param schema moonshake.schema its fields
---@param methods table<string, function>
---@param others table<string, fun(state: table): any> fields that only this kind has
function shown.class(class, kind, schema, methods, others)
  inside.class(class, kind)
  schema.by_name.client.schema = endpoint.schema
  schema.by_name.server.schema = endpoint.schema
  class.__schema = schema

  function class:__index(name)
    local state = inside.of(self)
    if methods[name] then
      return methods[name]
    elseif name == "client" or name == "server" then
      return state[name]
    elseif name == "events" then
      return events_of(state, kind .. ".events")
    elseif name == "findings" then
      return findings_of(self, state, kind .. ".findings")
    elseif name == "failed_first" then
      endpoint.check_free(kind .. ".failed_first", state.native)
      return (natives.failed_first(state.native))
    elseif others[name] then
      return others[name](state)
    end
    strict.no_field(schema, name, methods)
  end

  function class.__newindex()
    strict.raise(("a %s: is read-only"):format(kind))
  end
end

return shown
