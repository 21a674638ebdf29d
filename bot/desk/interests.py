"""Whom a proposal names: who started the run, and whom the policy bars because a field names them.

Asks the directory before a transaction. A field that names nobody who can be known never lets anybody decide.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from approval_rules.commands import Draft
from approval_rules.people import Account, Flaw, PersonId
from approval_rules.policy import Policy
from approval_rules.requirement import Requirement, Tier
from approval_rules.text import Json
from bot.desk.persons import meet
from bot.desk.wiring import Wiring
from bot.directory import Member
from bot.store.tally import reader
from bot.store.transaction import Transaction
from handlers.desk import Fault, Refused

MOST_NAMED: Final = 10
_ID: Final = re.compile(r"(?:<@)?([UW][A-Z0-9]{1,31})(?:\|[^>]*)?>?")
_EMAIL: Final = re.compile(r"[^\s@<>]{1,64}@[^\s@<>]{1,255}")
_ELSEWHERE: Final = frozenset({Flaw.OTHER_WORKSPACE, Flaw.STRANGER, Flaw.BOT})

_NO_INITIATOR: Final = {
    Flaw.UNKNOWN: "Slack knows no such account",
    Flaw.OTHER_WORKSPACE: "this account belongs to another workspace",
    Flaw.STRANGER: "this account is a stranger to this workspace",
    Flaw.BOT: "this account is a bot, and a person is asked for",
}

Found = Mapping[Account, Member]


@dataclass(frozen=True, slots=True)
class Named:
    """Whom one field names; `why` says of the field why it is nobody, where `people` is empty."""

    people: Found
    why: str = ""


@dataclass(frozen=True, slots=True)
class Initiator:
    """Who started the run; `refused` says why that can be nobody."""

    account: Account
    member: Member

    @property
    def refused(self) -> Refused | None:
        """Refuse whoever is no person of this workspace. While Slack is down, the agent is believed."""
        flaw = self.member.flaw
        if flaw is None or flaw not in {Flaw.UNKNOWN, *_ELSEWHERE}:
            return None
        detail = _NO_INITIATOR[flaw]
        return Refused(flaw.value, detail, (Fault("/run/started_by", detail),))

    def met(self, tx: Transaction) -> PersonId:
        """Give the person, inside a transaction."""
        return meet(tx, self.account, self.member)


async def initiator(wiring: Wiring, started_by: str | None) -> Initiator | None:
    """Look up who started the run."""
    if started_by is None:
        return None
    account = Account(wiring.home_team, started_by)
    return Initiator(account, await wiring.directory.look_up(account))


async def named_people(wiring: Wiring, policy: Policy | None, draft: Draft) -> Mapping[str, Named]:
    """Find whom each field names by which a policy bars people."""
    if policy is None or not policy.names_people:
        return {}
    look = reader(draft.arguments, draft.context, draft.looked_up, policy.lookups)
    return {name: await _named(wiring, look(name)) for name in policy.names_people}


def blocked_unless_known(requirement: Requirement, named: Mapping[str, Named]) -> Requirement:
    """Block what people would be asked about, or could start, where it cannot be told who of them may not decide."""
    if not _asks_people(requirement):
        return requirement
    for name in requirement.excluded or ():
        found = named.get(name, Named({}, "was not looked at"))
        if not found.people:
            because = f"whom {name} names may not approve, and {name} {found.why}, so it is blocked"
            policy = replace(requirement.policy, because=because)
            return replace(requirement, tier=Tier.RED, seats=(), backup=None, initiation=None, policy=policy)
    return requirement


def interested(tx: Transaction, requirement: Requirement, named: Mapping[str, Named]) -> tuple[PersonId, ...]:
    """Give those who may not decide; `requirement` is what `blocked_unless_known` made of it."""
    if not _asks_people(requirement):
        return ()
    found = [
        meet(tx, account, member)
        for name in requirement.excluded or ()
        for account, member in named[name].people.items()
    ]
    return tuple(dict.fromkeys(found))


def _asks_people(requirement: Requirement) -> bool:
    return requirement.tier is Tier.YELLOW or requirement.initiation is not None


async def _named(wiring: Wiring, value: Json) -> Named:
    texts = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    if value is None or value == "" or not texts:
        return Named({}, "is missing")
    if len(texts) > MOST_NAMED:
        return Named({}, f"names more than {MOST_NAMED}")
    people: dict[Account, Member] = {}
    for text in texts:
        found = await _person(wiring, text)
        if isinstance(found, str):
            return Named({}, found)
        people[found[0]] = found[1]
    return Named(people)


async def _person(wiring: Wiring, text: Json) -> tuple[Account, Member] | str:
    """Give the account that a text names, or why there is none."""
    words = text.strip() if isinstance(text, str) else ""
    by_id = _ID.fullmatch(words)
    user = by_id[1] if by_id else None
    if user is None and _EMAIL.fullmatch(words):
        asked = await wiring.directory.account_of(words.casefold())
        if asked is Flaw.DIRECTORY_DOWN:
            return "could not be looked up in Slack"
        user = None if isinstance(asked, Flaw) else asked
        if user is None:
            return "names nobody whom Slack knows"
    if user is None:
        return "is no Slack user id, mention or e-mail address"
    account = Account(wiring.home_team, user)
    member = await wiring.directory.look_up(account)
    if member.flaw is Flaw.UNKNOWN:
        return "names nobody whom Slack knows"
    # Slack being down hides nothing here: the id is known, and votes wait until Slack says whose it is.
    return "names nobody of this workspace" if member.flaw in _ELSEWHERE else (account, member)
