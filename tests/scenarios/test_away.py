"""Out of office: called instead is who was named, who decides by the own right; both names stand in the record."""

from datetime import timedelta

import pytest

from approval_rules.duty_events import AwayDeclined, AwayEnded, AwayRefused, AwaySet
from approval_rules.events import Voted
from approval_rules.refusals import Refusal
from bot.slack_standin.conversations import Message
from bot.slack_standin.faults import Refuse
from bot.slack_standin.workspace import AGENT_OPS, JONAS, MAYA, PRIYA, SAM
from tests.world import World


def calls(world: World, packet: Message) -> list[list[str]]:
    """Who was called in the thread."""
    return [each.pings for each in world.slack.messages(packet.channel) if each.thread_ts == packet.ts]


async def test_the_delegate_is_called_first_and_the_absent_not_at_all(world: World) -> None:
    """Maya is away and names Jonas: reminders call him, then the others; the channel tells him at once."""
    said = await world.say(MAYA, f"away for 3 days delegate <@{JONAS}|jonas>")
    assert "You are away until " in said
    assert "Jonas Weber" in said
    await world.settled()
    (told,) = [each for each in world.slack.messages(AGENT_OPS) if "is away" in each.text]
    assert told.pings == [f"<@{JONAS}>"]
    assert "gives no new right" in told.text
    packet = await world.packet_of(await world.propose(180))
    await world.move(hours=2, minutes=1)
    await world.settled()
    assert calls(world, packet) == [[f"<@{JONAS}>", f"<@{PRIYA}>"]]
    assert "Maya Chen" in (status := await world.say(SAM, "status"))
    assert "is away until" in status


async def test_both_names_stand_in_the_record(world: World) -> None:
    """Jonas approves for Maya: the packet and the API say so, he fills one seat, and another person is still needed."""
    await world.say(MAYA, f"away for 3 days delegate <@{JONAS}>")
    proposal = await world.propose(180)
    packet = await world.packet_of(proposal)
    assert "One more person must approve" in await world.click(JONAS, packet)
    await world.settled()
    shown = str(packet.blocks)
    assert "✔ Jonas Weber" in shown
    assert "for Maya Chen" in shown
    assert "(away) approved" in shown
    (vote,) = (await world.read(proposal))["votes"]
    assert (vote["by"], vote["on_behalf_of"]) == (JONAS, {"by": MAYA, "name": "Maya Chen"})
    assert (await world.read(proposal))["state"] == "pending"
    assert "the last one needed" in await world.click(PRIYA, packet)
    first, second = world.ledger().events(Voted)
    assert first.on_behalf_of is not None
    assert second.on_behalf_of is None
    assert (await world.claim(proposal)).status_code == 200


async def test_the_absent_may_decide_all_the_same(world: World) -> None:
    """Being away takes nothing away: Maya's own yes is the second person's."""
    await world.say(MAYA, f"away for 3 days delegate <@{JONAS}>")
    proposal = await world.propose(180)
    await world.approve(proposal, JONAS, MAYA)
    assert (await world.read(proposal))["state"] == "approved"


async def test_a_delegate_gets_no_right(world: World) -> None:
    """Sam, who owns the agent and is in no role, cannot be named; named nobody, he still cannot decide."""
    assert "in none of your roles" in await world.say(MAYA, f"away for 3 days delegate <@{SAM}>")
    packet = await world.packet_of(await world.propose(180))
    assert "did not count" in await world.click(SAM, packet)
    (refused,) = world.ledger().events(AwayRefused)
    assert refused.code is Refusal.DELEGATE_NOT_IN_ROLE


async def test_a_delegate_who_lost_the_role_stands_for_nobody(world: World) -> None:
    """Named while both were managers; later he is none, and his click is anybody's."""
    await world.say(MAYA, f"away for 3 days delegate <@{JONAS}>")
    world.write_roles({"users": [MAYA, PRIYA]})
    await world.running.watch.look()
    packet = await world.packet_of(await world.propose(180))
    assert "not in a role" in await world.click(JONAS, packet)
    assert world.ledger().events(Voted) == []


