"""Questions, edits and taking back: looks people up, judges, records. Everything is judged inside the transaction."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Final

from approval_rules.amendments import lowered
from approval_rules.canonical import NotCanonicalError, digest_of
from approval_rules.commands import Answer, Ask, Edit, Lowered, Shown, TakeBack
from approval_rules.contract import breaches
from approval_rules.decide import decide
from approval_rules.events import Refusal, Revoked
from approval_rules.people import Account, Agent, PersonId, Standing, human
from approval_rules.policy import NOTHING_BEFORE, Contradiction, classify
from approval_rules.question_events import Asked, Edited, RequestRefused
from approval_rules.state import Proposal, Status, draft_again
from approval_rules.text import AgentText, unwrap_object
from bot.desk.apply import apply, known, seen_in
from bot.desk.current_policy import CurrentPolicy
from bot.desk.persons import meet, standing_in
from bot.desk.surroundings import inside, worth_noting
from bot.desk.wiring import Wiring, written
from bot.store.rows import Loaded
from bot.store.transaction import Transaction
from handlers.amending_desk import Asking, Editing, Reply, Screen, TakingBack, What
from handlers.desk import Judged, Refused, Seen

_AMOUNT: Final = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,9})?")
_PACKET: Final = "SELECT id FROM proposals WHERE channel = :channel AND ts = :ts"
_NOTHING: Final = AgentText("")

_Wish = Callable[[Transaction, Proposal, Standing, Shown], Ask | Edit | TakeBack]


class AmendingUseCases:
    """Provides `handlers.amending_desk.AmendingDesk`."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._current = CurrentPolicy(wiring.policy)

    async def begin(self, what: What, screen: Screen) -> Judged:
        """Tell whether this person may do that now: judged as if it were done, and only a refusal is recorded."""
        return await self._judged(screen, lambda *now: _rehearsed(what, *now), rehearse=True)

    async def ask(self, asking: Asking) -> Judged:
        """Put a question to the agent, or to a person of this workspace that Slack finds nothing wrong with."""
        account = None if asking.to is None else Account(self._wiring.home_team, asking.to)
        member = None if account is None else await self._wiring.directory.look_up(account)

        def wish(tx: Transaction, proposal: Proposal, asker: Standing, shown: Shown) -> Ask:
            to = None if account is None or member is None else meet(tx, account, member, member.name)
            flawed = member is not None and (member.flaw is not None or asker.is_one_with(to))
            question = tx.new_id("qst")
            return Ask(
                *(tx.at, proposal.id, asker, shown, question, to), flawed, asking.text, stops_clock=asking.stops_clock
            )

        return await self._judged(asking.screen, wish)

    async def edit(self, editing: Editing) -> Judged:
        """Lower a field, and let the policy that decides now judge what comes of it."""

        def wish(tx: Transaction, proposal: Proposal, editor: Standing, shown: Shown) -> Edit:
            becomes = self._lowered(tx, proposal, editing)
            return Edit(tx.at, proposal.id, editor, shown, editing.field, becomes)

        return await self._judged(editing.screen, wish)

    async def take_back(self, wish: TakingBack) -> Judged:
        """Take an unused approval back."""
        return await self._judged(
            wish.screen, lambda tx, proposal, by, shown: TakeBack(tx.at, proposal.id, by, shown, wish.reason)
        )

    async def reply(self, reply: Reply) -> None:
        """Take a reply as the answer to the oldest question that its author was asked there and has not answered."""
        place = {"channel": reply.who.channel, "ts": reply.thread_ts}
        found = await self._wiring.reads.glance().rows(_PACKET, place)
        if found:
            await written(self._wiring, lambda tx: _reply(tx, str(found[0][0]), reply))

    async def _judged(self, screen: Screen, wish: _Wish, *, rehearse: bool = False) -> Judged:
        who = screen.who
        member = await self._wiring.directory.look_up(who.account)

        def unit(tx: Transaction) -> Judged:
            loaded = known(tx, screen.unverified_proposal)
            if loaded is None:
                return Judged(Refusal.NOT_OUR_MESSAGE, None)
            person = meet(tx, who.account, member, member.name or who.user_name)
            if not tx.first_seen(_fingerprint(who.request_id)):
                return Judged(_told_before(loaded, person), seen_in(tx, loaded))
            shown = Shown(screen.unverified_digest, who.channel, screen.ts)
            command = wish(tx, loaded.proposal, standing_in(tx, person, member), shown)
            foreseen = decide(loaded.proposal, command, tx.switch)
            refusal = next((event.code for event in foreseen if isinstance(event, RequestRefused)), None)
            if rehearse and refusal is None:
                return Judged(None, seen_in(tx, loaded))
            applied = apply(tx, loaded, command, foreseen)
            return Judged(refusal, seen_in(tx, applied.loaded or loaded))

        return await written(self._wiring, unit)

    def _lowered(self, tx: Transaction, proposal: Proposal, editing: Editing) -> Lowered | Refusal:
        typed = editing.unverified_value.strip()
        wish = Decimal(typed) if _AMOUNT.fullmatch(typed) else Decimal(0)
        arguments = lowered(proposal.arguments, editing.field, wish)
        if arguments is None:
            return Refusal.NOT_LOWER
        try:
            digest = digest_of(proposal.tool, unwrap_object(arguments))
        except NotCanonicalError:
            return Refusal.NOT_LOWER
        row = tx.agent(proposal.agent.id)
        agent = proposal.agent if row is None else row.agent
        folder = self._current.folder(tx)
        policy = folder.policies.get(proposal.tool)
        if policy is not None and breaches(policy.contract, arguments):
            return Refusal.BREAKS_CONTRACT
        draft = replace(draft_again(proposal), arguments=arguments, digest=digest)
        environment = self._wiring.policy.environment
        told = NOTHING_BEFORE if policy is None else inside(tx, environment, policy, agent, draft, proposal.id)
        # No dial is drawn: whoever may lower an amount must not look for lucky ones.
        ruling = classify(folder, draft, agent, tx.at, told, drawn=False)
        if isinstance(ruling, Contradiction):
            return Refusal.BREAKS_CONTRACT
        # Who has an interest is found when it is proposed; a field that is named only now was never looked at.
        if set(ruling.excluded or ()) - set(proposal.requirement.excluded or ()):
            return Refusal.POLICY_CHANGED
        # What was to be kept for less long stays so, whatever the policy marks by now.
        personal = {*(ruling.personal or ()), *(proposal.requirement.personal or ())}
        ruling = replace(ruling, personal=tuple(sorted(personal)) or None)
        return Lowered(arguments, digest, ruling, worth_noting(policy, told))


