"""`foureyes audit search`: finds, says what it searched, and prints nothing that a terminal or a spreadsheet runs."""

import csv
import io
import sqlite3
from contextlib import closing

import pytest

from bot.cli.csv_lines import csv_line
from bot.keys import load
from bot.search.checking import faults
from bot.search.words import marker
from bot.slack_standin.workspace import JONAS, MAYA
from bot.store.engine import lock_server
from bot.store.sealed import look_through
from tests.bot.cli.living import Living
from tests.bot.cli.shell import Shell

NASTY = '=HYPERLINK("http://evil.example")\x1b[31m\u202e'


async def test_proposals_are_found_beside_a_server(living: Living) -> None:
    """One line a proposal: state in words, amount, agent, who decided; JSON and CSV say the same."""
    world = living.world
    await world.propose(42)
    denied = await world.propose(180, summary=NASTY)
    await world.deny(MAYA, await world.packet_of(denied), "Zebedee pays.")
    await world.approve(await world.propose(300), MAYA, JONAS)
    await world.running.audit.indexer.look()
    ended = await living("audit", "search", "--text", "zebedee", "--state", "denied")
    assert ended.code == 0
    (line,) = ended.out.splitlines()
    cells = line.split("\t")
    assert cells[1:6] == [denied["id"], "denied", "180 USD", "payments.refund", "refund-bot"]
    assert cells[6].startswith("Maya")
    assert cells[6].endswith(f"({MAYA}): no")
    found = (await living("audit", "search", "--currency", "usd", "--min", "100", "--json")).json()
    assert [hit["told"] for hit in found["found"]] == ["approved, not used yet", "denied"]
    assert found["after"] is None
    page = await living("audit", "search", "--limit", "1", "--csv")
    assert page.out.startswith("\ufeff")
    (row,) = csv.DictReader(io.StringIO(page.out.removeprefix("\ufeff"), newline=""))
    assert (row["state"], row["amount"], row["agent"]) == ("approved, not used yet", "300 USD", "refund-bot")
    cursor = page.err.partition("--after ")[2].split()[0]
    following = (await living("audit", "search", "--limit", "1", "--after", cursor, "--json")).json()
    assert [hit["proposal"] for hit in following["found"]] == [denied["id"]]


def test_without_a_server_the_rest_is_taken_in_first(ready: Shell) -> None:
    """A log that no server reads is searched whole; beside a server that has not come so far it says so."""
    ready("agent", "add", "refund-bot", "--owner", "U02ABCDEF", "--tool", "payments.refund")
    ready("pause", "looks odd")
    ended = ready("audit", "search", "--agent", "refund-bot", "--text", "no\x1b")
    assert (ended.code, ended.out) == (0, "")
    assert ended.err == "Nothing found by agent refund-bot, text no\\x1b, in 2 entries of the log.\n"
    with lock_server(ready.folder / "foureyes.db"):
        ready("pause", "--tool", "a.b", "looks odd")
        ended = ready("audit", "search")
        assert "in 2 entries of the log" in ended.err
        # The pause, and the look of before.
        assert "Note: 2 newer entries are not searched yet; a running server takes them in." in ended.err
    assert ready("audit", "search", "--json").json() == {"found": [], "after": None, "indexed": 5, "size": 5}


def test_without_the_data_keys_nothing_is_taken_in(ready: Shell) -> None:
    """What cannot be read now would be left out of the index for ever; so it waits for somebody who can."""
    ready("pause", "looks odd")
    keys = next(ready.folder.glob("*.data-keys"))
    hidden = keys.rename(ready.folder / "elsewhere")
    assert "in 0 entries of the log" in ready("audit", "search").err
    hidden.rename(keys)
    assert "in 2 entries of the log" in ready("audit", "search").err


