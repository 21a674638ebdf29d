"""`policy versions | activate | rollback` beside a running server: what decides, and who changed it."""

from pathlib import Path

from approval_rules.policy_events import PolicyActivated
from bot.slack_standin.workspace import AGENT_OPS, JONAS, MAYA, PRIYA, REFUND_APPROVALS
from tests.bot.cli.living import Living
from tests.bot.cli.shell import Shell
from tests.scenarios.test_policy_at_claim import BLOCKED, content
from tests.scenarios.test_policy_changes import ADMINS, MANAGERS, changes
from tests.scenarios.test_policy_reload import STRICTER, reloaded
from tests.world import World


def another(world: World, text: str) -> Path:
    """A folder beside the watched one, with another policy file."""
    content(world, text)
    return world.folder / "other"


async def states(living: Living) -> list[tuple[str, str | None]]:
    """Each version's state and why, newest first."""
    return [(row["state"], row["why"]) for row in (await living("policy", "versions", "--json")).json()]


async def test_rollback_while_the_server_runs(living: Living) -> None:
    """One command, one person: claims meet the old version at once, the next look judges by it, and Slack is told."""
    world = living.world
    await reloaded(world, BLOCKED)
    await reloaded(world, STRICTER)
    proposal = await world.propose(180)
    await world.approve(proposal)
    done = await living("policy", "rollback")
    assert (done.code, "Rolled back" in done.out) == (0, True)
    claim = await world.claim(proposal)
    assert (claim.status_code, claim.json()["code"]) == (409, "policy-changed")
    await world.running.watch.look()
    assert (await world.propose(42))["state"] == "blocked"
    await world.settled()
    assert "rolled the policy back on the server" in world.slack.messages(AGENT_OPS)[-1].text
    assert await states(living) == [("earlier", "changed"), ("active", "rolled-back"), ("earlier", "first")]
    again = await living("policy", "rollback")
    assert again.code == 0
    await world.running.watch.look()
    assert (await world.propose(42))["state"] == "approved"
    assert "no version was active before" in (await living("policy", "rollback")).err


async def test_a_rolled_back_folder_does_not_come_back_by_itself(living: Living) -> None:
    """Neither a look nor a restart takes the folder's version up again, only another change of it; both say so."""
    world = living.world
    await reloaded(world, BLOCKED)
    await living("policy", "rollback")
    await world.running.watch.look()
    await world.restart()
    await world.restart()
    assert (await world.propose(42))["state"] == "approved"
    ready = (await world.http.get("/readyz")).json()
    assert "the folder holds another version" in str(ready["checks"])
    assert "The policy folder held another version" in (await living("status")).out
    await reloaded(world, STRICTER)
    assert (await world.propose(42))["state"] == "pending"


async def test_rollback_works_with_the_server_down(living: Living) -> None:
    """At three in the morning with nothing up: the command works, and the server starts on what it chose."""
    world = living.world
    await reloaded(world, BLOCKED)
    await world.stop()
    assert (await living("policy", "rollback")).code == 0
    await world.start()
    assert (await world.propose(42))["state"] == "approved"
    await world.settled()  # the stop may have cut off the announcement of the change itself, which then comes last
    assert any("rolled the policy back" in message.text for message in world.slack.messages(AGENT_OPS))
    world.verify_log()


async def test_only_a_version_that_was_active_can_be_rolled_back_to(living: Living) -> None:
    """A version that people denied, an unknown one, and the active one are refused, and nothing changes."""
    world = living.world
    world.write_roles(MANAGERS, policy_admin=ADMINS)
    await world.running.watch.look()
    await reloaded(world, BLOCKED)
    packet = await world.packet_of(changes(world)[0][0])
    await world.deny(MAYA, packet, "no")
    denied, active, _ = (await living("policy", "versions", "--json")).json()
    assert (denied["state"], denied["why"], denied["by"]) == ("refused", "denied", "Maya Chen")
    for version, why in (
        (denied["version"], "was never active"),
        (active["version"], "is active already"),
        ("zzzz", "no version begins"),
        ("", "more than one version begins"),
    ):
        ended = await living("policy", "rollback", version)
        assert (ended.code, why in ended.err) == (1, True), ended
    assert len(world.ledger().events(PolicyActivated)) == 2


