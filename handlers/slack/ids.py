"""The names that buttons and modals carry to Slack and back: an id and a digest, never authority, never content."""

import re
from dataclasses import dataclass
from typing import Final

from approval_rules.state import Proposal

APPROVE: Final = "approve"
DENY: Final = "deny"
DETAILS: Final = "details"
PREVIOUS: Final = "details_previous"
NEXT: Final = "details_next"
REASON: Final = "reason"
"""Block id and action id of the one input: Slack wants the block's id where it shows an error."""

DENY_VIEW: Final = "deny"
DETAILS_VIEW: Final = "details"
NOTICE_VIEW: Final = "notice"
ACCESS_SIGN: Final = "access_sign"

_VALUE: Final = re.compile(r"(prop_[0-9A-Za-z_-]{1,64})\|(sha256:[0-9a-f]{64})")
_PLACE: Final = re.compile(r"(.+)\|([A-Z][A-Z0-9]{1,30})\|([0-9]{1,12}\.[0-9]{1,9})")
_PAGE: Final = re.compile(r"(.+)\|([0-9]{1,6})")


@dataclass(frozen=True, slots=True)
class Target:
    """Which proposal, and the digest of what was shown. Unproved until the desk has compared it."""

    proposal: str
    digest: str


@dataclass(frozen=True, slots=True)
class Place:
    """The message that a modal was opened from. Unproved."""

    target: Target
    channel: str
    ts: str


def value_of(proposal: Proposal) -> str:
    """Write what a button carries."""
    return f"{proposal.id}|{proposal.digest}"


def read_value(raw: object) -> Target | None:
    """Read what a button carried; None for anything that we did not write."""
    found = _VALUE.fullmatch(raw) if isinstance(raw, str) else None
    return Target(found[1], found[2]) if found else None


def place_of(target: Target, channel: str, ts: str) -> str:
    """Write what the modal that asks for a reason carries."""
    return f"{target.proposal}|{target.digest}|{channel}|{ts}"


def read_place(raw: object) -> Place | None:
    """Read what the modal carried; None for anything that we did not write."""
    found = _PLACE.fullmatch(raw) if isinstance(raw, str) else None
    target = read_value(found[1]) if found else None
    return Place(target, found[2], found[3]) if found and target else None


def page_of(target: Target, page: int) -> str:
    """Write what a page of Details carries; `page` counts from 0."""
    return f"{target.proposal}|{target.digest}|{page}"


def read_page(raw: object) -> tuple[Target, int] | None:
    """Read what a page of Details carried; None for anything that we did not write."""
    found = _PAGE.fullmatch(raw) if isinstance(raw, str) else None
    target = read_value(found[1]) if found else None
    return (target, int(found[2])) if found and target else None
