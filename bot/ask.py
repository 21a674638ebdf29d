"""An agent in a few lines, for shells and CI: submit, wait, claim, report. It only uses the public API.

It must never act twice: every request may be sent again after a lost answer, under the same idempotency key.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeAlias, TypeVar
from urllib.parse import quote

import httpx

from bot.clock import Clock
from handlers.counting import counted

_WAIT_SECONDS = 30
_PAUSE_SECONDS = 2.0
_CLAIM_PATIENCE = timedelta(minutes=1)
# The server is there and cannot answer now: starting, stopping, busy, or a proxy before it says so.
_AGAIN = frozenset({429, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Asked:
    """Approved and claimed: the caller may act, once."""

    proposal: Mapping[str, Any]
    grant: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Refused:
    """Not allowed. `code` is the proposal's state, or the problem's code, or `unreachable`."""

    code: str
    detail: str


Answer: TypeAlias = Asked | Refused
Result = TypeVar("Result")


def ask_and_wait(
    url: str,
    agent_key: str,
    body: str,
    key: str,
    patience: timedelta,
    clock: Clock,
    progress: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
) -> Answer:
    """Submit `body` (JSON text) once, wait for people, claim once. A server that restarts meanwhile is waited for."""

    def run(client: httpx.Client) -> Answer:
        return _Errand(client, url, key, clock, progress, sleep).run(body, clock() + patience)

    return _with_client(url, agent_key, run)


def report_outcome(
    url: str,
    agent_key: str,
    proposal: str,
    outcome: Mapping[str, str],
    clock: Clock,
    progress: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
) -> Refused | None:
    """Say how it went; None where that is recorded. The same said twice is said once, so a lost answer does no harm."""

    def run(client: httpx.Client) -> Refused | None:
        path = f"/v1/proposals/{quote(proposal, safe='')}/outcome"
        errand = _Errand(client, url, "", clock, progress, sleep)
        found = errand.send(lambda: client.post(path, json=outcome), clock() + _CLAIM_PATIENCE, known=True)
        return found if isinstance(found, Refused) else None

    return _with_client(url, agent_key, run)


def _with_client(url: str, agent_key: str, run: Callable[[httpx.Client], Result]) -> Result | Refused:
    headers = {"Authorization": f"Bearer {agent_key}", "Content-Type": "application/json"}
    try:
        with httpx.Client(base_url=url, headers=headers, timeout=_WAIT_SECONDS + 10) as client:
            return run(client)
    except (httpx.InvalidURL, httpx.UnsupportedProtocol):
        return Refused("unreachable", f"{url} is no address of a server; write it like https://approvals.example.com")
    except KeyError as error:
        return Refused("unreachable", f"{url} answered without {error}; is this a Foureyes server?")


@dataclass(frozen=True, slots=True)
class _Errand:
    client: httpx.Client = field(repr=False)
    url: str
    key: str
    clock: Clock
    progress: Callable[[str], None]
    sleep: Callable[[float], None]

    def run(self, body: str, until: datetime) -> Answer:
        keyed = {"Idempotency-Key": self.key}
        post = self.client.post
        proposal = self.send(lambda: post("/v1/proposals", content=body, headers=keyed), until, known=False)
        while not isinstance(proposal, Refused) and proposal["state"] == "pending" and "shadow" not in proposal:
            left = int((until - self.clock()).total_seconds())
            if left <= 0:
                return Refused("pending", f"{proposal['id']} still waits; go on with --key {self.key}. Do not act")
            self.progress(f"{proposal['id']} waits for people ({counted(len(proposal['votes']), 'vote')} so far)")
            proposal = self._read_again(proposal["id"], min(left, _WAIT_SECONDS), until)
        if isinstance(proposal, Refused):
            return proposal
        if "shadow" in proposal and proposal["state"] in {"pending", "approved"}:
            told = "a trial run: its tool is in shadow, so it is never permitted, whatever people say"
            return Refused("shadow", f"{proposal['id']} is {told}. Do not act")
        if proposal["state"] != "approved":
            return Refused(str(proposal["state"]), f"{_why_not(proposal)}. Do not act")
        path, claim = f"/v1/proposals/{proposal['id']}/claim", {"digest": proposal["digest"]}
        enough = max(until, self.clock() + _CLAIM_PATIENCE)
        grant = self.send(lambda: post(path, json=claim, headers=keyed), enough, known=True)
        return grant if isinstance(grant, Refused) else Asked(proposal, grant)

    def _read_again(self, ident: str, wait: int, until: datetime) -> dict[str, Any] | Refused:
        return self.send(lambda: self.client.get(f"/v1/proposals/{ident}", params={"wait": wait}), until, known=True)

    def send(self, request: Callable[[], httpx.Response], until: datetime, *, known: bool) -> dict[str, Any] | Refused:
        """Send until there is an answer; where nobody ever answered (`known` is false), not again."""
        while True:
            try:
                response = request()
            except httpx.UnsupportedProtocol:
                raise
            except httpx.TransportError as error:
                trouble = type(error).__name__
                if isinstance(error, httpx.ConnectError) and not known:
                    return Refused(
                        "unreachable", f"{self.url}: nothing answers there; is the server up, is --url right?"
                    )
            else:
                found = _read(response)
                under_way = isinstance(found, Refused) and found.code == "in-progress"
                if response.status_code not in _AGAIN and not under_way:
                    return found
                trouble = f"HTTP {response.status_code}"
            if self.clock() >= until:
                more = f"; go on with --key {self.key}. Do not act" if self.key else "; run it again"
                return Refused("unreachable", f"{self.url}: {trouble}{more}")
            self.progress(f"{self.url}: {trouble}; trying again")
            self.sleep(_PAUSE_SECONDS)


def _read(response: httpx.Response) -> dict[str, Any] | Refused:
    try:
        found = response.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        return Refused("unreachable", f"HTTP {response.status_code} and no JSON object; is this a Foureyes server?")
    if response.is_success:
        return found
    told = [str(found.get("detail", f"HTTP {response.status_code}"))]
    errors = found.get("errors")
    told += [f"{error['pointer'] or '/'}: {error['detail']}" for error in (errors if isinstance(errors, list) else ())]
    return Refused(str(found.get("code", "failed")), "; ".join(told))


def _why_not(proposal: Mapping[str, Any]) -> str:
    ident, state = proposal["id"], proposal["state"]
    if state == "denied":
        noes = [vote for vote in proposal["votes"] if vote["decision"] == "deny"]
        said = [f"{vote['name'] or 'somebody'}: {vote.get('reason') or 'no reason given'}" for vote in noes]
        return f"{ident} was denied by {'; '.join(said) or 'nobody who is still known'}"
    if state == "expired":
        unclaimed = proposal.get("expired_why") == "unclaimed"
        return f"{ident} expired: {'approved and not claimed in time' if unclaimed else 'nobody decided in time'}"
    if state == "blocked":
        return f"{ident} is blocked by policy: {proposal['policy']['because']}"
    return f"{ident} is {state}"
