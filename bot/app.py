"""The composition root: everything is made here, handed to whoever needs it, and put away in reverse order."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import aiohttp
import structlog
from slack_sdk.web.async_client import AsyncWebClient
from starlette.types import ASGIApp

from bot import anchoring, home, readiness
from bot.clock import Clock, NewId, new_token, not_before, salts
from bot.delivery.access_post import AccessSender
from bot.delivery.addresses import AllowList
from bot.delivery.agent_callback import CallbackSender
from bot.delivery.guarded_http import GuardedHttp
from bot.delivery.key_post import KeySenders
from bot.delivery.pace import BETWEEN_POSTS, ChannelPace
from bot.delivery.review_post import ReviewSender
from bot.delivery.slack_post import SlackPost
from bot.delivery.switch_post import SwitchPost
from bot.delivery.witness_post import WitnessPost
from bot.delivery.worker import OutboxWorker, Sender
from bot.desk.agents import AgentUseCases
from bot.desk.amending import AmendingUseCases, AnsweringUseCases
from bot.desk.auditing import AuditUseCases
from bot.desk.drilling import Drills
from bot.desk.new_keys import NewKeys
from bot.desk.operating import OperatorUseCases
from bot.desk.pause_buttons import PauseButtons
from bot.desk.people import PeopleUseCases
from bot.desk.second_factors import SecondFactors
from bot.desk.surroundings import name_environment
from bot.desk.sweeps import Sweeps
from bot.desk.wiring import PolicyInForce, Waiters, Wiring
from bot.directory import SlackDirectory
from bot.evidence.giving import EvidenceUseCases
from bot.factor_needs import lacks_pages
from bot.grants import jwks
from bot.keys import KeyFileError, SigningKey, dial_key, load_or_create
from bot.lookups.asking import Lookups
from bot.metrics import Metrics
from bot.pages import pages_of
from bot.person_marks import marking
from bot.policy_candidate import CandidateWatch
from bot.policy_watch import PolicyWatch, policy_at_start
from bot.retention import Retention
from bot.schedule import Ticks
from bot.settings import Settings, SettingsError
from bot.slack_calls import SlackCalls
from bot.standing_still import stands_still
from bot.store import guarding, outbox, schema
from bot.store.commit import Committed, no_crash
from bot.store.engine import StoreUnavailableError, database_path, lock_server, open_writer
from bot.store.outbox import Kind
from bot.store.reads import Reads
from bot.store.transaction import Sources
from bot.store.vaults import vault_of
from bot.store.writer import Writer
from bot.weekly_review import WeeklyReview
from bot.witnessing import Witnesses
from handlers.http.app import http_app
from handlers.http.ports import Check, HttpPorts
from handlers.slack.app import slack_app
from handlers.slack.config import SlackConfig
from handlers.slack.desks import Desks

_POST_SECONDS = 10.0
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Running:
    """A started server: the ASGI application, and the parts that operational calls and tests look into."""

    app: ASGIApp
    wiring: Wiring
    worker: OutboxWorker
    sweeps: Sweeps
    watch: PolicyWatch
    candidates: CandidateWatch
    metrics: Metrics
    drills: Drills
    witnesses: Witnesses
    audit: AuditUseCases
    weekly: WeeklyReview
    retention: Retention


@dataclass(frozen=True, slots=True)
class _Parts:
    """What stands before anything is served. `wall` is the machine's own clock."""

    wiring: Wiring
    anchors: anchoring.Anchoring
    bell: "_Bell"
    client: AsyncWebClient
    place: home.Home
    lookups: Lookups
    wall: Clock
    retention: Retention


