"""`policy explain` of a recorded proposal: with the facts, the moment and the counters of then, and nothing hidden."""

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import Any

from bot.desk.explained import explained
from bot.desk.explaining import explanation_of
from bot.desk.wiring import seen_from
from bot.slack_standin.conversations import Message
from bot.slack_standin.workspace import JONAS, MAYA
from handlers.desk import Seen
from tests.bot.cli.living import Living
from tests.bot.cli.shell import Shell
from tests.bot.cli.test_policy_replay import NASTY, erase
from tests.handlers.slack.reading import text_of
from tests.world import TOOL, World

COUNTS = """\
policy:
  tool: payments.refund
  rules:
    - if: "sum(amount_usd, 24h) + amount_usd <= 100 and customer_tier == 'pro' and now.hour >= 0"
      allow: true
    - require_approval: support_manager
    - log:
        redact_fields: [iban]
"""


async def put(world: World, rules: str) -> None:
    """Put a policy for refunds in force."""
    (world.policy / f"{TOOL}.yml").write_text(rules, "utf-8")
    await world.running.watch.look()


def lose_versions(world: World) -> None:
    """Take the versions out of the database, as only somebody who drops its guards can."""
    with closing(sqlite3.connect(world.database)) as db:
        db.executescript("DROP TRIGGER policy_content_never_goes; DELETE FROM policy_content;")


async def refund(world: World, amount: object, **arguments: object) -> dict[str, Any]:
    """Propose a refund for a customer of the tier pro."""
    sent = {"amount_usd": amount, "order_id": "O-1", **arguments}
    return dict(await world.propose(arguments=sent, context={"facts": {"customer_tier": "pro"}}))


async def test_a_recorded_proposal_is_explained_as_it_was(living: Living) -> None:
    """The counters are those that the decision saw, also when what they counted has gone since."""
    world = living.world
    await put(world, COUNTS)
    first = await refund(world, 70)
    second = await refund(world, 40)
    assert (first["state"], second["state"]) == ("approved", "pending")
    await world.http.post(f"/v1/proposals/{second['id']}/cancel")
    erase(world, first)
    ended = await living("policy", "explain", second["id"])
    assert ended.code == 0
    because = second["policy"]["because"]
    assert ended.out.splitlines()[1:] == [
        f"decided then: asked: {because}",
        "Rule 1  not matched: sum(amount_usd, 24h) + amount_usd <= 100 and customer_tier == 'pro' and now.hour >= 0",
        f'    saw      sum(amount_usd, 24h) 70, amount_usd 40, customer_tier "pro", now.hour {world.clock().hour}',
        "    failed   sum(amount_usd, 24h) + amount_usd <= 100",
        "    held     customer_tier == 'pro'",
        "    held     now.hour >= 0",
        "Rule 2  matched: always",
        "    so       two people in the role support_manager must approve",
        f"=> asked: {because}",
        "Rule 1 would have allowed it if sum(amount_usd, 24h) were at most 60; it is 70.",
    ]
    found = (await living("policy", "explain", second["id"], "--json")).json()
    assert found["rules"][0]["saw"] == {
        "sum(amount_usd, 24h)": 70,
        "amount_usd": 40,
        "customer_tier": "pro",
        "now.hour": world.clock().hour,
    }
    assert (found["same_version"], found["recorded"]["because"]) == (True, because)
    assert found["nearest"] == {
        "rule": 1,
        "sentence": "Rule 1 would have allowed it if sum(amount_usd, 24h) were at most 60; it is 70.",
    }


async def test_another_version_says_so(living: Living) -> None:
    """Where the policy here is not the one of then, that is said, and what only it counts is counted from the log."""
    world = living.world
    await put(world, COUNTS)
    first = await refund(world, 30)
    then = await refund(world, 40)
    assert first["state"] == then["state"] == "approved"
    await refund(world, 5)
    await put(world, COUNTS.replace("sum(amount_usd, 24h) + amount_usd <= 100", "count(30m) < 1"))
    assert "=> allowed: rule 1" in (await living("policy", "explain", then["id"])).out
    here = ("--policy", str(world.policy))
    ended = await living("policy", "explain", then["id"], *here)
    assert f"That was version {then['policy']['version']}. The policy here is sha256:" in ended.out
    assert "    saw      count(30m) 1, " in ended.out
    assert "=> asked: rule 2" in ended.out
    found = (await living("policy", "explain", then["id"], *here, "--json")).json()
    assert (found["same_version"], found["would_be"], found["recorded"]["would_be"]) == (False, "asked", "allowed")


async def test_what_a_person_lowered_counts_as_lowered(living: Living) -> None:
    """Worked out from the log it is what the server counts: the new amount from the edit on, and none once denied."""
    world = living.world
    await put(world, f"{COUNTS}  editable: [amount_usd]\n")
    first = await refund(world, 500)
    early = await refund(world, 1)
    packet = await world.packet_of(first)
    await world.fill(MAYA, packet, "lower", {"lower.0": {"amount_usd": "120.50"}})
    late = await refund(world, 2)
    await put(world, "policy: {tool: payments.refund, rules: [{require_approval: support_manager}]}\n")
    silent = await refund(world, 3)
    await world.fill(JONAS, packet, "deny", {"reason": {"reason": "no"}, "category": {"category": "not-needed"}})
    denied = await refund(world, 4)
    counting = world.folder / "counting"
    shutil.copytree(world.policy, counting)
    (counting / f"{TOOL}.yml").write_text(COUNTS.replace("24h", "23h"), "utf-8")
    for proposal, total in ((early, 500), (late, "121.5"), (silent, "123.5"), (denied, 6)):
        found = (await living("policy", "explain", proposal["id"], "--policy", str(counting), "--json")).json()
        assert found["rules"][0]["saw"]["sum(amount_usd, 23h)"] == total
    recorded = (await living("policy", "explain", late["id"], "--json")).json()
    assert recorded["rules"][0]["saw"]["sum(amount_usd, 24h)"] == "121.5"


