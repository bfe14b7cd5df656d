-- SPDX-License-Identifier: MIT
-- What `require "moonshake"` gives: everything that a script needs, by its public name.
local expect = require "moonshake.expect"
local scenario = require "moonshake.scenario"
local strict = require "moonshake.strict"

return strict.module("ms", {
  scenario = scenario.define,
  note = scenario.note,
  skip = scenario.skip,
  expect = expect.expect,
  check = expect.check,
  pki = require "moonshake.pki",
  tls = require "moonshake.tls",
  clock = require "moonshake.clock",
  together = require "moonshake.together",
  program = require("moonshake.foreign").start,
})
