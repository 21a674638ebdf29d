"""Makes the evidence pack of one decision: what each file of it holds. Never a clean pack over a log that is broken."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Literal

from approval_rules.canonical import canonical_bytes
from approval_rules.explanation import Explanation
from approval_rules.requirement import Hiding
from approval_rules.state import Proposal
from approval_rules.times import format_time
from bot.audit.signed_note import VerifierKey
from bot.audit.tlog_proof import tlog_proof
from bot.desk.permission import Permission, grant_for
from bot.evidence.factor_files import factor_files
from bot.evidence.gathering import Decision, Place
from bot.evidence.holding import action_of, faults_of
from bot.evidence.judging import Judgement, judgements
from bot.evidence.pack import PAGE, Pack, summed
from bot.evidence.showing import Shown, Views
from bot.evidence.telling import moments
from bot.evidence.withholding import for_its_agent, is_told, without_hidden
from bot.reveal.covering import covered_members
from bot.store.decisions import Written
from handlers.desk import Seen
from handlers.http.render import proposal_json
from handlers.slack.text import is_covered, seen_words
from handlers.web.evidence_page import Evidence, Proved, evidence_page
from handlers.web.evidence_words import README
from handlers.web.story import Moment

FORMAT: Final = "foureyes-evidence/1"
Verified = Literal["whole-log", "these-entries"]


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the files are made of."""

    decision: Decision
    seen: Seen
    shown: Sequence[Shown]
    judged: Sequence[Judgement]
    told: Sequence[Moment]
    broken: tuple[str, ...]
    grant: str | None
    for_agent: bool
    covered: bool


def pack_of(
    decision: Decision,
    place: Place,
    now: datetime,
    verified: Verified,
    wrong: Sequence[str] = (),
    *,
    for_agent: bool = False,
    originals: bool = False,
) -> Pack:
    """Make the pack; `wrong` is what a verification of the whole log found. A grant that could be used is left out.

    An agent is given what the API tells it, and the proofs. Others get what is hidden from people with `originals`
    only, for a look that is on record.
    """
    parts = _parts(decision, place, now, faults_of(decision, wrong), for_agent=for_agent, originals=originals)
    given, final = parts.decision, decision.proposal.deadline is None
    files = {
        **_entry_files(given),
        **_log_files(given, place),
        **({} if for_agent else _policy_files(given) | _people_file(given)),
        **_packet_files(parts.shown),
        **factor_files(given),
        **_action_file(given),
        **({} if parts.grant is None else {"grant.jws": parts.grant.encode()}),
        "decision.json": _decision_json(parts),
        "manifest.json": canonical_bytes(_manifest(parts, verified, final=final)),
        "README.txt": README.encode(),
        PAGE: evidence_page(_page(parts, verified, final=final)).encode(),
    }
    return Pack(decision.proposal.id, summed(files), parts.broken, final)


def _parts(
    decision: Decision, place: Place, now: datetime, broken: tuple[str, ...], *, for_agent: bool, originals: bool
) -> _Parts:
    views, last = Views(decision), decision.entries[-1].seq
    grant, judged = _over_grant(decision, place, now), judgements(decision)
    if not for_agent:
        told = moments(decision)
        given, shown = decision if originals else without_hidden(decision), views.packets()
        return _Parts(given, views.at(last), shown, judged, told, broken, grant, for_agent=False, covered=not originals)
    judged = [replace(each, explained=None) for each in judged]
    seen, told = decision.seen_at(last), moments(decision, is_told)
    return _Parts(for_its_agent(decision), seen, (), judged, told, broken, grant, for_agent=True, covered=False)


def _action_file(decision: Decision) -> dict[str, bytes]:
    action = action_of(decision)
    return {} if action is None else {"action.json": action}


def _entry_files(decision: Decision) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for each in decision.entries:
        files[f"entries/{each.seq}.json"] = each.body
        if each.living:
            files[f"entries/{each.seq}.disclosures"] = "".join(f"{value.line}\n" for value in each.living).encode()
        hashes = decision.proofs.hashes.get(each.seq)
        if hashes is not None and decision.proofs.note is not None:
            files[f"entries/{each.seq}.tlog-proof"] = tlog_proof(each.seq, hashes, decision.proofs.note).encode()
    return files


def _log_files(decision: Decision, place: Place) -> dict[str, bytes]:
    files = {"jwks.json": canonical_bytes({"keys": place.key.every_jwk()})}
    proofs = decision.proofs
    if proofs.note is not None and proofs.checkpoint is not None:
        keys = [f"{VerifierKey(proofs.checkpoint.origin, key)}\n" for key in place.keys(proofs.checkpoint.size)]
        files |= {"checkpoint": proofs.note.encode(), "keys.txt": "".join(keys).encode()}
    return files


def _policy_files(decision: Decision) -> dict[str, bytes]:
    """Give each version's list of files whole, and of the files those that decide about this tool."""
    files: dict[str, bytes] = {}
    for name, version in decision.versions.items():
        if version.content is not None:
            folder = f"policy/{name.removeprefix('sha256:')}"
            files[f"{folder}/listing"] = version.content.listing
            of_tool = version.of_tool(decision.proposal.tool)
            files |= {f"{folder}/files/{file}": data for file, data in of_tool.items()}
    return files