@asynccontextmanager
async def running(
    settings: Settings,
    clock: Clock,
    new_id: NewId,
    *,
    crash_point: Callable[[str], None] = no_crash,
    pace: timedelta = BETWEEN_POSTS,
) -> AsyncIterator[Running]:
    """Start a server and stop it at the end.

    Refuses to start, with a message that says what to do: SettingsError, KeyFileError, PolicyFolderError,
    StoreUnavailableError, AnchorError, HomeUnknownError.
    """
    _require_slack(settings)
    async with AsyncExitStack() as stack:
        parts = await _wired(settings, clock, new_id, crash_point, stack)
        wiring, writer, reads, policy = parts.wiring, parts.wiring.writer, parts.wiring.reads, parts.wiring.policy
        clock, metrics, bell, place = wiring.clock, parts.bell.metrics, parts.bell, parts.place
        await guarding.keep(reads.path, writer)
        await writer.run(outbox.free_orphans)
        await writer.run(lambda tx: name_environment(tx, settings.environment))
        calls, paced = SlackCalls(clock, _POST_SECONDS), ChannelPace(clock, pace)
        slack = SlackPost(parts.client, calls, paced, place.bot_id, settings.channel)
        guarded = await stack.enter_async_context(GuardedHttp(_allowed(settings.callback_allow, "CALLBACK")))
        worker = bell.worker = OutboxWorker(wiring, _senders(wiring, slack, guarded, settings), crash_point)
        watch = PolicyWatch(settings.policy, settings.public_url, policy, writer, reads, metrics, clock)
        candidates = CandidateWatch(policy, writer, reads, metrics)
        await watch.look()
        await candidates.look()
        people, agents, sweeps = PeopleUseCases(wiring), AgentUseCases(wiring), Sweeps(wiring)
        witnesses = Witnesses(wiring, parts.anchors, settings, metrics)
        drills = Drills(wiring, agents, f"{socket.gethostname()}:{os.getpid()}")
        factors = SecondFactors(wiring, people, settings.public_url, new_token)
        weekly, auditing = WeeklyReview(wiring, settings), AuditUseCases(wiring)
        switch = PauseButtons(wiring, people, NewKeys(wiring, settings.public_url, new_token))
        desks = Desks(people, AmendingUseCases(wiring), factors, factors.starting, switch, weekly.desk, switch.keys)
        from_slack = slack_app(desks, _slack_config(settings, place, parts.wall), parts.client)
        ready = partial(readiness.checks, wiring, watch, parts.lookups, metrics, settings, drills, witnesses)
        ports = replace(
            _ports(wiring, auditing, settings, new_id, from_slack, ready, metrics),
            operators=OperatorUseCases(wiring, people, drills),
            pages=[*pages_of(factors, switch.keys, clock), *weekly.pages],
        )
        stack.push_async_callback(_cancel, asyncio.create_task(worker.run()))
        stack.push_async_callback(witnesses.close)
        stack.push_async_callback(_last_checkpoint, parts.anchors, writer)
        ticks = _ticks(parts, sweeps, watch)
        ticks.every(1, "witnesses", witnesses.look)
        ticks.every(5, "cosigning", witnesses.ask)
        ticks.every(2, "candidate", candidates.look)
        ticks.every(1, "asked_drill", drills.obey)
        ticks.every(1, "search_index", auditing.indexer.look)
        ticks.every(600, "weekly_drill", drills.keep)
        ticks.every(60, "weekly_review", weekly.look)
        ticks.every(3600, "roles", AccessSender(wiring, slack).look)
        ticks.start()
        stack.push_async_callback(ticks.stop)
        watched = (watch, candidates, metrics, drills, witnesses, auditing, weekly, parts.retention)
        yield Running(http_app(agents, ports), wiring, worker, sweeps, *watched)


async def _wired(
    settings: Settings, clock: Clock, new_id: NewId, crash_point: Callable[[str], None], stack: AsyncExitStack
) -> _Parts:
    """Open the database, take the policy up, and learn from Slack where we are."""
    key = _signing_key(settings)
    # A machine whose clock was set back between two starts must not reopen a deadline that has passed in the log.
    # Whether Slack signed a request just now is still a matter of the machine's own clock.
    newest = anchoring.last_time(database_path(settings.database_url))
    if (told := stands_still(clock(), newest)) is not None:
        log.warning("time_stands_still", why=told)
    wall, clock = clock, not_before(clock, newest)
    path, anchors = _opened(settings, key, clock, stack)
    folder = replace(policy_at_start(settings.policy, path), dial_key=dial_key(key))
    policy = PolicyInForce(folder, settings.environment)
    if lacking := lacks_pages(folder, settings.public_url):
        raise SettingsError(lacking)
    bell = _Bell(asyncio.get_running_loop())
    vault = vault_of(path, settings.data_keys_file, new_token, key)
    writer = _writer(path, Sources(clock, new_id, salts, vault), bell, crash_point, stack)
    reads = Reads(path)
    stack.push_async_callback(reads.close)
    client = await _slack_client(settings, stack)
    directory = SlackDirectory(client, "", None, lambda: policy.folder.roles, clock, marking(key))
    place = await home.learn(directory, reads, writer)
    metrics, lookups = bell.metrics, await _lookups(settings, clock, bell.metrics, stack)
    wiring = Wiring(
        *(writer, reads, policy, directory, key, clock, place.team_id, bell.waiters),
        *(metrics.count_breach, metrics.count_exceeded, lookups.filled),
    )
    return _Parts(wiring, anchors, bell, client, place, lookups, wall, Retention(writer, reads, vault, clock))


