"""What happened around auditors' keys: who was given one, and each time that somebody looked at values with it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, TypeAlias

from approval_rules.people import Actor, PersonId

COMMAND_LINE: Final = "command-line"
"""Stands for the key where somebody looked on the server itself."""


@dataclass(frozen=True, slots=True)
class AuditorKeyChanged:
    """An auditor was given a key for reading, or it was taken away; with `values` it shows what people wrote too.

    `fingerprint` tells which key was given.
    """

    at: datetime
    by: Actor
    holder: PersonId
    key: str
    change: Literal["added", "revoked"]
    values: bool
    fingerprint: str | None = None


@dataclass(frozen=True, slots=True)
class AuditLooked:
    """Somebody was shown values with an auditor's key, or by a command: of `found` proposals, entries, or evidence.

    `filters` are the names of what was asked for, never what was asked; `since` is where a page of entries began.
    """

    at: datetime
    by: Actor
    key: str
    what: Literal["search", "stream", "evidence", "show", "export", "replay"]
    found: int
    filters: tuple[str, ...]
    since: int | None = None


AuditorEvent: TypeAlias = AuditorKeyChanged | AuditLooked
