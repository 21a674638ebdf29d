"""Red: who may start himself what the policy blocks, with what proof, and who must say yes after that."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from approval_rules.canonical import digest_of
from approval_rules.commands import Draft
from approval_rules.contract import Contract
from approval_rules.decide import decide
from approval_rules.events import ClaimRefused, Refusal, Revoked, Submitted, VoteRefused
from approval_rules.initiation import consequential, foreshown, may_still_start, repeats, withheld
from approval_rules.initiation_events import Initiated, InitiationRefused
from approval_rules.people import AgentId, Flaw, PersonId, ToolName, human
from approval_rules.react import ShowPacket, TellAgent, react
from approval_rules.requirement import DEFAULT_TTL, Initiation, Shadowed, Tier
from approval_rules.state import Proposal, Status
from approval_rules.switch import Scope, ScopeKind
from approval_rules.text import AgentJson, AgentText
from tests.rules.builders import (
    AGENT,
    ANN,
    FINANCE,
    GREEN,
    ID,
    MANAGER,
    OWNER,
    POSTED,
    REFUND,
    RUNNING,
    TWO_MANAGERS,
    after,
    approved,
    at,
    claim,
    draft,
    only,
    opened,
    person,
    start_pause,
    submit,
    switched,
)
from tests.rules.policies import draft as sent
from tests.rules.starting import (
    FAY,
    FRED,
    MAYA,
    STARTABLE,
    STARTED,
    approved_start,
    blocked,
    claim_start,
    initiate,
    proof,
    started,
    yes,
)
from tests.rules.test_touches import Annotated

NOBODY = replace(STARTABLE, initiation=None, seats=())


def refusal(taken_up: Proposal | None, **changes: Any) -> Refusal:  # noqa: ANN401 - fields of the command
    """The reason why this start did not count; and nothing else happened."""
    (event,) = decide(taken_up, initiate(**changes), RUNNING)
    assert isinstance(event, InitiationRefused)
    assert (event.by.kind.value, event.proposal) == ("human", STARTED)
    return event.code


# --- starting


def test_a_person_takes_a_blocked_proposal_up() -> None:
    """Another proposal opens under the person's name; the agent's own stays blocked, and says what became of it."""
    submitted, initiated = decide(blocked(), initiate(), RUNNING)
    assert isinstance(submitted, Submitted)
    assert submitted.by == human(MAYA.person)
    assert submitted.initiator is not None
    assert (submitted.initiator.person, submitted.initiator.of, submitted.initiator.roles) == ("maya", ID, (MANAGER,))
    assert initiated == Initiated(at(30), human(MAYA.person), ID, STARTED)
    before = blocked()
    now = after(before, initiate())
    assert now.started_as == STARTED  # the last event was folded into what it was judged with
    proposal = started()
    assert (proposal.status, proposal.agent.id, proposal.expires_at) == (Status.PENDING, AGENT.id, at(30) + DEFAULT_TTL)
    assert submitted.started_by == before.started_by


def test_a_person_asks_for_it_without_any_proposal() -> None:
    """`/agent request`: nothing was blocked before, and the policy's own time counts."""
    (submitted,) = decide(None, initiate(requirement=replace(STARTABLE, ttl=timedelta(minutes=20))), RUNNING)
    assert isinstance(submitted, Submitted)
    assert submitted.initiator is not None
    assert submitted.initiator.of is None
    assert submitted.expires_at == at(50)


@pytest.mark.parametrize("flaw", list(Flaw))
def test_who_cannot_be_known_starts_nothing(flaw: Flaw) -> None:
    """A guest, a bot, a stranger, or anybody while Slack's directory is down."""
    assert refusal(None, starter=replace(MAYA, flaw=flaw)).value == flaw.value


def test_only_the_role_that_the_policy_names_may_start() -> None:
    """Whoever must approve it later may not start it by that."""
    assert refusal(None, starter=FAY) is Refusal.NOT_IN_ROLE


@pytest.mark.parametrize("brought", [None, proof("totp")])
def test_without_the_second_factor_nothing_starts(brought: object) -> None:
    """No proof, or a weaker one than is asked for."""
    assert refusal(blocked(), proof=brought) is Refusal.STEP_UP_NEEDED


def test_a_role_that_needs_no_proof_still_brings_one() -> None:
    """Even where a requirement from another version asked for none, a start without a proof is no start."""
    asked = replace(STARTABLE, initiation=Initiation(MANAGER, "none"))
    assert refusal(None, requirement=asked, proof=None) is Refusal.STEP_UP_NEEDED


