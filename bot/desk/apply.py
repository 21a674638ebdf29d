"""From a command to committed facts: decide, record, react, plan. Runs inside a unit of the writer."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import assert_never, cast

from approval_rules.commands import Command, Thaw
from approval_rules.decide import QUORUM, Events, decide
from approval_rules.events import Approved, Claimed, OutcomeReported, SubmitRefused
from approval_rules.initiation_events import InitiationRefused
from approval_rules.people import PersonId, ProposalId
from approval_rules.policy_events import PolicyActivated
from approval_rules.react import Effect, ShowPacket, TellAgent, TellThread, react
from approval_rules.requirement import GRANT_LIFE, OUTCOME_WITHIN
from approval_rules.state import Proposal
from approval_rules.switch import Pause
from approval_rules.text import AgentJson
from approval_rules.times import format_time
from approval_rules.versions import CHANGE_TOOL, SERVER
from bot.replay.change import version_of
from bot.store import outbox, rows
from bot.store.codec import POLICY as POLICY_SUBJECT
from bot.store.codec import Recorded
from bot.store.outbox import Kind
from bot.store.rows import Loaded
from bot.store.terms import PERSONAL_DAYS
from bot.store.transaction import Transaction
from handlers.desk import Face, Seen
from handlers.http.render import proposal_json


@dataclass(frozen=True, slots=True)
class Applied:
    """What a command did: the events, and the proposal after them (None where a submit was refused)."""

    events: Events
    loaded: Loaded | None


def apply(tx: Transaction, loaded: Loaded | None, command: Command, decided: Events | None = None) -> Applied:
    """Decide one command, record its events and plan their effects; `decided` is what it came to just before."""
    events = decide(None if loaded is None else loaded.proposal, command, tx.switch) if decided is None else decided
    for event in events:
        recorded = tx.record(event)
        if not isinstance(event, SubmitRefused | InitiationRefused):
            after = cast("Loaded", tx.proposal(event.proposal))
            for effect in react(after.proposal, event):
                _plan(tx, after, recorded, effect)
            if isinstance(event, Approved) and after.proposal.tool == CHANGE_TOOL:
                _change_policy(tx, after.proposal)
    return Applied(events, tx.proposal(command.proposal) if events else loaded)


def _change_policy(tx: Transaction, change: Proposal) -> None:
    """Do at once what was approved, in the transaction that approved it: no stop or kill can come in between."""
    activate(tx, PolicyActivated(tx.at, QUORUM, version_of(change), tx.versions.active, "approved", change.id))
    grant = tx.new_id("grant")
    tx.record(Claimed(tx.at, SERVER.actor, change.id, grant, None, tx.at + GRANT_LIFE, tx.at + OUTCOME_WITHIN))
    tx.record(OutcomeReported(tx.at, SERVER.actor, change.id, "succeeded", AgentJson({})))


def activate(tx: Transaction, event: PolicyActivated) -> None:
    """Let a version decide from here on, and tell everybody unless it is the first."""
    recorded = tx.record(event)
    if event.why != "first":
        outbox.plan(tx, Kind.ANNOUNCE, POLICY_SUBJECT, recorded.seq, {})


def _plan(tx: Transaction, after: Loaded, recorded: Recorded, effect: Effect) -> None:
    proposal = after.proposal
    match effect:
        case ShowPacket():
            outbox.plan_packet(tx, proposal.id, recorded.seq, posted=proposal.packet is not None)
        case TellThread():
            outbox.plan(tx, Kind.THREAD, proposal.id, recorded.seq, _note(effect))
        case TellAgent():
            days = min(PERSONAL_DAYS, proposal.requirement.retain_days or PERSONAL_DAYS)
            told = _callback(tx, after, recorded, effect)
            outbox.plan(tx, Kind.CALLBACK, proposal.id, recorded.seq, told, days=days)
        case _:
            assert_never(effect)


def _note(effect: TellThread) -> dict[str, str]:
    about = {} if effect.about is None else {"about": effect.about}
    return {"note": effect.note.value, **about}


def _callback(tx: Transaction, after: Loaded, recorded: Recorded, effect: TellAgent) -> Mapping[str, object]:
    """Fix the bytes of a callback; the log's size and root in it make every receiver a witness of the log."""
    proposal = after.proposal
    at = format_time(recorded.event.at)
    size = recorded.seq + 1
    log = {"index": recorded.seq, "size": size, "head": recorded.leaf_hash.hex(), "root": tx.root(size).hex()}
    body = (
        f'{{"type":{json.dumps(effect.kind)},"timestamp":"{at}",'
        f'"data":{proposal_json(seen_in(tx, after))},"log":{json.dumps(log)}}}'
    )
    agent = tx.agent(proposal.agent.id)
    generation = 0 if agent is None else agent.secret_generation
    return {"url": proposal.callback_url, "agent": proposal.agent.id, "body": body, "generation": generation}


