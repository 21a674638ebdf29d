"""People who start themselves what the policy blocks: the form, the question for a proof, and the start.

Who started it comes from the verified envelope and a proof, never from anything that an agent sent.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple

from approval_rules.canonical import NotCanonicalError
from approval_rules.commands import Initiate
from approval_rules.decide import decide
from approval_rules.events import Refusal
from approval_rules.initiation import consequential, foreshown
from approval_rules.initiation_events import InitiationRefused
from approval_rules.people import Account, Agent, AgentId, PersonId, ProposalId, Standing, ToolName, human
from approval_rules.policy import Policy
from approval_rules.requirement import Initiation
from approval_rules.state import Proposal, Status
from approval_rules.text import AgentJson, AgentText
from approval_rules.verdicts import Block
from bot.desk.apply import apply, faces_in, people_of, seen_in
from bot.desk.case import Case
from bot.desk.informed import informed
from bot.desk.interests import Named, blocked_unless_known, interested, named_people
from bot.desk.persons import meet, standing_in
from bot.desk.start_draft import draft_of_start
from bot.desk.start_proof import Asking, StartFactors, Taken
from bot.desk.wiring import Wiring, seen_from, written
from bot.store import rows, starts
from bot.store.starts import Start
from bot.store.transaction import Transaction
from handlers.desk import Challenge, Envelope, Fault, Refused, Seen
from handlers.initiation_desk import Started, StartForm, StartRefused, StartWish, TypedProof
from handlers.slack.packet import packet

_AGENTS_WITH = (
    "SELECT a.name FROM agents a, json_each(a.tools) t WHERE a.revoked_at IS NULL AND t.value = :tool ORDER BY a.name"
)
_MOST_AGENTS = 100


class _Prepared(NamedTuple):
    """What is to be started, with the facts that were looked up; `broken` is what the contract has against it."""

    case: Case
    taken_up: ProposalId | None
    broken: Refused | None
    named: Mapping[str, Named]


class Initiating:
    """Provides `handlers.initiation_desk.InitiationDesk`."""

    def __init__(self, wiring: Wiring, factors: StartFactors) -> None:
        self._wiring = wiring
        self._factors = factors

    # --- the form

    async def form_of(self, who: Envelope, unverified_id: str) -> StartForm | Refusal | None:
        """Give the form for a blocked proposal."""
        member = await self._wiring.directory.look_up(who.account)
        snapshot = self._wiring.reads.glance()
        loaded = await snapshot.proposal(unverified_id)
        if loaded is None:
            return None
        proposal = loaded.proposal
        refusal, start = _why_no_form(proposal), proposal.requirement.initiation
        if member.flaw is not None:
            refusal = Refusal(member.flaw.value)
        elif refusal is None and start is not None and start.role not in member.roles:
            refusal = Refusal.NOT_IN_ROLE
        if refusal is not None:
            return refusal
        return self._form(proposal.tool, (proposal.agent.name,), await seen_from(snapshot, loaded))

    async def form_for(self, who: Envelope, tool: str) -> StartForm | Refusal | None:
        """Give the form for a tool."""
        member = await self._wiring.directory.look_up(who.account)
        policy = self._wiring.policy.folder.policies.get(ToolName(tool))
        if member.flaw is not None:
            return Refusal(member.flaw.value)
        if policy is None:
            return None
        roles = {start.role for start in _starts_in(policy)}
        if policy.shadow or not roles:
            return Refusal.SHADOW if policy.shadow else Refusal.NOBODY_MAY_START
        if not roles & member.roles:
            return Refusal.NOT_IN_ROLE
        async with self._wiring.reads.snapshot() as snapshot:
            found = await snapshot.rows(_AGENTS_WITH, {"tool": tool})
        return self._form(policy.tool, tuple(row[0] for row in found[:_MOST_AGENTS]), None)

    def _form(self, tool: ToolName, agents: tuple[str, ...], taken_up: Seen | None) -> StartForm:
        folder = self._wiring.policy.folder
        policy = folder.policies.get(tool)
        contract = None if policy is None else policy.contract
        schema, field = (None, None) if contract is None else (contract.schema, contract.confirmed)
        return StartForm(tool, schema, agents, taken_up, field, folder.version)

    # --- asking for the proof

    async def begin_start(self, wish: StartWish) -> Challenge | StartRefused:
        """Judge it but for the second factor, and ask for that."""
        agent = await self._agent_named(wish.unverified_agent)
        prepared = await self._prepared(
            agent, wish.unverified_taken_up, ToolName(wish.unverified_tool), wish.arguments, wish.reason
        )
        if isinstance(prepared, StartRefused):
            return prepared
        member = await self._wiring.directory.look_up(wish.who.account)

        def unit(tx: Transaction) -> Challenge | StartRefused:
            person = meet(tx, wish.who.account, member, member.name or wish.who.user_name)
            ident = ProposalId(tx.new_id("prop"))
            if not tx.first_seen(hashlib.sha256(wish.who.request_id.encode()).hexdigest()):
                return StartRefused(Refusal.STARTED_BEFORE)
            _meet_named(tx, prepared)
            command = _command(tx, prepared, ident, standing_in(tx, person, member), wish.typed)
            if isinstance(command, StartRefused):
                return _record(tx, prepared, ident, person, command)
            return self._ask(tx, prepared, command, wish.reason, wish.arguments)

        return await written(self._wiring, unit)

    def _ask(
        self, tx: Transaction, prepared: _Prepared, command: Initiate, reason: AgentText, arguments: AgentJson
    ) -> Challenge | StartRefused:
        """Ask for the second factor where nothing else is missing."""
        person, draft, asked = command.starter.person, command.draft, command.requirement.initiation
        (foreseen,) = decide(_taken_up(tx, prepared), command, tx.switch)
        if not isinstance(foreseen, InitiationRefused):
            raise TypeError("an initiation without a proof was let through")
        refusal = foreseen.code
        if refusal is Refusal.STEP_UP_NEEDED and asked is not None:
            version = command.requirement.policy.version
            seen = _preview(tx, command)
            shown = packet(seen, tx.at, voting=False).shown
            asking = Asking(person, command.proposal, draft.digest, shown, version, asked.step_up)
            question = self._factors.ask(tx, asking)
            if not isinstance(question, Refusal):
                start = Start(
                    *(command.proposal, person, command.agent.id, draft.tool, prepared.taken_up, version),
                    *(arguments, command.typed, reason),
                )
                starts.keep(tx, start, question.expires_at)
                return Challenge(
                    *(seen, question.factor, question.ticket, question.code, question.expires_at, question.url)
                )
            refusal = question
        return _record(tx, prepared, command.proposal, person, StartRefused(refusal, field=command.field))

    # --- the start

    async def start_with_code(self, proof: TypedProof) -> Started | StartRefused:
        """Verify the code and start it."""
        return await self.start(
            proof.unverified_start,
            proof.who.account,
            lambda tx, person: self._factors.take_code(tx, proof.unverified_ticket, person, proof.unverified_code),
        )

    async def start(
        self, unverified_start: str, account: Account, take: Callable[[Transaction, PersonId], Taken | Refusal]
    ) -> Started | StartRefused:
        """Start what waits under this id, where `take` verifies the proof of the account's person, in one transaction.

        `take` is asked inside of it, once, and uses its ticket up.
        """
        now = self._wiring.clock()
        start = await starts.waiting(self._wiring.reads.glance(), unverified_start, now)
        if start is None:
            return StartRefused(Refusal.EXPIRED)
        agent = await self._agent(start.agent)
        prepared = await self._prepared(agent, start.taken_up, start.tool, start.arguments, start.reason)
        if isinstance(prepared, StartRefused):
            return prepared
        member = await self._wiring.directory.look_up(account)

        def unit(tx: Transaction) -> Started | StartRefused:
            person = meet(tx, account, member, member.name)
            taken = _taken(tx, prepared, start, person, take)
            if isinstance(taken, Refusal):
                return _record(tx, prepared, start.proposal, person, StartRefused(taken))
            _meet_named(tx, prepared)
            command = _command(tx, prepared, start.proposal, standing_in(tx, person, member), start.typed)
            if isinstance(command, StartRefused):
                return _record(tx, prepared, start.proposal, person, command)
            command = replace(command, proof=taken.proof, evidence=taken.evidence)
            loaded = None if prepared.taken_up is None else tx.proposal(prepared.taken_up)
            applied = apply(tx, loaded, command)
            first = applied.events[0]
            if isinstance(first, InitiationRefused) or applied.loaded is None:
                return StartRefused(first.code if isinstance(first, InitiationRefused) else Refusal.EXPIRED)
            return Started(seen_in(tx, applied.loaded))

        return await written(self._wiring, unit)

    async def preview(self, unverified_start: str) -> Seen | None:
        """Show what waits to be started under this id, as it would stand in its packet; it changes nothing."""
        start = await starts.waiting(self._wiring.reads.glance(), unverified_start, self._wiring.clock())
        if start is None:
            return None
        agent = await self._agent(start.agent)
        prepared = await self._prepared(agent, start.taken_up, start.tool, start.arguments, start.reason)
        if isinstance(prepared, StartRefused):
            return None

        def unit(tx: Transaction) -> Seen | None:
            command = _command(tx, prepared, start.proposal, Standing(start.person), start.typed)
            return None if isinstance(command, StartRefused) else _preview(tx, command)

        return await written(self._wiring, unit)

    # --- what both need, before the transaction

    async def _prepared(
        self, agent: Agent | None, taken_up_id: str | None, tool: ToolName, arguments: AgentJson, reason: AgentText
    ) -> _Prepared | StartRefused:
        """Put the draft together, and look its facts up; nothing is decided here."""
        taken_up: Proposal | None = None
        if taken_up_id is not None:
            loaded = await self._wiring.reads.glance().proposal(taken_up_id)
            if loaded is None:
                return StartRefused(Refusal.NOT_OUR_MESSAGE)
            taken_up = loaded.proposal
            agent, tool = await self._agent(taken_up.agent.id), taken_up.tool
        if agent is None:
            return StartRefused(Refusal.TOOL_NOT_ALLOWED)
        try:
            draft = draft_of_start(tool, arguments, reason, taken_up)
        except NotCanonicalError as error:
            return StartRefused(Refusal.CONTRACT_BROKEN, (Fault(f"/arguments{error.pointer}", error.detail),))
        case, broken = await informed(self._wiring, agent, draft, None)
        named = await named_people(self._wiring, case.policy, case.draft)
        return _Prepared(case, None if taken_up is None else taken_up.id, broken, named)

    async def _agent(self, ident: AgentId) -> Agent | None:
        return await self._agent_by(rows.AGENT_BY_ID, {"id": ident})

    async def _agent_named(self, name: str) -> Agent | None:
        return await self._agent_by(rows.AGENT_BY_NAME, {"name": name})

    async def _agent_by(self, sql: str, where: dict[str, str]) -> Agent | None:
        found = await self._wiring.reads.glance().rows(sql, where)
        return rows.agent_from(found[0]).agent if found else None


def _meet_named(tx: Transaction, prepared: _Prepared) -> None:
    """Find out who they are before the starter is judged: one of them could be he, by another account."""
    for named in prepared.named.values():
        for account, member in named.people.items():
            meet(tx, account, member)


def _why_no_form(proposal: Proposal) -> Refusal | None:
    if proposal.status is not Status.BLOCKED:
        return Refusal.NOT_BLOCKED
    if proposal.started_as is not None:
        return Refusal.STARTED_BEFORE
    return None if proposal.requirement.initiation else Refusal.NOBODY_MAY_START


def _starts_in(policy: Policy) -> list[Initiation]:
    blocks = [rule.verdict for rule in policy.rules if isinstance(rule.verdict, Block)]
    return [block.initiation for block in blocks if block.initiation is not None]


def _taken_up(tx: Transaction, prepared: _Prepared) -> Proposal | None:
    loaded = None if prepared.taken_up is None else tx.proposal(prepared.taken_up)
    return None if loaded is None else loaded.proposal


def _command(
    tx: Transaction, prepared: _Prepared, ident: ProposalId, starter: Standing, typed: AgentText
) -> Initiate | StartRefused:
    """Ask the contract and the rules, as of this transaction; who may not act here at all learns nothing of them."""
    case = prepared.case
    if starter.flaw is not None:
        return StartRefused(Refusal(starter.flaw.value))
    if prepared.broken is not None:
        return StartRefused(Refusal.CONTRACT_BROKEN, prepared.broken.faults)
    known = case.inside(tx)
    ruling = case.ruling(known)
    if isinstance(ruling, Refused):
        return StartRefused(Refusal.CONTRADICTION, ruling.faults)
    ruling = blocked_unless_known(ruling, prepared.named)
    row = tx.agent(case.agent.id)
    policy = case.policy
    return Initiate(
        at=tx.at,
        proposal=ident,
        agent=case.agent if row is None else row.agent,
        starter=starter,
        draft=case.draft,
        requirement=ruling,
        field=consequential(None if policy is None else policy.contract, case.draft),
        typed=typed,
        known=case.noting(known),
        interested=interested(tx, ruling, prepared.named),
    )


def _taken(
    tx: Transaction,
    prepared: _Prepared,
    start: Start,
    person: PersonId,
    take: Callable[[Transaction, PersonId], Taken | Refusal],
) -> Taken | Refusal:
    """Take the proof: of this person, for this start, of exactly these arguments, under the same policy; once."""
    if starts.find(tx, start.proposal) is None:
        return Refusal.STARTED_BEFORE
    if start.person != person:
        return Refusal.NOT_OUR_MESSAGE
    taken = take(tx, person)
    if isinstance(taken, Refusal):
        return taken
    starts.drop(tx, start.proposal)
    draft = prepared.case.draft
    if (taken.person, taken.proposal, taken.arguments) != (person, start.proposal, draft.digest):
        return Refusal.DIGEST_MISMATCH
    return taken if prepared.case.folder.version == start.policy else Refusal.POLICY_CHANGED


def _record(
    tx: Transaction, prepared: _Prepared, ident: ProposalId, person: PersonId, refused: StartRefused
) -> StartRefused:
    """Record that nothing was started."""
    tool = prepared.case.draft.tool
    tx.record(InitiationRefused(tx.at, human(person), ident, tool, refused.refusal, prepared.taken_up))
    return refused


def _preview(tx: Transaction, command: Initiate) -> Seen:
    """Show what would be started as it will stand in its packet; it is not recorded."""
    proposal = foreshown(command)
    return Seen(proposal, faces_in(tx, people_of(proposal)), None, 0)
