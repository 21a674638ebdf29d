"""Who is registered, folded from the log: agents, and the keys of agents, operators and auditors. Finds what is wrong.

Whoever writes a tool, an owner or a key into a table gives somebody a right that nobody decided on. A key that was
exchanged is found by its digest in the entry; keys of before entries had one are known by their time alone.
"""

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from approval_rules.auditor_events import AuditorKeyChanged
from approval_rules.events import AgentChanged
from approval_rules.people import Agent
from approval_rules.stop_events import AgentKeysEnded, OperatorKeyChanged
from approval_rules.times import format_time
from bot.store.bound import key_digest

_AGENTS = "SELECT id, name, owner, tools, callback_hosts, secret_generation, created_at, revoked_at FROM agents"
_AGENT_KEYS = "SELECT agent_id, created_at, expires_at, key_id, hash FROM agent_keys"
_OPERATORS = "SELECT key_id, hash, person, created_at, revoked_at FROM operator_keys"
_AUDITORS = "SELECT key_id, hash, person, shows_values, created_at, revoked_at FROM auditor_keys"


@dataclass(slots=True)
class _Registered:
    """One agent as the log has it. `keys` are the times at which it got one, each with its digest."""

    agent: Agent
    added_at: datetime
    revoked_at: datetime | None = None
    keys: list[tuple[str, str | None]] = field(default_factory=list)
    ended: str = ""
    replaced: str = ""


class Registry:
    """Takes the log's events one after the other, and is then held against the tables."""

    def __init__(self) -> None:
        self._agents: dict[str, _Registered] = {}
        self._operators: dict[str, list[Any]] = {}
        self._auditors: dict[str, list[Any]] = {}
        self._changed: list[str] = []

    def note(self, event: object) -> None:
        """Take the next event, of whatever kind."""
        match event:
            case AgentChanged():
                self._agent(event)
            case AgentKeysEnded() if event.agent.id in self._agents:
                self._agents[event.agent.id].ended = format_time(event.at)
            case OperatorKeyChanged(change="added"):
                self._operators[event.key] = [event.fingerprint, event.holder, format_time(event.at), None]
            case AuditorKeyChanged(change="added"):
                row = [event.fingerprint, event.holder, int(event.values), format_time(event.at), None]
                self._auditors[event.key] = row
            case OperatorKeyChanged() if event.key in self._operators:
                self._operators[event.key][-1] = format_time(event.at)
            case AuditorKeyChanged() if event.key in self._auditors:
                self._auditors[event.key][-1] = format_time(event.at)

    def _agent(self, event: AgentChanged) -> None:
        at = format_time(event.at)
        known = self._agents.setdefault(event.agent.id, _Registered(event.agent, event.at))
        if _rights(event.agent) != _rights(known.agent):
            self._changed.append(f"agent {event.agent.id} had other rights when it was {event.change} than when added")
        if event.change == "revoked":
            known.revoked_at, known.ended = event.at, at
        else:
            known.replaced = at
            known.keys.append((at, event.fingerprint))

    def faults(self, connection: sqlite3.Connection) -> Iterator[str]:
        """Give a line for each row that the log does not bear out, and for each that is missing."""
        yield from self._changed
        wanted = {ident: _row(known) for ident, known in self._agents.items()}
        yield from _compared("agent", wanted, connection.execute(_AGENTS))
        yield from self._key_faults(connection)
        operators = {key: tuple(row) for key, row in self._operators.items()}
        yield from _compared("operator's key", operators, _digested(operators, connection.execute(_OPERATORS)))
        auditors = {key: tuple(row) for key, row in self._auditors.items()}
        yield from _compared("auditor's key", auditors, _digested(auditors, connection.execute(_AUDITORS)))

    def _key_faults(self, connection: sqlite3.Connection) -> Iterator[str]:
        found: dict[str, Counter[tuple[str, str | None]]] = defaultdict(Counter)
        for agent, created, expires, key_id, key_hash in connection.execute(_AGENT_KEYS):
            known = self._agents.get(agent)
            is_bound = known is None or (created, None) not in known.keys
            found[agent][created, key_digest(key_id, key_hash) if is_bound else None] += 1
            if known is None:
                continue
            lives_on = created < known.ended and (expires is None or expires > known.ended)
            if lives_on or (created < known.replaced and expires is None):
                yield f"a key of agent {agent} lives longer than the log says"
            elif expires is not None and created > known.ended and created >= known.replaced:
                yield f"a key of agent {agent} ends, and the log does not say so"
        for agent in sorted({*found, *self._agents}):
            if found[agent] != Counter(self._agents[agent].keys if agent in self._agents else ()):
                yield f"the keys of agent {agent} are not those that the log says were made"


def _rights(agent: Agent) -> tuple[Any, ...]:
    return agent.name, agent.owner, agent.tools, agent.callback_hosts


def _row(known: _Registered) -> tuple[Any, ...]:
    agent, revoked = known.agent, known.revoked_at
    return (
        agent.name,
        agent.owner,
        json.dumps(agent.tools),
        json.dumps(agent.callback_hosts),
        len(known.keys),
        format_time(known.added_at),
        None if revoked is None else format_time(revoked),
    )


def _digested(wanted: dict[str, tuple[Any, ...]], rows: sqlite3.Cursor) -> Iterator[tuple[Any, ...]]:
    """Put the digest in place of a key's hash; nothing where the log has none of that key."""
    for key_id, key_hash, *row in rows:
        is_bound = wanted.get(key_id, ("",))[0] is not None
        yield key_id, key_digest(key_id, key_hash) if is_bound else None, *row


def _compared(what: str, wanted: dict[str, tuple[Any, ...]], rows: Iterable[tuple[Any, ...]]) -> Iterator[str]:
    left = dict(wanted)
    for ident, *row in rows:
        known = left.pop(ident, None)
        if known is None:
            yield f"{what} {ident} is in the index and not in the log"
        elif known != tuple(row):
            yield f"{what} {ident} is not as the log says"
    for ident in left:
        yield f"{what} {ident} is in the log and not in the index"
