"""Second factors in Slack: what is typed and pressed, what is answered, what everybody is told. No secret leaves."""

import json
from datetime import timedelta
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from approval_rules.events import Refusal
from approval_rules.factor_events import (
    FactorConfirmed,
    FactorEnrolled,
    FactorEvent,
    FactorKept,
    FactorLocked,
    FactorRefused,
    FactorRemovalAsked,
    FactorRemoved,
    RecoveryUsed,
)
from approval_rules.people import Account, human, system
from bot.slack_standin.blocks import find_faults
from bot.slack_standin.pings import in_message
from handlers.desk import Challenge, Envelope, Face, Judged
from handlers.factor_desk import Done, FactorSaid, HeldFactor, MyFactors, TypedCode, WrongCode
from handlers.slack.commands import Commands
from handlers.slack.factor_presses import FactorPresses, wrong_words
from handlers.slack.factor_words import About, factor_refusal, list_words, question, said_words, told, whoami_words
from handlers.slack.grammar import FactorWish, understand
from handlers.slack.parse import Typed
from handlers.slack.starting import Starting
from handlers.slack.views import code_view
from tests.handlers.slack.fake_desk import FakeDesk
from tests.handlers.slack.fake_factors import APP, FACE, FakeFactors
from tests.handlers.slack.fake_initiation import FakeInitiation
from tests.handlers.slack.made import ADA, GRACE, NOW, seen

JONAS = "U0JONASWEB1"
WHO = Envelope(Account("T0FOUREYES", JONAS), "jonas", "C0AGENTOPS1", "v0=1", "https://hooks.example/1")
MAYA = "<@U0MAYACHEN1|maya>"
TICKET = "t" * 43
HOSTILE = Face("U0MAYACHEN1", "<!channel> *Maya*\u202e")
REPLACED = FactorRemoved(NOW, human(GRACE), ADA, "cred_1", "replaced")
EVENTS: tuple[FactorEvent, ...] = (
    FactorEnrolled(NOW, human(ADA), ADA, "cred_1", "totp"),
    FactorConfirmed(NOW, human(GRACE), ADA, "cred_1", None),
    FactorLocked(NOW, system("second-factor"), ADA, "cred_1", "failures"),
    FactorLocked(NOW, human(GRACE), ADA, "cred_1", "asked"),
    FactorRemovalAsked(NOW, human(GRACE), ADA, "cred_1"),
    FactorKept(NOW, human(GRACE), ADA, "cred_1"),
    FactorRemoved(NOW, human(GRACE), ADA, "cred_1", "asked"),
    FactorRemoved(NOW, human(GRACE), ADA, "cred_1", "refused"),
    RecoveryUsed(NOW, human(ADA), ADA, "cred_2", 9),
    FactorRefused(NOW, system("second-factor"), ADA, "open", Refusal.LINK_USED),
)


STARTING = Starting(FakeInitiation(), AsyncWebClient(), lambda: NOW)


async def type_(factors: FakeFactors, text: str) -> dict[str, Any]:
    """Type a command, and give the answer, having checked that Slack takes it."""
    body = (await Commands(FakeDesk(), lambda: NOW, factors, STARTING).answer(Typed(WHO, text))).body()
    assert body["response_type"] == "ephemeral"
    assert find_faults(body["blocks"], "message") == []
    return body


@pytest.fixture
def factors() -> FakeFactors:
    """Return a desk that does what it is asked."""
    return FakeFactors(FakeDesk())


@pytest.mark.parametrize(
    ("typed", "wish"),
    [
        ("factor", FactorWish("list", "", ())),
        ("Factors", FactorWish("list", "", ())),
        ("factor add PASSKEY", FactorWish("add", "passkey", ())),
        (f"factor confirm {MAYA}", FactorWish("confirm", "", ("U0MAYACHEN1",))),
        (f"factor lock {MAYA}<@U0JONASWEB1>", FactorWish("lock", "", ("U0MAYACHEN1", "U0JONASWEB1"))),
        (f"factor remove {MAYA} totp", FactorWish("remove", "totp", ("U0MAYACHEN1",))),
        ("factor confirm @maya", FactorWish("confirm", "@maya", ())),
    ],
)
def test_words_and_people_are_told_apart(typed: str, wish: FactorWish) -> None:
    """A person is only who Slack says was mentioned, never a name that somebody typed."""
    assert understand(typed) == wish


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("factor add totp", (JONAS, "enrol", "totp")),
        ("factor add app", (JONAS, "enrol", "totp")),
        ("factor add passkey", (JONAS, "enrol", "passkey")),
        (f"factor confirm {MAYA}", (JONAS, "confirm", "U0MAYACHEN1", None)),
        (f"factor refuse {MAYA}", (JONAS, "refuse", "U0MAYACHEN1", None)),
        ("factor lock", (JONAS, "lock", JONAS)),
        (f"factor lock {MAYA}", (JONAS, "lock", "U0MAYACHEN1")),
        ("factor remove passkey", (JONAS, "remove", JONAS, "passkey")),
        (f"factor remove {MAYA}", (JONAS, "remove", "U0MAYACHEN1", None)),
        ("factor", (JONAS, "list")),
        ("whoami", (JONAS, "list")),
    ],
)
async def test_each_wish_is_one_call(factors: FakeFactors, typed: str, asked: tuple[object, ...]) -> None:
    """What is typed is asked of the desk, for the person of the verified envelope."""
    await type_(factors, typed)
    assert factors.asked == [asked]


