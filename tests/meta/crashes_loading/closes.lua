-- SPDX-License-Identifier: MIT
require("disaster").close_descriptors()
