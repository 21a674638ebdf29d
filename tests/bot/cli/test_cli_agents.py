"""`agent add | list | rotate | revoke`: a key is shown once, and nothing half-done is left behind."""

import pytest

from bot.keys import split_key
from tests.bot.cli.shell import Shell

ADD = ("agent", "add", "refund-bot", "--owner", "U02ABCDEF", "--tool", "payments.refund")


def test_add_shows_key_and_secret_once(ready: Shell) -> None:
    """JSON has the documented fields; the database keeps no key; a second look shows none."""
    ended = ready(*ADD, "--callback-host", "Hooks.Example.com", "--tool", "mail.send", "--json")
    assert (ended.code, ended.err) == (0, "")
    made = ended.json()
    assert made["name"] == "refund-bot"
    assert made["id"].startswith("agent_")
    assert split_key(made["key"])
    assert made["callback_secret"].startswith("whsec_")
    assert (made["tools"], made["callback_hosts"]) == (["payments.refund", "mail.send"], ["hooks.example.com"])
    secret = made["key"].rsplit("_", 1)[1]
    assert secret.encode() not in (ready.folder / "foureyes.db").read_bytes()
    (listed,) = ready("agent", "list", "--json").json()
    assert {"id": listed["id"], "owner": listed["owner"], "keys": listed["keys"], "revoked": listed["revoked_at"]} == {
        "id": made["id"],
        "owner": "U02ABCDEF",
        "keys": 1,
        "revoked": None,
    }
    assert secret not in ready("agent", "list", "--json").out + ready("audit", "show").out


