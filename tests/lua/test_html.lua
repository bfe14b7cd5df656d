-- SPDX-License-Identifier: MIT
-- Of what the pages of a report are made: markup, hashes, and colours that can be read.
local unit = dofile((arg[0]:match ".*/" or "") .. "harness.lua")
local files = require "moonshake.io.files"
local frame = require "moonshake.report.html.frame"
local h = require "moonshake.report.html.markup"
local sha256 = require "moonshake.report.html.sha256"
local style = require "moonshake.report.html.style"
local test, equal, contains = unit.test, unit.equal, unit.contains

test("what is no element is text, in content and in attributes", function()
  equal(h.text(h.p { class = "a", "1 < 2 & ", h.b { "\"x\"" } }),
        '<p class="a">1 &lt; 2 &amp; <b>&quot;x&quot;</b></p>')
  equal(h.text(h.a { href = '"><script>', title = "it's", "</a>" }),
        '<a href="&quot;&gt;&lt;script&gt;" title="it&#39;s">&lt;/a&gt;</a>')
  equal(h.text("<", { html = "<i>" }, h.raw "<i>"), "&lt;<i>", "a table is no element")
end)

test("lists, numbers and what is not there", function()
  equal(h.text(h.ul { h.each({ "a", "b" }, function(item, index)
    return h.li { index, item }
  end), false }), "<ul><li>1a</li><li>2b</li></ul>")
  equal(h.text(h.each(nil, h.li)), "")
  equal(h.text(h.input { checked = true, disabled = false, type = "radio" }),
        '<input checked="checked" type="radio"/>')
end)

test("attributes stand in one order", function()
  for _ = 1, 20 do
    equal(h.text(h.p { id = "3", class = "2", ["aria-label"] = "1" }),
          '<p aria-label="1" class="2" id="3"></p>')
  end
end)

test("SHA-256 is that of FIPS 180", function()
  equal(sha256 "", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")
  equal(sha256 "abc", "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=")
  equal(sha256(("a"):rep(1000)), "Qe3s5C1j6Nm/UVqbppMuHCDLyfWl0TRkWttdsblzfqM=")
end)

test("SHA-256 is that of openssl, whatever the length", function()
  if not files.find_program "openssl" then
    return
  end
  local path = os.tmpname()
  for _, length in ipairs { 1, 54, 55, 56, 57, 63, 64, 65, 119, 120, 200 } do
    local text = ("\xA5x"):rep(100):sub(1, length)
    assert(files.write(path, text))
    local pipe = assert(io.popen("openssl dgst -sha256 -binary " .. path .. " | openssl base64 -A"))
    equal(sha256(text), pipe:read "a", length)
    pipe:close()
  end
  os.remove(path)
end)

test("numbers and times are told for people", function()
  equal(frame.number(0), "0")
  equal(frame.number(999), "999")
  equal(frame.number(1000), "1,000")
  equal(frame.number(1234567), "1,234,567")
  equal(frame.seconds(0.0124), "0.012 s")
  equal(frame.seconds(754.4), "754 s")
  equal(frame.seconds(nil), "0.000 s")
  equal(frame.time(0), "1970-01-01 00:00:00 UTC")
  equal(frame.time(math.huge), nil)
end)

test("nothing in style and script breaks a page that is read as XML", function()
  for _, part in ipairs { style.index, style.case, style.script } do
    equal(part[1]:find "[<&]", nil)
    equal(part[1]:find("]]>", 1, true), nil)
    equal(part[2], sha256(part[1]))
  end
end)

-- The relative luminance of WCAG 2.
local function luminance(colour)
  local sum, weights = 0, { 0.2126, 0.7152, 0.0722 }
  local index = 0
  for digits in colour:gmatch "%x%x" do
    index = index + 1
    local value = tonumber(digits, 16) / 255
    sum = sum + weights[index] * (value <= 0.03928 and value / 12.92
                                  or ((value + 0.055) / 1.055) ^ 2.4)
  end
  return sum
end

local function contrast(a, b)
  local one, other = luminance(a), luminance(b)
  return (math.max(one, other) + 0.05) / (math.min(one, other) + 0.05)
end

test("every text can be read on every ground, light, dark and on paper (WCAG 2 AA)", function()
  local themes = 0
  for block in style.index[1]:gmatch ":root (%b{})" do
    local colours = {}
    for name, colour in block:gmatch "%-%-([%w-]+): (#%x+)" do
      colours[name] = colour
    end
    themes = themes + 1
    for _, text in ipairs { "ink", "soft", "accent", "passed", "failed", "skipped", "known" } do
      for _, ground in ipairs { "page", "card", "sunk", "failed-tint" } do
        local found = contrast(colours[text], colours[ground])
        equal(found >= 4.5, true, ("%d: %s on %s, %.2f"):format(themes, text, ground, found))
      end
    end
  end
  equal(themes, 3)
  contains(style.case[1], "prefers-color-scheme: dark")
end)

unit.done()
