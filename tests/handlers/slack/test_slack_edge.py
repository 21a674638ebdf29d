"""Whole clicks, modals and commands, from a strict local Slack through our ASGI application to the desk and back."""

import json
from typing import Any

import aiohttp
import pytest

from approval_rules.events import Decision, Refusal
from approval_rules.people import Account
from approval_rules.text import unwrap_text
from bot.slack_standin.conversations import Message
from bot.slack_standin.submissions import Outcome
from bot.slack_standin.workspace import AGENT_OPS, JONAS, MAYA, OTHER_TEAM, REFUND_APPROVALS, TEAM
from handlers.desk import Click, DeskUnavailableError, Judged
from handlers.slack import patience
from tests.handlers.slack.conftest import Edge
from tests.handlers.slack.fake_desk import FakeDesk
from tests.handlers.slack.made import proposal, seen, states
from tests.handlers.slack.reading import text_of
from tests.world import denial


async def click(edge: Edge, message: Message, action: str, user: str = MAYA) -> Outcome:
    """Press one button of a packet."""
    return await edge.slack.click(user, message.channel, message.ts, action)


def words_in(blocks: object) -> str:
    """Gather all text of some blocks."""
    return json.dumps(blocks, ensure_ascii=False)


async def test_approve_is_one_vote_by_the_clicker_on_what_was_shown(edge: Edge, desk: FakeDesk) -> None:
    """Approve casts one vote: the person and the place from Slack's envelope, id and digest from the button."""
    message = await edge.post()
    assert (await click(edge, message, "approve")).ok
    (vote,) = desk.clicks
    assert vote.decision is Decision.APPROVE
    assert vote.who.account == Account(TEAM, MAYA)
    assert (vote.who.channel, vote.ts) == (REFUND_APPROVALS, message.ts)
    assert (vote.unverified_proposal, vote.unverified_digest) == (proposal().id, proposal().digest)
    assert vote.who.response_url is not None
    assert vote.who.response_url not in repr(vote)
    assert edge.slack.modals(MAYA) == []


async def test_the_same_request_again_reaches_the_desk_under_the_same_name(edge: Edge, desk: FakeDesk) -> None:
    """A replayed click carries the same request_id, a new click another one; the desk decides by it."""
    message = await edge.post()
    await click(edge, message, "approve")
    assert (await edge.slack.replay(edge.slack.deliveries[-1])).ok
    await click(edge, message, "approve")
    first, again, other = [each.who.request_id for each in desk.clicks]
    assert first == again == edge.slack.deliveries[0].headers["X-Slack-Signature"]
    assert other != first


async def test_a_refused_approval_is_left_to_the_outbox(edge: Edge, desk: FakeDesk) -> None:
    """A refusal is answered through the response_url by the desk's outbox; the click itself is acknowledged."""
    desk.judged = Judged(Refusal.INITIATOR, seen())
    message = await edge.post()
    assert (await click(edge, message, "approve")).ok
    assert (await click(edge, message, "deny")).ok
    assert edge.slack.modals(MAYA) == []


async def test_denying_asks_for_a_reason_and_says_what_became_of_it(edge: Edge, desk: FakeDesk) -> None:
    """Deny opens a modal under the packet's sentence; its reason is the vote's, and the modal answers."""
    message = await edge.post()
    assert (await click(edge, message, "deny")).ok
    assert desk.denials[0].decision is Decision.DENY
    assert desk.clicks == []
    (modal,) = edge.slack.modals(MAYA)
    assert "Refund $180.00 to customer C-2041, order ORD-7731" in words_in(modal.view["blocks"])
    assert (await edge.slack.submit(MAYA, modal.id, denial("Replace it."))).ok
    (vote,) = desk.clicks
    assert vote.decision is Decision.DENY
    assert vote.reason is not None
    assert unwrap_text(vote.reason) == "Replace it."
    assert (vote.who.channel, vote.ts, vote.who.account.user_id) == (REFUND_APPROVALS, message.ts, MAYA)
    assert (vote.unverified_proposal, vote.unverified_digest) == (proposal().id, proposal().digest)
    assert "Your denial counts" in words_in(edge.slack.modals(MAYA)[0].view["blocks"])


