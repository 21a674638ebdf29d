"""Fills a database through the writer itself, faster than requests could: open packets, whole lives, many proposals."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import closing

from approval_rules.canonical import Digest, digest_of
from approval_rules.commands import CastVote, Claim, Command, Draft, RecordPosted, ReportOutcome, Submit
from approval_rules.events import Decision, Posted
from approval_rules.people import Account, PersonId, ProposalId, RoleName, Standing, ToolName
from approval_rules.requirement import PolicyRef, Requirement, Seat, Tier
from approval_rules.text import AgentJson, AgentText, Json
from benchmarks.names import CHANNEL, PEOPLE, TEAM, TOOL
from benchmarks.place import SOURCES, Place
from bot.desk.apply import apply, seen_in
from bot.store.commit import Work, commit
from bot.store.engine import open_writer
from bot.store.folds import Folds
from bot.store.transaction import Transaction
from handlers.desk import Seen
from handlers.slack.packet import packet

_MANAGER = RoleName("support_manager")
_BATCH = 128
_ARGUMENTS: Json = {"amount_usd": 180, "currency": "USD", "customer_id": "C-4411", "order_id": "ORD-20931"}
_CONTEXT: Json = {
    "facts": {"customer_tier": "pro", "days_since_order": 12},
    "evidence": [{"title": "Ticket 8812", "excerpt": "The customer was charged twice for one order."}],
}
_numbers = itertools.count(1)
Unit = Callable[[Transaction], Seen]


def fill(at: Place, unit: Unit, count: int) -> list[Seen]:
    """Run a unit so many times, in batches of the server's size, and anchor the log; nothing is left to be sent."""
    made: list[Seen] = []
    with closing(open_writer(at.database, checkpoints=True)) as connection:
        for size in _sizes(count):
            works = [Work(unit) for _ in range(size)]
            commit(connection, SOURCES, Folds(), works)
            made += [_result(work) for work in works]
        connection.execute("UPDATE outbox SET state = 'done'")
    at.anchor()
    return made


def _sizes(count: int) -> Iterator[int]:
    for done in range(0, count, _BATCH):
        yield min(_BATCH, count - done)


def _result(work: Work[Seen]) -> Seen:
    if work.error is not None or work.result is None:
        raise RuntimeError("a unit failed") from work.error
    return work.result


def submitted(at: Place) -> Unit:
    """Make a unit that takes in one proposal which two managers have to approve."""

    def unit(tx: Transaction) -> Seen:
        return _do(tx, _submit(tx, at, Tier.YELLOW))

    return unit


def posted(at: Place) -> Unit:
    """Make a unit that takes in one proposal and records its packet."""

    def unit(tx: Transaction) -> Seen:
        return _post(tx, _do(tx, _submit(tx, at, Tier.YELLOW)))

    return unit


def approved(at: Place) -> Unit:
    """Make a unit that takes in one proposal which the policy allows."""

    def unit(tx: Transaction) -> Seen:
        return _do(tx, _submit(tx, at, Tier.GREEN))

    return unit


def whole_life(at: Place) -> Unit:
    """Make a unit that leads one proposal through a whole life: ten entries, as people and agents would leave them."""

    def unit(tx: Transaction) -> Seen:
        seen = _post(tx, _do(tx, _submit(tx, at, Tier.YELLOW)))
        for user in PEOPLE[:2]:
            seen = _post(tx, _vote(tx, seen, tx.person(Account(TEAM, user), user.title())))
        voters = [vote.voter for vote in seen.proposal.votes]
        approvers = {voter: Standing(voter, frozenset({_MANAGER})) for voter in voters}
        ident, agent = seen.proposal.id, at.agent.agent
        claim = Claim(tx.at, ident, agent, seen.proposal.digest, tx.new_id("grant"), None, approvers)
        seen = _post(tx, _do(tx, claim))
        return _do(tx, ReportOutcome(tx.at, ident, agent.id, "succeeded", AgentJson({"detail": "refunded"})))

    return unit


def clicked(at: Place, version: str, in_vain: int) -> Unit:
    """Make a unit that takes in one proposal, approved by two after so many clicks of people who may not."""

    def unit(tx: Transaction) -> Seen:
        seen = _post(tx, _do(tx, _submit(tx, at, Tier.YELLOW, version)))
        for number in range(in_vain):
            user = PEOPLE[number % len(PEOPLE)]
            _vote(tx, seen, tx.person(Account(TEAM, f"{user}X"), f"Not {user.title()}"), frozenset())
        for user in PEOPLE[:2]:
            seen = _post(tx, _vote(tx, seen, tx.person(Account(TEAM, user), user.title())))
        return seen

    return unit


def _do(tx: Transaction, command: Command) -> Seen:
    after = apply(tx, tx.proposal(command.proposal), command).loaded
    if after is None:
        raise RuntimeError(f"{type(command).__name__} was refused")
    return seen_in(tx, after)


def _submit(tx: Transaction, at: Place, tier: Tier, version: str = "sha256:" + "0" * 64) -> Submit:
    draft = Draft(
        tool=ToolName(TOOL),
        arguments=AgentJson(_ARGUMENTS),
        digest=digest_of(TOOL, _ARGUMENTS),
        summary=AgentText("The customer was charged twice; give one of the charges back."),
        context=AgentJson(_CONTEXT),
        run=AgentJson({"id": "run-77", "tokens": 8211}),
    )
    seats = (Seat(_MANAGER, 2),) if tier is Tier.YELLOW else ()
    requirement = Requirement(tier, seats, PolicyRef(version, f"{TOOL}#3", "rule 3: two must approve"))
    return Submit(tx.at, ProposalId(tx.new_id("prop")), at.agent.agent, None, draft, requirement)


def _post(tx: Transaction, seen: Seen) -> Seen:
    """Record the packet as it would stand now."""
    shown = packet(seen, tx.at).shown
    ts = seen.proposal.packet.ts if seen.proposal.packet else f"1790000000.{next(_numbers):06}"
    return _do(tx, RecordPosted(tx.at, seen.proposal.id, Posted(CHANNEL, ts, Digest(shown))))


def _vote(tx: Transaction, seen: Seen, person: PersonId, roles: frozenset[RoleName] = frozenset({_MANAGER})) -> Seen:
    proposal = seen.proposal
    others = {vote.voter: Standing(vote.voter, frozenset({_MANAGER})) for vote in proposal.votes}
    voter = Standing(person, roles)
    ts = proposal.packet.ts if proposal.packet else ""
    return _do(tx, CastVote(tx.at, proposal.id, voter, others, Decision.APPROVE, proposal.digest, CHANNEL, ts))
