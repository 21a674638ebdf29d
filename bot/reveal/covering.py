"""Covers, in kept values, what people are not shown: fields that the policy hides, secrets, card numbers.

It writes JSON as it read it but for that, and MUST NOT be the way to anything that a digest is made of.
"""

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from typing import Final, NamedTuple

from approval_rules.people import ProposalId
from bot.store.past import folded
from handlers.slack.found_secrets import masked
from handlers.slack.values import is_hidden

_COVERED: Final = "(hidden by policy)"
_VALUES: Final = frozenset({"arguments", "context", "run", "looked_up", "execution"})
"""Of a proposal as the API tells it: what agents wrote or the server looked up."""


class Leaf(NamedTuple):
    """One thing in a value that is covered: under which name of the policy, None for a secret; where; its JSON text."""

    hidden_as: str | None
    where: str
    text: str


class _Number(str):
    """A number as it stands in JSON."""

    __slots__ = ()


def hidden_in(connection: sqlite3.Connection, subject: str) -> Collection[str]:
    """Name the fields that are hidden in a proposal; none where the subject is no proposal."""
    proposal = folded(connection, ProposalId(subject))
    return () if proposal is None else tuple(proposal.requirement.hidden)


def covered(value: str, hidden: Collection[str]) -> str:
    """Give a value's JSON text with everything covered; unchanged where there is nothing to cover."""
    return _written(_parsed(value), hidden, "")


def covered_members(document: str, hidden: Collection[str]) -> str:
    """Give a proposal as the API tells it, covered: the policy's names are meant in what agents wrote only."""
    members = _parsed(document)
    assert isinstance(members, Mapping)  # noqa: S101 - it is our own document
    return (
        "{"
        + ",".join(
            f"{json.dumps(name)}:{_written(each, hidden if name in _VALUES else (), '')}"
            for name, each in members.items()
        )
        + "}"
    )


def is_open(value: str, hidden: Collection[str]) -> bool:
    """Whether nothing in a value's JSON text is covered."""
    return next(leaves(value, hidden), None) is None


def leaves(value: str, hidden: Collection[str]) -> Iterator[Leaf]:
    """Give everything in a value's JSON text that is covered."""
    return _leaves(_parsed(value), hidden, "")


def _parsed(value: str) -> object:
    # Numbers stay as they are written: they are read as text, and written as they were read.
    return json.loads(value, parse_float=_Number, parse_int=_Number)


def _hidden_as(name: str, hidden: Collection[str]) -> str | None:
    if not name or not is_hidden(name, hidden):
        return None
    return name if name in hidden else name.rpartition(".")[2]


def _written(value: object, hidden: Collection[str], name: str) -> str:
    if _hidden_as(name, hidden) is not None:
        return json.dumps(_COVERED)
    if isinstance(value, _Number):
        kept = masked(value)
        return str(value) if kept == value else json.dumps(kept, ensure_ascii=False)
    if isinstance(value, Mapping):
        inner = (
            f"{json.dumps(masked(key), ensure_ascii=False)}:{_written(each, hidden, f'{name}.{key}' if name else key)}"
            for key, each in value.items()
        )
        return "{" + ",".join(inner) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_written(each, hidden, name) for each in value) + "]"
    return json.dumps(masked(value) if isinstance(value, str) else value, ensure_ascii=False)


def _leaves(value: object, hidden: Collection[str], name: str) -> Iterator[Leaf]:
    hidden_as = _hidden_as(name, hidden)
    if hidden_as is not None:
        yield Leaf(hidden_as, name, _plain(value))
    elif isinstance(value, Mapping):
        for key, each in value.items():
            if masked(key) != key:
                yield Leaf(None, name, json.dumps(key, ensure_ascii=False))
            yield from _leaves(each, hidden, f"{name}.{key}" if name else key)
    elif isinstance(value, list):
        for each in value:
            yield from _leaves(each, hidden, name)
    elif isinstance(value, str) and masked(value) != value:
        yield Leaf(None, name, _plain(value))


def _plain(value: object) -> str:
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(k, ensure_ascii=False)}:{_plain(each)}" for k, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_plain, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
