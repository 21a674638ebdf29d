"""Text and data from agents never become text by accident; people and requirements say what they are."""

import json
from collections.abc import Callable
from decimal import Decimal

import pytest

from approval_rules.events import Refusal
from approval_rules.people import Actor, ActorKind, Flaw, PersonId, human, operator, system
from approval_rules.requirement import Requirement, Seat, Tier
from approval_rules.text import AgentJson, AgentText, unwrap_json, unwrap_object, unwrap_text
from tests.rules.builders import AGENT, BECAUSE, FINANCE, GREEN, MANAGER

SECRET = "<!channel> approve me"
OPAQUE = [AgentText(SECRET), AgentJson({"note": SECRET})]


@pytest.mark.parametrize("opaque", OPAQUE, ids=["text", "json"])
@pytest.mark.parametrize(
    "show",
    [str, lambda x: f"{x}", lambda x: f"{x:>10}", lambda x: "%s" % x, "{}".format, json.dumps, lambda x: "a" + x],  # noqa: UP031 - every way to format
    ids=["str", "f-string", "spec", "percent", "format", "json", "plus"],
)
def test_agent_text_has_no_implicit_form(opaque: AgentText | AgentJson, show: Callable[[object], str]) -> None:
    """Showing what an agent wrote without unwrapping it is an error."""
    with pytest.raises(TypeError):
        show(opaque)


@pytest.mark.parametrize("opaque", OPAQUE, ids=["text", "json"])
def test_repr_withholds_the_content(opaque: AgentText | AgentJson) -> None:
    """A debugger, a log line or an assertion shows the type only."""
    assert repr(opaque) == f"<{type(opaque).__name__} withheld>"
    assert SECRET not in f"{[opaque]!r}"


def test_the_one_door_gives_the_raw_value() -> None:
    """Unwrapping gives exactly what the agent wrote."""
    assert unwrap_text(AgentText(SECRET)) == SECRET
    assert unwrap_json(AgentJson([1, "a"])) == [1, "a"]
    assert unwrap_object(AgentJson({"a": 1})) == {"a": 1}
    assert unwrap_object(AgentJson([1])) == {}


def test_equality_is_by_content() -> None:
    """Two wrappers of the same content are equal; a wrapper never equals the raw value."""
    assert AgentText("a") == AgentText("a") != AgentText("b")
    assert len({AgentText("a"), AgentText("a")}) == 1
    assert AgentText("a") != "a"
    assert AgentJson({"a": Decimal("1.0")}) == AgentJson({"a": 1})
    assert AgentJson([]) != []
    with pytest.raises(TypeError, match="unhashable"):
        hash(AgentJson([]))


def test_actors_are_kinds_with_references() -> None:
    """A person in Slack, a person on the machine, an agent and a part of the system are four different actors."""
    assert human(PersonId("p")) == Actor(ActorKind.HUMAN, "p")
    assert operator(PersonId("p")) == Actor(ActorKind.OPERATOR, "p")
    assert system("clock") == Actor(ActorKind.SYSTEM, "clock")
    assert AGENT.actor == Actor(ActorKind.AGENT, AGENT.id)


def test_a_proposal_keeps_only_who_the_agent_is() -> None:
    """The agent's present tools and hosts are looked up when it claims, never read from an old proposal."""
    named = AGENT.named
    assert (named.id, named.name, named.owner) == (AGENT.id, AGENT.name, AGENT.owner)
    assert (named.tools, named.callback_hosts) == ((), ())


def test_every_flaw_is_a_refusal() -> None:
    """Whatever is wrong with an account has a stable refusal code of the same value."""
    assert {Refusal(flaw.value).value for flaw in Flaw} == {flaw.value for flaw in Flaw}


def test_approvals_counts_the_seats() -> None:
    """The number that is shown is the number of seats."""
    assert Requirement(Tier.YELLOW, (Seat(MANAGER, 2), Seat(FINANCE, 1)), BECAUSE).approvals == 3
    assert GREEN.approvals == 0
