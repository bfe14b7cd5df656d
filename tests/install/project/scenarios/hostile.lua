-- SPDX-License-Identifier: MIT
-- Names and tags with every character that CMake gives a meaning.
local ms = require "moonshake"

ms.scenario [==[a;b "c" [[d ]e] ]=] $f ${g} $ENV{h} @i@ $<j> \k \; 'l' #m (n) ü ]==] {
  tags = { "x;y", "[p", "q]", [["z" ${w} \]] },
  matrix = { value = { "]]", "[[", "]=]", "x;y\\" } },
  run = function(case)
    ms.expect(#case.value > 1):is_true()
  end,
}
