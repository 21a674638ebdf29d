"""The report itself, as one JSON document: what is printed, sent, signed and kept all comes from it.

Every name in it is as people and agents wrote it; whoever shows it escapes it. Numbers are integers, times are text.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Final, TypeAlias

from approval_rules.access import Way, spare, ways_of
from approval_rules.people import Agent, PersonId, RoleName
from approval_rules.policy import PolicyFolder
from approval_rules.requirement import Initiation
from approval_rules.step_up import STEP_UPS, StepUp
from approval_rules.times import format_time
from approval_rules.versions import CHANGE_TOOL, POLICY_ADMIN
from bot.access.records import RECENT, HeldKey, Records
from bot.access.roster import Roster, SeenPerson
from bot.agents import OS_TEAM
from bot.reveal.looking import REVEAL
from handlers.counting import counted

Report: TypeAlias = Mapping[str, Any]
OPERATOR: Final = RoleName("operator")
AUDITOR: Final = RoleName("auditor")
REVIEWERS: Final = (POLICY_ADMIN, OPERATOR, AUDITOR)
FACTOR_WORDS: Final[Mapping[StepUp, str]] = {"none": "a click", "totp": "a code", "passkey": "a passkey"}
_TWO: Final = 2
_WORST_FIRST: Final = (
    *("gone-with-role", "nobody-can", "nobody-starts", "owner-needed", "gone-voted", "owner-gone"),
    *("no-group", "small-role", "no-factor", "no-policy", "no-spare"),
)


@dataclass(frozen=True)
class _Facts:
    """Everything that the report is made of, with what follows from it at once."""

    folder: PolicyFolder
    roster: Roster
    records: Records
    at: datetime

    @cached_property
    def refs(self) -> Mapping[str, PersonId]:
        return self.records.refs

    @cached_property
    def ways(self) -> tuple[Way, ...]:
        return ways_of(self.folder)

    @cached_property
    def able(self) -> Mapping[RoleName, frozenset[PersonId]]:
        """Who fills each role and may vote at all."""
        people = self.roster.people
        return {
            name: frozenset(self.ref(user) for user in role.members if people[user].flaw is None)
            for name, role in self.roster.roles.items()
        }

    @cached_property
    def roles_of(self) -> Mapping[str, Sequence[RoleName]]:
        found: dict[str, list[RoleName]] = {}
        for name in sorted(self.roster.roles):
            for user in self.roster.roles[name].members:
                found.setdefault(user, []).append(name)
        return found

    def ref(self, user: str) -> PersonId:
        return self.refs.get(user, PersonId(user))

    def proved(self, people: frozenset[PersonId], asked: StepUp) -> frozenset[PersonId]:
        """Keep those who have enrolled a factor that suffices."""
        if asked == "none":
            return people
        enough = frozenset(STEP_UPS[STEP_UPS.index(asked) :])
        return frozenset(person for person in people if self.records.factors.get(person, frozenset()) & enough)

    def starters(self, starts: Initiation) -> frozenset[PersonId]:
        """Give who can start what a block lets them start."""
        return self.proved(self.able.get(starts.role, frozenset()), starts.step_up)


def build(folder: PolicyFolder, roster: Roster, records: Records, at: datetime) -> Report:
    """Make the report as of `at` from the policy in force, Slack's directory and the records."""
    facts = _Facts(folder, roster, records, at)
    held = [_held(records, key) for key in records.keys]
    return {
        "v": 1,
        "at": format_time(at),
        "policy": folder.version,
        "warnings": [{"code": code, "text": text} for code, text in _warnings(facts)],
        "ways": [_way(facts, way) for way in facts.ways],
        "people": [_person(facts, user) for user in sorted(roster.people)],
        "roles": [_role(facts, name) for name in sorted(roster.roles)],
        "agents": [_agent(facts, agent) for agent in records.agents],
        "operators": _operators(records),
        "may": {
            "pause": "every full member of the workspace",
            "resume": sorted(_having(facts, (OPERATOR,))),
            "review": sorted(_having(facts, REVIEWERS)),
            "change_policy": sorted(facts.able.get(POLICY_ADMIN, frozenset())),
            **({"reveal": sorted(facts.able[REVEAL])} if REVEAL in facts.able else {}),
        },
        **({"keys": held} if held else {}),
    }


def _having(facts: _Facts, roles: Sequence[RoleName]) -> frozenset[PersonId]:
    """Give who has one of these roles or, where roles.yml names none of them, any role."""
    named = [role for role in roles if role in facts.able]
    return frozenset[PersonId]().union(*(facts.able[role] for role in named or facts.able))


