"""SQL text and row decoding that the writer and the readers share: named parameters, no driver."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias, cast, get_args

from approval_rules.events import Event, IncidentEvent, ProposalEvent, SwitchEvent
from approval_rules.people import Agent, AgentId, PersonId, ToolName
from approval_rules.policy_events import PolicyEvent
from approval_rules.state import Proposal, evolve_switch, fold
from approval_rules.switch import Switch
from approval_rules.versions import CHANGE_TOOL, SERVER, Versions, evolve_versions
from bot.store.codec import Recorded, decode

Row: TypeAlias = Sequence[Any]

ENTRIES_OF = "SELECT seq, body, leaf_hash FROM entries WHERE subject = :subject ORDER BY seq"
DETACHED_OF = "SELECT d.seq, d.name, d.value FROM entries e JOIN detached d ON d.seq = e.seq WHERE e.subject = :subject"
NEWEST_OF = "SELECT max(seq) FROM entries WHERE subject = :subject"
HEAD = "SELECT seq, leaf_hash FROM entries ORDER BY seq DESC LIMIT 1"
AGENT_COLUMNS = "a.id, a.name, a.owner, a.tools, a.callback_hosts, a.revoked_at, a.secret_generation"
AGENT_BY_ID = f"SELECT {AGENT_COLUMNS} FROM agents a WHERE a.id = :id"  # noqa: S608 - our own constant
AGENT_BY_NAME = f"SELECT {AGENT_COLUMNS} FROM agents a WHERE a.name = :name"  # noqa: S608 - our own constant
AGENT_BY_KEY = (
    f"SELECT {AGENT_COLUMNS}, k.hash, k.expires_at FROM agent_keys k JOIN agents a ON a.id = k.agent_id"  # noqa: S608
    " WHERE k.key_id = :key_id"
)
PEOPLE_BY_REF = "SELECT ref, team_id, user_id, name FROM people WHERE ref IN (SELECT value FROM json_each(:refs))"
# By the index of open clocks: what is decided stays in the table and must not be walked.
OPEN_COUNTS = (
    "SELECT state, count(*), min(created_at) FROM proposals"
    " WHERE next_at IS NOT NULL AND clock IN ('decide', 'claim') GROUP BY state"
)
# What expires first comes first; `next_at` may be a reminder.
PENDING = "SELECT id FROM proposals WHERE state = 'pending' ORDER BY deadline LIMIT :limit"
PENDING_OF_OWNER = (
    "SELECT p.id FROM proposals p JOIN agents a ON a.id = p.agent_id"
    " WHERE p.state = 'pending' AND a.owner = :owner ORDER BY p.deadline LIMIT :limit"
)
OPEN_CHANGES = (
    f"SELECT id FROM proposals WHERE tool = '{CHANGE_TOOL}' AND agent_id = '{SERVER.id}'"  # noqa: S608 - constants
    " AND state = 'pending' ORDER BY id"
)
_PROPOSAL_EVENTS = get_args(ProposalEvent)
_SWITCH_EVENTS = get_args(SwitchEvent | IncidentEvent)
_POLICY_EVENTS = get_args(PolicyEvent)
# In bytes. What is larger is not kept in memory: else an agent that sends the largest proposals could fill it.
_SMALL = 12_288


@dataclass(frozen=True, slots=True)
class Loaded:
    """A proposal with the entries that it is the fold of."""

    proposal: Proposal
    recorded: tuple[Recorded, ...]

    @property
    def last_seq(self) -> int:
        """The log index of its newest entry."""
        return self.recorded[-1].seq


@dataclass(frozen=True, slots=True)
class AgentRow:
    """An agent as stored; `secret_generation` counts its callback secrets."""

    agent: Agent
    secret_generation: int


def recorded_from(entries: Iterable[Row], detached: Iterable[Row]) -> tuple[Recorded, ...]:
    """Decode entries (seq, body, leaf_hash) with their living values (seq, name, value)."""
    values: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for seq, name, value in detached:
        if value is not None:  # it was sealed, and its key is gone
            values[seq].append((name, value))
    return tuple(Recorded(seq, bytes(leaf_hash), _event(body, tuple(values[seq]))) for seq, body, leaf_hash in entries)


def _event(body: bytes, living: tuple[tuple[str, str], ...]) -> Event:
    small = len(body) + sum(len(text) for _, text in living) <= _SMALL
    return _kept_event(body, living) if small else decode(json.loads(body), dict(living))


@lru_cache(maxsize=2048)  # an open proposal is read several times; the key is all that its event is made of
def _kept_event(body: bytes, living: tuple[tuple[str, str], ...]) -> Event:
    return decode(json.loads(body), dict(living))


def loaded(entries: Sequence[Row], detached: Sequence[Row]) -> Loaded | None:
    """Fold the rows of one proposal (ENTRIES_OF, DETACHED_OF); None where that is no proposal."""
    size = sum(len(body) for _, body, _ in entries) + sum(len(text or "") for _, _, text in detached)
    if size > 2 * _SMALL:
        return loaded_from(recorded_from(entries, detached))
    return _kept(tuple(entries), tuple(detached))


# A click reads a proposal four times, and changes it once. What is read decides alone: a value that is gone is gone.
@lru_cache(maxsize=256)
def _kept(entries: tuple[Row, ...], detached: tuple[Row, ...]) -> Loaded | None:
    return loaded_from(recorded_from(entries, detached))


def key_hash(agent: str, key: str) -> str:
    """Give what an idempotency key is found by: it may have anybody's name in it, so it is not kept itself."""
    return hashlib.sha256(f"{agent}\n{key}".encode()).hexdigest()


def loaded_from(recorded: tuple[Recorded, ...]) -> Loaded | None:
    """Fold what was recorded about one proposal; None where that is no proposal."""
    proposal = fold(cast("ProposalEvent", item.event) for item in recorded if isinstance(item.event, _PROPOSAL_EVENTS))
    return None if proposal is None else Loaded(proposal, recorded)


def switch_from(recorded: Iterable[Recorded], before: Switch | None = None) -> Switch:
    """Fold what was recorded about the kill switch, from the beginning or from what was `before`."""
    switch = before or Switch()
    for item in recorded:
        if isinstance(item.event, _SWITCH_EVENTS):
            switch = evolve_switch(switch, cast("SwitchEvent | IncidentEvent", item.event))
    return switch


def versions_from(recorded: Iterable[Recorded]) -> Versions:
    """Fold what was recorded about the policy."""
    versions = Versions()
    for item in recorded:
        if isinstance(item.event, _POLICY_EVENTS):
            versions = evolve_versions(versions, cast("PolicyEvent", item.event))
    return versions


def agent_from(row: Row) -> AgentRow:
    """Decode an agent's row (AGENT_COLUMNS)."""
    return _agent_from(*row[:7])


@lru_cache(maxsize=1024)  # the row is read afresh each time, but it is nearly always the same row
def _agent_from(
    agent_id: str, name: str, owner: str, tools: str, hosts: str, revoked_at: str | None, generation: int
) -> AgentRow:
    agent = Agent(
        id=AgentId(agent_id),
        name=name,
        owner=PersonId(owner),
        tools=tuple(ToolName(tool) for tool in json.loads(tools)),
        callback_hosts=tuple(json.loads(hosts)),
        revoked=revoked_at is not None,
    )
    return AgentRow(agent, generation)
