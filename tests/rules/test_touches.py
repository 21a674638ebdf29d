"""`touches_pii` and `touches_admin`: true where an argument bears the contract's annotation; the server's own words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest

from approval_rules.conditions import compile_condition
from approval_rules.contract import Breach, touched
from approval_rules.explanation import explain
from approval_rules.kinds import ANYTHING, Kind, Known
from approval_rules.policy import Contradiction, PolicyFolder, Rule, classify
from approval_rules.requirement import Hiding, Tier
from approval_rules.text import Json
from tests.rules.builders import AGENT, REFUND, START
from tests.rules.policies import ALLOW, TWO, draft, folder

MARKS: Mapping[str, frozenset[str]] = {"pii": frozenset({"email", "phone"}), "admin": frozenset({"scope"})}


@dataclass(frozen=True)
class Annotated:
    """A contract that annotates three fields and refuses nothing."""

    source: str = "contracts/pay.json"
    hidden: Mapping[str, Hiding] = field(default_factory=dict)
    touching: Mapping[str, frozenset[str]] = field(default_factory=lambda: MARKS)
    arguments: Kind = ANYTHING
    confirmed: str | None = None
    schema: Mapping[str, Json] = field(default_factory=dict)

    def breaches(self, arguments: Mapping[str, Json]) -> Sequence[Breach]:
        """Refuse nothing."""
        return tuple(Breach(name, "") for name in arguments if not name)


def guarded(text: str) -> PolicyFolder:
    """A folder that allows where the condition holds, else asks two people."""
    rules = (Rule(1, compile_condition(text, Known(touches=frozenset(MARKS))), ALLOW, ""), Rule(2, None, TWO, ""))
    policy = replace(folder().policies[REFUND], rules=rules, contract=Annotated())
    return PolicyFolder("sha256:v", {REFUND: policy}, {}, {})


@pytest.mark.parametrize(
    ("arguments", "pii"),
    [
        ({"amount": 5}, False),
        ({}, False),
        ({"email": "a@example.com"}, True),
        ({"email": None}, True),
        ({"customer": {"email": ""}}, True),
        ({"customers": [{"name": "a"}, [{"phone": 5}]]}, True),
        ({"note": "email", "tags": ["phone"], "scope": "all"}, False),
    ],
)
def test_a_field_that_is_there_touches_wherever_and_whatever_it_is(arguments: dict[str, Json], *, pii: bool) -> None:
    """At any depth, also where it is null: taking an address away touches it. A value of that name is none."""
    assert bool(touched(Annotated(), "pii", arguments)) is pii
    tier = classify(guarded("not touches_pii"), draft(arguments), AGENT, START)
    assert not isinstance(tier, Contradiction)
    assert (tier.tier is Tier.YELLOW) is pii
    assert bool(tier.personal) is pii
    assert [rule.outcome for rule in explain(guarded("touches_pii"), draft(arguments), AGENT, START).rules] == [
        "matched" if pii else "not matched",
        "matched",
    ]


def test_the_requirement_names_the_personal_fields_that_are_there() -> None:
    """Frozen with the proposal, sorted, and none that its arguments do not bear: by these names they are kept apart."""
    sent: dict[str, Json] = {"customer": [{"phone": 5}, {"email": None}], "scope": "all", "email": "a"}
    asked = classify(guarded("touches_pii"), draft(sent), AGENT, START)
    assert not isinstance(asked, Contradiction)
    assert asked.personal == ("email", "phone")
    one = classify(guarded("touches_pii"), draft({"phone": 5}), AGENT, START)
    assert not isinstance(one, Contradiction)
    assert one.personal == ("phone",)


def test_each_annotation_is_its_own() -> None:
    """Admin rights are no personal data; what no contract annotates touches nothing."""
    assert touched(Annotated(), "admin", {"scope": "all"})
    assert not touched(Annotated(), "admin", {"email": "a"})
    assert not touched(Annotated(touching={}), "admin", {"scope": "all"})
    assert not touched(None, "admin", {"scope": "all"})
    assert not touched(Annotated(), "pii", "email")


@pytest.mark.parametrize(("arguments", "facts"), [({"touches_pii": False}, {}), ({}, {"touches_pii": False})])
def test_an_agent_cannot_say_so_itself(arguments: dict[str, Json], facts: dict[str, Json]) -> None:
    """An argument or a fact of that name is refused where a rule reads it, and only there."""
    found = classify(guarded("not touches_pii"), draft(arguments, facts), AGENT, START)
    assert isinstance(found, Contradiction)
    assert found.name == "touches_pii"
    assert not isinstance(classify(guarded("not touches_admin"), draft(arguments, facts), AGENT, START), Contradiction)
