"""I11: no secret is in a log line, an error, an event or a message; a permission is in the claim's answer alone."""

import pytest

from tests.invariants.story import Story

PLACES = ("log lines", "Slack", "answers", "entries", "values", "callbacks")


def place(story: Story, name: str) -> str:
    """Give everything that could be read in one place over the whole day, with the claims' own answers left out."""
    match name:
        case "log lines":
            return story.printed
        case "Slack":
            return story.in_slack()
        case "answers":
            return "".join(
                f"{one.body!r}{one.headers}"
                for one in story.heard
                if not (one.path.endswith("/claim") and one.status == 200)
            )
        case "callbacks":
            return str([(one.line, one.body) for one in (*story.receiver.requests, *story.gone.requests)])
        case _:
            return rows(story, "body" if name == "entries" else "value", "entries" if name == "entries" else "detached")


def rows(story: Story, column: str, table: str) -> str:
    """Read one column of a table."""
    with story.world.db() as db:
        return str(db.execute(f"SELECT {column} FROM {table}").fetchall())  # noqa: S608 - constants


@pytest.mark.parametrize("name", PLACES)
def test_no_secret_is_in(story: Story, name: str) -> None:
    """Neither key, token, signing secret, callback secret, private key, response address nor grant is there."""
    text = place(story, name)
    assert len(text) > 100
    grants = [grant for found in story.grants().values() for grant in found]
    assert len(story.secrets) > 10
    assert grants
    assert [secret[:8] for secret in (*story.secrets, *grants) if secret in text] == []


def test_the_day_had_errors_to_leak_through(story: Story) -> None:
    """The day is fit to find leaks: there were problem bodies of many kinds, warnings, and failed deliveries."""
    codes = {one.json()["code"] for one in story.heard if one.status >= 400}
    assert {"unauthorized", "paused", "not-approved", "already-claimed", "not-found"} <= codes
    assert any(row["last_error"] for row in story.ledger.outbox)


def test_the_file_holds_no_secret(story: Story) -> None:
    """The database knows agents' keys as hashes only, and neither tokens nor permissions at all."""
    lasting = [secret for secret in story.secrets if not secret.startswith("/response/")]
    grants = [grant for found in story.grants().values() for grant in found]
    raw = b"".join(path.read_bytes() for path in story.world.folder.glob("foureyes.db*"))
    assert [secret[:8] for secret in (*lasting, *grants) if secret.encode() in raw] == []


def test_a_grant_is_in_the_answer_to_its_own_claim_only(story: Story) -> None:
    """Each permission was handed to whoever claimed it, under that proposal's path, and nowhere else."""
    for ident, grants in story.grants().items():
        for grant in grants:
            where = {one.path for one in story.heard if grant.encode() in one.body}
            assert where == {f"/v1/proposals/{ident}/claim"}
