"""Agents and their keys: added, rotated with overlap, revoked at once. Each change is a unit of the writer."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal, TypeAlias

from approval_rules.events import AgentChanged
from approval_rules.people import Account, Actor, Agent, AgentId, ToolName, operator
from approval_rules.stop_events import AgentKeysEnded
from approval_rules.times import format_time
from approval_rules.versions import SERVER
from bot.clock import NewToken
from bot.store import outbox, rows
from bot.store.bound import key_digest
from bot.store.codec import Recorded
from bot.store.outbox import Kind
from bot.store.rows import AgentRow
from bot.store.transaction import Transaction

KeyEvent: TypeAlias = AgentChanged | AgentKeysEnded
OS_TEAM = "os"
MOST_TOOLS = 50
MOST_HOSTS = 20  # with the tools they fit into one entry of the log, however long their names are
_INSERT_AGENT = (
    "INSERT INTO agents (id, name, owner, tools, callback_hosts, secret_generation, created_at)"
    " VALUES (?, ?, ?, ?, ?, 1, ?)"
)
_INSERT_KEY = "INSERT INTO agent_keys (key_id, agent_id, hash, created_at) VALUES (?, ?, ?, ?)"
_END_KEYS = "UPDATE agent_keys SET expires_at = ? WHERE agent_id = ? AND (expires_at IS NULL OR expires_at > ?)"
_NEW_SECRET = "UPDATE agents SET secret_generation = secret_generation + 1 WHERE id = ?"  # noqa: S105 - SQL
_REVOKE = "UPDATE agents SET revoked_at = ? WHERE id = ?"
_HOME = "SELECT value FROM facts WHERE name = 'home'"


class AgentError(Exception):
    """An agent cannot be changed as asked; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key, shown this once; only its hash is kept."""

    agent: Agent
    generation: int
    key: str = field(repr=False)


def who_typed(tx: Transaction, os_user: str) -> Actor:
    """Name the person at the command line: an account of the machine, not of Slack."""
    return operator(tx.person(Account(OS_TEAM, os_user), os_user))


@dataclass(frozen=True, slots=True)
class AddAgent:
    """Register an agent with its owner (a Slack user id), its tools and its callback hosts."""

    name: str
    owner: str
    tools: tuple[str, ...]
    callback_hosts: tuple[str, ...]
    os_user: str
    new_token: NewToken

    def __call__(self, tx: Transaction) -> NewKey:
        """Raises AgentError for a name that is taken, and for tools that it cannot have."""
        known = named(tx, self.name)
        if known is not None:
            instead = (
                "it is revoked for ever" if known.agent.revoked else "or give it a new key: `foureyes agent rotate`"
            )
            raise AgentError(f"an agent named {self.name!r} exists; pick another name; {instead}")
        if not self.tools or len(self.tools) > MOST_TOOLS:
            raise AgentError(f"give the agent 1 to {MOST_TOOLS} tools with --tool")
        if len(self.callback_hosts) > MOST_HOSTS:
            raise AgentError(f"give the agent at most {MOST_HOSTS} hosts with --callback-host")
        for tool in SERVER.tools:
            if tool in self.tools:
                raise AgentError(
                    f"no agent can have the tool {tool}: only Foureyes has, and policy is changed by people"
                )
        by = who_typed(tx, self.os_user)
        owner = tx.person(Account(home_team(tx), self.owner), "")
        agent = Agent(
            AgentId(tx.new_id("agent")), self.name, owner, tuple(map(ToolName, self.tools)), self.callback_hosts
        )
        row = (agent.id, agent.name, owner, json.dumps(self.tools), json.dumps(self.callback_hosts), format_time(tx.at))
        tx.write(_INSERT_AGENT, row)
        return _issue(tx, AgentRow(agent, 1), by, "added", self.new_token)


@dataclass(frozen=True, slots=True)
class RotateAgent:
    """Give an agent a new key and a new callback secret; old keys end after the overlap."""

    name: str
    overlap: timedelta
    os_user: str
    new_token: NewToken

    def __call__(self, tx: Transaction) -> NewKey:
        """Raises AgentError for an unknown or revoked agent."""
        return new_key(tx, _living(tx, self.name), who_typed(tx, self.os_user), self.new_token, self.overlap)


@dataclass(frozen=True, slots=True)
class RevokeAgent:
    """Take every key of an agent away, at once and for ever; what it has approved and unclaimed cannot be claimed."""

    name: str
    os_user: str

    def __call__(self, tx: Transaction) -> Agent:
        """Raises AgentError for an unknown or revoked agent."""
        agent = _living(tx, self.name).agent
        now = format_time(tx.at)
        tx.write(_END_KEYS, (now, agent.id, now))
        tx.write(_REVOKE, (now, agent.id))
        _tell_again(tx, tx.record(AgentChanged(tx.at, who_typed(tx, self.os_user), agent, "revoked")), agent)
        return agent


def end_keys(tx: Transaction, agent: Agent, by: Actor) -> Recorded:
    """End every key of an agent at once; everybody is told, and its owner how there will be a new one."""
    now = format_time(tx.at)
    tx.write(_END_KEYS, (now, agent.id, now))
    recorded = tx.record(AgentKeysEnded(tx.at, by, agent))
    outbox.plan(tx, Kind.ANNOUNCE, agent.id, recorded.seq, {})
    outbox.plan(tx, Kind.TELL, agent.id, recorded.seq, {})
    _tell_again(tx, recorded, agent)
    return recorded


def new_key(tx: Transaction, row: AgentRow, by: Actor, new_token: NewToken, overlap: timedelta) -> NewKey:
    """Give an agent a new key and a new callback secret; old keys end after the overlap."""
    end = format_time(tx.at + overlap)
    tx.write(_END_KEYS, (end, row.agent.id, end))
    tx.write(_NEW_SECRET, (row.agent.id,))
    return _issue(tx, AgentRow(row.agent, row.secret_generation + 1), by, "rotated", new_token)


def key_events(recorded: Iterable[Recorded], agent: AgentId) -> list[tuple[int, KeyEvent]]:
    """Pick what happened to an agent's keys, each with its log index."""
    events = ((item.seq, item.event) for item in recorded if isinstance(item.event, AgentChanged | AgentKeysEnded))
    return [(seq, event) for seq, event in events if event.agent.id == agent]


