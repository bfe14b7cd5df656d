-- SPDX-License-Identifier: MIT
-- How the pages of a report look: light and dark, from a telephone to a wide screen, and on paper.
-- A page allows the style that has its hash and no other. (Neither & nor < may stand in it: pages
-- are XML, too.)
local diagram_svg = require "moonshake.views.diagram_svg"
local sha256 = require "moonshake.report.html.sha256"

local style = {}

local BASE = [[
:root {
  color-scheme: light dark;
  --page: #f6f6f4; --card: #ffffff; --sunk: #f0f0ee; --ink: #1c1e26; --soft: #5b6070;
  --line: #dfe0e5; --accent: #3546b4;
  --passed: #166b3d; --failed: #b01e2f; --skipped: #755200; --known: #68419f;
  --failed-tint: #fdf1f1; --accent-tint: #eef0fb;
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #13141a; --card: #1b1d25; --sunk: #22242e; --ink: #e7e8ee; --soft: #a3a8b8;
    --line: #31343f; --accent: #a5b1ff;
    --passed: #62cd93; --failed: #ff8a90; --skipped: #deb35a; --known: #c3a8f0;
    --failed-tint: #2b1c22; --accent-tint: #22263b;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0 auto; padding: 2.5rem clamp(1rem, 4vw, 3rem) 5rem; max-width: 76rem;
  background: var(--page); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans",
    sans-serif;
  overflow-wrap: anywhere;
}
h1 {
  margin: 0.35rem 0 0.75rem; font-size: clamp(1.45rem, 1.1rem + 1.6vw, 2.1rem); line-height: 1.2;
  font-weight: 650; letter-spacing: -0.015em; text-wrap: balance;
}
h2 { margin: 0; font-size: 1.15rem; line-height: 1.3; font-weight: 650; }
h3 { margin: 0; font-size: 1rem; font-weight: 600; }
p, dl, ul, pre, figure { margin: 0; padding: 0; }
ul { list-style: none; }
a { color: var(--accent); text-underline-offset: 0.2em; text-decoration-thickness: 0.06em; }
a, code, dd, td, th, li { unicode-bidi: isolate; }
code, pre { font-family: var(--mono); font-size: 0.875em; tab-size: 2; }
[hidden] { display: none !important; }
:focus-visible { outline: 0.18rem solid var(--accent); outline-offset: 0.15rem;
  border-radius: 0.2rem; }
.skip { position: absolute; left: 1rem; top: -4rem; padding: 0.5rem 1rem; background: var(--card);
  border-radius: 0.5rem; }
.skip:focus { top: 0.5rem; }
.soft { color: var(--soft); }
.brand { color: var(--soft); font-size: 0.9rem; }
.outcome { font-weight: 600; white-space: nowrap; }
.passed .outcome, .outcome.passed { color: var(--passed); }
.failed .outcome, .outcome.failed { color: var(--failed); }
.skipped .outcome, .outcome.skipped { color: var(--skipped); }
.expected_failure .outcome, .outcome.expected_failure { color: var(--known); }
.facts { display: flex; flex-wrap: wrap; gap: 0.35rem 2.25rem; font-size: 0.9rem; }
.facts dt { color: var(--soft); font-size: 0.8rem; }
.facts dd { margin: 0; }
.tag { display: inline-block; padding: 0 0.5em; border: 1px solid var(--line);
  border-radius: 1em; color: var(--soft); font-size: 0.8rem; line-height: 1.5; }
footer { margin-top: 3rem; color: var(--soft); font-size: 0.85rem; }
@media print {
  :root { color-scheme: light; --page: #ffffff; --card: #ffffff; --sunk: #ffffff; --ink: #000000;
    --soft: #444444; --line: #999999; --accent: #000000; --passed: #166b3d; --failed: #b01e2f;
    --skipped: #755200; --known: #68419f; --failed-tint: #ffffff; --accent-tint: #ffffff; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  .skip, .screen { display: none; }
  a { color: inherit; text-decoration: none; }
}
]]

local INDEX = [[
.bar { display: block; width: 100%; height: 0.6rem; margin: 0 0 1.25rem; border-radius: 0.3rem;
  background: var(--line); forced-color-adjust: none; }
.bar .passed { fill: var(--passed); }
.bar .failed { fill: var(--failed); }
.bar .skipped { fill: var(--skipped); }
.bar .expected_failure { fill: var(--known); }
.trouble { margin-top: 2rem; padding: 1rem 1.25rem; background: var(--failed-tint);
  border-left: 0.25rem solid var(--failed); border-radius: 0.3rem; }
.trouble ul { margin-top: 0.5rem; display: grid; gap: 0.5rem; }
.trouble pre { white-space: pre-wrap; }
.find { display: flex; flex-wrap: wrap; gap: 0.75rem 1.5rem; align-items: center;
  margin: 2.25rem 0 1.5rem; }
fieldset { display: flex; flex-wrap: wrap; gap: 0.4rem; margin: 0; padding: 0; border: 0;
  min-width: 0; }
legend { float: left; margin-right: 0.6rem; padding: 0.3rem 0; color: var(--soft);
  font-size: 0.9rem; }
fieldset input { position: absolute; opacity: 0; }
fieldset label { padding: 0.3rem 0.85rem; border: 1px solid var(--line); border-radius: 2rem;
  background: var(--card); font-size: 0.9rem; cursor: pointer; }
fieldset label b { font-weight: 600; font-variant-numeric: tabular-nums; }
fieldset input:checked + label { background: var(--ink); border-color: var(--ink);
  color: var(--page); }
fieldset input:focus-visible + label { outline: 0.18rem solid var(--accent);
  outline-offset: 0.15rem; }
#search { flex: 1 1 16rem; display: flex; gap: 0.6rem; align-items: center; }
#search label { color: var(--soft); font-size: 0.9rem; }
#search input { flex: 1; min-width: 0; padding: 0.4rem 0.85rem; font: inherit; color: inherit;
  background: var(--card); border: 1px solid var(--soft); border-radius: 0.5rem; }
#told { width: 100%; margin: 0; font-size: 0.85rem; }
.file { margin-top: 1.5rem; content-visibility: auto; contain-intrinsic-size: auto 20rem; }
.file h2 { margin-bottom: 0.5rem; font-family: var(--mono); font-size: 0.9rem;
  font-weight: 500; color: var(--soft); }
.file ul { border: 1px solid var(--line); border-radius: 0.6rem; background: var(--card);
  overflow: hidden; }
.file li { display: grid; grid-template-columns: 7.5rem 1fr auto 5rem; gap: 0 1rem;
  align-items: baseline; padding: 0.5rem 1rem; border-top: 1px solid var(--line); }
.file li:first-child { border-top: 0; }
.file li.failed { background: var(--failed-tint); }
.file a { color: inherit; text-decoration-color: var(--line); }
.file a:hover { text-decoration-color: currentColor; }
.file .outcome { font-size: 0.85rem; }
.file .tags { display: flex; flex-wrap: wrap; gap: 0.25rem; justify-content: flex-end; }
.file .time { text-align: right; color: var(--soft); font-size: 0.85rem; white-space: nowrap;
  font-variant-numeric: tabular-nums; }
.file .why { grid-column: 2 / -1; color: var(--soft); font-size: 0.85rem; }
body:has(#show-failed:checked) li:not(.failed),
body:has(#show-passed:checked) li:not(.passed),
body:has(#show-skipped:checked) li:not(.skipped),
body:has(#show-expected_failure:checked) li:not(.expected_failure),
body:has(#show-failed:checked) .file:not(:has(.failed)),
body:has(#show-passed:checked) .file:not(:has(.passed)),
body:has(#show-skipped:checked) .file:not(:has(.skipped)),
body:has(#show-expected_failure:checked) .file:not(:has(.expected_failure)) { display: none; }
.trouble li { display: block !important; }
@supports not selector(:has(a)) { fieldset { display: none; } }
@media (max-width: 44rem) {
  body { padding-top: 1.5rem; }
  .file li { grid-template-columns: 1fr auto; gap: 0.15rem 1rem; padding: 0.65rem 0.85rem; }
  .file a, .file .tags, .file .why { grid-column: 1 / -1; justify-content: flex-start; }
  .file a { grid-row: 1; }
  .file .time { grid-row: 2; grid-column: 2; }
}
@media print {
  .find { display: none; }
  .file { content-visibility: visible; }
  .file li { break-inside: avoid; }
}
]]

local CASE = [[
:root { --ms-ink: var(--ink); --ms-soft: var(--soft); --ms-line: var(--line);
  --ms-paper: var(--card); --ms-none: var(--soft); --ms-handshake: var(--known);
  --ms-application: var(--accent); --ms-good: var(--passed); --ms-bad: var(--failed);
  --ms-note: var(--skipped); }
nav { font-size: 0.9rem; }
main { display: grid; gap: 2.75rem; margin-top: 2.5rem; }
main, section, .card { grid-template-columns: minmax(0, 1fr); }
section, .card { display: grid; gap: 0.9rem; align-content: start; }
h1 .outcome { display: block; margin-bottom: 0.3rem; font-size: 0.95rem; letter-spacing: 0; }
.columns h3, h4 { margin: 0; font-size: 0.95rem; font-weight: 600; }
.about { max-width: 46rem; margin-bottom: 1rem; font-size: 1.05rem; }
.link { gap: 2rem; }
.card { padding: 1.1rem 1.35rem; background: var(--card); border: 1px solid var(--line);
  border-radius: 0.6rem; }
.card.bad { border-left: 0.25rem solid var(--failed); }
.card.told { border-left: 0.25rem solid var(--accent); }
.message { font-weight: 600; white-space: pre-wrap; }
.dots { padding-left: 1.2rem; list-style: disc; }
.scroll { overflow-x: auto; }
pre { line-height: 1.5; }
.code { padding: 0.7rem 0.9rem; width: max-content; min-width: 100%; background: var(--sunk);
  border-radius: 0.4rem; }
.wrap { white-space: pre-wrap; }
.values { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 0.4rem 1.25rem;
  font-size: 0.95rem; }
.values dt { color: var(--soft); }
.values dd { margin: 0; }
.columns { display: grid; gap: 0.9rem; grid-template-columns: repeat(auto-fill,
  minmax(min(100%, 27rem), 1fr)); }
.columns .values { font-size: 0.875rem; gap: 0.15rem 1.25rem; }
table { border-collapse: collapse; width: 100%; table-layout: fixed; font-size: 0.9rem; }
caption { text-align: left; color: var(--soft); padding-bottom: 0.3rem; }
th, td { padding: 0.4rem 1.25rem 0.4rem 0; border-top: 1px solid var(--line); text-align: left;
  vertical-align: top; font-weight: 400; }
thead th, thead td { border-top: 0; color: var(--soft); font-size: 0.85rem; }
thead td { width: 10.5rem; }
tbody th { color: var(--soft); }
tr.group th { padding-top: 1.2rem; color: var(--ink); font-weight: 600; border-top: 0; }
.in { padding-left: 1.25rem; }
.marked { font-weight: 600; color: var(--failed); }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap; }
.ms-diagram { display: block; width: 100%; max-width: 42rem; min-width: 27rem; height: auto;
  margin: 0 auto; }
summary { cursor: pointer; color: var(--accent); font-size: 0.9rem; width: max-content;
  max-width: 100%; }
details[open] summary { margin-bottom: 0.8rem; }
.all { user-select: all; }
@media (max-width: 44rem) {
  body { padding-top: 1.25rem; }
  .card { padding: 0.9rem; }
  .diagram { padding: 0.6rem 0.3rem; }
  thead td { width: 4.8rem; }
  .values { grid-template-columns: minmax(0, 1fr); gap: 0.1rem; }
  .values dd { margin-bottom: 0.5rem; }
  th, td { padding-right: 0.7rem; }
}
@media print {
  details::details-content { content-visibility: visible; block-size: auto; }
  .card, tr { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  .code { width: auto; }
  pre { white-space: pre-wrap; }
  .ms-diagram { min-width: 0; max-width: 40rem; }
}
]]

-- A text without its indentation, and its hash.
local function hashed(...)
  local text = table.concat({ ... }):gsub("\n +", "\n")
  return { text, sha256(text) }
end

--- Of the index and of a case's page: { text, hash }.
style.index = hashed(BASE, INDEX)
style.case = hashed(BASE, CASE, (diagram_svg.style():gsub("</?style>", "")))

--- What the index can do where scripts run, in the same way.
style.script = hashed((require "moonshake.report.html.script"))

return style
