-- SPDX-License-Identifier: MIT
-- nginx, at a unix socket: it takes no port 0. What it refuses it refuses by HTTP, not by TLS.
local ms = require "moonshake"
local common = require "peers.common"

local nginx = {}

local PROTOCOLS = { ["TLS1.2"] = "TLSv1.2", ["TLS1.3"] = "TLSv1.3" }
local AUTH = { request = "optional", require = "on" }

local CONFIGURATION = [[
daemon off;
%s
pid @/nginx.pid;
worker_processes 1;
error_log stderr notice;
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path @/body;
  proxy_temp_path @/proxy;
  fastcgi_temp_path @/fastcgi;
  uwsgi_temp_path @/uwsgi;
  scgi_temp_path @/scgi;
  server {
    listen unix:@/socket ssl;
    ssl_certificate %s;
    ssl_certificate_key %s;
    ssl_protocols %s;
    %s
    location / {
      default_type text/plain;
      return 200 "verify=$ssl_client_verify subject=$ssl_client_s_dn\n";
    }
  }
}
]]

-- Workers of the superuser's give up their rights, and with them the case's directory.
local function user_line()
  local program = ms.program { "id", "-u" }
  return program:wait().output == "0\n" and "user root;" or ""
end

--- A server. Returns the program and the path of its socket.
function nginx.server(case, given)
  local saved = common.save(case, given.identity)
  local directory = saved.directory
  local lines = {}
  if given.client_auth then
    lines = { ("ssl_client_certificate %s;"):format(common.save_trust(case, given.trust)),
              ("ssl_verify_client %s;"):format(AUTH[given.client_auth]), "ssl_verify_depth 2;" }
  end
  local text = CONFIGURATION:format(user_line(), saved.chain, saved.key,
                                    PROTOCOLS[given.version] or "TLSv1.2 TLSv1.3",
                                    table.concat(lines, "\n    "))
  local path = common.write(directory .. "/nginx.conf", (text:gsub("@", directory)))
  local program = ms.program {
    common.find "nginx", "-p", directory, "-c", path, "-e", "stderr",
  }
  ms.expect(program:line { match = "start worker process " }, "nginx's line"):matches "start"
  return program, directory .. "/socket"
end

return nginx