def test_who_may_only_read_searches_what_is_there(ready: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that cannot be written is searched as far as it was taken in, and by nothing that tells of values."""
    from bot.store.engine import StoreUnavailableError  # noqa: PLC0415 - beside its only use

    ready("pause", "looks odd")

    def refuse(_unit: object) -> None:
        raise StoreUnavailableError("read-only")

    monkeypatch.setattr("bot.cli.session.write", refuse)
    told = ready("audit", "search")
    assert "in 0 entries of the log" in told.err
    assert "the look cannot be recorded, so amounts, words and names are left out" in told.err
    assert ready("audit", "search", "--text", "odd").code == 3


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (("--from", "yesterday"), "--from"),
        (("--min", "5"), "--currency"),
        (("--state", "maybe"), "--state"),
        (("--after", "AAAA"), "--after"),
    ],
)
def test_what_cannot_be_searched_by_is_named(ready: Shell, arguments: tuple[str, str], option: str) -> None:
    """A usage error that says which option it is."""
    ended = ready("audit", "search", *arguments)
    assert ended.code == 2
    assert f"Invalid value for {option}" in ended.err


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+1 x", "'+1 x"),
        ("-1", "-1"),
        ("-12.50", "-12.50"),
        ("-1+cmd", "'-1+cmd"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("  =1", "'  =1"),
        ("\t=1", "\\t=1"),
        ("\r=1", "\\r=1"),
        ("\uff1d1", "'\uff1d1"),
        ("%0A", "'%0A"),
        ('a"b,c\nd', 'a"b,c\\nd'),
        ("", ""),
        (None, ""),
        (180, "180"),
        ("\x00\u202e", "\\x00\\u202e"),
    ],
)
def test_no_cell_is_a_formula(text: object, cell: str) -> None:
    """What a spreadsheet would run is text there; a plain number stays one; a reader of RFC 4180 gets it back."""
    assert next(csv.reader(io.StringIO(csv_line(["x", text, "y"]), newline=""))) == ["x", cell, "y"]


async def test_a_changed_index_is_found(living: Living) -> None:
    """Whoever hides a proposal from the search is found by `audit verify`: by kind and by count, word for word."""
    await living.world.propose(42)
    await living.world.running.audit.indexer.look()
    assert (await living("audit", "verify")).code == 0
    mark = marker(load(living.world.settings.signing_key_file))
    for damage, told in DAMAGE:
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as copy:
            with living.world.db() as db:
                db.backup(copy)
            look_through(copy, living.world.vault())
            assert list(faults(copy, mark)) == []
            copy.execute(damage)
            assert any(told in line for line in faults(copy, mark)), damage
            assert bool(list(faults(copy, None))) == ("word = word" not in damage), damage
    with living.world.db() as db, closing(sqlite3.connect(":memory:", isolation_level=None)) as copy:
        db.backup(copy)
        look_through(copy, None)
        assert list(faults(copy, mark)) == []
        copy.execute("DELETE FROM search_terms")
        assert list(faults(copy, mark)) != []
    await living.world.running.wiring.writer.run(lambda tx: tx.write("DELETE FROM search_rows", ()))
    ended = await living("audit", "verify")
    assert ended.code == 7
    assert "what it is searched by is not what the log says" in ended.out
    assert (await living("db", "reindex")).code == 0
    assert (await living("audit", "verify")).code == 0
    await living.world.running.audit.indexer.look()
    assert len((await living("audit", "search", "--json")).json()["found"]) == 1
    assert (await living("audit", "verify")).code == 0


DAMAGE = (
    ("DELETE FROM search_rows", "what it is searched by is not what the log says"),
    ("UPDATE search_rows SET states = 'denied'", "what it is searched by is not what the log says"),
    ("DELETE FROM search_terms WHERE term = 'tool:payments.refund'", "what it is searched by"),
    ("INSERT INTO search_terms VALUES ('tool:a.b', 4)", "search_terms has"),
    ("UPDATE search_amounts SET amount = amount + 1", "what it is searched by"),
    ("UPDATE search_words SET word = word + 1", "what it is searched by"),
    ("DELETE FROM search_words WHERE name = 'summary'", "what it is searched by"),
)
