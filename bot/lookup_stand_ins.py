"""Lets what was said stand in for a lookup where nobody is asked: in cases, replays, explanations, second opinions.

It must never be used where a proposal is decided: there what an agent says stands in for nothing.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from approval_rules.commands import Draft
from approval_rules.facts import LookedUp
from approval_rules.policy import Policy
from approval_rules.text import AgentJson, Json, unwrap_object

_NOBODY: Final = "a case"


def looked_up_in_case(draft: Draft, values: Mapping[str, Json], at: datetime) -> Draft:
    """Give a draft whose lookups came to these values; null is one that failed."""
    lookups = tuple(
        LookedUp(name, _NOBODY, at, "so says the case" if values[name] is None else None) for name in values
    )
    return replace(draft, lookups=lookups, looked_up=AgentJson(values))


def stood_in(policy: Policy | None, draft: Draft) -> Draft:
    """Give a draft in which what the agent said stands in for each fact of its policy that nobody looked up."""
    if policy is None or not policy.lookups:
        return draft
    facts = unwrap_object(draft.context).get("facts")
    said = {**(facts if isinstance(facts, Mapping) else {}), **unwrap_object(draft.arguments)}
    found = {} if draft.looked_up is None else unwrap_object(draft.looked_up)
    values = {name: said[name] for name in policy.lookups if name in said and name not in found}
    return replace(draft, looked_up=AgentJson({**values, **found})) if values else draft
