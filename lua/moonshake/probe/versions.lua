-- SPDX-License-Identifier: MIT
-- The versions that a probe tries, oldest first.
return { "TLS1.0", "TLS1.1", "TLS1.2", "TLS1.3" }
