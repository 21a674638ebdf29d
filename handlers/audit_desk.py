"""What an auditor may ask for over HTTP: search the log, and follow it. Never anything that changes what happens."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Protocol

from approval_rules.people import Actor

if TYPE_CHECKING:
    from handlers.reveal_desk import RevealDesk

PSEUDONYM: Final = re.compile(r"pers_(?:[0-9a-z]{26}|[0-9a-f]{40})")


@dataclass(frozen=True, slots=True)
class Auditor:
    """Who holds an auditor's key; without `values` it is shown pseudonyms, and nothing that anybody wrote."""

    name: str
    key_id: str
    actor: Actor
    values: bool


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for; all that is given must be so. `until` is the first moment that is too late.

    `least` and `most` are in `currency`, in small letters. `text` are words that all must occur.
    """

    since: datetime | None = None
    until: datetime | None = None
    person: str | None = None
    agent: str | None = None
    tool: str | None = None
    state: str | None = None
    rule: str | None = None
    currency: str | None = None
    least: Decimal | None = None
    most: Decimal | None = None
    text: str | None = None

    @property
    def filters(self) -> tuple[str, ...]:
        """Name what is given."""
        return tuple(name for name in self.__slots__ if getattr(self, name) is not None)

    @property
    def reads_values(self) -> bool:
        """Whether the answer would tell of values: what people wrote, how much, and whose a pseudonym is."""
        named = self.person is not None and PSEUDONYM.fullmatch(self.person) is None
        return named or bool({"currency", "least", "most", "text"} & {*self.filters})


@dataclass(frozen=True, slots=True)
class Deciding:
    """Somebody who said yes or no; `name` is None where it is not shown or was erased."""

    person: str
    name: str | None
    decision: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A proposal that was found. `words` say what it would do and `amounts` how much: None where they are not shown.

    `erased` tells that its arguments are gone.
    """

    seq: int
    proposal: str
    at: datetime
    agent_id: str
    agent: str
    tool: str
    rule: str | None
    state: str
    told: str
    decided_at: datetime | None
    decided_by: tuple[Deciding, ...]
    words: str | None
    amounts: tuple[tuple[str, Decimal], ...] | None
    erased: bool


@dataclass(frozen=True, slots=True)
class SearchPage:
    """Hits, newest first. `after` finds the next page, None where this was the last; a page can be short of hits.

    The index had taken in `indexed` of the log's `size` entries.
    """

    hits: Sequence[Hit]
    after: str | None
    indexed: int
    size: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the log: its exact bytes, and those of its values that live and are shown."""

    seq: int
    body: bytes
    values: Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class Followed:
    """Entries of the log `origin`, oldest first."""

    origin: str
    entries: Sequence[Entry]


class SoughtError(ValueError):
    """Something that was given cannot be searched by; `name` says what, the message why."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


class AuditDesk(Protocol):
    """The use cases behind an auditor's key."""

    @property
    def originals(self) -> "RevealDesk":
        """What people are not shown."""

    async def auditor_of(self, unverified_key: str) -> Auditor | None:
        """Find whose key this is; None for an unknown or revoked one, and for every other kind of key."""

    def may_ask_now(self, auditor: Auditor) -> bool:
        """Note a request and tell whether it is within the key's pace."""

    async def search(self, auditor: Auditor, sought: Sought, limit: int, after: str | None) -> SearchPage:
        """Find proposals; raises SoughtError."""

    async def entries(self, auditor: Auditor, after: int, limit: int, wait_s: int, *, values: bool) -> Followed:
        """Give the entries behind `after`; wait so long for the first."""
