-- SPDX-License-Identifier: MIT
-- Does not load either; the next file's problem stands behind this backslash.
error "no way \\"
