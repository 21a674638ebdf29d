"""The demo's cases: what a support agent proposes, read from examples/refunds.jsonl. It judges no case."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final

from approval_rules.canonical import Digest, digest_of

_HERE: Final = Path(__file__).parent
_BODY: Final = '"body": '


@dataclass(frozen=True, slots=True)
class Case:
    """One proposal: `body` is sent byte for byte, for reading it would round numbers; `expect` is the answer."""

    name: str
    note: str
    body: str
    expect: Mapping[str, str | int]

    @property
    def digest(self) -> Digest:
        """The digest of the action: what the agent claims with."""
        read = json.loads(self.body, parse_float=Decimal)
        return digest_of(read["tool"], read["arguments"])

    @property
    def asks(self) -> bool:
        """Whether people are asked."""
        return self.expect.get("state") == "pending"


def examples() -> Path:
    """Find the examples: inside an installed package, else in the source tree beside it."""
    inside = _HERE / "examples"
    return inside if inside.is_dir() else _HERE.parents[1] / "examples"


def load() -> tuple[Case, ...]:
    """Read every case, in the order in which the demo tells its story."""
    lines = (examples() / "refunds.jsonl").read_text(encoding="utf-8").splitlines()
    return tuple(map(_case, lines))


def _case(line: str) -> Case:
    read = json.loads(line)
    return Case(read["name"], read["note"], _raw_body(line), read["expect"])


def _raw_body(line: str) -> str:
    """Cut the body out as it is written: 50.000000000000001 must reach the server with all its digits."""
    start = line.index(_BODY) + len(_BODY)
    _, end = json.JSONDecoder().raw_decode(line, start)
    return line[start:end]
