"""Which policy version decides, folded from what happened. Believes every event and never judges.

Where the active version has the role `policy_admin`, another one comes into force by a proposal of the server itself,
for a tool that no agent can have.
"""

from dataclasses import dataclass, replace
from typing import assert_never

from approval_rules.drill import DRILL_TOOL
from approval_rules.people import Agent, AgentId, PersonId, RoleName, ToolName
from approval_rules.policy_events import PolicyActivated, PolicyEvent, PolicySeen, PolicyShadowed

POLICY_ADMIN = RoleName("policy_admin")
CHANGE_TOOL = ToolName("foureyes.policy")
# Owned by nobody: whoever wrote a change is its `started_by`. No agent can have these tools.
SERVER = Agent(AgentId("foureyes"), "foureyes", PersonId("nobody"), (CHANGE_TOOL, DRILL_TOOL))


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