@pytest.mark.parametrize(
    "typed", ["", "18", "180.01", "1.8e2", " 180.00", "180,00", "$180.00", "0b10110100", "NaN", "١٨٠"]
)
def test_the_value_must_be_typed_again_exactly(typed: str) -> None:
    """A slip, another way to write numbers, or nothing at all: nothing starts."""
    assert refusal(None, typed=AgentText(typed)) is Refusal.TYPED_WRONG


@pytest.mark.parametrize("typed", ["180", "180.0", "180.00"])
def test_a_number_is_typed_as_a_number(typed: str) -> None:
    """How many zeros stand behind the point is no matter."""
    assert repeats(AgentText(typed), draft(), "amount")


def test_what_nobody_may_start_stays_blocked() -> None:
    """A plain block, whatever proof comes; what is not blocked needs no start; a trial is never executed."""
    assert refusal(blocked(), requirement=NOBODY) is Refusal.NOBODY_MAY_START
    assert refusal(None, requirement=TWO_MANAGERS) is Refusal.NOT_BLOCKED
    assert refusal(None, requirement=GREEN) is Refusal.NOT_BLOCKED
    trial = Shadowed(Tier.RED, None, "blocked")
    assert refusal(None, requirement=replace(STARTABLE, shadow=trial)) is Refusal.SHADOW
    in_trial = opened(replace(NOBODY, shadow=trial))
    assert refusal(in_trial) is Refusal.NOT_BLOCKED


def test_a_blocked_proposal_is_taken_up_once() -> None:
    """Two people who start it, or one who clicks twice, refund once."""
    again = replace(blocked(), started_as=STARTED)
    assert refusal(again) is Refusal.STARTED_BEFORE


def test_only_what_is_blocked_can_be_taken_up() -> None:
    """Not what waits, nor what was approved: their votes are theirs."""
    assert refusal(opened()) is Refusal.NOT_BLOCKED
    assert refusal(approved()) is Refusal.NOT_BLOCKED


def test_what_is_started_is_the_same_tool_of_the_same_agent() -> None:
    """A forged submission cannot carry one agent's proposal over to another agent or tool."""
    other = replace(AGENT, id=AgentId("agt_other"))
    assert refusal(blocked(), agent=other) is Refusal.DIGEST_MISMATCH
    mail = ToolName("mail.send")
    wish = Draft(mail, AgentJson({}), digest_of(mail, {}), AgentText(""), AgentJson({}), AgentJson({}))
    assert refusal(blocked(), draft=wish, field=None, typed=AgentText("mail.send")) is Refusal.DIGEST_MISMATCH


@pytest.mark.parametrize(
    "scope", [Scope(ScopeKind.ALL, ""), Scope(ScopeKind.TOOL, REFUND), Scope(ScopeKind.AGENT, AGENT.id)]
)
def test_a_pause_stops_people_too(scope: Scope) -> None:
    """Nothing is started while its agent, its tool or everything is paused."""
    (event,) = decide(blocked(), initiate(), switched(RUNNING, start_pause(1, scope)))
    assert isinstance(event, InitiationRefused)
    assert event.code is Refusal.PAUSED


def test_an_agent_that_could_not_execute_it_is_named() -> None:
    """A revoked agent, and a tool that is not on its list: nothing would ever come of it."""
    assert refusal(None, agent=replace(AGENT, revoked=True)) is Refusal.AGENT_REVOKED
    assert refusal(None, agent=replace(AGENT, tools=())) is Refusal.TOOL_NOT_ALLOWED


# --- what must be typed again


def contract(confirmed: str | None) -> Contract:
    """A contract that marks this field."""
    return Annotated(confirmed=confirmed)


@pytest.mark.parametrize(
    ("arguments", "marked", "field"),
    [
        ({"order_id": "A-1", "amount_usd": 5}, None, "amount_usd"),
        ({"lines": 3, "amount_usd": 5}, None, "amount_usd"),
        ({"refundAmount": Decimal("1.5")}, None, "refundAmount"),
        ({"amount": "5"}, None, None),
        ({"amount": True}, None, None),
        ({"order_id": "A-1"}, None, None),
        ({"amount": 5, "order_id": "A-1"}, "order_id", "order_id"),
        ({"amount": 5}, "order_id", None),
        ({"order_id": " "}, "order_id", None),
    ],
)
def test_the_consequential_value_is_what_the_contract_marks_or_the_amount(
    arguments: dict[str, object], marked: str | None, field: str | None
) -> None:
    """A mark stands above the guess; where there is neither, it is the tool's name."""
    assert consequential(contract(marked), sent(arguments)) == field
    if marked is None:
        assert consequential(None, sent(arguments)) == field


