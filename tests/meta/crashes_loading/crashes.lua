-- SPDX-License-Identifier: MIT
local disaster = require "disaster"
print "loading"
io.stdout:flush()
disaster.segfault()