@pytest.mark.parametrize("reason", ["   ", "\u200b\u200b", "\u3164"])
async def test_a_reason_that_nobody_can_see_is_no_reason(edge: Edge, desk: FakeDesk, reason: str) -> None:
    """A blank reason gets an error beside the input, and no vote."""
    message = await edge.post()
    await click(edge, message, "deny")
    (modal,) = edge.slack.modals(MAYA)
    outcome = await edge.slack.submit(MAYA, modal.id, denial(reason))
    assert "say why" in outcome.errors["reason"]
    assert desk.clicks == []


@pytest.mark.parametrize(
    ("judged", "told"),
    [
        (Judged(Refusal.ALREADY_VOTED, seen()), "You have decided already"),
        (Judged(Refusal.NOT_PENDING, states()["denied"]), "Denied by Jonas Weber"),
        (Judged(None, None), "does not know this proposal"),
        (Judged(Refusal.NOT_PENDING, None), "does not know this proposal"),
    ],
)
async def test_a_denial_that_does_not_count_says_so_in_the_modal(
    edge: Edge, desk: FakeDesk, judged: Judged, told: str
) -> None:
    """The modal turns into the reason why the denial did not count."""
    message = await edge.post()
    await click(edge, message, "deny")
    desk.judged = judged
    (modal,) = edge.slack.modals(MAYA)
    assert (await edge.slack.submit(MAYA, modal.id, denial("no"))).ok
    (modal,) = edge.slack.modals(MAYA)
    assert told in words_in(modal.view["blocks"])


async def test_an_outage_keeps_the_typed_reason(edge: Edge, desk: FakeDesk) -> None:
    """When the desk cannot answer, the modal stays with its text and says that nothing was recorded."""
    message = await edge.post()
    await click(edge, message, "deny")
    desk.trouble = DeskUnavailableError("down")
    (modal,) = edge.slack.modals(MAYA)
    outcome = await edge.slack.submit(MAYA, modal.id, denial("no"))
    assert "Nothing was recorded" in outcome.errors["reason"]


@pytest.mark.parametrize("action", ["approve", "deny", "details"])
@pytest.mark.parametrize(
    ("trouble", "told"),
    [(DeskUnavailableError("down"), "Nothing was recorded"), (RuntimeError("a bug"), "Something went wrong")],
)
async def test_a_click_during_an_outage_is_answered(
    edge: Edge, desk: FakeDesk, action: str, trouble: Exception, told: str
) -> None:
    """A click that the desk could not take opens a modal that says so: never silence, never a yes."""
    message = await edge.post()
    desk.trouble = trouble
    assert (await click(edge, message, action)).ok
    assert told in words_in(edge.slack.modals(MAYA)[0].view["blocks"])
    assert desk.clicks == []


