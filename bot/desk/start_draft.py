"""Puts together what a person starts: his own arguments, and what the policy hides from him as it was proposed.

Shows nothing, and judges nothing.
"""

from approval_rules.canonical import canonical_text, digest_of_text
from approval_rules.commands import Draft
from approval_rules.initiation import withheld
from approval_rules.people import ToolName
from approval_rules.state import Proposal
from approval_rules.text import AgentJson, AgentText, unwrap_object

_NOTHING = AgentJson({})


def draft_of_start(tool: ToolName, arguments: AgentJson, reason: AgentText, taken_up: Proposal | None) -> Draft:
    """Make the draft; the facts, the run and the address are the taken-up proposal's. Raises NotCanonicalError."""
    typed = dict(unwrap_object(arguments))
    if taken_up is not None:
        proposed = unwrap_object(taken_up.arguments)
        hidden = withheld(taken_up.arguments, taken_up.requirement.hidden)
        typed = {**{name: proposed[name] for name in proposed if name in hidden}, **typed}
    text = canonical_text(typed)
    return Draft(
        tool=tool,
        arguments=AgentJson(typed, text),
        digest=digest_of_text(tool, text),
        summary=reason,
        context=_NOTHING if taken_up is None else taken_up.context,
        run=_NOTHING if taken_up is None else taken_up.run,
        callback_url=None if taken_up is None else taken_up.callback_url,
    )
