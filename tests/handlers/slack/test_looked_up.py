"""What the server looked up, for people: apart from what the agent says, whole, hidden where policy hides."""

from dataclasses import replace

import pytest

from approval_rules.facts import LookedUp
from approval_rules.text import AgentJson, Json
from handlers.slack.details import pages_of
from handlers.slack.packet import packet
from tests.handlers.slack.made import NOW, proposal, seen
from tests.handlers.slack.reading import text_of

WHERE = "(asked crm.example, 2026-11-21 09:00 UTC)"


def texts(value: Json, failed: str | None = None, name: str = "tier", *, erased: bool = False) -> list[str]:
    """The packet and Details as text."""
    lookups = (LookedUp(name, "crm.example", NOW, failed),)
    made = replace(proposal(), lookups=lookups, looked_up=None if erased else AgentJson({name: value}))
    return [text_of(packet(seen(made), NOW).blocks), "".join(text_of(page) for page in pages_of(seen(made), NOW))]


def told(value: Json, failed: str | None = None, name: str = "tier", *, erased: bool = False) -> list[str]:
    """What stands between the two headings of facts, in the packet and in Details."""
    return [between(text) for text in texts(value, failed, name, erased=erased)]


def between(text: str) -> str:
    """What stands between the two headings of facts."""
    return text.split("Facts, looked up by Foureyes")[1].split("Facts, as the agent gives them", maxsplit=1)[0]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("pro", f"tier: pro {WHERE}"),
        (True, f"tier: yes {WHERE}"),
        ({}, f"tier: (empty object) {WHERE}"),
        ({"name": "pro", "since": 2019}, f"tier.name: protier.since: 2019 {WHERE}"),
        ("<@U1> \u202e", f"tier: <@U1> \\u{{202E}} {WHERE}"),
        (f"pro {WHERE}", f"tier: pro {WHERE} {WHERE}"),
    ],
)
def test_a_value_stands_with_where_and_when(value: Json, words: str) -> None:
    """Each fact whole, with the host and the time after it; text from elsewhere is only text."""
    assert told(value) == [words, words]


def test_a_text_of_several_lines_is_boxed() -> None:
    """Line ends stay line ends, in Details; the packet says that there is more."""
    short, whole = texts("a\nb")
    assert "1 more line in Details" in short
    assert between(whole) == f"tiera\nb {WHERE}"


def test_a_failed_lookup_says_why() -> None:
    """Nobody mistakes it for a value."""
    words = f"tier: could not be looked up: timed out {WHERE}"
    assert told(None, "timed out") == [words, words]


def test_an_erased_value_leaves_its_trace() -> None:
    """Where and when stay; the value does not."""
    words = f"tier: (erased; {WHERE[1:]}"
    assert told(None, erased=True) == [words, words]


def test_a_hidden_value_is_hidden() -> None:
    """A looked-up field that policy hides is not shown to people."""
    words = f"card_number: ••• (hidden by policy) {WHERE}"
    assert told("4111", name="card_number") == [words, words]
