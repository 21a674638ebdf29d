"""A weekly review on paper: small for a phone however busy the week, whole in its table, and never more than text."""

import csv
import io
import re
from dataclasses import replace
from typing import Any

import pytest

from approval_rules.canonical import Digest
from approval_rules.people import human
from approval_rules.review_events import ReviewEvent, WeekFlagged, WeekReported, WeekSigned, fold_reviews
from approval_rules.state import Proposal, fold
from approval_rules.text import AgentJson, AgentText
from bot.review.keeping import REVIEWING
from bot.review.report import build
from bot.review.showing import SHOWN, Meaning, Paper, csv_of, html_of, lines_of
from bot.store.reports import Kept, named
from handlers.desk import Face
from handlers.review_words import QUIET, TITLES
from tests.bot.review.made import INGREDIENTS, WEEK, course, told
from tests.rules.builders import ANN, BEN, INITIATOR, MANAGER, OWNER, START

FACES: dict[str, Face] = {
    ANN.person: Face("U0ANN", "Ann <script>alert(1)</script>"),
    BEN.person: Face("U0BEN", "=HYPERLINK(1)"),
    INITIATOR: Face("U0INI", "a\u202egnp.exe"),
    OWNER: Face("U0OWN", "<!channel>"),
}


def everything(*, first: bool = False) -> Kept:
    """Report on a week in which each thing happened once."""
    courses = [course(one, number) for number, one in enumerate(INGREDIENTS, 1)]
    return named(build(told(courses), WEEK, MANAGER, first=first, policy="sha256:v"))


def meaning() -> Meaning:
    """Say what stands behind it."""
    proposals: dict[str, Proposal] = {}
    for number, one in enumerate(INGREDIENTS, 1):
        proposal = fold(course(one, number))
        assert proposal is not None
        proposals[f"prop_{number}"] = proposal
    return Meaning(FACES, proposals)


def test_each_kind_and_word_is_told_in_plain_words() -> None:
    """No reader meets a fixed word of the record where there is a plain one; what alarms stands first."""
    text = "\n".join(lines_of(Paper(everything(), meaning())))
    for title in TITLES.values():
        assert title.upper() in text or title in text
    for told_in in ("Refund order A-1", "approved after 4.9 s", "denied, though the policy by itself allows it"):
        assert told_in in text
    assert text.index(TITLES["self-approval"].upper()) < text.index(TITLES["high-risk"].upper())
    assert "week before: 0" in text
    assert "week before: none" in "\n".join(lines_of(Paper(everything(first=True), meaning())))
    assert set(TITLES) > QUIET


def test_hostile_names_and_words_stay_text() -> None:
    """A tag, a formula, a mention and a turned line are shown, and do nothing in any form."""
    paper = Paper(everything(), meaning())
    page, table, lines = html_of(paper), csv_of(paper), "".join(lines_of(paper))
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "default-src &#x27;none&#x27;" in page or "default-src 'none'" in page
    for text in (page, table, lines):
        assert "\u202e" not in text
    assert lines.isprintable()
    cells = [cell for line in csv.reader(io.StringIO(table)) for cell in line]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


def test_what_was_erased_is_said_to_be_gone() -> None:
    """Without what stands behind it the report is the same; names are gone and actions are not guessed."""
    page = html_of(Paper(everything(), Meaning()))
    assert "(erased)" in page
    assert "order A-1" not in page
    gone = {
        name: replace(each, digest=Digest(""), arguments=AgentJson({})) for name, each in meaning().proposals.items()
    }
    text = "\n".join(lines_of(Paper(everything(), Meaning(FACES, gone))))
    assert "(erased) · payments.refund" in text
    assert everything().digest in page


def test_the_table_lists_every_item_with_its_number() -> None:
    """Each item of the report is one line, under the number that people flag it by."""
    kept = everything()
    lines = list(csv.DictReader(io.StringIO(csv_of(Paper(kept, meaning())))))
    assert [line["number"] for line in lines] == [str(item["n"]) for item in kept.report["items"]]
    fast = [line for line in lines if line["kind"] == "under-five-seconds"]
    assert sorted(line["milliseconds"] for line in fast) == ["1000", "4900"]
    assert {(line["tool"], line["agent"]) for line in fast} == {("payments.refund", "refund-bot")}


def test_ten_thousand_decisions_are_a_page_below_two_megabytes() -> None:
    """A very busy week is summed up, shows the first of each kind, and links to the table that has all."""
    [item] = [one for one in everything().report["items"] if (one["kind"], one["what"]) == ("high-risk", "denied")]
    items = [{**item, "n": number, "proposal": f"prop_{number}"} for number in range(1, 10_001)]
    proposal = meaning().proposals[item["proposal"]]
    known = {f"prop_{number}": proposal for number in range(1, SHOWN + 1)}
    paper = Paper(named({**everything().report, "items": items}), Meaning(FACES, known))
    page = html_of(paper)
    assert len(page.encode()) < 2_000_000
    assert page.count("<tr>") < 2 * SHOWN
    assert f"And {10_000 - SHOWN} more" in page
    assert 'href="weekly-review.csv"' in page
    assert len(csv_of(paper).splitlines()) == 10_001
    assert len("\n".join(lines_of(paper)).splitlines()) < 2 * SHOWN


def test_an_empty_week_has_nothing_to_report() -> None:
    """In every form it says so."""
    paper = Paper(named(build(told([]), WEEK, None, first=True, policy=None)), Meaning())
    assert "Nothing to report." in html_of(paper)
    assert "Nothing to report." in "\n".join(lines_of(paper))
    assert "every role" in html_of(paper)
    assert len(csv_of(paper).splitlines()) == 1


@pytest.mark.parametrize(
    ("events", "standing"),
    [
        ([], ["Not signed off yet."]),
        (["sign"], ["Signed off by", "took part in 9 of 9 decisions", "One more person must sign it off"]),
        (["sign", "sign"], ["Signed off by"]),
        (["flag"], ["Flagged by", "1, 2. look \\u{202E}here", "Not signed off yet."]),
        (["next"], ["It was not signed off before the next one."]),
    ],
)
def test_the_page_says_who_did_what_to_it(events: list[str], standing: list[str]) -> None:
    """Signatures with the signer's part, flags with their notes, and what is missing stand at the top."""
    kept = everything()
    report, by = kept.digest, human(ANN.person)
    made = WeekReported(START, REVIEWING, report, WEEK.name, MANAGER, 3)
    happened: dict[str, Any] = {
        "sign": WeekSigned(START, by, report, 9, 9),
        "flag": WeekFlagged(START, by, report, (1, 2), AgentText("look \u202ehere")),
        "next": replace(made, report="sha256:next", week="2025-W11"),
    }
    told_events: list[ReviewEvent] = [made, *(happened[name] for name in events)]
    paper = Paper(kept, meaning(), fold_reviews(told_events).of(report))
    text = re.sub(r"\s+", " ", " ".join(paper.standing()))
    for words in standing:
        assert words in text
    assert ("Not signed off yet." in text) is ("Not signed off yet." in standing)