@pytest.mark.parametrize(
    ("value", "typed", "same"),
    [("A-1", "A-1", True), ("A-1", "a-1", False), ("5", "5.0", False), (["A-1"], "A-1", False), (" ", " ", False)],
)
def test_text_is_typed_exactly(value: object, typed: str, *, same: bool) -> None:
    """What is no text and no number cannot be typed again at all."""
    assert repeats(AgentText(typed), sent({"to": value}), "to") is same


def test_a_tool_without_a_value_is_named() -> None:
    """The tool's name, letter by letter."""
    assert repeats(AgentText("payments.refund"), sent({}), None)
    assert not repeats(AgentText("payments.Refund"), sent({}), None)


# --- who approves it


def test_two_others_approve_with_a_second_factor_each() -> None:
    """Two people of the role, and the agent gets its one permission."""
    proposal = after(started(), yes(FAY))
    assert proposal.status is Status.PENDING
    assert approved_start().status is Status.APPROVED
    assert after(approved_start(), claim_start()).execution is not None


def vote_refusal(voter: Any, **changes: Any) -> Refusal:  # noqa: ANN401 - fields of the command
    """The reason why this yes did not count."""
    (event,) = decide(started(), yes(voter, **changes), RUNNING)
    assert isinstance(event, VoteRefused)
    return event.code


def test_the_starter_approves_nothing() -> None:
    """Although she is in the role that approves: she would be two of the three."""
    assert vote_refusal(MAYA) is Refusal.INITIATOR


def test_the_others_who_are_excluded_stay_so() -> None:
    """The agent's owner, and whoever started the run of the proposal that was taken up."""
    assert vote_refusal(person(OWNER, FINANCE)) is Refusal.AGENT_OWNER
    run = replace(started(), started_by=PersonId("run"))
    (event,) = decide(run, yes(person("run", FINANCE)), RUNNING)
    assert isinstance(event, VoteRefused)
    assert event.code is Refusal.INITIATOR


def test_a_yes_without_a_passkey_does_not_count() -> None:
    """The default of red."""
    assert vote_refusal(FAY, proof=None) is Refusal.STEP_UP_NEEDED
    assert vote_refusal(FAY, proof=proof("totp")) is Refusal.STEP_UP_NEEDED


# --- the claim


def claim_refusal(proposal: Proposal, **changes: Any) -> Refusal:  # noqa: ANN401 - arguments of the claim
    """The reason why there was no permission; where the approval is taken back, that is recorded."""
    events = decide(proposal, claim_start(**changes), RUNNING)
    code = only(events, ClaimRefused).code
    assert any(isinstance(event, Revoked) for event in events) is (code is not Refusal.DIRECTORY_DOWN)
    return code


@pytest.mark.parametrize(
    "maya", [person("maya"), person("maya", MANAGER, flaw=Flaw.DEACTIVATED)], ids=["no role", "gone"]
)
def test_a_starter_who_may_no_longer_start_takes_the_approval_along(maya: Any) -> None:  # noqa: ANN401 - a standing
    """Who was put out of the role between start and claim started nothing that still counts."""
    assert claim_refusal(approved_start(), people=(maya, FAY, FRED)) is Refusal.APPROVERS_CHANGED


def test_a_starter_whom_nobody_asked_about_is_unknown() -> None:
    """Missing means no."""
    assert claim_refusal(approved_start(), people=(FAY, FRED)) is Refusal.APPROVERS_CHANGED


def test_slack_down_means_later() -> None:
    """Nothing is taken back because Slack cannot be asked."""
    down = replace(MAYA, flaw=Flaw.DIRECTORY_DOWN)
    assert claim_refusal(approved_start(), people=(down, FAY, FRED)) is Refusal.DIRECTORY_DOWN


