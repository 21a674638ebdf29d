"""A change of the policy where the role policy_admin exists: a proposal like any other, decided by two of that role."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from approval_rules.decide import POLICY
from approval_rules.events import Approved, Claimed, SubmitRefused
from approval_rules.policy_events import PolicyActivated, PolicySeen
from approval_rules.versions import CHANGE_TOOL
from bot.agents import AgentError
from bot.desk.versions import NotNowError, take_up
from bot.policy_files import PolicyFault, PolicyFolderError
from bot.slack_standin.conversations import Message
from bot.slack_standin.workspace import AGENT_OPS, JONAS, MAYA, PRIYA, SAM
from bot.store.policies import PolicyStoreError
from tests.scenarios.test_policy_at_claim import BLOCKED, content
from tests.scenarios.test_policy_reload import STRICTER, reloaded
from tests.world import TOOL, World

ADMINS = {"users": [MAYA, JONAS, PRIYA]}
MANAGERS = {"users": [MAYA, JONAS], "usergroup": "support-managers"}


@pytest.fixture
async def governed(tmp_path: Path) -> AsyncIterator[World]:
    """A world whose active version has the role policy_admin: Maya, Jonas and Priya."""
    async with World(tmp_path) as world:
        world.write_roles(MANAGERS, policy_admin=ADMINS)
        await world.running.watch.look()
        yield world
        world.verify_log()


def changes(world: World) -> list[tuple[str, str]]:
    """Every proposal to change the policy, oldest first, with its state."""
    with world.db() as db:
        found = db.execute("SELECT id, state FROM proposals WHERE tool = ? ORDER BY id", (CHANGE_TOOL,)).fetchall()
    return [(ident, state) for ident, state in found]


async def asked(world: World, text: str = STRICTER) -> Message:
    """Change the folder and give the packet that asks people."""
    await reloaded(world, text)
    return await world.packet_of(changes(world)[-1][0])


async def approve(world: World) -> None:
    """Let Maya and Jonas approve the oldest change."""
    packet = await world.packet_of(changes(world)[0][0])
    for user in (MAYA, JONAS):
        await world.click(user, packet)


def whys(world: World) -> list[str]:
    """Why each version came into force."""
    return [event.why for event in world.ledger().events(PolicyActivated)]


async def policy_check(world: World) -> dict[str, Any]:
    """What readiness says about the policy."""
    ready = (await world.http.get("/readyz")).json()
    return next(check for check in ready["checks"] if check["name"] == "policy")


async def test_a_change_waits_for_two_policy_admins(governed: World) -> None:
    """The folder is only a wish: nothing changes before two people said yes, and then at once."""
    packet = await asked(governed)
    assert (await governed.propose(42))["state"] == "approved"
    check = await policy_check(governed)
    assert (check["ok"], check["detail"]) == (True, "in force; a change waits for two of policy_admin")
    assert "1 of 2" in await governed.click(MAYA, packet)
    assert (await governed.propose(42))["state"] == "approved"
    assert "The policy has changed" in await governed.click(JONAS, packet)
    await governed.running.watch.look()
    assert (await governed.propose(42))["state"] == "pending"
    assert whys(governed) == ["first", "changed", "approved"]
    assert governed.ledger().events(PolicyActivated)[-1].change == changes(governed)[0][0]
    assert (await policy_check(governed))["detail"] == "in force"


async def test_the_packet_shows_the_diff_and_what_it_would_have_changed(governed: World) -> None:
    """People read one plain sentence, every changed line, and how many past proposals would come out otherwise."""
    await governed.propose(42)
    await governed.propose(180)
    packet = await asked(governed)
    shown = json.dumps(packet.blocks, ensure_ascii=False)
    assert "Change the policy: 1 file" in shown
    for line in ('+    - if: "amount_usd > 0"', '-    - if: "amount_usd > 50"', "       require_approval:"):
        assert json.dumps(line)[1:-1] in shown
    assert "2 proposals of the last 30 days" in shown
    assert "1 (allowed → asked: 1)" in shown
    assert "never its author" in shown
    assert "the agent" not in shown.replace("judged again", "")


async def test_one_person_is_not_enough_however_often(governed: World) -> None:
    """The same person again, and people without the role, do not add up to two."""
    packet = await asked(governed)
    await governed.click(MAYA, packet)
    await governed.click(MAYA, packet, force=True)
    assert "not in a role" in await governed.click(SAM, packet)
    assert changes(governed)[0][1] == "pending"


async def test_a_change_cannot_take_the_role_away_first(governed: World) -> None:
    """The active version's roles decide who is asked: a change that removes the role needs two of it."""
    governed.write_roles(MANAGERS)
    await governed.running.watch.look()
    assert [state for _, state in changes(governed)] == ["pending"]
    assert whys(governed) == ["first", "changed"]
    await approve(governed)
    await governed.running.watch.look()
    await reloaded(governed, STRICTER)
    assert whys(governed) == ["first", "changed", "approved", "changed"]


