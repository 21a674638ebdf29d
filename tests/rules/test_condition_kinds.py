"""What is known at load: unknown names, kinds that cannot be compared, values that can never be; all else is left."""

from decimal import Decimal

import pytest

from approval_rules.conditions import ConditionFaultError, compile_condition
from approval_rules.kinds import ANYTHING, NUMBER, TEXT, TRUTH, Kind, Known
from approval_rules.ranges import Range

ORDER = Kind("an object", fields={"total": NUMBER, "notes": Kind("a list", item=TEXT)}, closed=True)
OPEN = Kind("an object", fields={"total": NUMBER})
FIELDS = {
    "amount": NUMBER,
    "level": Kind("a number", (Decimal(1), Decimal(2))),
    "tier": Kind("text", ("standard", "pro", "enterprise")),
    "note": TEXT,
    "urgent": TRUTH,
    "to": Kind("a list", item=Kind("text", ("a@x.com", "b@x.com"))),
    "any": Kind("a list"),
    "order": ORDER,
    "open": OPEN,
    "odd": ANYTHING,
}
KNOWN = Known(Kind("an object", fields=FIELDS, closed=True), {"age": NUMBER}, frozenset({"pii"}), "contracts/pay.json")


@pytest.mark.parametrize(
    ("text", "offset", "detail"),
    [
        (
            "amuont > 5",
            0,
            "neither contracts/pay.json nor facts: names 'amuont'; did you mean 'amount'? If it is a fact",
        ),
        ("amount > 5 and zzzzzz == 1", 15, "names 'zzzzzz'; if it is a fact, declare it under facts:"),
        ("aeg > 5", 0, "did you mean 'age'?"),
        ("touchs_pii", 0, "did you mean 'touches_pii'?"),
        ("touches_admin or urgent", 0, "touches_admin would never be true: no field of this tool's contract has x-tou"),
        ("urgent and nwo > 5", 11, "did you mean 'now'?"),
        ("amount > 5 and sum(amuont, 24h) < 5", 15, "names 'amuont'"),
        ("sum(note, 24h) < 5", 0, "note is text, so it is not a number"),
        ("count(24h by custmer) < 5", 0, "names 'custmer'"),
        ("order.totl > 5", 0, "order has no field 'totl' in contracts/pay.json; did you mean 'total'?"),
        ("order['zzzzzz'] > 5", 0, "it has notes, total"),
        ("order.total.x > 5", 0, "order.total is a number, which has no fields"),
        ("order.total == 'a'", 0, "order.total is a number, which cannot be compared with text; take its quotes away"),
        ("note >= 5", 0, "note is text, which cannot be compared with a number; put it in quotes"),
        ("5 <= note", 5, "note is text, which cannot be compared with a number"),
        ("amount == urgent", 0, "amount is a number, which cannot be compared with true or false"),
        ("note == now.hour", 0, "note is text, which cannot be compared with a number"),
        ("urgent < true", 0, "urgent is true or false, which cannot be put in order"),
        ("to == any", 0, "to is a list, which cannot be compared"),
        ("order == 5", 0, "order is an object, which cannot be compared"),
        ("order in [1]", 0, "order is an object, which cannot be compared"),
        ("tier == 'enterprize'", 8, "tier is never 'enterprize'; did you mean 'enterprise'?"),
        ("'zzz' != tier", 0, "tier is never 'zzz'; it is one of standard, pro, enterprise"),
        ("note == 'pr' and tier in ['pro', 'pr']", 33, "tier is never 'pr'; did you mean 'pro'?"),
        ("tier == 'pr' + 'o' + 'x'", 0, "tier is never 'prox'; did you mean 'pro'?"),
        ("tier not in ['gold']", 13, "tier is never 'gold'"),
        ("level == 3", 0, "level is never '3'; it is one of 1, 2"),
        ("'c@x.com' in to", 0, "an entry of to is never 'c@x.com'"),
        ("5 in to", 5, "an entry of to is text, which cannot be compared with a number"),
        ("amount in note", 10, "note is text, not a list"),
        ("amount in [1, 'a']", 0, "amount is a number, which cannot be compared with text"),
        ("amount in ['1', note]", 0, "amount is a number, which cannot be compared with text"),
        ("amount and urgent", 0, "amount is a number, so it is neither true nor false"),
        ("urgent or not note", 14, "note is text, so it is neither true nor false"),
        ("note + 1 > 5", 0, "note is text, so it is not a number"),
        ("amount * note > 5", 9, "note is text, so it is not a number"),
        ("-tier > 5", 1, "tier is text, so it is not a number"),
        ("amount + note.ends_with('a') == 2", 9, "a part is true or false, so it is not a number"),
        ("-amount", 0, "a part is a number, so it is neither true nor false"),
        ("amount.starts_with('5')", 0, "amount is a number, so it is not text"),
        ("amount.length > 5", 0, "amount is a number, which has no length"),
        ("to.length == 'a'", 0, "to.length is a number, which cannot be compared with text"),
        ("now.weekday == 'mondy'", 15, "now.weekday is never 'mondy'; did you mean 'monday'?"),
        ("run.tokens > '5'", 0, "run.tokens is a number"),
        ("count(24h) == 'a'", 0, "count_24h is a number"),
    ],
)
def test_what_cannot_be_right_is_refused(text: str, offset: int, detail: str) -> None:
    """At the place of the name or of the value, with the nearest right one."""
    with pytest.raises(ConditionFaultError) as refused:
        compile_condition(text, KNOWN)
    assert detail in refused.value.detail
    assert refused.value.offset == offset