@pytest.mark.parametrize(
    ("now", "code"),
    [
        (STARTABLE, None),
        (TWO_MANAGERS, Refusal.POLICY_CHANGED),
        (replace(STARTABLE, step_up="totp"), None),
        (GREEN, None),
        (NOBODY, Refusal.POLICY_CHANGED),
        (replace(STARTABLE, initiation=Initiation(FINANCE, "passkey")), Refusal.POLICY_CHANGED),
        (replace(STARTABLE, seats=(replace(STARTABLE.seats[0], count=3),)), Refusal.POLICY_CHANGED),
    ],
)
def test_the_policy_of_now_must_be_met_too(now: Any, code: Refusal | None) -> None:  # noqa: ANN401 - a requirement
    """Red with the same people is met; other people, more people or nobody at all is another policy."""
    if code is None:
        assert after(approved_start(), claim_start(current=now)).execution is not None
    else:
        assert claim_refusal(approved_start(), current=now) is code


def test_red_is_blocked_for_what_an_agent_proposed() -> None:
    """An approval of the agent's own is taken back when the policy turns red, also where a person might start it."""
    events = decide(approved(), replace(claim(), current=STARTABLE), RUNNING)
    assert only(events, ClaimRefused).code is Refusal.POLICY_CHANGED


# --- who is told


def test_a_blocked_proposal_that_somebody_may_start_is_posted() -> None:
    """And one that nobody may start is only recorded: people could do nothing about it."""
    posted = after(None, submit(STARTABLE))
    event = only(decide(None, submit(STARTABLE), RUNNING), Submitted)
    assert ShowPacket() in react(posted, event)
    assert react(after(None, submit(NOBODY)), event) == ()


def test_the_agent_hears_of_a_start() -> None:
    """It did not ask for it itself; the agent's blocked proposal shows what became of it."""
    submitted, initiated = decide(blocked(), initiate(draft=draft(callback_url="https://a.example")), RUNNING)
    assert not isinstance(submitted, InitiationRefused)
    assert not isinstance(initiated, InitiationRefused)
    proposal = after(None, initiate(draft=draft(callback_url="https://a.example")))
    assert isinstance(submitted, Submitted)
    assert react(proposal, submitted) == (ShowPacket(), TellAgent("proposal.initiated"))
    assert isinstance(initiated, Initiated)
    assert react(replace(blocked(), packet=POSTED), initiated) == (ShowPacket(),)
    assert ANN.person != MAYA.person


# --- what people are not shown


@pytest.mark.parametrize(
    ("value", "hidden"),
    [
        ("4111", True),
        ({"n": 5}, False),
        ({"card": "4111"}, True),
        ([{"card": 1}], True),
        ({"n": 5, "card": "4111"}, True),
        ([{"n": 5}, {"card": 1}], True),
        ([1, "card"], False),
        ("x", False),
    ],
)
def test_an_argument_is_withheld_where_something_in_it_is_hidden(value: Any, *, hidden: bool) -> None:  # noqa: ANN401 - JSON
    """By its own name, or by that of anything inside; a value of that name hides nothing."""
    name = "card" if value == "4111" else "paid"
    assert withheld(AgentJson({name: value}), {"card"}) == (frozenset({name}) if hidden else frozenset())
    assert withheld(AgentJson({"my.card": 1}), {"card"}) == {"my.card"}


def test_what_is_shown_before_the_proof_is_what_it_will_be() -> None:
    """The same words and people, and nobody has started it yet."""
    command = initiate()
    shown = foreshown(command)
    assert (shown.digest, shown.requirement, shown.expires_at) == (
        (started().digest, started().requirement, started().expires_at)
    )
    assert shown.initiator is None
    assert shown.by_person
    assert not blocked().by_person


def test_the_initiation_must_still_be_one_that_somebody_can_start() -> None:
    """A proposal that no person started, or under a policy that names nobody, has no starter."""
    assert not may_still_start(blocked(), STARTABLE, {MAYA.person: MAYA})
    assert not may_still_start(approved_start(), NOBODY, {MAYA.person: MAYA})


def test_the_starters_proof_is_held_to_what_is_asked_now() -> None:
    """Who began with a code has not begun what a passkey is asked for by the time of the claim."""
    begun = approved_start()
    assert may_still_start(begun, STARTABLE, {MAYA.person: MAYA})
    assert begun.initiator is not None
    coded = replace(begun, initiator=replace(begun.initiator, proof=proof("totp")))
    assert not may_still_start(coded, STARTABLE, {MAYA.person: MAYA})
    weaker = replace(STARTABLE, initiation=Initiation(MANAGER, "totp"))
    assert may_still_start(coded, weaker, {MAYA.person: MAYA})
