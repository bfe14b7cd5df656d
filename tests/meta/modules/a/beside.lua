-- SPDX-License-Identifier: MIT
return { name = "a" }
