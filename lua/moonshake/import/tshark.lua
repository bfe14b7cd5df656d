-- SPDX-License-Identifier: MIT
-- What tshark tells of a capture: which connections begin with a ClientHello, and what each end
-- sent on one, decrypted where the capture or a key log has the secrets. It takes packets apart,
-- joins and decrypts them; what messages say is read by others, from their bytes.
local command = require "moonshake.io.command"
local files = require "moonshake.io.files"
local json = require "dkjson"

local tshark = {}

local MOST = 256 << 20 -- bytes of output: more is no handshake
local PACKAGES = "Debian, Ubuntu: apt-get install tshark; Fedora: dnf install wireshark-cli; "
  .. "Alpine: apk add tshark;\nArch: pacman -S wireshark-cli; macOS: brew install wireshark"

local NOISE = { "^Running as user", "^%s*$" }

-- What it complained of, without what is no complaint.
local function complaint(text)
  for line in text:gmatch "[^\n]+" do
    local noise = false
    for _, pattern in ipairs(NOISE) do
      noise = noise or line:find(pattern) ~= nil
    end
    if not noise then
      return (line:gsub("^tshark: ", ""))
    end
  end
end

-- A first record with a ClientHello, whatever the port.
local ANY_HELLO = "tcp.payload[0:2] == 16:03 && tcp.payload[5:1] == 01"
local SPOKEN = "tls.handshake || tls.alert_message || tls.change_cipher_spec"

local Capture = {}
Capture.__index = Capture

