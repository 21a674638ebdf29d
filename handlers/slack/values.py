"""Writes JSON values in words that a tired person reads right. It never rounds, cuts or guesses.

Only a name that ends in a currency (`amount_usd`) makes a number money: `amount: 18000, currency: usd` may be cents.
"""

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from approval_rules.canonical import canonical_text
from approval_rules.requirement import Hiding
from approval_rules.text import Json
from handlers.slack.escape import EMPTY, Safe, visible
from handlers.slack.found_secrets import masked

HIDDEN: Final = Safe("••• (hidden by policy)")
DROPPED: Final = Safe("(a field is left out: hidden by policy)")
NOTHING_HIDDEN: Final[Mapping[str, Hiding]] = {}
_DIGEST_SHOWN: Final = 8
_CURRENCIES: Final = frozenset(
    {
        "usd",
        "eur",
        "gbp",
        "chf",
        "jpy",
        "cad",
        "aud",
        "nzd",
        "sek",
        "nok",
        "dkk",
        "pln",
        "czk",
        "huf",
        "inr",
        "cny",
        "sgd",
        "hkd",
        "brl",
        "mxn",
        "zar",
        "krw",
        "ils",
        "try",
        "thb",
    }
)
_SYMBOLS: Final = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥"}
_NO_MINOR_UNIT: Final = frozenset({"jpy", "krw"})
_NOT_WHOLE: Final = frozenset({"cents", "cent", "minor", "pence", "micros", "millis"})
_NAMES_A_THING: Final = frozenset(
    {"id", "ids", "number", "no", "nr", "year", "phone", "port", "code", "zip", "version", "epoch", "timestamp", "ts"}
)
_AMOUNT_TEXT: Final = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,9})?")
_MOMENT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})?)?"
)
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_GROUPED_FROM: Final = 10_000
_SMALLEST_PLAIN: Final = -12


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount, and its currency in small letters."""

    amount: Decimal
    currency: str

    @property
    def words(self) -> Safe:
        """Write it as people do: `$1,234.50`."""
        return Safe(_amount(self.amount, self.currency))


@dataclass(frozen=True, slots=True)
class Line:
    """One value in words with its dotted name, empty where it has none. `block` has real line ends in its value.

    `covered`: policy hides the value, and what stands here is said instead of it.
    """

    name: Safe
    value: Safe
    block: bool = False
    covered: bool = False

    def in_one(self) -> Safe:
        """Write name and value on one line."""
        value = self.value.replace("\n", " ⏎ ")
        return Safe(f"{self.name}: {value}" if self.name else value)

    @property
    def size(self) -> int:
        """How many characters it takes to show it."""
        return len(self.name) + len(self.value) + 2


def lines_of(value: Json, hidden: Mapping[str, Hiding] = NOTHING_HIDDEN, name: str = "") -> Iterator[Line]:
    """Flatten a value to its leaves, in its own order; a field that `hidden` names is shown as hidden, however deep."""
    hiding = hiding_of(name, hidden)
    if hiding == "drop":
        yield Line(Safe(""), DROPPED, covered=True)
    elif hiding is not None:
        yield Line(_name(name), instead_of(value, hiding), covered=True)
    elif isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from lines_of(inner, hidden, f"{name}.{key}" if name else key)
    elif isinstance(value, Sequence) and not isinstance(value, str) and value:
        for place, inner in enumerate(value, 1):
            yield from lines_of(inner, hidden, f"{name}.{place}" if name else f"{place}")
    elif isinstance(value, str) and "\n" in value:
        yield Line(_name(name), visible(value, breaks=True), block=True)
    else:
        yield Line(_name(name), in_words(name, value))


def is_hidden(name: str, hidden: Collection[str]) -> bool:
    """Tell whether policy hides the field with this dotted name: by its whole name or by its last part."""
    return bool(hidden) and (name in hidden or name.rpartition(".")[2] in hidden)


def hiding_of(name: str, hidden: Mapping[str, Hiding]) -> Hiding | None:
    """Tell how policy hides the field with this dotted name; None where it does not."""
    if not is_hidden(name, hidden):
        return None
    return hidden[name] if name in hidden else hidden[name.rpartition(".")[2]]


def instead_of(value: Json, hiding: Hiding) -> Safe:
    """Give what is shown instead of a hidden value; the digest of a text is of its characters without quotes."""
    if hiding != "hash":
        return HIDDEN
    text = value if isinstance(value, str) else canonical_text(value)
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return Safe(f"sha256:{digest[:_DIGEST_SHOWN]} (hidden by policy)")


def in_words(name: str, value: Json) -> Safe:
    """Write one leaf; `name` tells what kind of number it is."""
    match value:
        case None:
            return Safe("(nothing)")
        case bool():
            return Safe("yes" if value else "no")
        case int() if (shown := masked(str(value))) != str(value):
            return Safe(shown)
        case int() | Decimal():
            return money(name, value) or Safe(_number(name, Decimal(value)))
        case str():
            return _text(name, value)
        case Mapping():
            return Safe("(empty object)")
        case _:
            return Safe("(empty list)")


def money_of(name: str, value: Json) -> Money | None:
    """Read an amount in the currency that the field's name ends in; None where it is no amount of money."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return None
    if isinstance(value, str) and not _AMOUNT_TEXT.fullmatch(value):
        return None  # most texts, before their names are taken apart
    words = name_words(name)
    if not words or words[-1] not in _CURRENCIES or _NOT_WHOLE & set(words):
        return None
    return Money(Decimal(value), words[-1])


