-- SPDX-License-Identifier: MIT
-- What a script prints, or calls things, does nothing to the terminal that shows it, nor to those
-- who read the report.
local ms = require "moonshake"
local expect = ms.expect

local HOSTILE = "\27[2J\27]0;title\7\r\8\u{9B}1m\u{202E}\0\x80]]>&<\"'\n::error::x\n"
  .. "  ---\n  ...\nok 99 - forged\n##[error]x\n]]></failure>"

ms.scenario "prints them" {
  tags = HOSTILE,
  about = HOSTILE,
  rfc = HOSTILE,
  run = function()
    print(HOSTILE)
    expect(HOSTILE, HOSTILE):equals(HOSTILE .. HOSTILE)
  end,
}
ms.scenario "raises them" { run = function() error(HOSTILE, 0) end }
ms.scenario "notes them" {
  run = function()
    ms.note(HOSTILE)
    expect(1):equals(2)
  end,
}
ms.scenario "skips by them" { run = function() ms.skip(HOSTILE) end }
ms.scenario "is expected to fail by them" {
  expected_failure = HOSTILE,
  run = function() error(HOSTILE) end,
}
ms.scenario "has quotes \" ' ` and brackets [[ ]] < > & ; | # $( ) { } \\ % in its name" {
  matrix = { value = { "::error::x", "%s \"'[a=b,c=d]\u{E9}\u{1F319}" } },
  run = function(case) expect(case.value):equals(1) end,
}
