"""From an account to a person, inside a transaction: who is one with whom, and what may be believed of a voter.

Every use case that judges people goes through here: a `Standing` that is made elsewhere counts accounts, not persons.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast

from approval_rules.people import Account, Flaw, PersonId, Standing, Standings, system
from approval_rules.people_events import PersonsEvent, PersonsJoined, PersonsParted, SameBy
from approval_rules.persons import by_mark
from approval_rules.state import Proposal, Status
from bot.directory import Member
from bot.store import outbox
from bot.store.codec import PEOPLE
from bot.store.outbox import Kind
from bot.store.persons import holders_of, is_marked, note_marks, persons_in
from bot.store.rows import Loaded
from bot.store.transaction import Transaction

DIRECTORY = system("directory")


class NeedPeopleError(Exception):
    """A unit met people that were not looked up before it; nothing was written."""

    def __init__(self, accounts: Mapping[PersonId, Account]) -> None:
        super().__init__("look these people up first")
        self.accounts = accounts


@dataclass(frozen=True, slots=True)
class Judges:
    """The one who acts and the earlier voters, as of now."""

    voter: Standing
    others: Standings


def meet(tx: Transaction, account: Account, member: Member, name: str = "") -> PersonId:
    """Give the pseudonym of an account, joined to the person that it is found to be."""
    person = tx.person(account, name)
    recognise(tx, person, member)
    return person


def recognise(tx: Transaction, person: PersonId, member: Member) -> None:
    """Keep by what an account is known, and record with whom it is one."""
    note_marks(tx, person, member.marks)
    for mark in sorted(member.marks):
        why = cast("SameBy", mark.partition(":")[0])
        for other in by_mark(persons_in(tx), person, holders_of(tx, {mark})) or ():
            change_persons(tx, PersonsJoined(tx.at, DIRECTORY, person, other, why))


def change_persons(tx: Transaction, event: PersonsEvent) -> None:
    """Record what was decided; where it changes who is one person, all whom it concerns and the operators are told."""
    before = persons_in(tx)
    recorded = tx.record(event)
    if isinstance(event, PersonsJoined | PersonsParted):
        for person in sorted(before.of(event.one) | before.of(event.other)):
            told = f"{Kind.TELL.value}:{person}:{recorded.seq}"
            outbox.plan(tx, Kind.TELL, PEOPLE, recorded.seq, {"person": person}, told)
        outbox.plan(tx, Kind.ANNOUNCE, PEOPLE, recorded.seq, {})


def standing_in(tx: Transaction, person: PersonId, member: Member) -> Standing:
    """Say what the directory said, about a person with all accounts; who that is must be sure."""
    persons = persons_in(tx)
    unsure = any(by_mark(persons, person, holders_of(tx, {mark})) is None for mark in member.marks)
    flaw = Flaw.SEVERAL_PERSONS if member.flaw is None and unsure else member.flaw
    return Standing(person, member.roles, flaw, persons.of(person) - {person}, member.off_duty)


def judges(tx: Transaction, loaded: Loaded, account: Account, name: str, members: Mapping[Account, Member]) -> Judges:
    """Judge whoever acts on a proposal, and its earlier voters; raises NeedPeopleError for whom nobody looked up.

    Those who may not decide are looked at too: one of them could act by another account.
    """
    proposal = loaded.proposal
    accounts = _accounts(tx, concerned(proposal)) if proposal.status is Status.PENDING else {}
    missing = {person: each for person, each in accounts.items() if each not in members}
    if missing:
        raise NeedPeopleError(missing)
    voter = meet(tx, account, members[account], name)
    for person, each in accounts.items():
        recognise(tx, person, members[each])
    standing = standing_in(tx, voter, members[account])
    barred = {person: members[each] for person, each in accounts.items() if person in _barred(proposal)}
    # Whose second account this is cannot be told while Slack says nothing of somebody who may not decide.
    if standing.flaw is None and any(_is_hidden(tx, person, member) for person, member in barred.items()):
        standing = replace(standing, flaw=Flaw.DIRECTORY_DOWN)
    voters = {vote.voter for vote in proposal.votes} - {voter}
    return Judges(
        standing,
        {person: standing_in(tx, person, members[each]) for person, each in accounts.items() if person in voters},
    )


def vouched(
    tx: Transaction, people: Mapping[PersonId, Account], members: Mapping[Account, Member]
) -> tuple[Standing, ...]:
    """Say what the directory says of some people; raises NeedPeopleError for those whom nobody looked up."""
    missing = {person: account for person, account in people.items() if account not in members}
    if missing:
        raise NeedPeopleError(missing)
    return tuple(standing_in(tx, person, members[account]) for person, account in people.items())


def concerned(proposal: Proposal) -> frozenset[PersonId]:
    """Give everybody on whom a vote depends: who voted, and who may not."""
    return _barred(proposal) | {vote.voter for vote in proposal.votes}


def _barred(proposal: Proposal) -> frozenset[PersonId]:
    started = {proposal.started_by} if proposal.started_by else set()
    initiator = {proposal.initiator.person} if proposal.initiator else set()
    editors = {edit.editor for edit in proposal.edits}
    return frozenset({proposal.agent.owner, *started, *initiator, *editors, *proposal.interested})


def _is_hidden(tx: Transaction, person: PersonId, member: Member) -> bool:
    return member.flaw is Flaw.DIRECTORY_DOWN and not member.full_member and not is_marked(tx, person)


def _accounts(tx: Transaction, people: frozenset[PersonId]) -> dict[PersonId, Account]:
    """Give the account of each pseudonym that has one still."""
    known = {PersonId(ref): Account(team, user) for ref, team, user, _ in tx.people(people)}
    known |= {person: account for person, account, _ in tx.new_people() if person in people}
    return {person: known[person] for person in sorted(known)}