def money(name: str, value: Json) -> Safe | None:
    """Write an amount of money, and beside it how it was sent where that was text; None where it is none."""
    found = money_of(name, value)
    if found is None:
        return None
    return Safe(f'{found.words} ("{value}")') if isinstance(value, str) else found.words


def name_words(name: str) -> list[str]:
    """Split a field's or a tool's last name into lower-case words: `amountUSD`, `amount_usd` and `amount-usd` alike."""
    return [word for word in re.split(r"[\W_]+", _CAMEL.sub("_", name.rpartition(".")[2]).lower()) if word]


def _name(name: str) -> Safe:
    return visible(name) if name else Safe("")


def _amount(value: Decimal, currency: str) -> str:
    sign = "-" if value < 0 else ""
    whole, _, fraction = format(value.copy_abs(), "f").partition(".")
    least = 0 if currency in _NO_MINOR_UNIT else 2
    fraction = fraction.rstrip("0").ljust(least, "0")
    digits = f"{int(whole):,}" + (f".{fraction}" if fraction else "")
    symbol = _SYMBOLS.get(currency)
    return f"{sign}{symbol}{digits}" if symbol else f"{sign}{digits} {currency.upper()}"


def _number(name: str, value: Decimal) -> str:
    plain = _plain(value)
    words = name_words(name)
    if abs(value) < _GROUPED_FROM or "E" in plain or (words and words[-1] in _NAMES_A_THING):
        return plain
    whole, point, fraction = plain.partition(".")
    return f"{int(whole):,}{point}{fraction}"


def _plain(value: Decimal) -> str:
    return format(value, "f") if value.adjusted() >= _SMALLEST_PLAIN else str(value)


def _text(name: str, value: str) -> Safe:
    if not value:
        return EMPTY
    if amount := money(name, value):
        return amount
    if _MOMENT.fullmatch(value) and (words := _moment(value)):
        return Safe(f"{value} ({words})")
    return visible(value)


def _moment(value: str) -> str | None:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    if "T" not in value and " " not in value:
        return f"{moment:%A %d %B %Y}"
    zone = f" {moment.tzname()}" if moment.tzinfo else ", no time zone"
    return f"{moment:%A %d %B %Y, %H:%M}{zone}"
