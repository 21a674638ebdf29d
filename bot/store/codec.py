"""Events to log entries and back. Knows which values are detached (erasable) and which stand in the entry for ever.

Detached: everything that an agent or a person wrote, every digest of it, and where it was shown. The layout of each
event follows from its dataclass; golden bytes in tests/golden guard it. Never edit a layout that has been written:
give the new meaning a new class.
"""

import json
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from approval_rules import (
    access_events,
    auditor_events,
    duty_events,
    erasure_events,
    events,
    factor_events,
    initiation_events,
    log_events,
    people_events,
    policy_events,
    question_events,
    reveal_events,
    review_events,
    stop_events,
)
from approval_rules.canonical import Digest, canonical_text
from approval_rules.events import Event
from approval_rules.people import Actor, ActorKind
from approval_rules.personal import joined, parted
from approval_rules.text import AgentJson, AgentText, unwrap_canonical, unwrap_json, unwrap_text
from approval_rules.times import format_time, parse_time
from bot.audit.log_format import Plain
from bot.store.terms import APART

KINDS: Mapping[str, type[Event]] = {
    "proposal.submitted": events.Submitted,
    "proposal.submit_refused": events.SubmitRefused,
    "proposal.approved": events.Approved,
    "proposal.blocked": events.Blocked,
    "proposal.denied": events.Denied,
    "proposal.expired": events.Expired,
    "proposal.cancelled": events.Cancelled,
    "proposal.revoked": events.Revoked,
    "proposal.reminded": events.Reminded,
    "proposal.thawed": events.Thawed,
    "vote.counted": events.Voted,
    "vote.refused": events.VoteRefused,
    "claim.granted": events.Claimed,
    "claim.refused": events.ClaimRefused,
    "outcome.reported": events.OutcomeReported,
    "outcome.overdue": events.OutcomeOverdue,
    "packet.posted": events.PacketPosted,
    "switch.paused": events.Paused,
    "switch.resume_asked": events.ResumeAsked,
    "switch.resumed": events.Resumed,
    "switch.refused": events.SwitchRefused,
    "budget.exceeded": events.BudgetExceeded,
    "agent.changed": events.AgentChanged,
    "policy.loaded": policy_events.PolicyLoaded,
    "policy.seen": policy_events.PolicySeen,
    "policy.activated": policy_events.PolicyActivated,
    "policy.shadowed": policy_events.PolicyShadowed,
    "incident.changed": events.IncidentChanged,
    "incident.refused": events.IncidentRefused,
    "environment.named": policy_events.EnvironmentNamed,
    "factor.enrolled": factor_events.FactorEnrolled,
    "factor.confirmed": factor_events.FactorConfirmed,
    "factor.locked": factor_events.FactorLocked,
    "factor.removal_asked": factor_events.FactorRemovalAsked,
    "factor.kept": factor_events.FactorKept,
    "factor.removed": factor_events.FactorRemoved,
    "factor.recovery_used": factor_events.RecoveryUsed,
    "factor.refused": factor_events.FactorRefused,
    "persons.joined": people_events.PersonsJoined,
    "persons.parted": people_events.PersonsParted,
    "persons.asked": people_events.PersonsAsked,
    "persons.refused": people_events.PersonsRefused,
    "proposal.initiated": initiation_events.Initiated,
    "initiation.refused": initiation_events.InitiationRefused,
    "away.set": duty_events.AwaySet,
    "away.ended": duty_events.AwayEnded,
    "away.refused": duty_events.AwayRefused,
    "question.asked": question_events.Asked,
    "question.answered": question_events.Answered,
    "proposal.edited": question_events.Edited,
    "request.refused": question_events.RequestRefused,
    "drill.held": stop_events.DrillHeld,
    "operator.key_changed": stop_events.OperatorKeyChanged,
    "agent.keys_ended": stop_events.AgentKeysEnded,
    "access.role_changed": access_events.RoleChanged,
    "access.reviewed": access_events.AccessReviewed,
    "access.review_refused": access_events.AccessReviewRefused,
    "auditor.key_changed": auditor_events.AuditorKeyChanged,
    "auditor.looked": auditor_events.AuditLooked,
    "review.reported": review_events.WeekReported,
    "review.signed": review_events.WeekSigned,
    "review.flagged": review_events.WeekFlagged,
    "review.reminded": review_events.WeekReminded,
    "review.refused": review_events.WeekReviewRefused,
    "away.declined": duty_events.AwayDeclined,
    "log.key_changed": log_events.SigningKeyChanged,
    "log.restore_accepted": log_events.RestoreAccepted,
    "values.erased": erasure_events.Erased,
    "hold.set": erasure_events.HoldSet,
    "hold.lifted": erasure_events.HoldLifted,
    "original.revealed": reveal_events.Revealed,
    "original.refused": reveal_events.RevealRefused,
    "log.guards_put_back": log_events.GuardsPutBack,
}
KIND_OF: Mapping[type[Event], str] = {cls: kind for kind, cls in KINDS.items()}
SWITCH = "switch"
ENVIRONMENT = "environment"
DRILL = "drill"
OPERATORS = "operators"
POLICY = "policy"
PEOPLE = "people"
ACCESS = "access"
AUDITORS = "auditors"
REVIEW = "review"
LOG = "log"
RETENTION = "retention"
_OF_THE_POLICY = (
    policy_events.PolicyLoaded,
    policy_events.PolicySeen,
    policy_events.PolicyActivated,
    policy_events.PolicyShadowed,
)
_Judged = events.Submitted | question_events.Edited
_HEADER = frozenset({"at", "by", "proposal"})
_ALWAYS_DETACHED = frozenset({"callback_url"})


