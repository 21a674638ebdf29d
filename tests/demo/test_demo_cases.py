"""examples/refunds.jsonl: every case is answered by the real server as it says, and none of them gets live in Slack."""

import json
from pathlib import Path

from bot.demo import cases
from bot.demo.stage import Stage
from bot.slack_standin.conversations import Message
from bot.slack_standin.workspace import REFUND_APPROVALS
from tests.architecture.source_tree import ROOT

STORY = ["small-standard", "rich-pro", "hostile-ticket", "enterprise-green", "enterprise-over"]
CARD_NUMBERS = ("4000 0566 5566 5556", "4000056655665556", "DE02120300000000202051", "GB33BUKB20201555555555")


async def packet_of(stage: Stage, proposal: str) -> Message:
    """Give the packet of one proposal."""

    def find() -> Message | None:
        messages = stage.slack.messages(REFUND_APPROVALS)
        return next((message for message in messages if proposal in message.text), None)

    return await stage.slack.until(find, f"packet of {proposal}")


async def test_every_case_is_answered_as_it_says(stage: Stage) -> None:
    """Status, state and code are those that the case expects; what asks people arrives as a packet."""
    wrong = []
    for case in cases.load():
        answer = await stage.agent.propose(case)
        got = {"status": answer.status}
        got |= {"state": answer.body["state"]} if answer.ok else {"code": answer.body["code"]}
        if got != case.expect:
            wrong.append((case.name, case.expect, got))
        if case.asks:
            await check_packet(stage, case.name, answer.body["id"])
    assert wrong == []


async def check_packet(stage: Stage, name: str, proposal: str) -> None:
    """Nothing that the agent wrote is a mention, a broadcast or a link; only our own date is a token. No card shows."""
    packet = await packet_of(stage, proposal)
    assert [token.partition("^")[0] for token in packet.pings] == ["<!date"], name
    shown = json.dumps(packet.blocks, ensure_ascii=False) + packet.text
    assert not [number for number in CARD_NUMBERS if number in shown], name
    assert not [sign for sign in "\u202e\u202c\u200b\ufe0f\U000e0061" if sign in shown], name
    if name == "many-line-items":
        actions = [
            element["action_id"]
            for block in packet.blocks
            if block["type"] == "actions"
            for element in block["elements"]
        ]
        assert actions == ["deny", "ask", "details"]


def test_the_file_tells_a_story_and_covers_much() -> None:
    """At least forty cases with names of their own, the story first; examples/ and the package have the same file."""
    names = [case.name for case in cases.load()]
    assert len(names) >= 40
    assert len(set(names)) == len(names)
    assert names[:5] == STORY
    assert (ROOT / "examples/refunds.jsonl").read_bytes() == Path(cases.CASES).read_bytes()
    assert Path(cases.CASES).read_text(encoding="utf-8").isascii()


def test_a_body_is_sent_as_it_is_written() -> None:
    """No digit is lost between the file and the server, and a name that stands twice stands twice."""
    bodies = {case.name: case.body for case in cases.load()}
    assert "50.000000000000001" in bodies["amount-not-exact"]
    assert bodies["name-twice"].count('"amount_usd"') == 2
    assert all(isinstance(json.loads(body), dict) for body in bodies.values())
