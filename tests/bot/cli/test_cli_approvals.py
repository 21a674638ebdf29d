"""`pending`, `show`, `ask` and `report` beside a server: each ending has its exit code, and no key is ever printed."""

import asyncio
import json
from typing import Any

import jwt
import pytest

from bot.slack_standin.workspace import MAYA
from tests.bot.cli.living import Living
from tests.bot.cli.shell import Ended, Shell

NASTY = "\x1b]0;owned\x07\x1b[2J\u202e\x9b31m fine"


async def waiting_in_database(living: Living) -> dict[str, Any]:
    """The proposal that waits, read without running a second command."""
    found: list[str] = []

    async def there() -> bool:
        with living.world.db() as db:
            found[:] = [row[0] for row in db.execute("SELECT id FROM proposals WHERE state = 'pending'")]
        return bool(found)

    await living.world.until(there, "a proposal")
    return await living.world.read({"id": found[0]})


def secretless(ended: Ended, living: Living) -> bool:
    """Whether the agent's key is nowhere in what was printed."""
    return living.world.agent.key[3:] not in ended.out + ended.err


async def test_ask_waits_for_people_claims_and_prints_the_permission(living: Living) -> None:
    """Exit 0 means that the caller may act: the grant is for exactly what was asked."""
    asking = asyncio.create_task(living.ask("--fact", "customer_tier=pro"))
    proposal = await waiting_in_database(living)
    await living.world.approve(proposal)
    ended = await asking
    assert ended.code == 0
    assert secretless(ended, living)
    printed = ended.json()
    assert (printed["id"], printed["state"]) == (proposal["id"], "approved")
    claims = jwt.decode(printed["grant"], options={"verify_signature": False, "verify_exp": False})
    assert claims["proposal"] == proposal["id"]
    assert f"{proposal['id']} waits for people (0 votes so far)" in ended.err


async def test_report_ends_what_ask_began(living: Living) -> None:
    """How it went is said once and may be repeated; another ending is refused with exit 1."""
    asked = await living.ask("--fact", "customer_tier=pro", amount="20")
    ident = asked.json()["id"]
    url = ("--url", living.world.url)
    ended = await living("report", ident, "succeeded", "--detail", "re_88", *url)
    assert (ended.code, ended.out) == (0, f"Noted: {ident} succeeded.\n")
    assert (await living("report", ident, "succeeded", "--detail", "re_88", *url)).code == 0
    assert (await living.world.read({"id": ident}))["execution"]["status"] == "succeeded"
    other = await living("report", ident, "failed", *url)
    assert (other.code, other.out) == (1, "")
    assert "outcome-conflict" in other.err


async def test_ask_denied_is_4_and_says_who_and_why(living: Living) -> None:
    """A no by a person carries the name and the reason, as harmless text."""
    asking = asyncio.create_task(living.ask())
    proposal = await waiting_in_database(living)
    packet = await living.world.packet_of(proposal)
    await living.world.deny(MAYA, packet, f"not ours {NASTY}")
    ended = await asking
    assert (ended.code, ended.out) == (4, "")
    assert "denied: " in ended.err
    assert "not ours" in ended.err
    assert ended.err.rstrip().endswith("Do not act")
    assert all(char.isprintable() or char == "\n" for char in ended.err)
    assert secretless(ended, living)


async def test_ask_expired_is_5(living: Living) -> None:
    """Nobody said no: that is another exit code."""
    asking = asyncio.create_task(living.ask("--timeout", "90d"))
    await waiting_in_database(living)
    await living.world.move(days=30)
    ended = await asking
    assert (ended.code, ended.out) == (5, "")
    assert "expired: nobody decided in time" in ended.err


async def test_ask_paused_is_6(living: Living) -> None:
    """A pause is neither a no nor an error."""
    await living("pause", "--tool", "payments.refund", "looks odd")
    ended = await living.ask()
    assert (ended.code, ended.out) == (6, "")
    assert ended.err.startswith("paused: ")


async def test_ask_blocked_is_1(living: Living) -> None:
    """Blocked by policy is a failure, with the policy's words."""
    (living.world.policy / "payments.refund.yml").write_text(
        "policy: {tool: payments.refund, rules: [{block: true}]}\n", "utf-8"
    )
    await living.world.running.watch.look()
    ended = await living.ask()
    assert (ended.code, ended.out) == (1, "")
    assert "is blocked by policy: " in ended.err


async def test_ask_sends_numbers_to_the_digit_and_text_as_text(living: Living) -> None:
    """JSON is JSON, the rest is text, and what looks like a number is one unless it is quoted."""
    ended = await living.ask(
        *("--arg", 'version="1.10"', "--arg", "rate=19.900", "--arg", "tag=v1", "--arg", "odd=NaN", "--arg", 'l=["a"]'),
        *("--arg", "empty=", "--fact", "customer_tier=pro", "--fact", "flag=true"),
        amount="42.50",
    )
    assert ended.code == 0, ended.err
    sent = await living.world.read({"id": ended.json()["id"]})
    assert sent["arguments"] == {
        "amount_usd": 42.5,
        "order_id": "ORD-1",
        "customer_id": "C-1",
        "version": "1.10",
        "rate": 19.9,
        "tag": "v1",
        "odd": "NaN",
        "l": ["a"],
        "empty": "",
    }
    assert sent["context"]["facts"] == {"customer_tier": "pro", "flag": True}


async def test_the_same_key_asks_once(living: Living) -> None:
    """A second run with the same --key finds the same proposal; its one permission is not given twice to others."""
    first = await living.ask("--key", "deploy-42", "--fact", "customer_tier=pro", amount="42")
    again = await living.ask("--key", "deploy-42", "--fact", "customer_tier=pro", amount="42")
    assert (first.code, again.code) == (0, 0)
    assert first.json() == again.json()
    other = await living.ask("--key", "deploy-42", "--fact", "customer_tier=pro", amount="43")
    assert (other.code, other.err.split(":")[0]) == (1, "idempotency-key-reused")


