"""What the HTTP edge needs besides the desk: handed in by the composition root, never reached for."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from handlers.amending_desk import AnsweringDesk
from handlers.audit_desk import AuditDesk
from handlers.evidence_desk import EvidenceDesk
from handlers.operator_desk import OperatorDesk


@dataclass(frozen=True, slots=True)
class Check:
    """One reason for being ready or not; `detail` is public and MUST NOT carry a secret or an address."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class HttpPorts:
    """Clock, ids and the answers of the operational calls. Each MUST be O(1) in the number of proposals.

    `metrics` gives the exposition and its content type; `slack` is the ASGI app behind POST /slack/events, `operators`
    what stands behind operators' keys, `audit` what stands behind auditors', `evidence` what gives packs to both agents
    and auditors. `pages` are for people's browsers.
    `answering` is the desk for answers to questions.
    """

    clock: Callable[[], datetime]
    new_request_id: Callable[[], str]
    jwks: Callable[[], Mapping[str, object]]
    ready: Callable[[], Awaitable[Sequence[Check]]]
    metrics: Callable[[], tuple[bytes, str]]
    answering: AnsweringDesk
    slack: ASGIApp | None = None
    pages: Sequence[BaseRoute] = ()
    operators: OperatorDesk | None = None
    audit: AuditDesk | None = None
    evidence: EvidenceDesk | None = None
