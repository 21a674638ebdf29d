"""Red on the whole server: an agent's proposal is blocked, a person starts it himself, two others approve, it runs."""

import json

import pytest

from approval_rules.events import ClaimRefused, Refusal, Revoked, Voted
from approval_rules.initiation_events import Initiated
from bot.slack_standin.workspace import JONAS, LENA, MAYA, PRIYA, SAM
from tests.bot.delivery.receiver import Receiver
from tests.factors import FakeFactors
from tests.red_world import POLICY, fill, inputs, opened, owned, prove, refusals, rewrite, says, start, the_start, vote
from tests.world import TOOL, World, buttons_of


async def test_an_agents_red_proposal_is_blocked_and_posted_as_such(red: World) -> None:
    """The packet says that it is blocked, who may start it, and has no button that votes; the agent is told blocked."""
    blocked = await red.propose(750)
    assert (blocked["state"], blocked["tier"]) == ("blocked", "red")
    packet = await red.packet_of(blocked)
    assert [button["text"]["text"] for button in buttons_of(packet)] == ["Start it myself …", "Details"]
    assert "⛔ Blocked by policy: no agent may do this. Nothing ran." in packet.text
    assert "A person in the role support_manager may start it himself; then 2 different people" in packet.text


async def test_what_nobody_may_start_is_not_posted(world: World) -> None:
    """People could do nothing about it: it would only be noise."""
    rewrite(world, POLICY.replace("      initiate: {role: support_manager, then: {role: finance, approvals: 2}}\n", ""))
    await world.running.watch.look()
    blocked = await world.propose(750)
    await world.settled()
    assert world.packets(blocked) == []


async def test_a_human_with_the_role_initiates_it_and_two_other_persons_approve(red: World) -> None:
    """From the packet, with the value typed again and a second factor; then the agent claims, and it runs once."""
    ident = await start(red)
    await red.settled()
    packet = await red.packet_of(ident)
    assert "🔴 Red: started by Maya" in packet.text
    assert "a person, not by an agent" in packet.text
    assert "Typed again: amount_usd (750). Proved with a passkey (code ABCD-2345)." in packet.text
    before = await owned(red, ident)
    assert (before["state"], before["tier"]) == ("pending", "red")
    assert before["initiated_by"]["by"] == MAYA
    assert before["requirement"]["approvals"] == 2
    for user in (JONAS, PRIYA):
        assert (await red.claim(before)).status_code == 409
        await vote(red, ident, user)
    assert (await red.claim(before)).status_code == 200
    assert (await red.claim(before)).status_code == 409
    assert [event.voter for event in red.ledger().events(Voted)] != []


async def test_the_blocked_proposal_tells_what_became_of_it(red: World) -> None:
    """Its button goes, it names the new packet, and it stays blocked."""
    ident = await start(red)
    await red.settled()
    (initiated,) = red.ledger().events(Initiated)
    assert initiated.started_as == ident
    blocked = await owned(red, initiated.proposal)
    assert (blocked["state"], blocked["started_as"]) == ("blocked", ident)
    packet = await red.packet_of(initiated.proposal)
    assert f"A person has started this himself: {ident}" in packet.text
    assert [button["action_id"] for button in buttons_of(packet)] == ["details"]


async def test_the_agent_is_told_what_a_person_started(red: World) -> None:
    """By its callback, and in the listing of its own proposals."""
    async with Receiver() as receiver:
        blocked = await red.propose(750, callback_url=receiver.url())
        packet = await red.packet_of(blocked)
        assert (await fill(red, MAYA, await opened(red, MAYA, packet), "750")).ok
        assert (await prove(red, MAYA)).ok
        await red.settled()
        told = [json.loads(request.body) for request in receiver.requests]
    assert [each["type"] for each in told] == ["proposal.blocked", "proposal.initiated"]
    assert told[1]["data"]["initiated_by"]["by"] == MAYA
    listed = (await red.http.get("/v1/proposals", params={"state": "pending"})).json()["data"]
    assert [each["id"] for each in listed] == [told[1]["data"]["id"]]


