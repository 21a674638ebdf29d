"""An entry as an event of the Open Cybersecurity Schema Framework, 1.8.0. What fits no class is a Base Event.

No class is stretched: API Activity and Authentication ask for network addresses, which the log does not hold.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias

from handlers.audit_desk import Entry
from handlers.exports.syslog import refused

_VERSION: Final = "1.8.0"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_OTHER: Final = 99
_SUCCESS, _FAILURE = 1, 2
_INFORMATIONAL: Final = 1
_POLICY: Final = 5
Activity: TypeAlias = int | Mapping[str, int]
"""A number, or one by what the entry says under `change`."""


@dataclass(frozen=True, slots=True)
class _Class:
    """A class of events: its number, that of its category, and the words for the activities that are used."""

    uid: int
    category: int
    name: str
    activities: Mapping[int, str]


_BASE: Final = _Class(0, 0, "Base Event", {})
_ENTITY: Final = _Class(
    3004,
    3,
    "Entity Management",
    {
        1: "Create",
        2: "Read",
        3: "Update",
        8: "Enable",
        9: "Disable",
        10: "Activate",
        11: "Deactivate",
        12: "Suspend",
        13: "Resume",
    },
)
_ACCOUNT: Final = _Class(
    3001, 3, "Account Change", {9: "Lock", 10: "MFA Factor Enable", 11: "MFA Factor Disable", _OTHER: "Other"}
)
_ACCESS: Final = _Class(3005, 3, "User Access Management", {1: "Assign Privileges", 2: "Revoke Privileges"})
_KEYS: Final = {"added": 1, "revoked": 2}
MAPPED: Final[Mapping[str, tuple[_Class, Activity]]] = {
    "proposal.submitted": (_ENTITY, 1),
    "proposal.submit_refused": (_ENTITY, 1),
    "proposal.approved": (_ENTITY, 10),
    "proposal.blocked": (_ENTITY, 11),
    "proposal.denied": (_ENTITY, 11),
    "proposal.expired": (_ENTITY, 11),
    "proposal.cancelled": (_ENTITY, 11),
    "proposal.revoked": (_ENTITY, 11),
    "proposal.thawed": (_ENTITY, 13),
    "proposal.edited": (_ENTITY, 3),
    "proposal.initiated": (_ENTITY, 3),
    "initiation.refused": (_ENTITY, 3),
    "vote.counted": (_ENTITY, 3),
    "vote.refused": (_ENTITY, 3),
    "question.asked": (_ENTITY, 3),
    "question.answered": (_ENTITY, 3),
    "request.refused": (_ENTITY, 3),
    "claim.granted": (_ACCESS, 1),
    "claim.refused": (_ACCESS, 1),
    "outcome.reported": (_ENTITY, 3),
    "outcome.overdue": (_ENTITY, 3),
    "switch.paused": (_ENTITY, 12),
    "switch.resume_asked": (_ENTITY, 13),
    "switch.resumed": (_ENTITY, 13),
    "switch.refused": (_ENTITY, 3),
    "incident.changed": (_ENTITY, 3),
    "incident.refused": (_ENTITY, 3),
    "agent.changed": (_ENTITY, {"added": 1, "rotated": 3, "revoked": 9}),
    "agent.keys_ended": (_ENTITY, 9),
    "policy.loaded": (_ENTITY, 1),
    "policy.seen": (_ENTITY, 2),
    "policy.activated": (_ENTITY, 10),
    "policy.shadowed": (_ENTITY, 8),
    "factor.enrolled": (_ACCOUNT, _OTHER),
    "factor.confirmed": (_ACCOUNT, 10),
    "factor.locked": (_ACCOUNT, 9),
    "factor.removal_asked": (_ACCOUNT, _OTHER),
    "factor.kept": (_ACCOUNT, _OTHER),
    "factor.removed": (_ACCOUNT, 11),
    "factor.recovery_used": (_ACCOUNT, _OTHER),
    "factor.refused": (_ACCOUNT, _OTHER),
    "operator.key_changed": (_ACCESS, _KEYS),
    "auditor.key_changed": (_ACCESS, _KEYS),
    "access.role_changed": (_ENTITY, 3),
}
_ENTITIES: Final = {
    "switch": "kill switch",
    "incident": "incident",
    "agent": "agent",
    "policy": "policy",
    "access": "role",
}
_USERS: Final = {"agent": 4, "human": 1, "operator": 2, "operator-key": 2, "auditor-key": 1, "system": 3}


def line(origin: str, entry: Entry) -> str:
    """Write one event. `metadata.uid` is the same whenever the same entry is written."""
    body: dict[str, Any] = json.loads(entry.body)
    kind: str = body["type"]
    of, activity = MAPPED.get(kind, (_BASE, _OTHER))
    number = activity if isinstance(activity, int) else activity.get(body["data"].get("change"), _OTHER)
    told = of.activities.get(number, "Other")
    failed = refused(body)
    at = datetime.fromisoformat(body["at"])
    event = {
        "activity_id": number,
        "activity_name": kind if number == _OTHER else told,
        "category_uid": of.category,
        "class_name": of.name,
        "class_uid": of.uid,
        "message": f"{kind} {body['subject']}",
        "metadata": {
            "event_code": kind,
            "log_name": origin,
            "original_event_uid": body["id"],
            "original_time": body["at"],
            "product": {"name": "Foureyes", "vendor_name": "Foureyes"},
            "sequence": entry.seq,
            "uid": f"{origin}/{entry.seq}",
            "version": _VERSION,
        },
        "raw_data": entry.body.decode(),
        "severity_id": _INFORMATIONAL,
        "status_id": _FAILURE if failed else _SUCCESS,
        "time": (at - _EPOCH) // timedelta(milliseconds=1),
        "type_uid": of.uid * 100 + number,
        **({"status_detail": body["data"]["code"]} if failed and "code" in body["data"] else {}),
        **_of_class(of, body),
    }
    unmapped = {"actor": body["actor"]} if of is _BASE else {}
    if entry.values is not None:
        # Numbers stay to the digit as text: a reader of JSON may round them.
        unmapped["values"] = {name: json.loads(text, parse_float=str) for name, text in sorted(entry.values.items())}
    return json.dumps(event | ({"unmapped": unmapped} if unmapped else {}), sort_keys=True)


def _of_class(of: _Class, body: Mapping[str, Any]) -> dict[str, object]:
    """Give what the class asks for beside what every event has."""
    if of is _BASE:
        return {}
    actor = {"user": {"uid": body["actor"]["ref"], "type_id": _USERS.get(body["actor"]["kind"], 0)}}
    if of is _ENTITY:
        return {"actor": actor, "entity": _entity(body)}
    if of is _ACCOUNT:
        return {"actor": actor, "user": {"uid": body["data"]["person"], "type_id": 1}}
    if "holder" in body["data"]:
        key = {"uid": body["data"]["key"], "type": body["type"].partition(".")[0] + " key"}
        return {
            "actor": actor,
            "user": {"uid": body["data"]["holder"], "type_id": 1},
            "privileges": [key["type"]],
            "resources": [key],
        }
    return {
        "actor": actor,
        "user": actor["user"],
        "privileges": ["execute once"],
        "resources": [{"uid": body["subject"], "type": "proposal"}],
    }


def _entity(body: Mapping[str, Any]) -> dict[str, object]:
    kind = _ENTITIES.get(body["type"].partition(".")[0], "proposal")
    uid = (body["policy"] or {}).get("version") or body["subject"] if kind == "policy" else body["subject"]
    role = body["data"].get("role") if kind == "role" else None
    return {"uid": role or uid, "type": kind, **({"type_id": _POLICY} if kind == "policy" else {})}