async def test_a_denied_change_is_not_asked_again(governed: World) -> None:
    """No is an answer: neither the next look nor a restart asks again, and readiness says that the two differ."""
    packet = await asked(governed)
    assert "The policy stays as it is" in await governed.deny(MAYA, packet, "too strict")
    await governed.running.watch.look()
    await governed.restart()
    await governed.restart()
    assert [state for _, state in changes(governed)] == ["denied"]
    assert (await policy_check(governed))["detail"] == "in force; the folder holds another version"
    assert (await governed.propose(42))["state"] == "approved"


async def test_a_change_that_nobody_answers_expires(governed: World) -> None:
    """After a week the question is over, and the policy is as it was."""
    await asked(governed)
    await governed.move(days=7, seconds=1)
    await governed.running.watch.look()
    assert [state for _, state in changes(governed)] == ["expired"]
    assert whys(governed) == ["first", "changed"]


async def test_a_newer_change_withdraws_the_older(governed: World) -> None:
    """The folder changed twice: only the newest question is open, and votes for the older one are void."""
    older = await asked(governed)
    await governed.click(MAYA, older)
    newer = await asked(governed, BLOCKED)
    await governed.settled()
    assert [state for _, state in changes(governed)] == ["cancelled", "pending"]
    assert "decided already" in await governed.click(JONAS, older, force=True)
    assert "1 of 2" in await governed.click(JONAS, newer)


async def test_a_change_back_withdraws_the_question(governed: World) -> None:
    """The folder holds the active version again: there is nothing left to ask."""
    good = (governed.policy / f"{TOOL}.yml").read_text("utf-8")
    await asked(governed)
    await reloaded(governed, good)
    assert [state for _, state in changes(governed)] == ["cancelled"]
    assert (await policy_check(governed))["detail"] == "in force"


async def test_a_pause_of_everything_holds_the_policy_too(governed: World) -> None:
    """During a pause no change is asked for and no vote counts; after it both go on by themselves."""
    packet = await asked(governed)
    await governed.click(MAYA, packet)
    await governed.say(SAM, "pause all")
    assert "paused" in await governed.click(JONAS, packet, force=True)
    await reloaded(governed, BLOCKED)
    assert [state for _, state in changes(governed)] == ["pending"]
    check = await policy_check(governed)
    assert (check["ok"], "waits for its end" in check["detail"]) == (True, True)
    await governed.say(MAYA, "resume all")
    await governed.say(JONAS, "resume all")
    await governed.running.watch.look()
    assert [state for _, state in changes(governed)] == ["cancelled", "pending"]


