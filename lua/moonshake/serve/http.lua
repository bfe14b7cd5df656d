-- SPDX-License-Identifier: MIT
-- HTTP/1.1 as far as a browser or curl needs it to be shown a page: requests are read from a stream
-- of bytes, within bounds of size and time, and answers are written down. Whose bytes they are, and
-- what is answered, others know.
local http = {}

local MOST_HEAD = 32 * 1024 -- bytes of a request's line and fields
local MOST_FIELDS = 100
local MOST_BODY = 1 << 20

http.REASONS = {
  [100] = "Continue", [200] = "OK", [400] = "Bad Request", [403] = "Forbidden",
  [404] = "Not Found", [405] = "Method Not Allowed", [408] = "Request Timeout",
  [413] = "Content Too Large", [417] = "Expectation Failed",
  [431] = "Request Header Fields Too Large", [500] = "Internal Server Error",
  [501] = "Not Implemented", [505] = "HTTP Version Not Supported",
}

-- RFC 9110 section 5.6.2
local TOKEN = "^[%w!#$%%&'*+%-.^_`|~]+$"

---------------------------------------------------------------------------------------------------
-- What a head says

-- One field into `fields`; the sentence that is wrong with it, or nil. What is given twice is a
-- list (RFC 9110 section 5.3).
local function add_field(fields, line)
  local name, value = line:match "^([^:]*):[ \t]*(.-)[ \t]*$"
  if not name then
    return "a field without a colon"
  elseif not name:find(TOKEN) then
    return "the name of a field is none" -- a space before the colon, a folded line
  elseif value:find "[%z\r]" then
    return "the value of a field has a control character in it"
  end
  name = name:lower()
  fields[name] = fields[name] and fields[name] .. ", " .. value or value
end

-- The length of the body; nil, a status and a sentence where it cannot be told or is too much.
local function body_length(fields)
  if fields["transfer-encoding"] then
    return nil, 501, "a body comes with a Content-Length here, and not in chunks"
  end
  local said = fields["content-length"]
  if not said then
    return 0
  end
  local length
  for one in (said .. ","):gmatch "%s*([^,]*),%s*" do -- the same, twice, is one (RFC 9110 8.6)
    local number = one:find "^%d+$" and (tonumber(one) or math.huge)
    if not number or length and number ~= length then
      return nil, 400, "Content-Length is not a number"
    end
    length = number
  end
  if length > MOST_BODY then
    return nil, 413, ("a body of more than %d bytes"):format(MOST_BODY)
  end
  return math.tointeger(length)
end

local function has_word(value, word)
  for one in (value or ""):lower():gmatch "[^%s,]+" do
    if one == word then
      return true
    end
  end
  return false
end

local function stays_open(request)
  local said = request.fields.connection
  if request.version == "1.0" then
    return has_word(said, "keep-alive")
  end
  return not has_word(said, "close")
end

