"""Reads `facts:` of a tool's page: `NAME: string` for what the agent says, `NAME: {url: ...}` for what is looked up.

Never looks anything up, and reads no environment: a secret is named here, never written.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Final

import yaml

from approval_rules.facts import FACT_TYPES, DeclaredFact, FactType, Lookup
from approval_rules.kinds import ANYTHING, NUMBER, TEXT, TRUTH, Kind
from approval_rules.names import RESERVED, TOUCHES
from approval_rules.nearest import nearest
from bot.callback_target import ForbiddenTargetError, Target
from bot.lookup_address import names_in, target_of
from bot.marked_yaml import Page
from bot.settings import LOOKUP_TOKEN

MAX_LOOKUPS: Final = 8
MAX_CACHE: Final = timedelta(hours=1)
SHORTEST_WAIT: Final = timedelta(milliseconds=100)
LONGEST_WAIT: Final = timedelta(seconds=10)
DEFAULT_WAIT: Final = timedelta(seconds=2)
_KINDS: Final[Mapping[FactType | None, Kind]] = {"string": TEXT, "number": NUMBER, "boolean": TRUTH, None: ANYTHING}
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_POINTER: Final = re.compile(r"(?:/(?:[^~/]|~[01])*)*")
_LONGEST_POINTER: Final = 300
_SPAN: Final = re.compile(r"([0-9]{1,5}(?:\.[0-9]{1,3})?)(ms|s|m|h)")
_UNITS: Final = {"ms": Decimal(1), "s": Decimal(1000), "m": Decimal(60_000), "h": Decimal(3_600_000)}
_FIELDS: Final = ("url", "pointer", "header_env", "cache", "timeout", "type")
_NO_URL: Final = {
    "url-with-credentials": "a URL holds no user and no password; name a variable with header_env",
    "placeholder-misplaced": "arguments stand as {name} after the host, in the path or the query, and nowhere else",
    "port-not-allowed": "the URL's port is none",
    "host-malformed": "the URL's host is neither a name nor an address as it is usually written",
    "url-too-long": "the URL is too long",
}


def read_facts(page: Page, node: yaml.Node, arguments: Kind) -> tuple[DeclaredFact, ...]:
    """Give every declared fact; a name that an argument or the server bears is a fault."""
    found: list[DeclaredFact] = []
    for name, each in page.fields(node, "facts").items():
        fact = _read_fact(page, name, each, arguments)
        if not _NAME.fullmatch(name):
            page.fault(each, f"the fact '{name}' cannot stand in a condition; use letters, digits and '_'")
        elif name in RESERVED or name in TOUCHES:
            page.fault(each, f"'{name}' is the server's own name; choose another")
        elif name in arguments.fields:
            page.fault(each, f"'{name}' is an argument in the contract already; a name has one value")
        elif fact is not None:
            found.append(fact)
    if sum(fact.lookup is not None for fact in found) > MAX_LOOKUPS:
        page.fault(
            node, f"at most {MAX_LOOKUPS} facts of a tool are looked up; take several out of one answer's object"
        )
    return tuple(found)


def kind_of_fact(fact: DeclaredFact) -> Kind:
    """Say what is known of a fact's value before there is one."""
    return _KINDS[fact.type]


def _read_fact(page: Page, name: str, node: yaml.Node, arguments: Kind) -> DeclaredFact | None:
    if isinstance(node, yaml.MappingNode):
        return _read_lookup(page, name, node, arguments)
    wanted = _read_type(page, node, f"the kind of the fact '{name}'")
    return None if wanted is None else DeclaredFact(name, wanted)


def _read_type(page: Page, node: yaml.Node, what: str) -> FactType | None:
    word = page.words(node, what)
    if word is None or word in FACT_TYPES:
        return word
    near = nearest(word, FACT_TYPES)
    page.fault(node, f"a fact is one of {', '.join(FACT_TYPES)}" + (f"; did you mean '{near}'?" if near else ""))
    return None


def _read_lookup(page: Page, name: str, node: yaml.Node, arguments: Kind) -> DeclaredFact:
    before = len(page.faults)
    fields = page.fields(node, "a fact", _FIELDS)
    if "url" not in fields:
        if len(page.faults) == before:
            page.fault(node, f"a fact is a type, such as `{name}: string`, or has a 'url' where it is looked up")
        return DeclaredFact(name)
    url, target = _read_url(page, fields["url"], arguments)
    lookup = Lookup(
        url=url,
        source=target.host if target else "",
        pointer=_read_pointer(page, name, fields.get("pointer")),
        header_env=_read_header_env(page, fields["header_env"]) if "header_env" in fields else None,
        cache=_read_span(page, fields, "cache", timedelta(), (timedelta(), MAX_CACHE), "0s to 1h, such as 60s"),
        timeout=_read_span(page, fields, "timeout", DEFAULT_WAIT, (SHORTEST_WAIT, LONGEST_WAIT), "100ms to 10s"),
    )
    wanted = _read_type(page, fields["type"], "type") if "type" in fields else None
    # Known all the same: a rule that reads it would else be a second fault.
    return DeclaredFact(name, wanted, lookup if len(page.faults) == before else None)


def _read_url(page: Page, node: yaml.Node, arguments: Kind) -> tuple[str, Target | None]:
    url = page.words(node, "url") or ""
    if not url:
        return "", None
    try:
        target = target_of(url)
    except ForbiddenTargetError as error:
        page.fault(node, _NO_URL.get(error.reason, "url is a web address such as https://crm.example.com/c/{id}"))
        return "", None
    for name in names_in(url):
        if arguments.closed and name not in arguments.fields:
            near = nearest(name, arguments.fields)
            page.fault(
                node, f"the contract has no argument '{name}'" + (f"; did you mean '{near}'?" if near else "; add it")
            )
    return url, target


def _read_pointer(page: Page, name: str, node: yaml.Node | None) -> str:
    """Give the JSON pointer; an empty one is the whole answer."""
    if node is None:
        return f"/{name}"
    text = node.value if isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:str" else None
    if isinstance(text, str) and len(text) <= _LONGEST_POINTER and _POINTER.fullmatch(text):
        return text
    page.fault(node, 'pointer is a JSON pointer such as /customer/tier, or "" for the whole answer')
    return ""


def _read_header_env(page: Page, node: yaml.Node) -> str | None:
    name = page.words(node, "header_env")
    if name is not None and not LOOKUP_TOKEN.fullmatch(name):
        page.fault(
            node,
            "header_env names a variable such as FOUREYES_CRM_TOKEN: only those that begin with FOUREYES_ and end"
            " with _TOKEN are ever sent",
        )
    return name


def _read_span(
    page: Page,
    fields: Mapping[str, yaml.Node],
    name: str,
    default: timedelta,
    bounds: tuple[timedelta, timedelta],
    says: str,
) -> timedelta:
    if name not in fields:
        return default
    node = fields[name]
    match = _SPAN.fullmatch(node.value) if isinstance(node, yaml.ScalarNode) else None
    span = timedelta(milliseconds=float(Decimal(match[1]) * _UNITS[match[2]])) if match else None
    if span is not None and bounds[0] <= span <= bounds[1]:
        return span
    page.fault(node, f"{name} is a time from {says}")
    return default