def _ports(
    wiring: Wiring,
    auditing: AuditUseCases,
    settings: Settings,
    new_id: NewId,
    from_slack: ASGIApp,
    ready: Callable[[], Awaitable[Sequence[Check]]],
    metrics: Metrics,
) -> HttpPorts:
    """Say what the HTTP edge needs besides the desk."""
    return HttpPorts(
        clock=wiring.clock,
        new_request_id=lambda: new_id("req"),
        jwks=lambda: jwks([wiring.key]),
        ready=ready,
        metrics=metrics.exposition,
        answering=AnsweringUseCases(wiring),
        slack=from_slack,
        audit=auditing,
        evidence=EvidenceUseCases(wiring, auditing, settings.anchor_file),
    )


def _signing_key(settings: Settings) -> SigningKey:
    """Read the key; make one only for a log that has not begun: another key would make every signature a forgery."""
    path, database = settings.signing_key_file, database_path(settings.database_url)
    schema.require_current(database)
    if not path.exists() and anchoring.has_begun(database):
        raise KeyFileError(f"{path} is missing and the log has entries; restore the key from its backup")
    return load_or_create(path)


def _opened(
    settings: Settings, key: SigningKey, clock: Clock, stack: AsyncExitStack
) -> tuple[Path, anchoring.Anchoring]:
    """Take the database for this server, of this schema and not behind its anchor; anchor it when all is put away."""
    path = database_path(settings.database_url)
    stack.enter_context(lock_server(path))
    anchoring.require_not_behind(path, settings.anchor_file, key)
    anchoring.begin(path, settings.anchor_file, key)
    anchors = anchoring.Anchoring(path, settings.anchor_file, key, clock)
    stack.callback(anchors.close)
    return path, anchors


async def _slack_client(settings: Settings, stack: AsyncExitStack) -> AsyncWebClient:
    """Make the one client. One session keeps connections: a click's three seconds leave no time for handshakes."""
    return AsyncWebClient(
        settings.slack_bot_token,
        base_url=settings.slack_api_url,
        timeout=int(_POST_SECONDS),
        session=await stack.enter_async_context(aiohttp.ClientSession()),
        retry_handlers=[],
    )


async def _last_checkpoint(anchors: anchoring.Anchoring, writer: Writer) -> None:
    """Sign what there is; a database that cannot be written any more keeps no server from stopping."""
    try:
        await anchors.keep_due(writer, last=True)
    except StoreUnavailableError as error:
        log.warning("last_checkpoint_failed", error=str(error))