async def test_the_form_is_built_from_the_contract_and_holds_the_agents_words(red: World) -> None:
    """One input a field, of its kind; what the policy hides is kept and not shown."""
    arguments = {"amount_usd": 750, "order_id": "ORD-1", "speed": "fast", "urgent": True, "lines": ["a"]}
    blocked = await red.propose(750, arguments={**arguments, "card_number": "4111-1111"})
    view = await opened(red, MAYA, await red.packet_of(blocked))
    shown = json.dumps(view.view)
    assert "What stands below are the agent's words." in shown
    assert "4111" not in shown
    elements = {block["label"]["text"]: block for block in view.view["blocks"] if block["type"] == "input"}
    assert list(elements)[:6] == ["amount_usd", "order_id", "customer_id", "speed", "urgent", "lines"]
    assert elements["amount_usd"]["element"]["initial_value"] == "750"
    assert "more than 0" in elements["amount_usd"]["hint"]["text"]
    assert elements["speed"]["element"]["initial_option"]["value"] == "fast"
    assert [elements[name].get("optional", False) for name in ("order_id", "customer_id")] == [False, True]
    assert elements["lines"]["element"]["initial_value"] == '["a"]'
    assert (await fill(red, MAYA, view, "750", customer_id="C-9")).ok
    assert (await prove(red, MAYA)).ok
    started = await owned(red, the_start(red).proposal)
    assert started["arguments"] == {**arguments, "card_number": "4111-1111", "customer_id": "C-9"}


@pytest.mark.parametrize("typed", ["751", "$750", "7.5e2", " "])
async def test_the_consequential_value_must_be_typed_exactly(red: World, typed: str) -> None:
    """An error at the field, nothing is asked for and nothing started; the refusal is recorded."""
    packet = await red.packet_of(await red.propose(750))
    outcome = await fill(red, MAYA, await opened(red, MAYA, packet), typed)
    assert list(outcome.errors) == ["typed"]
    if typed.strip():
        assert "This must be the value of amount_usd" in outcome.errors["typed"]
        assert refusals(red) == [Refusal.TYPED_WRONG]


async def test_without_the_second_factor_nothing_starts(red: World, factors: FakeFactors) -> None:
    """A wrong code starts nothing, and the right one does, once."""
    packet = await red.packet_of(await red.propose(750))
    assert (await fill(red, MAYA, await opened(red, MAYA, packet), "750")).ok
    assert list((await prove(red, MAYA, "000000")).errors) == ["code"]
    assert refusals(red) == [Refusal.STEP_UP_NEEDED]
    assert (await prove(red, MAYA)).ok
    assert the_start(red).initiator is not None
    assert factors.used == {"ticket-1"}


async def test_a_weaker_factor_than_the_policy_asks_for_is_refused(red: World, factors: FakeFactors) -> None:
    """Red asks for a passkey: who has only a code is told so before anything is asked."""
    factors.has = "totp"
    packet = await red.packet_of(await red.propose(750))
    assert (await fill(red, MAYA, await opened(red, MAYA, packet), "750")).ok
    assert "the policy asks for a second factor" in says(red, MAYA)
    assert refusals(red) == [Refusal.STEP_UP_NEEDED]


@pytest.mark.parametrize("who", [JONAS, LENA])
async def test_who_may_not_start_it_is_told_so(red: World, who: str) -> None:
    """Another role, or a guest: a notice instead of the form."""
    packet = await red.packet_of(await red.propose(750))
    await opened(red, who, packet)
    assert "Nothing was started" in says(red, who)


async def test_an_argument_that_breaks_the_contract_is_an_error_at_its_field(red: World) -> None:
    """Hard caps bind people too."""
    packet = await red.packet_of(await red.propose(750))
    view = await opened(red, MAYA, packet)
    outcome = await fill(red, MAYA, view, "5001", amount_usd="5001")
    assert list(outcome.errors) == [inputs(view)["amount_usd"]]
    outcome = await fill(red, MAYA, view, "5001", amount_usd="1e3", lines="[1")
    assert list(outcome.errors) == [inputs(view)["amount_usd"], inputs(view)["lines"]]
    assert refusals(red) == [Refusal.CONTRACT_BROKEN]