@pytest.mark.parametrize(
    "typed",
    [
        "factor add",
        "factor add sms",
        f"factor add totp {MAYA}",
        "factor confirm",
        "factor confirm maya",
        "factor refuse",
        "factor lock maya",
        f"factor lock {MAYA} <@U0JONASWEB1>",
        "factor frobnicate",
        "factor list maya",
    ],
)
async def test_what_is_not_clear_changes_nothing(factors: FakeFactors, typed: str) -> None:
    """No kind and no person is guessed."""
    assert "Nothing was done" in (await type_(factors, typed))["text"]
    assert factors.asked == []


async def test_the_link_is_a_button_and_in_no_text(factors: FakeFactors) -> None:
    """Where text is copied or read aloud, the link is not."""
    body = await type_(factors, "factor add totp")
    assert "approvals.example.com" not in body["text"]
    (button,) = body["blocks"][-1]["elements"]
    assert button["url"] == "https://approvals.example.com/enrol/name"
    assert "approvals.example.com" not in repr(factors.link)
    factors.link = Refusal.NO_PAGES
    assert "FOUREYES_PUBLIC_URL" in (await type_(factors, "factor add totp"))["text"]


def test_a_list_says_what_there_is() -> None:
    """One's own in every state, and what of others waits."""
    mine = [
        APP,
        HeldFactor("c2", FACE, "passkey", "locked", NOW, None, "removal"),
        HeldFactor("c3", FACE, "recovery", "active", NOW, None, None, 9),
    ]
    others = [
        HeldFactor("c4", HOSTILE, "passkey", "waiting", NOW, None, "enrolment"),
        HeldFactor("c5", FACE, "totp", "active", NOW, None, "removal"),
    ]
    lines = list_words(MyFactors(mine, others, may_confirm=True))
    assert lines[0].startswith("· Authenticator app: counts since 2026-11-21 09:00 UTC, last used")
    assert lines[1].endswith("somebody asked to remove it")
    assert lines[2].startswith("· 9 recovery codes, counts since")
    assert "asks for your word on a new passkey" in lines[3]
    assert "is to lose the authenticator app" in lines[4]
    assert list_words(MyFactors(mine, (), may_confirm=True))[-1] == "Nothing of others waits for you."
    assert "You have no second factor" in list_words(MyFactors(mine[2:], (), may_confirm=False))[1]
    assert "none" in whoami_words(mine[2:])


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("by", [None, HOSTILE])
def test_whatever_happens_is_told_with_what_to_do(event: FactorEvent, by: Face | None) -> None:
    """Each direct message says what to do if it was not oneself; nobody's name pings anybody."""
    said = told(event, About(HOSTILE, by, "totp"))
    assert "If this was not you, type /agent factor lock now" in said
    assert "\u202e" not in said


@pytest.mark.parametrize("event", [EVENTS[0], EVENTS[2], EVENTS[4], EVENTS[8]])
@pytest.mark.parametrize("answer", [None, EVENTS[1], EVENTS[5], EVENTS[6], REPLACED])
def test_a_question_has_buttons_until_it_is_answered(event: FactorEvent, answer: FactorEvent | None) -> None:
    """Slack takes the message, nothing in it pings, and what was answered shows by whom."""
    made = question(event, About(HOSTILE, None, "totp", answer, None if answer is None else FACE), "cred_1")
    assert find_faults(made.blocks, "message") == []
    assert in_message(made.text, made.blocks, link_names=True) == []
    asks = isinstance(event, FactorEnrolled | FactorRemovalAsked)
    assert (made.blocks[-1]["type"] == "actions") is (asks and answer is None)
    assert ("UTC" in made.text) is (asks and answer is not None)


@pytest.mark.parametrize("done", ["confirmed", "removed", "refused", "kept", "locked", "removal-asked"])
def test_each_deed_is_answered(done: Done) -> None:
    """Whoever did it reads whose it was."""
    assert "Chen" in said_words(FactorSaid(None, done, FACE, "passkey"))
    assert said_words(FactorSaid(None, done))


@pytest.mark.parametrize("code", list(Refusal))
def test_each_refusal_has_words(code: Refusal) -> None:
    """There is no reason without a sentence."""
    assert factor_refusal(code).endswith((".", "passkey or totp."))


# --- buttons and the modal