def test_add_for_people(ready: Shell) -> None:
    """The values stand on standard output, the advice beside them."""
    ended = ready(*ADD)
    assert [line.split("  ")[0] for line in ended.out.splitlines()] == ["Agent", "Key", "Callback secret"]
    assert ended.err == "Both are shown this once. Keep them in the agent's secret store.\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("refund-bot", "--owner", "maya", "--tool", "a.b"), "'maya' is not a Slack user id; it starts with U"),
        (("Refund Bot", "--owner", "U02ABCDEF", "--tool", "a.b"), "a name is 1 to 63 of a-z, 0-9, dot, dash"),
        (("a\x1b[31m", "--owner", "U02ABCDEF", "--tool", "a.b"), "a name is 1 to 63"),
        (("a", "--owner", "U02ABCDEF", "--tool", "A B"), "'A B' is not a tool name; write it like payments.refund"),
        (("a", "--owner", "U02ABCDEF"), "Missing option '--tool'"),
        (("a", "--tool", "a.b"), "Missing option '--owner'"),
        (
            ("a", "--owner", "U02ABCDEF", "--tool", "a.b", "--callback-host", "https://x/y"),
            "is not a host (host-malformed); write it like hooks.example.com",
        ),
    ],
)
def test_wrong_usage_says_what_is_right(ready: Shell, arguments: tuple[str, ...], told: str) -> None:
    """Every wrong argument has its sentence, and nothing was written."""
    ended = ready("agent", "add", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert told in ended.err
    assert "\x1b" not in ended.err
    assert ready("agent", "list", "--json").json() == []


def test_a_taken_name_is_said(ready: Shell) -> None:
    """A name names one agent for ever; the sentence differs for one that is revoked."""
    ready(*ADD)
    ended = ready(*ADD)
    assert ended.code == 1
    assert ended.err == (
        "foureyes: an agent named 'refund-bot' exists; pick another name;"
        " or give it a new key: `foureyes agent rotate`\n"
    )
    ready("agent", "revoke", "refund-bot")
    assert ready(*ADD).err.endswith("pick another name; it is revoked for ever\n")


def test_more_tools_than_anybody_can_oversee_are_refused(ready: Shell) -> None:
    """Fifty tools are the most."""
    ended = ready("agent", "add", "a", "--owner", "U02ABCDEF", *(f"--tool=t{number}" for number in range(51)))
    assert (ended.code, "give the agent 1 to 50 tools" in ended.err) == (1, True)


def test_the_longest_names_that_are_taken_fit_into_an_entry(ready: Shell) -> None:
    """Fifty tools and twenty hosts, each as long as may be; one host more is refused."""
    tools = [f"--tool={'t' * 120}.{number:03}" for number in range(50)]
    hosts = [f"--callback-host={'.'.join(['h' * 60] * 4)}.{number:03}x" for number in range(21)]
    ended = ready("agent", "add", "a", "--owner", "U02ABCDEF", *tools, *hosts)
    assert (ended.code, "give the agent at most 20 hosts with --callback-host" in ended.err) == (1, True)
    assert ready("agent", "add", "a", "--owner", "U02ABCDEF", *tools, *hosts[1:]).code == 0
    assert ready("audit", "verify").code == 0


def test_rotate_gives_a_new_key_and_secret(ready: Shell) -> None:
    """Old keys end after the overlap, at once with 0; the secret is another one too."""
    first = ready(*ADD, "--json").json()
    second = ready("agent", "rotate", "refund-bot", "--json").json()
    assert second["id"] == first["id"]
    assert second["key"] != first["key"]
    assert second["callback_secret"] != first["callback_secret"]
    expires = [row[0] for row in ready.rows("SELECT expires_at FROM agent_keys ORDER BY rowid")]
    assert expires[0] is not None
    assert expires[1] is None
    assert ready("agent", "rotate", "refund-bot", "--overlap", "0").code == 0
    now = ready.rows("SELECT max(json_extract(CAST(body AS TEXT), '$.at')) FROM entries")[0][0]
    ends = [row[0] for row in ready.rows("SELECT expires_at FROM agent_keys WHERE expires_at IS NOT NULL")]
    assert len(ends) == 2
    assert all(end <= now for end in ends)
    assert ready("agent", "rotate", "refund-bot", "--overlap", "soon").code == 2


def test_revoke_is_for_ever(ready: Shell) -> None:
    """No key lives on, and the agent cannot come back; unknown and revoked have their own sentences."""
    ready(*ADD)
    assert ready("agent", "revoke", "refund-bot").out == (
        "Revoked refund-bot. Its keys are dead and what was approved cannot be claimed.\n"
    )
    (listed,) = ready("agent", "list", "--json").json()
    assert (listed["keys"], listed["revoked_at"].endswith("Z")) == (0, True)
    for command in ("revoke", "rotate"):
        ended = ready("agent", command, "refund-bot")
        assert ended.code == 1
        assert "the agent 'refund-bot' is revoked; add a new one under another name" in ended.err
        ended = ready("agent", command, "other\x1b[31m")
        assert ended.code == 1
        assert "there is no agent named 'other\\x1b[31m'; `foureyes agent list` shows them" in ended.err


def test_a_key_that_cannot_be_shown_is_not_issued(ready: Shell) -> None:
    """Where the signing key is unusable or lost, no agent is added and no key rotated: the new key would be lost."""
    ready(*ADD)
    key = ready.folder / "foureyes.key"
    key.chmod(0o644)
    for command in (("agent", "rotate", "refund-bot"), ("agent", "add", "b", "--owner", "U0SAM", "--tool", "a.b")):
        ended = ready(*command)
        assert (ended.code, ended.out) == (3, "")
        assert f"foureyes: {key.name}: others can reach the signing key; run: chmod 600" in ended.err
    key.unlink()
    ended = ready("agent", "rotate", "refund-bot")
    assert (ended.code, ended.out) == (3, "")
    assert "foureyes.key: the signing key is missing; restore it from its backup" in ended.err
    assert not key.exists()
    assert ready.rows("SELECT (SELECT count(*) FROM agents), (SELECT count(*) FROM agent_keys)") == [(1, 1)]


def test_an_empty_list_says_what_to_do(ready: Shell) -> None:
    """For people, beside the output; a program gets an empty list."""
    ended = ready("agent", "list")
    assert (ended.code, ended.out) == (0, "")
    assert ended.err == "No agents yet. Add one: foureyes agent add --help\n"
    assert ready("agent", "list", "--json").json() == []