async def test_a_rollback_withdraws_the_change_that_waits(living: Living) -> None:
    """The question was about a change of another version: it is over, and its buttons are dead."""
    world = living.world
    world.write_roles(MANAGERS, policy_admin=ADMINS)
    await world.running.watch.look()
    await reloaded(world, BLOCKED)
    await world.say(MAYA, "pause all")
    assert (await living("policy", "rollback")).code == 0
    assert [state for _, state in changes(world)] == ["cancelled"]


async def test_activate_names_the_author_who_cannot_vote(living: Living) -> None:
    """With policy_admin a command only asks; the named author is refused, and two others decide."""
    world = living.world
    world.write_roles({"users": [MAYA, JONAS]}, policy_admin=ADMINS)
    await world.running.watch.look()
    folder = str(another(world, STRICTER))
    assert "give --author" in (await living("policy", "activate", folder)).err
    asked = await living("policy", "activate", folder, "--author", PRIYA)
    assert "two people of policy_admin decide" in asked.out
    packet = await world.packet_of(changes(world)[0][0])
    assert packet.channel == REFUND_APPROVALS
    assert "Author: " in str(packet.blocks)
    assert "on the server" in str(packet.blocks)
    assert "you proposed this" in await world.click(PRIYA, packet)
    assert "waits for two of policy_admin" in (await living("status")).out
    assert (await states(living))[0] == ("waiting", None)
    for user in (MAYA, JONAS):
        await world.click(user, packet)
    await world.running.watch.look()
    assert (await world.propose(42))["state"] == "pending"
    active = (await living("policy", "versions", "--json")).json()[0]
    assert (active["state"], active["why"], active["by"]) == ("active", "approved", "Jonas Weber, Maya Chen")


async def test_activate_without_policy_admin_is_loud(living: Living) -> None:
    """Nobody else is asked, so everybody is told, with what to do about it; a version is named as well as a folder."""
    world = living.world
    done = await living("policy", "activate", str(another(world, BLOCKED)))
    assert (done.code, "WARNING: nobody else was asked" in done.err) == (0, True)
    await world.running.watch.look()
    assert (await world.propose(42))["state"] == "blocked"
    await world.settled()
    assert "without a second person" in world.slack.messages(AGENT_OPS)[-1].text
    first = (await living("policy", "versions", "--json")).json()[-1]
    back = await living("policy", "activate", first["version"])
    assert back.code == 0
    assert "is active already" in (await living("policy", "activate", first["version"][7:20])).err


async def test_activate_refuses_what_cannot_be(living: Living) -> None:
    """A broken folder, an unknown version, a name that is no Slack id, a pause: each says why, nothing is written."""
    world = living.world
    world.write_roles(MANAGERS, policy_admin=ADMINS)
    await world.running.watch.look()
    folder = another(world, STRICTER)
    assert "not a Slack user id" in (await living("policy", "activate", str(folder), "--author", "maya")).err
    await world.say(MAYA, "pause all")
    paused = await living("policy", "activate", str(folder), "--author", PRIYA)
    assert (paused.code, "everything is paused" in paused.err) == (1, True)
    (folder / "roles.yml").write_text("roles: [", "utf-8")
    assert "roles.yml:1" in (await living("policy", "activate", str(folder), "--author", PRIYA)).err
    assert "no version begins" in (await living("policy", "activate", "ffffffff", "--author", PRIYA)).err
    assert "is no folder and no version" in (await living("policy", "activate", "./polcy", "--author", PRIYA)).err
    assert changes(world) == []


def test_versions_of_a_new_database(ready: Shell) -> None:
    """Before the first start there is none, and the listing says when there will be."""
    ended = ready("policy", "versions")
    assert (ended.code, ended.out) == (0, "")
    assert "when it starts" in ended.err
    assert "No policy is active yet" in ready("status").out
