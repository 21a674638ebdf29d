"""Votes that a passkey confirms: what is asked, what is counted, and every way to answer falsely."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from unittest.mock import ANY as ANY_SEEN

import pytest

from approval_rules.canonical import sha256_name
from approval_rules.events import ClaimRefused, Decision, PacketPosted, Posted, Refusal, Voted, VoteRefused
from approval_rules.factor_events import FactorConfirmed, FactorEnrolled, FactorEvent, FactorLocked
from approval_rules.intent import intent_digest
from approval_rules.people import Account, Flaw, PersonId, human, system
from approval_rules.state import Status
from approval_rules.switch import EVERYTHING
from approval_rules.text import AgentText, unwrap_object
from bot.clock import new_token
from bot.desk.confirming import Confirming
from bot.desk.factor_record import New, record_factors
from bot.desk.passkey_proof import Site
from bot.policy_files import load as load_policy
from bot.store.rows import Loaded
from bot.store.tickets import TICKET, ticket_id
from bot.store.transaction import Transaction
from handlers.confirming_desk import Asked
from handlers.desk import Accepted, Challenge, Judged
from tests.authenticator import ORIGIN, PRESENT, VERIFIED, Algorithm, Answer, Lie, Passkey
from tests.bot.desk.rig import CHANNEL, PEOPLE, TEAM, Rig
from tests.world import TOOL

ANN, BEN, _, _, OWNER = PEOPLE
POLICY = f"""\
policy:
  tool: "{TOOL}"
  rules:
    - require_approval: {{roles: [support_manager], step_up: STEP_UP}}
