"""One sentence that says what an action will do: from its tool and arguments alone, never from the agent's words."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from approval_rules.state import Proposal
from approval_rules.text import AgentJson
from handlers.counting import counted
from handlers.slack.blocks import MAX_HEADER
from handlers.slack.escape import Safe, visible
from handlers.slack.text import Field, Hidden, fields_of_action, tool_words
from handlers.slack.values import Money
from handlers.slack.wording import changes_policy

_AMOUNT_FIRST: Final = ("amount", "total", "sum", "price", "value")
# Who or what is acted upon, the most telling first.
_TARGETS: Final = (
    "to", "recipient", "recipients", "email", "to_email", "customer", "customer_id", "account", "account_id",
    "user", "user_id", "payee", "iban",
    "order", "order_id", "invoice_id", "payment_id", "subscription_id", "service", "environment", "env", "repo",
    "repository", "branch", "tag", "release", "cluster",
    "host", "database", "table", "bucket", "path", "file", "url", "domain", "resource",
    "resource_id", "key_id", "role", "group", "project", "project_id", "subject",
)  # fmt: skip
_RECEIVERS: Final = frozenset(_TARGETS[:13])
_SPOKEN: Final = frozenset({"to", "recipient", "recipients", "email", "to_email"})
_LONG: Final = 60
_MANY: Final = 8
_LABEL: Final = 30
_NOUNS: Final = frozenset(
    {"refund", "charge", "transfer", "payment", "payout", "credit", "invoice", "order", "discount", "purchase"}
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """What will happen, in one line; `approve` and `deny` are the buttons' labels."""

    text: Safe
    headline: Safe
    approve: Safe
    deny: Safe


def sentence_of(proposal: Proposal) -> Sentence:
    """Say what the action will do, amount and target first. Every value in it is whole or named as standing below."""
    fields = list(fields_of_action(proposal.arguments, proposal.requirement.hidden))
    if changes_policy(proposal):
        return _change(fields)
    amounts = _amounts(fields)
    amount = amounts[0] if amounts else None
    others = [field for field in fields if not field.is_money]
    targets = [field for key in _TARGETS for field in others if field.key == key] or others
    verb = tool_words(proposal.tool) or [visible(proposal.tool)]
    start = [" ".join(verb).capitalize(), *([amount.value] if amount else [])]
    told = " ".join(start) + _told(targets, verb, paid=amount is not None)
    extra = [f"{field.name} {field.value}" for field in amounts[1:_MANY]]
    if len(amounts) > _MANY:
        extra.append(f"and {counted(len(amounts) - _MANY, 'more amount')} (all listed below)")
    text = Safe(", ".join([told, *extra]))
    return Sentence(text, _headline(text, start), *_labels(verb, amount))


def money_at_stake(arguments: AgentJson, hidden: Hidden) -> Money | None:
    """Give the amount that the sentence begins with; None where there is none, or policy hides it."""
    amounts = _amounts(fields_of_action(arguments, hidden))
    return amounts[0].money if amounts else None


def _amounts(fields: Iterable[Field]) -> list[Field]:
    return sorted((field for field in fields if field.is_money), key=_amount_rank)


def _change(fields: list[Field]) -> Sentence:
    size = next((field.value for field in fields if field.key == "change"), Safe("its files"))
    told = Safe(f"Change the policy: {size}")
    return Sentence(told, told, Safe("Approve policy change"), Safe("Deny policy change"))


def _amount_rank(field: Field) -> int:
    first = field.key.partition("_")[0]
    return _AMOUNT_FIRST.index(first) if first in _AMOUNT_FIRST else len(_AMOUNT_FIRST)


def _told(targets: list[Field], verb: list[str], *, paid: bool) -> str:
    parts: list[str] = []
    for field in targets:
        words = field.key.removesuffix("_id").replace("_", " ")
        receives = field.key in _RECEIVERS and not parts
        label = "" if field.key in _SPOKEN or words in verb else visible(words) + " "
        value = field.value if len(field.value) <= _LONG else f"(long: {field.name} stands whole below)"
        to = "to " if field.key in _SPOKEN or (receives and paid) else "for " if paid and not parts else ""
        parts.append(f"{to}{label}{value}")
    if len(parts) > _MANY:
        parts[_MANY:] = [f"and {counted(len(parts) - _MANY, 'more field')} (all listed below)"]
    return " " + ", ".join(parts) if parts else ""


def _headline(text: Safe, start: list[str]) -> Safe:
    if len(text) <= MAX_HEADER:
        return text
    short = " ".join(start)
    return Safe(short if len(short) <= MAX_HEADER else "Read this before you decide")


def _labels(verb: list[str], amount: Field | None) -> tuple[Safe, Safe]:
    """Give the labels of Approve and Deny: readable in the 30 characters that a phone shows, never cut."""
    words = " ".join(verb).lower()
    named = f"{words}" if not amount else f"{amount.value} {words}" if verb[-1] in _NOUNS else f"{words} {amount.value}"
    for what in (named, amount.value if amount else words, words):
        if len(f"Approve {what}") <= _LABEL:
            deny = f"Deny {words}"
            return Safe(f"Approve {what}"), Safe(deny if len(deny) <= _LABEL else "Deny this action")
    return Safe("Approve this action"), Safe("Deny this action")