async def test_a_problem_names_each_fault(living: Living) -> None:
    """Bad input is told field by field."""
    ended = await living("ask", "--tool", "Bad Tool", "--summary", "x", "--url", living.world.url)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("invalid-body: ")
    assert "/tool" in ended.err


async def test_a_wrong_key_is_1_and_is_not_printed(living: Living) -> None:
    """Whoever reads the log of a CI run learns no key."""
    wrong = living.world.agent.key[:-4] + "AAAA"
    living.shell.set(FOUREYES_AGENT_KEY=wrong)
    ended = await living.ask()
    assert (ended.code, ended.err.split(":")[0]) == (1, "unauthorized")
    assert wrong[3:] not in ended.err


async def test_nobody_there_is_1(living: Living) -> None:
    """An unreachable server is a failure that says so."""
    await living.world.stop()
    ended = await living.ask()
    assert ended.code == 1
    assert ended.err == f"unreachable: {living.world.url}: nothing answers there; is the server up, is --url right?\n"


async def test_the_key_may_come_from_a_file(living: Living, shell: Shell) -> None:
    """A mounted secret works by option and by variable; white space around it does not count."""
    file = shell.folder / "key"
    file.write_text(f"{living.world.agent.key}\n", "utf-8")
    shell.set(FOUREYES_AGENT_KEY="")
    assert (await living.ask("--key-file", str(file), "--fact", "customer_tier=pro", amount="1")).code == 0
    shell.set(FOUREYES_AGENT_KEY_FILE=file)
    assert (await living.ask("--fact", "customer_tier=pro", amount="2")).code == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "no key: set FOUREYES_AGENT_KEY or give --key-file"),
        (("--agent-key", "sécret-key"), "this is no agent's key; give what `foureyes agent add` printed"),
        (("--agent-key", "secret key"), "this is no agent's key"),
        (("--key-file", "none"), "the key's file 'none' cannot be read: No such file or directory"),
        (("--key-file", "binary"), "the key's file 'binary' cannot be read: not text"),
        (("--agent-key", "k", "--arg", "x"), "'x': write NAME=VALUE"),
        (("--agent-key", "k", "--arg", "=x"), "'=x': write NAME=VALUE"),
        (("--agent-key", "k", "--arg", "a=1", "--arg", "a=2"), "'a' is given twice"),
        (("--agent-key", "k", "--timeout", "soon"), "'soon' is not a time; write 30m, 4h or 2d"),
    ],
)
def test_wrong_usage_of_ask_asks_nothing(shell: Shell, arguments: tuple[str, ...], told: str) -> None:
    """A typing error is told before anything is sent, without the key."""
    (shell.folder / "binary").write_bytes(b"\xff")
    ended = shell("ask", "--tool", "a.b", "--summary", "x", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert told in ended.err
    assert "cret" not in ended.err


async def test_pending_and_show(living: Living) -> None:
    """What waits, most urgent first, and one proposal whole: as the API shows it."""
    proposal = await living.world.propose(180, summary=NASTY)
    packet = await living.world.packet_of(proposal)
    await living.world.click(MAYA, packet)
    await living.world.settled()
    other = await living.world.propose(90)
    listed = await living("pending")
    assert [line.split("\t")[:4] for line in listed.out.splitlines()] == [
        [proposal["id"], "payments.refund", "refund-bot", "1 of 2"],
        [other["id"], "payments.refund", "refund-bot", "0 of 2"],
    ]
    assert len((await living("pending", "--limit", "1")).out.splitlines()) == 1
    as_json = await living("pending", "--json")
    assert as_json.json()[0] == await living.world.read(proposal)
    shown = await living("show", proposal["id"])
    whole = await living("show", proposal["id"], "--json")
    assert whole.json() == await living.world.read(proposal)
    assert f"id             {proposal['id']}\n" in shown.out
    for ended in (listed, as_json, shown, whole):
        assert ended.code == 0
        assert all(char.isprintable() or char in "\n\t" for char in ended.out)
    assert json.loads(whole.out)["summary"] == NASTY


async def test_pending_is_listed_by_deadline(living: Living) -> None:
    """What expires first comes first, and a limit keeps it, even where the reminder of something later is nearer."""
    reminded = await living.world.propose(180, expires_in_s=3 * 3600)
    await living.world.move(hours=1, minutes=40)
    fresh = await living.world.propose(190, expires_in_s=2 * 3600)
    listed = (await living("pending", "--json")).json()
    assert [one["id"] for one in listed] == [reminded["id"], fresh["id"]]
    assert [one["id"] for one in (await living("pending", "--limit", "1", "--json")).json()] == [reminded["id"]]


async def test_a_frozen_proposal_shows_its_pause(living: Living) -> None:
    """Under a pause, `show` names it."""
    proposal = await living.world.propose(180)
    await living("pause", "--tool", "payments.refund", "x")
    assert (await living("show", proposal["id"], "--json")).json()["frozen"]["scope"] == "tool"


def test_nothing_pending_and_nothing_found(ready: Shell) -> None:
    """An empty list is no error; an unknown id is, and says where to look, printed harmlessly."""
    ended = ready("pending")
    assert (ended.code, ended.out, ended.err) == (0, "", "Nothing waits for people.\n")
    assert ready("pending", "--json").json() == []
    ended = ready("show", f"prop_{NASTY}")
    assert (ended.code, ended.out) == (1, "")
    assert "; `foureyes pending` lists those that wait" in ended.err
    assert all(char.isprintable() or char == "\n" for char in ended.err)
