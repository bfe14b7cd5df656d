-- SPDX-License-Identifier: MIT
require("disaster").write_garbage(3)
