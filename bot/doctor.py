"""`foureyes doctor`: everything that `serve` needs, checked one by one, each with what to do. It changes nothing."""

import asyncio
import email.utils
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import partial
from pathlib import Path

from slack_sdk.web.async_client import AsyncWebClient

from approval_rules.people import RoleName
from approval_rules.policy import PolicyFolder
from approval_rules.verdicts import Ask
from bot import anchoring
from bot.audit.anchor import AnchorError
from bot.clock import SteadyClock, new_token
from bot.data_keys import HELD, DataKeys
from bot.delivery.addresses import AllowList
from bot.delivery.guarded_http import SystemResolver
from bot.desk.people import OPERATOR
from bot.directory import HomeWorkspace, SlackDirectory
from bot.factor_needs import asks_for, lacks_pages
from bot.keys import KeyFileError
from bot.keys import load as load_key
from bot.lookups.checking import missing, unreachable
from bot.policy_files import PolicyFolderError
from bot.policy_files import load as load_policy
from bot.repository import GitError, Repository
from bot.retention import is_due
from bot.settings import Settings, SettingsError
from bot.settings import load as load_settings
from bot.slack_calls import SlackCalls, SlackUnavailableError
from bot.standing_still import stands_still
from bot.store import guards, schema
from bot.store.engine import StoreUnavailableError, database_path, open_reader
from bot.store.vaults import require_none_sealed
from bot.time_stamping import Authority
from bot.witness_file import fault_of
from handlers.counting import counted

# The scopes of app_manifest.yml; a test holds the two against each other.
SCOPES = frozenset(
    {
        *("commands", "chat:write", "files:write", "users:read", "users:read.email", "usergroups:read"),
        *("channels:history", "groups:history"),
    }
)
# Fixed in these; before, two connections that reset the WAL at once can lose a commit.
_WAL_RESET_FIXED = ((3, 51, 3), (3, 50, 7), (3, 44, 6))
_FOUR_EYES = 2
_MOST_SKEW = timedelta(seconds=60)