def _people_file(decision: Decision) -> dict[str, bytes]:
    """Give each account with the salt that binds its pseudonym to it."""
    bound = {
        ref: {"account": [one.account.team_id, one.account.user_id], "salt": one.salt}
        for ref, one in decision.bound.items()
    }
    return {"people.json": _json(bound)} if bound else {}


def _packet_files(shown: Sequence[Shown]) -> dict[str, bytes]:
    return {f"packets/{each.seq}.json": _json(_packet(each) | {"blocks": each.rendered.blocks}) for each in shown}


def _packet(each: Shown) -> dict[str, Any]:
    return {
        "seq": each.seq,
        "channel": each.channel,
        "ts": each.ts,
        "shown": each.shown,
        "rendered": each.rendered.shown,
        "same": each.how == "as posted",
        "text": each.rendered.text,
    }


def _json(value: object) -> bytes:
    """Write what we made ourselves: sorted keys, no white space."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _over_grant(decision: Decision, place: Place, now: datetime) -> str | None:
    """Sign the grant again, which gives the same bytes, once nobody can use it any more."""
    given = decision.permission
    if given is None or not decision.proposal.digest or now < given.claimed.grant_expires_at:
        return None
    signer = place.key.as_it_was(decision.granted_by or place.key.root_public)
    return None if signer is None else grant_for(signer, given).token


def _manifest(parts: _Parts, verified: Verified, *, final: bool) -> dict[str, Any]:
    decision = parts.decision
    checkpoint = decision.proofs.checkpoint
    proved = None
    if checkpoint is not None:
        root = checkpoint.text.splitlines()[2]
        proved = {"origin": checkpoint.origin, "root": root, "size": checkpoint.size}
    return {
        "format": FORMAT,
        "proposal": decision.proposal.id,
        "state": decision.proposal.status.value,
        "final": final,
        "verified": verified,
        "broken": list(parts.broken),
        "checkpoint": proved,
        "entries": [_counted(decision, each) for each in decision.entries],
        **({"for": "agent"} if parts.for_agent else {}),  # which is told of no pauses
    }


def _counted(decision: Decision, each: Written) -> dict[str, Any]:
    proved = each.seq in decision.proofs.hashes
    withheld = {"withheld": each.withheld} if each.withheld else {}
    return {"seq": each.seq, "disclosed": len(each.living), "erased": each.erased, "proved": proved, **withheld}


def _decision_json(parts: _Parts) -> bytes:
    decision = parts.decision
    proposal = proposal_json(parts.seen)
    if parts.covered:
        proposal = covered_members(proposal, decision.proposal.requirement.hidden)
    document = {
        "proposal": json.loads(proposal, parse_float=Decimal),
        "story": [
            {"seq": each.seq, "at": format_time(each.at), "kind": each.kind, "who": each.who, "what": each.what}
            for each in parts.told
        ],
        "packets": [_packet(each) for each in parts.shown],
        "judgements": [_judgement(each, decision.proposal) for each in parts.judged],
        "grant": _grant(decision.permission, parts.grant),
    }
    return canonical_bytes(document)


def _judgement(each: Judgement, proposal: Proposal) -> dict[str, Any]:
    told = {"seq": each.seq, "at": format_time(each.at), "version": each.version, "then": each.then, "now": each.now}
    told |= {"answer": each.answer, "why": each.why}
    rules = [] if each.explained is None else list(_rules(each.explained, proposal.requirement.hidden))
    return {**told, "rules": rules}


def _rules(found: Explanation, hidden: Mapping[str, Hiding]) -> Iterator[dict[str, Any]]:
    for one in found.rules:
        saw = {name: seen_words(value, of, hidden) for name, value, of in one.saw if is_covered(of, hidden) != "drop"}
        parts = [{"part": part.text, "holds": part.holds, "why": part.why} for part in one.parts]
        said = {"rule": one.rule.index, "if": one.rule.condition_text, "outcome": one.outcome, "why": one.why}
        yield {**said, "says": one.says, "saw": saw, "parts": parts}


def _grant(given: Permission | None, token: str | None) -> dict[str, Any] | None:
    if given is None:
        return None
    event = given.claimed
    told = {"id": event.grant_id, "seq": given.log.index, "given_at": format_time(event.at)}
    return {**told, "expires_at": format_time(event.grant_expires_at), "in_pack": token is not None}


def _page(parts: _Parts, verified: Verified, *, final: bool) -> Evidence:
    decision = parts.decision
    proofs = decision.proofs
    version = decision.versions[decision.proposal.requirement.policy.version]
    return Evidence(
        seen=parts.seen,
        at=decision.loaded.recorded[-1].event.at,
        final=final,
        whole=verified == "whole-log",
        broken=parts.broken,
        told=parts.told,
        shown=[(each.seq, each.at, each.how, each.rendered.blocks) for each in parts.shown],
        judged=[(each.seq, each.version, each.answer, each.why or each.now or each.then) for each in parts.judged],
        policy=[
            (name, data.decode("utf-8", "replace")) for name, data in version.of_tool(decision.proposal.tool).items()
        ],
        for_agent=parts.for_agent,
        grant=parts.grant,
        note=proofs.note,
        entries=[
            Proved(
                each.seq,
                str(each.entry.get("type")),
                each.seq in proofs.hashes,
                len(each.living),
                each.erased,
                each.withheld,
            )
            for each in decision.entries
        ],
    )