class AnsweringUseCases:
    """Provides `handlers.amending_desk.AnsweringDesk`."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring

    async def answer(self, agent: Agent, unverified_id: str, question: str, text: AgentText) -> Seen | Refused | None:
        """Record the agent's answer."""

        def unit(tx: Transaction) -> Seen | Refused | None:
            loaded = known(tx, unverified_id)
            if loaded is None or loaded.proposal.agent.id != agent.id:
                return None
            asked = next((each for each in loaded.proposal.questions if each.id == question), None)
            if asked is None or asked.to is not None:
                return Refused("question-unknown", "the agent was not asked this; read `questions` of the proposal")
            if not asked.open:
                same = asked.answer == text
                return seen_in(tx, loaded) if same else Refused("already-answered", "the first answer stands")
            applied = apply(tx, loaded, Answer(tx.at, loaded.proposal.id, question, agent.actor, text))
            if not applied.events:
                return _too_late(loaded.proposal)
            return seen_in(tx, applied.loaded or loaded)

        return await written(self._wiring, unit)


def _too_late(proposal: Proposal) -> Refused:
    if proposal.status is Status.PENDING:
        return Refused(Refusal.EXPIRED.value, "the time to decide is over, so nobody waits for the answer")
    return Refused(
        Refusal.NOT_PENDING.value, f"the proposal is {proposal.status.value}, so nobody waits for the answer"
    )


def _rehearsed(what: What, tx: Transaction, proposal: Proposal, who: Standing, shown: Shown) -> Ask | Edit | TakeBack:
    match what:
        case "ask":
            nobody = who.person  # whom it is for is chosen later
            return Ask(tx.at, proposal.id, who, shown, "", nobody, flawed=False, text=_NOTHING, stops_clock=False)
        case "edit":
            field = (proposal.requirement.editable or ("",))[0]
            same = Lowered(proposal.arguments, proposal.digest, proposal.requirement, proposal.known)
            return Edit(tx.at, proposal.id, who, shown, field, same)
        case "take-back":
            return TakeBack(tx.at, proposal.id, who, shown, _NOTHING)


def _reply(tx: Transaction, proposal: str, reply: Reply) -> None:
    loaded = known(tx, proposal)
    person = tx.known_person(reply.who.account)
    asked_of = [] if loaded is None or person is None else loaded.proposal.questions
    waiting = [each for each in asked_of if each.open and each.to == person]
    if loaded is None or not waiting or not tx.first_seen(_fingerprint(reply.who.request_id)):
        return
    asked = waiting[0]
    if asked.to is not None:
        apply(tx, loaded, Answer(tx.at, loaded.proposal.id, asked.id, human(asked.to), reply.text))


def _told_before(loaded: Loaded, person: PersonId) -> Refusal | None:
    """Say again what became of a request that comes again: the newest of this person's."""
    by = human(person)
    mine = [
        item.event
        for item in loaded.recorded
        if isinstance(item.event, Asked | Edited | Revoked | RequestRefused) and item.event.by == by
    ]
    newest = mine[-1] if mine else None
    return newest.code if isinstance(newest, RequestRefused) else None


def _fingerprint(request_id: str) -> str:
    return hashlib.sha256(request_id.encode()).hexdigest()
