"""Gathers what is recorded about one decision, in one view of the database. It only looks, and judges nothing again."""

import sqlite3
from base64 import urlsafe_b64decode
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple, cast

from approval_rules.events import PacketPosted, Paused, ProposalEvent, Resumed
from approval_rules.log_events import SigningKeyChanged
from approval_rules.people import ActorKind, AgentId, PersonId, ToolName
from approval_rules.policy import PolicyFolder
from approval_rules.state import Proposal, evolve
from approval_rules.switch import Switch
from bot.audit.signed_note import counting
from bot.audit.tiles import IncompleteTreeError, stored_frontier
from bot.desk.apply import named_in, people_of
from bot.desk.permission import Permission, permitted
from bot.evidence.gaps import with_gaps
from bot.evidence.proving import Proofs, anchored, proofs_of
from bot.keys import SigningKey, dial_key
from bot.policy_content import PolicyContent
from bot.policy_files import PolicyFolderError, load_content
from bot.store import rows
from bot.store.codec import LOG, SWITCH, Recorded
from bot.store.decisions import Callback, Written, callbacks_of, faces_of, written_at, written_of
from bot.store.engine import open_reader
from bot.store.folds import recorded_of
from bot.store.past import one_view
from bot.store.people import Bound, bound_of
from bot.store.policies import PolicyStoreError, content_of, looking
from bot.store.rows import Loaded
from bot.store.transaction import PROPOSAL_EVENTS
from handlers.desk import Face, Seen

_PEOPLE = (ActorKind.HUMAN, ActorKind.OPERATOR, ActorKind.OPERATOR_KEY)


class Place(NamedTuple):
    """Where evidence is taken from: the database, and the anchor and the key beside each other."""

    database: Path
    anchor_file: Path
    key: SigningKey

    def keys(self, size: int) -> Sequence[bytes]:
        """Give the public keys whose checkpoints of so many entries count."""
        return counting(self.key.publics, self.key.retired, size)


@dataclass(frozen=True, slots=True)
class Version:
    """A policy version as the database has kept it; `fault` says why it cannot be had or read any more."""

    content: PolicyContent | None
    folder: PolicyFolder | None
    fault: str | None = None

    def of_tool(self, tool: ToolName) -> dict[str, bytes]:
        """Give the file of a tool's policy, and the contracts that it names."""
        files = {} if self.content is None else self.content.files
        own = files.get(f"{tool}.yml")
        if own is None:
            return {}
        named = {name: data for name, data in files.items() if "/" in name and name.rpartition("/")[2].encode() in own}
        return {f"{tool}.yml": own, **named}


@dataclass(frozen=True, slots=True)
class Decision:
    """One proposal with everything recorded about it, and about the kill switch, as of one moment of the log.

    `pauses` are the entries that stopped it, and let it go on, while it was open.
    `bound` is what bears the pseudonyms out.
    `granted_by` is the public key that signed the permission, None where it was the first key that there was.
    """

    loaded: Loaded
    written: tuple[Written, ...]
    pauses: tuple[Written, ...]
    switch: tuple[Recorded, ...]
    states: Sequence[tuple[int, Proposal]]
    switches: Sequence[tuple[int, Switch]]
    faces: Mapping[PersonId, Face]
    versions: Mapping[str, Version]
    proofs: Proofs
    permission: Permission | None
    granted_by: bytes | None
    callbacks: Mapping[int, Callback]
    bound: Mapping[PersonId, Bound]

    @property
    def proposal(self) -> Proposal:
        """The proposal as it is now."""
        return self.loaded.proposal

    @property
    def entries(self) -> list[Written]:
        """Every entry that tells about it, in the order of the log."""
        return sorted((*self.written, *self.pauses))

    @property
    def events(self) -> Iterator[tuple[int, ProposalEvent]]:
        """Give what happened to it, with each entry's index."""
        found = (item for item in self.loaded.recorded if isinstance(item.event, PROPOSAL_EVENTS))
        return ((item.seq, cast("ProposalEvent", item.event)) for item in found)

    def living(self, seq: int) -> frozenset[str]:
        """Name the detached values of an entry that have not been erased."""
        return frozenset(value.name for each in self.written if each.seq == seq for value in each.living)

    def value(self, seq: int, name: str) -> str | None:
        """Give the canonical JSON text of a detached value of an entry; None where it is erased."""
        found = (value.value for each in self.written if each.seq == seq for value in each.living if value.name == name)
        return next(found, None)

    def seen_at(self, seq: int) -> Seen:
        """Give the view of it right after the entry at a log index, as a packet of then was rendered from."""
        index, proposal = self.states[bisect_right(self.states, seq, key=_index) - 1]
        place = bisect_right(self.switches, seq, key=_index) - 1
        switch = self.switches[place][1] if place >= 0 else Switch()
        frozen_by = switch.stops(proposal.agent.id, proposal.tool) if proposal.deadline else None
        named = named_in(proposal, frozen_by)
        return Seen(proposal, {who: self.faces[who] for who in named if who in self.faces}, frozen_by, index)

    def told_at(self, seq: int) -> Seen:
        """Give the same view, with the names of everybody who did anything, for whoever tells the story."""
        return replace(self.seen_at(seq), faces=self.faces)


