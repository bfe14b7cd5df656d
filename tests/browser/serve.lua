-- SPDX-License-Identifier: MIT
-- moonshake serve and a real browser with a client's certificate: the page shows what the browser
-- sent, or why it was not let in.
--   lua5.4 tests/browser/serve.lua CHROMIUM PROGRAM
package.path = "tests/browser/?.lua;" .. package.path
local chromium = require "chromium"
local unit = dofile "tests/lua/harness.lua"
local escape = require "moonshake.escape"
local files = require "moonshake.io.files"
local test, equal, contains = unit.test, unit.equal, unit.contains

local browser_path, program = arg[1], arg[2]

local function skip(reason)
  print("skipped: " .. reason)
  os.exit(0, true)
end

local function has(name)
  return os.execute(("command -v %s >/dev/null 2>&1"):format(name))
end

for _, name in ipairs { "certutil", "pk12util", "unshare" } do
  if not has(name) then
    skip("there is no " .. name)
  end
end

local directory = assert(files.temporary_directory())
local function below(name)
  return directory .. "/" .. name
end
local function shell(command)
  local pipe = assert(io.popen(("cd %s && { %s\n} 2>&1"):format(escape.shell(directory), command)))
  local text = pipe:read "a"
  return pipe:close(), text
end

-- A browser with a home and a policy of its own: only that says which certificate is shown without
-- a question, and it stands at one place for the whole system. So another file system is mounted
-- there, in the browser's view alone.
local WRAPPER = [[
#!/bin/sh
export HOME=%s
policies=/etc/chromium/policies/managed
exec unshare %s sh -c 'mount -t tmpfs tmpfs /etc/chromium && mkdir -p "$1" &&
  echo "$2" >"$1/certificates.json" && shift 2 && exec "$@"' sh "$policies" '%s' %s "$@"
]]
local POLICY = '{"AutoSelectCertificateForUrls":'
  .. '["{\\"pattern\\":\\"https://127.0.0.1\\",\\"filter\\":{}}"]}'

-- What unshare needs to mount something.
local function namespace()
  for _, how in ipairs { "-m", "-Urm" } do
    if shell(("unshare %s sh -c 'mount -t tmpfs tmpfs /etc/chromium'"):format(how)) then
      return how
    end
  end
  os.execute("rm -rf " .. escape.shell(directory))
  skip "nothing can be mounted for a browser alone, at /etc/chromium"
end
local how = namespace()

-- A browser that trusts the authority of `folder` and has the client's certificate there, or not.
local function browser_of(name, folder, with_certificate)
  assert(shell(("mkdir -p %s/.pki/nssdb && certutil -N -d sql:%s/.pki/nssdb --empty-password && "
    .. "certutil -A -d sql:%s/.pki/nssdb -n ca -t CT,, -i %s/ca.pem"):format(name, name, name,
                                                                             folder)))
  if with_certificate then
    assert(shell(("pk12util -d sql:%s/.pki/nssdb -K '' -W moonshake -i %s/client.p12"):format(
      name, folder)))
  end
  assert(files.write(below(name .. ".sh"), WRAPPER:format(
    escape.shell(below(name)), how, POLICY, escape.shell(browser_path)), tonumber("700", 8)))
  return chromium.start(below(name .. ".sh"))
end

local top = io.popen("pwd"):read "l"
program = program:sub(1, 1) == "/" and program or top .. "/" .. program

-- Runs f(url, browser) beside a server, with a browser of that name; returns what the server told.
local function serve(arguments, with_certificate, f)
  local name = with_certificate and "with" or "without"
  assert(shell(("rm -rf client %s out; %s serve --make-client client %s >out 2>err & echo $! >pid; "
    .. "until [ -s out ] || ! kill -0 $(cat pid); do :; done"):format(
    name, escape.shell(program), arguments)))
  local url = files.read(below "out"):match "listening on (%S+)"
  local browser, problem = browser_of(name, "client", with_certificate)
  if not browser then
    skip("the browser does not start: " .. tostring(problem):match "[^\n]*")
  end
  local done, message = xpcall(f, debug.traceback, url, browser)
  browser:close()
  shell "kill -TERM $(cat pid); while kill -0 $(cat pid); do :; done"
  if not done then
    error(message .. "\n" .. files.read(below "out") .. files.read(below "err"), 0)
  end
  return files.read(below "out")
end

local function text_of(browser)
  return browser:evaluate "document.body.innerText"
end

for _, version in ipairs { "TLS1.2", "TLS1.3" } do
  test("a browser is shown the certificate that it sent: " .. version, function()
    local told = serve("--client-auth require --versions " .. version, true, function(url, browser)
      browser:open(url)
      local text = text_of(browser)
      contains(text, "Let in")
      contains(text, "You sent one, and it is good.")
      contains(text, "CN=Moonshake client")
      contains(text, version)
      equal(browser:evaluate "document.querySelectorAll('svg.ms-diagram').length", 1)
      equal(browser:complaints(), "")
    end)
    contains(told, "sent     CN=Moonshake client")
    contains(told, "verified yes: the chain is good")
  end)

  test("a browser without one is told that it is required: " .. version, function()
    serve("--client-auth require --on-refusal explain --versions " .. version, false,
          function(url, browser)
      browser:open(url)
      local text = text_of(browser)
      contains(text, "Refused")
      contains(text, "a certificate is required, and the client sent none")
    end)
  end)
end

test("a browser shows its certificate by renegotiation, for a path", function()
  serve("--client-auth require --ask-at /secret --versions TLS1.2", true, function(url, browser)
    browser:open(url)
    contains(text_of(browser), "Nobody asked for one.")
    browser:follow "document.querySelector('a[href=\"/secret\"]').click()"
    local text = text_of(browser)
    contains(text, "You sent one, and it is good.")
    contains(text, "by renegotiation")
  end)
end)

test("a browser is told that it offers no way to be asked after the handshake", function()
  serve("--client-auth require --ask-at /secret --versions TLS1.3", true, function(url, browser)
    browser:open(url .. "secret")
    contains(text_of(browser), "the client did not offer the extension post_handshake_auth")
  end)
end)

os.execute("rm -rf " .. escape.shell(directory))
unit.done()
