"""`foureyes audit replay`: what was known, shown, decided and done, and the policy of then asked again."""

from collections.abc import AsyncIterator

import pytest

from bot.slack_standin.workspace import JONAS, MAYA, PRIYA, SAM
from tests.bot.cli.living import Living
from tests.bot.cli.test_cli_prove import hurt
from tests.bot.delivery.receiver import Receiver
from tests.world import EXAMPLES, TOOL

LOWERED = (
    'UPDATE detached SET key = NULL, box = NULL, salt = \'x\', value = \'{"amount_usd":20,"order_id":"O"}\''
    " WHERE name = 'arguments'"
)
RUN = {"model": "gpt-9\u202e", "prompt_version": "p7", "workflow_version": "w3", "tool_calls": 3}


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """Where the agent is told."""
    async with Receiver() as made:
        yield made


async def test_everything_minute_by_minute(living: Living, receiver: Receiver) -> None:
    """Known, shown, decided, done, in that order and with versions; the policy comes to the same; exit 0."""
    world = living.world
    proposal = await world.propose(180, run=RUN, callback_url=receiver.url())
    packet = await world.packet_of(proposal)
    await world.click(SAM, packet)
    await world.click(MAYA, packet)
    await world.move(minutes=2)
    await world.say(PRIYA, "pause tool payments.refund the feed is odd")
    await world.settled()
    await world.move(minutes=3)
    await world.say(PRIYA, "resume tool payments.refund it was not")
    await world.settled()
    await world.click(JONAS, packet)
    await world.claim(proposal)
    await world.report(proposal)
    await world.settled()
    ended = await living("audit", "replay", proposal["id"])
    assert ended.code == 0, ended.out + ended.err
    in_order = [
        f"{proposal['id']}: Refund $180.00 to customer C-1, order ORD-1\n",
        f"  policy: {proposal['policy']['version']}\n",
        "  payments.refund.yml: sha256:",
        "  model, says the agent: gpt-9\\u{202E}\n",
        "  prompt_version, says the agent: p7\n",
        "  workflow_version, says the agent: w3\n",
        "known    the agent refund-bot: asked for: Refund $180.00",
        "    |   - Rule 3 matched: ",
        "    |   - customer_tier: standard\n",
        "shown    Foureyes (outbox): the packet in Slack",
        "    as posted: the digest is the one that was recorded\n",
        "    | ⏳ Waiting: 0 of 2 people have approved.\n",
        "decided  Sam Okafor (U0SAMOKAFO1): an approval did not count: the agent's owner does not decide",
        "decided  Maya Chen (U0MAYACHEN1): approved as support_manager, no second factor",
        "    | ⏳ Waiting: 1 of 2 people have approved.\n",
        "decided  Priya",
        "paused the tool payments.refund: the feed is odd",
        "    | ⏸ Frozen: ",
        "resumed the tool payments.refund: it was not",
        "the open clock moved to",
        "decided  Jonas Weber (U0JONASWEB1): approved",
        "decided  Foureyes (quorum): approved: the requirement is met",
        "    the agent's callback, says the outbox, which is no log: delivered at ",
        "done     the agent refund-bot: the one permission was given out",
        "done     the agent refund-bot: the agent reported: succeeded",
        "    | ✅ Done: the agent reported success",
        "The policy, asked again with what was recorded:\n",
        ": the same: rule 3 of payments.refund",
        "The whole log was verified before, and is whole.\n",
    ]
    place = 0
    for said in in_order:
        assert said in ended.out[place:], said
        place = ended.out.index(said, place) + len(said)
    minutes = [line for line in ended.out.splitlines() if line.endswith(" UTC") and line[:2] == "20"]
    assert len(minutes) >= 3
    assert minutes == sorted(set(minutes))
    assert "NOT exactly as posted" not in ended.out


async def test_the_same_for_programs(living: Living) -> None:
    """The document has every moment, with what was known and shown at it."""
    proposal = await living.world.propose(30)
    found = (await living("audit", "replay", proposal["id"], "--json")).json()
    assert (found["proposal"], found["state"], found["holds"], found["broken"]) == (
        proposal["id"],
        "approved",
        True,
        [],
    )
    kinds = [moment["kind"] for moment in found["moments"]]
    assert kinds == ["known", "decided"]
    assert "Arguments" in found["moments"][0]["known"]
    assert "shown" not in found["moments"][0]
    (judged,) = found["judged_again"]
    assert (judged["answer"], judged["then"]) == ("same", judged["now"])