"""


class Bench(Rig):
    """The rig, with a policy that asks for a factor, and people who hold passkeys."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.folder = folder
        self.ask("passkey")
        self.numbers = iter(range(1, 999))

    def ask(self, step_up: str) -> None:
        """Let the policy ask for this factor."""
        path = self.folder / "policy" / f"{TOOL}.yml"
        path.write_text(POLICY.replace("STEP_UP", step_up), encoding="utf-8")
        self.policy.folder = load_policy(self.folder / "policy")

    @property
    def confirming(self) -> Confirming:
        """The use cases."""
        return Confirming(self.wiring, self.for_people, Site(ORIGIN), new_token)

    async def person(self, user: str) -> PersonId:
        """Give a person's pseudonym."""
        return await self.writer.run(lambda tx: tx.person(Account(TEAM, user), user))

    async def give(self, user: str, passkey: Passkey, *, confirmed: bool = True) -> str:
        """Enrol a passkey as if its page and the second person had."""
        person = await self.person(user)

        def unit(tx: Transaction) -> str:
            by, ident = human(person), tx.new_id("cred")
            new = {ident: New("Passkey", passkey.material, passkey.count)}
            record_factors(tx, [FactorEnrolled(tx.at, by, person, ident, "passkey")], new)
            if confirmed:
                record_factors(tx, [FactorConfirmed(tx.at, by, person, ident, None)])
            return ident

        return await self.writer.run(unit)

    async def give_app(self, user: str) -> str:
        """Enrol an authenticator app in the same way."""
        person = await self.person(user)

        def unit(tx: Transaction) -> str:
            by, ident = human(person), tx.new_id("cred")
            events: list[FactorEvent] = [
                FactorEnrolled(tx.at, by, person, ident, "totp"),
                FactorConfirmed(tx.at, by, person, ident, None),
            ]
            record_factors(tx, events, {ident: New("Authenticator app", {"secret": "sealed"})})
            return ident

        return await self.writer.run(unit)

    async def show_again(self, proposal: tuple[str, str, str], what: str) -> None:
        """Record that the packet shows something else now, as it does after a vote."""
        loaded = await self.loaded(proposal)
        posted = Posted(CHANNEL, proposal[2], sha256_name(what.encode()))
        event = PacketPosted(self.clock(), system("outbox"), loaded.proposal.id, posted)
        await self.writer.run(lambda tx: tx.record(event))

    async def lock(self, user: str, ident: str) -> None:
        """Lock a factor."""
        person = await self.person(user)
        by = human(person)
        await self.writer.run(lambda tx: record_factors(tx, [FactorLocked(tx.at, by, person, ident, "asked")]))

    async def proposed(self, amount: int = 180) -> tuple[str, str, str]:
        """Propose a refund and post its packet: its id, digest and place."""
        number = next(self.numbers)
        accepted = await self.submit(self.agents[0], amount, f"key-{number}")
        assert isinstance(accepted, Accepted)
        proposal = accepted.seen.proposal
        await self.post(proposal.id, ts := f"1700000000.{number:06}")
        return proposal.id, proposal.digest, ts

    async def begin(self, user: str, proposal: tuple[str, str, str]) -> Judged | Challenge:
        """Press Approve."""
        return await self.confirming.begin_approval(self.click(user, *proposal, Decision.APPROVE))

    async def asked(self, user: str, proposal: tuple[str, str, str]) -> tuple[str, Asked]:
        """Press Approve and open the page: the ticket's name, and what it asks."""
        challenge = await self.begin(user, proposal)
        assert isinstance(challenge, Challenge), challenge
        asked = await self.confirming.asked(challenge.ticket)
        assert asked is not None
        assert (asked.code, challenge.url) == (challenge.code, f"{ORIGIN}/confirm/{challenge.ticket}")
        return challenge.ticket, asked

    async def answered(self, name: str, answer: Answer) -> Refusal | None:
        """Post an answer from the page."""
        judged = await self.confirming.confirm(name, answer)
        assert judged is not None
        return judged.refusal

    async def loaded(self, proposal: tuple[str, str, str]) -> Loaded:
        """Read a proposal."""
        found = await self.reads.glance().proposal(proposal[0])
        assert found is not None
        return found

    async def refusals(self, proposal: tuple[str, str, str]) -> list[Refusal]:
        """List what was recorded as refused."""
        recorded = (await self.loaded(proposal)).recorded
        return [item.event.code for item in recorded if isinstance(item.event, VoteRefused)]

    async def votes(self, proposal: tuple[str, str, str]) -> int:
        """Count the votes."""
        return len((await self.loaded(proposal)).proposal.votes)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """Make a bench; at the end its log and its index must be whole."""
    made = Bench(tmp_path)
    await made.hire()
    yield made
    assert made.faults() == []
    await made.close()


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "RS256"])
async def test_two_people_approve_each_with_a_passkey(bench: Bench, algorithm: Algorithm) -> None:
    """The right answer counts, whatever kind of key; the vote has proof, code and evidence."""
    keys = {ANN: Passkey(algorithm), BEN: Passkey(algorithm)}
    proposal = await bench.proposed()
    for user, key in keys.items():
        ident = await bench.give(user, key)
        name, asked = await bench.asked(user, proposal)
        assert asked.refusal is None
        assert await bench.answered(name, key.answer(asked.challenge)) is None
        vote = (await bench.loaded(proposal)).proposal.votes[-1]
        assert vote.proof is not None
        assert (vote.proof.factor, vote.proof.credential, vote.proof.code) == ("passkey", ident, asked.code)
    assert (await bench.loaded(proposal)).proposal.status is Status.APPROVED


async def test_the_intent_names_everything_that_the_vote_is_bound_to(bench: Bench) -> None:
    """Arguments, packet, policy, person and expiry stand in what is signed; the vote's proof is its digest."""
    key = Passkey()
    await bench.give(ANN, key)
    proposal = await bench.proposed()
    name, asked = await bench.asked(ANN, proposal)
    before = (await bench.loaded(proposal)).proposal
    await bench.answered(name, key.answer(asked.challenge))
    voted = next(item.event for item in (await bench.loaded(proposal)).recorded if isinstance(item.event, Voted))
    assert voted.evidence is not None
    assert voted.proof is not None
    text = unwrap_object(voted.evidence)["intent"]
    assert isinstance(text, str)
    intent = json.loads(text)
    assert voted.proof.intent == intent_digest(text)
    assert before.packet is not None
    assert intent == {
        "v": 1,
        "proposal": before.id,
        "arguments": before.digest,
        "packet": before.packet.shown,
        "policy": before.requirement.policy.version,
        "decision": "approve",
        "approver": await bench.person(ANN),
        "nonce": intent["nonce"],
        "expires_at": intent["expires_at"],
        "rp": "approvals.example.com",
    }
    assert len(intent["nonce"]) == 43