-- Runs it; nil and why where it could not read the file.
local function run(self, arguments)
  local all = { "-n", "-r", self.path }
  if self.key_log then
    table.move({ "-o", "tls.keylog_file:" .. self.key_log }, 1, 2, #all + 1, all)
  end
  for _, port in ipairs(self.ports) do
    table.move({ "-d", ("tcp.port==%s,tls"):format(port) }, 1, 2, #all + 1, all)
  end
  table.move(arguments, 1, #arguments, #all + 1, all)
  local told, problem = command.run(self.program, all, MOST)
  if not told then
    return nil, problem
  elseif told.full then
    return nil, "tshark told more than 256 MiB of this connection"
  end
  local complained = complaint(told.errors)
  if complained and complained:find "cut short" then
    self.cut = true
  elseif told.status ~= 0 then
    return nil, complained or ("tshark ended with status %d"):format(told.status)
  end
  return told.output
end

-- Rows of these fields; an absent one is "".
local function fields(self, filter, names)
  local arguments = { "-Y", filter, "-T", "fields", "-E", "separator=/t", "-E", "occurrence=f" }
  for _, name in ipairs(names) do
    table.move({ "-e", name }, 1, 2, #arguments + 1, arguments)
  end
  local text, problem = run(self, arguments)
  if not text then
    return nil, problem
  end
  local rows = {}
  for line in text:gmatch "[^\n]+" do
    local row, index = {}, 0
    for value in (line .. "\t"):gmatch "([^\t]*)\t" do
      index = index + 1
      row[names[index] or index] = value
    end
    rows[#rows + 1] = row
  end
  return rows
end

-- Ports at which there is TLS that tshark does not see by itself. (Where it does, it may be within
-- another protocol.) Returns why the file cannot be read, or nil.
local function find_ports(self)
  local rows, problem = fields(self, ANY_HELLO, { "tcp.stream", "tcp.dstport" })
  local known = rows and fields(self, "tls.handshake.type == 1", { "tcp.stream" })
  if not known then
    return problem or "tshark cannot read it"
  end
  local seen = {}
  for _, row in ipairs(known) do
    seen[row["tcp.stream"]] = true
  end
  for _, row in ipairs(rows) do
    local port = row["tcp.dstport"]
    if port:find "^%d+$" and not seen[row["tcp.stream"]] and not seen[port .. "/tcp"] then
      seen[port .. "/tcp"] = true
      self.ports[#self.ports + 1] = port
    end
  end
end

--- Begins: a capture's path, and that of a key log or nil.
---@return table|nil capture
---@return string|nil problem
function tshark.open(path, key_log)
  local program = files.find_program "tshark"
  if not program then
    return nil, "tshark is needed to take captures apart, and is not in PATH\n" .. PACKAGES
  end
  local self = setmetatable({ program = program, path = path, key_log = key_log, ports = {} },
                            Capture)
  local problem = find_ports(self)
  if problem then
    return nil, ("%s: %s"):format(path, problem)
  end
  return self
end

local function address(row, which)
  local found = row["ip." .. which]
  return found ~= "" and found or row["ipv6." .. which]
end

--- The connections on which a ClientHello was seen, in order: number (as Wireshark counts TCP
--- streams), at, client, client_port, server, server_port, server_name or nil.
---@return table[]|nil
---@return string|nil problem
function Capture:streams()
  local rows, problem = fields(self, "tls.handshake.type == 1 && tcp.stream", {
    "tcp.stream", "frame.time_epoch", "ip.src", "ipv6.src", "tcp.srcport", "ip.dst", "ipv6.dst",
    "tcp.dstport", "tls.handshake.extensions_server_name",
  })
  if not rows then
    return nil, problem
  end
  local list, seen = {}, {}
  for _, row in ipairs(rows) do
    local number = math.tointeger(tonumber(row["tcp.stream"]))
    if number and not seen[number] then
      seen[number] = true
      local name = row["tls.handshake.extensions_server_name"]
      list[#list + 1] = {
        number = number, at = math.floor(tonumber(row["frame.time_epoch"]) or 0),
        client = address(row, "src"), client_port = row["tcp.srcport"],
        server = address(row, "dst"), server_port = row["tcp.dstport"],
        server_name = name ~= "" and name or nil,
      }
    end
  end
  return list
end

--- Whether any packet of the capture (or of a stream) carries TLS.
---@param stream? integer
---@return boolean
function Capture:has_tls(stream)
  local rows = fields(self, stream and ("tls && tcp.stream == %d"):format(stream) or "tls",
                      { "tcp.stream" })
  return rows ~= nil and #rows > 0
end

--- Whether packets of a stream (of any) are not whole in the capture: it was made with a snapshot
--- length.
---@param stream? integer
---@return boolean
function Capture:is_short(stream)
  local filter = "tcp && frame.cap_len < frame.len"
  local rows = fields(self, stream and ("%s && tcp.stream == %d"):format(filter, stream) or filter,
                      { "tcp.stream" })
  return rows ~= nil and #rows > 0
end

---------------------------------------------------------------------------------------------------
-- What was sent on one

-- What may be there once or several times: always a list. (A raw field is itself a list, that
-- begins with its bytes.)
local function each(value)
  if type(value) ~= "table" or #value == 0 and next(value) ~= nil then
    return { value }
  end
  return value
end

local function raws(value)
  if type(value) == "table" and type(value[1]) == "string" then
    return { value }
  end
  return type(value) == "table" and value or {}
end

local function bytes_of(raw)
  local digits = type(raw) == "table" and raw[1]
  return type(digits) == "string" and digits:gsub("%x%x", function(pair)
    return string.char(tonumber(pair, 16))
  end) or nil
end

local function add_messages(record, role, list)
  local spoken, raw = each(record["tls.handshake"]), raws(record["tls.handshake_raw"])
  for index = 1, math.max(#spoken, #raw) do
    local message, bytes = spoken[index], bytes_of(raw[index])
    local kind = type(message) == "table" and tonumber(message["tls.handshake.type"])
    if kind and bytes and #bytes >= 4 then
      list[#list + 1] = { role = role, kind = "message", type = math.tointeger(kind),
                          body = bytes:sub(5) }
    elseif bytes and not record["tls.handshake.reassembled_in"]
      and not record["tls.handshake.fragments"] then
      list[#list + 1] = { role = role, kind = "encrypted" }
    end
  end
end

local function add_record(record, role, list)
  if type(record) ~= "table" then
    return
  end
  local content = record["tls.record.content_type"]
  if content == "20" then
    list[#list + 1] = { role = role, kind = "change" }
  elseif content == "22" then
    add_messages(record, role, list)
  end
  for _, raw in ipairs(raws(record["tls.alert_message_raw"])) do
    local bytes = bytes_of(raw)
    local clear = bytes and #bytes == 2
    list[#list + 1] = { role = role, kind = clear and "alert" or "encrypted alert",
                        level = clear and bytes:byte(1) or nil,
                        number = clear and bytes:byte(2) or nil }
  end
end

local function first(layer)
  return type(layer) == "table" and (layer[1] or layer) or {}
end

--- What the two ends of a stream said, in order: { role =, kind = "message" (type, body), "change"
--- (ChangeCipherSpec), "alert" (level, number), "encrypted", "encrypted alert" }.
---@param stream table of streams()
---@return table[]|nil
---@return string|nil problem
function Capture:said(stream)
  local text, problem = run(self, {
    "-2", "-Y", ("tcp.stream == %d && (%s)"):format(stream.number, SPOKEN), "-T", "json", "-x",
    "--no-duplicate-keys", "-J", "tcp tls",
  })
  local packets = text and json.decode(text:find "%S" and text or "[]")
  if type(packets) ~= "table" then
    return nil, problem or "tshark's answer cannot be read"
  end
  local list = {}
  for _, packet in ipairs(packets) do
    local layers = first(first(packet)._source).layers or {}
    local port, from = first(layers.tcp)["tcp.srcport"], first(layers.ip)["ip.src"]
      or first(layers.ipv6)["ipv6.src"]
    local role = port == stream.client_port
      and (stream.client_port ~= stream.server_port or from == stream.client) and "client"
      or "server"
    for _, tls in ipairs(each(layers.tls)) do
      for _, record in ipairs(type(tls) == "table" and each(tls["tls.record"]) or {}) do
        add_record(record, role, list)
      end
    end
  end
  return list
end

return tshark
