"""Which policy version decides, folded from what happened. Believes every event and never judges."""

from dataclasses import dataclass, replace
from typing import assert_never

from approval_rules.events import PolicyActivated, PolicyEvent, PolicySeen, PolicyShadowed


@dataclass(frozen=True, slots=True)
class Versions:
    """`active` decides; `folder` is what the policy folder held when it last held something good and new.

    After a rollback the two differ, and only another content of the folder is a change. The `candidate` is asked too,
    and decides nothing.
    """

    active: str | None = None
    folder: str | None = None
    candidate: str | None = None


def evolve_versions(versions: Versions, event: PolicyEvent) -> Versions:
    """Apply one event."""
    match event:
        case PolicySeen():
            return replace(versions, folder=event.version)
        case PolicyActivated():
            # What decides from now on is no candidate any more.
            candidate = None if event.version == versions.candidate else versions.candidate
            return replace(versions, active=event.version, candidate=candidate)
        case PolicyShadowed():
            return replace(versions, candidate=event.version)
        case _:
            assert_never(event)
