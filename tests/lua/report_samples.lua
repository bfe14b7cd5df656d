-- SPDX-License-Identifier: MIT
-- Runs as a report is told of them, with text in every place that wants to be more than text.
local samples = {}

--- What a peer might send. Whoever lets it through moves a cursor, turns the direction of writing,
--- ends a line, an element, a cell, a quotation, or gives GitHub's runner a command.
samples.HOSTILE = "\27[31m\u{202E}\u{9B}#\\|`<b>&]]>\"'%0A,:$*[x](y)\xFF\0\r\n::error::x\n"
  .. "##[error]y"

--- That text behind a word by which it is found again.
function samples.hostile(word)
  return word .. samples.HOSTILE
end

local hostile = samples.hostile

--- A stream that keeps what is written; `problem` is what the disk says to a flush.
function samples.stream(problem)
  local pieces = {}
  return {
    write = function(self, ...)
      for _, piece in ipairs { ... } do
        pieces[#pieces + 1] = piece
      end
      return self
    end,
    flush = function(self)
      return not problem and self or nil, problem
    end,
    text = function()
      return table.concat(pieces)
    end,
  }
end

--- A failure with text in all of its places.
function samples.failure(kind)
  return {
    kind = kind or "expectation", message = hostile "message", file = hostile "file", line = 3,
    source = hostile "source", found = hostile "found", wanted = hostile "wanted",
    differences = { { path = hostile "path", found = hostile "one", wanted = hostile "two" } },
    notes = { hostile "remark", "note: with a colon", "a :: b: c" },
    trace = { "file.lua:3: in a function", hostile "trace" },
    events = { hostile "event" },
  }
end

local function wire(kind, more)
  local step = { kind = kind, from = "client", epoch = hostile "epoch", name = hostile "step",
                 level = "handshake", fate = "arrived", facts = { hostile "fact" },
                 lines = { hostile "line" } }
  for name, value in pairs(more or {}) do
    step[name] = value
  end
  return step
end

--- What a page shows of links (views/picture.lua), as JSON, with text in all places.
function samples.pictures()
  local cell = { { "!=", hostile "cell" }, { "!!", "  " .. hostile "indented" }, { "  ", "plain" } }
  local one = {
    model = {
      version = "TLS1.3", left_out = 1, ends = { client = "failed", server = hostile "phase" },
      steps = {
        wire "message", wire("message", { from = "server", fate = "unread", level = "none" }),
        wire("alert", { fatal = true, level = "application", fate = "lost" }),
        wire("data", { count = 3, fate = "unsent" }), wire("change_cipher_spec"),
        { kind = "mark", at = "server", what = "failed", bad = true, text = hostile "mark" },
        { kind = "mark", at = "client", what = "completed", text = "handshake complete" },
        { kind = "epoch", name = hostile "renegotiation" },
        { kind = "note", text = hostile "said" },
      },
    },
    state = {
      epochs = { { name = hostile "initial", rows = {
        { label = "", client = cell, server = cell }, { label = hostile "heading" },
        { label = hostile "row", client = cell, server = {} },
      } } },
      certificates = { { title = hostile "subject", facts = { { "names", hostile "name" },
                                                             { "", hostile "more" } } } },
      num_certificates = 2,
    },
    findings = {
      { kind = "failure", epoch = hostile "when", side = "server", what = hostile "what",
        why = { hostile "why" }, told = { client = hostile "told", server = "itself" },
        rfc = hostile "clause", next = hostile "next" },
      { kind = "note", epoch = "initial", side = "client", what = "besides", why = {},
        told = { client = "", server = "" }, rfc = "RFC 8446" },
    },
  }
  return require("dkjson").encode { links = { one, one }, problems = { hostile "trouble" } }
end

--- A case of this file.
function samples.case(file, name)
  return {
    id = file .. "::" .. name, file = file, line = 7, name = name, label = name,
    tags = { hostile "tag" }, needs = {}, params = { version = hostile "value", n = 3, on = true },
    rfc = hostile "rfc",
  }
end

--- A result of a case; `more` are further keys.
function samples.result(outcome, case, more)
  local made = { case = case, attempt = 1, outcome = outcome, failures = {}, notes = {},
                 seconds = 0.25 }
  for name, value in pairs(more or {}) do
    made[name] = value
  end
  return made
end

local case, result, failure = samples.case, samples.result, samples.failure

--- One result of each sort.
function samples.results()
  return {
    result("failed", case(hostile "first", hostile "failed"), {
      failures = { failure(), failure "error" }, notes = { hostile "narration" },
      output = "error: all wrong\n" .. hostile "printed", output_cut = 5,
      ends = '{"client":{"n":1,"alpn":[]}}',
      explanation = { hostile "explanation", "because of that", "next: this" },
      captures = { hostile "capture" },
    }),
    result("failed", case("second.lua", "crashes"), {
      failures = { { kind = "crashed", message = "killed by signal 11 (SIGSEGV)" } },
    }),
    result("failed", case("second.lua", "takes too long"), {
      failures = { { kind = "timeout", message = "timeout after 5 s" } },
    }),
    result("failed", case("second.lua", "eats memory"), {
      failures = { { kind = "memory", message = "more than 1 GiB" } },
    }),
    result("failed", case("second.lua", "expects nothing"), {
      failures = { { kind = "no_expectation", message = "the case made no expectation" } },
    }),
    result("failed", case("second.lua", "passes"), {
      failures = { { kind = "unexpected_pass", message = "the case passed" } },
    }),
    result("skipped", case(hostile "first", hostile "skipped"), { reason = hostile "skip" }),
    result("expected_failure", case("second.lua", hostile "expected"), {
      reason = hostile "bug", failures = { failure() },
    }),
    result("passed", case("second.lua", hostile "passed")),
    result("passed", case("second.lua", hostile "passed"), { attempt = 2, output = "hello\n" }),
  }
end

--- How such a run began.
function samples.plan(more)
  local plan = { count = 10, jobs = 2, seed = 42, shard = { index = 1, total = 3 }, repeats = 2,
                 version = hostile "0.1.0", stack = hostile "gnutls", started = 1700000000 }
  for name, value in pairs(more or {}) do
    plan[name] = value
  end
  return plan
end

--- And ended.
function samples.summary(more)
  local summary = {
    counts = { failed = 6, skipped = 1, expected_failure = 1, passed = 2 }, not_run = 1,
    interrupted = hostile "interrupted", seconds = 2.5,
    problems = { hostile "broken.lua:3: problem" }, unmatched = { hostile "unmatched" },
    lost = { hostile "lost" }, status = 1,
  }
  for name, value in pairs(more or {}) do
    summary[name] = value
  end
  return summary
end

--- A run in which nothing was done.
function samples.empty()
  return samples.plan { count = 0 }, {},
    { counts = {}, not_run = 0, interrupted = false, seconds = 0, problems = {}, unmatched = {},
      lost = {}, status = 5 }
end

--- Tells a report of a run: of the one above, unless another is given. Returns what finish() did.
function samples.tell(report, plan, results, summary)
  report:begin(plan or samples.plan())
  for _, ended in ipairs(results or samples.results()) do
    report:case_begins(ended.case, ended.attempt)
    report:case_ended(ended)
  end
  return report:finish(summary or samples.summary())
end

return samples