async def test_a_slow_desk_is_not_waited_for(edge: Edge, desk: FakeDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before Slack's 3 s are over the person hears that it is not certain whether the click counted."""
    monkeypatch.setattr(patience, "DESK_SECONDS", 0.05)
    desk.slow = True
    message = await edge.post()
    assert (await click(edge, message, "approve")).ok
    assert "not certain" in words_in(edge.slack.modals(MAYA)[0].view["blocks"])


async def test_where_slack_takes_no_modal_slack_itself_warns(edge: Edge, desk: FakeDesk) -> None:
    """When the modal cannot be opened the click gets an HTTP error, which Slack shows; it is never silent."""
    message = await edge.post()
    edge.client.base_url = "http://127.0.0.1:9/"
    outcome = await click(edge, message, "deny")
    assert outcome.delivery is not None
    assert outcome.delivery.status == 503
    assert edge.slack.warnings(MAYA) != []
    assert len(desk.denials) == 1


async def test_details_show_everything_page_by_page(edge: Edge, desk: FakeDesk) -> None:
    """Details opens the first page; Next and Previous turn pages of what is true now, and stay in range."""
    long = proposal({"to": "pat@example.com", "body": "A long line of a letter. " * 1500}, "mail.send")
    desk.shown = seen(long)
    message = await edge.post(seen(long))
    assert (await click(edge, message, "details")).ok
    (modal,) = edge.slack.modals(MAYA)
    text = text_of(modal.view["blocks"])
    assert modal.view["title"]["text"].startswith("Details, 1 of ")
    pages = int(modal.view["title"]["text"].rpartition(" ")[2])
    for page in range(2, pages + 1):
        assert (await edge.slack.click_view(MAYA, modal.id, "details_next")).ok
        assert modal.view["title"]["text"] == f"Details, {page} of {pages}"
        text += text_of(modal.view["blocks"])
    for between in ("(continued)", "Previous page", "Next page"):
        text = text.replace(between, "")
    assert text.count("A long line of a letter") == 3000
    assert (await edge.slack.click_view(MAYA, modal.id, "details_previous")).ok
    assert modal.view["title"]["text"] == f"Details, {pages - 1} of {pages}"
    desk.shown = seen()
    assert (await edge.slack.click_view(MAYA, modal.id, "details_next")).ok
    assert modal.view["title"]["text"] == "Details"


@pytest.mark.parametrize(("shown", "told"), [(Refusal.GUEST, "you are a guest"), (None, "does not know this proposal")])
async def test_details_for_someone_who_may_not_look(
    edge: Edge, desk: FakeDesk, shown: Refusal | None, told: str
) -> None:
    """Who may not see it is told why, in the modal."""
    message = await edge.post()
    desk.shown = shown
    assert (await click(edge, message, "details")).ok
    assert told in words_in(edge.slack.modals(MAYA)[0].view["blocks"])


async def test_an_outage_while_turning_a_page(edge: Edge, desk: FakeDesk) -> None:
    """A page button during an outage is answered with a notice."""
    desk.shown = seen(proposal({"body": "long " * 4000}, "mail.send"))
    message = await edge.post()
    await click(edge, message, "details")
    (modal,) = edge.slack.modals(MAYA)
    desk.trouble = DeskUnavailableError("down")
    assert (await edge.slack.click_view(MAYA, modal.id, "details_next")).ok
    assert "Nothing was recorded" in words_in(edge.slack.modals(MAYA)[-1].view["blocks"])


async def test_a_page_button_without_our_ids_is_refused_in_words(edge: Edge) -> None:
    """A page button of a view that is not ours is answered, and nothing is asked of the desk."""
    payload = press(action_id="details_next", value="x") | {
        "view": {"id": "V1", "type": "modal", "hash": "h", "private_metadata": "?"}
    }
    delivery = await edge.slack.send_signed(form(payload))
    assert delivery.status == 503
    assert edge.desk.asked == []


def press(action_id: str = "approve", value: object = None, **changes: object) -> dict[str, Any]:
    """Make a button's payload by hand."""
    target = value if value is not None else f"{proposal().id}|{proposal().digest}"
    made: dict[str, Any] = {
        "type": "block_actions",
        "team": {"id": TEAM},
        "user": {"id": MAYA, "name": "maya", "team_id": TEAM},
        "api_app_id": "A0FOUREYES",
        "trigger_id": "1.2.x",
        "container": {"type": "message", "message_ts": "1.000001", "channel_id": REFUND_APPROVALS},
        "response_url": "https://hooks.example/1",
        "actions": [{"type": "button", "action_id": action_id, "block_id": "b", "value": target, "action_ts": "1.2"}],
    }
    return made | changes


def form(payload: dict[str, Any]) -> bytes:
    """Encode a payload as Slack does."""
    return aiohttp.FormData({"payload": json.dumps(payload)})()._value  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "payload",
    [
        press(value="prop_1|sha256:00"),
        press(value="prop_1"),
        press(value=["x"]),
        press(value=f"other_1|sha256:{'0' * 64}"),
        press(user={"id": MAYA, "name": "maya"}),
        press(user={"team_id": TEAM}),
        press(user=None),
        press(container={"type": "message", "message_ts": "1.000001"}),
        press(container={"type": "message", "channel_id": REFUND_APPROVALS, "message_ts": "soon"}),
        press(container={}),
        press(container=None),
    ],
)
async def test_a_button_that_lacks_anything_never_votes(edge: Edge, payload: dict[str, Any]) -> None:
    """A press without a readable target, person or place is no vote and no crash; Slack shows that it failed."""
    delivery = await edge.slack.send_signed(form(payload))
    assert delivery.status == 503
    assert edge.desk.clicks == []


