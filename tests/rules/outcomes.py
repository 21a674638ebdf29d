"""What a folder that uses everything makes of thousands of bodies, as digests: `python -m tests.rules.outcomes`.

The same on every machine, under every locale, time zone and seed of Python's hashes. Never asserts.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from itertools import product
from pathlib import Path
from typing import Any

from approval_rules.commands import Draft
from approval_rules.contract import breaches
from approval_rules.policy import PolicyFolder, classify
from approval_rules.requirement import Requirement
from approval_rules.text import Json
from bot.policy_files import load
from handlers.http.reading import draft_of, fields_of, shaped
from handlers.http.schemas import ProposalIn
from handlers.http.strict_json import read_json
from tests.rules.builders import AGENT
from tests.rules.strictness import Outcome

GOLDEN = Path(__file__).parents[1] / "golden" / "outcomes"
_KEY = b"a server's secret, for the dial"
_FIRST = datetime(2026, 12, 24, 0, 30, tzinfo=UTC)
_AMOUNTS = ("0.01", "19.99", "2e1", "50", "50.00", "50.01", "1.001E+2", "100.11", "999.99", "1000.01", '"50"', "null")
_NOTES = ('"strasse"', '"stra\\u00dfe"', '"STRAßE İ"', '"\\ud83d\\ude80 up"', "5", "null")
_TAGS = ("[]", '["vip"]', '["new", "vip", "new"]', '"vip"')
_MAILS = ('["a@x"]', '["a@x", "b@x", "c@x"]', '"ann"', "[]", "null", "{}")


def draft_from(body: str) -> Draft:
    """Read a body as the server does."""
    read = read_json(body.encode())
    return draft_of(shaped(ProposalIn, read.value), fields_of(read.value))


def bodies() -> Iterator[str]:
    """Write every body: numbers, texts and lists in many forms, right and wrong ones."""
    for number, (amount, note, tags) in enumerate(product(_AMOUNTS, _NOTES, _TAGS)):
        country = ("DE", "KP", "xx", "")[number % 4]
        customer = f'"customer": {{"id": "{number % 7}", "country": "{country}"}}, "customer_id": "C-{number % 7}"'
        run = f'{{"tool_calls": {number % 12}}}' if number % 5 else "{}"
        arguments = f'{{"amount_usd": {amount}, {customer}, "note": {note}}}'
        facts = f'{{"facts": {{"tags": {tags}}}}}'
        more = f'"context": {facts}, "run": {run}'
        yield f'{{"tool": "payments.refund", "summary": "x", "arguments": {arguments}, {more}}}'
    for to, body in product(_MAILS, ('"short"', '"a longer text"', "17", "[1, 2]")):
        yield f'{{"tool": "mail.send", "summary": "x", "arguments": {{"to": {to}, "body": {body}}}}}'
    yield '{"tool": "keys.rotate", "summary": "x", "arguments": {}}'


def before(number: int) -> Mapping[str, Json]:
    """Say what the counters stand at for a body; of every seventh it cannot be told."""
    total = Decimal(number % 1000) + Decimal("0.10")
    return {"sum_amount_usd_24h_by_customer_id": total, "count_1h_by_agent": number % 9} if number % 7 else {}


def outcomes(folder: PolicyFolder) -> Iterator[tuple[Draft, Outcome]]:
    """Judge every body at an hour of its own."""
    folder = replace(folder, dial_key=_KEY)
    for number, body in enumerate(bodies()):
        draft = draft_from(body)
        yield draft, classify(folder, draft, AGENT, _FIRST + timedelta(hours=number), before(number))


def digests(path: Path) -> Mapping[str, str]:
    """Give the digest of what is decided (who is asked, by which rule), and that of every byte that is said."""
    folder = load(path)
    decided, said = [], []
    for draft, outcome in outcomes(folder):
        broken = (
            breaches(folder.policies[draft.tool].contract, draft.arguments) if draft.tool in folder.policies else ()
        )
        said.append([draft.digest, _plain(outcome), [_plain(each) for each in broken]])
        decided.append([draft.digest, _decided(outcome), [each.pointer for each in broken]])
    return {name: sha256(_written(each)).hexdigest() for name, each in (("decided", decided), ("said", said))}


def _decided(outcome: Outcome) -> object:
    if not isinstance(outcome, Requirement):
        return outcome.pointer
    seats = [[seat.role, seat.count] for seat in outcome.seats]
    return [outcome.tier, seats, outcome.policy.version, outcome.policy.rule, str(outcome.ttl), outcome.channel]


def _plain(value: Any) -> object:  # noqa: ANN401 - any of our dataclasses
    return asdict(value)


def _written(value: object) -> bytes:
    return json.dumps(value, default=str, ensure_ascii=False).encode()


if __name__ == "__main__":
    print(json.dumps(digests(Path(sys.argv[1]))))  # noqa: T201 - this is a command
