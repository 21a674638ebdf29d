"""Modals and home tabs: whether a view is sound, who has which one open, and what was typed into it."""

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from bot.slack_standin.blocks import Surface, accept, find_faults, refuse_faults
from bot.slack_standin.clock import Ids
from bot.slack_standin.elements import plain
from bot.slack_standin.feed import Feed
from bot.slack_standin.refusal import Json, SlackRefusal
from bot.slack_standin.shapes import Finding, boolean, choice, record, string, wrong_type
from bot.slack_standin.typed_values import kept, state_of
from bot.slack_standin.workspace import Workspace

MAX_VIEW_BYTES: Final = 250_000
MAX_STACK: Final = 3


def _anything(_value: object, _pointer: str) -> Iterator[Finding]:
    yield from ()


_SHARED: Final = {
    "private_metadata": string(0, 3000),
    "callback_id": string(0, 255),
    "external_id": string(0, 255),
}
MODAL: Final = record(
    {"type": choice("modal"), "title": plain(24), "blocks": _anything},
    {
        **_SHARED,
        "submit": plain(24),
        "close": plain(24),
        "clear_on_close": boolean,
        "notify_on_close": boolean,
        "submit_disabled": boolean,
    },
)
HOME: Final = record({"type": choice("home"), "blocks": _anything}, _SHARED)


def find_view_faults(view: object, surface: Surface, pointer: str = "/view") -> list[Finding]:
    """Return everything that is wrong with a view."""
    if not isinstance(view, dict):
        return [wrong_type(pointer, "object", view)]
    found = list((MODAL if surface == "modal" else HOME)(view, pointer))
    if found:
        return found
    found = find_faults(view["blocks"], surface, f"{pointer}/blocks")
    if not found and surface == "modal" and "submit" not in view and _has_inputs(view):
        found = [Finding(f"{pointer}/submit", "submit is required with input blocks", "required", "submit", None)]
    return found


def _has_inputs(view: Json) -> bool:
    return any(block["type"] == "input" for block in view["blocks"])


def accept_view(view: object, surface: Surface, ids: Ids) -> Json:
    """Return a sound view as Slack stores it; refuse any other."""
    if len(json.dumps(view).encode()) > MAX_VIEW_BYTES:
        raise SlackRefusal("view_too_large")
    refuse_faults(find_view_faults(view, surface), "invalid_arguments")
    stored: Json = copy.deepcopy(view)  # type: ignore[arg-type]
    stored["blocks"] = accept(stored["blocks"], surface, ids)
    return stored


@dataclass(slots=True)
class OpenView:
    """One view that somebody has before them."""

    id: str
    user: str
    view: Json
    hash: str
    root: str
    previous: str | None = None
    typed: dict[str, Json] = field(default_factory=dict)

    def as_json(self, workspace: Workspace) -> Json:
        """Return the view object of answers and payloads."""
        shown: Json = {
            "id": self.id,
            "team_id": workspace.id,
            "app_id": workspace.app_id,
            "app_installed_team_id": workspace.id,
            "bot_id": workspace.bot_id,
            "private_metadata": "",
            "callback_id": "",
            "external_id": "",
            "title": None,
            "submit": None,
            "close": None,
            "clear_on_close": False,
            "notify_on_close": False,
            "submit_disabled": False,
            "root_view_id": self.root,
            "previous_view_id": self.previous,
            "hash": self.hash,
            "state": state_of(self.view["blocks"], self.typed),
        }
        return shown | copy.deepcopy(self.view)


class ViewStacks:
    """Everybody's stack of modals, and everybody's home tab."""

    def __init__(self, workspace: Workspace, ids: Ids, feed: Feed) -> None:
        self._workspace = workspace
        self._ids = ids
        self._feed = feed
        self._stacks: dict[str, list[OpenView]] = {}
        self.homes: dict[str, OpenView] = {}

    def stack(self, user: str) -> list[OpenView]:
        """Return what one person has open, the visible one last."""
        return list(self._stacks.get(user, ()))

    def all(self) -> list[OpenView]:
        """Return every open modal."""
        return [view for stack in self._stacks.values() for view in stack]

    def find(self, view_id: str | None = None, external_id: str | None = None) -> OpenView | None:
        """Return an open modal by either of its names."""
        for view in self.all():
            if (view_id and view.id == view_id) or (external_id and view.view.get("external_id") == external_id):
                return view
        return None

    def open(self, user: str, view: Json) -> OpenView:
        """Open a modal; whatever the person had open gives way to it."""
        self._check_external_id(view)
        self.close_all(user)
        return self._put(user, view, None)

    def push(self, user: str, view: Json) -> OpenView:
        """Lay a modal over the visible one, three at most."""
        stack = self._stacks.get(user, [])
        if not stack:
            raise SlackRefusal("not_found")
        if len(stack) >= MAX_STACK:
            raise SlackRefusal("push_limit_reached")
        self._check_external_id(view)
        return self._put(user, view, stack[-1])

    def update(self, shown: OpenView, view: Json, view_hash: str | None = None) -> OpenView:
        """Replace what a modal shows and keep what is typed in inputs that stay."""
        if view_hash and view_hash != shown.hash:
            raise SlackRefusal("hash_conflict")
        self._check_external_id(view, shown)
        shown.view = view
        shown.hash = self._ids.opaque()
        shown.typed = kept(view["blocks"], shown.typed)
        self._feed.publish("modal_updated", {"user": shown.user, "view": shown.as_json(self._workspace)})
        return shown

    def publish_home(self, user: str, view: Json, view_hash: str | None) -> OpenView:
        """Set one person's home tab."""
        known = self.homes.get(user)
        if known and view_hash and known.hash != view_hash:
            raise SlackRefusal("hash_conflict")
        view_id = known.id if known else self._ids.typed("V")
        shown = self.homes[user] = OpenView(view_id, user, view, self._ids.opaque(), view_id)
        self._feed.publish("home", {"user": user, "view": shown.as_json(self._workspace)})
        return shown

    def close(self, shown: OpenView) -> None:
        """Close one modal; the one below it becomes visible."""
        self._stacks[shown.user].remove(shown)
        self._feed.publish("modal_closed", {"user": shown.user, "view_id": shown.id})

    def close_all(self, user: str) -> None:
        """Close a person's whole stack, the visible one first."""
        for shown in reversed(self.stack(user)):
            self.close(shown)

    def _check_external_id(self, view: Json, own: OpenView | None = None) -> None:
        found = self.find(external_id=view.get("external_id"))
        if found is not None and found is not own:
            raise SlackRefusal("duplicate_external_id")

    def _put(self, user: str, view: Json, below: OpenView | None) -> OpenView:
        view_id = self._ids.typed("V")
        root, previous = (below.root, below.id) if below else (view_id, None)
        shown = OpenView(view_id, user, view, self._ids.opaque(), root, previous)
        self._stacks.setdefault(user, []).append(shown)
        self._feed.publish("modal_opened", {"user": user, "view": shown.as_json(self._workspace)})
        return shown
