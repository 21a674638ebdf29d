"""What one proposal is found by: the fold of its events and of those of its values that still live. Shows nothing.

What is withheld from people is not found by either: a search must not tell what a packet may not show.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import ROUND_FLOOR, Decimal
from typing import Final, NamedTuple

from approval_rules.events import Event, Submitted, Voted
from approval_rules.people import ActorKind
from approval_rules.personal import parted
from approval_rules.question_events import Edited
from approval_rules.state import Proposal
from approval_rules.text import AgentJson, AgentText, Json, unwrap_json, unwrap_object, unwrap_text
from approval_rules.times import format_time
from bot.search.words import words_in
from bot.store.rows import Loaded
from bot.store.terms import APART
from handlers.slack.found_secrets import masked
from handlers.slack.values import is_hidden, money_of

# A vote's evidence is signatures; what the server told the rules is no text of anybody.
_NO_WORDS: Final = frozenset({"evidence", "known"})
_MILLION: Final = 1_000_000
_LARGEST: Final = 2**62


class Amount(NamedTuple):
    """An amount in millionths, rounded down, and the entry whose arguments it stands in."""

    currency: str
    millionths: int
    entry: int


@dataclass(frozen=True, slots=True)
class Found:
    """What a proposal is found by. `words` are by the entry and the name of the value that they stand in."""

    seq: int
    proposal: str
    at: str
    states: frozenset[str]
    terms: frozenset[str]
    amounts: frozenset[Amount]
    words: Mapping[tuple[int, str], Sequence[str]]


def found_by(loaded: Loaded, since: int = 0) -> Found:
    """Fold a proposal into what it is found by; of words, only those of entries from the log index `since` on."""
    proposal, first = loaded.proposal, loaded.recorded[0]
    return Found(
        first.seq,
        proposal.id,
        format_time(proposal.created_at),
        states_of(proposal),
        terms_of(loaded),
        frozenset(
            Amount(currency, millionths(amount), _arguments_at(loaded)) for currency, amount in money_in(proposal)
        ),
        {
            (item.seq, name): words
            for item in loaded.recorded
            if item.seq >= since
            for name, texts in _texts(item.event, proposal)
            if (words := words_in(texts))
        },
    )


def terms_of(loaded: Loaded) -> frozenset[str]:
    """Give what a proposal is found by for ever: agent, tool, rule, people and states."""
    proposal = loaded.proposal
    rule = proposal.requirement.policy.rule
    return frozenset(
        {
            f"agent:{proposal.agent.id}",
            f"tool:{proposal.tool}",
            *(() if rule is None else (f"rule:{rule}",)),
            *(f"person:{ref}" for item in loaded.recorded for ref in _people(item.event)),
            *(f"state:{state}" for state in states_of(proposal)),
        }
    )


def states_of(proposal: Proposal) -> frozenset[str]:
    """Give the words for where a proposal stands: its state, and what became of the permission."""
    became = () if proposal.execution is None else (proposal.execution.status,)
    return frozenset({proposal.status.value, *became})


def money_in(proposal: Proposal) -> list[tuple[str, Decimal]]:
    """List the amounts of money among the arguments as they are now, with their currencies in small letters.

    Those in personal fields are left out: they go before the record does.
    """
    withheld = frozenset({*proposal.requirement.hidden, *(proposal.requirement.personal or ())})
    return sorted(
        (money.currency, money.amount)
        for name, value in _leaves(unwrap_object(proposal.arguments), withheld)
        if (money := money_of(name, value)) is not None and abs(money.amount) * _MILLION < _LARGEST
    )


def millionths(amount: Decimal) -> int:
    """Give an amount in whole millionths, rounded down."""
    return int((amount * _MILLION).to_integral_value(ROUND_FLOOR))


def words_of(loaded: Loaded) -> frozenset[str]:
    """Give every word that a proposal is found by."""
    texts = (texts for item in loaded.recorded for _, texts in _texts(item.event, loaded.proposal))
    return frozenset(word for each in texts for word in words_in(each))


def _people(event: Event) -> Iterator[str]:
    """Who did it, in whose name, and who started it."""
    if event.by.kind is not ActorKind.AGENT and event.by.kind is not ActorKind.SYSTEM:
        yield event.by.ref
    if isinstance(event, Voted) and event.on_behalf_of is not None:
        yield event.on_behalf_of
    if isinstance(event, Submitted) and event.started_by is not None:
        yield event.started_by
    if isinstance(event, Submitted) and event.initiator is not None:
        yield event.initiator.person


def _arguments_at(loaded: Loaded) -> int:
    return max(item.seq for item in loaded.recorded if isinstance(item.event, Submitted | Edited))


def _texts(event: Event, proposal: Proposal) -> Iterator[tuple[str, list[str]]]:
    """Give what people and agents wrote in an event, by the name of the value."""
    for field in fields(event):
        value = getattr(event, field.name)
        if field.name in _NO_WORDS:
            continue
        if isinstance(value, AgentText):
            yield field.name, [masked(unwrap_text(value))]
        elif isinstance(value, AgentJson):
            hidden = frozenset(proposal.requirement.hidden)
            apart = event.requirement.personal if isinstance(event, Submitted | Edited) else None
            whole = unwrap_json(value)
            parts = parted(whole, apart) if apart and field.name == "arguments" else (whole, None)
            for name, part in zip((field.name, APART), parts, strict=True):
                yield name, [_text(leaf) for _, leaf in _leaves(part, hidden)]


def _leaves(value: Json, hidden: frozenset[str], name: str = "") -> Iterator[tuple[str, Json]]:
    """Give the leaves with their dotted names, without those that policy hides."""
    if name and is_hidden(name, hidden):
        return
    if value is None or isinstance(value, str | int | Decimal):  # first, because most are
        yield name, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, hidden, f"{name}.{key}" if name else key)
    else:
        for inner in value:
            yield from _leaves(inner, hidden, name)


def _text(leaf: Json) -> str:
    return "" if leaf is None or isinstance(leaf, bool) else masked(str(leaf))