@pytest.mark.parametrize(
    "payload",
    [
        press(action_id="someone_elses"),
        press(actions=[]),
        press(actions="x"),
        press(actions=[{"type": "button", "action_id": 5, "block_id": "b"}]),
        press(actions=[press()["actions"][0], press()["actions"][0]]),
    ],
)
async def test_buttons_that_are_not_ours_do_nothing(edge: Edge, payload: dict[str, Any]) -> None:
    """Another action id, or none that can be told, reaches no desk."""
    await edge.slack.send_signed(form(payload))
    assert edge.desk.clicks == []


async def test_the_account_is_the_clickers_own_team(edge: Edge) -> None:
    """A Slack Connect user is named by the workspace that the user comes from, not by ours."""
    await edge.slack.send_signed(form(press(user={"id": "U0OUTSIDER1", "username": "alex", "team_id": OTHER_TEAM})))
    assert edge.desk.clicks[0].who.account == Account(OTHER_TEAM, "U0OUTSIDER1")


@pytest.mark.parametrize("response_url", [None, ""])
async def test_without_a_response_url_a_refusal_opens_a_modal(edge: Edge, response_url: str | None) -> None:
    """Where the outbox has nowhere to answer, the click itself does; Slack refuses this modal, and so says so."""
    edge.desk.judged = Judged(Refusal.EXPIRED, seen())
    for action in ("approve", "deny"):
        delivery = await edge.slack.send_signed(form(press(action_id=action, response_url=response_url)))
        assert delivery.status == 503
    edge.desk.judged = Judged(None, seen())
    delivery = await edge.slack.send_signed(form(press(response_url=response_url)))
    assert delivery.status == 200


@pytest.mark.parametrize("kind", ["block_actions", "view_submission"])
async def test_another_apps_request_is_turned_away(edge: Edge, kind: str) -> None:
    """A request for another api_app_id reaches no desk, although it is signed."""
    view = {"id": "V1", "type": "modal", "callback_id": "deny", "private_metadata": "", "state": {"values": {}}}
    payload = press(type=kind, api_app_id="A0OTHER", view=view)
    assert (await edge.slack.send_signed(form(payload))).status == 403
    body = f"command=%2Fagent&text=pause&user_id={MAYA}&team_id={TEAM}&channel_id={AGENT_OPS}&api_app_id=A0OTHER"
    assert (await edge.slack.send_signed(body.encode())).status == 403
    assert (edge.desk.clicks, edge.desk.paused) == ([], [])


@pytest.mark.parametrize("metadata", ["", "x", f"prop_1|sha256:{'0' * 64}|C1", "prop_1|x|C1|1.1"])
async def test_a_modal_with_other_metadata_never_votes(edge: Edge, metadata: str) -> None:
    """A submission whose metadata we did not write is answered in the modal and is no vote."""
    view = {"id": "V1", "type": "modal", "callback_id": "deny", "private_metadata": metadata, "state": {"values": {}}}
    delivery = await edge.slack.send_signed(form(press(type="view_submission", view=view)))
    assert "did not count" in delivery.answer.decode()
    assert edge.desk.clicks == []