async def test_no_agent_can_touch_the_policy(governed: World) -> None:
    """The tool is the server's own: no agent is given it, none can propose it, and a change is not theirs to claim."""
    with pytest.raises(AgentError, match="changed by people"):
        await governed.add_agent("evil", SAM, CHANGE_TOOL)
    answer = await governed.post_proposal(1, tool=CHANGE_TOOL, arguments={"to": "sha256:0", "from": "sha256:1"})
    assert (answer.status_code, answer.json()["code"]) == (403, "tool-not-allowed")
    await asked(governed)
    ident = changes(governed)[0][0]
    claim = await governed.http.post(f"/v1/proposals/{ident}/claim", json={"digest": "sha256:" + "0" * 64})
    assert {claim.status_code, (await governed.http.post(f"/v1/proposals/{ident}/cancel")).status_code} == {404}
    assert governed.ledger().events(SubmitRefused)


async def test_an_agent_from_before_that_has_the_tool_is_refused(governed: World) -> None:
    """A row that says otherwise gives no way in: the rule itself knows whose tool it is."""
    agent = governed.agent.agent

    async def row_says(tool: str) -> None:
        sql = "UPDATE agents SET tools = json_array(?) WHERE id = ?"
        await governed.running.wiring.writer.run(lambda tx: tx.write(sql, (tool, agent.id)))

    await row_says(CHANGE_TOOL)
    answer = await governed.post_proposal(1, tool=CHANGE_TOOL)
    await row_says(*agent.tools)  # the log would tell of it
    assert (answer.status_code, answer.json()["code"]) == (403, "tool-not-allowed")


async def test_a_change_that_no_packet_can_show_is_refused(governed: World) -> None:
    """What cannot be read whole cannot be approved: the alarm says to take smaller steps, and nobody is asked."""
    many = "".join(f'    - block: "reason {number} {"x" * 60}"\n' for number in range(150))
    await reloaded(governed, STRICTER + many)
    assert not (await policy_check(governed))["ok"]
    assert "smaller steps" in str(governed.running.watch.fault)
    assert changes(governed) == []
    await asked(governed)


