"""What an agent may ask for: propose, read, cancel, claim, report."""

import asyncio
import hmac
from collections.abc import Sequence
from datetime import timedelta
from typing import Literal, NamedTuple

from approval_rules.budgets import Exceeded
from approval_rules.canonical import Digest
from approval_rules.commands import Cancel, Claim, Draft, ReportOutcome, Submit
from approval_rules.events import ClaimRefused, Refusal, SubmitRefused
from approval_rules.opinion import Opinion
from approval_rules.people import Agent, Flaw, PersonId, ProposalId, Standing, ToolName
from approval_rules.requirement import Requirement, Tier
from approval_rules.state import Status
from approval_rules.switch import Pause
from approval_rules.text import AgentJson, Json
from approval_rules.times import parse_time
from bot.desk.apply import Applied, apply, as_of, known, seen_in, taken_in
from bot.desk.budgeting import budget_lines, exceeded, record_refusal, refusal, stop
from bot.desk.current_policy import CurrentPolicy
from bot.desk.informed import informed
from bot.desk.interests import blocked_unless_known, initiator, interested, named_people
from bot.desk.permission import Permission, grant_for, permission
from bot.desk.persons import recognise, standing_in
from bot.desk.second_opinion import second_opinion
from bot.desk.wiring import Wiring, all_seen_from, look_up_all, seen_from, written
from bot.directory import Member
from bot.keys import split_key
from bot.store.engine import StoreUnavailableError
from bot.store.rows import Loaded
from bot.store.transaction import KeyUse, Transaction
from handlers.desk import (
    Accepted,
    BudgetLine,
    Evaluation,
    Grant,
    Intake,
    Page,
    Refused,
    Seen,
)

_WOULD_BE: dict[Tier, Literal["approved", "pending", "blocked"]] = {
    Tier.GREEN: "approved",
    Tier.YELLOW: "pending",
    Tier.RED: "blocked",
}


class _Judged(NamedTuple):
    """What the policy said of a draft, what a candidate would have said, and what the server told the rules."""

    requirement: Requirement
    candidate: Opinion | None
    known: AgentJson | None
    started_by: PersonId | None
    interested: tuple[PersonId, ...]