class TooMuchError(Exception):
    """More was recorded about it than was to be gathered."""


def gathered(place: Place, unverified_id: str, of: AgentId | None = None, most: int | None = None) -> Decision | None:
    """Gather one decision; None where the log has no such proposal, or none `of` an agent. Raises TooMuchError."""
    newest = anchored(place.anchor_file, place.key.publics)
    with closing(open_reader(place.database)) as connection, one_view(connection):
        written = written_of(connection, unverified_id)
        loaded = rows.loaded_from(with_gaps(recorded_of(connection, unverified_id), written))
        if loaded is None or of not in (None, loaded.proposal.agent.id):
            return None
        switch = recorded_of(connection, SWITCH)
        pauses = written_at(connection, _pausing(loaded, switch))
        switch = with_gaps(switch, pauses)
        if most is not None and len(written) + len(pauses) > most:
            raise TooMuchError
        meanwhile = [item for item in switch if item.seq > written[0].seq]
        people = [*people_of(loaded.proposal), *_acting([*loaded.recorded, *meanwhile])]
        return Decision(
            loaded,
            written,
            pauses,
            switch,
            list(_states(loaded)),
            list(_switches(switch)),
            faces_of(connection, people),
            {name: _version(connection, name, place.key) for name in _versions(loaded)},
            proofs_of(connection, sorted((*written, *pauses)), newest, place.keys),
            *_permission(connection, loaded),
            callbacks_of(connection, unverified_id),
            bound_of(connection, people),
        )


def _permission(connection: sqlite3.Connection, loaded: Loaded) -> tuple[Permission | None, bytes | None]:
    """Give what was permitted, with the root that the log had then, and the public key that the log named by then.

    Nothing where nothing was permitted, or the tree has holes. No key where it was the first one.
    """
    try:
        given = permitted(loaded, lambda size: stored_frontier(connection, size).root)
    except IncompleteTreeError:
        given = None
    if given is None:
        return None, None
    changed = [item.event for item in recorded_of(connection, LOG) if item.seq < given.log.index]
    added = [event.key for event in changed if isinstance(event, SigningKeyChanged) and event.change == "added"]
    return given, urlsafe_b64decode(f"{added[-1]}=") if added else None


def _states(loaded: Loaded) -> Iterator[tuple[int, Proposal]]:
    """Fold it once, and give what it was after each entry."""
    proposal: Proposal | None = None
    for item in loaded.recorded:
        if isinstance(item.event, PROPOSAL_EVENTS):
            proposal = evolve(proposal, cast("ProposalEvent", item.event))
        if proposal is not None:
            yield item.seq, proposal


def _switches(recorded: Iterable[Recorded]) -> Iterator[tuple[int, Switch]]:
    switch = Switch()
    for item in recorded:
        switch = rows.switch_from([item], switch)
        yield item.seq, switch


def _pausing(loaded: Loaded, switch: Iterable[Recorded]) -> Iterator[int]:
    """Give the log indexes of what stopped its agent or tool, or let it go on, between its first entry and its end."""
    first, proposal = loaded.recorded[0].seq, loaded.proposal
    for item in switch:
        event, within = item.event, proposal.deadline is not None or item.seq < loaded.last_seq
        stops = isinstance(event, Paused | Resumed) and event.scope.covers(proposal.agent.id, proposal.tool)
        if stops and within and first < item.seq:
            yield item.seq


def _index(state: tuple[int, object]) -> int:
    return state[0]


def _acting(recorded: Iterable[Recorded]) -> Iterator[str]:
    """Name the people who did something, or had the turn."""
    for item in recorded:
        event = item.event
        if event.by.kind in _PEOPLE:
            yield event.by.ref
        if isinstance(event, PacketPosted):
            yield from (person for shift in event.on_duty or () for person in shift.people)


def _versions(loaded: Loaded) -> Iterable[str]:
    """Name each policy version that judged it, once."""
    return dict.fromkeys([proposal.requirement.policy.version for _, proposal in _states(loaded)])


def _version(connection: sqlite3.Connection, version: str, key: SigningKey) -> Version:
    try:
        content = content_of(looking(connection), version)
    except PolicyStoreError as error:
        return Version(None, None, str(error))
    try:
        return Version(content, replace(load_content(content), dial_key=dial_key(key)))
    except PolicyFolderError:
        return Version(content, None, "this version of Foureyes does not read that policy any more")
