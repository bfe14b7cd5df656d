-- SPDX-License-Identifier: MIT
-- A headless Chromium, driven over the pipe that it offers for that (--remote-debugging-pipe: JSON,
-- each message ended by a zero, on its descriptors 3 and 4). No port, no driver beside it.
local json = require "dkjson"
local uv = require "luv"

local chromium = {}

local SECONDS = 120 -- for any one answer; a machine may be busy with other tests

local FLAGS = {
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
  "--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-pipe",
  -- Not even a name is looked up; what the test itself serves can be had.
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
}

local Browser = {}
Browser.__index = Browser

local function take(self, message)
  if message.id then
    self.answers[message.id] = message
  elseif message.method then
    self.told[#self.told + 1] = message
  end
end

local function on_read(self, problem, piece)
  if not piece then
    self.is_gone = problem or "it closed its pipe"
    return
  end
  self.rest = self.rest .. piece
  local ending = self.rest:find("\0", 1, true)
  while ending do
    take(self, assert(json.decode(self.rest:sub(1, ending - 1))))
    self.rest = self.rest:sub(ending + 1)
    ending = self.rest:find("\0", 1, true)
  end
end

-- Runs the loop until f() answers, and returns that.
local function await(self, what, f)
  local late = false
  self.timer:start(SECONDS * 1000, 0, function() late = true end)
  local answer = f()
  while not answer do
    assert(not late, ("Chromium: no answer within %d s: %s"):format(SECONDS, what))
    assert(not self.is_gone, ("Chromium: %s: %s\n%s"):format(what, self.is_gone, self.said))
    uv.run "once"
    answer = f()
  end
  self.timer:stop()
  return answer
end

--- Calls a method of the DevTools protocol and returns its result.
function Browser:call(method, params)
  self.last = self.last + 1
  local id = self.last
  self.to:write(json.encode {
    id = id, method = method, params = params or setmetatable({}, { __jsontype = "object" }),
    sessionId = self.session,
  } .. "\0")
  local answer = await(self, method, function() return self.answers[id] end)
  self.answers[id] = nil
  assert(not answer.error, ("%s: %s"):format(method, answer.error and answer.error.message))
  return answer.result
end

local function await_load(self, what)
  await(self, what, function()
    for _, message in ipairs(self.told) do
      if message.method == "Page.loadEventFired" then
        return true
      end
    end
  end)
end

--- Loads a page. What it did from then on is in `told`.
function Browser:open(url)
  self.told = {}
  local result = self:call("Page.navigate", { url = url })
  assert(not result.errorText, result.errorText)
  await_load(self, "loading " .. url)
end

--- Does what leads to another page.
function Browser:follow(expression)
  self.told = {}
  self:evaluate(expression)
  await_load(self, expression)
end

--- The value of an expression of JavaScript in the page.
function Browser:evaluate(expression)
  local answer = self:call("Runtime.evaluate",
                           { expression = expression, returnByValue = true, awaitPromise = true })
  if answer.exceptionDetails then
    local thrown = answer.exceptionDetails
    error(("%s: %s"):format(expression, thrown.exception and thrown.exception.description
                                         or thrown.text), 2)
  end
  return answer.result.value
end

--- Types a text.
function Browser:type(text)
  self:call("Input.insertText", { text = text })
end

local KEYS = { Tab = 9, ArrowRight = 39 }

--- Presses a key.
function Browser:press(key)
  for _, kind in ipairs { "keyDown", "keyUp" } do
    self:call("Input.dispatchKeyEvent",
              { type = kind, key = key, code = key, windowsVirtualKeyCode = KEYS[key] })
  end
end

--- Clicks into the middle of an element.
function Browser:click(selector)
  local place = self:evaluate(([[(() => {
    const element = document.querySelector(%q);
    element.scrollIntoView({ block: 'center', behavior: 'instant' });
    const box = element.getBoundingClientRect();
    return [box.x + box.width / 2, box.y + box.height / 2];
  })()]]):format(selector))
  for _, kind in ipairs { "mousePressed", "mouseReleased" } do
    self:call("Input.dispatchMouseEvent", {
      type = kind, x = place[1], y = place[2], button = "left", clickCount = 1,
    })
  end
end

--- How long the page has kept the browser busy, in milliseconds.
function Browser:busy()
  local sum = 0
  for _, one in ipairs(self:call "Performance.getMetrics".metrics) do
    sum = sum + (one.name == "TaskDuration" and one.value * 1000 or 0)
  end
  return math.floor(sum)
end

--- Shows the page on a screen of this size, light or dark, or as it is printed.
function Browser:show(how)
  self:call("Emulation.setDeviceMetricsOverride", {
    width = how.width, height = how.height or 900, deviceScaleFactor = how.scale or 1,
    mobile = how.width < 500,
  })
  self:call("Emulation.setEmulatedMedia", {
    media = how.print and "print" or "screen",
    features = { { name = "prefers-color-scheme", value = how.dark and "dark" or "light" } },
  })
end

--- What the page complained of or asked for since open(): errors and warnings of the console,
--- exceptions, and addresses that are no files.
function Browser:complaints()
  local list = {}
  self:evaluate "new Promise(done => requestAnimationFrame(() => setTimeout(done)))"
  for _, message in ipairs(self.told) do
    local params = message.params
    if message.method == "Log.entryAdded" then
      list[#list + 1] = ("%s: %s"):format(params.entry.level, params.entry.text)
    elseif message.method == "Runtime.consoleAPICalled" then
      list[#list + 1] = "console." .. params.type
    elseif message.method == "Runtime.exceptionThrown" then
      local details = params.exceptionDetails
      list[#list + 1] = "exception: " .. (details.exception and details.exception.description
                                          or details.text)
    elseif message.method == "Page.javascriptDialogOpening" then
      list[#list + 1] = "dialog: " .. params.message
    elseif message.method == "Network.requestWillBeSent" and params.type ~= "Document" then
      list[#list + 1] = "request: " .. params.request.url
    end
  end
  return table.concat(list, "\n")
end

--- Ends it.
function Browser:close()
  if not self.is_gone then
    self.session = nil
    pcall(self.call, self, "Browser.close")
  end
  pcall(await, self, "ending", function() return self.status end)
  if not self.status then
    self.process:kill "sigkill"
    uv.run "once"
  end
  os.execute("rm -rf '" .. self.profile .. "'")
end

--- Starts one, with a page; nil and what it said where it does not start here.
---@param path string of the program
function chromium.start(path)
  local profile = assert(uv.fs_mkdtemp((uv.os_tmpdir():gsub("/*$", "/")) .. "chromium-XXXXXX"))
  local to, from, errors = uv.new_pipe(false), uv.new_pipe(false), uv.new_pipe(false)
  local self = setmetatable({
    to = to, profile = profile, rest = "", said = "", answers = {}, told = {}, last = 0,
    timer = uv.new_timer(),
  }, Browser)
  local arguments = { table.unpack(FLAGS) }
  arguments[#arguments + 1] = "--user-data-dir=" .. profile
  arguments[#arguments + 1] = "about:blank"
  local problem
  self.process, problem = uv.spawn(path, {
    args = arguments, stdio = { nil, nil, errors, to, from },
  }, function(code) self.status = code end)
  if not self.process then
    return nil, problem
  end
  from:read_start(function(read_problem, piece) on_read(self, read_problem, piece) end)
  errors:read_start(function(_, piece)
    self.said = (self.said .. (piece or "")):sub(-4096)
  end)
  local has_begun, target = pcall(self.call, self, "Target.createTarget", { url = "about:blank" })
  if not has_begun then
    self:close()
    return nil, self.said
  end
  self.session = self:call("Target.attachToTarget",
                           { targetId = target.targetId, flatten = true }).sessionId
  for _, domain in ipairs { "Page", "Runtime", "Log", "Network", "Performance" } do
    self:call(domain .. ".enable")
  end
  return self
end

return chromium