async def test_what_was_erased_is_told_once_and_with_what_stands(living: Living) -> None:
    """The gap is named where it was recorded, with no packet made of nothing; what the policy came to is told."""
    world = living.world
    proposal = await world.propose(180, summary="MARKER")
    await world.deny(MAYA, await world.packet_of(proposal), "MARKER too")
    await world.settled()
    await world.move(days=366)
    await world.running.retention.look()
    ended = await living("audit", "replay", proposal["id"])
    assert (ended.code, "MARKER" in ended.out) == (0, False)
    assert "asked for: (erased). The policy asked people: rule 3 of payments.refund" in ended.out
    assert "    it has been erased\n    erased since: " in ended.out
    assert "What was shown has been erased" not in ended.out
    assert "denied as support_manager, no second factor, something else: (erased)" in ended.out
    assert "stands in the entry, which is as provable as before: rule 3 of payments.refund" in ended.out


async def test_another_policy_is_not_asked(living: Living) -> None:
    """A policy that is stricter today changes nothing about what an old one comes to: that version is asked."""
    world = living.world
    proposal = await world.propose(180)
    text = (EXAMPLES / f"{TOOL}.yml").read_text(encoding="utf-8").replace("amount_usd > 50", "amount_usd > 500")
    (world.policy / f"{TOOL}.yml").write_text(text, encoding="utf-8")
    await world.running.watch.look()
    assert (await world.propose(180))["policy"]["version"] != proposal["policy"]["version"]
    ended = await living("audit", "replay", proposal["id"])
    assert (ended.code, ": the same: rule 3 of" in ended.out) == (0, True)


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ("UPDATE entries SET at = '2020' WHERE seq = 0", "BROKEN entry 0: "),
        (LOWERED, "SOMETHING ELSE"),
        ("DELETE FROM policy_content", "is missing"),
    ],
)
async def test_a_broken_log_is_replayed_and_called_broken(living: Living, damage: str, told: str) -> None:
    """Whoever changed the arguments did not change what the policy made of them: it shows, and the exit code is 7."""
    proposal = await living.world.propose(180)
    await living.world.settled()
    hurt(living.world.database, damage)
    ended = await living("audit", "replay", proposal["id"])
    assert ended.code == 7
    assert told in ended.out
    assert "is whole" not in ended.out


@pytest.mark.parametrize(
    ("state", "told"),
    [("dead", "a dead letter after 3 tries"), ("queued", "not delivered yet, 3 tries")],
)
async def test_a_callback_that_did_not_arrive(living: Living, receiver: Receiver, state: str, told: str) -> None:
    """It is told as the outbox has it."""
    proposal = await living.world.propose(30, callback_url=receiver.url())
    await living.world.settled()
    await living.world.stop()
    hurt(living.world.database, f"UPDATE outbox SET state = '{state}', attempts = 3 WHERE kind = 'callback'")  # noqa: S608 - a constant
    ended = await living("audit", "replay", proposal["id"])
    assert (ended.code, f"is no log: {told}\n" in ended.out) == (0, True), ended.out
    found = (await living("audit", "replay", proposal["id"], "--json")).json()
    (callback,) = [moment["callback"] for moment in found["moments"] if "callback" in moment]
    assert (callback["state"], callback["attempts"]) == (state, 3)


async def test_an_id_that_nobody_has_has_no_story(living: Living) -> None:
    """It says so."""
    ended = await living("audit", "replay", "prop_none")
    assert (ended.code, ended.err) == (1, "The log has no proposal prop_none that can be read.\n")


async def test_a_counter_of_then_is_what_the_rules_are_told_again(living: Living) -> None:
    """The fourth of a day asked people because of the three before; asked again it still does."""
    world = living.world
    policy = (
        f"policy:\n  tool: {TOOL}\n  rules:\n    - {{if: count(24h) < 3, allow: true}}\n"
        "    - {require_approval: support_manager}\n"
    )
    (world.policy / f"{TOOL}.yml").write_text(policy, encoding="utf-8")
    await world.running.watch.look()
    made = [await world.propose(30) for _ in range(4)]
    assert [each["state"] for each in made] == ["approved"] * 3 + ["pending"]
    for each in (made[0], made[3]):
        ended = await living("audit", "replay", each["id"])
        assert (ended.code, ": the same: rule " in ended.out) == (0, True), ended.out
    assert "count(24h) 3" in (await living("audit", "replay", made[3]["id"])).out
