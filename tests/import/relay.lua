-- SPDX-License-Identifier: MIT
-- A relay between a client and a server of anybody's on this machine, which keeps what each sent: a
-- capture that needs no privilege.
local uv = require "luv"
local tcp = require "moonshake.views.tcp"

local relay = {}

-- Passes on what one end sends, and that it has ended.
local function pass(from, to, role, pieces)
  from:read_start(function(problem, piece)
    if piece then
      pieces[#pieces + 1] = { role, piece }
      to:write(piece)
    elseif problem then
      to:close()
    elseif not to:is_closing() then
      to:shutdown()
    end
  end)
end

--- Listens for one client of the server at this port. `port` is its own, `pieces` what was sent, as
--- { role, bytes }.
---@param server_port integer
---@return { port: integer, pieces: table[], close: fun() }
function relay.start(server_port)
  local listener, handles, pieces = uv.new_tcp(), {}, {}
  assert(listener:bind("127.0.0.1", 0))
  assert(listener:listen(1, function()
    local client, server = uv.new_tcp(), uv.new_tcp()
    handles[#handles + 1], handles[#handles + 2] = client, server
    assert(listener:accept(client))
    server:connect("127.0.0.1", server_port, function(problem)
      if problem then
        client:close()
        return
      end
      pass(client, server, "client", pieces)
      pass(server, client, "server", pieces)
    end)
  end))
  handles[1] = listener
  return {
    port = listener:getsockname().port, pieces = pieces,
    close = function()
      for _, handle in ipairs(handles) do
        if not handle:is_closing() then
          handle:close()
        end
      end
      uv.run "nowait"
    end,
  }
end

--- What was sent on some connections, as a capture file (pcap, not pcapng, and without secrets).
---@param connections table[][] pieces of each
---@param epoch integer
---@return string
function relay.capture(connections, epoch)
  local made, count = { ("<I4I2I2i4I4I4I4"):pack(0xA1B2C3D4, 2, 4, 0, 0, 262144, 1) }, 0
  for number, pieces in ipairs(connections) do
    local connection = tcp.connection(number, 1)
    local function add(frames)
      for _, frame in ipairs(frames) do
        count = count + 1
        made[#made + 1] = ("<I4I4I4I4"):pack(epoch, count, #frame, #frame) .. frame
      end
    end
    add(connection:open())
    for _, piece in ipairs(pieces) do
      add(connection:data(piece[1], piece[2]))
    end
    add { connection:finish "client", connection:finish "server", connection:acknowledge "client" }
  end
  return table.concat(made)
end

return relay
