"""Which words a condition may have, checked before anything is built from them. Never evaluates anything.

rule-engine knows far more than a policy may use: power, regular expressions (Python's `re`, which can run for
seconds), a clock, functions. What is not named here is refused, with the place and what to write instead.
"""

import re
from typing import Any, NamedTuple

from approval_rules.counters import CALLS, HOW
from approval_rules.names import RESERVED
from approval_rules.nearest import nearest

_ALLOWED = frozenset({"FLOAT", "STRING", "SYMBOL", "TRUE", "FALSE", "AND", "OR", "NOT", "IN", "ATTR"}) | frozenset(
    {"LPAREN", "RPAREN", "LBRACKET", "RBRACKET", "COMMA", "EQ", "NE", "GT", "GE", "LT", "LE", "ADD", "SUB", "MUL"}
)
_REGEX = "regular expressions can run for very long; use ==, in [...], .starts_with('...') or .ends_with('...')"
_DIVISION = "division rounds; multiply on the other side instead"
_BITS = "this works on bits; write 'and', 'or', '<' or '>'"
_DEFAULT = "a missing value must ask people, so nothing can stand in for it; leave this away"
_CHOICE = "a choice inside a condition is hard to review; write two rules"
_DATE = "arguments carry no dates, only text and numbers; compare those"
_INSTEAD = {
    "POW": "'**' can compute for ever; write the number out",
    "EQ_FZM": _REGEX,
    "EQ_FZS": _REGEX,
    "NE_FZM": _REGEX,
    "NE_FZS": _REGEX,
    "TDIV": _DIVISION,
    "FDIV": _DIVISION,
    "MOD": _DIVISION,
    "BWAND": _BITS,
    "BWOR": _BITS,
    "BWXOR": _BITS,
    "BWLSH": _BITS,
    "BWRSH": _BITS,
    "COALESCE": _DEFAULT,
    "ATTR_SAFE": _DEFAULT,
    "NULL": "null counts as missing, and a missing value asks people; it cannot be compared",
    "QMARK": _CHOICE,
    "FOR": "a loop can run for very long; use 'in' with a list",
    "BYTES": "leave the 'b' before the quotes away",
    "DATETIME": _DATE,
    "TIMEDELTA": _DATE,
    "FLOAT_INF": "infinity is no amount; write a number",
    "FLOAT_NAN": "not-a-number is no amount; write a number",
    "COMMENT": "put the comment on a line of its own in the file",
    "LBRACE": "write a list: [...]",
}
_METHODS = frozenset({"starts_with", "ends_with"})
# rule-engine answers these for every object itself, whatever fields the agent sent.
_SHADOWED = frozenset({"keys", "values", "is_empty"})
_OPENS = frozenset({"LPAREN", "LBRACKET"})
_CLOSES = frozenset({"RPAREN", "RBRACKET"})
_JOINS = frozenset({"AND", "OR"})
_IN_DIGITS = re.compile(r"(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_ENDS_A_VALUE = frozenset({"SYMBOL", "RPAREN", "RBRACKET", "STRING", "FLOAT", "TRUE", "FALSE"})


class Token(NamedTuple):
    """One word: rule-engine's name for its kind, its text, and where it starts (0-based)."""

    kind: str
    text: str
    offset: int


Fault = tuple[int, str]
_NOTHING = Token("", "", 0)


def check_words(words: list[Token], length: int) -> Fault | None:
    """Give the place and the remedy of the first word that may not stand where it stands, or None."""
    end = Token("", "", length)
    padded = [_NOTHING, _NOTHING, *words, end, end]
    for i in range(2, len(padded) - 2):
        detail = _detail(*padded[i - 2 : i + 3])
        if detail:
            return padded[i].offset, detail
    return _mixed(words)


def _mixed(words: list[Token]) -> Fault | None:
    """Refuse `a and b or c`: which of the two binds, people do not agree on."""
    said = [""]
    for word in words:
        if word.kind in _OPENS:
            said.append("")
        elif word.kind in _CLOSES:
            said = said[:-1] or [""]
        elif word.kind in _JOINS:
            if said[-1] not in ("", word.kind):
                return word.offset, "'and' and 'or' side by side can be read in two ways; write ( ) around one of them"
            said[-1] = word.kind
    return None


def names_in(words: list[Token]) -> frozenset[str]:
    """Give the names that are looked up; what stands behind a dot is a field of something else."""
    return frozenset(
        word.text
        for last, word in zip([_NOTHING, *words], words, strict=False)
        if word.kind == "SYMBOL" and last.kind != "ATTR"
    )


def _detail(before: Token, last: Token, word: Token, then: Token, after: Token) -> str | None:
    if word.kind not in _ALLOWED:
        return _INSTEAD.get(word.kind, f"{word.text!r} is not for conditions")
    if word.text.startswith("$"):
        return f"{word.text} is the engine's own; write now.hour, now.weekday or now.date for the clock, or use a fact"
    if word.kind == "SYMBOL" and word.text in RESERVED and last.kind != "ATTR":
        return _reserved_detail(word.text, then, after)
    if word.kind == "LPAREN" and last.kind in _ENDS_A_VALUE and not (before.kind == "ATTR" and last.text in _METHODS):
        return HOW if last.text in CALLS else "only .starts_with('...') and .ends_with('...') can be called"
    if last.kind == "ATTR" and word.text in _METHODS and then.kind != "LPAREN":
        return f"call it with a text: .{word.text}('...')"
    if last.kind == "ATTR" and word.text in _SHADOWED:
        return f"to read a field of this name, write ['{word.text}']"
    if word.kind == "LBRACKET" and last.kind in _ENDS_A_VALUE:
        return _index_detail(word, then, after)
    if word.kind == "LBRACKET" and then.kind == "RBRACKET":
        return "nothing is in an empty list"
    if word.kind == "FLOAT" and not _IN_DIGITS.fullmatch(word.text):
        return f"write the number in plain digits, such as 50 or 0.5, and not {word.text!r}"
    if word.kind == "STRING" and "\\" in word.text:
        return "write the text as it is, without backslashes"
    if word.kind == "STRING" and last.kind == "IN":
        return f"'in' needs a list: [{word.text}]"
    return None


def _reserved_detail(name: str, then: Token, after: Token) -> str | None:
    if not RESERVED[name]:
        fields = then.kind == "LBRACKET" or (then.kind == "ATTR" and after.text not in _METHODS)
        return f"'{name}' is one value and has no fields; write it alone" if fields else None
    if then.kind != "ATTR":
        return f"'{name}' is the server's own; write one of its fields: {name}.{RESERVED[name][0]}"
    if after.text in RESERVED[name]:
        return None
    near = nearest(after.text, RESERVED[name])
    hint = f"did you mean '{near}'?" if near else f"it has {', '.join(RESERVED[name])}"
    return f"{name} has no field '{after.text}'; {hint}"


def _index_detail(word: Token, then: Token, after: Token) -> str | None:
    if word.text != "[":
        return _DEFAULT
    if then.kind != "STRING" or after.kind != "RBRACKET":
        return "only a field's name in quotes can stand here: ['name']"
    return None


def syntax_fault(text: str, token: Any) -> Fault:  # noqa: ANN401 - a word of rule-engine, which has no types
    """Say where a text stops to be a condition, and what to write instead; `token` is None at its end."""
    if token is None:
        return len(text), "ends too early, or uses a reserved word"
    rest = text[token.lexpos :]
    if rest.startswith("="):
        return token.lexpos, "a single '=' compares nothing; write '=='"
    word = rest.partition(" ")[0]
    if word.lower() in {"and", "or", "not", "in", "true", "false"} and word != word.lower():
        return token.lexpos, f"write '{word.lower()}' in small letters"
    return token.lexpos, f"not understood from {rest[:20]!r} on"
