-- SPDX-License-Identifier: MIT
local disaster = require "disaster"
print "loading"
disaster.segfault()