@pytest.mark.parametrize("state", [None, {}, {"values": {}}, {"values": {"reason": {"reason": {"value": None}}}}])
async def test_a_submission_without_a_reason_or_a_person_never_votes(edge: Edge, state: object) -> None:
    """Missing input is an error beside the input; a missing person is a refusal."""
    target = f"{proposal().id}|{proposal().digest}|{REFUND_APPROVALS}|1.000001"
    view = {"id": "V1", "type": "modal", "callback_id": "deny", "private_metadata": target, "state": state}
    delivery = await edge.slack.send_signed(form(press(type="view_submission", view=view)))
    assert json.loads(delivery.answer)["response_action"] == "errors"
    delivery = await edge.slack.send_signed(form(press(type="view_submission", view=view, user={"id": MAYA})))
    assert json.loads(delivery.answer)["response_action"] == "update"
    assert edge.desk.clicks == []


async def test_commands_are_answered_to_the_one_who_typed(edge: Edge, desk: FakeDesk) -> None:
    """A command's answer is ephemeral; what it asks is done for the one who typed it."""
    assert (await edge.slack.command(JONAS, AGENT_OPS, "/agent", "pause all for 30m a loop")).ok
    (note,) = edge.slack.ephemerals(JONAS)
    assert "Paused: everything" in words_in(note.blocks)
    who = desk.asked[0][0]
    assert (who.account, who.channel) == (Account(TEAM, JONAS), AGENT_OPS)
    assert edge.slack.messages(AGENT_OPS) == []


async def test_a_command_during_an_outage_says_that_nothing_was_done(edge: Edge, desk: FakeDesk) -> None:
    """Pause with the store down is not silently lost: the person is told that it did not count."""
    desk.trouble = DeskUnavailableError("down")
    assert (await edge.slack.command(JONAS, AGENT_OPS, "/agent", "pause")).ok
    assert "did not count" in words_in(edge.slack.ephemerals(JONAS)[0].blocks)


@pytest.mark.parametrize("missing", ["user_id", "team_id", "channel_id"])
async def test_a_command_that_lacks_anything_is_refused_in_words(edge: Edge, missing: str) -> None:
    """A command without its person or place does nothing and says so."""
    fields = {"user_id": MAYA, "team_id": TEAM, "channel_id": AGENT_OPS, "text": "pause", "command": "/agent"}
    fields |= {"api_app_id": "A0FOUREYES", missing: ""}
    body = "&".join([f"{name}={value.replace('/', '%2F')}" for name, value in fields.items()])
    delivery = await edge.slack.send_signed(body.encode())
    assert "did not count" in delivery.answer.decode()
    assert edge.desk.paused == []


async def test_slacks_own_questions_are_answered(edge: Edge) -> None:
    """url_verification gets its challenge, ssl_check and events get 200."""
    assert b"c0ffee" in (await edge.slack.verify_url("c0ffee")).answer
    assert (await edge.slack.send_signed(b"ssl_check=1&token=x")).status == 200
    assert (await edge.slack.event({"type": "app_home_opened", "user": MAYA})).status == 200


@pytest.mark.parametrize("body", [b"payload=%7Bnot+json", b"payload=5", b"payload=%5B%5D", b"payload=null"])
async def test_signed_nonsense_is_no_crash(edge: Edge, body: bytes) -> None:
    """A signed body that is no payload gets an error below 500, and no vote."""
    delivery = await edge.slack.send_signed(body)
    assert delivery.status in {400, 404}
    assert edge.desk.clicks == []


async def test_nothing_follows_the_commit_but_the_answer(edge: Edge, desk: FakeDesk) -> None:
    """An approval makes no call to Slack at all: the desk commits, the click is acknowledged, the outbox tells."""
    message = await edge.post()
    before = len(edge.slack.calls)
    committed: list[Click] = desk.clicks
    outcome = await click(edge, message, "approve")
    assert outcome.ok
    assert len(committed) == 1
    assert edge.slack.calls[before:] == []
