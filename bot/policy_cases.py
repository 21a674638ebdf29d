"""Reads cases, which say what a policy should make of a proposal, from YAML and from JSON lines. Never judges one.

A file with any fault is refused as a whole: a case that was silently left out would prove nothing.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from json.decoder import scanstring  # type: ignore[attr-defined]  # the stubs leave it out
from pathlib import Path
from typing import Literal, TypeAlias, cast, get_args

import yaml

from approval_rules.canonical import NotCanonicalError
from approval_rules.counters import HOW, named
from approval_rules.names import around
from approval_rules.nearest import nearest
from approval_rules.step_up import STEP_UPS, StepUp
from approval_rules.text import Json
from bot.marked_yaml import Page, PolicyFault
from bot.settings import DEFAULT_ENVIRONMENT
from handlers.http.strict_json import read_json

FOLDER = "cases"
NOON = datetime(2026, 1, 7, 12, 0, tzinfo=UTC)
"""When a case without `at` happens: noon of a Wednesday, the same today and next year."""

Outcome: TypeAlias = Literal["allowed", "asked", "blocked", "refused"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
_ENDINGS = (".yml", ".jsonl")
_FIELDS = (
    *("name", "tool", "arguments", "facts", "looked_up", "counters", "run", "agent", "at", "environment", "incident"),
    *("expect", "rule", "approvals", "roles", "step_up", "backup", "initiate", "because", "note"),
)
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9:]{5,8}(?:\.[0-9]{1,6})?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})")
_MOST = 1000
_LONGEST_NAME = 300
_Fault: TypeAlias = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a case wants to hear; None and empty stand for "whatever". `roles` names one role for each person."""

    outcome: Outcome
    rule: int | None = None
    approvals: int | None = None
    roles: tuple[str, ...] = ()
    because: str = ""
    step_up: StepUp | None = None
    backup: str | None = None
    initiate: str | None = None
    excluded: tuple[str, ...] | None = None

    @property
    def seats(self) -> Mapping[str, int] | None:
        """How many of each role, where that is said: `[a, a, b]`, or one role and its `approvals`."""
        if len(self.roles) == 1:
            return None if self.approvals is None else {self.roles[0]: self.approvals}
        return Counter(self.roles) if self.roles else None


@dataclass(frozen=True, slots=True)
class Case:
    """One case: where it stands, the fields of a proposal's body, who asks and when, and what should come of it.

    `before` says by name what only the server knows; a counter that it does not say cannot be told.
    `looked_up` has a value for each lookup, null for one that failed; None says nothing, and then the facts stand in.
    """

    file: str
    line: int
    name: str
    body: Mapping[str, Json] = field(repr=False)
    agent: str
    at: datetime
    expect: Expectation
    before: Mapping[str, Json] = field(default_factory=dict)
    looked_up: Mapping[str, Json] | None = field(default=None, repr=False)

    @property
    def tool(self) -> str:
        """The tool that is asked for."""
        return str(self.body["tool"])


class CaseFaultsError(Exception):
    """Cases that cannot be run, with every fault that was found."""

    def __init__(self, faults: Iterable[PolicyFault]) -> None:
        self.faults = tuple(sorted(faults))
        super().__init__("\n".join(map(str, self.faults)))


def read_folder(policy: Path, tools: Collection[str]) -> list[Case]:
    """Read the cases beside a policy; raises CaseFaultsError. No folder, no cases."""
    folder = policy / FOLDER
    if not folder.is_dir():
        return []
    paths = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    cases: list[Case] = []
    faults: list[PolicyFault] = []
    for path in paths:
        try:
            cases += read_file(path, tools)
        except CaseFaultsError as error:
            faults += error.faults
    if faults:
        raise CaseFaultsError(faults)
    return cases


def read_file(path: Path, tools: Collection[str]) -> list[Case]:
    """Read one file of cases; `tools` are those that have a policy. Raises CaseFaultsError and OSError."""
    page = Page(str(path))
    if path.suffix not in _ENDINGS:
        page.fault_at(0, 0, "cases are read from TOOL.yml and from .jsonl; rename it, or move it away")
        raise CaseFaultsError(page.faults)
    reader = _Reader(page, path.stem if path.suffix == ".yml" or path.stem in tools else None, tools)
    data = path.read_bytes()
    cases = list(reader.from_yaml(data) if path.suffix == ".yml" else reader.from_lines(data))
    if not cases and not page.faults:
        page.fault_at(0, 0, "holds no case")
    if page.faults:
        raise CaseFaultsError(page.faults)
    return cases


