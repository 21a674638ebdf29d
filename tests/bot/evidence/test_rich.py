"""One decision to which everything happens: replayed whole, and again when what it was made of has been erased."""

from collections.abc import Sequence
from pathlib import Path

from bot.evidence.replaying import Replay, document_of, replay_of
from bot.slack_standin.workspace import JONAS, MAYA, PRIYA, SAM
from tests.bot.evidence.packed import decision_of, pack, page_of, place_of
from tests.bot.evidence.test_pack_kinds import faults
from tests.scenarios.test_amending import answer, lower, question
from tests.world import TOOL, Proposal, World

RULES = f"""policy:
  tool: {TOOL}
  editable: [amount_usd]
  rules:
    - if: "amount_usd > 50"
      require_approval: {{roles: [support_manager], approvals: 2, expires_in: 8h, backup: operator}}
"""
RUN = {"model": "gpt-9", "prompt_version": "p7", "workflow_version": "w3", "tool_calls": 3}
NOTHING = ("(empty)", "(no arguments)", "canonical form: {}")


async def everything(world: World) -> Proposal:
    """Ask, answer, pause, resume, lower, remind, decide for somebody who is away, be refused, claim and report."""
    (world.policy / f"{TOOL}.yml").write_text(RULES, encoding="utf-8")
    world.write_roles({"users": [MAYA, JONAS, PRIYA]}, operator={"users": [SAM]})
    await world.running.watch.look()
    assert world.running.watch.fault is None
    await world.say(MAYA, f"away for 3 days delegate <@{JONAS}|jonas>")
    proposal = await world.propose(180, run=RUN, summary="SAID-BY-THE-AGENT")
    packet = await world.packet_of(proposal)
    await world.fill(PRIYA, packet, "ask", question("Did they call?", stop=True))
    asked = (await world.read(proposal))["questions"][-1]["id"]
    assert (await answer(world, proposal, asked, "Yes, twice.")).status_code == 200
    await world.settled()
    await world.say(PRIYA, f"pause tool {TOOL} the feed is odd")
    await world.settled()
    await world.move(minutes=5)
    await world.say(SAM, f"resume tool {TOOL} it was not")
    await world.settled()
    await world.fill(PRIYA, packet, "lower", lower("120"))
    await world.settled()
    await world.move(hours=4, minutes=5)
    await world.settled()
    for who in (JONAS, PRIYA, MAYA):
        await world.click(who, packet, force=True)
        await world.settled()
    proposal = await world.read(proposal)
    assert (await world.claim(proposal)).status_code == 200
    await world.report(proposal)
    await world.settled()
    return proposal


def replayed(world: World, proposal: Proposal) -> Replay:
    """Replay it as the command does."""
    return replay_of(decision_of(world, proposal["id"]), place_of(world), ())


def story(found: Replay) -> list[str]:
    """Give what happened."""
    return [step.moment.what for step in found.steps]


def lines(found: Replay) -> list[str]:
    """Give everything that was known and shown."""
    document = document_of(found)
    shown = [line for step in document["moments"] for line in step.get("shown", {"lines": ()})["lines"]]
    return [*shown, *(line for step in document["moments"] for line in step.get("known", ()))]


def require_in_order(said: Sequence[str], *parts: str) -> None:
    """Assert that each part stands in a line after that of the part before."""
    rest = iter(said)
    for part in parts:
        assert any(part in line for line in rest), (part, said)


async def aged(world: World, days: int) -> None:
    """Let so many days pass, and let go what is over."""
    await world.move(days=days)
    await world.running.retention.look()
    await world.settled()


async def test_everything_is_told_in_its_order_and_as_it_was(world: World) -> None:
    """Pause, question and answer, the lowered value, the delegate, the escalation: each told, each packet as posted."""
    found = replayed(world, await everything(world))
    require_in_order(
        story(found),
        "asked for: Refund $180.00",
        "asked the agent refund-bot (the clock stands until",
        "answered: Yes, twice.",
        "paused the tool payments.refund: the feed is odd",
        "resumed the tool payments.refund: it was not",
        "a pause ended, and the open clock moved to",
        "lowered amount_usd (amount_usd: $120.00)",
        "people were reminded; from now on the role operator is asked too",
        "approved for Maya Chen (U0MAYACHEN1) (away) as support_manager",
        "an approval did not count: whoever lowered a value does not decide (editor)",
        "approved: the requirement is met",
        "the one permission was given out",
        "the agent reported: succeeded",
    )
    assert {step.shown.how for step in found.steps if step.shown} == {"as posted"}
    assert [each.answer for each in found.judged] == ["same", "same"]
    assert [list(step.erased) for step in found.steps if step.erased] == []
    assert found.holds
    assert found.run == {name: RUN[name] for name in ("model", "prompt_version", "workflow_version")}


async def test_what_was_erased_is_told_as_a_gap(world: World, tmp_path: Path) -> None:
    """First what is personal, then the record: nothing is shown as if it had been empty, nothing called broken."""
    proposal = await everything(world)
    await aged(world, 35)
    found = replayed(world, proposal)
    assert found.holds
    assert {step.shown.how for step in found.steps if step.shown} == {"in part"}
    assert {(each.answer, each.why.partition("(")[2].partition(")")[0]) for each in found.judged} == {
        ("not told", "context")
    }
    assert any("asked the agent refund-bot" in what and "(erased)" in what for what in story(found))
    assert any("amount_usd: $180.00" in line for line in lines(found)), "the record is kept longer"
    first = found.steps[0]
    assert {"context", "summary"} <= set(first.erased)
    assert "arguments" not in first.erased
    assert not [line for line in (*lines(found), *story(found)) if any(nothing in line for nothing in NOTHING)]
    await aged(world, 365)
    found = replayed(world, proposal)
    assert (found.holds, found.headline) == (True, "what was asked for has been erased")
    assert {step.shown.how for step in found.steps if step.shown} == {"erased"}
    assert {each.answer for each in found.judged} == {"not told"}
    assert {"arguments", "digest", "run"} <= set(found.steps[0].erased)
    assert not [line for line in (*lines(found), *story(found)) if any(nothing in line for nothing in NOTHING)]
    made = pack(world, proposal)
    assert faults(made, world, tmp_path / "pack") == []
    assert "What was shown has been erased." in page_of(made)
    assert not [nothing for nothing in NOTHING if nothing in page_of(made)]
