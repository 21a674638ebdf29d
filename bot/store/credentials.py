"""What people prove themselves with, as rows: read with what this batch has planned, written whole.

The state here is the fold of the person's events, the material what their entries have digests of (`audit verify`
compares); the rest is what a log must not hold.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, field, fields
from typing import Any, cast, get_args

from approval_rules.factor_events import FactorEvent, Held
from approval_rules.factors import Credential, Factors, State, fold_factors
from approval_rules.people import PersonId
from bot.store.bound import material_digests
from bot.store.codec import Recorded
from bot.store.rows import Row
from bot.store.transaction import Transaction

FACTOR_EVENTS = get_args(FactorEvent)


@dataclass(frozen=True, slots=True)
class CredentialRow:
    """One row. `material` is never shown: a public key, a sealed secret, hashes of codes. Times are texts as stored."""

    id: str
    person: PersonId
    factor: Held
    state: State
    label: str
    material: Mapping[str, Any] = field(repr=False)
    counter: int
    failures: int
    created_at: str
    active_since: str | None = None
    confirmed_by: str | None = None
    last_used_at: str | None = None


COLUMNS = ", ".join([one.name for one in fields(CredentialRow)])
OF_PERSON = f"SELECT {COLUMNS} FROM credentials WHERE person = :person ORDER BY id"  # noqa: S608 - constants
WAITING = (
    "SELECT DISTINCT person FROM credentials"
    " WHERE state = 'waiting' AND factor <> 'recovery' OR json_extract(material, '$.removal_asked')"
)
_EVERY = "SELECT id, person, factor, state, material FROM credentials ORDER BY id"
_PUT = (
    f"INSERT OR REPLACE INTO credentials ({COLUMNS})"  # noqa: S608 - constants
    f" VALUES ({', '.join('?' * len(fields(CredentialRow)))})"
)


def credentials_of(tx: Transaction, person: PersonId) -> dict[str, CredentialRow]:
    """Give a person's credentials by id, as earlier units of this batch left them."""
    planned = [row for row in tx.planned_rows(_PUT) if row[1] == person]
    return {row[0]: _credential(row) for row in [*tx.rows(OF_PERSON, {"person": person}), *planned]}


def credentials_from(found: Sequence[Row]) -> list[CredentialRow]:
    """Decode rows that a reader has read with `OF_PERSON`."""
    return [_credential(row) for row in found]


def put_credential(tx: Transaction, row: CredentialRow) -> None:
    """Write a credential as it is from now on."""
    values = [*astuple(row)]
    values[5] = json.dumps(dict(row.material), sort_keys=True)
    tx.write(_PUT, values)


def factors_of(tx: Transaction, person: PersonId) -> Factors:
    """Fold what happened to a person's factors, with what this batch has recorded of it."""
    recorded = [*tx.history(person), *(item for item in tx.loose() if _about(item, person))]
    return fold_factors(events_in(recorded))


def events_in(recorded: Iterable[Recorded]) -> list[FactorEvent]:
    """Pick the events of a person's factors."""
    return [cast("FactorEvent", item.event) for item in recorded if isinstance(item.event, FACTOR_EVENTS)]


def _about(item: Recorded, person: PersonId) -> bool:
    return isinstance(item.event, FACTOR_EVENTS) and cast("FactorEvent", item.event).person == person


def faults(connection: sqlite3.Connection, folded: Factors) -> Iterator[str]:
    """Give a line for each credential whose person, factor, state or material is not what the log says."""
    left = dict(folded)
    for ident, person, factor, state, material in connection.execute(_EVERY):
        wanted = left.pop(ident, None)
        if wanted is None:
            yield f"credential {ident} is in the index and not in the log"
        elif (person, factor, state) != (wanted.person, wanted.factor, wanted.state):
            found, said = f"{factor} of {person} {state}", f"{wanted.factor} of {wanted.person} {wanted.state}"
            yield f"credential {ident}: the index says {found}, the log says {said}"
        elif not _is_bound(material, wanted):
            yield f"credential {ident}: the index has another key, secret or code than the log says"
    for ident in left:
        yield f"credential {ident} is in the log and not in the index"


def _is_bound(text: str, wanted: Credential) -> bool:
    """Tell whether the material is what the log has digests of; what was enrolled before it had any passes."""
    try:
        material = json.loads(text)
        is_asked, found = bool(material.get("removal_asked")), material_digests(material)
    except (ValueError, TypeError, AttributeError):
        return False
    if wanted.state == "removed":
        return bool(material == {})
    if is_asked != (wanted.removal_asked is not None):
        return False
    if wanted.bound is None:
        return True
    count = len(wanted.bound) if wanted.left is None else wanted.left
    return len(found) == len({*found}) == count and {*found} <= {*wanted.bound}


def _credential(row: Row) -> CredentialRow:
    values = [*row]
    values[5] = json.loads(values[5])
    return CredentialRow(*values)
