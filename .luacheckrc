-- SPDX-License-Identifier: MIT
std = "lua54"
max_line_length = 100
exclude_files = { "tests/meta/load" } -- files that must not load
