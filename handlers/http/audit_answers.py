"""The shape of what auditors get, for the OpenAPI document. A test holds `audit_render` against it."""

from pydantic import BaseModel

from approval_rules.events import Decision
from approval_rules.state import Status
from handlers.http.answers import Absent, AgentName, Closed, Time


class AmountOut(Closed):
    """An exact amount, with its currency in small letters."""

    currency: str
    amount: str


class DecidedOut(Closed):
    """Who said yes or no: a pseudonym, and the name where this key shows values and it still lives."""

    person: str
    decision: Decision
    name: str | Absent = None


class HitOut(Closed):
    """A proposal that was found. `seq` is the place of its first entry in the log; `told` is its state in words.

    `action` and `amounts` are there where this key shows values; `erased` tells that its arguments are gone.
    """

    seq: int
    proposal: str
    at: Time
    agent: AgentName
    tool: str
    rule: str | None
    state: Status
    told: str
    decided_at: Time | None
    votes: list[DecidedOut]
    erased: bool
    action: str | None = None
    amounts: list[AmountOut] | Absent = None


class SearchOut(Closed):
    """One page, newest first. `after` finds the next one; a page can be short of hits, and the last has null.

    The search knew the first `indexed` of the log's `size` entries.
    """

    found: list[HitOut]
    after: str | None
    indexed: int
    size: int


class OriginalOut(Closed):
    """One thing as it was written: the log index of its entry, where it stands there, and the text itself."""

    seq: int
    where: str
    text: str


class UncoveredOut(Closed):
    """What was hidden under one name in a proposal. The look is on record."""

    proposal: str
    field: str
    originals: list[OriginalOut]


MODELS: tuple[type[BaseModel], ...] = (SearchOut, UncoveredOut)
