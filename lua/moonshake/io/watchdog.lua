-- SPDX-License-Identifier: MIT
-- A process that outlives this one by a moment, however this one ends, and kills the process groups
-- that it left: each is in a session of its own, so that nobody else's signal reaches it.

local uv = require "luv"
local loop = require "moonshake.io.loop"

local watchdog = {}

local SCRIPT = [[
groups=
while read -r sign group; do
  rest=
  for one in $groups; do
    [ "$one" = "$group" ] || rest="$rest $one"
  done
  groups=$rest
  [ "$sign" = - ] || groups="$groups $group"
done
for one in $groups; do
  kill -s KILL -- "-$one"
done
]]

local leash -- what it listens to; that closes when this process ends

local function tell(sign, group)
  if leash then
    leash:write(("%s %d\n"):format(sign, group))
  end
end

--- Has a group killed when this process ends.
---@param group integer
function watchdog.watch(group)
  if not leash then
    local pipe = uv.new_pipe(false)
    local handle
    handle = uv.spawn("/bin/sh", {
      args = { "-c", SCRIPT }, stdio = { pipe }, detached = true,
    }, loop.guard(function() -- somebody killed it
      handle:close()
      pipe:close()
      leash = nil
    end))
    if not handle then
      pipe:close()
      loop.settle()
      return
    end
    handle:unref()
    leash = pipe
  end
  tell("+", group)
end

--- Takes that back: the group is gone.
---@param group integer
function watchdog.forget(group)
  tell("-", group)
end

return watchdog
