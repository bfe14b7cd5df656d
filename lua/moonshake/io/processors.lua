-- SPDX-License-Identifier: MIT
-- How many processors this process may use: those that it may run on, and no more than the quotas
-- of its control groups allow, which containers are given.
local uv = require "luv"

local processors = {}

local ROOT = "/sys/fs/cgroup"

local function read(path)
  local file <close> = io.open(path)
  return file and file:read "a" or ""
end

-- Processors' worth of a quota in microseconds a period; nil where there is none.
local function share(quota, period)
  quota, period = tonumber(quota), tonumber(period)
  return quota and period and quota > 0 and period > 0 and quota / period or nil
end

-- The quota of one group, in the second version's file or the first one's.
local function quota_of(folder)
  local quota, period = read(folder .. "/cpu.max"):match "^(%S+) (%d+)"
  if not quota then
    quota, period = read(folder .. "/cpu.cfs_quota_us"), read(folder .. "/cpu.cfs_period_us")
  end
  return share(quota, period)
end

--- The least quota of the groups that a process is in.
---@param groups string what /proc/PID/cgroup says
---@param root string where the groups' folders are
---@return number|nil processors' worth; nil for none
function processors.quota(groups, root)
  local least
  for controllers, path in groups:gmatch "%d+:([^:\n]*):([^\n]*)" do
    local base = controllers == "" and root
      or ("," .. controllers .. ","):find(",cpu,", 1, true) and root .. "/cpu"
    local folder = base and path:gsub("/$", "")
    while folder do -- a container may see its group as the root, or not at all
      local found = quota_of(base .. folder)
      least = found and math.min(least or found, found) or least
      folder = folder ~= "" and folder:match "^(.*)/[^/]*$" or nil
    end
  end
  return least
end

--- How many there are for this process, at least one.
---@return integer
function processors.available()
  local count = uv.available_parallelism()
  local quota = processors.quota(read "/proc/self/cgroup", ROOT)
  return quota and math.max(1, math.min(count, math.ceil(quota))) or count
end

return processors
