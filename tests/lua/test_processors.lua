-- SPDX-License-Identifier: MIT
-- Quotas of control groups, as both versions of them tell them.
local unit = dofile((arg[0]:match ".*/" or "") .. "harness.lua")
local files = require "moonshake.io.files"
local processors = require "moonshake.io.processors"
local test, equal = unit.test, unit.equal

-- Calls f(root) with a folder in which these files stand.
local function with_groups(contents, f)
  local root = assert(files.temporary_directory())
  local _ <close> = setmetatable({}, { __close = function() files.remove_tree(root) end })
  for path, text in pairs(contents) do
    local folder = root
    for part in path:gmatch "([^/]+)/" do
      folder = folder .. "/" .. part
      files.make_directory(folder)
    end
    assert(files.write(root .. "/" .. path, text))
  end
  f(root)
end

test("the second version: a quota for a period, of the group or of one above it", function()
  with_groups({ ["a/b/cpu.max"] = "max 100000\n", ["a/cpu.max"] = "250000 100000\n",
                ["cpu.max"] = "400000 100000\n" }, function(root)
    equal(processors.quota("0::/a/b\n", root), 2.5)
    equal(processors.quota("0::/\n", root), 4.0)
    equal(processors.quota("0::/seen/elsewhere\n", root), 4.0)
  end)
end)

test("the first version: two files, and -1 for none", function()
  with_groups({ ["cpu/x/cpu.cfs_quota_us"] = "50000\n", ["cpu/x/cpu.cfs_period_us"] = "100000\n",
                ["cpu/cpu.cfs_quota_us"] = "-1\n", ["cpu/cpu.cfs_period_us"] = "100000\n" },
              function(root)
    equal(processors.quota("4:memory:/x\n3:cpu,cpuacct:/x\n", root), 0.5)
    equal(processors.quota("4:memory:/x\n3:cpu,cpuacct:/\n", root), nil)
  end)
end)

test("without groups there is no quota, and always one processor at least", function()
  with_groups({}, function(root)
    equal(processors.quota("0::/\n", root), nil)
    equal(processors.quota("", root), nil)
  end)
  equal(processors.available() >= 1, true)
end)

unit.done()