def key_events_in(tx: Transaction, agent: AgentId) -> list[tuple[int, KeyEvent]]:
    """Give what happened to an agent's keys, as of now."""
    return key_events([*tx.history(agent), *tx.loose()], agent)


def _tell_again(tx: Transaction, recorded: Recorded, agent: Agent) -> None:
    """Let the message to the owner about an earlier end of the keys say what came of it."""
    ends = [seq for seq, event in key_events_in(tx, agent.id) if isinstance(event, AgentKeysEnded)]
    for first in [seq for seq in ends if seq < recorded.seq][-1:]:
        outbox.show_again(tx, Kind.TELL, agent.id, first, recorded.seq)


def named(tx: Transaction, name: str) -> AgentRow | None:
    """Find an agent by its name."""
    found = tx.rows(rows.AGENT_BY_NAME, {"name": name})
    return rows.agent_from(found[0]) if found else None


def _living(tx: Transaction, name: str) -> AgentRow:
    found = named(tx, name)
    if found is None:
        raise AgentError(f"there is no agent named {name!r}; `foureyes agent list` shows them")
    if found.agent.revoked:
        raise AgentError(f"the agent {name!r} is revoked; add a new one under another name")
    return found


def _issue(
    tx: Transaction, row: AgentRow, by: Actor, change: Literal["added", "rotated"], new_token: NewToken
) -> NewKey:
    from bot.keys import new_agent_key  # noqa: PLC0415 - cryptography, which `status` must not wait for

    key, key_id, key_hash = new_agent_key(new_token)
    tx.write(_INSERT_KEY, (key_id, row.agent.id, key_hash, format_time(tx.at)))
    _tell_again(tx, tx.record(AgentChanged(tx.at, by, row.agent, change, key_digest(key_id, key_hash))), row.agent)
    return NewKey(row.agent, row.secret_generation, key)


def home_team(tx: Transaction) -> str:
    """Give Slack's id of the home workspace; empty while it is not known."""
    found = tx.rows(_HOME, {})
    return str(json.loads(found[0][0])["team_id"]) if found else ""
