"""What admins say about who is one person: in Slack, and on the machine. Both judge by the same rules."""

from collections.abc import Iterable

from approval_rules.events import Refusal
from approval_rules.people import Account, PersonId, RoleName, human
from approval_rules.people_events import PersonsAsked, PersonsChange, PersonsEvent, PersonsRefused
from approval_rules.persons import ChangePersons, Person, Persons, decide_persons
from bot.desk.apply import faces_in
from bot.desk.persons import change_persons, meet, standing_in
from bot.desk.wiring import Wiring, look_up_all, written
from bot.directory import Member
from bot.store.persons import persons_in
from bot.store.transaction import Transaction
from handlers.desk import Envelope, Face
from handlers.persons_desk import PersonsKnown, PersonsSaid

ADMIN, OPERATOR = RoleName("admin"), RoleName("operator")
_BY_USER = "SELECT ref FROM people WHERE user_id = :user ORDER BY ref LIMIT 1"


class PersonsUseCases:
    """Provides `handlers.persons_desk.PersonsDesk`."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring

    async def change(self, who: Envelope, change: PersonsChange, one: str, other: str) -> PersonsSaid:
        """Say that two accounts are one person, or are not."""
        home = self._wiring.home_team
        accounts = [Account(home, one), Account(home, other)]
        members = await look_up_all(self._wiring.directory, [*accounts, who.account])
        member = members[who.account]

        def unit(tx: Transaction) -> PersonsSaid:
            admin = meet(tx, who.account, member, member.name or who.user_name)
            pair = [pseudonym_of(tx, each, members[each].name) for each in accounts]
            standing, may = standing_in(tx, admin, member), self._may(member)
            command = ChangePersons(tx.at, human(admin), change, pair[0], pair[1], standing, may)
            event = decide_persons(persons_in(tx), command)
            change_persons(tx, event)
            return _said(tx, event)

        return await written(self._wiring, unit)

    def _may(self, member: Member) -> bool:
        """The role `admin` where the roles name it, else `operator`; where neither is named, nobody."""
        roles = self._wiring.policy.folder.roles
        return (ADMIN if ADMIN in roles else OPERATOR) in member.roles

    async def known(self, who: Envelope) -> PersonsKnown | Refusal:
        """Give who is one person."""
        member = await self._wiring.directory.look_up(who.account)
        if member.flaw is not None:
            return Refusal(member.flaw.value)
        if not member.roles:
            return Refusal.NOT_IN_ROLE
        return await written(self._wiring, known_persons)


def pseudonym_of(tx: Transaction, account: Account, name: str = "") -> PersonId:
    """Give the pseudonym of an account; where only one of another workspace is known by this user id, that one."""
    found = [] if tx.known_person(account) else tx.rows(_BY_USER, {"user": account.user_id})
    return PersonId(found[0][0]) if found else tx.person(account, name)


def known_persons(tx: Transaction) -> PersonsKnown:
    """Give who is one person, with names."""
    persons = persons_in(tx)
    faces = faces_in(tx, _everybody(persons))

    def face(person: PersonId) -> Face:
        return faces.get(person, Face("", "somebody whose name was erased"))

    def named(groups: Iterable[Person]) -> list[list[Face]]:
        return sorted((sorted((face(each) for each in group), key=str) for group in groups), key=str)

    asked = [(each.change, face(each.one), face(each.other)) for each in persons.asked]
    return PersonsKnown(named(persons.groups), named(persons.apart), asked)


def _everybody(persons: Persons) -> set[PersonId]:
    asked = {person for each in persons.asked for person in (each.one, each.other)}
    return asked.union(*persons.groups, *persons.apart)


def _said(tx: Transaction, event: PersonsEvent) -> PersonsSaid:
    faces = faces_in(tx, (event.one, event.other))
    refusal = event.code if isinstance(event, PersonsRefused) else None
    return PersonsSaid(refusal, faces[event.one], faces[event.other], waiting=isinstance(event, PersonsAsked))
