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

FACTOR_CONFIRM: Final = "factor_confirm"
FACTOR_REFUSE: Final = "factor_refuse"
FACTOR_ENROL: Final = "factor_enrol"
CODE: Final = "code"
OPEN_PAGE: Final = "open_page"
PASSKEY_VIEW: Final = "passkey"

START: Final = "start"
START_VIEW: Final = "start"
START_CODE_VIEW: Final = "start_code"
DENY_VIEW: Final = "deny"
DETAILS_VIEW: Final = "details"
NOTICE_VIEW: Final = "notice"
CODE_VIEW: Final = "code"

ASK: Final = "ask"
LOWER: Final = "lower"
TAKE_BACK: Final = "take_back"
CATEGORY: Final = "category"
TO: Final = "to"
REVEAL: Final = "reveal"
FIELD: Final = "field"
CLOCK: Final = "clock"
"""Block and action ids of what else the modals ask for; a field to lower has `lower.N` and its own name."""
ACCESS_SIGN: Final = "access_sign"

_VALUE: Final = re.compile(r"(prop_[0-9A-Za-z_-]{1,64})\|(sha256:[0-9a-f]{64})")
_PLACE: Final = re.compile(r"(.+)\|([A-Z][A-Z0-9]{1,30})\|([0-9]{1,12}\.[0-9]{1,9})")
_FACTOR: Final = re.compile(r"([A-Z][A-Z0-9]{1,30})\|(cred_[0-9A-Za-z_-]{1,64})")
_PAGE: Final = re.compile(r"(.+)\|([0-9]{1,6})")
_FORM: Final = re.compile(r"(-|prop_[0-9A-Za-z_-]{1,64})\|([A-Za-z0-9_.-]{1,128})\|(sha256:[0-9a-f]{64})")
_PROOF: Final = re.compile(r"(prop_[0-9A-Za-z_-]{1,64})\|([A-Za-z0-9_-]{1,200})")


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


def factor_value(user_id: str, credential: str) -> str:
    """Write what a button about somebody's second factor carries."""
    return f"{user_id}|{credential}"


def read_factor_value(raw: object) -> tuple[str, str] | None:
    """Read what such a button carried, the Slack user id and the credential; None for what we did not write."""
    found = _FACTOR.fullmatch(raw) if isinstance(raw, str) else None
    return (found[1], found[2]) if found else None


def form_of(taken_up: Proposal | None, tool: str, policy: str) -> str:
    """Write what the form of a start carries: the blocked proposal if there is one, the tool, the policy's version."""
    return f"{taken_up.id if taken_up else '-'}|{tool}|{policy}"


def read_form_of(raw: object) -> tuple[str | None, str, str] | None:
    """Read what a form carried; None for anything that we did not write."""
    found = _FORM.fullmatch(raw) if isinstance(raw, str) else None
    return (None if found[1] == "-" else found[1], found[2], found[3]) if found else None


def proof_of(start: str, ticket: str) -> str:
    """Write what the modal carries that asks for a code."""
    return f"{start}|{ticket}"


def read_proof_of(raw: object) -> tuple[str, str] | None:
    """Read what it carried: the start, and its ticket; None for anything that we did not write."""
    found = _PROOF.fullmatch(raw) if isinstance(raw, str) else None
    return (found[1], found[2]) if found else None


RESUME_PAUSE: Final = "pause_resume"
END_KEYS: Final = "pause_end_keys"
ROLL_BACK: Final = "pause_roll_back"
HOME_PAUSE: Final = "home_pause"
HOME_STATUS: Final = "home_status"
_PAUSE: Final = re.compile(r"(pause_[0-9A-Za-z_-]{1,64})(?:\|([!-~]{1,200}))?")


def pause_value(pause: str, version: str | None = None) -> str:
    """Write what a button about a pause carries; `version` where it is about a version of the policy."""
    return pause if version is None else f"{pause}|{version}"


def read_pause_value(raw: object) -> tuple[str, str | None] | None:
    """Read it back; None for anything that we did not write."""
    found = _PAUSE.fullmatch(raw) if isinstance(raw, str) else None
    return (found[1], found[2]) if found else None


REVIEW_READ: Final = "review_read"
REVIEW_SIGN: Final = "review_sign"
REVIEW_FLAG: Final = "review_flag"
ITEMS: Final = "items"
_REPORT: Final = re.compile(r"sha256:[0-9a-f]{64}")


def read_report(raw: object) -> str | None:
    """Read the report's name that a button carried; None for anything that we did not write."""
    return raw if isinstance(raw, str) and _REPORT.fullmatch(raw) else None


NEW_KEY: Final = "new_key"
_NEW_KEY: Final = re.compile(r"(agent_[0-9A-Za-z_-]{1,64})\|([0-9]{1,15})")


def new_key_value(agent: str, seq: int) -> str:
    """Write what the button for a new key carries: the agent, and at which log index its keys were ended."""
    return f"{agent}|{seq}"


def read_new_key_value(raw: object) -> tuple[str, int] | None:
    """Read it back; None for anything that we did not write."""
    found = _NEW_KEY.fullmatch(raw) if isinstance(raw, str) else None
    return (found[1], int(found[2])) if found else None
