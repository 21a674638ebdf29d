"""Who acts: agents, humans, the system. Never decides anything.

A human is a person, not an account: the store maps Slack accounts to a `PersonId`, which is a random pseudonym.
The log holds the pseudonym; the mapping can be erased.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NewType

AgentId = NewType("AgentId", str)
PersonId = NewType("PersonId", str)
ProposalId = NewType("ProposalId", str)
RoleName = NewType("RoleName", str)
ToolName = NewType("ToolName", str)


class ActorKind(StrEnum):
    """The kinds of actor that the log knows."""

    AGENT = "agent"
    HUMAN = "human"
    OPERATOR = "operator"
    SYSTEM = "system"
    OPERATOR_KEY = "operator-key"
    AUDITOR_KEY = "auditor-key"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it: a kind and an opaque reference (an agent id, a person's pseudonym, a part of the system)."""

    kind: ActorKind
    ref: str


def human(person: PersonId) -> Actor:
    """Name a person who acted in Slack."""
    return Actor(ActorKind.HUMAN, person)


def operator(person: PersonId) -> Actor:
    """Name a person who acted on the machine itself, from the command line."""
    return Actor(ActorKind.OPERATOR, person)


def keyholder(person: PersonId) -> Actor:
    """Name a person who acted with an operator's key. It may be somebody who has an account of the machine too."""
    return Actor(ActorKind.OPERATOR_KEY, person)


def auditor(person: PersonId) -> Actor:
    """Name a person who looked with an auditor's key."""
    return Actor(ActorKind.AUDITOR_KEY, person)


def system(part: str) -> Actor:
    """Name the part of the system that acted by itself, for example `clock` or `policy`."""
    return Actor(ActorKind.SYSTEM, part)


@dataclass(frozen=True, slots=True)
class Agent:
    """An AI agent: its own principal with its own tools and its own owner."""

    id: AgentId
    name: str
    owner: PersonId
    tools: tuple[ToolName, ...]
    callback_hosts: tuple[str, ...] = ()
    revoked: bool = False

    @property
    def actor(self) -> Actor:
        """The agent as the log names it."""
        return Actor(ActorKind.AGENT, self.id)

    @property
    def named(self) -> "Agent":
        """Only who the agent is: what a proposal keeps of it."""
        return Agent(self.id, self.name, self.owner, ())


@dataclass(frozen=True, slots=True)
class Account:
    """A Slack account. `team_id` is empty while the home workspace is not known yet."""

    team_id: str
    user_id: str


class Flaw(StrEnum):
    """Why an account can never approve, whatever its roles."""

    UNKNOWN = "unknown-user"
    DIRECTORY_DOWN = "directory-unavailable"
    OTHER_WORKSPACE = "other-workspace"
    BOT = "bot"
    DEACTIVATED = "deactivated"
    GUEST = "guest"
    STRANGER = "stranger"
    SEVERAL_PERSONS = "several-persons"


@dataclass(frozen=True, slots=True)
class Standing:
    """What the directory says about one account at one moment: flaws and roles, fresh within the directory's cache.

    `others` are the pseudonyms that the same person has by other accounts. `off_duty` are roles in which the person
    takes turns, and whose turn is another's now: nothing can be decided in them, and what was decided while on duty
    goes on to count.
    """

    person: PersonId
    roles: frozenset[RoleName] = frozenset()
    flaw: Flaw | None = None
    others: frozenset[PersonId] = frozenset()
    off_duty: frozenset[RoleName] = frozenset()

    def is_one_with(self, pseudonym: PersonId | None) -> bool:
        """Tell whether this is a pseudonym of the same person."""
        return pseudonym == self.person or pseudonym in self.others

    @property
    def as_voted(self) -> "Standing":
        """The same person as somebody who voted before: a hand-over since then takes nothing away."""
        return replace(self, roles=self.roles | self.off_duty)


Standings = Mapping[PersonId, Standing]