class _Reader:
    """Reads the cases of one file. Whatever the form, the fields are checked by the same lines."""

    def __init__(self, page: Page, tool: str | None, tools: Collection[str]) -> None:
        self._page = page
        self._tool = tool
        self._tools = tools
        self._names: set[str] = set()

    def from_yaml(self, data: bytes) -> Iterator[Case]:
        node = self._page.read(data)
        for item in [] if node is None else self._page.items(node, "the file"):
            before = len(self._page.faults)
            nodes = self._page.fields(item, "a case", _FIELDS)
            values = {name: self._value(name, each) for name, each in nodes.items()}

            def fault(name: str, detail: str, item: yaml.Node = item, nodes: Mapping[str, yaml.Node] = nodes) -> None:
                self._page.fault(nodes.get(name, item), detail)

            if len(self._page.faults) == before and (case := self._case(item.start_mark.line, values, fault)):
                yield case

    def _value(self, name: str, node: yaml.Node) -> Json:
        """Read a value; only for a moment the form without quotes, which YAML takes for a date of its own, is fine."""
        return str(node.value) if name == "at" and isinstance(node, yaml.ScalarNode) else self._page.json(node, name)

    def from_lines(self, data: bytes) -> Iterator[Case]:
        for number, raw in enumerate(data.split(b"\n")):
            if raw.strip():
                case = self._from_line(number, raw)
                if case is not None:
                    yield case

    def _from_line(self, number: int, raw: bytes) -> Case | None:
        def fault(name: str, detail: str) -> None:
            self._page.fault_at(number, _column(raw, name), detail)

        try:
            value = read_json(raw).value
        except UnicodeDecodeError as error:
            self._page.fault_at(number, error.start, "not UTF-8 from here on; save the file as UTF-8")
            return None
        except json.JSONDecodeError as error:
            self._page.fault_at(number, error.pos, f"not JSON: {error.msg}; a line holds one whole case")
            return None
        except NotCanonicalError as error:
            self._page.fault_at(number, _column(raw, error.pointer.partition("/")[2].partition("/")[0]), str(error))
            return None
        if not isinstance(value, Mapping):
            self._page.fault_at(number, 0, "a line must hold one case, as a JSON object")
            return None
        unknown = [name for name in value if name not in _FIELDS]
        for name in unknown:
            near = nearest(name, _FIELDS)
            hint = f"did you mean '{near}'?" if near else f"write one of {', '.join(_FIELDS)}"
            fault(name, f"a case has no '{name}'; {hint}")
        return None if unknown else self._case(number, value, fault)

    # --- from fields to a case

    def _case(self, line: int, values: Mapping[str, Json], fault: _Fault) -> Case | None:
        faults = len(self._page.faults)
        given = _Given({name: value for name, value in values.items() if value is not None}, fault)
        name = given.text("name", "every case needs a name of its own that says what it shows")
        if len(name) > _LONGEST_NAME:
            fault("name", f"a name has at most {_LONGEST_NAME} characters")
        if name in self._names:
            fault("name", "another case of this file has this name; give each its own")
        self._names.add(name)
        tool = self._tool_of(given)
        body: dict[str, Json] = {"tool": tool, "arguments": given.object("arguments", needed=True)}
        if "facts" in given.values:
            body["context"] = {"facts": given.object("facts")}
        if "run" in given.values:
            body["run"] = given.object("run")
        agent = given.text("agent") or "example"
        at, expect = given.moment("at"), given.expectation()
        before = {**given.around(), **given.counters()}
        looked_up = given.object("looked_up") if "looked_up" in given.values else None
        if len(self._page.faults) > faults:
            return None
        return Case(self._page.file, line + 1, name, body, agent, at, expect, before, looked_up)

    def _tool_of(self, given: "_Given") -> str:
        tool = given.text("tool")
        if tool:
            return tool
        if self._tool is None:
            given.fault("name", "needs 'tool': the file is not named after a tool of the policy")
        elif self._tool not in self._tools:
            near = nearest(self._tool, self._tools)
            hint = f"; did you mean {near}?" if near else ", or give the case a 'tool'"
            given.fault("name", f"no policy here is for the tool {self._tool}, after which the file is named{hint}")
        return self._tool or ""


