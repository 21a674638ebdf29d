"""Separation of duties: who may never decide, however the roles are set."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approval_rules.duties import counting_roles, why_not
from approval_rules.events import Refusal
from approval_rules.people import Flaw, RoleName
from approval_rules.requirement import Requirement
from tests.rules.builders import (
    ANN,
    FINANCE,
    INITIATOR,
    MANAGER,
    MANAGER_AND_FINANCE,
    NOBODY,
    OWNER,
    TWO_MANAGERS,
    opened,
    person,
)

EVERY_ROLE = [MANAGER, FINANCE, RoleName("operator")]
REQUIREMENTS = [TWO_MANAGERS, MANAGER_AND_FINANCE, NOBODY]


@given(st.frozensets(st.sampled_from(EVERY_ROLE)), st.sampled_from(REQUIREMENTS))
def test_initiator_and_owner_never_count(roles: frozenset[RoleName], requirement: Requirement) -> None:
    """Whatever roles they have, who started the run and who owns the agent are refused by name."""
    proposal = opened(requirement)
    assert why_not(person(INITIATOR, *roles), proposal) is Refusal.INITIATOR
    assert why_not(person(OWNER, *roles), proposal) is Refusal.AGENT_OWNER


@pytest.mark.parametrize("flaw", list(Flaw))
def test_a_flawed_account_never_counts(flaw: Flaw) -> None:
    """Unknown, bot, guest, deactivated, stranger, other workspace, directory down: each is refused as what it is."""
    assert why_not(person("ann", *EVERY_ROLE, flaw=flaw), opened()) == Refusal(flaw.value)


def test_only_roles_of_the_seats_count() -> None:
    """Somebody without a seat's role is refused; with one, only the roles that fill a seat are counted."""
    proposal = opened(TWO_MANAGERS)
    assert why_not(person("zoe"), proposal) is Refusal.NOT_IN_ROLE
    assert why_not(person("zoe", FINANCE), proposal) is Refusal.NOT_IN_ROLE
    assert why_not(ANN, proposal) is None
    assert counting_roles(person("zoe", FINANCE, MANAGER), proposal) == {MANAGER}


def test_no_seats_mean_nobody_may_decide() -> None:
    """A requirement that names nobody cannot be decided by anybody."""
    assert why_not(person("ann", *EVERY_ROLE), opened(NOBODY)) is Refusal.NOT_IN_ROLE