async def test_what_the_policy_does_not_block_needs_no_start(red: World) -> None:
    """Lowered in the form to what people are asked for anyway: the agent can propose it."""
    packet = await red.packet_of(await red.propose(750))
    assert (await fill(red, MAYA, await opened(red, MAYA, packet), "100", amount_usd="100")).ok
    assert "the policy does not block this" in says(red, MAYA)


async def test_agent_request_opens_the_form_for_a_tool(red: World) -> None:
    """Without any proposal of an agent; the agent that has the tool finds it and claims it."""
    answer = await red.say(MAYA, f"request {TOOL}")
    assert "The form is open." in answer
    view = red.slack.modals(MAYA)[-1]
    assert "The agent refund-bot runs it" in json.dumps(view.view)
    assert (await fill(red, MAYA, view, "900", amount_usd="900", order_id="ORD-77")).ok
    assert (await prove(red, MAYA)).ok
    started = await owned(red, the_start(red).proposal)
    assert started["initiated_by"]["taken_up"] is None
    for user in (JONAS, PRIYA):
        await vote(red, started["id"], user)
    assert (await red.claim(started)).status_code == 200


@pytest.mark.parametrize(
    ("who", "words", "told"),
    [
        (MAYA, "request", "Which tool?"),
        (MAYA, "request payments.refnd", "There is no policy for a tool of this name"),
        (JONAS, f"request {TOOL}", "not in a role that may decide this"),
        (LENA, f"request {TOOL}", "you are a guest here"),
    ],
)
async def test_agent_request_says_why_there_is_no_form(red: World, who: str, words: str, told: str) -> None:
    """One sentence, and no modal."""
    assert told in await red.say(who, words)
    assert red.slack.modals(who) == []


async def test_where_several_agents_have_the_tool_the_form_asks_which(red: World) -> None:
    """The other agent sees nothing of it."""
    other = await red.add_agent("second-bot", SAM, TOOL)
    await red.say(MAYA, f"request {TOOL}")
    view = red.slack.modals(MAYA)[-1]
    values = {"agent": {"value": "second-bot"}}
    blocks = inputs(view)
    values |= {blocks["amount_usd"]: {"value": "900"}, blocks["order_id"]: {"value": "ORD-77"}}
    values |= {"typed": {"value": "900"}, "reason": {"value": "because"}}
    assert (await red.slack.submit(MAYA, view.id, values)).ok
    assert (await prove(red, MAYA)).ok
    ident = the_start(red).proposal
    assert (await red.http.get(f"/v1/proposals/{ident}")).status_code == 404
    mine = await red.client(other.key).get(f"/v1/proposals/{ident}")
    assert mine.json()["agent"]["name"] == "second-bot"


async def test_a_pause_stops_it_at_every_step(red: World) -> None:
    """Starting, and claiming what was started and approved."""
    ident = await start(red)
    for user in (JONAS, PRIYA):
        await vote(red, ident, user)
    packet = await red.packet_of(await red.propose(800))
    await red.say(SAM, "pause all")
    assert (await red.claim(await owned(red, ident))).status_code == 423
    assert (await fill(red, MAYA, await opened(red, MAYA, packet), "800")).ok
    assert "this is paused" in says(red, MAYA)
    assert refusals(red) == [Refusal.PAUSED]


async def test_the_policy_of_the_claim_must_let_the_same_people_start_it(red: World) -> None:
    """A policy that names nobody any more takes the approval back."""
    ident = await start(red)
    for user in (JONAS, PRIYA):
        await vote(red, ident, user)
    rewrite(red, POLICY.replace("      initiate: {role: support_manager, then: {role: finance, approvals: 2}}\n", ""))
    await red.running.watch.look()
    answer = await red.claim(await owned(red, ident))
    assert answer.json()["code"] == "policy-changed"
    assert [event.code for event in red.ledger().events(Revoked)] == [Refusal.POLICY_CHANGED]