@pytest.mark.parametrize(
    "text",
    [
        "amount > 5 and age >= 18 and tier == 'pro' and urgent",
        "level in [1, 2] and level == 1.0 and 2 != level",
        "order.total > 5 and 'a' in order.notes and order['total'] < 5",
        "open.whatever == 'a' and open.total > 5",
        "odd == 5 and odd.a.b == 'x' and odd.length > 5 and 'x' in odd",
        "tier >= 'a' and tier < note and tier in [note, 'pro']",
        "'a@x.com' in to and to.length > 1 and 5 in any",
        "touches_pii and not touches_pii",
        "count(24h by agent) < 5 and sum(amount, 1h by tier) + amount < 5",
        "now.hour < 18 and now.weekday in ['monday'] and now.workday and agent.name == 'a' and run.model == 'x'",
        "amount - -amount * 2 == 0 and note.ends_with('x') and (amount < 2 or urgent)",
        "odd == order.total and tier == odd",
    ],
)
def test_what_may_be_right_is_left_alone(text: str) -> None:
    """Known names of fitting kinds, and whatever nothing is known of."""
    assert compile_condition(text, KNOWN).text == text


def test_without_a_contract_any_name_may_be() -> None:
    """Only what the server itself fills, and declared facts, have kinds then."""
    known = Known(facts={"age": NUMBER})
    assert compile_condition("anything > 5 and other == 'x'", known).names == {"anything", "other"}
    with pytest.raises(ConditionFaultError, match="age is a number"):
        compile_condition("anything > 5 and age == 'x'", known)
    with pytest.raises(ConditionFaultError, match="touches_pii would never be true"):
        compile_condition("touches_pii")


def test_two_kinds_of_one_value_are_put_together() -> None:
    """What either says is known; both ranges and both objects' fields hold."""
    one = Kind("a number", fields={"a": NUMBER, "b": ANYTHING}, range=Range(low=Decimal(1)))
    two = Kind("text", ("x",), {"b": TEXT}, closed=True, item=TEXT, range=Range(high=Decimal(5)))
    fields = {"a": NUMBER, "b": TEXT}
    both = Kind("a number", ("x",), fields, closed=True, item=TEXT, range=Range(Decimal(1), Decimal(5)))
    assert one.both(two) == both
    assert two.both(one) == Kind("text", ("x",), fields, closed=True, item=TEXT, range=both.range)
