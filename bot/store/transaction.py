"""The one way to write: a unit of work reads, decides, and plans rows; a batch of units becomes one commit.

A unit that raises leaves nothing behind and does not disturb the others of its batch. Nothing here does network I/O.
"""

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple, cast, get_args

from approval_rules.budgets import NO_REJECTION
from approval_rules.drill import DRILL_TOOL
from approval_rules.events import (
    Event,
    IncidentEvent,
    ProposalEvent,
    SubmitRefused,
    Submitted,
    SwitchEvent,
    Voted,
)
from approval_rules.people import Account, AgentId, PersonId
from approval_rules.policy_events import PolicyEvent
from approval_rules.state import Proposal, evolve, evolve_switch
from approval_rules.switch import Switch
from approval_rules.times import format_time
from approval_rules.versions import Versions, evolve_versions
from bot.audit.log_format import Entry, disclosure_digest, seal
from bot.store import absences, people, rows, sealed, sent, terms
from bot.store.codec import Recorded, encode
from bot.store.folds import Folds, loaded_of, recorded_of
from bot.store.growing import GrowingTree
from bot.store.index import INDEX_COLUMNS, index_row
from bot.store.people import Known
from bot.store.rows import AgentRow, Loaded, Row
from bot.store.sealed import Vault

PROPOSAL_EVENTS = get_args(ProposalEvent)
SWITCH_EVENTS = get_args(SwitchEvent | IncidentEvent)
POLICY_EVENTS = get_args(PolicyEvent)

_INSERT_ENTRY = "INSERT INTO entries (seq, subject, type, at, body, leaf_hash) VALUES (?, ?, ?, ?, ?, ?)"
_INSERT_NODE = "INSERT INTO tree (level, idx, hash) VALUES (?, ?, ?)"
_PUT_PROPOSAL = (
    f"INSERT OR REPLACE INTO proposals ({', '.join(INDEX_COLUMNS)})"  # noqa: S608 - our own constant
    f" VALUES ({', '.join('?' * len(INDEX_COLUMNS))})"
)
_OF_A_DRILL = f'"scope":{{"kind":"tool","name":"{DRILL_TOOL}"}}'.encode()
_INSERT_KEY = "INSERT INTO idempotency (agent_id, key, body_digest, proposal_id, answer_seq) VALUES (?, ?, ?, ?, ?)"
_INSERT_TURNED_AWAY = "INSERT INTO turned_away (agent_id, seq) VALUES (?, ?)"
_INSERT_SEEN = "INSERT INTO seen_requests (id, at) VALUES (?, ?)"


class Sources(NamedTuple):
    """Where time, ids and salts come from. `salts(n)` gives n salts of 128 bits as URL-safe text.

    Without a `vault` values are written as they are, and sealed by the next sweep of a server that has one.
    """

    clock: Callable[[], datetime]
    new_id: Callable[[str], str]
    salts: Callable[[int], Sequence[str]]
    vault: Vault | None = None


class KeyUse(NamedTuple):
    """What an idempotency key was used for."""

    body_digest: str
    proposal_id: str
    answer_seq: int


@dataclass(slots=True)
class _Plan:
    """Rows to write and what later units must see of them."""

    writes: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    proposals: dict[str, Loaded] = field(default_factory=dict)
    keys: dict[tuple[str, str], KeyUse] = field(default_factory=dict)
    people: dict[Account, Known] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    versions: Versions | None = None
    loose: list[Recorded] = field(default_factory=list)
    denials: list[str] = field(default_factory=list)

    def absorb(self, other: "_Plan") -> None:
        for sql, planned in other.writes.items():
            self.writes[sql].extend(planned)
        self.proposals.update(other.proposals)
        self.keys.update(other.keys)
        self.people.update(other.people)
        self.seen.update(other.seen)
        self.versions = other.versions or self.versions
        self.loose.extend(other.loose)
        self.denials.extend(other.denials)