async def test_another_proposals_answer_is_refused(bench: Bench) -> None:
    """What was signed for one refund approves no other, not even one with the same arguments."""
    key = Passkey()
    await bench.give(ANN, key)
    cheap, dear = await bench.proposed(60), await bench.proposed(400)
    _, asked = await bench.asked(ANN, cheap)
    name, _ = await bench.asked(ANN, dear)
    assert await bench.answered(name, key.answer(asked.challenge)) is Refusal.FACTOR_REFUSED
    assert await bench.refusals(dear) == [Refusal.FACTOR_REFUSED]
    assert await bench.votes(dear) == await bench.votes(cheap) == 0


@pytest.mark.parametrize(
    "lie",
    [
        pytest.param(Lie(origin="https://approvals.example.com.evil.example"), id="another origin"),
        pytest.param(Lie(origin="http://approvals.example.com"), id="plain http"),
        pytest.param(Lie(origin="https://approvals.example.com:8443"), id="another port"),
        pytest.param(Lie(rp="evil.example"), id="another host's authenticator data"),
        pytest.param(Lie(flags=PRESENT), id="no user verification"),
        pytest.param(Lie(flags=VERIFIED), id="nobody was there"),
        pytest.param(Lie(kind="webauthn.create"), id="a registration instead"),
        pytest.param(Lie(more={"crossOrigin": True}), id="inside another site's page"),
        pytest.param(Lie(more={"topOrigin": "https://evil.example"}), id="under another site's page"),
        pytest.param(Lie(more={"challenge": "AAAA"}), id="another challenge"),
    ],
)
async def test_an_answer_that_was_given_elsewhere_or_otherwise_is_refused(bench: Bench, lie: Lie) -> None:
    """The signature is right each time, and over the wrong thing."""
    key = Passkey()
    await bench.give(ANN, key)
    proposal = await bench.proposed()
    name, asked = await bench.asked(ANN, proposal)
    assert await bench.answered(name, key.answer(asked.challenge, lie)) is Refusal.FACTOR_REFUSED
    assert await bench.refusals(proposal) == [Refusal.FACTOR_REFUSED]
    assert await bench.votes(proposal) == 0


@pytest.mark.parametrize("part", ["authenticatorData", "clientDataJSON", "signature"])
async def test_changed_bytes_are_refused(bench: Bench, part: str) -> None:
    """One letter of any part is enough to void the answer."""
    key = Passkey()
    await bench.give(ANN, key)
    proposal = await bench.proposed()
    name, asked = await bench.asked(ANN, proposal)
    answer = key.answer(asked.challenge)
    said = answer["response"][part]
    answer["response"][part] = said[:20] + ("A" if said[20] != "A" else "B") + said[21:]
    assert await bench.answered(name, answer) is Refusal.FACTOR_REFUSED


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"id": 1},
        {"id": "x", "response": None},
        {"id": "x", "rawId": "x", "type": "public-key", "response": {}},
        {"id": ["x"], "response": {"clientDataJSON": {"a": 1}}},
    ],
)
async def test_nonsense_is_refused_and_recorded(bench: Bench, answer: Answer) -> None:
    """Whatever JSON somebody posts, it is a refusal and never an error, and the ticket is gone."""
    key = Passkey()
    await bench.give(ANN, key)
    proposal = await bench.proposed()
    name, asked = await bench.asked(ANN, proposal)
    assert await bench.answered(name, answer) is Refusal.FACTOR_REFUSED
    assert await bench.answered(name, key.answer(asked.challenge)) is Refusal.LINK_USED
    assert await bench.refusals(proposal) == [Refusal.FACTOR_REFUSED, Refusal.LINK_USED]


async def test_nonsense_with_a_known_id_is_refused(bench: Bench) -> None:
    """The id of a passkey is no secret: what comes with it must still be right."""
    key = Passkey()
    await bench.give(ANN, key)
    proposal = await bench.proposed()
    name, _ = await bench.asked(ANN, proposal)
    answer = {"id": key.material["credential_id"], "response": {"clientDataJSON": "e30", "authenticatorData": 7}}
    assert await bench.answered(name, answer) is Refusal.FACTOR_REFUSED


