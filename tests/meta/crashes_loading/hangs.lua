-- SPDX-License-Identifier: MIT
require("disaster").loop_for_ever()