class CodecError(ValueError):
    """An entry that this version cannot read; the message names the entry's type and field."""


class Encoded(NamedTuple):
    """An event in the parts of an entry; `detached` maps a field to its canonical JSON text."""

    kind: str
    subject: str
    policy: Plain
    data: dict[str, Plain]
    detached: dict[str, str]


class _Field(NamedTuple):
    name: str
    write: Callable[[Any], Plain]
    read: Callable[[Any], Any]
    load: Callable[[str], Any]
    lost: Any
    detached: bool


def encode(event: Event) -> Encoded:
    """Take an event apart."""
    data: dict[str, Plain] = {}
    detached: dict[str, str] = {}
    policy: Plain = None
    for field in _LAYOUTS[KIND_OF[type(event)]]:
        value = getattr(event, field.name)
        if value is None:
            continue
        if field.detached:
            detached[field.name] = _json_text(value, field)
        else:
            data[field.name] = field.write(value)
    if isinstance(event, _Judged):
        ref = event.requirement.policy
        policy = {"version": ref.version, "rule": ref.rule}
        if event.requirement.personal:
            rest, mine = parted(unwrap_json(event.arguments), event.requirement.personal)
            detached |= {"arguments": canonical_text(rest), APART: canonical_text(mine)}
    elif isinstance(event, _OF_THE_POLICY):
        policy = {"version": event.version, "rule": None}
    return Encoded(KIND_OF[type(event)], subject_of(event), policy, data, detached)


def subject_of(event: Event) -> str:
    """Name what an event is about: a proposal, the kill switch, an agent, a person, or the policy."""
    # Most are this one, and the other way is long.
    return event.proposal if isinstance(event, events.Submitted) else _subject_of(event)


def _subject_of(event: Event) -> str:
    if isinstance(event, factor_events.FactorEvent | duty_events.AwayEvent | duty_events.AwayDeclined):
        return event.person
    match event:
        case (
            events.Paused()
            | events.ResumeAsked()
            | events.Resumed()
            | events.SwitchRefused()
            | events.IncidentChanged()
            | events.IncidentRefused()
        ):
            return SWITCH
        case policy_events.EnvironmentNamed():
            return ENVIRONMENT
        case (
            people_events.PersonsJoined()
            | people_events.PersonsParted()
            | people_events.PersonsAsked()
            | people_events.PersonsRefused()
        ):
            return PEOPLE
        case stop_events.DrillHeld():
            return DRILL
        case stop_events.OperatorKeyChanged():
            return OPERATORS
        case access_events.RoleChanged() | access_events.AccessReviewed() | access_events.AccessReviewRefused():
            return ACCESS
        case (
            auditor_events.AuditorKeyChanged()
            | auditor_events.AuditLooked()
            | reveal_events.Revealed()
            | reveal_events.RevealRefused()
        ):
            return AUDITORS
        case (
            review_events.WeekReported()
            | review_events.WeekSigned()
            | review_events.WeekFlagged()
            | review_events.WeekReminded()
            | review_events.WeekReviewRefused()
        ):
            return REVIEW
        case log_events.SigningKeyChanged() | log_events.RestoreAccepted() | log_events.GuardsPutBack():
            return LOG
        case erasure_events.Erased() | erasure_events.HoldSet() | erasure_events.HoldLifted():
            return RETENTION
        case events.AgentChanged() | events.BudgetExceeded() | stop_events.AgentKeysEnded():
            return event.agent.id
        case (
            policy_events.PolicyLoaded()
            | policy_events.PolicySeen()
            | policy_events.PolicyActivated()
            | policy_events.PolicyShadowed()
        ):
            return POLICY
        case _:
            return event.proposal


