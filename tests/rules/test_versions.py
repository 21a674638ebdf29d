"""Which policy version decides: the fold of what was seen and activated."""

from approval_rules.decide import POLICY
from approval_rules.policy_events import PolicyActivated, PolicyEvent, PolicySeen, PolicyShadowed
from approval_rules.versions import Versions, evolve_versions
from tests.rules.builders import START


def test_a_rollback_leaves_the_folder_where_it_was() -> None:
    """What the folder holds and what decides are two things: after a rollback they differ."""
    events: list[PolicyEvent] = [
        PolicySeen(START, POLICY, "v1"),
        PolicyActivated(START, POLICY, "v1", None, "first"),
        PolicySeen(START, POLICY, "v2"),
        PolicyActivated(START, POLICY, "v2", "v1", "changed"),
        PolicyActivated(START, POLICY, "v1", "v2", "rolled-back"),
    ]
    versions = Versions()
    for event in events:
        versions = evolve_versions(versions, event)
    assert versions == Versions(active="v1", folder="v2")


def test_a_candidate_stays_until_it_is_ended_or_decides() -> None:
    """Another version that becomes active changes nothing about it; its own activation ends it."""
    named: list[PolicyEvent] = [
        PolicyShadowed(START, POLICY, "v2"),
        PolicyActivated(START, POLICY, "v1", None, "first"),
    ]
    decides = PolicyActivated(START, POLICY, "v2", "v1", "changed")
    versions = Versions()
    for event in named:
        versions = evolve_versions(versions, event)
    assert versions == Versions(active="v1", candidate="v2")
    assert evolve_versions(versions, decides) == Versions(active="v2")
    assert evolve_versions(versions, PolicyShadowed(START, POLICY, None)) == Versions(active="v1")