async def test_the_same_version_may_read_another_key(living: Living) -> None:
    """Where the dial cannot be turned as it was, that is said and not papered over."""
    world = living.world
    await put(world, COUNTS.replace("allow: true", "allow: {share: 100 %, else: support_manager}"))
    made = await refund(world, 30)
    assert made["state"] == "approved"
    living.shell.set(FOUREYES_SIGNING_KEY_FILE=world.folder / "none")
    shutil.copy(world.settings.data_keys_file, world.folder / "none.data-keys")
    ended = await living("policy", "explain", made["id"])
    assert "The same version says something else here" in ended.out
    assert "=> asked: rule 1" in ended.out


async def test_what_is_hidden_or_hostile_is_not_shown_raw(living: Living) -> None:
    """Fields that either policy hides are masked in words and in JSON; control characters are written out."""
    world = living.world
    rule = COUNTS.replace("customer_tier == 'pro'", "iban == 'x' and note == 'y' and bank == 'z'")
    await put(world, rule)
    made = await refund(world, 30, iban="DE4711", note=NASTY, bank="B-99")
    await put(world, rule.replace("[iban]", "[bank]"))
    for arguments in ((), ("--json",)):
        ended = await living("policy", "explain", made["id"], "--policy", str(world.policy), *arguments)
        assert ended.code == 0
        assert "DE4711" not in ended.out
        assert "B-99" not in ended.out
        assert "hidden by policy" in ended.out
        assert all(char.isprintable() or char == "\n" for char in ended.out)


async def test_what_cannot_be_explained_is_named(living: Living) -> None:
    """An unknown id, an erased proposal and a tool without a policy: each says what there is to say."""
    ended = await living("policy", "explain", "prop_unknown")
    assert (ended.code, "the log has no proposal prop_unknown" in ended.err) == (2, True)
    made = await living.world.propose(180)
    (living.world.policy / f"{TOOL}.yml").rename(living.world.policy / "other.tool.yml")
    text = (living.world.policy / "other.tool.yml").read_text("utf-8")
    (living.world.policy / "other.tool.yml").write_text(text.replace(TOOL, "other.tool"), "utf-8")
    ended = await living("policy", "explain", made["id"], "--policy", str(living.world.policy))
    assert "=> blocked: there is no policy for payments.refund" in ended.out
    lose_versions(living.world)
    # Without the version of then the folder in force is asked, and that is said.
    assert "That was version sha256:" in (await living("policy", "explain", made["id"])).out
    erase(living.world, made)
    ended = await living("policy", "explain", made["id"])
    assert ended.code == 2
    assert "what was asked for has been erased" in ended.err


async def test_a_packet_says_what_was_missing(living: Living) -> None:
    """In Slack: one line in the packet, each rule in Details; neither where the policy of then cannot be had."""
    world = living.world
    await put(world, COUNTS)
    await refund(world, 70)
    made = await refund(world, 40)
    packet = await world.packet_of(made)
    assert "Would run by itself if sum(amount_usd, 24h) were at most 60." in str(packet.blocks)
    assert "at most 60; it is 70." in await details(world, packet)
    assert 'saw sum(amount_usd, 24h) 70, amount_usd 40, customer_tier "pro"' in await details(world, packet)
    await put(world, COUNTS.replace("100", "90"))
    assert "at most 60; it is 70." in await details(world, packet)  # the version that decided has been kept
    lose_versions(world)
    assert "Why: each rule" not in await details(world, packet)


async def test_a_tool_in_shadow_gives_no_hint(living: Living) -> None:
    """People who are compared with a policy are not told what it says: not in the packet, not in Details."""
    world = living.world
    await put(world, COUNTS.replace("  rules:", "  mode: shadow\n  rules:"))
    packet = await world.packet_of(await refund(world, 170))
    assert "in shadow" in str(packet.blocks)
    told = str(packet.blocks) + await details(world, packet)
    assert "Would run" not in told
    assert "Why: each rule" not in told


async def test_what_is_not_what_was_decided_is_not_shown(living: Living) -> None:
    """An erased proposal, or a dial with another key, would be explained by something that never was."""
    world = living.world
    await put(world, COUNTS.replace("allow: true", "allow: {share: 100 %, else: support_manager}"))
    made = await refund(world, 40)
    wiring = world.running.wiring
    shown = await seen_by(world, made)
    assert (await explained(wiring, shown)).explained is not None
    assert explanation_of(replace(wiring.policy.folder, dial_key=b""), shown.proposal) is None
    erase(world, made)
    assert (await explained(wiring, await seen_by(world, made))).explained is None


async def seen_by(world: World, made: dict[str, Any]) -> Seen:
    """Read a proposal as a packet is made of it."""
    snapshot = world.running.wiring.reads.glance()
    loaded = await snapshot.proposal(made["id"])
    assert loaded is not None
    return await seen_from(snapshot, loaded)


async def details(world: World, packet: Message) -> str:
    """Press Details and read what it says."""
    assert (await world.slack.click(MAYA, packet.channel, packet.ts, "details")).ok
    view = world.slack.modals(MAYA)[-1].view
    world.slack.world.views.stack(MAYA).clear()
    return text_of(view["blocks"])


def test_a_body_with_a_broken_name_is_explained(shell: Shell) -> None:
    """An id that is none, a file or JSON text: what is missing is named."""
    ended = shell("policy", "explain", "prop_")
    assert ended.code == 2
    assert "give an id, a file, or JSON text" in ended.err