def seen_in(tx: Transaction, loaded: Loaded) -> Seen:
    """Make the view of a proposal inside a transaction."""
    return _seen(tx, loaded, faces_in(tx, people_of(loaded.proposal)))


def taken_in(tx: Transaction, loaded: Loaded) -> Seen:
    """Make an agent's view of a proposal that nobody has voted on yet: it names no people, so none are looked up."""
    return _seen(tx, loaded, {})


def _seen(tx: Transaction, loaded: Loaded, faces: Mapping[PersonId, Face]) -> Seen:
    proposal = loaded.proposal
    frozen = tx.switch.stops(proposal.agent.id, proposal.tool) if proposal.deadline else None
    return Seen(proposal, faces, frozen, loaded.last_seq)


def faces_in(tx: Transaction, people: Iterable[PersonId]) -> dict[PersonId, Face]:
    """Give names to pseudonyms inside a transaction."""
    faces = {PersonId(ref): Face(user, name) for ref, _team, user, name in tx.people(set(people))}
    return {**faces, **{person: Face(account.user_id, name) for person, account, name in tx.new_people()}}


def people_of(proposal: Proposal) -> tuple[PersonId, ...]:
    """List the people that a view of a proposal names."""
    absent = (vote.on_behalf_of for vote in proposal.votes if vote.on_behalf_of is not None)
    started = (proposal.started_by,) if proposal.started_by else ()
    initiator = (proposal.initiator.person,) if proposal.initiator else ()
    voters = [vote.voter for vote in proposal.votes]
    asked = [person for each in proposal.questions for person in (each.by, each.to) if person]
    edited = [person for edit in proposal.edits for person in (edit.editor, *edit.voided)]
    took_back = [PersonId(proposal.taken_back.by.ref)] if proposal.taken_back else []
    amended = (*asked, *edited, *took_back)
    return (proposal.agent.owner, *started, *initiator, *proposal.interested, *voters, *absent, *amended)


def named_in(proposal: Proposal, frozen_by: Pause | None) -> tuple[PersonId, ...]:
    """List the people whom a packet names: those of the proposal, who paused it, and who has the turn."""
    paused = (PersonId(frozen_by.by.ref),) if frozen_by else ()
    on_duty = (person for shift in proposal.on_duty for person in shift.people)
    return (*people_of(proposal), *paused, *on_duty)


def as_of(loaded: Loaded, seq: int) -> Loaded:
    """Give a proposal as it was right after the entry at log index `seq`."""
    return cast("Loaded", rows.loaded_from(tuple(item for item in loaded.recorded if item.seq <= seq)))


def known(tx: Transaction, unverified_id: str) -> Loaded | None:
    """Load a proposal by an id that came from outside, with its clock as it stands after every pause that has ended."""
    loaded = tx.proposal(ProposalId(unverified_id))
    return None if loaded is None else apply(tx, loaded, Thaw(tx.at, loaded.proposal.id)).loaded