async def test_another_persons_key_is_refused(bench: Bench) -> None:
    """Ben's passkey confirms nothing that Ann was asked, though both may decide."""
    ann, ben = Passkey(), Passkey()
    await bench.give(ANN, ann)
    await bench.give(BEN, ben)
    proposal = await bench.proposed()
    name, asked = await bench.asked(ANN, proposal)
    assert await bench.answered(name, ben.answer(asked.challenge)) is Refusal.FACTOR_REFUSED
    disguised = {**ben.answer(asked.challenge), "id": ann.material["credential_id"]}
    name, asked = await bench.asked(ANN, proposal)
    assert await bench.answered(name, disguised) is Refusal.FACTOR_REFUSED
    assert await bench.votes(proposal) == 0


async def test_a_replayed_answer_is_refused_and_recorded(bench: Bench) -> None:
    """A ticket takes one answer; the same again adds no vote."""
    key = Passkey()
    await bench.give(ANN, key)
    proposal = await bench.proposed()
    name, asked = await bench.asked(ANN, proposal)
    answer = key.answer(asked.challenge)
    assert await bench.answered(name, answer) is None
    assert await bench.answered(name, answer) is Refusal.LINK_USED
    again = await bench.confirming.asked(name)
    assert again is not None
    assert again.refusal is Refusal.LINK_USED
    assert await bench.votes(proposal) == 1


async def test_one_answer_posted_many_times_at_once_counts_once(bench: Bench) -> None:
    """Also where all of them are judged in one commit."""
    key = Passkey()
    await bench.give(ANN, key)
    proposal = await bench.proposed()
    name, asked = await bench.asked(ANN, proposal)
    answer = key.answer(asked.challenge)
    told = await asyncio.gather(*(bench.answered(name, answer) for _ in range(8)))
    assert (told.count(None), told.count(Refusal.LINK_USED)) == (1, 7)
    assert await bench.votes(proposal) == 1


async def test_a_ticket_is_over_after_five_minutes(bench: Bench) -> None:
    """An answer that comes too late is refused, and the page says so before."""
    key = Passkey()
    await bench.give(ANN, key)
    proposal = await bench.proposed()
    name, asked = await bench.asked(ANN, proposal)
    bench.clock.move(timedelta(minutes=5, seconds=1))
    over = await bench.confirming.asked(name)
    assert over is not None
    assert over.refusal is Refusal.LINK_USED
    assert await bench.answered(name, key.answer(asked.challenge)) is Refusal.LINK_USED


async def test_a_ticket_ends_with_its_proposal(bench: Bench) -> None:
    """No ticket is open longer than there is anything to decide."""
    key = Passkey()
    await bench.give(ANN, key)
    proposal = await bench.proposed()
    before = (await bench.loaded(proposal)).proposal
    bench.clock.move(before.expires_at - bench.clock() - timedelta(minutes=1))
    name, asked = await bench.asked(ANN, proposal)
    assert asked.expires_at == before.expires_at
    bench.clock.move(timedelta(minutes=2))
    assert await bench.answered(name, key.answer(asked.challenge)) is Refusal.EXPIRED


async def test_a_counter_that_does_not_go_up_is_refused(bench: Bench) -> None:
    """A copied key shows itself by its counter; one that stays at 0 says nothing."""
    key = Passkey(count=7)
    await bench.give(ANN, key)
    first, second = await bench.proposed(), await bench.proposed(190)
    name, asked = await bench.asked(ANN, first)
    assert await bench.answered(name, key.answer(asked.challenge, Lie(counter=9))) is None
    for counter in (9, 8, 0):
        name, asked = await bench.asked(ANN, second)
        assert await bench.answered(name, key.answer(asked.challenge, Lie(counter=counter))) is Refusal.FACTOR_REFUSED
    name, asked = await bench.asked(ANN, second)
    assert await bench.answered(name, key.answer(asked.challenge, Lie(counter=10))) is None


