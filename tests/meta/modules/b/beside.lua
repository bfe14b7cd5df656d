-- SPDX-License-Identifier: MIT
return { name = "b" }
