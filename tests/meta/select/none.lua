-- SPDX-License-Identifier: MIT
-- A file without a scenario.
return {}
