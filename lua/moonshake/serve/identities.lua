-- SPDX-License-Identifier: MIT
-- Who a server is and whom it trusts: read from files, or made by an authority of its own, so that
-- nobody needs another tool to try something.
local files = require "moonshake.io.files"
local pki = require "moonshake.pki"

local identities = {}

local PRIVATE = tonumber("600", 8)

--- What the file of a browser, client.p12, is locked with: an import asks for one.
identities.PASSWORD = "moonshake"

-- Calls f(...); what it raises is returned as nil and a sentence.
local function try(f, ...)
  local done, value = pcall(f, ...)
  if done then
    return value
  end
  return nil, (tostring(value):gsub("^pki%.%w+: ", ""))
end

-- Where the authority's certificate is written to: beside what it made for a client, or in a
-- directory of its own, which goes when the server does.
local function place_for(made, client_directory)
  if client_directory then
    made.folder = client_directory
    return files.make_directory(client_directory)
  end
  local folder, problem = files.temporary_directory()
  made.folder, made.temporary = folder, folder
  return folder, problem
end

local NAMES = { "cert.pem", "chain.pem", "key.pem", "ca.pem", "client.p12" }

-- A key that somebody still needs is not written over.
local function none_there(directory)
  for _, name in ipairs(NAMES) do
    local path = directory:gsub("/+$", "") .. "/" .. name
    if files.kind(path) then
      return nil, path .. " is there already"
    end
  end
  return true
end

local function make_client(made, directory)
  local client = made.authority:issue { cn = "Moonshake client", purpose = "client" }
  local done, problem = try(client.save, client, directory)
  if not done then
    return nil, problem
  end
  return files.write(directory:gsub("/+$", "") .. "/client.p12",
                     client:pkcs12 { password = identities.PASSWORD }, PRIVATE)
end

-- The names that a certificate for this server has to have.
local function names_for(host)
  local dns, ip = { "localhost" }, { "127.0.0.1", "::1" }
  if host and host:find "^[%x:.]+$" and (host:find ":" or host:find "^[%d.]+$") then
    ip[#ip + 1] = host ~= ip[1] and host ~= ip[2] and host or nil
  elseif host and host ~= "localhost" then
    dns[#dns + 1] = host
  end
  return { cn = "Moonshake server", dns = dns, ip = ip, purpose = "server" }
end

local function own_authority(made, options)
  local done, problem = true, nil
  if options.make_client then
    done, problem = none_there(options.make_client)
  end
  if done then
    done, problem = place_for(made, options.make_client)
  end
  if not done then
    return nil, problem
  end
  made.authority = pki.authority { cn = "Moonshake authority" }
  made.authority_path = made.folder:gsub("/+$", "") .. "/ca.pem"
  done, problem = files.write(made.authority_path, made.authority.certificate:pem(), PRIVATE)
  if done and options.make_client then
    done, problem = make_client(made, options.make_client)
  end
  return done, problem
end

--- Makes or reads what a server needs.
---@param options table of the command: cert, key, ca, host, make_client
---@return table|nil made `identity`, `trust` (a list, or nil), `authority_path` (a file with the
---  certificate of an authority that was made), `temporary` (a directory to remove at the end)
---@return string|nil problem
function identities.make(options)
  local made = {}
  local done, problem = true, nil
  if not options.cert or options.make_client then
    done, problem = own_authority(made, options)
  end
  if done and options.cert then
    made.identity, problem = try(pki.load, { certificate = options.cert,
                                             key = options.key or options.cert })
    done = made.identity
  elseif done then
    made.identity, problem = try(function()
      return made.authority:issue(names_for(options.host))
    end)
    done = made.identity
  end
  local trust
  if done and options.ca then
    trust, problem = try(pki.certificates, options.ca)
    done = trust
  end
  if not done then
    identities.remove(made)
    return nil, problem
  end
  if made.authority and (options.make_client or not trust) then
    trust = table.move(trust or {}, 1, #(trust or {}), 1, {})
    trust[#trust + 1] = made.authority.certificate
  end
  made.trust = trust
  return made
end

--- Removes what was kept only as long as the server runs.
---@param made table
function identities.remove(made)
  if made.temporary then
    files.remove_tree(made.temporary)
  end
end

return identities