async def test_a_starter_who_left_the_role_takes_the_approval_along(red: World) -> None:
    """Maya is deactivated between start and claim."""
    ident = await start(red)
    for user in (JONAS, PRIYA):
        await vote(red, ident, user)
    red.slack.change_user(MAYA, deleted=True)
    await red.move(minutes=2)
    answer = await red.claim(await owned(red, ident))
    assert answer.json()["code"] == "approvers-changed"
    assert [event.code for event in red.ledger().events(ClaimRefused)] == [Refusal.APPROVERS_CHANGED]


async def test_money_is_money_whoever_started_it(red: World) -> None:
    """What a person started counts in the sums that hold the agent."""
    rewrite(
        red,
        POLICY.replace(
            "    - require_approval", "    - {if: 'sum(amount_usd, 24h) > 700', block: true}\n    - require_approval"
        ),
    )
    await red.running.watch.look()
    await red.say(MAYA, f"request {TOOL}")
    view = red.slack.modals(MAYA)[-1]
    assert (await fill(red, MAYA, view, "750", amount_usd="750", order_id="ORD-77")).ok
    assert (await prove(red, MAYA)).ok
    assert (await red.propose(10))["state"] == "blocked"


async def test_a_tool_in_shadow_cannot_be_started(red: World) -> None:
    """Nothing of it is ever executed."""
    rewrite(red, POLICY.replace("  rules:", "  mode: shadow\n  rules:"))
    await red.running.watch.look()
    assert "this is a trial run" in await red.say(MAYA, f"request {TOOL}")
    blocked = await red.propose(750)
    await red.settled()
    assert red.packets(blocked) == []


async def test_two_people_who_start_the_same_start_it_once(red: World) -> None:
    """The second one is told; so is the first one who sends his form again."""
    packet = await red.packet_of(await red.propose(750))
    for who in (MAYA, SAM):
        assert (await fill(red, who, await opened(red, who, packet), "750")).ok
    assert (await prove(red, MAYA)).ok
    assert (await prove(red, SAM)).ok
    assert "has been started already" in says(red, SAM)
    assert the_start(red).proposal
    assert refusals(red) == [Refusal.STARTED_BEFORE]
    await red.settled()
    await red.slack.click(SAM, packet.channel, packet.ts, "start", force=True)
    assert "has been started already" in says(red, SAM)


EXCLUDING = POLICY.replace("  rules:\n", "  excluded: [customer_id]\n  rules:\n", 1)


@pytest.fixture
async def excluding(red: World) -> World:
    """The same, where whoever is named as the customer may not decide, nor start it."""
    rewrite(red, EXCLUDING)
    await red.running.watch.look()
    assert red.running.watch.fault is None
    return red


def for_customer(customer: str) -> dict[str, object]:
    """What the agent wants to refund to whom."""
    return {"amount_usd": 750, "order_id": "ORD-1", "customer_id": customer}


async def test_whoever_has_an_interest_starts_nothing(excluding: World) -> None:
    """Maya is the customer: she may start such refunds, but not this one."""
    packet = await excluding.packet_of(await excluding.propose(750, arguments=for_customer(MAYA)))
    assert (await fill(excluding, MAYA, await opened(excluding, MAYA, packet), "750")).ok
    assert "has an interest" in says(excluding, MAYA) or "an interest in this" in says(excluding, MAYA)
    assert refusals(excluding) == [Refusal.INTERESTED_PARTY]


async def test_whoever_has_an_interest_approves_nothing_that_was_started(excluding: World) -> None:
    """Jonas is the customer and in finance: his vote does not count, Priya's does."""
    packet = await excluding.packet_of(await excluding.propose(750, arguments=for_customer(JONAS)))
    assert (await fill(excluding, MAYA, await opened(excluding, MAYA, packet), "750")).ok
    assert (await prove(excluding, MAYA)).ok
    started = the_start(excluding)
    assert started.interested is not None
    assert len(started.interested) == 1


async def test_where_nobody_knows_who_has_an_interest_nobody_can_start_it(excluding: World) -> None:
    """A field that names nobody blocks for people too, and the reason says so."""
    blocked = await excluding.propose(750, arguments=for_customer("somebody"))
    assert blocked["state"] == "blocked"
    assert "customer_id is no Slack user id" in blocked["policy"]["because"]
    await excluding.settled()
    assert excluding.packets(blocked) == []
