"""What happened around originals that people are not shown: each look at one, and each that was refused."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from approval_rules.people import Actor, ProposalId
from approval_rules.refusals import Refusal
from approval_rules.text import AgentText

Door: TypeAlias = Literal["slack", "http", "command-line"]
"""Where somebody looked: in Slack with the role, with an auditor's key, or on the server itself."""


@dataclass(frozen=True, slots=True)
class Revealed:
    """Somebody was shown what is hidden in one proposal: recorded before it was shown, with the reason given.

    `field` is the policy's name of a hidden field, or the kind of value (`summary`) in which secrets were found.
    """

    at: datetime
    by: Actor
    about: ProposalId
    field: str
    door: Door
    reason: AgentText


@dataclass(frozen=True, slots=True)
class RevealRefused:
    """Somebody asked to be shown what is hidden in one proposal, and may not."""

    at: datetime
    by: Actor
    about: ProposalId
    door: Door
    code: Refusal


RevealEvent: TypeAlias = Revealed | RevealRefused