async def test_hostile_text_in_a_policy_is_shown_as_text(governed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A policy file cannot ping a channel, hide a line, or fake the end of the diff, had it come past the check."""
    monkeypatch.setattr("bot.marked_yaml.hidden_in", lambda _: None)
    evil = STRICTER + "    # <!channel> \u202e\u200b @here\n" + "\n" * 40 + "    # far below\n"
    packet = await asked(governed, evil)
    shown = json.dumps(packet.blocks, ensure_ascii=False)
    assert "\u202e" not in shown
    assert r"\\u{202E}" in shown
    assert "far below" in shown
    assert not [block for block in packet.blocks if "mrkdwn" in json.dumps(block) and "channel" in json.dumps(block)]


async def test_raced_votes_activate_once(governed: World) -> None:
    """Three people press at the same moment: one activation."""
    packet = await asked(governed)
    await asyncio.gather(*(governed.click(user, packet, force=True) for user in (MAYA, JONAS, PRIYA)))
    ledger = governed.ledger()
    assert whys(governed) == ["first", "changed", "approved"]
    assert len(ledger.events(Approved)) == len(ledger.events(Claimed)) == 1


async def test_a_restart_neither_asks_again_nor_activates(governed: World) -> None:
    """Two starts in a row with a change that waits: one question, open still, and its buttons work."""
    packet = await asked(governed)
    await governed.click(MAYA, packet)
    await governed.restart()
    await governed.restart()
    assert [state for _, state in changes(governed)] == ["pending"]
    assert len(governed.ledger().events(PolicySeen)) == 3
    await governed.click(JONAS, packet, force=True)
    assert whys(governed) == ["first", "changed", "approved"]


async def test_a_change_is_done_once_and_never_lapses(governed: World) -> None:
    """An approved change is carried out in the same moment: no permission is left to lapse an hour later."""
    packet = await asked(governed)
    await approve(governed)
    await governed.move(hours=2)
    assert [state for _, state in changes(governed)] == ["approved"]
    await governed.settled()
    after = governed.slack.world.conversations.find(packet.channel, packet.ts)
    assert after is not None
    assert "In force since" in json.dumps(after.blocks, ensure_ascii=False)


async def test_everybody_is_told(governed: World) -> None:
    """Every activation is announced: loudly where one person was enough, with the change where two were."""
    await asked(governed)
    await approve(governed)
    await governed.settled()
    told = [message.text for message in governed.slack.messages(AGENT_OPS)]
    assert "Policy changed without a second person" in told[0]
    assert "Add the role policy\\_admin" in told[0] or "Add the role policy_admin" in told[0]
    assert f"Two people approved it: {changes(governed)[0][0]}" in told[1]


async def test_a_broken_folder_keeps_no_governed_server_down(governed: World) -> None:
    """With policy_admin the folder is only a wish: the server starts on the active version, with the alarm raised."""
    await governed.stop()
    (governed.policy / f"{TOOL}.yml").write_text("policy: [", "utf-8")
    await governed.start()
    assert not (await policy_check(governed))["ok"]
    assert (await governed.propose(42))["state"] == "approved"


async def test_a_kill_between_vote_and_activation_leaves_both_or_neither(tmp_path: Path) -> None:
    """The last vote and what follows from it are one commit: a crash right before it undoes both."""
    crashing: list[bool] = []

    def crash(point: str) -> None:
        if crashing and point == "before-commit":
            raise OSError(5, "the machine died")

    async with World(tmp_path, crash_point=crash) as world:
        world.write_roles(MANAGERS, policy_admin=ADMINS)
        await world.running.watch.look()
        packet = await asked(world)
        await world.click(MAYA, packet)
        await world.settled()
        crashing.append(True)
        await world.slack.click(JONAS, packet.channel, packet.ts, "approve", force=True)
        await world.stop()
        crashing.clear()
        await world.start()
        assert (whys(world), changes(world)[0][1]) == (["first", "changed"], "pending")
        await world.click(JONAS, packet, force=True)
        await world.stop()
        await world.start()
        assert (whys(world), changes(world)[0][1]) == (["first", "changed", "approved"], "approved")
        assert (await world.propose(42))["state"] == "pending"
        world.verify_log()


async def test_the_same_change_from_two_sides_is_asked_once(governed: World) -> None:
    """A command asks about a content, and then the folder shows it too: one question, and its votes stay."""
    packet = await asked(governed)
    await governed.click(MAYA, packet)
    good = (governed.policy / f"{TOOL}.yml").read_text("utf-8")
    await governed.running.wiring.writer.run(
        lambda tx: tx.record(PolicySeen(tx.at, POLICY, str(tx.versions.active)))  # as if the folder had shown less
    )
    await reloaded(governed, good)
    assert [state for _, state in changes(governed)] == ["pending"]
    assert "has changed" in await governed.click(JONAS, packet, force=True)


async def test_a_change_from_a_version_that_is_over_is_not_asked(governed: World) -> None:
    """A diff against another version than the active one is never shown: nothing is written, and it is made anew."""
    new = content(governed, STRICTER)
    with pytest.raises(NotNowError, match="another version became active"):
        await governed.running.wiring.writer.run(lambda tx: take_up(tx, new))
    assert changes(governed) == []
    await asked(governed)


async def test_a_version_that_this_program_cannot_read(governed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """After an upgrade that finds faults in the active version, the start is refused and says how to go on."""

    def faulty(*_: object) -> None:
        raise PolicyFolderError([PolicyFault("pay.yml", 1, 1, "is a fault by now")])

    await governed.stop()
    with monkeypatch.context() as upgraded:
        upgraded.setattr("bot.desk.current_policy.load_content", faulty)
        with pytest.raises(PolicyStoreError, match=r"(?s)cannot read.*is a fault by now.*policy rollback VERSION"):
            await governed.start()
    await governed.start()