async def test_two_answers_with_one_count_in_one_commit_are_not_both_taken(bench: Bench) -> None:
    """The count of the first is seen by the second, though neither is on disk yet."""
    key = Passkey(count=1)
    await bench.give(ANN, key)
    names = [await bench.asked(ANN, await bench.proposed(amount)) for amount in (180, 190)]
    answers = [(name, key.answer(asked.challenge, Lie(counter=2))) for name, asked in names]
    told = await asyncio.gather(*(bench.answered(name, answer) for name, answer in answers))
    assert set(told) == {None, Refusal.FACTOR_REFUSED}


@pytest.mark.parametrize("happens", ["locked", "removed from the group", "slack is down", "paused", "cancelled"])
async def test_everything_is_judged_again_when_the_answer_comes(bench: Bench, happens: str) -> None:
    """What was true when Approve was pressed may be true no more."""
    key = Passkey()
    ident = await bench.give(ANN, key)
    proposal = await bench.proposed()
    name, asked = await bench.asked(ANN, proposal)
    match happens:
        case "locked":
            await bench.lock(ANN, ident)
            wanted = Refusal.FACTOR_REFUSED
        case "removed from the group":
            bench.staff.outside.add(ANN)
            wanted = Refusal.NOT_IN_ROLE
        case "slack is down":
            bench.staff.flaws[ANN] = Flaw.DIRECTORY_DOWN
            wanted = Refusal.DIRECTORY_DOWN
        case "paused":
            await bench.for_people.pause(bench.envelope(BEN, "pause-1"), EVERYTHING, None, AgentText("stop"))
            wanted = Refusal.PAUSED
            shown = await bench.confirming.asked(name)
            assert shown is not None
            assert shown.refusal is Refusal.PAUSED
        case _:
            await bench.for_agents.cancel(bench.agents[0], proposal[0])
            wanted = Refusal.NOT_PENDING
    assert await bench.answered(name, key.answer(asked.challenge)) is wanted
    assert await bench.refusals(proposal) == [wanted]
    assert await bench.votes(proposal) == 0


async def test_the_vote_of_another_person_in_between_voids_nothing(bench: Bench) -> None:
    """Two people who are asked at once can both answer: a vote changes no word of what is decided."""
    keys = {ANN: Passkey(), BEN: Passkey()}
    proposal = await bench.proposed()
    for user, key in keys.items():
        await bench.give(user, key)
    pages = {user: await bench.asked(user, proposal) for user in keys}
    for user, (name, asked) in pages.items():
        assert await bench.answered(name, keys[user].answer(asked.challenge)) is None
        await bench.show_again(proposal, user)
    assert (await bench.loaded(proposal)).proposal.status is Status.APPROVED


async def test_whatever_else_happens_in_between_makes_the_person_look_again(bench: Bench) -> None:
    """A kind of event that nobody has called harmless voids the answer, and the page says so."""
    key = Passkey()
    await bench.give(ANN, key)
    proposal = await bench.proposed()
    name, asked = await bench.asked(ANN, proposal)
    loaded = await bench.loaded(proposal)
    odd = ClaimRefused(bench.clock(), bench.agents[0].actor, loaded.proposal.id, Refusal.NOT_APPROVED)
    await bench.writer.run(lambda tx: tx.record(odd))
    shown = await bench.confirming.asked(name)
    assert shown is not None
    assert shown.refusal is Refusal.CHANGED_SINCE
    assert await bench.answered(name, key.answer(asked.challenge)) is Refusal.CHANGED_SINCE


async def test_who_may_not_decide_is_never_asked_for_a_key(bench: Bench) -> None:
    """The owner is told so at once; nothing is made that could be confirmed."""
    key = Passkey()
    await bench.give(OWNER, key)
    proposal = await bench.proposed()
    assert await bench.begin(OWNER, proposal) == Judged(Refusal.AGENT_OWNER, ANY_SEEN)
    assert await bench.refusals(proposal) == [Refusal.AGENT_OWNER]


async def test_who_has_decided_is_told_that_instead(bench: Bench) -> None:
    """A second yes of the same person asks for no second key."""
    key = Passkey()
    await bench.give(ANN, key)
    proposal = await bench.proposed()
    name, asked = await bench.asked(ANN, proposal)
    await bench.answered(name, key.answer(asked.challenge))
    assert await bench.begin(ANN, proposal) == Judged(Refusal.ALREADY_VOTED, ANY_SEEN)


