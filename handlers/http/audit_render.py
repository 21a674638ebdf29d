"""Writes what auditors get: JSON of what was found, entries of the log as lines, and originals for a recorded look."""

import json

from approval_rules.text import unwrap_text
from approval_rules.times import format_time
from handlers.audit_desk import Followed, Hit, SearchPage
from handlers.exports.forms import LINES
from handlers.reveal_desk import Uncovered


def page_json(page: SearchPage) -> str:
    """Write a page of hits."""
    return json.dumps(page_fields(page))


def page_fields(page: SearchPage) -> dict[str, object]:
    """Give what is told of a page of hits."""
    hits = [_hit_fields(hit) for hit in page.hits]
    return {"found": hits, "after": page.after, "indexed": page.indexed, "size": page.size}


def _hit_fields(hit: Hit) -> dict[str, object]:
    """Give what is told of one hit; what is not shown is left out."""
    amounts = None if hit.amounts is None else [{"currency": name, "amount": str(much)} for name, much in hit.amounts]
    shown = {} if amounts is None else {"action": hit.words, "amounts": amounts}
    by = [
        {"person": each.person, "decision": each.decision, **({} if each.name is None else {"name": each.name})}
        for each in hit.decided_by
    ]
    return {
        "seq": hit.seq,
        "proposal": hit.proposal,
        "at": format_time(hit.at),
        "agent": {"id": hit.agent_id, "name": hit.agent},
        "tool": hit.tool,
        "rule": hit.rule,
        "state": hit.state,
        "told": hit.told,
        "decided_at": None if hit.decided_at is None else format_time(hit.decided_at),
        "votes": by,
        "erased": hit.erased,
        **shown,
    }


def lines(followed: Followed, form: str) -> bytes:
    """Write entries, each on a line, in a form of JSON_LINES."""
    write = LINES[form]
    return "".join(write(followed.origin, entry) + "\n" for entry in followed.entries).encode()


def uncovered_json(look: Uncovered) -> str:
    """Write originals, for a look that is on record."""
    found = [
        {"seq": each.seq, "where": unwrap_text(each.where), "text": unwrap_text(each.text)} for each in look.originals
    ]
    return json.dumps({"proposal": look.proposal, "field": look.field, "originals": found})