def _way(facts: _Facts, way: Way) -> Report:
    people = frozenset[PersonId]().union(*(facts.able.get(role, frozenset()) for role in way.roles))
    return {
        "tool": way.tool,
        "rule": way.rule,
        "when": way.when,
        "seats": [{"role": seat.role, "count": seat.count} for seat in way.ask.seats],
        "backup": way.ask.backup,
        "approvals": way.ask.approvals,
        "step_up": way.ask.step_up,
        "shadow": way.shadow,
        "able": len(people),
        "able_with_factor": len(facts.proved(people, way.ask.step_up)),
        "spare": _spare(facts, way),
        **({"excluded": list(way.ask.excluded)} if way.ask.excluded else {}),
        **({} if way.starts is None else {"starts": _starts(facts, way.starts)}),
    }


def _starts(facts: _Facts, starts: Initiation) -> Report:
    able, proved = len(facts.able.get(starts.role, ())), len(facts.starters(starts))
    return {"role": starts.role, "step_up": starts.step_up, "able": able, "able_with_factor": proved}


def _spare(facts: _Facts, way: Way, without: frozenset[PersonId] = frozenset()) -> int:
    """Count who could be missing; of what a person starts, whoever starts it is one of the missing."""
    if way.starts is None:
        return _left_over(facts, way, without)
    return max((_left_over(facts, way, without | {person}) for person in facts.starters(way.starts)), default=-1)


def _left_over(facts: _Facts, way: Way, without: frozenset[PersonId]) -> int:
    asked = {seat.role: facts.able.get(seat.role, frozenset()) for seat in way.ask.seats}
    able = {role: facts.proved(people, way.ask.step_up) - without for role, people in asked.items()}
    return spare(way.ask.seats, able)


def _person(facts: _Facts, user: str) -> Report:
    seen, ref = facts.roster.people[user], facts.ref(user)
    last = facts.records.voted.get(ref)
    since = facts.records.access.since
    return {
        "person": ref,
        "account": user,
        "name": seen.name,
        "flaw": None if seen.flaw is None else seen.flaw.value,
        "roles": [
            {
                "role": role,
                "since": None if ref not in since.get(role, {}) else format_time(since[role][ref]),
                "through": "roles.yml" if user in facts.roster.roles[role].named else "user group",
            }
            for role in facts.roles_of.get(user, ())
        ],
        "factors": sorted(facts.records.factors.get(ref, ())),
        "owns": [agent.name for agent in facts.records.agents if agent.owner == ref],
        "last_vote": None if last is None else format_time(last),
    }


def _role(facts: _Facts, name: RoleName) -> Report:
    role = facts.roster.roles[name]
    asked = [seat.count for way in facts.ways for seat in way.ask.seats if seat.role == name]
    return {
        "role": name,
        "usergroup": role.usergroup,
        "members": sorted(role.members),
        "able": len(facts.able[name]),
        "most_needed": max(asked, default=0),
        "ways": sum(name in way.roles or (way.starts is not None and way.starts.role == name) for way in facts.ways),
    }


def _agent(facts: _Facts, agent: Agent) -> Report:
    owner = facts.records.accounts.get(agent.owner)
    user = None if owner is None else owner[0].user_id
    return {"name": agent.name, "id": agent.id, "owner": user, "tools": sorted(agent.tools)}


def _held(records: Records, key: HeldKey) -> Report:
    last = records.operated.get(key.holder)
    return {
        "kind": key.kind,
        "name": key.name,
        "since": key.since,
        "last_acted": None if last is None else format_time(last),
        **({"values": True} if key.values else {}),
    }


def _operators(records: Records) -> list[Report]:
    found = [
        {"account": account.user_id, "last_acted": format_time(records.operated[ref])}
        for ref, (account, _) in records.accounts.items()
        if account.team_id == OS_TEAM and ref in records.operated
    ]
    return sorted(found, key=lambda one: one["account"])


# --- what somebody should do something about, the worst first


def _warnings(facts: _Facts) -> list[tuple[str, str]]:
    kinds = (_left, _unfillable, _unstartable, _owners, _roles, _factors)
    found = [warning for kind in kinds for warning in kind(facts)]
    return sorted(found, key=lambda warning: _WORST_FIRST.index(warning[0]))


def _named(way: Way) -> str:
    if way.tool == CHANGE_TOOL:
        return "any change of the policy"
    return f"{way.tool} when {way.when}"


