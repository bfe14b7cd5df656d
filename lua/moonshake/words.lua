-- SPDX-License-Identifier: MIT
-- The fixed words that an expectation may name. A misspelt one would never hold, and its negation
-- always: so they are checked. They are the core's.
local native = require "moonshake.native"

local words = {}

--- What `error.problem` can be: the harness's own word for the cause.
words.problems = native.words "problem"

--- What `verification.problems` can hold: GnuTLS's status flags without `invalid`, then the exact
--- findings where GnuTLS lumps several together.
words.verification_problems = native.words "verification"

--- GnuTLS's codes as `error.code` has them.
words.codes = native.words "code"

--- What `not_sent_because` can be.
words.absences = native.words "absence"

return words
