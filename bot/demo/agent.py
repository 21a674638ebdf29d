"""The scripted support agent: an honest client of the public API, with a key like any other agent.

It must never execute without a permission, nor twice, nor go on after it was told to stop. It executes nothing real.
"""

import asyncio
import json
import re
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Literal

import httpx

from approval_rules.times import format_time
from bot.clock import Clock
from bot.demo.cases import Case, payout
from bot.demo.grant_check import GrantRefusedError, checked
from handlers.counting import counted

Direction = Literal["sent", "received", "note"]
KEPT: Final = 200
WAIT_S: Final = 30
LOOK_AGAIN_S: Final = 1.0
_BURST: Final = 10
_SHOWN: Final = 1500
_FEW: Final = 6
_FATES: Final = {
    "denied": "Denied by a person. I do not execute, and I do not ask again with other words.",
    "expired": "Nobody decided in time. That is not a no: I do not execute, and say so.",
    "cancelled": "Cancelled. I do not execute.",
    "blocked": "Blocked by policy. I do not execute, and look whether a person starts it himself.",
    "revoked": "The approval was taken back. I do not execute.",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that the agent did or saw."""

    at: str
    direction: Direction
    title: str
    detail: str
    ok: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server answered."""

    status: int
    body: dict[str, Any]

    @property
    def ok(self) -> bool:
        """Whether it was no refusal."""
        return self.status < httpx.codes.BAD_REQUEST

    @property
    def words(self) -> str:
        """The answer in one line."""
        if self.ok:
            return f"{self.status} {self.body.get('state', 'OK')}"
        return f"{self.status} {self.body.get('code', '')}: {self.body.get('detail') or self.body.get('title', '')}"


class SupportAgent:
    """Proposes refunds, waits for people, claims, pretends to execute, and reports."""

    def __init__(
        self, url: str, key: str, cases: Sequence[Case], clock: Clock, *, look_again_s: float = LOOK_AGAIN_S
    ) -> None:
        headers = {"authorization": f"Bearer {key}"}
        self._http = httpx.AsyncClient(base_url=url, headers=headers, timeout=WAIT_S * 2, trust_env=False)
        self._cases = cases
        self._clock = clock
        self._look_again_s = look_again_s
        self._played: set[str] = set()
        self._keys = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self.lines: deque[Line] = deque(maxlen=KEPT)
        self.seen = 0

    async def close(self) -> None:
        """Stop whatever it waits for."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._http.aclose()

    def lines_for_page(self) -> list[dict[str, Any]]:
        """Give the newest lines, oldest first."""
        return [asdict(line) for line in self.lines]

    # -- what the demo's buttons ask for

    async def propose_next(self, name: str | None = None) -> Answer:
        """Propose this case, or the next new one, and see it through; a case that a pause stopped comes again."""
        case = self._new(1)[0] if name is None else next(case for case in self._cases if case.name == name)
        return await self._start(case)

    async def propose_burst(self) -> Answer:
        """Propose ten cases that need people, at once; gives the first refusal, if there is one."""
        answers = await asyncio.gather(*map(self._start, self._new(_BURST, asking=True)))
        return next((answer for answer in answers if not answer.ok), answers[0])

    async def propose_payout(self) -> Answer:
        """Propose what no agent may do, and see what people make of it."""
        return await self._start(payout())

    async def _start(self, case: Case) -> Answer:
        answer = await self.propose(case)
        if answer.body.get("code") != "paused":
            self._played.add(case.name)
        self.see_through(case, answer)
        return answer

    def _new(self, count: int, *, asking: bool = False) -> list[Case]:
        """Choose the first cases that were not played yet; when they run out, from the start again."""
        fitting = [case for case in self._cases if case.asks or not asking]
        fresh = [case for case in fitting if case.name not in self._played]
        if len(fresh) < count:
            self._played.clear()
        return [*fresh, *fitting][:count]

    def see_through(self, case: Case, answer: Answer) -> None:
        """Follow an accepted proposal to its end in the background."""
        if answer.ok:
            task = asyncio.create_task(self.follow(case, answer.body))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    # -- the work itself, step by step

    async def propose(self, case: Case) -> Answer:
        """Send one proposal under a key of its own."""
        self._keys += 1
        self._note("sent", f"POST /v1/proposals: {case.note}", _pretty(case.body))
        headers = {"idempotency-key": f"demo-{self._keys}-{case.name}", "content-type": "application/json"}
        answer = await self._call("POST", "/v1/proposals", content=case.body.encode(), headers=headers)
        self._note("received", answer.words, _told(answer), ok=answer.ok)
        if answer.body.get("code") == "paused":
            self._note("note", "Somebody pulled the brake. I stop, and try nothing else.", ok=False)
        return answer

    async def follow(self, case: Case, proposal: dict[str, Any]) -> None:
        """Wait for the decision; execute once if it is a yes."""
        if proposal["state"] == "pending":
            self._note("note", f"{_short(proposal)} waits for {_people(proposal)}. I wait too.")
        while proposal["state"] == "pending":
            answer = await self.read(proposal, WAIT_S)
            if not answer.ok:
                self._note("received", answer.words, ok=False)
                return
            proposal = answer.body
        if proposal["state"] != "approved":
            said = "; ".join(f"{vote['name']}: {vote['reason']}" for vote in proposal["votes"] if vote.get("reason"))
            self._note("received", f"{_short(proposal)} is {proposal['state']}", said, ok=False)
            self._note("note", _FATES[proposal["state"]])
            if proposal["state"] == "blocked":
                await self.follow(*await self.started(case, proposal))
            return
        if proposal["votes"]:
            self._note("received", f"{_short(proposal)} is approved by {_voters(proposal)}")
        await self._execute_once(case, proposal)

    async def started(self, case: Case, blocked: dict[str, Any]) -> tuple[Case, dict[str, Any]]:
        """Wait until a person has started what was blocked; give what is to be done now, with that person's values."""
        while "started_as" not in blocked:
            await asyncio.sleep(self._look_again_s)
            answer = await self.read(blocked)
            blocked = answer.body if answer.ok else blocked
        new = (await self.read({"id": blocked["started_as"]})).body
        self._note("received", f"A person has started it himself: {_short(new)}", _pretty(json.dumps(new["arguments"])))
        action = {"tool": new["tool"], "arguments": new["arguments"]}
        return replace(case, body=json.dumps(action)), new

    async def _execute_once(self, case: Case, proposal: dict[str, Any]) -> None:
        answer = await self.claim(case, proposal)
        while answer.body.get("code") == "paused":
            self._note("note", f"Approved, but paused: {_short(proposal)} stays where it is.", ok=False)
            await self._until_resumed()
            answer = await self.claim(case, proposal)
        if answer.ok:
            await self.execute(case, proposal, answer.body["grant"])

    async def _until_resumed(self) -> None:
        while True:
            await asyncio.sleep(self._look_again_s)
            me = await self._call("GET", "/v1/agent")
            if me.ok and not me.body["paused"]:
                return

    async def read(self, proposal: dict[str, Any], wait_s: int = 0) -> Answer:
        """Read one proposal; with `wait_s`, as soon as it is no longer pending."""
        return await self._call("GET", f"/v1/proposals/{proposal['id']}", params={"wait": wait_s})

    async def claim(self, case: Case, proposal: dict[str, Any]) -> Answer:
        """Ask for the one permission, for the digest of what this agent is about to do: its own, not the server's."""
        path = f"/v1/proposals/{proposal['id']}/claim"
        self._note("sent", f"POST /v1/proposals/{_short(proposal)}/claim", case.digest)
        answer = await self._call("POST", path, json={"digest": case.digest})
        words = "200 one permission, for this action only" if answer.ok else answer.words
        self._note("received", words, ok=answer.ok)
        return answer

    async def execute(self, case: Case, proposal: dict[str, Any], grant: str) -> Answer | None:
        """Check the permission offline, pretend to refund, and report."""
        keys = await self._call("GET", "/.well-known/jwks.json")
        try:
            said = checked(
                grant,
                keys.body,
                audience=proposal["agent"]["id"],
                proposal=proposal["id"],
                digest=case.digest,
                now=self._clock(),
            )
        except GrantRefusedError as wrong:
            self._note("note", f"This is no permission, so I do not execute: {wrong}.", ok=False)
            return None
        self._note(
            "note",
            "The permission is signed, mine, for these exact arguments, and still valid.",
            _pretty(json.dumps(said)),
        )
        self._note("note", _done(proposal))
        path = f"/v1/proposals/{proposal['id']}/outcome"
        self._note("sent", f"POST /v1/proposals/{_short(proposal)}/outcome", "succeeded")
        report = {"status": "succeeded", "post_conditions": {"recorded": True}}
        answer = await self._call("POST", path, json=report)
        self._note("received", f"{answer.status} {'noted' if answer.ok else answer.body.get('code')}", ok=answer.ok)
        return answer

    # -- plumbing

    async def _call(self, method: str, path: str, **how: Any) -> Answer:  # noqa: ANN401 - what httpx takes
        try:
            response = await self._http.request(method, path, **how)
            return Answer(response.status_code, response.json())
        except (httpx.HTTPError, ValueError) as error:
            code = "unreachable"
            return Answer(httpx.codes.BAD_GATEWAY, {"code": code, "detail": type(error).__name__})

    def _note(self, direction: Direction, title: str, detail: str = "", *, ok: bool = True) -> None:
        self.lines.append(Line(format_time(self._clock()), direction, title, detail[:_SHOWN], ok))
        self.seen += 1


def _short(proposal: dict[str, Any]) -> str:
    return f"prop_…{proposal['id'][-_FEW:]}"


def _done(proposal: dict[str, Any]) -> str:
    said = proposal["arguments"]
    if "invoice_id" in said:
        return f"Paid {said['invoice_id']} (a pretend payment: nothing real is touched)."
    return f"Refunded {said.get('order_id', '')} (a pretend refund: nothing real is touched)."


def _people(proposal: dict[str, Any]) -> str:
    needs = proposal["requirement"] or {"approvals": 0, "roles": []}
    return f"{counted(needs['approvals'], 'person', 'people')} ({', '.join(needs['roles'])})"


def _voters(proposal: dict[str, Any]) -> str:
    return " and ".join(str(vote["name"]) for vote in proposal["votes"] if vote["decision"] == "approve")


def _told(answer: Answer) -> str:
    if not answer.ok:
        return "\n".join(f"{error['pointer']}: {error['detail']}" for error in answer.body.get("errors", ()))
    policy = answer.body["policy"]
    return f"{answer.body['id']}, tier {answer.body['tier']}: {policy['because']}"


def _pretty(text: str) -> str:
    """Lay JSON out for people: numbers as they were written, and every character that could hide or turn escaped."""
    marked = json.loads(text, parse_float="\0{}".format)
    return re.sub(r'"\\u0000([^"]*)"', r"\1", json.dumps(marked, indent=1))
