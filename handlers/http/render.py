"""Writes proposals, evaluations and agents as JSON text, for answers and for callbacks.

One of the few files that unwrap what an agent wrote: it goes back to that agent, as JSON and nothing else. Numbers
are written from decimals in their canonical form; nothing passes through a float.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from json import dumps
from json.encoder import encode_basestring_ascii as _quoted

from approval_rules.amendments import Edit, Question
from approval_rules.canonical import canonical_text
from approval_rules.facts import LookedUp
from approval_rules.people import Agent, AgentId, PersonId
from approval_rules.personal import lost
from approval_rules.requirement import PolicyRef, Requirement, Tier
from approval_rules.state import Execution, Proposal, Status, Vote
from approval_rules.stop_events import DrillHeld
from approval_rules.switch import EVERYTHING, Pause
from approval_rules.text import AgentJson, AgentText, Json, unwrap_canonical, unwrap_object, unwrap_text
from approval_rules.times import format_time
from handlers.desk import BudgetLine, Evaluation, Face, Grant, Overview, Page, Seen, Switched


def proposal_json(seen: Seen, grant: Grant | None = None) -> str:
    """Write a proposal; with `grant`, the permission that was given out along with it."""
    proposal = seen.proposal
    return _object(
        {
            "id": _quoted(proposal.id),
            "state": _quoted(proposal.status),
            "tier": _quoted(proposal.requirement.tier),
            "tool": _quoted(proposal.tool),
            "arguments": _theirs(proposal.arguments),
            **_erased(proposal),
            "digest": _quoted(proposal.digest),
            "summary": _text(proposal.summary),
            "agent": _object({"id": _quoted(proposal.agent.id), "name": _quoted(proposal.agent.name)}),
            "requirement": "null" if proposal.status is Status.BLOCKED else _requirement(proposal.requirement),
            "votes": _array(_vote(vote, seen.faces) for vote in proposal.votes),
            "policy": _policy(proposal.requirement.policy),
            **_shadow(proposal.requirement),
            "created_at": _time(proposal.created_at),
            "expires_at": _time(proposal.expires_at),
            **_started(proposal, seen.faces),
            **_progress(proposal),
            **_amended(proposal, seen.faces),
            "frozen": "null" if seen.frozen_by is None else _pause(seen.frozen_by),
            "context": _theirs(proposal.context),
            **_looked_up(proposal),
            "run": _theirs(proposal.run),
            "log_index": str(seen.index),
            **({} if grant is None else {"grant": _quoted(grant.token)}),
        }
    )


def page_json(page: Page) -> str:
    """Write one page of a listing."""
    return _object({"data": _array(map(proposal_json, page.rows)), "has_more": dumps(page.has_more)})


def grant_json(grant: Grant) -> str:
    """Write a permission."""
    return _object(
        {
            "grant": _quoted(grant.token),
            "claimed_at": _time(grant.claimed_at),
            "expires_at": _time(grant.expires_at),
        }
    )


def evaluation_json(tool: str, evaluation: Evaluation) -> str:
    """Write what would happen; `dry_run` says that nothing was stored."""
    requirement = evaluation.requirement
    return _object(
        {
            "dry_run": "true",
            "would_be": _quoted(evaluation.would_be),
            "tier": _quoted(requirement.tier),
            "tool": _quoted(tool),
            "digest": _quoted(evaluation.digest),
            "requirement": "null" if requirement.tier is Tier.RED else _requirement(requirement),
            "policy": _policy(requirement.policy),
            **_shadow(requirement),
            "paused": "null" if evaluation.paused_by is None else _pause(evaluation.paused_by),
        }
    )


def agent_json(agent: Agent, pauses: Sequence[Pause], budgets: Sequence[BudgetLine]) -> str:
    """Write what an agent may know about itself."""
    return _object(
        {
            "id": _quoted(agent.id),
            "name": _quoted(agent.name),
            "tools": dumps(agent.tools),
            "callback_hosts": dumps(agent.callback_hosts),
            "paused": dumps(bool(pauses)),
            "pauses": _array(map(_pause, pauses)),
            "budgets": _array(map(_budget, budgets)),
        }
    )


def paused_json(done: Switched, now: Overview) -> str:
    """Tell an operator what a pause did."""
    taken_back = {} if done.taken_back is None else {"taken_back": str(done.taken_back)}
    return _object({"state": '"paused"', **taken_back, "status": status_json(now)})


def resumed_json(done: Switched, now: Overview) -> str:
    """Tell an operator what a resume did."""
    state = "waiting-for-a-second-person" if done.waiting else "resumed"
    return _object({"state": _quoted(state), "status": status_json(now)})


def status_json(now: Overview) -> str:
    """Write the state of everything for an operator."""
    return _object(
        {
            "pauses": _array(_whole_pause(pause, now) for pause in now.pauses),
            "incident": dumps(now.incident is not None),
            "pending": str(now.pending),
            "approved_unclaimed": str(now.approved_unclaimed),
            "outbox_waiting": str(now.outbox_waiting),
            "outbox_dead": str(now.outbox_dead),
            "policy_version": _quoted(now.policy_version),
            "drill": "null" if now.drill is None else drill_json(now.drill),
        }
    )


def drill_json(held: DrillHeld) -> str:
    """Write what came of a drill."""
    fields = {"ok": held.ok, "refused_after_us": held.refused_after_us, "replica": held.replica, "fault": held.fault}
    return dumps({"at": format_time(held.at), **fields})


def _whole_pause(pause: Pause, now: Overview) -> str:
    """Write a pause with who and why: operators are colleagues."""
    name = now.agents.get(AgentId(pause.scope.name), pause.scope.name)
    face = now.faces.get(PersonId(pause.by.ref))
    return _object(
        {
            "id": _quoted(pause.id),
            "scope": _quoted(pause.scope.kind),
            "name": "null" if pause.scope == EVERYTHING else _quoted(name),
            "since": _time(pause.since),
            "until": "null" if pause.until is None else _time(pause.until),
            "by": dumps(face and face.name),
            "reason": _text(pause.reason),
            "revokes": dumps(pause.revokes),
        }
    )


def _budget(line: BudgetLine) -> str:
    """Write a budget; sums may have more digits than the canonical form takes, and are no part of any digest."""
    fields = {"budget": _quoted(line.budget), "tool": dumps(line.tool), "limit": f"{line.limit:f}"}
    return _object(fields if line.used is None else {**fields, "used": f"{line.used:f}"})


def _started(proposal: Proposal, faces: Mapping[PersonId, Face]) -> dict[str, str]:
    """Write who started it himself, where a person did; of a blocked one, what became of it."""
    fields = {} if proposal.started_as is None else {"started_as": _quoted(proposal.started_as)}
    initiator = proposal.initiator
    if initiator is None:
        return fields
    face, proof = faces.get(initiator.person), initiator.proof
    by = {
        "by": dumps(face and face.user_id),
        "name": dumps(face and face.name),
        "roles": dumps(initiator.roles),
        "taken_up": dumps(initiator.of),
        "proof": _object({"factor": _quoted(proof.factor), "code": _quoted(proof.code)}),
    }
    return {**fields, "initiated_by": _object(by)}


def _progress(proposal: Proposal) -> dict[str, str]:
    """Write the fields that a proposal gets on its way; one that it has not reached is left out."""
    fields = {
        "callback_url": None if proposal.callback_url is None else _quoted(proposal.callback_url),
        "decided_at": None if proposal.decided_at is None else _time(proposal.decided_at),
        "claim_by": None if proposal.claim_by is None else _time(proposal.claim_by),
        "expired_why": None if proposal.expired_why is None else _quoted(proposal.expired_why),
        "revoked_why": None if proposal.revoked_why is None else _quoted(proposal.revoked_why),
        "execution": None if proposal.execution is None else _execution(proposal.execution),
    }
    return {name: text for name, text in fields.items() if text is not None}


def _amended(proposal: Proposal, faces: Mapping[PersonId, Face]) -> dict[str, str]:
    """Write what people did besides voting; nothing where they did nothing."""
    fields: dict[str, str] = {}
    if proposal.edits:
        fields["version"] = str(proposal.version)
        fields["edits"] = _array(_edit(edit, faces) for edit in proposal.edits)
    if proposal.questions:
        fields["questions"] = _array(_question(question, faces) for question in proposal.questions)
    if proposal.taken_back is not None:
        back = proposal.taken_back
        who = _person(PersonId(back.by.ref), faces)
        fields["taken_back"] = _object({**who, "at": _time(back.at), "reason": _text(back.reason)})
    return fields


def _person(person: PersonId, faces: Mapping[PersonId, Face]) -> dict[str, str]:
    """Write who it was; a person whose data has been erased has no id and no name any more."""
    face = faces.get(person)
    return {"by": dumps(face and face.user_id), "name": dumps(face and face.name)}


def _edit(edit: Edit, faces: Mapping[PersonId, Face]) -> str:
    told = {"at": _time(edit.at), "field": _quoted(edit.field), "digest_before": _quoted(edit.digest)}
    return _object({**_person(edit.editor, faces), **told})


def _question(question: Question, faces: Mapping[PersonId, Face]) -> str:
    fields = {
        "id": _quoted(question.id),
        **_person(question.by, faces),
        "to": _quoted("agent" if question.to is None else "person"),
        "at": _time(question.at),
        "text": _text(question.text),
    }
    if question.stands_until is not None:
        fields["clock_stands_until"] = _time(question.stands_until)
    if question.answer is not None and question.answered_at is not None:
        fields |= {"answer": _text(question.answer), "answered_at": _time(question.answered_at)}
    return _object(fields)


def _looked_up(proposal: Proposal) -> dict[str, str]:
    """Write what the server looked up, but for what the policy hides: the agent never had it."""
    if proposal.lookups is None:
        return {}
    values = {} if proposal.looked_up is None else unwrap_object(proposal.looked_up)
    hidden = proposal.requirement.hidden
    told = {each.name: _lookup(each, _open(values.get(each.name), hidden, each.name)) for each in proposal.lookups}
    return {"looked_up": _object(told)}


def _lookup(lookup: LookedUp, value: Json) -> str:
    fields = {"at": _time(lookup.at), "source": _quoted(lookup.source)}
    if lookup.failed is not None:
        return _object({**fields, "failed": _quoted(lookup.failed)})
    return _object({**fields, "value": canonical_text(value)})


def _open(value: Json, hidden: Container[str], name: str) -> Json:
    """Give a value without the fields that the policy hides; null where it hides the whole."""
    if name in hidden or name.rpartition(".")[2] in hidden:
        return None
    if isinstance(value, Mapping):
        return {key: _open(inner, hidden, f"{name}.{key}") for key, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_open(inner, hidden, name) for inner in value]
    return value


def _execution(execution: Execution) -> str:
    fields = {
        "status": _quoted(execution.status),
        "grant_id": _quoted(execution.grant_id),
        "claimed_at": _time(execution.claimed_at),
        "grant_expires_at": _time(execution.grant_expires_at),
        "outcome_by": _time(execution.outcome_by),
        "overdue": dumps(execution.overdue),
    }
    if execution.outcome_at is not None:
        fields["outcome_at"] = _time(execution.outcome_at)
    if execution.report is not None:
        fields["report"] = _theirs(execution.report)
    return _object(fields)


@lru_cache(maxsize=256)  # few requirements and reasons stand behind many proposals
def _requirement(requirement: Requirement) -> str:
    if not requirement.seats and requirement.tier is not Tier.YELLOW:
        return "null"
    later = {"backup": requirement.backup, "action_tier": requirement.action_tier}
    return dumps(
        {
            "approvals": requirement.approvals,
            "roles": list(dict.fromkeys(seat.role for seat in requirement.seats)),
            "seats": [{"role": seat.role, "approvals": seat.count} for seat in requirement.seats],
            "step_up": requirement.step_up,
            **{name: value for name, value in later.items() if value is not None},
        }
    )


def _erased(proposal: Proposal) -> dict[str, str]:
    """Name the personal arguments that are not there any more."""
    gone = lost(proposal.requirement.personal, proposal.arguments)
    return {"arguments_erased": dumps(gone)} if gone else {}


def _shadow(requirement: Requirement) -> dict[str, str]:
    """Say that nothing will be executed, where that is so."""
    return {} if requirement.shadow is None else {"shadow": "true"}


def _vote(vote: Vote, faces: Mapping[PersonId, Face]) -> str:
    """Write a vote; a person whose data has been erased has no id and no name any more."""
    face = faces.get(vote.voter)
    fields = {
        "by": dumps(face and face.user_id),
        "name": dumps(face and face.name),
        "decision": _quoted(vote.decision),
        "at": _time(vote.at),
        "roles": dumps(vote.roles),
    }
    if vote.on_behalf_of is not None:
        absent = faces.get(vote.on_behalf_of)
        fields["on_behalf_of"] = _object(
            {"by": dumps(absent and absent.user_id), "name": dumps(absent and absent.name)}
        )
    if vote.reason is not None:
        fields["reason"] = _text(vote.reason)
    if vote.category is not None:
        fields["category"] = _quoted(vote.category)
    if vote.proof is not None:
        fields["proof"] = _object({"factor": _quoted(vote.proof.factor), "code": _quoted(vote.proof.code)})
    return _object(fields)


@lru_cache(maxsize=256)
def _policy(policy: PolicyRef) -> str:
    return dumps({"version": policy.version, "rule": policy.rule, "because": policy.because})


def _pause(pause: Pause) -> str:
    """Write a pause without its reason: that was written for colleagues, not for an agent."""
    return dumps(
        {
            "scope": pause.scope.kind,
            "since": format_time(pause.since),
            "until": None if pause.until is None else format_time(pause.until),
        }
    )


def _time(at: datetime) -> str:
    return f'"{format_time(at)}"'


def _text(text: AgentText) -> str:
    return _quoted(unwrap_text(text))


def _theirs(data: AgentJson) -> str:
    return unwrap_canonical(data, canonical_text)


def _object(fields: Mapping[str, str]) -> str:
    return "{" + ",".join([f'"{name}":{text}' for name, text in fields.items()]) + "}"


def _array(items: Iterable[str]) -> str:
    return f"[{','.join(items)}]"
