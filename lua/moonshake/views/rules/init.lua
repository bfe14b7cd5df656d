-- SPDX-License-Identifier: MIT
-- All rules by which explanations are found, in the order in which they are tried. A rule has
--   name   a word of its own
--   rfc    the clause: a text, or { older =, newer = } for what TLS 1.3 has elsewhere
--   find   function of a story (see views/story.lua): nil where it does not apply, else a table
--            message  the message that it is about, as the RFCs call it
--            what     one sentence, which names the side, the message and the reason
--            why      reasons that can be checked, each a clause; may have holes
--            next     what to do, an imperative; may be nil
--            side     "client" or "server": who refused or waits; default the end that failed first
--            kind     "note" where nobody failed for it; default "failure"
--            certificate, problem   of a chain: which one, and the verification's word for it
-- The rules of a chain all apply, each to its own problem; of the others the first one does.
local rules = {}

local CAUSES = {
  "transit", "no_certificate", "identity", "agreement", "renegotiation", "far_refusal", "carrier",
  "ending",
}
local CHAINS = { "chain_anchor", "chain_constraints", "chain_leaf" }

local function load(names)
  local list = {}
  for _, name in ipairs(names) do
    for _, rule in ipairs(require("moonshake.views.rules." .. name)) do
      list[#list + 1] = rule
    end
  end
  return list
end

--- Of these the first that applies to an epoch tells what went wrong.
rules.causes = load(CAUSES)

--- Each of these tells a problem of a chain that was refused.
rules.chains = load(CHAINS)

--- Each of these tells what is worth a word.
rules.notes = load { "notes" }

return rules