async def test_nobody_stands_for_somebody_who_has_lost_the_role(world: World) -> None:
    """Maya is away and no manager any more: Jonas decides for himself alone."""
    await world.say(MAYA, f"away for 3 days delegate <@{JONAS}>")
    world.write_roles({"users": [JONAS, PRIYA]})
    await world.running.watch.look()
    packet = await world.packet_of(await world.propose(180))
    await world.click(JONAS, packet)
    assert [event.on_behalf_of for event in world.ledger().events(Voted)] == [None]


@pytest.mark.parametrize(
    ("named", "told"),
    [
        (MAYA, "your own delegate"),
        ("U0NOBODY99", "can decide nothing here"),
        ("USLACKBOT", "can decide nothing here"),
    ],
)
async def test_who_cannot_be_a_delegate(world: World, named: str, told: str) -> None:
    """Each is told in a clear sentence, and nothing is changed."""
    assert told in await world.say(MAYA, f"away for 3 days delegate <@{named}>")
    assert "You are not away" in await world.say(MAYA, "away")
    assert world.ledger().events(AwaySet) == []


async def test_a_guest_and_a_deactivated_account_cannot_be_delegates(world: World) -> None:
    """Both are accounts of Slack, and neither may ever decide."""
    world.workspace.change_user(JONAS, is_restricted=True)
    world.workspace.change_user(PRIYA, deleted=True)
    for user in (JONAS, PRIYA):
        assert "can decide nothing here" in await world.say(MAYA, f"away for 3 days delegate <@{user}>")


async def test_a_delegate_can_decline(world: World) -> None:
    """Jonas cannot: it is recorded, Maya and the channel are told, and his next vote stands for himself alone."""
    await world.say(MAYA, f"away for 3 days delegate <@{JONAS}>")
    early = await world.packet_of(await world.propose(90))
    await world.click(JONAS, early)
    assert "You do not stand in for Maya Chen" in await world.say(JONAS, "away decline")
    await world.settled()
    [told] = [one.text for one in world.slack.messages(world.workspace.direct(MAYA).id)]
    assert "Jonas Weber (U0JONASWEB1) cannot stand in for Maya Chen" in told
    assert "/agent away until friday delegate @colleague" in told
    assert [one.text for one in world.slack.messages(AGENT_OPS) if "cannot stand in" in one.text] == [told]
    late = await world.packet_of(await world.propose(180))
    await world.click(JONAS, late)
    ledger = world.ledger()
    assert [event.on_behalf_of is None for event in ledger.events(Voted)] == [False, True]
    (declined,) = ledger.events(AwayDeclined)
    assert (ledger.user(declined.by.ref), ledger.user(declined.person)) == (JONAS, MAYA)
    assert "nobody is called instead" in await world.say(MAYA, "away")
    await world.move(hours=2, minutes=1)
    await world.settled()
    assert f"<@{MAYA}>" not in str(calls(world, late))


async def test_only_who_was_named_can_decline_and_only_once(world: World) -> None:
    """Priya was never named, and Jonas has declined already: each is told, recorded, and nothing changes."""
    await world.say(MAYA, f"away for 3 days delegate <@{JONAS}>")
    assert "has named you" in await world.say(PRIYA, "away decline")
    assert "called instead" in await world.say(MAYA, "away")
    await world.say(JONAS, "away decline")
    assert "has named you" in await world.say(JONAS, "away decline")
    assert [event.code for event in world.ledger().events(AwayRefused)] == [Refusal.NO_DELEGATE] * 2
    assert len(world.ledger().events(AwayDeclined)) == 1
    await world.say(MAYA, f"away for 3 days delegate <@{PRIYA}>")
    assert "Priya Nair" in await world.say(MAYA, "away")


async def test_declining_works_while_slack_says_nothing(world: World) -> None:
    """To say no gives no right, so nobody needs to be looked up for it."""
    await world.say(MAYA, f"away for 3 days delegate <@{JONAS}>")
    await world.move(minutes=2)
    world.slack.faults.order("users.info", Refuse("internal_error"), 5)
    assert "You do not stand in" in await world.say(JONAS, "away decline")