def decode(body: Mapping[str, Any], detached: Mapping[str, str]) -> Event:
    """Put an event together from an entry's parsed body and the detached values that still live.

    A value that was erased reads as an empty text, object or digest: what was decided stays readable without it.
    """
    cls = KINDS.get(body["type"])
    if cls is None:
        raise CodecError(f"entry {body['seq']} has the unknown type {body['type']!r}; upgrade Foureyes to read it")
    values: dict[str, Any] = {}
    for field in _LAYOUTS[body["type"]]:
        if field.detached:
            raw = detached.get(field.name)
            if field.name == "arguments" and APART in detached:
                raw = whole_arguments(raw, detached[APART])
            values[field.name] = field.lost if raw is None else field.load(raw)
        else:
            values[field.name] = field.read(body["data"].get(field.name))
    if cls in _OF_A_PROPOSAL:
        values["proposal"] = body["subject"]
    actor = Actor(ActorKind(body["actor"]["kind"]), body["actor"]["ref"])
    return cls(at=parse_time(body["at"]), by=actor, **values)


_parse = json.JSONDecoder(parse_float=Decimal).decode


def whole_arguments(rest: str | None, mine: str | None) -> str | None:
    """Put the two parts of an action's arguments together, as canonical text; what is erased of them is left out."""
    return rest if rest is None or mine is None else canonical_text(joined(_parse(rest), _parse(mine)))


def _json_text(value: object, field: _Field) -> str:
    if isinstance(value, AgentJson):
        return unwrap_canonical(value, canonical_text)
    if isinstance(value, AgentText):
        return canonical_text(unwrap_text(value))
    return canonical_text(field.write(value))


def _layout(cls: type[Any]) -> tuple[_Field, ...]:
    hints = get_type_hints(cls)
    return tuple(_field(field.name, hints[field.name]) for field in fields(cls) if field.name not in _HEADER)


def _field(name: str, hint: Any) -> _Field:  # noqa: ANN401 - a type annotation
    optional, bare = _optional(hint)
    write, read = _converters(bare)
    detached = bare in (AgentText, AgentJson, events.Posted) or bare is Digest or name in _ALWAYS_DETACHED

    def read_maybe(value: Any) -> Any:  # noqa: ANN401 - JSON
        return None if value is None else read(value)

    reads = read_maybe if optional and read is not _same else read
    # What an agent wrote is parsed only where it is looked at: judging a vote needs none of it.
    load = AgentJson.stored if bare is AgentJson else lambda text: reads(_parse(text))
    return _Field(name, write, reads, load, None if optional or not detached else _empty(bare), detached)


def _empty(bare: Any) -> Any:  # noqa: ANN401 - a type annotation
    """Give what stands for a detached value whose row is gone; nobody may change it."""
    if bare is AgentText:
        return AgentText("")
    if bare is AgentJson:
        return AgentJson({})
    if bare is events.Posted:
        return events.Posted("", "", Digest(""))
    return Digest("")


def _optional(hint: Any) -> tuple[bool, Any]:  # noqa: ANN401 - a type annotation
    if get_origin(hint) in (Union, types.UnionType):
        inner = [arg for arg in get_args(hint) if arg is not type(None)]
        return True, inner[0]
    return False, hint


def _same(value: Any) -> Any:  # noqa: ANN401 - JSON
    return value


def _converters(bare: Any) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:  # noqa: ANN401 - a type annotation
    if bare is AgentText:
        return unwrap_text, AgentText
    if bare is AgentJson:
        return unwrap_json, AgentJson
    if bare is datetime:
        return format_time, parse_time
    if bare is timedelta:
        return lambda value: int(value.total_seconds()), lambda value: timedelta(seconds=value)
    if get_origin(bare) is tuple:
        write, read = _converters(get_args(bare)[0])
        return lambda value: [write(item) for item in value], lambda value: tuple(read(item) for item in value or ())
    if isinstance(bare, type) and issubclass(bare, Enum):
        return lambda value: value.value, bare
    if is_dataclass(bare) and isinstance(bare, type):
        return _struct(bare)
    if bare in (str, int, bool) or get_origin(bare) is Literal or hasattr(bare, "__supertype__"):
        return _same, _same
    raise CodecError(f"no form in the log for {bare}")


def _struct(cls: type[Any]) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    hints = get_type_hints(cls)
    inner = tuple(_field(field.name, hints[field.name]) for field in fields(cls))

    def write(value: Any) -> dict[str, Any]:  # noqa: ANN401 - a dataclass of ours
        found = ((field, getattr(value, field.name)) for field in inner)
        return {field.name: field.write(part) for field, part in found if part is not None}

    def read(value: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a dataclass of ours
        return cls(*[field.read(value.get(field.name)) for field in inner])

    # The same few requirements and agents are written again and again.
    return lru_cache(maxsize=256)(write), read


@dataclass(frozen=True, slots=True)
class Recorded:
    """One event with its place in the log."""

    seq: int
    leaf_hash: bytes
    event: Event


_LAYOUTS = {kind: _layout(cls) for kind, cls in KINDS.items()}
_OF_A_PROPOSAL = frozenset(cls for cls in KINDS.values() if any(field.name == "proposal" for field in fields(cls)))
