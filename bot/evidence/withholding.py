"""What is left out of evidence, and counted as withheld. It erases nothing.

For whoever has not asked for the originals, values in which something is hidden from people. An agent's own key is
given what the API tells it too, and the proofs: withheld from it are what people were shown (packets say by how much an
action missed running by itself), the text of the policy, what policy hides of looked-up facts, counters over others'
work, and what second factors were verified by.
"""

from collections.abc import Collection
from dataclasses import replace
from typing import Final

from approval_rules.events import PacketPosted, Paused, Reminded, Resumed, VoteRefused
from approval_rules.question_events import RequestRefused
from bot.evidence.gathering import Decision
from bot.evidence.telling import Happened
from bot.reveal.covering import is_open
from bot.store.decisions import Written

TOLD: Final = frozenset(
    {"arguments", "callback_url", "context", "digest", "personal", "reason", "report", "run", "summary", "text"},
)
_LOOKED_UP: Final = "looked_up"
_NOT_TOLD: Final = (PacketPosted, Paused, Reminded, RequestRefused, Resumed, VoteRefused)


def for_its_agent(decision: Decision) -> Decision:
    """Leave out the values that the agent is not told, and the pauses."""
    told = TOLD if decision.proposal.requirement.hidden else TOLD | {_LOOKED_UP}
    return replace(decision, written=tuple([_told(each, told) for each in decision.written]), pauses=())


def without_hidden(decision: Decision) -> Decision:
    """Leave out each value in which something is hidden from people; its digest would be no use without it."""
    hidden = tuple(decision.proposal.requirement.hidden)
    written = tuple([_told(each, _open(each, hidden)) for each in decision.written])
    return replace(decision, written=written, pauses=tuple([_told(each, _open(each, ())) for each in decision.pauses]))


def is_told(event: Happened) -> bool:
    """Whether the agent's story has it: not what colleagues see, try and say among themselves."""
    return not isinstance(event, _NOT_TOLD)


def _open(each: Written, hidden: Collection[str]) -> frozenset[str]:
    return frozenset(value.name for value in each.living if is_open(value.value, hidden))


def _told(each: Written, told: frozenset[str]) -> Written:
    living = tuple([value for value in each.living if value.name in told])
    return each._replace(living=living, withheld=len(each.living) - len(living))
