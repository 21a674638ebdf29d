"""How fast clicks become committed votes: signed requests as Slack sends them, answered after COMMIT."""

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from urllib.parse import urlencode

from benchmarks.figures import Figure
from benchmarks.load import drive, post
from benchmarks.names import CHANNEL, PEOPLE, SIGNING_SECRET, TEAM
from benchmarks.place import Place, Site, place, site
from benchmarks.proposals import fill, posted
from bot.store.engine import open_reader
from handlers.desk import Seen
from handlers.slack.ids import APPROVE, value_of
from handlers.slack.packet import packet
from handlers.slack.verify import signature_of

CLICKERS = 16
_VOTES = 2


def clicks(*, quick: bool) -> Iterator[Figure]:
    """Measure rounds in which 16 people approve: every proposal gets its two votes."""
    rounds, proposals = (3, 300) if quick else (7, 1000)
    per_second, p99, cpu = [], [], []
    with place() as at:
        waiting = fill(at, posted(at), (rounds + 1) * proposals)
        at.index()  # a server that people click on has long taken in what was proposed before
        with site(at) as running:
            for number in range(rounds + 1):
                some = waiting[number * proposals : (number + 1) * proposals]
                sent = _requests(some, running)
                before = running.server.cpu_seconds()
                load = asyncio.run(drive(running.server.port, iter(sent), clients=CLICKERS, seconds=600, expected=200))
                if number:  # the first round fills the directory's cache
                    per_second.append(load.per_second)
                    p99.append(load.p99_ms())
                    cpu.append(1e6 * (running.server.cpu_seconds() - before) / len(sent))
        _require_approved(at, len(waiting))
    yield Figure("clicks: votes acknowledged after COMMIT", per_second, "/s", 500)
    yield Figure("clicks: p99", p99, "ms", 100, at_most=True)
    yield Figure("clicks: processor time a click", cpu, "us")


def _requests(waiting: Sequence[Seen], running: Site) -> list[bytes]:
    """Write the clicks of a round, signed now: first one vote for each proposal, then the other."""
    now = str(int(time.time())).encode()
    return [
        _signed(_click(seen, PEOPLE[(number + vote) % len(PEOPLE)], running, f"{number}.{vote}"), now)
        for vote in range(_VOTES)
        for number, seen in enumerate(waiting)
    ]


def _signed(body: bytes, now: bytes) -> bytes:
    headers = {
        "content-type": "application/x-www-form-urlencoded",
        "x-slack-request-timestamp": now.decode(),
        "x-slack-signature": signature_of(SIGNING_SECRET, now, body),
        "user-agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
    }
    return post("/slack/events", body, headers)


def _click(seen: Seen, user: str, running: Site, trigger: str) -> bytes:
    """Write what Slack sends when somebody presses Approve, with the whole message in it."""
    posted_at = seen.proposal.packet
    if posted_at is None:
        raise RuntimeError("a packet was wanted")
    blocks = packet(seen, seen.proposal.created_at).blocks
    button = {"type": "button", "block_id": "b", "action_id": APPROVE, "value": value_of(seen.proposal)}
    payload: dict[str, object] = {
        "type": "block_actions",
        "user": {"id": user, "username": user.lower(), "name": user.lower(), "team_id": TEAM},
        "api_app_id": "A0BENCHAPP1",
        "token": "legacy",
        "container": {"type": "message", "message_ts": posted_at.ts, "channel_id": CHANNEL, "is_ephemeral": False},
        "trigger_id": f"1.2.{trigger}",
        "team": {"id": TEAM, "domain": "bench"},
        "enterprise": None,
        "is_enterprise_install": False,
        "channel": {"id": CHANNEL, "name": "refund-approvals"},
        "message": {"type": "message", "ts": posted_at.ts, "bot_id": "B0BENCHBOT1", "text": "", "blocks": blocks},
        "state": {"values": {}},
        "response_url": f"http://127.0.0.1:{running.slack.port}/response",
        "actions": [{**button, "text": {"type": "plain_text", "text": "Approve"}, "action_ts": "1790000001.0"}],
    }
    return urlencode({"payload": json.dumps(payload)}).encode()


def _require_approved(at: Place, count: int) -> None:
    """Raise where a click was acknowledged and did not count."""
    connection = open_reader(at.database)
    found = connection.execute("SELECT count(*) FROM proposals WHERE state = 'approved'").fetchone()[0]
    refused = connection.execute("SELECT count(*) FROM entries WHERE type = 'vote.refused'").fetchone()[0]
    connection.close()
    if found != count or refused:
        raise RuntimeError(f"{found} of {count} proposals are approved, {refused} votes were refused")
