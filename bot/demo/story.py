"""The demo without a browser: plays the main job through the local Slack and the public API, checking each step.

The people click and type through the stand-in's driver, the agent speaks HTTP; nothing is called behind their backs.
"""

import asyncio
import json
from collections.abc import Callable
from typing import Any, Final

from bot.demo import cases
from bot.demo.agent import Answer, Line
from bot.demo.cases import Case
from bot.demo.stage import Stage
from bot.demo.terminal import Terminal
from bot.slack_standin.conversations import Message
from bot.slack_standin.submissions import Outcome
from bot.slack_standin.workspace import JONAS, MAYA, PRIYA, REFUND_APPROVALS, SAM

PATIENCE_S: Final = 10.0
_GLANCE_S: Final = 0.05
_OWN_DATE: Final = "<!date^"
_NAMES: Final = {MAYA: "Maya", JONAS: "Jonas", PRIYA: "Priya"}
_WHY: Final = "I have the invoice here, and the freight has arrived."
_REASON: Final = "The words say $14.99, the action says $1,499.00."


class UnexpectedError(Exception):
    """A step did not have the result that it must have; the message says which."""


class Story:
    """One performance."""

    def __init__(self, stage: Stage, terminal: Terminal) -> None:
        self._stage = stage
        self._slack = stage.slack
        self._agent = stage.agent
        self._terminal = terminal
        self._cases = {case.name: case for case in cases.load()}
        self._step = 0

    async def play(self) -> None:
        """Play all thirteen steps; raises UnexpectedError at the first that went wrong."""
        await self._small_refund()
        case, proposal, packet = await self._asks_two()
        await self._two_people(packet)
        await self._executes_once(case, proposal)
        await self._hostile()
        held = await self._brake()
        await self._resume_takes_two(*held)
        await self._red()
        await self._log()

    # -- the steps

    async def _small_refund(self) -> None:
        self._title("The agent wants to refund $42.50 to a standard customer")
        case = self._cases["small-standard"]
        answer = await self._agent.propose(case)
        self._check(answer.words == "201 approved", "policy allows it, nobody is asked", answer.words)
        await self._agent.follow(case, answer.body)
        self._check(
            await self._outcome(answer.body) == "succeeded", "it claims its permission, runs, and reports success"
        )
        self._check(not self._slack.messages(REFUND_APPROVALS), "the channel stays quiet")

    async def _asks_two(self) -> tuple[Case, dict[str, Any], Message]:
        self._title("It wants to refund $180.00 to a pro customer")
        case = self._cases["rich-pro"]
        answer = await self._agent.propose(case)
        self._check(answer.words == "201 pending", "policy asks two support managers", answer.words)
        packet = await self._packet(answer.body)
        headline = packet.text.splitlines()[0]
        self._check("$180.00" in headline, f"a packet arrives in #refund-approvals: “{headline}”")
        return case, answer.body, packet

    async def _two_people(self, packet: Message) -> None:
        self._title("Maya approves")
        said = await self._vote(MAYA, packet, "Your approval counts")
        self._check("1 of 2" in said, said)
        self._title("Maya tries again, and so does Sam, who owns the agent")
        said = await self._vote(MAYA, packet, "You have decided already")
        self._check("1 of 2" in said, f"Maya is told: {said}")
        said = await self._vote(SAM, packet, "you own the agent")
        self._check(said.startswith("It did not count"), f"Sam is told: {said}")
        self._title("Jonas approves")
        said = await self._vote(JONAS, packet, "the last one needed")
        self._check(said.startswith("Your approval counts"), said)

    async def _executes_once(self, case: Case, proposal: dict[str, Any]) -> None:
        await self._agent.follow(case, proposal)
        self._check(
            await self._outcome(proposal) == "succeeded", "the agent takes the signed permission, runs once, reports"
        )
        again = await self._agent.claim(case, proposal)
        self._refused(again, 409, "already-claimed", "a second permission is refused")

    async def _hostile(self) -> None:
        self._title("A hostile ticket: pings, a fake button, a fake approval, a hidden amount")
        case = self._cases["hostile-ticket"]
        answer = await self._agent.propose(case)
        packet = await self._packet(answer.body)
        live = [token for token in packet.pings if not token.startswith(_OWN_DATE)]
        self._check(not live, "it pings nobody and links nowhere", ", ".join(live))
        self._check("$1,499.00" in packet.text.splitlines()[0], "the headline says what would run: $1,499.00")
        outcome = await self._slack.click(PRIYA, packet.channel, packet.ts, "deny")
        self._check(outcome.ok and bool(self._slack.modals(PRIYA)), "Priya presses Deny and is asked why")
        view = self._slack.modals(PRIYA)[-1]
        said = {"category": {"category": "not-needed"}, "reason": {"reason": _REASON}}
        outcome = await self._slack.submit(PRIYA, view.id, said)
        self._check(outcome.ok, f"she says: “{_REASON}”")
        await self._agent.follow(case, answer.body)
        heard = self._heard(lambda line: line.ok is False and _REASON in line.detail)
        self._check(heard, "the agent is told that it was denied, and why; nothing runs")

    async def _brake(self) -> tuple[Case, dict[str, Any]]:
        self._title("Sam pulls the brake: /agent pause looks wrong")
        case = self._cases["enterprise-green"]
        approved = await self._agent.propose(case)
        self._check(approved.words == "201 approved", "one refund is approved and not yet used", approved.words)
        said = await self._type(SAM, "pause looks wrong")
        self._check(said.startswith("⏸ Paused: everything"), said.splitlines()[0])
        next_one = await self._agent.propose(self._cases["limit-50"])
        self._refused(next_one, 423, "paused", "the agent's next proposal is refused")
        claim = await self._agent.claim(case, approved.body)
        self._refused(claim, 423, "paused", "the permission that was already approved is refused too")
        return case, approved.body

    async def _resume_takes_two(self, case: Case, held: dict[str, Any]) -> None:
        self._title("Starting again takes two people")
        for who, name in ((MAYA, "Maya types /agent resume all"), (MAYA, "Maya types it again")):
            said = await self._type(who, "resume all")
            self._check("second person" in said, f"{name}: {said}")
        said = await self._type(JONAS, "resume all")
        self._check(said.startswith("▶ Resumed"), f"Jonas types it too: {said}")
        await self._agent.follow(case, held)
        self._check(await self._outcome(held) == "succeeded", "what was approved before the pause may run now")

    async def _red(self) -> None:
        self._title("Red: it wants to pay a supplier $9,400.00")
        case = cases.payout()
        answer = await self._agent.propose(case)
        self._check(answer.words == "201 blocked", "no agent may do that: policy blocks it", answer.words)
        blocked = await self._packet(answer.body)
        self._title("Maya starts it herself")
        await self._begin(blocked)
        case, started = await self._agent.started(case, answer.body)
        packet = await self._packet(started)
        self._check("started by Maya Chen" in packet.text, "a new packet says that a person started it")
        said = await self._vote(MAYA, packet, "It did not count")
        self._check("you proposed this" in said, f"Maya cannot approve it as well: {said}")
        self._title("Jonas and Priya approve it, each with a code from the own phone")
        for who in (JONAS, PRIYA):
            await self._slack.click(who, packet.channel, packet.ts, "approve")
            await self._code(who, {"code": {"code": self._stage.phones.code(who)}}, "Your approval counts")
        await self._agent.follow(case, started)
        self._check(await self._outcome(started) == "succeeded", "the agent pays with its one permission, and reports")

    async def _begin(self, blocked: Message) -> None:
        """Fill in the form, first with another amount than the one that would be paid, then prove who it is."""
        await self._slack.click(MAYA, blocked.channel, blocked.ts, "start")
        form = {"reason": {"value": _WHY}}
        wrong = await self._slack.submit(MAYA, self._top(MAYA), form | {"typed": {"value": "940"}})
        self._check(wrong.errors, f"she types 940 instead of 9400: {' '.join(wrong.errors.values())}")
        outcome = await self._slack.submit(MAYA, self._top(MAYA), form | {"typed": {"value": "9400"}})
        self._check(outcome.ok, "she types 9400, and why", outcome.warning)
        await self._code(MAYA, {"code": {"value": self._stage.phones.code(MAYA)}}, "You have started this")

    async def _log(self) -> None:
        inspection = self._stage.inspection
        self._title("Is the log whole?")
        verdict = await inspection.verify()
        self._check(verdict.status == "ok", verdict.text)
        self._title("An administrator changes an entry behind the program's back")
        trouble = await inspection.tamper()
        self._check(trouble is None, inspection.verdict.text, trouble)
        verdict = await inspection.verify()
        self._check(verdict.status == "broken", f"found. {verdict.text}")
        await inspection.restore()
        verdict = await inspection.verify()
        self._check(verdict.status == "ok", "with the old bytes back, the log is whole again", verdict.text)

    # -- acting

    async def _packet(self, proposal: dict[str, Any]) -> Message:
        """Give the next packet, once the server has written down where it stands; other messages are passed over."""
        while True:
            message = await self._slack.next_message(REFUND_APPROVALS, timeout=PATIENCE_S)
            if message.thread_ts is None and any(block["type"] == "actions" for block in message.blocks):
                break
        async with asyncio.timeout(PATIENCE_S):
            while not self._written_down(proposal["id"]):  # noqa: ASYNC110 - a person looks, too, and has no event
                await asyncio.sleep(_GLANCE_S)
        return message

    def _written_down(self, proposal: str) -> bool:
        entries = self._stage.inspection.ledger.entries()
        return any(entry.type == "packet.posted" and entry.subject == proposal for entry in entries)

    async def _vote(self, who: str, packet: Message, expected: str) -> str:
        """Press Approve, and give what this person alone is told."""
        before = len(self._slack.ephemerals(who))
        outcome = await self._slack.click(who, packet.channel, packet.ts, "approve")
        return await self._told(who, before, outcome, expected)

    async def _code(self, who: str, typed: dict[str, Any], expected: str) -> None:
        """Type the code of the own phone into the dialog that asks for it, and read what it says then."""
        outcome = await self._slack.submit(who, self._top(who), typed)
        shown = json.dumps(self._slack.modals(who)[-1].view, ensure_ascii=False) if outcome.ok else str(outcome.errors)
        self._check(expected in shown, f"{_NAMES[who]} types the code from the phone: {expected}", shown)

    def _top(self, who: str) -> str:
        return self._slack.modals(who)[-1].id

    async def _type(self, who: str, text: str) -> str:
        before = len(self._slack.ephemerals(who))
        return await self._told(who, before, await self._slack.command(who, REFUND_APPROVALS, "/agent", text), "")

    async def _told(self, who: str, before: int, outcome: Outcome, expected: str) -> str:
        if not outcome.ok:
            raise UnexpectedError(f"Slack warns: {outcome.warning}")

        def answered() -> str | None:
            notes = self._slack.ephemerals(who)[before:]
            return next((note.text for note in notes if expected in note.text), None)

        return await self._slack.until(answered, f"answer with “{expected}”", timeout=PATIENCE_S)

    async def _outcome(self, proposal: dict[str, Any]) -> str:
        body = (await self._agent.read(proposal)).body
        return str(body.get("execution", {}).get("status", "not executed"))

    def _heard(self, wanted: Callable[[Line], bool]) -> bool:
        return any(map(wanted, self._agent.lines))

    # -- telling

    def _title(self, text: str) -> None:
        self._step += 1
        self._terminal.title(f"{self._step:>2} {text}")

    def _check(self, good: object, words: str, instead: str | None = None) -> None:
        self._terminal.mark(words, ok=bool(good))
        if not good:
            raise UnexpectedError(f"step {self._step}: expected “{words}”" + (f", got “{instead}”" if instead else ""))

    def _refused(self, answer: Answer, status: int, code: str, words: str) -> None:
        good = (answer.status, answer.body.get("code")) == (status, code)
        self._check(good, f"{words}: {status} {code}", answer.words)