class AgentUseCases:
    """Provides `handlers.desk.AgentDesk`."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._current = CurrentPolicy(wiring.policy)

    async def agent_of(self, unverified_key: str) -> Agent | None:
        """Find the agent whose key this is, as of now."""
        parts = split_key(unverified_key)
        if parts is None:
            return None
        key_id, unverified_hash = parts
        found = self._wiring.reads.agent_by_key(key_id)
        if found is None:
            return None
        row, kept_hash, ends_at = found
        genuine = hmac.compare_digest(kept_hash, unverified_hash)
        ended = ends_at is not None and parse_time(ends_at) <= self._wiring.clock()
        return row.agent if genuine and not ended and not row.agent.revoked else None

    async def submit(self, agent: Agent, draft: Draft, intake: Intake) -> Accepted | Refused:
        """Take a proposal in."""
        case, broken = await informed(self._wiring, agent, draft, intake.key)
        draft = case.draft
        # What does not depend on what went before is decided outside the transaction, where nobody waits for it.
        started_by = await initiator(self._wiring, intake.started_by)
        named = await named_people(self._wiring, case.policy, draft)
        turned_away = broken or (None if started_by is None else started_by.refused)
        early = turned_away or (None if case.reads_the_log else case.ruling(case.outside()))
        second = second_opinion(self._wiring.policy, agent, draft, case.at)

        def unit(tx: Transaction) -> tuple[Loaded | None, Accepted | Refused, Exceeded | None]:
            use = tx.key_use(agent.id, intake.key)
            if use is not None:
                return *_replay(tx, agent, draft, intake, use), None
            known = case.inside(tx)
            ruling = early or case.ruling(known)
            over = exceeded(tx, case.folder, agent, draft, ruling if isinstance(ruling, Refused) else None)
            if over is not None:
                return None, stop(tx, agent, draft, over), over
            if isinstance(ruling, Refused):
                record_refusal(tx, agent, ruling.code, ruling.detail, draft.tool, draft)
                return None, ruling, None
            ruling = blocked_unless_known(ruling, named)
            person = None if started_by is None else started_by.met(tx)
            judged = _Judged(ruling, second(tx, ruling), case.noting(known), person, interested(tx, ruling, named))
            return *_take_in(tx, agent, draft, intake, judged, self._current), None

        def permitting(tx: Transaction) -> tuple[Permission | None, Accepted | Refused, Exceeded | None]:
            loaded, answer, over = unit(tx)
            return None if loaded is None else permission(tx, loaded), answer, over

        permitted, answer, over = await written(self._wiring, permitting)
        if broken is not None and answer is broken:
            self._wiring.count_breach(agent.name, draft.tool)
        if over is not None:
            self._wiring.count_exceeded(over.budget)
        if isinstance(answer, Accepted) and permitted is not None:
            return Accepted(answer.seen, answer.replayed, grant_for(self._wiring.key, permitted))
        return answer

    async def refuse_intake(self, agent: Agent, code: str, detail: str, tool: str | None) -> None:
        """Record that a proposal was turned away at the door."""
        await written(self._wiring, lambda tx: record_refusal(tx, agent, code, detail, tool))

    async def evaluate(self, agent: Agent, draft: Draft) -> Evaluation | Refused:
        """Tell what would happen now; store nothing, and draw no dial: an agent must not look for lucky words."""
        case, broken = await informed(self._wiring, agent, draft, None)
        named = await named_people(self._wiring, case.policy, case.draft)

        def unit(tx: Transaction) -> Requirement | Refused:
            ruling = broken or case.ruling(case.inside(tx), drawn=False)
            over = exceeded(tx, case.folder, agent, case.draft, ruling if isinstance(ruling, Refused) else None)
            if over is not None:
                return refusal(over)
            return ruling if isinstance(ruling, Refused) else blocked_unless_known(ruling, named)

        ruling = await written(self._wiring, unit)
        if isinstance(ruling, Refused):
            return ruling
        if draft.tool not in agent.tools:
            return Refused(Refusal.TOOL_NOT_ALLOWED.value, "this tool is not on the agent's list")
        snapshot = self._wiring.reads.glance()
        paused_by = (await snapshot.switch()).stops(agent.id, draft.tool)
        return Evaluation(ruling, _WOULD_BE[ruling.tier], draft.digest, paused_by)

    async def read(self, agent: Agent, unverified_id: str, wait: timedelta) -> Seen | None:
        """Give the agent's own proposal, at the latest when `wait` is over."""
        waiters = self._wiring.waiters
        woken = waiters.add(unverified_id)
        until = self._wiring.clock() + wait
        try:
            while True:
                woken.clear()
                seen = await self._own(agent, unverified_id)
                left = (until - self._wiring.clock()).total_seconds()
                if seen is None or seen.proposal.status is not Status.PENDING or left <= 0 or waiters.dismissed:
                    return seen
                # Only this process decides proposals, so every change rings here; another one may only pause.
                await _woken_within(woken, left)
        finally:
            waiters.remove(unverified_id, woken)

    async def _own(self, agent: Agent, unverified_id: str) -> Seen | None:
        snapshot = self._wiring.reads.glance()
        loaded = await snapshot.proposal(unverified_id)
        if loaded is None or loaded.proposal.agent.id != agent.id:
            return None
        return await seen_from(snapshot, loaded)

    async def list_own(self, agent: Agent, state: Status | None, limit: int, after: str | None) -> Page:
        """List the agent's own proposals, oldest first."""
        async with self._wiring.reads.snapshot() as snapshot:
            found = await snapshot.rows(
                "SELECT id FROM proposals WHERE agent_id = :agent AND id > :after"
                " AND (:state IS NULL OR state = :state) ORDER BY id LIMIT :limit",
                {"agent": agent.id, "after": after or "", "state": state and state.value, "limit": limit + 1},
            )
            several = [await snapshot.proposal(row[0]) for row in found[:limit]]
            return Page(
                await all_seen_from(snapshot, [loaded for loaded in several if loaded is not None]), len(found) > limit
            )

    async def cancel(self, agent: Agent, unverified_id: str) -> Seen | Refused | None:
        """Take a pending proposal back."""

        def unit(tx: Transaction) -> Seen | Refused | None:
            loaded = _own_in(tx, agent, unverified_id)
            if loaded is None:
                return None
            applied = apply(tx, loaded, Cancel(tx.at, loaded.proposal.id, agent.id))
            if not applied.events:
                return Refused("not-pending", f"the proposal is {loaded.proposal.status.value} already")
            return seen_in(tx, applied.loaded or loaded)

        return await written(self._wiring, unit)

    async def claim(self, agent: Agent, unverified_id: str, digest: str, key: str | None) -> Grant | Refused | None:
        """Give the one permission. The approvers are looked up first, and judged inside the transaction."""
        members: dict[PersonId, Member] = {}
        snapshot = self._wiring.reads.glance()
        loaded = await snapshot.proposal(unverified_id)
        if loaded is None or loaded.proposal.agent.id != agent.id:
            return None
        accounts = await snapshot.accounts(loaded.proposal.vouched_by)
        if accounts and loaded.proposal.execution is None:
            found = await look_up_all(self._wiring.directory, [account for account, _ in accounts.values()])
            members = {person: found[account] for person, (account, _) in accounts.items()}

        def unit(tx: Transaction) -> tuple[Permission | None, Refused | None]:
            claimed, refused = _claim(tx, agent, unverified_id, digest, key, members, self._current)
            return None if claimed is None else permission(tx, claimed), refused

        permitted, refused = await written(self._wiring, unit)
        return refused if permitted is None else grant_for(self._wiring.key, permitted)

    async def report(
        self, agent: Agent, unverified_id: str, status: Literal["succeeded", "failed", "unknown"], report: Json
    ) -> Seen | Refused | None:
        """Record how the execution went; the same report again is the same answer."""

        def unit(tx: Transaction) -> Seen | Refused | None:
            loaded = _own_in(tx, agent, unverified_id)
            if loaded is None:
                return None
            command = ReportOutcome(tx.at, loaded.proposal.id, agent.id, status, AgentJson(report))
            applied = apply(tx, loaded, command)
            if applied.events:
                return seen_in(tx, applied.loaded or loaded)
            execution = loaded.proposal.execution
            if execution is None:
                return Refused(Refusal.NOT_CLAIMED.value, "claim before you execute; nothing was claimed here")
            if execution.status == status and execution.report == AgentJson(report):
                return seen_in(tx, loaded)
            return Refused(Refusal.OUTCOME_CONFLICT.value, f"the outcome {execution.status} was reported before")

        return await written(self._wiring, unit)

    async def budgets_of(self, agent: Agent) -> Sequence[BudgetLine]:
        """Give the budgets that concern this agent."""
        return await written(self._wiring, lambda tx: budget_lines(tx, self._wiring.policy.folder, agent))

    async def pause_on(self, agent: Agent) -> Sequence[Pause]:
        """Give the active pauses that concern this agent."""
        snapshot = self._wiring.reads.glance()
        switch = await snapshot.switch()
        tools = agent.tools or (ToolName(""),)
        return [pause for pause in switch.active if any(pause.scope.covers(agent.id, tool) for tool in tools)]


