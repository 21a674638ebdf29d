"""Reads what a weekly review is made of, and what it means to a reader: names, and what was asked for. Reads only."""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, cast

from approval_rules.access import ways_of
from approval_rules.events import Event, ProposalEvent, Submitted, Voted
from approval_rules.people import RoleName, ToolName
from approval_rules.policy import PolicyFolder
from approval_rules.review_events import ReviewEvent, WeekReviews, fold_reviews
from approval_rules.times import format_time, parse_time
from bot.policy_files import load_content
from bot.review.findings import Told
from bot.review.showing import Meaning, Paper, on_page
from bot.review.week import Week
from bot.store import rows
from bot.store.codec import PEOPLE, POLICY, REVIEW, SWITCH, Recorded
from bot.store.folds import recorded_of
from bot.store.persons import persons_from
from bot.store.policies import content_of, looking
from bot.store.reports import Kept
from handlers.desk import Face

_OPERATOR: Final = RoleName("operator")
_TOUCHED: Final = "SELECT DISTINCT subject FROM entries WHERE at >= :since AND at < :until AND subject GLOB 'prop_*'"
_FIRST: Final = "SELECT at FROM entries ORDER BY seq LIMIT 1"
_AGENTS: Final = "SELECT id, name FROM agents"


def told_of(connection: sqlite3.Connection, week: Week, folder: PolicyFolder) -> Told:
    """Read everything recorded of what happened in a week and in the week before it."""
    between = {"since": format_time(week.before.begins), "until": format_time(week.ends)}
    courses: list[Sequence[ProposalEvent]] = []
    loose: list[Event] = []
    for (subject,) in connection.execute(_TOUCHED, between).fetchall():
        events = [item.event for item in recorded_of(connection, subject) if item.event.at < week.ends]
        if isinstance(events[0], Submitted):
            courses.append(cast("Sequence[ProposalEvent]", events))
        else:
            loose += events
    loose += [item.event for item in recorded_of(connection, SWITCH)]
    joined = [item for item in recorded_of(connection, PEOPLE) if item.event.at < week.ends]
    names = dict(connection.execute(_AGENTS).fetchall())
    return Told(courses, loose, asked_by(folder), persons_from(joined), names)


def asked_by(folder: PolicyFolder) -> Mapping[ToolName, frozenset[RoleName]]:
    """Give the roles that each tool asks."""
    asked: dict[ToolName, frozenset[RoleName]] = {}
    for way in ways_of(folder):
        asked[way.tool] = asked.get(way.tool, frozenset()) | way.roles
    return asked


def reviewed_roles(told: Told, folder: PolicyFolder, week: Week) -> Sequence[RoleName]:
    """Name the roles whose week is reviewed: each that could have decided something, or has, and is still there."""
    could = frozenset[RoleName]().union(*asked_by(folder).values())
    voted = [
        events[0]
        for events in told.courses
        if any(isinstance(event, Voted) and week.holds(event.at) for event in events)
    ]
    did = frozenset(seat.role for first in voted if isinstance(first, Submitted) for seat in first.requirement.seats)
    return sorted((could | did) & folder.roles.keys())


def backups_of(folder: PolicyFolder, role: RoleName) -> tuple[RoleName, ...]:
    """Name who is called where a role does not do its review: its backups, and the operators."""
    backups = {way.ask.backup for way in ways_of(folder) if role in way.roles and way.ask.backup is not None}
    return tuple(sorted((backups | {_OPERATOR}) & folder.roles.keys() - {role}))


def log_begins(connection: sqlite3.Connection) -> datetime | None:
    """Tell when the log began; None for an empty one."""
    found = connection.execute(_FIRST).fetchone()
    return None if found is None else parse_time(found[0])


def reviews_from(recorded: Iterable[Recorded]) -> WeekReviews:
    """Fold what was recorded about weekly reviews."""
    return fold_reviews(cast("ReviewEvent", item.event) for item in recorded)


def reviews_of(connection: sqlite3.Connection) -> WeekReviews:
    """Read every weekly review."""
    return reviews_from(recorded_of(connection, REVIEW))


def folder_at(connection: sqlite3.Connection, at: datetime) -> PolicyFolder | None:
    """Read the policy that decided at a moment; None where none did. Raises PolicyStoreError and PolicyFolderError."""
    then = [item for item in recorded_of(connection, POLICY) if item.event.at < at]
    version = rows.versions_from(then).active
    return None if version is None else load_content(content_of(looking(connection), version))


def paper_of(connection: sqlite3.Connection, kept: Kept, *, whole: bool = True) -> Paper:
    """Put to a report what it means now, and what people have done to it where they were asked to review it.

    Without `whole` only the items that stand on the page get their actions: a busy week has ten thousand.
    """
    review = reviews_of(connection).of(kept.digest)
    by = [one.by.ref for one in review.signed] + [one.by.ref for one in review.flagged] if review else []
    items = kept.report["items"] if whole else on_page(kept.report)
    return Paper(kept, meaning_of(connection, kept.report, items, by), review)


def meaning_of(
    connection: sqlite3.Connection, report: Mapping[str, Any], items: Iterable[Mapping[str, Any]], others: Iterable[str]
) -> Meaning:
    """Look up the people of a report, some `others` who did not take part in the week, and the actions of `items`."""
    people = {person for one in report["items"] for person in one.get("people", ())} | {*report["deciders"], *others}
    found = connection.execute(rows.PEOPLE_BY_REF, {"refs": json.dumps(sorted(people))})
    proposals = {one["proposal"] for one in items if "proposal" in one}
    return Meaning(
        {ref: Face(user, name) for ref, _, user, name in found},
        {each: loaded.proposal for each in proposals if (loaded := rows.loaded_from(recorded_of(connection, each)))},
    )