class State(StrEnum):
    """How a check came out."""

    GOOD = "ok"
    WARN = "WARN"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was found, and what to do where it is not good."""

    name: str
    state: State
    detail: str


def examine() -> list[Finding]:
    """Check everything; a failed check does not stop the next."""
    try:
        settings = load_settings()
    except SettingsError as error:
        return [Finding("settings", State.FAIL, str(error))]
    found = [Finding("settings", State.GOOD, "read"), *_local(settings)]
    return [*found, *asyncio.run(_outside(settings))]


async def _outside(settings: Settings) -> list[Finding]:
    lookups = [one async for one in _lookups(settings)]
    return [*lookups, *[one async for one in _git(settings)], *await _slack(settings)]


def _local(settings: Settings) -> Iterator[Finding]:
    yield from _policy(settings)
    yield _key(settings)
    yield from _witness(settings)
    yield _database(settings)
    yield from _time(settings)
    yield _data_keys(settings)
    yield _sqlite()


def _policy(settings: Settings) -> Iterator[Finding]:
    try:
        folder = load_policy(settings.policy)
    except PolicyFolderError as error:
        yield Finding("policy", State.FAIL, str(error))
        return
    tools = ", ".join(folder.policies) or "none: every proposal will be blocked"
    yield Finding("policy", State.GOOD if folder.policies else State.WARN, f"{settings.policy}: {tools}")
    yield from _roles(folder)
    yield from _factors(folder, settings)
    channel = folder.channels.get("default") or settings.channel
    if channel is None:
        yield Finding("channel", State.FAIL, "set FOUREYES_CHANNEL, or `channels: {default: C...}` in roles.yml")


def _factors(folder: PolicyFolder, settings: Settings) -> Iterator[Finding]:
    lacking = lacks_pages(folder, settings.public_url)
    if lacking is not None:
        yield Finding("second factor", State.FAIL, lacking)
    elif settings.public_url is None and asks_for(folder, "totp"):
        yield Finding("second factor", State.WARN, "set FOUREYES_PUBLIC_URL: without it nobody can enrol an app")


def _roles(folder: PolicyFolder) -> Iterator[Finding]:
    for name, members in folder.roles.items():
        if members.usergroup is None:  # Slack counts the others
            yield _role(folder, name, len(members.people), "")


def _role(folder: PolicyFolder, name: RoleName, people: int, group: str) -> Finding:
    found = f"{name}: {counted(people, 'person', 'people')}{group}"
    needed = _needed(folder, name)
    if people < needed:
        return Finding(
            "roles", State.FAIL, f"{found}; {needed} {'is' if needed == 1 else 'are'} needed. Add them in roles.yml"
        )
    if people < _FOUR_EYES:
        return Finding("roles", State.WARN, f"{found}; nobody can stand in. Add another in roles.yml")
    return Finding("roles", State.GOOD, found)


def _needed(folder: PolicyFolder, name: RoleName) -> int:
    """How many people a role must have: what one rule asks of it, and two to resume everything."""
    asks = [rule.verdict for policy in folder.policies.values() for rule in policy.rules]
    counts = [seat.count for ask in asks if isinstance(ask, Ask) for seat in ask.seats if seat.role == name]
    return max([1, *counts, *([_FOUR_EYES] if name == OPERATOR else [])])


async def _lookups(settings: Settings) -> AsyncIterator[Finding]:
    """Check what each lookup needs; no fact is asked for."""
    try:
        policies = load_policy(settings.policy).policies.values()
        allow = AllowList.parse(settings.lookup_allow)
    except PolicyFolderError:
        return  # said already
    except ValueError as error:
        yield Finding("lookups", State.FAIL, f"FOUREYES_LOOKUP_ALLOW: {error}")
        return
    resolve = SystemResolver()
    for tool, name, lookup in [(one.tool, *each) for one in policies for each in one.lookups.items()]:
        wrong = missing(lookup, allow, settings.lookup_tokens) or await unreachable(lookup, allow, resolve)
        detail = f"{tool}, {name}: {wrong or f'may be asked for at {lookup.source}'}"
        yield Finding("lookups", State.FAIL if wrong else State.GOOD, detail)
    resolve.close()


def _key(settings: Settings) -> Finding:
    try:
        load_key(settings.signing_key_file)
    except FileNotFoundError:
        return _no_key(settings)
    except KeyFileError as error:
        return Finding("key", State.FAIL, str(error))
    return Finding("key", State.GOOD, f"{settings.signing_key_file}; back it up apart from the database")


def _no_key(settings: Settings) -> Finding:
    with suppress(StoreUnavailableError, sqlite3.Error):
        if anchoring.has_begun(database_path(settings.database_url)):
            detail = f"{settings.signing_key_file} is missing and the log has entries; restore the key from its backup"
            return Finding("key", State.FAIL, detail)
    return Finding("key", State.WARN, f"{settings.signing_key_file} is missing; the first `serve` makes one")


def _witness(settings: Settings) -> Iterator[Finding]:
    if settings.witness_file is not None:
        fault = fault_of(settings.witness_file)
        told = f"{settings.witness_file} can be appended to; keep it where nobody who has the database can change it"
        yield Finding("witness file", State.FAIL if fault else State.GOOD, fault or told)
    if settings.time_stamp_url:
        yield _time_stamps(settings)


def _time_stamps(settings: Settings) -> Finding:
    try:
        authority = Authority.of(settings)
    except SettingsError as error:
        return Finding("time stamps", State.FAIL, str(error))
    told = f"{authority.url} is asked each hour; copy {settings.time_stamp_folder} to people outside"
    return Finding("time stamps", State.GOOD, told)


async def _git(settings: Settings) -> AsyncIterator[Finding]:
    if settings.witness_git is not None:
        try:
            await Repository(settings.witness_git).require()
        except GitError as error:
            yield Finding("git witness", State.FAIL, str(error))
        else:
            yield Finding("git witness", State.GOOD, f"{settings.witness_git} is committed to each hour")


def _database(settings: Settings) -> Finding:
    try:
        path: Path = database_path(settings.database_url)
        schema.require_current(path)
        with closing(open_reader(path)) as connection:
            changed = [*guards.faults(connection.execute(guards.MADE))]
        anchoring.require_not_behind(path, settings.anchor_file, load_key(settings.signing_key_file))
    except (StoreUnavailableError, AnchorError, KeyFileError) as error:
        return Finding("database", State.FAIL, str(error))
    except FileNotFoundError:
        return Finding("database", State.WARN, "cannot be held against its anchor without the key")
    except sqlite3.Error as error:
        detail = f"the file is damaged: {error}; restore it, and keep this copy"
        return Finding("database", State.FAIL, detail)
    if changed:
        detail = f"{'; '.join(changed)}. The next start puts triggers back; see who can write the file"
        return Finding("database", State.FAIL, detail)
    return Finding("database", State.GOOD, f"{path}, schema {schema.REVISION}, not behind its anchor")


def _time(settings: Settings) -> Iterator[Finding]:
    with suppress(StoreUnavailableError, sqlite3.Error):  # said already
        told = stands_still(SteadyClock()(), anchoring.last_time(database_path(settings.database_url)))
        if told is not None:
            yield Finding("time", State.FAIL, told)


def _data_keys(settings: Settings) -> Finding:
    file = settings.data_keys_file
    try:
        if not file.exists():
            require_none_sealed(database_path(settings.database_url), file)
            return Finding("data keys", State.GOOD, f"{file} is made with the first entry")
        keys = DataKeys(file, new_token).names()
    except (KeyFileError, StoreUnavailableError, sqlite3.Error) as error:
        return Finding("data keys", State.FAIL, str(error))
    yesterday = (SteadyClock()() - timedelta(days=1)).date()
    if behind := len({key.day for key in keys if is_due(key, yesterday) and key.kind != HELD}):
        days = counted(behind, "day is", "days are")
        return Finding("data keys", State.WARN, f"{days} overdue for erasure; a running server erases them at once")
    return Finding("data keys", State.GOOD, f"{file}; back it up apart from the database, and keep no old copy")


def _sqlite() -> Finding:
    version = sqlite3.sqlite_version_info
    fixed = version >= _WAL_RESET_FIXED[0] or any(
        version[:2] == line[:2] and version >= line for line in _WAL_RESET_FIXED
    )
    note = "" if fixed else "; it has the WAL-reset bug, so never open the file for writing with other programs"
    return Finding("sqlite", State.GOOD, sqlite3.sqlite_version + note)


async def _slack(settings: Settings) -> list[Finding]:
    if not settings.slack_bot_token or not settings.slack_signing_secret:
        return [Finding("slack", State.FAIL, "set SLACK_BOT_TOKEN and SLACK_SIGNING_SECRET (app settings, or .env)")]
    client = AsyncWebClient(settings.slack_bot_token, base_url=settings.slack_api_url, timeout=10, retry_handlers=[])
    directory = SlackDirectory(client, "", None, dict, SteadyClock())
    try:
        home = await directory.home()
    except SlackUnavailableError as error:
        detail = f"Slack answered {error.code} to auth.test; check SLACK_BOT_TOKEN and the network"
        return [Finding("slack", State.FAIL, detail)]
    found = [Finding("slack", State.GOOD, f"workspace {home.team_name} ({home.team_id}), bot {home.bot_user_id}")]
    found.append(_scopes(home))
    found += [one async for one in _app(home, directory)]
    return [*found, *[one async for one in _in_slack(settings, client)]]


async def _app(home: HomeWorkspace, directory: SlackDirectory) -> AsyncIterator[Finding]:
    try:
        await directory.app_of(home.bot_id)
    except SlackUnavailableError as error:
        detail = f"Slack answered {error.code} to bots.info, so it is not known which app's requests to take"
        yield Finding("app", State.FAIL, f"{detail}; check the scope users:read")


def _scopes(home: HomeWorkspace) -> Finding:
    if not home.scopes:
        return Finding("scopes", State.WARN, "Slack did not list them; compare with `foureyes manifest`")
    missing = sorted(SCOPES - home.scopes)
    if missing:
        return Finding("scopes", State.FAIL, f"missing {', '.join(missing)}; add them and reinstall the app")
    return Finding("scopes", State.GOOD, ", ".join(sorted(SCOPES)))


async def _in_slack(settings: Settings, client: AsyncWebClient) -> AsyncIterator[Finding]:
    calls = SlackCalls(SteadyClock())
    channels = [settings.channel] if settings.channel else []
    with suppress(PolicyFolderError):
        folder = load_policy(settings.policy)
        channels += folder.channels.values()
        async for found in _groups(folder, calls, client):
            yield found
    try:
        answer = await calls.make("auth.test", client.auth_test)
    except SlackUnavailableError as error:
        yield Finding("clock", State.WARN, f"Slack answered {error.code}: its clock cannot be compared with")
    else:
        yield _clock(answer.headers.get("Date", ""))
    for channel in dict.fromkeys(channels):
        yield await _channel(channel, calls, client)


async def _channel(channel: str, calls: SlackCalls, client: AsyncWebClient) -> Finding:
    try:
        await calls.make("conversations.history", lambda: client.conversations_history(channel=channel, limit=1))
    except SlackUnavailableError as error:
        detail = f"{channel}: {error.code}; invite the bot to the channel and check its id"
        return Finding("channel", State.FAIL, detail)
    return Finding("channel", State.GOOD, f"{channel}: the bot is in it")


async def _groups(folder: PolicyFolder, calls: SlackCalls, client: AsyncWebClient) -> AsyncIterator[Finding]:
    grouped = {name: members for name, members in folder.roles.items() if members.usergroup}
    if not grouped:
        return
    try:
        answer = await calls.make("usergroups.list", client.usergroups_list)
        ids = {group["handle"]: group["id"] for group in answer["usergroups"] if not group.get("date_delete")}
        for name, members in grouped.items():
            ident = ids.get(members.usergroup)
            if ident is None:
                yield _role(folder, name, len(members.users), f", and Slack has no user group @{members.usergroup}")
                continue
            inside = await calls.make("usergroups.users.list", partial(client.usergroups_users_list, usergroup=ident))
            people = members.users | set(inside["users"])
            yield _role(folder, name, len(people), f", with those of the user group @{members.usergroup}")
    except SlackUnavailableError as error:
        yield Finding("roles", State.FAIL, f"Slack answered {error.code} when asked for user groups")


def _clock(date: str) -> Finding:
    try:
        skew = abs(SteadyClock()() - email.utils.parsedate_to_datetime(date))
    except (TypeError, ValueError):
        return Finding("clock", State.WARN, "Slack sent no date to compare with")
    seconds = int(skew.total_seconds())
    if skew > _MOST_SKEW:
        return Finding("clock", State.FAIL, f"{seconds} s apart from Slack's; clicks will be refused. Set up NTP")
    return Finding("clock", State.GOOD, f"{seconds} s apart from Slack's")
