"""What happened to the policy itself: which versions were seen, which decides, and where. Facts, like all events."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from approval_rules.people import Actor, ProposalId


@dataclass(frozen=True, slots=True)
class PolicyLoaded:
    """A policy folder was refused and the old one stayed; logs from before versions were kept also say `loaded`."""

    at: datetime
    by: Actor
    version: str
    change: Literal["loaded", "refused"]


@dataclass(frozen=True, slots=True)
class EnvironmentNamed:
    """The server says what its rules read as `environment` from here on."""

    at: datetime
    by: Actor
    environment: str


@dataclass(frozen=True, slots=True)
class PolicySeen:
    """The policy folder showed another good content than before; the store keeps it under this version."""

    at: datetime
    by: Actor
    version: str


@dataclass(frozen=True, slots=True)
class PolicyActivated:
    """From here on this version decides. `change` is the proposal that asked people, where one did."""

    at: datetime
    by: Actor
    version: str
    previous: str | None
    why: Literal["first", "changed", "approved", "rolled-back"]
    change: ProposalId | None = None


@dataclass(frozen=True, slots=True)
class PolicyShadowed:
    """From here on this version is a candidate: it says of each proposal what it thinks. None: no version does."""

    at: datetime
    by: Actor
    version: str | None


PolicyEvent: TypeAlias = PolicySeen | PolicyActivated | PolicyShadowed
