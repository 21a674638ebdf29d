"""An agent in a few lines, for shells and CI: submit, wait, claim. It only uses the public API."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeAlias

import httpx

from bot.clock import Clock

_WAIT_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Asked:
    """Approved and claimed: the caller may act, once."""

    proposal: Mapping[str, Any]
    grant: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Refused:
    """Not allowed. `code` is the proposal's state, or the problem's code."""

    code: str
    detail: str


Answer: TypeAlias = Asked | Refused


def ask_and_wait(
    url: str,
    agent_key: str,
    body: Mapping[str, Any],
    key: str,
    patience: timedelta,
    clock: Clock,
    progress: Callable[[str], None],
) -> Answer:
    """Submit once, wait for people, claim once. A lost connection is retried with the same key."""
    headers = {"Authorization": f"Bearer {agent_key}", "Content-Type": "application/json"}
    until = clock() + patience
    with httpx.Client(base_url=url, headers=headers, timeout=_WAIT_SECONDS + 10) as client:
        try:
            created = client.post("/v1/proposals", content=json.dumps(body), headers={"Idempotency-Key": key})
            proposal = _read(created)
            while not isinstance(proposal, Refused) and proposal["state"] == "pending" and clock() < until:
                progress(f"{proposal['id']} waits for people ({len(proposal['votes'])} votes so far)")
                proposal = _read(client.get(f"/v1/proposals/{proposal['id']}", params={"wait": _WAIT_SECONDS}))
            if isinstance(proposal, Refused):
                return proposal
            if proposal["state"] != "approved":
                return Refused(str(proposal["state"]), f"{proposal['id']} is {proposal['state']}: do not act")
            claim = client.post(f"/v1/proposals/{proposal['id']}/claim", json={"digest": proposal["digest"]})
            grant = _read(claim)
        except httpx.HTTPError as error:
            return Refused("unreachable", f"{url}: {type(error).__name__}")
    return grant if isinstance(grant, Refused) else Asked(proposal, grant)


def _read(response: httpx.Response) -> dict[str, Any] | Refused:
    try:
        found: dict[str, Any] = response.json()
    except ValueError:
        return Refused("unreachable", f"HTTP {response.status_code} and no JSON; is this a Foureyes server?")
    if response.is_success:
        return found
    return Refused(str(found.get("code", "failed")), str(found.get("detail", f"HTTP {response.status_code}")))