--- A request's head as a table: `method`, `target`, `path` (without its query), `version` ("1.1"),
--- `fields` by their names in lower case, `length` of the body, `keep_alive`, `expects` (to be told
--- to go on).
---@param text string up to and without the empty line
---@return table|nil request
---@return integer|nil status what to answer instead
---@return string|nil sentence what is wrong
function http.parse(text)
  local lines = {}
  for line in (text .. "\n"):gmatch "([^\n]*)\n" do
    lines[#lines + 1] = line:gsub("\r$", "")
  end
  local method, target, major, minor = lines[1]:match "^(%S+) (%S+) HTTP/(%d)%.(%d)$"
  if not method or not method:find(TOKEN) then
    return nil, 400, "the first line is no request of HTTP/1.1"
  elseif major ~= "1" then
    return nil, 505, "HTTP/1.1 is spoken here"
  elseif #lines - 1 > MOST_FIELDS then
    return nil, 431, ("more than %d fields"):format(MOST_FIELDS)
  end
  local request = { method = method, target = target, version = "1." .. minor, fields = {} }
  for index = 2, #lines do
    local wrong = add_field(request.fields, lines[index])
    if wrong then
      return nil, 400, wrong
    end
  end
  if minor ~= "0" and not request.fields.host then
    return nil, 400, "the field Host is missing" -- RFC 9112 section 3.2
  end
  local status, sentence
  request.length, status, sentence = body_length(request.fields)
  if not request.length then
    return nil, status, sentence
  end
  local expect = request.fields.expect
  if expect and expect:lower() ~= "100-continue" then
    return nil, 417, "only 100-continue can be expected"
  end
  request.expects = expect ~= nil and minor ~= "0" and request.length > 0
  request.path = target:match "^https?://[^/?#]*([^?#]*)" or target:match "^[^?#]*"
  request.path = request.path == "" and "/" or request.path
  request.keep_alive = stays_open(request)
  return request
end

---------------------------------------------------------------------------------------------------
-- Reading

local Reader = {}
Reader.__index = Reader

--- What reads requests from a stream.
---@param receive fun(seconds: number): string|nil, string|nil the bytes that come next; or nil and
---   why ("timeout", ...)
---@param now fun(): number seconds
---@return table
function http.reader(receive, now)
  return setmetatable({ receive = receive, now = now, rest = "" }, Reader)
end

-- More bytes until the moment `due`; nil and why there are none.
local function read_more(self, due)
  local bytes, why = self.receive(math.max(0, due - self.now()))
  if bytes then
    self.rest = self.rest .. bytes
  end
  return bytes ~= nil, why
end

-- Where the head ends and what follows begins; nil if it has not come yet.
local function end_of_head(text, from)
  local at, last = text:find("\n\r?\n", from)
  return at, last
end

--- The head of the next request, read and understood.
---@param idle number seconds until its first byte
---@param seconds number from then on until its last
---@return table|nil request see http.parse
---@return string|nil why nothing more comes: "timeout" (before the first byte), "closed", a problem
---  word; or "bad"
---@return integer|nil status with "bad": what to answer
---@return string|nil sentence likewise
function Reader:head(idle, seconds)
  local due, begun = self.now() + idle, false
  local from = 1
  while true do
    self.rest = self.rest:gsub("^[\r\n]+", "") -- RFC 9112 section 2.2
    if self.rest ~= "" and not begun then
      due, begun = self.now() + seconds, true
    end
    local at, last = end_of_head(self.rest, from)
    if (at or #self.rest) > MOST_HEAD then
      return nil, "bad", 431, ("the request's fields take more than %d bytes"):format(MOST_HEAD)
    elseif at then
      local text = self.rest:sub(1, at - 1)
      self.rest = self.rest:sub(last + 1)
      local request, status, sentence = http.parse(text)
      return request, not request and "bad" or nil, status, sentence
    end
    from = math.max(1, #self.rest - 2)
    local came, why = read_more(self, due)
    if not came and why == "timeout" and begun then
      return nil, "bad", 408, ("the request was not whole within %g s"):format(seconds)
    elseif not came then
      return nil, why
    end
  end
end

--- The body of a request, which is read and thrown away.
---@param request table
---@param seconds number
---@return boolean|nil done
---@return string|nil why
function Reader:body(request, seconds)
  local due, left = self.now() + seconds, request.length
  while true do
    local taken = math.min(left, #self.rest)
    left, self.rest = left - taken, self.rest:sub(taken + 1)
    if left == 0 then
      return true
    end
    local came, why = read_more(self, due)
    if not came then
      return nil, why
    end
  end
end

---------------------------------------------------------------------------------------------------
-- Answering

--- An answer as bytes.
---@param request table|nil nil: none that could be understood
---@param answer { status: integer, type: string, body: string, fields: string[]? }
---@param keep_alive boolean whether another may follow
---@return string
function http.answer(request, answer, keep_alive)
  local lines = {
    ("HTTP/1.1 %d %s"):format(answer.status, http.REASONS[answer.status]),
    "Content-Type: " .. answer.type,
    "Content-Length: " .. #answer.body,
    "Cache-Control: no-store",
    "Vary: Accept",
    "X-Content-Type-Options: nosniff",
  }
  for _, field in ipairs(answer.fields or {}) do
    lines[#lines + 1] = field
  end
  lines[#lines + 1] = "Connection: " .. (keep_alive and "keep-alive" or "close")
  local is_head = request and request.method == "HEAD"
  return table.concat(lines, "\r\n") .. "\r\n\r\n" .. (is_head and "" or answer.body)
end

--- What tells a client that waits to be told to send its body.
http.CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n"

-- How much a client wants a type: 0 to 1, by the range that names it most closely, and how closely.
local function quality(accept, type)
  local best, closeness = 0, 0
  for range in accept:gmatch "[^,]+" do
    local name = range:match "^%s*([^;%s]+)" or ""
    local q = tonumber(range:match ";%s*[qQ]%s*=%s*([%d.]+)" or 1) or 0
    local close = name:lower() == type and 3
      or name:lower() == type:match "^[^/]*" .. "/*" and 2 or name == "*/*" and 1 or 0
    if close > closeness then
      best, closeness = q, close
    end
  end
  return best, closeness
end

--- Which of some types a client wants most by its field Accept; between equals, what it names more
--- closely, then the first. Without the field, or where it wants none, the first.
---@param accept string|nil
---@param types string[]
---@return string
function http.preferred(accept, types)
  local best, best_quality, best_closeness = types[1], 0, 0
  for _, type in ipairs(accept and types or {}) do
    local q, closeness = quality(accept, type)
    if q > best_quality or q == best_quality and q > 0 and closeness > best_closeness then
      best, best_quality, best_closeness = type, q, closeness
    end
  end
  return best
end

return http