async def _cancel(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def _writer(
    path: Path, sources: Sources, bell: "_Bell", crash_point: Callable[[str], None], stack: AsyncExitStack
) -> Writer:
    writer = Writer(open_writer(path, checkpoints=True), sources, on_commit=bell.from_writer, crash_point=crash_point)
    stack.callback(writer.close)
    return writer


class _Bell:
    """Carries news of a commit from the writer's thread to the event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.waiters = Waiters()
        self.metrics = Metrics()
        self.worker: OutboxWorker | None = None

    def from_writer(self, committed: Committed) -> None:
        self.metrics.count(committed.kinds)
        self.metrics.count_denials(committed.denials)
        with suppress(RuntimeError):  # the loop is gone: nobody waits any more
            self._loop.call_soon_threadsafe(self._ring, committed)

    def _ring(self, committed: Committed) -> None:
        self.waiters.wake(committed.proposals)
        if self.worker is not None and committed.kinds:
            self.worker.wake()


def _require_slack(settings: Settings) -> None:
    for name, value in (
        ("SLACK_BOT_TOKEN", settings.slack_bot_token),
        ("SLACK_SIGNING_SECRET", settings.slack_signing_secret),
    ):
        if not value:
            raise SettingsError(f"{name} is not set; `foureyes init` writes a template, `foureyes doctor` checks it")
    if settings.slack_app_token:
        raise SettingsError("SLACK_APP_TOKEN is set, and Socket Mode is not supported yet; unset it and use HTTP")


def _allowed(text: str, whom: str) -> AllowList:
    try:
        return AllowList.parse(text)
    except ValueError as error:
        raise SettingsError(f"FOUREYES_{whom}_ALLOW: {error}") from None


async def _lookups(settings: Settings, clock: Clock, metrics: Metrics, stack: AsyncExitStack) -> Lookups:
    """Make what asks for facts: with connections and an allow list of its own, so that no callback gets there."""
    allow = _allowed(settings.lookup_allow, "LOOKUP")
    http = await stack.enter_async_context(GuardedHttp(allow))
    lookups = Lookups(http, allow, settings.lookup_tokens, clock, metrics.count_lookup)
    stack.push_async_callback(lookups.close)
    return lookups


def _slack_config(settings: Settings, place: home.Home, clock: Clock) -> SlackConfig:
    return SlackConfig(
        team_id=place.team_id,
        bot_user_id=place.bot_user_id,
        bot_token=settings.slack_bot_token,
        signing_secret=settings.slack_signing_secret,
        clock=clock,
        enterprise_id=place.enterprise_id,
        api_app_id=place.app_id,
    )


def _senders(wiring: Wiring, slack: SlackPost, guarded: GuardedHttp, settings: Settings) -> dict[Kind, Sender]:
    to_slack = KeySenders(wiring, slack, pages=settings.public_url is not None)
    return {
        Kind.POST: to_slack.packet,
        Kind.UPDATE: to_slack.packet,
        Kind.THREAD: to_slack.thread,
        Kind.ANNOUNCE: SwitchPost(wiring, slack, to_slack.announce),
        Kind.ESCALATE: to_slack.escalate,
        Kind.TELL: to_slack.tell,
        Kind.VOUCH: to_slack.vouch,
        Kind.ANSWER: to_slack.answer,
        Kind.CALLBACK: CallbackSender(wiring, guarded),
        Kind.ACCESS: AccessSender(wiring, slack),
        Kind.WITNESS: WitnessPost(wiring, slack),
        Kind.REVIEW: ReviewSender(wiring, slack),
    }


def _ticks(parts: _Parts, sweeps: Sweeps, watch: PolicyWatch) -> Ticks:
    wiring, anchors, metrics = parts.wiring, parts.anchors, parts.bell.metrics
    people = PeopleUseCases(wiring)

    async def anchor() -> None:
        anchors.write_if_grown()
        await anchors.keep_due(wiring.writer)

    async def gauge() -> None:
        overview = await people.overview()
        metrics.show(
            pending=overview.pending,
            paused=len(overview.pauses),
            waiting=overview.outbox_waiting,
            dead=overview.outbox_dead,
            incident=overview.incident is not None,
        )
        if overview.drill is not None:
            metrics.show_drill(ok=overview.drill.ok, held_at=overview.drill.at.timestamp())

    ticks = Ticks()
    ticks.every(1, "pass_time", sweeps.pass_time)
    ticks.every(1, "lift_timed_pauses", sweeps.lift_timed_pauses)
    ticks.every(1, "take_back", sweeps.take_back)
    ticks.every(1, "thaw", sweeps.thaw)
    ticks.every(1, "hand_over", sweeps.hand_over)
    ticks.every(1, "anchor", anchor)
    ticks.every(2, "policy", watch.look)
    ticks.every(5, "gauges", gauge)
    ticks.every(60, "forget", sweeps.forget)
    ticks.every(60, "retention", parts.retention.look)
    return ticks
