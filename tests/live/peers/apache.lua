-- SPDX-License-Identifier: MIT
-- Apache, whose per-directory client certificates are asked for by a renegotiation, or after the
-- handshake in TLS 1.3. It takes no port 0: where somebody has taken the port meanwhile it ends.
local ms = require "moonshake"
local common = require "peers.common"

local apache = {}

local PROTOCOLS = { ["TLS1.2"] = "+TLSv1.2", ["TLS1.3"] = "+TLSv1.3" }
local AUTH = { request = "optional", require = "require" }

-- Where distributions keep the modules.
local MODULES = { "/usr/lib/apache2/modules", "/usr/lib64/httpd/modules", "/etc/httpd/modules",
                  "/usr/lib/httpd/modules", "/usr/local/lib/httpd/modules" }

-- Some have these built in, and loading them would fail.
local WANTED = { "mpm_event", "unixd", "authz_core", "log_config", "ssl", "socache_shmcb", "dir",
                 "mime" }

local CONFIGURATION = [[
ServerRoot @
PidFile @/httpd.pid
DefaultRuntimeDir @
Mutex file:@ default
ServerName server.example
Listen 127.0.0.1:%d
%s
TypesConfig /dev/null
DirectoryIndex index.html
LogLevel warn ssl:info
ErrorLog "|/bin/cat"
StartServers 1
DocumentRoot @/pages
<Directory />
  Require all granted
  AllowOverride None
</Directory>
SSLSessionCache none
SSLEngine on
SSLCertificateFile %s
SSLCertificateKeyFile %s
SSLProtocol -all %s
SSLCACertificateFile %s
SSLVerifyClient %s
SSLVerifyDepth 5
<Location /secret>
  SSLVerifyClient require
  SSLVerifyDepth 5
</Location>
]]

local function modules()
  for _, directory in ipairs(MODULES) do
    local file = io.open(directory .. "/mod_ssl.so")
    if file then
      file:close()
      local lines = {}
      for _, name in ipairs(WANTED) do
        local one = io.open(("%s/mod_%s.so"):format(directory, name))
        if one then
          one:close()
          lines[#lines + 1] = ("LoadModule %s_module %s/mod_%s.so"):format(name, directory, name)
        end
      end
      return table.concat(lines, "\n")
    end
  end
  ms.skip "Apache has no mod_ssl where distributions keep it"
end

-- As the superuser it wants another one for its children, who must reach the pages.
local function user_lines(directory, parent)
  if ms.program({ "id", "-u" }):wait().output ~= "0\n" then
    return ""
  end
  ms.program({ "chmod", "0755", parent, directory }):wait()
  ms.program({ "chmod", "-R", "a+rX", directory .. "/pages" }):wait()
  return "User nobody\n"
end

local function make_pages(directory)
  ms.program({ "mkdir", "-p", directory .. "/pages/secret" }):wait()
  common.write(directory .. "/pages/index.html", "the open page\n")
  common.write(directory .. "/pages/secret/index.html", "the secret page\n")
end

--- A server whose /secret wants a certificate. Returns the program and its port.
function apache.server(case, given)
  local saved = common.save(case, given.identity)
  local directory = saved.directory
  make_pages(directory)
  local more = modules() .. "\n" .. user_lines(directory, case.dir)
  local trust = common.save_trust(case, given.trust)
  return common.with_free_port(function(port)
    local text = CONFIGURATION:format(port, more, saved.chain, saved.key,
                                      PROTOCOLS[given.version] or "+TLSv1.2 +TLSv1.3", trust,
                                      AUTH[given.client_auth] or "none")
    local path = common.write(directory .. "/httpd.conf", (text:gsub("@", directory)))
    local program = ms.program {
      common.find("apache2", "httpd"), "-d", directory, "-f", path, "-DFOREGROUND", "-k", "start",
    }
    local line = program:line { match = "AH00489" } -- "... resuming normal operations"
    if line then
      return program
    end
    ms.expect(program:stop().output, "what Apache printed"):contains "AH00072" -- could not bind
  end)
end

return apache