async def test_who_has_no_key_is_told_how_to_get_one(bench: Bench) -> None:
    """An enrolment that nobody has confirmed is none, and a code is not enough for a passkey."""
    proposal = await bench.proposed()
    assert await bench.begin(ANN, proposal) == Judged(Refusal.FACTOR_MISSING, ANY_SEEN)
    await bench.give(ANN, Passkey(), confirmed=False)
    await bench.give_app(ANN)
    assert await bench.begin(ANN, proposal) == Judged(Refusal.FACTOR_MISSING, ANY_SEEN)
    assert await bench.refusals(proposal) == [Refusal.FACTOR_MISSING, Refusal.FACTOR_MISSING]


async def test_who_has_a_locked_key_is_told_that(bench: Bench) -> None:
    """What is locked does not count, and the person hears why."""
    await bench.lock(ANN, await bench.give(ANN, Passkey()))
    assert await bench.begin(ANN, await bench.proposed()) == Judged(Refusal.FACTOR_LOCKED, ANY_SEEN)


async def test_a_passkey_is_enough_where_a_code_is_asked_for(bench: Bench) -> None:
    """The stronger factor is asked for where the person has it; else the code; else the lock is named."""
    bench.ask("totp")
    await bench.give(ANN, Passkey())
    await bench.give_app(ANN)
    app = await bench.give_app(BEN)
    proposal = await bench.proposed()
    for user, factor in ((ANN, "passkey"), (BEN, "totp")):
        challenge = await bench.begin(user, proposal)
        assert isinstance(challenge, Challenge)
        assert challenge.factor == factor
        assert (challenge.url is None) == (factor == "totp")
        assert await bench.confirming.asked(challenge.ticket) is None or factor == "passkey"
        assert await bench.confirming.confirm(challenge.ticket, {}) is None or factor == "passkey"
    await bench.lock(BEN, app)
    assert await bench.begin(BEN, proposal) == Judged(Refusal.FACTOR_LOCKED, ANY_SEEN)


async def test_without_a_page_nobody_is_sent_to_one(bench: Bench) -> None:
    """Where people's browsers cannot reach the server, a code is asked for although there is a passkey."""
    bench.ask("totp")
    await bench.give(ANN, Passkey())
    await bench.give_app(ANN)
    proposal = await bench.proposed()
    nowhere = Confirming(bench.wiring, bench.for_people, None, new_token)
    challenge = await nowhere.begin_approval(bench.click(ANN, *proposal, Decision.APPROVE))
    assert isinstance(challenge, Challenge)
    assert (challenge.factor, challenge.url) == ("totp", None)


async def test_where_no_factor_is_asked_for_one_press_counts(bench: Bench) -> None:
    """As it always was, also for a proposal that nobody knows."""
    bench.ask("none")
    proposal = await bench.proposed()
    assert await bench.begin(ANN, proposal) == Judged(None, ANY_SEEN)
    assert await bench.begin(ANN, ("prop_unknown", proposal[1], proposal[2])) == Judged(Refusal.NOT_OUR_MESSAGE, None)


async def test_the_same_request_again_makes_no_second_ticket(bench: Bench) -> None:
    """Slack's request, sent twice, asks once."""
    await bench.give(ANN, Passkey())
    click = bench.click(ANN, *await bench.proposed(), Decision.APPROVE)
    assert isinstance(await bench.confirming.begin_approval(click), Challenge)
    assert isinstance(await bench.confirming.begin_approval(click), Judged)


async def test_only_the_hash_of_a_name_is_kept(bench: Bench) -> None:
    """Who reads the database cannot open anybody's page, and a name is in no log entry."""
    await bench.give(ANN, Passkey())
    name, _ = await bench.asked(ANN, await bench.proposed())
    assert await bench.reads.glance().rows(TICKET, {"id": ticket_id(name)})
    assert await bench.confirming.asked(ticket_id(name)) is None
    assert name.encode() not in bench.path.read_bytes() + bench.path.with_name("foureyes.db-wal").read_bytes()


async def test_an_unknown_name_is_nothing(bench: Bench) -> None:
    """There is no page and no answer for it, and nothing is recorded."""
    assert await bench.confirming.asked("nobody") is None
    assert await bench.confirming.confirm("nobody", {}) is None
