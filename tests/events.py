"""One of every event: fixed ones for golden bytes, and a Hypothesis strategy for each class from its own types."""

import types
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from approval_rules import events
from approval_rules.events import Event
from approval_rules.text import AgentJson, AgentText, Json

_JSON: st.SearchStrategy[Json] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(max_size=8)
    | st.decimals(-9999, 9999, places=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
# Optional fields that came after the golden bytes: where they are absent, those bytes are written as ever.
_LATER = frozenset(
    {
        *("hashed", "dropped", "shadow", "candidate", "known", "backup", "action_tier", "lookups", "looked_up"),
        *(
            "SubmitRefused.digest",
            "SubmitRefused.run",
            "proof",
            "evidence",
            "Opinion.step_up",
            "Paused.revoke",
            "Resumed.every",
        ),
        *("interested", "excluded", "initiation", "initiator", "typed", "Approved.left_out"),
        *("urgent", "Reminded.last", "on_behalf_of", "key_digest"),
        *("editable", "Voted.category", "Revoked.reason", "personal", "PacketPosted.on_duty"),
        *("fingerprint", "bound", "Erased.people"),
    }
)
_LEAVES: dict[object, st.SearchStrategy[Any]] = {
    AgentText: st.builds(AgentText, st.text(max_size=20)),
    AgentJson: st.builds(AgentJson, st.dictionaries(st.text(max_size=5), _JSON, max_size=3)),
    datetime: st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - bounds
    timedelta: st.integers(0, 10**7).map(lambda seconds: timedelta(seconds=seconds)),
    str: st.text(max_size=12),
    int: st.integers(-(2**53) + 1, 2**53 - 1),
    bool: st.booleans(),
    type(None): st.none(),
}


def any_of(hint: Any) -> st.SearchStrategy[Any]:  # noqa: ANN401 - a type annotation
    """Give a strategy for a type as events use them."""
    if hint in _LEAVES:
        return _LEAVES[hint]
    if get_origin(hint) in (Union, types.UnionType):
        return st.one_of(*map(any_of, get_args(hint)))
    if get_origin(hint) is tuple:
        return st.lists(any_of(get_args(hint)[0]), max_size=3).map(tuple)
    if get_origin(hint) is Literal:
        return st.sampled_from(get_args(hint))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from(hint)
    if is_dataclass(hint) and isinstance(hint, type):
        hints = get_type_hints(hint)
        return st.builds(hint, **{field.name: any_of(hints[field.name]) for field in fields(hint)})
    return any_of(hint.__supertype__)


def one_of_each() -> list[Event]:
    """Make one event of every class, the same every time, with every field of the golden bytes filled."""
    return [_fixed(cls, cls.__name__) for cls in get_args(events.Event)]


def _fixed(hint: Any, name: str) -> Any:  # noqa: ANN401 - a type annotation
    origin = get_origin(hint)
    if hint is AgentText:
        return AgentText(f"{name}: «ü» <!channel>")
    if hint is AgentJson:
        return AgentJson({"amount_usd": Decimal("180.50"), "name": name, "list": [1, None, True]})
    if hint is datetime:
        return datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)
    if hint is timedelta:
        return timedelta(hours=4)
    if origin in (Union, types.UnionType):
        return _fixed(get_args(hint)[0], name)
    if origin is tuple:
        return (_fixed(get_args(hint)[0], f"{name}-1"),)
    if origin is Literal:
        return get_args(hint)[0]
    if isinstance(hint, type) and issubclass(hint, Enum):
        return next(iter(hint))
    if is_dataclass(hint) and isinstance(hint, type):
        hints = get_type_hints(hint)
        names = [field.name for field in fields(hint) if not _LATER & {field.name, f"{hint.__name__}.{field.name}"}]
        return hint(**{name: _fixed(hints[name], name) for name in names})
    plain: dict[object, object] = {str: name, int: 7, bool: True}
    return plain[hint] if hint in plain else _fixed(hint.__supertype__, name)