@dataclass(frozen=True, slots=True)
class _Given:
    """The fields of one case, and where to say what is wrong with them."""

    values: Mapping[str, Json]
    fault: _Fault

    def text(self, name: str, needed: str = "") -> str:
        value = self.values.get(name)
        if value is None and not needed:
            return ""
        if isinstance(value, str) and value.strip():
            return value
        self.fault(name, needed or f"{name} must be text that is not blank")
        return ""

    def object(self, name: str, *, needed: bool = False) -> Mapping[str, Json]:
        value = self.values.get(name)
        if isinstance(value, Mapping):
            return value
        if needed or value is not None:
            self.fault(name, f"{name} must be an object" + (", which every case needs" if needed else ""))
        return {}

    def moment(self, name: str) -> datetime:
        value = self.values.get(name)
        if value is None:
            return NOON
        if isinstance(value, str) and _MOMENT.fullmatch(value):
            try:
                return datetime.fromisoformat(value.upper()).astimezone(UTC)
            except (ValueError, OverflowError):
                pass
        self.fault(name, f"{name} must be a moment with its zone, such as 2026-01-31T12:00:00Z")
        return NOON

    def whole(self, name: str) -> int | None:
        value = self.values.get(name)
        if value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _MOST):
            return value
        self.fault(name, f"{name} must be a whole number from 1 to {_MOST}")
        return None

    def around(self) -> Mapping[str, Json]:
        incident = self.values.get("incident", False)
        if not isinstance(incident, bool):
            self.fault("incident", "incident is true or false")
        return around(self.text("environment") or DEFAULT_ENVIRONMENT, incident=incident is True)

    def counters(self) -> Mapping[str, Json]:
        found: dict[str, Json] = {}
        for text, value in self.object("counters").items():
            read, counters = named(text)
            if set(counters) != {read.strip()}:
                self.fault("counters", f"{text!r} is no counter; {HOW}")
            elif isinstance(value, bool) or not isinstance(value, int | Decimal):
                self.fault("counters", f"{text} must be a number")
            else:
                found[read.strip()] = value
        return found

    def roles(self) -> tuple[str, ...]:
        value = self.values.get("roles", ())
        if isinstance(value, Sequence) and not isinstance(value, str):
            roles = [role for role in value if isinstance(role, str)]
            if len(roles) == len(value) and (roles or "roles" not in self.values):
                return tuple(roles)
        self.fault("roles", "roles must be a list of roles that is not empty")
        return ()

    def expectation(self) -> Expectation:
        outcome = self.text("expect", f"every case needs 'expect': {', '.join(OUTCOMES)}")
        if outcome and outcome not in OUTCOMES:
            near = nearest(outcome, OUTCOMES)
            self.fault(
                "expect", f"expect is one of {', '.join(OUTCOMES)}" + (f"; did you mean '{near}'?" if near else "")
            )
        approvals, roles = self.whole("approvals"), self.roles()
        step_up = next((known for known in STEP_UPS if known == self.values.get("step_up")), None)
        if step_up is None and "step_up" in self.values:
            self.fault("step_up", f"step_up is one of {', '.join(STEP_UPS)}")
        initiate = self.text("initiate") or None
        if initiate and outcome != "blocked":
            self.fault("initiate", "initiate can only be expected where it is blocked: expect: blocked")
        for name in ("approvals", "roles", "step_up", "backup"):
            if name in self.values and outcome != "asked" and not initiate:
                self.fault(name, f"{name} can only be expected where people are asked: expect: asked")
        if len(roles) > 1 and approvals not in (None, len(roles)):
            self.fault("approvals", f"with several roles each name is one person, so approvals is {len(roles)}")
        found = cast("Outcome", outcome)
        backup = self.text("backup") or None
        because = self.text("because")
        return Expectation(found, self.whole("rule"), approvals, roles, because, step_up, backup, initiate)


def _column(raw: bytes, name: str) -> int:
    """Find where a field of a line's object begins, counted from 0; 0 where it has no such field."""
    text = raw.decode()
    decoder, at = json.JSONDecoder(), text.find("{") + 1
    try:
        while True:
            at = _after_space(text, at)
            key, after = scanstring(text, at + 1)
            if key == name:
                return at
            _, after = decoder.raw_decode(text, _after_space(text, _after_space(text, after) + 1))
            at = _after_space(text, after) + 1
    except (ValueError, IndexError):
        return 0


def _after_space(text: str, at: int) -> int:
    while text[at] in " \t\r":
        at += 1
    return at
