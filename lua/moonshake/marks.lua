-- SPDX-License-Identifier: MIT
-- Values that stand for themselves: nothing, not to be known, and the default.
local strict = require "moonshake.strict"

local marks = {}

--- Stands for nil in `has { ... }`, where a Lua table cannot hold one.
marks.none = strict.mark("tls.none", "it stands for nil in has{...}")

--- What a stack cannot tell. No expectation on it passes, negated or not.
marks.unknown = strict.mark("tls.unknown", "it stands for what a stack cannot tell")

--- As an option's value: as if the option had not been given.
marks.default = strict.mark("tls.default", "it stands for an option's default")

return marks
