"""Finds what is covered in one proposal, and the originals of it. It only looks: whoever shows one records it first."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

from approval_rules.people import ProposalId
from approval_rules.text import AgentText
from bot.reveal.covering import leaves
from bot.store import rows
from bot.store.past import folded, living
from handlers.reveal_desk import Original


@dataclass(frozen=True, slots=True)
class Covered:
    """What is covered in a proposal, by the name under which it can be looked at."""

    proposal: ProposalId
    originals: Mapping[str, Sequence[Original]]


def covered_in(connection: sqlite3.Connection, unverified_id: str) -> Covered | None:
    """Find what is covered in what was written about a proposal and still lives; None where there is no such proposal.

    A field that the policy hides goes by the policy's name for it, a secret by the kind of value that it stands in.
    """
    proposal = folded(connection, ProposalId(unverified_id))
    if proposal is None:
        return None
    hidden = tuple(proposal.requirement.hidden)
    found: defaultdict[str, list[Original]] = defaultdict(list)
    entries = connection.execute(rows.ENTRIES_OF, {"subject": proposal.id}).fetchall()
    for seq, name, value in sorted(living(connection, entries), key=itemgetter(0, 1)):
        if value is None:  # it is sealed, and its key is gone
            continue
        for leaf in leaves(value, hidden):
            where = f"{name}.{leaf.where}" if leaf.where else name
            found[leaf.hidden_as or name].append(Original(seq, AgentText(where), AgentText(_read(leaf.text))))
    return Covered(proposal.id, found)


def _read(text: str) -> str:
    """Give a text without its quotes, anything else as its JSON."""
    return str(json.loads(text)) if text.startswith('"') else text
