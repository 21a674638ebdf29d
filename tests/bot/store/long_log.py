"""Makes a log of any length in one commit: refunds that are asked, shown, approved, claimed and reported."""

import sqlite3
from collections.abc import Mapping
from datetime import timedelta

from approval_rules.canonical import digest_of, sha256_name
from approval_rules.commands import CastVote, Claim, Command, Draft, RecordPosted, ReportOutcome, Submit
from approval_rules.events import Decision, Posted
from approval_rules.people import Account, Agent, AgentId, PersonId, ProposalId, RoleName, Standing, ToolName
from approval_rules.requirement import PolicyRef, Requirement, Seat, Tier
from approval_rules.text import AgentJson, AgentText, Json
from bot.clock import SteadyClock, TimeOrderedIds, salts
from bot.desk.apply import apply
from bot.store.commit import run_now
from bot.store.transaction import Sources, Transaction

ENTRIES_EACH = 7
ROLE = RoleName("support_manager")
NEEDS_TWO = Requirement(Tier.YELLOW, (Seat(ROLE, 2),), PolicyRef("sha256:0", "payments.refund#3", "two must approve"))
TOOL = ToolName("payments.refund")


def write_log(db: sqlite3.Connection, proposals: int) -> None:
    """Write the whole life of so many proposals, ENTRIES_EACH entries each."""
    run_now(db, Sources(SteadyClock(), TimeOrderedIds(), salts), lambda tx: _lives(tx, proposals))


def _lives(tx: Transaction, proposals: int) -> None:
    people = [tx.person(Account("os", f"u{number}"), f"Person {number}") for number in range(3)]
    agent = Agent(AgentId(tx.new_id("agent")), "refund-bot", people[2], (TOOL,))
    for number in range(proposals):
        _life(tx, agent, people, number)


def _life(tx: Transaction, agent: Agent, people: list[PersonId], number: int) -> None:
    arguments: Mapping[str, Json] = {"amount_usd": 100 + number, "order_id": f"ORD-{number}"}
    digest = digest_of(TOOL, arguments)
    proposal = ProposalId(tx.new_id("prop"))
    draft = Draft(TOOL, AgentJson(arguments), digest, AgentText("a refund"), AgentJson({}), AgentJson({}))
    posted = Posted("C1", f"1700000000.{number:06d}", sha256_name(str(number).encode()))
    standings = {person: Standing(person, frozenset({ROLE})) for person in people[:2]}
    commands: list[Command] = [
        Submit(tx.at, proposal, agent, None, draft, NEEDS_TWO),
        RecordPosted(tx.at, proposal, posted),
        *(
            CastVote(tx.at, proposal, standing, standings, Decision.APPROVE, digest, posted.channel, posted.ts)
            for standing in standings.values()
        ),
        Claim(tx.at + timedelta(seconds=1), proposal, agent, digest, tx.new_id("grant"), None, standings),
        ReportOutcome(tx.at + timedelta(seconds=2), proposal, agent.id, "succeeded", AgentJson({"detail": "done"})),
    ]
    for command in commands:
        apply(tx, tx.proposal(proposal), command)