async def test_chains_are_not_followed(world: World) -> None:
    """Who is away cannot be named; and who goes away later stands in for nobody through somebody else."""
    await world.say(JONAS, "away for 3 days")
    assert "is away too" in await world.say(MAYA, f"away for 3 days delegate <@{JONAS}>")
    await world.say(JONAS, "back")
    await world.say(MAYA, f"away for 3 days delegate <@{JONAS}>")
    await world.say(JONAS, f"away for 3 days delegate <@{PRIYA}>")
    packet = await world.packet_of(await world.propose(180))
    await world.click(PRIYA, packet)
    await world.settled()
    assert "Priya Nair (U0PRIYANAI1) for Jonas Weber (U0JONASWEB1) (away) approved" in str(packet.blocks)


async def test_a_delegate_who_goes_away_tells_whoever_counted_on_it(world: World) -> None:
    """It is recorded as a decline, the channel and Maya are told once, and the delegate's vote stands for nobody."""
    await world.say(MAYA, f"away for 3 days delegate <@{JONAS}>")
    assert "You are away until" in await world.say(JONAS, f"away for 3 days delegate <@{PRIYA}>")
    await world.say(JONAS, "away for 2 days")
    await world.settled()
    declined = [event.person for event in world.ledger().events(AwayDeclined)]
    assert [world.ledger().user(person) for person in declined] == [MAYA]
    (told,) = world.slack.messages(world.workspace.direct(MAYA).id)
    assert "Jonas Weber (U0JONASWEB1) cannot stand in for Maya Chen" in told.text
    assert len([one for one in world.slack.messages(AGENT_OPS) if "cannot stand in for" in one.text]) == 1
    packet = await world.packet_of(await world.propose(180))
    await world.click(JONAS, packet)
    await world.settled()
    assert "for Maya" not in str(packet.blocks)


async def test_being_away_ends_by_itself_and_by_a_word(world: World) -> None:
    """After its time nobody stands in; `/agent back` ends it at once, and twice says that there is nothing to end."""
    await world.say(MAYA, f"away for 2 hours delegate <@{JONAS}>")
    await world.move(hours=2, minutes=1)
    assert "You are not away" in await world.say(MAYA, "away")
    await world.say(MAYA, f"away for 2 days delegate <@{JONAS}>")
    assert "You are away until" in await world.say(MAYA, "away")
    assert "You are back" in await world.say(MAYA, "back")
    assert "you are not away, so" in await world.say(MAYA, "back")
    packet = await world.packet_of(await world.propose(180))
    await world.click(JONAS, packet)
    ledger = world.ledger()
    assert [event.on_behalf_of for event in ledger.events(Voted)] == [None]
    assert len(ledger.events(AwayEnded)) == 1


async def test_until_is_read_in_the_persons_own_zone(world: World) -> None:
    """Slack says where Maya is: tomorrow begins there, and the answer names the zone."""
    assert "Europe/Berlin" in await world.say(MAYA, "away until tomorrow")
    (event,) = world.ledger().events(AwaySet)
    assert event.until.hour in (22, 23)
    assert event.until - world.clock() < timedelta(days=1)


@pytest.mark.parametrize("words", ["away until yesterday", "away until 2020-01-01", "away for 900 weeks", "away soon"])
async def test_what_cannot_be_read_changes_nothing(world: World, words: str) -> None:
    """The answer says how to write it."""
    assert "Nothing was changed" in (said := await world.say(MAYA, words))
    assert "until tomorrow 09:00" in said
    assert world.ledger().events(AwaySet) == []


async def test_a_name_that_is_no_mention_names_nobody(world: World) -> None:
    """A typed name could be anybody's: Slack's list gives the account."""
    assert "choosing from the list" in await world.say(MAYA, "away for 3 days delegate jonas")
    assert world.ledger().events(AwaySet) == []


async def test_a_restart_forgets_nobody(world: World) -> None:
    """Who is away is a row, not a thought of the server."""
    await world.say(MAYA, f"away for 3 days delegate <@{JONAS}>")
    await world.restart()
    packet = await world.packet_of(await world.propose(180))
    await world.click(JONAS, packet)
    assert [event.on_behalf_of is None for event in world.ledger().events(Voted)] == [False]
