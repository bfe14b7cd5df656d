-- SPDX-License-Identifier: MIT
-- Expectations: expect(v) stops the case where it does not hold, check(v) records it and goes on.
--
-- The agreement with moonshake.scenario (which requires this file, never the other way round at
-- load time: `scenario.current` is looked up when the first expectation is judged):
--   scenario.current() -> the case that runs, or nil outside of one. Of the case we call
--     case:count_expectation()        once for each matcher that is judged, before it is
--     case:record_failure(failure)    for a failed check(); the case goes on
--     case:on_close(f)                (tls.lua) f() when the case ends, in reverse order; f does
--                                     not raise and may be called twice
--   A failed expect() raises the failure itself: a table that expect.is_failure(x) knows, with
--     kind = "expectation"
--     message      one line: the label, what was expected, of what
--     found, wanted   printed values, may have several lines; wanted nil where the matcher takes
--                     nothing
--     differences  list of { path =, found =, wanted = } (printed values), empty where there is
--                     only one value
--     notes        list of lines that say more ("client reports ..., on the wire was ...")
--     events       list of lines, the last events of both ends, empty for other values
--     file, line   the script's line (file as the chunk is named: a path)
--     source       that line's text without indentation, nil where the file cannot be read
--   tostring(failure) is all of it as text, "FILE:LINE: message" first.
--   Outside of a scenario check() raises as expect() does.
local expect = {}

return expect
