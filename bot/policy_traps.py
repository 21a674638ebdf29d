"""What in a condition lets more through than it seems to: said by `policy check`, never a reason to refuse.

Texts are compared letter by letter, and an agent chooses how it writes them: in capitals, with a longer host, in an
alphabet whose letters look the same. Looks at conditions as they are written, and decides nothing.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any, Final

from approval_rules.conditions import Condition
from approval_rules.kinds import ANYTHING
from approval_rules.names import RESERVED
from approval_rules.nearest import nearest
from approval_rules.policy import Policy, Rule
from approval_rules.text import Json
from approval_rules.verdicts import Allow, Block

_TEXT: Final = r"'[^']*'|\"[^\"]*\""
_QUOTED: Final = re.compile(_TEXT)
_EDGE: Final = re.compile(rf"([A-Za-z_][\w.]*)\.(starts|ends)_with\(\s*({_TEXT})", re.ASCII)
_EQUALS: Final = re.compile(rf"([A-Za-z_][\w.]*)\s*(?:==\s*(?:{_TEXT})|in\s*\[\s*(?:{_TEXT}))", re.ASCII)
_ORDERED: Final = re.compile(
    rf"([A-Za-z_][\w.]*)\s*[<>]=?\s*(?:{_TEXT})|(?:{_TEXT})\s*[<>]=?\s*([A-Za-z_][\w.]*)", re.ASCII
)
_HOST: Final = re.compile(r"[a-z0-9][a-z0-9-]*(?:\.[a-z0-9-]+)+", re.IGNORECASE)
_BEGINS: Final = re.compile(r"https?://[^/]+|/.*[^/]", re.IGNORECASE)
_WHOLE: Final = re.compile(r"\^.*(?<!\\)\$", re.DOTALL)
_ATOM: Final = re.compile(r"\\.|\[[^\]]*\]|.")
_GROUP: Final = re.compile(r"\\.|\[(?:\\.|[^\]])*\]|\((?:\\.|[^()])*\)")
# Letters of other alphabets that look like a Latin one.
_ALIKE: Final = frozenset("асеһіјԛорѕԝхуԁѵгАВСЕНІЈКМОРЅТХУԜΑΒΕΖΗΙΚΜΝΟΡΤΥΧανορυχ")


def traps_in(policy: Policy, rule: Rule) -> Iterator[str]:
    """Say what of a rule's condition a reader takes for more than it is."""
    condition = rule.condition
    if condition is None:
        return
    if condition.always is not None:
        yield f"always holds, whatever {condition.always} is; leave the condition away, or write what was meant"
    for text in sorted({text[1:-1] for text in _QUOTED.findall(condition.text) if _looks_like_another(text[1:-1])}):
        odd = next(f"U+{ord(letter):04X}" for letter in text if not letter.isascii())
        yield f"compares with '{text}', of which a letter ({odd}) looks like another; write it in one alphabet"
    if isinstance(rule.verdict, Allow):
        yield from _too_wide(policy, condition)


def passes_blocks(policy: Policy) -> str | None:
    """Say what of the texts that blocks compare with an agent could write in another way; told once for a file."""
    blocks = [rule.condition.text for rule in policy.rules if rule.condition and isinstance(rule.verdict, Block)]
    names = sorted({name for text in blocks for name in _EQUALS.findall(text) if _is_free(policy, name)})
    if not names:
        return None
    return f"blocks a {', a '.join(names)} that is written exactly so, in other capitals it passes; list it as an enum"


def traps_in_contract(policy: Policy) -> Iterator[str]:
    """Say what of a tool's contract, and of what is hidden by name, holds less than it seems to."""
    if policy.contract is None:
        return
    found = list(_schemas(policy.contract.schema))
    for pattern in sorted({each["pattern"] for each in found if isinstance(each.get("pattern"), str)}):
        if _ATOM.fullmatch(pattern):
            continue  # one character that must be there, such as \S
        if not _WHOLE.fullmatch(pattern) or "|" in _GROUP.sub("", pattern):
            yield f"the pattern {pattern} need not match the whole text; write ^(?: ... )$ around it"
    names = {name for each in found for name in _mapping(each.get("properties"))} | {each.name for each in policy.facts}
    for name in policy.redact:
        near = None if name in names else nearest(name, names)
        if near:
            yield f"hides {name}, as no field is called; did you mean {near}?"


def _schemas(node: Json) -> Iterator[Mapping[str, Any]]:
    """Give every object in a schema, the outer ones first."""
    yield from [node] if isinstance(node, Mapping) else []
    for each in node.values() if isinstance(node, Mapping) else node if isinstance(node, list) else ():
        yield from _schemas(each)


def _mapping(node: Json) -> Mapping[str, Json]:
    return node if isinstance(node, Mapping) else {}


def _too_wide(policy: Policy, condition: Condition) -> Iterator[str]:
    """Say what an allow lets through beside what it names."""
    for name, side, quoted in _EDGE.findall(condition.text):
        text = quoted[1:-1]
        if side == "ends" and _HOST.fullmatch(text):
            yield f"allows a {name} that ends with evil-{text}; begin the text with '@' or '.', or use x-domains"
        if side == "starts" and _BEGINS.fullmatch(text):
            yield f"allows a {name} that goes on after {text}, such as {text}.evil; end the text with '/'"
    for name in sorted({one or other for one, other in _ORDERED.findall(condition.text)}):
        if _is_free(policy, name):
            yield f"puts {name} in order letter by letter, where '10' comes before '9'; hold its form in the contract"
    for name, values in condition.wanted.items():
        texts = [value for kind, value in values.these if kind == "StringExpression"]
        if not values.all_but or not texts:
            continue
        if name == "environment":
            yield "allows in every environment that has another name, and in one misspelt; name those where it may run"
        elif _is_free(policy, name):
            yield f"allows every {name} but what is written exactly so, in other capitals too; name those that may"


def _is_free(policy: Policy, name: str) -> bool:
    """Whether an agent may write a text as it likes: no list of values, no form, and not looked up."""
    top, *rest = name.split(".")
    if top in RESERVED or top in policy.lookups:
        return False
    kind = policy.contract.arguments if policy.contract else ANYTHING
    for part in (top, *rest):
        kind = kind.fields.get(part, ANYTHING)
    return kind.values is None


def _looks_like_another(text: str) -> bool:
    """Whether letters of another alphabet stand for Latin ones, or a form of a letter that only looks like it."""
    letters = [each for each in text if each.isalpha()]
    foreign = [each for each in letters if each in _ALIKE]
    latin = all(each in _ALIKE or unicodedata.name(each, "").startswith("LATIN") for each in letters)
    return (bool(foreign) and latin) or unicodedata.normalize("NFKC", text) != text