class Transaction:
    """What a unit of work may do. `at` is the time of the unit: the moment at which it is decided.

    `kept` is for readers: what they read of committed rows stays true for all units of the batch. Whoever overwrites
    what must not be readable any more sets `wipes`: the WAL is cut after the commit.
    """

    def __init__(self, connection: sqlite3.Connection, sources: Sources, folds: Folds) -> None:
        self._db = connection
        self._sources = sources
        self._batch = _Plan()
        self._unit = _Plan()
        self._entries: Sequence[Row] = ()
        self._stored: dict[str, Loaded | None] = {}
        self._agents: dict[AgentId, AgentRow | None] = {}
        self._marks: dict[tuple[str, str], bytes] = {}
        self.kept: dict[tuple[str, str], Any] = {}
        self.wipes = False
        head = connection.execute(rows.HEAD).fetchone()
        self._size: int = 0 if head is None else head[0] + 1
        self._head: bytes | None = None if head is None else bytes(head[1])
        self._switch = folds.switch(connection)
        self._folds = folds
        self._tree = GrowingTree(connection, folds, self._size)
        self._undo = (self._size, self._head, self._switch)
        self.at = sources.clock()
        if sources.vault is not None:
            sources.vault.refresh()  # whoever changed the keys did so while nobody else could write

    # --- the life of a unit, called by the writer ---

    def begin_unit(self) -> None:
        """Start a unit: its time is now. Whatever ended the one before has put its plan away."""
        self._undo = (self._size, self._head, self._switch)
        self.at = self._sources.clock()

    def keep_unit(self) -> None:
        """Let the unit's rows be written with the batch."""
        self._batch.absorb(self._unit)
        self._unit = _Plan()

    def drop_unit(self) -> None:
        """Forget what the unit planned."""
        self._unit = _Plan()
        self._size, self._head, self._switch = self._undo
        self._tree.take_back(self._size)

    def flush(self) -> None:
        """Write all planned rows; the caller commits."""
        writes = self._batch.writes
        for loaded in self._batch.proposals.values():
            writes[_PUT_PROPOSAL].append(index_row(loaded.proposal, loaded.last_seq))
        people.write(self._db, self.vault, format_time(self.at)[:10], self._batch.people.items())
        # First what other statements refer to.
        self._entries = writes[_INSERT_ENTRY]
        writes[sealed.REACH].extend(sealed.reaches(writes[sealed.INSERT]))
        for sql in (_INSERT_ENTRY, sealed.INSERT, _PUT_PROPOSAL):
            self._db.executemany(sql, writes.pop(sql, ()))
        for sql, planned in writes.items():
            self._db.executemany(sql, planned)

    def landed(self) -> None:
        """Note that the commit happened."""
        self._tree.landed()

    @property
    def kinds(self) -> Counter[str]:
        """How many events of each kind this batch recorded; a drill is no work, and is not counted."""
        drills = {ident for ident, loaded in self._batch.proposals.items() if loaded.proposal.tool == DRILL_TOOL}
        return Counter(row[2] for row in self._entries if row[1] not in drills and _OF_A_DRILL not in row[4])

    @property
    def denials(self) -> Counter[str]:
        """How many denials of each category this batch recorded."""
        return Counter(self._batch.denials)

    @property
    def touched(self) -> tuple[str, ...]:
        """The ids of the proposals that this batch changed."""
        return tuple(self._batch.proposals)

    # --- reading ---

    def new_id(self, prefix: str) -> str:
        """Make a new time-ordered id."""
        return self._sources.new_id(prefix)

    @property
    def size(self) -> int:
        """How many entries the log has, with what this unit planned."""
        return self._size

    def root(self, size: int) -> bytes:
        """Give the root of the tree over the log's first `size` entries, with what this unit planned."""
        return self._tree.root(size)

    @property
    def switch(self) -> Switch:
        """The kill switch as of now, inside this transaction: what a pause locks and a claim reads."""
        return self._switch

    @property
    def versions(self) -> Versions:
        """Which policy version decides, as of now, inside this transaction."""
        return self._unit.versions or self._batch.versions or self._folds.versions(self._db)

    def proposal(self, unverified_id: str) -> Loaded | None:
        """Load a proposal with what earlier units of this batch did to it."""
        known = self._unit.proposals.get(unverified_id) or self._batch.proposals.get(unverified_id)
        if known is not None:
            return known
        if unverified_id not in self._stored:  # nobody else writes while this transaction lasts
            self._stored[unverified_id] = loaded_of(self._db, unverified_id)
        return self._stored[unverified_id]

    def marks(self, digest: str) -> list[bytes]:
        """Give by what a digest (as JSON) that was recorded within 24 hours is found."""
        return [self._mark(day, digest) for day in _today_and_yesterday(self.at.date())]

    def _mark(self, day: str, digest: str) -> bytes:
        """Work a mark out once: a proposal is looked for by its digest, and then recorded under it."""
        if (found := self._marks.get((day, digest))) is None:
            found = self._marks[day, digest] = sealed.mark_of(self._sources.vault, day, digest)
        return found

    def planned(self) -> dict[str, Loaded]:
        """Give the proposals that this batch has touched, as they will be: their rows may not be readable yet."""
        return {**self._batch.proposals, **self._unit.proposals}

    def loose(self) -> list[Recorded]:
        """List what this batch recorded of no proposal: refusals, stops, who is one person; their rows come later."""
        return [*self._batch.loose, *self._unit.loose]

    def history(self, subject: str) -> tuple[Recorded, ...]:
        """Read what was committed about a subject; what this batch recorded of it is in `loose`."""
        return recorded_of(self._db, subject)

    def key_use(self, agent: AgentId, key: str) -> KeyUse | None:
        """Look an idempotency key up."""
        known = self._unit.keys.get((agent, key)) or self._batch.keys.get((agent, key))
        if known is not None:
            return known
        row = self._db.execute(
            "SELECT body_digest, proposal_id, answer_seq FROM idempotency WHERE agent_id = ? AND key = ?",
            (agent, rows.key_hash(agent, key)),
        ).fetchone()
        return None if row is None else KeyUse(*row)

    def agent(self, agent_id: AgentId) -> AgentRow | None:
        """Look an agent up as of now: a key revoked a moment ago is revoked here."""
        if agent_id not in self._agents:  # nobody else writes, and what units plan is written after all of them
            row = self._db.execute(rows.AGENT_BY_ID, {"id": agent_id}).fetchone()
            self._agents[agent_id] = None if row is None else rows.agent_from(row)
        return self._agents[agent_id]

    def rows(self, sql: str, where: Mapping[str, Any]) -> list[Row]:
        """Read committed rows; what this batch planned is not in them."""
        return cast("list[Row]", self._db.execute(sql, where).fetchall())

    def walk(self, sql: str, where: Mapping[str, Any]) -> Iterator[Row]:
        """Read committed rows one at a time, for whoever stops early."""
        return cast("Iterator[Row]", self._db.execute(sql, where))

    def planned_rows(self, sql: str) -> list[Row]:
        """Give the rows that this batch has planned for a statement."""
        return [*self._batch.writes.get(sql, ()), *self._unit.writes.get(sql, ())]

    # --- writing ---

    def person(self, account: Account, name: str) -> PersonId:
        """Give the person behind an account, making one for a new account; a new name is kept."""
        known = self._known(account)
        if known is None:
            known = people.met(self._sources.salts(1)[0], account, name)
        elif known.name is None or (name and name != known.name):
            known = known._replace(name=name or known.name or "", changed=True)
        self.learn(account, known)
        return known.person

    def learn(self, account: Account, known: Known) -> None:
        """Take up what is known of an account; what has changed of it is written with the batch."""
        self._unit.people[account] = known

    def known_person(self, account: Account) -> PersonId | None:
        """Give the person behind an account that was seen before."""
        known = self._known(account)
        return None if known is None else known.person

    def _known(self, account: Account) -> Known | None:
        planned = self._unit.people.get(account) or self._batch.people.get(account)
        return planned or people.find(self.rows, self.vault, account)

    @property
    def vault(self) -> Vault | None:
        """The data keys, where they are at hand."""
        return self._sources.vault

    def people(self, refs: Collection[PersonId]) -> Sequence[Row]:
        """Read the committed rows of people: ref, team_id, user_id, name."""
        found = self._db.execute(people.BY_REF, {"refs": json.dumps(list(refs))}).fetchall()
        return people.opened_rows(self.vault, found)

    def new_people(self) -> list[tuple[PersonId, Account, str]]:
        """List the people that this batch met: their rows may not be readable yet."""
        met = {**self._batch.people, **self._unit.people}
        return [(known.person, account, known.name or "") for account, known in met.items()]

    def first_seen(self, request_id: str) -> bool:
        """Note a signed request; False where exactly this request was handled before."""
        seen = request_id in self._unit.seen or request_id in self._batch.seen
        if seen or self.rows("SELECT 1 FROM seen_requests WHERE id = :id", {"id": request_id}):
            return False
        self._unit.seen.add(request_id)
        self.write(_INSERT_SEEN, (request_id, format_time(self.at)))
        return True

    def use_key(self, agent: AgentId, key: str, use: KeyUse) -> None:
        """Bind an idempotency key to its proposal for as long as that lives."""
        self._unit.keys[(agent, key)] = use
        self.write(_INSERT_KEY, (agent, rows.key_hash(agent, key), *use))

    def sealed_payload(self, name: str, text: str, at: str, days: int = terms.PERSONAL_DAYS) -> str:
        """Seal the payload of what was planned `at` to be sent under a name, for so many days."""
        return sent.sealed(self._sources.vault, at, name, text, days)

    def write(self, sql: str, row: Row) -> None:
        """Plan a row for a statement with positional parameters."""
        self._unit.writes[sql].append(row)

    def record(self, event: Event) -> Recorded:
        """Append an event to the log and fold it into its proposal or into the switch."""
        encoded = encode(event)
        salts = self._sources.salts(len(encoded.detached))
        entry = seal(
            seq=self._size,
            prev=self._head,
            entry_id=self.new_id("evt"),
            at=(at := format_time(event.at)),
            kind=encoded.kind,
            actor={"kind": event.by.kind.value, "ref": event.by.ref},
            subject=encoded.subject,
            policy=encoded.policy,
            data=encoded.data,
            sd=[
                disclosure_digest(salt, name, text)
                for salt, (name, text) in zip(salts, encoded.detached.items(), strict=True)
            ],
        )
        self.write(_INSERT_ENTRY, (entry.seq, encoded.subject, encoded.kind, at, entry.body, entry.leaf_hash))
        self._detach(event, entry.seq, at, zip(salts, encoded.detached.items(), strict=True))
        for node in self._tree.append(entry.leaf_hash):
            self.write(_INSERT_NODE, node)
        self._size, self._head = entry.seq + 1, entry.leaf_hash
        return self._fold(event, entry)

    def _detach(self, event: Event, seq: int, at: str, values: Iterable[tuple[str, tuple[str, str]]]) -> None:
        about = isinstance(event, PROPOSAL_EVENTS) and not isinstance(event, Submitted)
        before = self.proposal(cast("ProposalEvent", event).proposal) if about else None
        record = terms.record_days(event, None if before is None else before.proposal)
        personal = terms.personal_of(event)
        for salt, (name, text) in values:
            days = terms.days_of(name, record, personal)
            mark = self._mark(at[:10], text) if name == sealed.DIGEST else None
            self.write(sealed.INSERT, sealed.row(self._sources.vault, at, days, mark, seq, name, salt, text))

    def _fold(self, event: Event, entry: Entry) -> Recorded:
        recorded = Recorded(entry.seq, entry.leaf_hash, event)
        if isinstance(event, PROPOSAL_EVENTS):
            fact = cast("ProposalEvent", event)
            if isinstance(fact, Voted) and fact.category is not None:
                self._unit.denials.append(fact.category.value)
            before = None if isinstance(fact, Submitted) else self.proposal(fact.proposal)
            proposal: Proposal | None = None if before is None else before.proposal
            history = () if before is None else before.recorded
            self._unit.proposals[fact.proposal] = Loaded(evolve(proposal, fact), (*history, recorded))
        elif isinstance(event, SWITCH_EVENTS):
            self._switch = evolve_switch(self._switch, cast("SwitchEvent | IncidentEvent", event))
        elif isinstance(event, POLICY_EVENTS):
            self._unit.versions = evolve_versions(self.versions, cast("PolicyEvent", event))
        elif isinstance(event, absences.EVENTS):
            self.write(absences.PUT, absences.row_of(event, entry.seq))
        else:
            self._unit.loose.append(recorded)
            if turned_away(event):
                self.write(_INSERT_TURNED_AWAY, (event.by.ref, entry.seq))
        return recorded


@lru_cache(maxsize=4)
def _today_and_yesterday(day: date) -> tuple[str, str]:
    return day.isoformat(), (day - timedelta(days=1)).isoformat()


def turned_away(event: Event) -> bool:
    """Tell whether an event turned a proposal away for a mistake of its agent."""
    return isinstance(event, SubmitRefused) and event.code not in NO_REJECTION
