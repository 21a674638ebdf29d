"""Which Slack workspace this server lives in: learnt from Slack once, then kept, so that a start needs no Slack."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from bot.directory import SlackDirectory
from bot.slack_calls import SlackUnavailableError
from bot.store import people
from bot.store.reads import Reads
from bot.store.transaction import Transaction
from bot.store.writer import Writer

_KEEP = "INSERT INTO facts (name, value) VALUES ('home', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
# Slack's last word about a token; anything else may be an outage, and a start needs no Slack.
_BAD_TOKEN = frozenset({"account_inactive", "invalid_auth", "not_authed", "token_expired", "token_revoked"})


class HomeUnknownError(Exception):
    """Slack did not say whose token this is, and no earlier start has learnt it; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Home:
    """What of the workspace must survive a restart while Slack is down."""

    team_id: str
    enterprise_id: str | None
    bot_user_id: str
    bot_id: str
    app_id: str


async def learn(directory: SlackDirectory, reads: Reads, writer: Writer) -> Home:
    """Ask Slack; where it is down, remember. A dead token, or another workspace's, raises HomeUnknownError."""
    known = await _remembered(reads)
    try:
        asked = await directory.home()
        app_id = await directory.app_of(asked.bot_id)
    except SlackUnavailableError as error:
        if known is not None and error.code not in _BAD_TOKEN:
            return known
        why = "did not accept the bot token" if error.code in _BAD_TOKEN else "did not say whose token this is"
        check = "SLACK_BOT_TOKEN" if error.code in _BAD_TOKEN else "the network and SLACK_BOT_TOKEN"
        raise HomeUnknownError(f"Slack {why} ({error.code}); check {check}, then run `foureyes doctor`") from None
    found = Home(asked.team_id, asked.enterprise_id, asked.bot_user_id, asked.bot_id, app_id)
    if known is not None and known.team_id != found.team_id:
        raise HomeUnknownError(
            f"this database belongs to workspace {known.team_id}, the bot token to {found.team_id};"
            " use the token of the first, or another database"
        )
    await writer.run(lambda tx: _keep(tx, found))
    return found


async def _remembered(reads: Reads) -> Home | None:
    snapshot = reads.glance()
    found = await snapshot.rows("SELECT value FROM facts WHERE name = 'home'", {})
    return home_from(found[0][0]) if found else None


def home_from(text: str) -> Home:
    """Read what was kept."""
    kept: Mapping[str, Any] = json.loads(text)
    return Home(**kept)


def _keep(tx: Transaction, home: Home) -> None:
    tx.write(_KEEP, (json.dumps(asdict(home)),))
    # `agent add` may have noted an owner before any server knew the workspace.
    people.adopt(tx, home.team_id)
