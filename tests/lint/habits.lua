-- SPDX-License-Identifier: MIT
-- What no file may lack (a licence) or contain (calls that cut, wait, or go round the allocator).
local sources = require "sources"

local FOLDERS = { "core", "lua", "scenarios", "tests", ".ci/run", "CMakeLists.txt" }

-- A pattern of a call -> why not. Names are matched whole.
local CALLS = {
  strcpy = "it knows no limit: ms_copy_text, or snprintf",
  strcat = "it knows no limit: snprintf",
  strncpy = "it may leave out the final zero: snprintf",
  sprintf = "it knows no limit: snprintf",
  vsprintf = "it knows no limit: vsnprintf",
  gets = "it knows no limit",
  atoi = "it cannot tell an error: strtol",
  strtok = "it keeps state between calls",
  alloca = "it cannot fail cleanly: ms_alloc",
  localtime = "its result is shared; times are UTC: gmtime_r",
  gmtime = "its result is shared: gmtime_r",
  system = "no shell in the core",
  sleep = "nothing waits for time to pass: use a condition or the clock",
  usleep = "nothing waits for time to pass: use a condition or the clock",
  nanosleep = "nothing waits for time to pass: use a condition or the clock",
}

-- Of these the core has its own, which tests make fail.
local ALLOCATOR = { malloc = true, calloc = true, realloc = true, strdup = true, free = true }

local function without_comment(line, in_comment)
  if in_comment then
    local rest = line:match "%*/(.*)$"
    return rest or "", rest == nil
  end
  line = line:gsub('"[^"]*"', '""'):gsub("/%*.-%*/", ""):gsub("//.*", "")
  local code = line:match "^(.-)/%*"
  return code or line, code ~= nil
end

local function check_c(path)
  local in_comment = false
  for number, line in ipairs(sources.lines(path)) do
    local code
    code, in_comment = without_comment(line, in_comment)
    for name in code:gmatch "%f[%w_]([%a_][%w_]*)%s*%(" do
      if CALLS[name] then
        sources.complain(path, number, "%s: %s", name, CALLS[name])
      elseif ALLOCATOR[name] and path:find "^core/" and path ~= "core/ground/memory.c" then
        sources.complain(path, number, "%s: the core allocates through memory.h", name)
      end
    end
    if code:find "%f[%w_]assert%s*%(.*[^=!<>]=[^=]" or code:find "%f[%w_]assert%s*%(.*%+%+" then
      sources.complain(path, number, "assert with a side effect, which NDEBUG takes away")
    end
  end
end

local function check_lua(path)
  for number, line in ipairs(sources.lines(path)) do
    local code = line:gsub("%-%-.*", "")
    if code:find "%f[%w_]uv%.sleep" or code:find 'os%.execute.*sleep' then
      sources.complain(path, number, "nothing waits for time to pass")
    end
  end
end

local LICENSED = { ".c", ".h", ".lua", ".txt", ".cmake", ".bash", "run", ".expected" }

for _, path in ipairs(sources.list(FOLDERS, LICENSED)) do
  local lines = sources.lines(path)
  if not ((lines[1] or "") .. (lines[2] or "")):find("SPDX-License-Identifier: MIT", 1, true) then
    sources.complain(path, 1, "the first line does not name the licence")
  end
  for number, line in ipairs(lines) do
    if line:find "%s$" and not path:find "%.md$" and not path:find "%.expected$" then
      sources.complain(path, number, "white space at the end of the line")
    elseif line:find "\t" and path:find "%.[chlua]+$" then
      sources.complain(path, number, "a tab")
    end
  end
end
for _, path in ipairs(sources.list({ "core", "lua" }, { ".c", ".h" })) do
  check_c(path)
end
for _, path in ipairs(sources.list({ "lua", "scenarios", "tests" }, { ".lua" })) do
  check_lua(path)
end
sources.finish "habits"