async def _woken_within(woken: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await woken.wait()
    except TimeoutError:
        return


def _replay(
    tx: Transaction, agent: Agent, draft: Draft, intake: Intake, use: KeyUse
) -> tuple[Loaded | None, Accepted | Refused]:
    """Answer a retry with the stored answer: the proposal as it was right after it was taken in."""
    if use.body_digest != intake.body_digest:
        detail = "this key was used with another body; use a new key for a new action"
        record_refusal(tx, agent, "idempotency-key-reused", detail, draft.tool, draft)
        return None, Refused("idempotency-key-reused", detail)
    loaded = known(tx, use.proposal_id)
    if loaded is None:
        raise StoreUnavailableError(
            f"{use.proposal_id} is bound to a key and not in the log; run `foureyes audit verify`"
        )
    then = as_of(loaded, use.answer_seq)
    if then.proposal.execution is not None and tx.switch.stops(agent.id, then.proposal.tool) is not None:
        # The answer carries a permission, and its first copy may have been lost: not during a pause.
        record_refusal(tx, agent, Refusal.PAUSED.value, _DETAILS[Refusal.PAUSED.value], draft.tool)
        return None, Refused(Refusal.PAUSED.value, _DETAILS[Refusal.PAUSED.value])
    return then, Accepted(seen_in(tx, then), replayed=True, grant=None)


def _take_in(
    tx: Transaction,
    agent: Agent,
    draft: Draft,
    intake: Intake,
    judged: _Judged,
    policy: CurrentPolicy,
) -> tuple[Loaded | None, Accepted | Refused]:
    current = tx.agent(agent.id)
    command = Submit(
        at=tx.at,
        proposal=ProposalId(tx.new_id("prop")),
        agent=agent if current is None else current.agent,
        started_by=judged.started_by,
        draft=draft,
        requirement=judged.requirement,
        candidate=judged.candidate,
        known=judged.known,
        interested=judged.interested,
    )
    applied = apply(tx, None, command)
    first = applied.events[0]
    if isinstance(first, SubmitRefused):
        return None, Refused(first.code, _DETAILS.get(first.code, first.code))
    if intake.claim_if_allowed and judged.requirement.tier is Tier.GREEN:
        applied = apply(tx, applied.loaded, _claim_command(tx, command.agent, applied, policy))
    loaded = _there(applied)
    tx.use_key(agent.id, intake.key, KeyUse(intake.body_digest, command.proposal, loaded.last_seq))
    return loaded, Accepted(taken_in(tx, loaded), replayed=False, grant=None)


def _claim_command(tx: Transaction, agent: Agent, applied: Applied, policy: CurrentPolicy) -> Claim:
    proposal = _there(applied).proposal
    current = policy.requirement(tx, proposal, agent)
    return Claim(tx.at, proposal.id, agent, proposal.digest, tx.new_id("grant"), None, {}, current)


def _there(applied: Applied) -> Loaded:
    if applied.loaded is None:
        raise StoreUnavailableError("a proposal vanished inside its own transaction")
    return applied.loaded


def _own_in(tx: Transaction, agent: Agent, unverified_id: str) -> Loaded | None:
    loaded = known(tx, unverified_id)
    return loaded if loaded is not None and loaded.proposal.agent.id == agent.id else None


def _claim(
    tx: Transaction,
    agent: Agent,
    unverified_id: str,
    digest: str,
    key: str | None,
    members: dict[PersonId, Member],
    policy: CurrentPolicy,
) -> tuple[Loaded | None, Refused | None]:
    loaded = _own_in(tx, agent, unverified_id)
    if loaded is None:
        return None, None
    row = tx.agent(agent.id)
    now = agent if row is None else row.agent
    voters = loaded.proposal.vouched_by
    for voter in members.keys() & set(voters):
        recognise(tx, voter, members[voter])
    # A voter that could not be looked up in time is one that Slack could not vouch for: never a yes.
    approvers = {
        voter: standing_in(tx, voter, members[voter]) if voter in members else Standing(voter, flaw=Flaw.DIRECTORY_DOWN)
        for voter in voters
    }
    claimable = loaded.proposal.status is Status.APPROVED and loaded.proposal.execution is None
    command = Claim(
        at=tx.at,
        proposal=loaded.proposal.id,
        agent=now,
        digest=Digest(digest),
        grant_id=tx.new_id("grant"),
        key=key,
        approvers=approvers,
        current=policy.requirement(tx, loaded.proposal, now) if claimable else None,
    )
    applied = apply(tx, loaded, command)
    refusal = next((event for event in applied.events if isinstance(event, ClaimRefused)), None)
    if refusal is None:
        return applied.loaded, None
    code = refusal.code.value
    edited = refusal.code is Refusal.DIGEST_MISMATCH and loaded.proposal.edits
    detail = _EDITED if edited else _DETAILS.get(code, code)
    return None, Refused(code, detail, retry_after=5 if refusal.code is Refusal.DIRECTORY_DOWN else None)


_EDITED = "a person lowered a value since: read the proposal, and execute its arguments as they are now or nothing"
_DETAILS = {
    Refusal.PAUSED.value: "paused by a person: stop now; try again after it is resumed",
    Refusal.TOOL_NOT_ALLOWED.value: "this tool is not on the agent's list; ask its owner to add it",
    Refusal.AGENT_REVOKED.value: "this agent has been revoked",
    Refusal.NOT_APPROVED.value: "the proposal is not approved; do not execute",
    Refusal.ALREADY_CLAIMED.value: "the permission was given out before; never execute twice",
    Refusal.DIGEST_MISMATCH.value: "the digest is not the approved action's; do not execute something else",
    Refusal.EXPIRED.value: "the time is over; propose again if it is still needed",
    Refusal.SHADOW.value: "the tool is in shadow: this is a trial run, and nothing of it is ever permitted",
    Refusal.REVOKED.value: "the approval was taken back",
    Refusal.APPROVERS_CHANGED.value: "an approver may not approve any more, so the approval was taken back",
    Refusal.POLICY_CHANGED.value: "the policy was changed and asks for more than was approved; propose again",
    Refusal.DIRECTORY_DOWN.value: "Slack cannot say now whether the approvers still may approve; try again",
}