def _unfillable(facts: _Facts) -> Iterator[tuple[str, str]]:
    for way in facts.ways:
        if way.starts is not None and not facts.starters(way.starts):
            continue
        left, needs = _spare(facts, way), counted(way.ask.approvals, "person", "people")
        if left < 0:
            short = counted(-left, "person is", "people are")
            proof = "" if way.ask.step_up == "none" else f", each with {FACTOR_WORDS[way.ask.step_up]},"
            yield "nobody-can", f"Nobody can approve {_named(way)}: it needs {needs}{proof} and {short} missing."
            continue
        if left == 0:
            yield "no-spare", f"If one who can approve {_named(way)} is away, it waits: it needs {needs}."
        asked = {facts.ref(user) for user in facts.roster.people} if left == 0 else set()
        for agent in facts.records.agents:
            if way.tool in agent.tools and agent.owner in asked and _spare(facts, way, frozenset({agent.owner})) < 0:
                yield (
                    "owner-needed",
                    f"Nobody can approve {_named(way)} for the agent {agent.name}: its owner is one of the few.",
                )


def _unstartable(facts: _Facts) -> Iterator[tuple[str, str]]:
    """What a person may start, and nobody could."""
    for way in facts.ways:
        if way.starts is not None and not facts.starters(way.starts):
            proof = "act" if way.starts.step_up == "none" else f"confirm with {FACTOR_WORDS[way.starts.step_up]}"
            yield "nobody-starts", f"Nobody can start {_named(way)}: nobody in the role {way.starts.role} can {proof}."


def _left(facts: _Facts) -> Iterator[tuple[str, str]]:
    """People who can never approve, and are named in a role still or have voted lately."""
    for user, seen in sorted(facts.roster.people.items()):
        if seen.flaw is None:
            continue
        roles = facts.roles_of.get(user, ())
        last = facts.records.voted.get(facts.ref(user))
        if roles:
            where = ", ".join(roles)
            yield "gone-with-role", f"{_who(user, seen)} is {_is(seen)} and is still in {where}: take the account out."
        elif last is not None and last > facts.at - RECENT:
            when = format_time(last)[:10]
            yield "gone-voted", f"{_who(user, seen)} is {_is(seen)} now, and voted on {when}: look at those votes."


def _owners(facts: _Facts) -> Iterator[tuple[str, str]]:
    for agent in facts.records.agents:
        account = facts.records.accounts.get(agent.owner)
        seen = None if account is None else facts.roster.people.get(account[0].user_id)
        if account is None or seen is None or seen.flaw is not None:
            why = "is not known any more" if account is None or seen is None else f"is {_is(seen)}"
            yield "owner-gone", f"The owner of the agent {agent.name} {why}: nobody answers for what it does."
        unknown = sorted(set(agent.tools) - facts.folder.policies.keys())
        if unknown:
            yield "no-policy", f"The agent {agent.name} has {', '.join(unknown)} without a policy: it is blocked there."


def _roles(facts: _Facts) -> Iterator[tuple[str, str]]:
    for name, role in sorted(facts.roster.roles.items()):
        able = len(facts.able[name])
        if role.lost:
            yield "no-group", f"The role {name} is filled by the user group @{role.usergroup}, and Slack has none."
        if able < _TWO:
            yield "small-role", f"The role {name} has {counted(able, 'person', 'people')} who can act."


def _factors(facts: _Facts) -> Iterator[tuple[str, str]]:
    asked: dict[tuple[RoleName, StepUp, str], None] = {}
    for way in facts.ways:
        asked |= dict.fromkeys((role, way.ask.step_up, "approve") for role in sorted(way.roles))
        if way.starts is not None:
            asked[way.starts.role, way.starts.step_up, "start it"] = None
    for role, factor, what in asked:
        people = facts.able.get(role, frozenset())
        lacking = len(people) - len(facts.proved(people, factor))
        if lacking:
            who = f"{lacking} of {counted(len(people), 'person', 'people')}"
            asks = f"which is asked of the role {role}"
            yield "no-factor", f"{who} cannot confirm with {FACTOR_WORDS[factor]}, {asks}, and so cannot {what}."


def _who(user: str, seen: SeenPerson) -> str:
    return f"{seen.name} ({user})" if seen.name != user else user


_FLAWS: Final = {
    "unknown-user": "not known to Slack",
    "other-workspace": "of another workspace",
    "bot": "a bot",
    "deactivated": "deactivated",
    "guest": "a guest",
    "stranger": "a stranger to the workspace",
}


def _is(seen: SeenPerson) -> str:
    return _FLAWS.get(seen.flaw.value, seen.flaw.value) if seen.flaw else "fine"