def submission(ticket: object = TICKET, code: object = "123456") -> dict[str, Any]:
    """Make what Slack sends when the code was typed."""
    return {
        "user": {"id": JONAS, "team_id": "T0FOUREYES", "username": "jonas"},
        "view": {"private_metadata": ticket, "state": {"values": {"code": {"code": {"value": code}}}}},
    }


def press(value: object = "U0MAYACHEN1|cred_1", action: str = "factor_confirm") -> dict[str, Any]:
    """Make what Slack sends when a button was pressed."""
    return {
        "user": {"id": JONAS, "team_id": "T0FOUREYES", "username": "jonas"},
        "container": {"type": "message", "channel_id": "C0AGENTOPS1", "message_ts": "1.1"},
        "actions": [{"action_id": action, "value": value}],
    }


def test_the_modal_asks_under_the_packets_sentence() -> None:
    """It shows what is approved and the code that people compare, and carries the ticket alone."""
    asked = Challenge(seen(), "totp", TICKET, "ABCD-2345", NOW + timedelta(minutes=5))
    view = code_view(asked)
    assert find_faults(view["blocks"], "modal") == []
    shown = json.dumps(view, ensure_ascii=False)
    assert "ABCD-2345" in shown
    assert "$180.00" in shown
    assert view["private_metadata"] == TICKET
    assert TICKET not in repr(asked)


async def test_a_typed_code_goes_to_the_desk(factors: FakeFactors) -> None:
    """With the ticket, for the person of the envelope; a wrong one is told at the field."""
    answer = await FactorPresses(factors).submitted(submission(), "v0=1")
    assert factors.asked == [(JONAS, TICKET, "123456")]
    assert "4 more tries" in json.loads(answer.body)["errors"]["code"]
    assert "123456" not in repr(TypedCode(WHO, TICKET, "123456"))
    assert TICKET not in repr(TypedCode(WHO, TICKET, "123456"))


@pytest.mark.parametrize(
    ("judged", "said"),
    [
        (Judged(None, seen()), "Your approval counts"),
        (Judged(Refusal.FACTOR_LOCKED, seen()), "second factor is locked"),
        (Judged(Refusal.LINK_USED, None), "answered before"),
        (Judged(None, None), "does not know this proposal"),
    ],
)
async def test_what_became_of_it_is_said_in_the_modal(factors: FakeFactors, judged: Judged, said: str) -> None:
    """Counted or not, with the reason."""
    factors.judged = judged
    answer = await FactorPresses(factors).submitted(submission(), "v0=1")
    body = json.loads(answer.body)
    assert body["response_action"] == "update"
    assert said in json.dumps(body, ensure_ascii=False)


@pytest.mark.parametrize("ticket", ["", "short", "prop_1|sha256:0|C1|1.1", None, 7, "t" * 44])
async def test_what_is_no_ticket_reaches_no_desk(factors: FakeFactors, ticket: object) -> None:
    """A forged submission is answered, and asks nothing."""
    answer = await FactorPresses(factors).submitted(submission(ticket), "v0=1")
    assert "cannot" in answer.body or "can read" in answer.body
    assert factors.asked == []


@pytest.mark.parametrize("code", [None, 7, ["1"], ""])
async def test_what_is_no_text_is_an_empty_code(factors: FakeFactors, code: object) -> None:
    """It is wrong, like any other wrong one."""
    await FactorPresses(factors).submitted(submission(code=code), "v0=1")
    assert factors.asked == [(JONAS, TICKET, "")]


async def test_the_buttons_ask_for_one_credential(factors: FakeFactors) -> None:
    """They carry whose and which, and the person is the one of the envelope."""
    presses = FactorPresses(factors)
    assert "counts from now on" in json.dumps(await presses.pressed(press(), "v0=1"))
    await presses.pressed(press(action="factor_refuse"), "v0=2")
    assert factors.asked == [
        (JONAS, "confirm", "U0MAYACHEN1", "cred_1"),
        (JONAS, "refuse", "U0MAYACHEN1", "cred_1"),
    ]


@pytest.mark.parametrize("value", [None, "", "cred_1", "U0MAYACHEN1|", "U0MAYACHEN1|cred_1|x", "maya|cred_1"])
async def test_a_forged_button_asks_nothing(factors: FakeFactors, value: object) -> None:
    """What we did not write is answered in words."""
    view = await FactorPresses(factors).pressed(press(value), "v0=1")
    assert "This did not count" in json.dumps(view)
    assert factors.asked == []


async def test_an_outage_is_said(factors: FakeFactors) -> None:
    """It is never a yes, and the person knows."""
    factors.down = True
    presses = FactorPresses(factors)
    assert "could not reach its records" in json.dumps(await presses.pressed(press(), "v0=1"))
    answer = await presses.submitted(submission(), "v0=1")
    assert "could not reach its records" in json.loads(answer.body)["errors"]["code"]


def test_a_fast_try_is_told_to_wait() -> None:
    """It is no wrong code, so nothing is counted."""
    assert "too fast" in wrong_words(WrongCode(5, too_fast=True))
    assert "One more try" in wrong_words(WrongCode(1))
