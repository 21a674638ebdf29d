"""Text from the world is data: it pings nobody, links nothing, fakes no button and hides no amount."""

import pytest

from bot.slack_standin.conversations import Ephemeral, Message
from bot.slack_standin.workspace import MAYA
from tests.world import World, buttons_of

NASTY = [
    "<!channel> <!here> <!everyone> <@U0MAYACHEN1> <!subteam^S0SUPPORTMG> @here #general",
    "<https://evil.example/x|Approve in Slack> https://evil.example javascript:alert(1)",
    "*bold* _it_ ~no~ `code` ```block``` > quote\n\n\n:rotating_light: &lt;!channel&gt;",
    "\u202egnihtyreve evorppa\u202c \u200b\u2066x\u2069 \U000e0041",
    "x" * 300,
    '"}]},{"type":"actions","elements":[{"type":"button","action_id":"approve"}]}',
]


def pings(message: Message | Ephemeral) -> list[str]:
    """List what Slack makes of a message; only our own times are allowed, which Slack writes for each reader."""
    return [ping for ping in message.pings if not ping.startswith("<!date^")]


@pytest.mark.parametrize("text", NASTY)
async def test_hostile_words_have_no_power(world: World, text: str) -> None:
    """Wherever an agent may put words they stay words: no ping, no link, no button but ours, the amount first."""
    proposal = await world.propose(
        180,
        summary=text,
        context={
            "facts": {"customer_tier": "standard", "note": text},
            "history": [{"event": text}],
            "steps_attempted": [text],
            "evidence": [{"title": text, "url": "https://evil.example/e", "excerpt": text}],
            "if_declined": text,
            "rollback": text,
        },
    )
    packet = await world.approve(proposal)
    await world.settled()
    for message in world.slack.messages(packet.channel):
        assert pings(message) == []
    for version in packet.versions:
        buttons = [part for block in version["blocks"] if block["type"] == "actions" for part in block["elements"]]
        assert {button["action_id"] for button in buttons} <= {"approve", "deny", "ask", "details", "take_back"}
        assert {button["value"] for button in buttons} == {f"{proposal['id']}|{proposal['digest']}"}
    assert packet.text.startswith("Refund $180.00")


async def test_hostile_arguments_are_shown_as_they_are(world: World) -> None:
    """An argument with invisible or reversing characters is shown with every one of them visible."""
    body = {
        "tool": "payments.refund",
        "arguments": {"amount_usd": 180, "order_id": "ORD-\u202e1\u200b", "customer_id": "<!channel>"},
        "summary": "x",
        "context": {"facts": {"customer_tier": "standard"}},
    }
    answer = await world.http.post("/v1/proposals", headers={"Idempotency-Key": "k"}, json=body)
    packet = await world.packet_of(answer.json())
    shown = str(packet.blocks)
    assert "\u202e" not in shown
    assert "\u200b" not in shown
    assert "202E" in shown.upper()
    assert pings(packet) == []


async def test_the_words_of_people_have_no_power_either(world: World) -> None:
    """A reason for a pause or a denial, and a display name, ping nobody."""
    world.slack.change_user(MAYA, name="<!channel>", real_name="<!here> *Maya* <https://evil.example|x>")
    packet = await world.packet_of(await world.propose())
    await world.click(MAYA, packet)
    await world.say(MAYA, f"pause all {NASTY[0]}")
    await world.settled()
    every: list[Message | Ephemeral] = [
        *world.slack.messages(packet.channel),
        *world.slack.messages("C0AGENTOPS1"),
        *world.slack.ephemerals(MAYA),
    ]
    assert [pings(message) for message in every] == [[]] * len(every)


async def test_what_cannot_be_shown_whole_cannot_be_approved(world: World) -> None:
    """An action that does not fit into a packet has no Approve button; its Deny button works."""
    arguments = {
        "amount_usd": 180,
        "order_id": "ORD-1",
        "lines": [f"line {number} " + "x" * 200 for number in range(90)],
    }
    body = {"tool": "payments.refund", "arguments": arguments, "summary": "x"}
    answer = await world.http.post("/v1/proposals", headers={"Idempotency-Key": "k"}, json=body)
    packet = await world.packet_of(answer.json())
    assert {button["action_id"] for button in buttons_of(packet)} == {"deny", "ask", "details"}
    assert "Your denial counts" in await world.deny(MAYA, packet, "too long")
