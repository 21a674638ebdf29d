"""What `/agent` understands and answers: pausing is forgiven every slip, and no scope is ever guessed narrower."""

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.web.async_client import AsyncWebClient

from approval_rules.events import Refusal
from approval_rules.people import Account, RoleName, operator, system
from approval_rules.people import PersonId as Person
from approval_rules.switch import EVERYTHING, Pause, Scope, ScopeKind
from approval_rules.text import AgentText, unwrap_text
from bot.slack_standin.blocks import find_faults
from handlers.desk import DeskUnavailableError, Envelope, Face, Overview, Whoami
from handlers.slack.commands import Commands, Reply
from handlers.slack.escape import Safe
from handlers.slack.grammar import LoosePause, PauseWish, Wish, understand
from handlers.slack.parse import Typed
from handlers.slack.starting import Starting
from tests.handlers.slack.fake_desk import FakeDesk
from tests.handlers.slack.fake_factors import FakeFactors
from tests.handlers.slack.fake_initiation import FakeInitiation
from tests.handlers.slack.made import NOW, pause, proposal, seen, states

WHO = Envelope(Account("T0FOUREYES", "U0JONASWEB1"), "jonas", "C0AGENTOPS1", "v0=1", "https://hooks.example/1")
AGENT, TOOL = Scope(ScopeKind.AGENT, "refund-bot"), Scope(ScopeKind.TOOL, "payments.refund")
HALF = timedelta(minutes=30)


class WithoutOverview(FakeDesk):
    """A desk whose overview fails."""

    async def overview(self) -> Overview:
        """Fail."""
        raise DeskUnavailableError("down")


async def type_(desk: FakeDesk, text: str) -> str:
    """Type a command; give everything that its answer says, having checked that Slack takes it."""
    starting = Starting(FakeInitiation(), AsyncWebClient(), lambda: NOW)
    reply = await Commands(desk, lambda: NOW, FakeFactors(desk), starting).answer(Typed(WHO, text))
    body = reply.body()
    assert body["response_type"] == "ephemeral"
    assert find_faults(body["blocks"], "message") == []
    assert 0 < len(body["text"]) <= 4000
    return json.dumps(body, ensure_ascii=False)


@pytest.mark.parametrize(
    ("text", "scope", "lasts", "reason"),
    [
        ("pause", EVERYTHING, None, ""),
        ("PAUSE", EVERYTHING, None, ""),
        ("  pause   ", EVERYTHING, None, ""),
        ("pause!", EVERYTHING, None, ""),
        ("stop", EVERYTHING, None, ""),
        ("halt all", EVERYTHING, None, ""),
        ("pause all", EVERYTHING, None, ""),
        ("Pause All.", EVERYTHING, None, ""),
        ("“pause” “all”", EVERYTHING, None, ""),
        ("pause everything the agent is looping", EVERYTHING, None, "the agent is looping"),
        ("pause the agent is looping", EVERYTHING, None, "the agent is looping"),
        ("pause it refunds for 30m now", EVERYTHING, None, "it refunds for 30m now"),
        ("pause for 30m", EVERYTHING, HALF, ""),
        ("pause for 30m looping", EVERYTHING, HALF, "looping"),
        ("pause all for 30 minutes: looping", EVERYTHING, HALF, "looping"),
        ("pause all for an hour", EVERYTHING, timedelta(hours=1), ""),
        ("pause all FOR 2H.", EVERYTHING, timedelta(hours=2), ""),
        ("pause all for 1d", EVERYTHING, timedelta(days=1), ""),
        ("pause all for 45s", EVERYTHING, timedelta(seconds=45), ""),
        ("pause all for 0m", EVERYTHING, None, "for 0m"),
        ("pause all for ages", EVERYTHING, None, "for ages"),
        ("pause all for 99999999m", EVERYTHING, None, "for 99999999m"),
        ("pause all because of for 30m", EVERYTHING, None, "because of for 30m"),
        ("pause all <@U0MAYACHEN1|maya> &amp; I saw it", EVERYTHING, None, "maya & I saw it"),
        ("pause all see <https://x.example/1|x.example>", EVERYTHING, None, "see x.example"),
        ("pause all see <https://x.example/1>", EVERYTHING, None, "see https://x.example/1"),
        ("pause agent refund-bot", AGENT, None, ""),
        ("pause Agent: refund-bot, for 30m it loops", AGENT, HALF, "it loops"),
        ('pause agent "refund-bot" loops', AGENT, None, "loops"),
        ("pause agent \u2018refund-bot\u2019 loops", AGENT, None, "loops"),
        ("pause tool payments.refund", TOOL, None, ""),
        ("pause tool <http://payments.refund|payments.refund> for 30m", TOOL, HALF, ""),
        ("pause refund-bot", AGENT, None, ""),
        ("pause refund-bot for 30m it loops", AGENT, HALF, "it loops"),
        ("pause payments.refund", TOOL, None, ""),
        ("pause please", EVERYTHING, None, "please"),
    ],
)
async def test_pausing(text: str, scope: Scope, lasts: timedelta | None, reason: str) -> None:
    """A pause whose intent is clear pauses exactly that; where no scope is named it is everything."""
    desk = FakeDesk()
    told = await type_(desk, text)
    ((got_scope, got_lasts, got_reason),) = desk.paused
    assert (got_scope, got_lasts, unwrap_text(got_reason)) == (scope, lasts, reason)
    assert "⏸ Paused: " in told
    assert "/agent resume" in told
    assert ("until 2026-" in told) is (lasts is not None)


@pytest.mark.parametrize(
    ("text", "revoke", "reason"),
    [
        ("pause all revoke", True, ""),
        ("pause revoke it loops", True, "it loops"),
        ("pause all for 30m revoke: it loops", True, "it loops"),
        ("pause agent refund-bot --revoke for 30m it loops", True, "it loops"),
        ("pause all and revoke it loops", True, "it loops"),
        ("pause refund-bot revoke", True, ""),
        ("pause all revoked keys", False, "revoked keys"),
        ("pause all please revoke", False, "please revoke"),
    ],
)
async def test_revoking_with_a_pause(text: str, reason: str, *, revoke: bool) -> None:
    """`revoke` counts right after what is paused or for how long, and is part of the reason anywhere else."""
    desk = FakeDesk()
    told = await type_(desk, text)
    assert unwrap_text(desk.paused[0][2]) == reason
    assert ("Taken back for good: 2 approvals" in told) is revoke
    assert ("What is approved and not yet used waits too." in told) is not revoke


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("pause agent refund-bott", 'no agent called \\"refund-bott\\". Did you mean refund-bot?'),
        ("pause agent Nobody", 'no agent called \\"Nobody\\"'),
        ("pause agent", "Please name the agent"),
        ("pause tool payments.refnd for 30m", "Did you mean payments.refund?"),
        ("pause refund-bott", "Did you mean refund-bot?"),
    ],
)
async def test_an_unknown_name_pauses_nothing_and_says_so(text: str, told: str) -> None:
    """A name that is not known pauses nothing; the answer names near ones and what stops everything."""
    desk = FakeDesk()
    answer = await type_(desk, text)
    assert desk.paused == []
    assert "Nothing was paused" in answer
    assert told in answer
    assert "/agent pause all" in answer


async def test_pausing_works_although_names_cannot_be_compared() -> None:
    """When the overview is unavailable a word that is no name still pauses everything."""
    desk = WithoutOverview()
    await type_(desk, "pause refund-bott")
    assert desk.paused[0][0] == EVERYTHING


@given(st.text(max_size=60))
def test_whatever_follows_pause_is_understood(words: str) -> None:
    """No text after `pause` is a grammar error."""
    wish = understand("pause " + words)
    assert isinstance(wish, PauseWish | LoosePause)


@given(
    st.builds(
        "{} {}".format,
        st.sampled_from(["", "RETURN", "away", "factor", "incident", "people", "request"]),
        st.text(max_size=80),
    )
)
def test_whatever_is_typed_is_answered(words: str) -> None:
    """No text at all crashes the grammar."""
    assert isinstance(understand(words), Wish)


async def test_a_refused_pause_says_why() -> None:
    """Who may not pause hears why, and that nothing was paused."""
    desk = FakeDesk(refuses_switch=Refusal.GUEST)
    told = await type_(desk, "pause")
    assert "Nothing was paused" in told
    assert "you are a guest" in told


@pytest.mark.parametrize(
    ("text", "scope"),
    [("resume all", EVERYTHING), ("RESUME everything done", EVERYTHING), ("resume agent refund-bot", AGENT),
     ("unpause tool payments.refund fixed", TOOL)],
)  # fmt: skip
async def test_resuming_names_its_scope(text: str, scope: Scope) -> None:
    """A resume starts exactly what it names."""
    desk = FakeDesk()
    assert "▶ Resumed" in await type_(desk, text)
    assert desk.resumed == [scope]


async def test_the_first_of_two_hears_that_one_more_is_needed() -> None:
    """Half a resume says so; a refused one says why."""
    assert "second person must type /agent resume all" in await type_(FakeDesk(second_person=True), "resume all")
    desk = FakeDesk(refuses_switch=Refusal.NOT_OPERATOR)
    assert "you may not resume" in await type_(desk, "resume all")


async def test_what_is_paused_can_be_resumed_though_nobody_has_it() -> None:
    """A pause of a tool that no agent has (any more) is listed, so it can be ended by the name that is listed."""
    orphan = Pause("pau_3", Scope(ScopeKind.TOOL, "payments.refnd"), NOW, operator(Person("root")), AgentText(""))
    desk = FakeDesk(pauses=[orphan])
    assert "Resumed: the tool payments.refnd" in await type_(desk, "resume tool payments.refnd")
    assert desk.resumed == [orphan.scope]
    assert "/agent pause all" not in await type_(desk, "resume tool payments.nothing")


async def test_resume_is_deliberate() -> None:
    """A bare resume, or one of an unknown name, starts nothing and says what to type."""
    agent = Pause("pau_2", Scope(ScopeKind.AGENT, "agt_1"), NOW, system("clock"), AgentText(""))
    desk = FakeDesk(pauses=[pause(), agent])
    told = await type_(desk, "resume")
    assert "/agent resume all" in told
    assert "/agent resume agent refund-bot" in told
    assert "no tool called" in await type_(desk, "resume tool nothing")
    assert desk.resumed == []


async def test_status_tells_what_is_paused_and_waits() -> None:
    """Status names each pause with who, when, until when and why, and what waits."""
    timed = Pause("pau_2", EVERYTHING, NOW, operator(Person("root")), AgentText(""), until=NOW + HALF)
    told = await type_(FakeDesk(pauses=[pause(), timed], dead=2), "status")
    assert (
        "Paused: everything since 2026-11-21 09:05 UTC, by Jonas Weber (U0JONASWEB1). Reason: “looks like a loop”."
        in told
    )
    assert "until 2026-11-21 09:30 UTC, by an operator on the server" in told
    assert "3 waiting for people, the oldest since 2026-11-21 09:00 UTC" in told
    assert "2 messages could not be delivered" in told
    assert "whoami" not in told
    calm = await type_(FakeDesk(oldest=False), "")
    assert "Nothing is paused" in calm
    assert "/agent whoami" in calm
    assert "not be delivered" not in calm


async def test_pending_lists_the_most_urgent_with_details() -> None:
    """Each waiting proposal stands with its sentence, its state and a Details button; ten at most."""
    told = await type_(FakeDesk(waiting=[seen()] * 12), "pending")
    assert told.count("Refund $180.00 to customer C-2041") == 20
    assert told.count('"details"') == 10
    assert "there are more" in told
    assert "Nothing waits" in await type_(FakeDesk(), "pending")
    assert "not in a role" in await type_(FakeDesk(waiting=Refusal.NOT_IN_ROLE), "pending")
    assert "there are more" not in await type_(FakeDesk(waiting=[seen()]), "list")


async def test_show_gives_a_packet_without_votes() -> None:
    """Show gives the packet with Details and no button that votes, or says why not."""
    desk = FakeDesk(shown=states()["pending_0_of_2"])
    told = await type_(desk, f"show {proposal().id}")
    assert desk.asked[0][1] == proposal().id
    assert '"details"' in told
    assert '"approve"' not in told
    assert "does not know this proposal" in await type_(FakeDesk(shown=None), "show prop_x")
    assert "you are a guest" in await type_(FakeDesk(shown=Refusal.GUEST), "show prop_x")
    assert "Which one?" in await type_(FakeDesk(), "show")


async def test_whoami_tells_what_a_person_may_do() -> None:
    """Whoami names roles, owned agents, flaws and what they mean."""
    plain = await type_(FakeDesk(), "whoami")
    assert "You are Jonas Weber (U0JONASWEB1)" in plain
    assert "no role here" in plain
    assert "You may not resume" in plain
    face = Face("U1", "\u202eevil")
    me = Whoami(face, (RoleName("support_manager"),), Refusal.GUEST, ("refund-bot",), may_resume=True)
    told = await type_(FakeDesk(me=me), "who")
    assert "evil" in told
    assert "\u202e" not in told
    assert "Your roles: support_manager." in told
    assert "You own refund-bot" in told
    assert "You may pause. You may resume." in told


@pytest.mark.parametrize(("text", "near"), [("puase", "pause"), ("stauts", "status"), ("xyzzy", None), ("<b>", None)])
async def test_an_unknown_word_gets_the_nearest_command(text: str, near: str | None) -> None:
    """A word that is no command does nothing, names the nearest one, and lists what there is."""
    desk = FakeDesk()
    told = await type_(desk, text)
    assert "Nothing was done" in told
    assert (f"Did you mean /agent {near}?" in told) if near else ("Did you mean" not in told)
    assert "/agent pending" in told
    assert desk.paused == []


async def test_help_and_long_answers() -> None:
    """Help lists the commands; an answer that is too long is cut visibly, within Slack's limits."""
    assert "/agent pause" in await type_(FakeDesk(), "?")
    body = Reply([long_paragraph() for _ in range(60)]).body()
    assert len(body["text"]) <= 4000
    assert body["text"].endswith("…")
    assert find_faults(body["blocks"], "message") == []


def long_paragraph() -> Safe:
    """Make a long paragraph."""
    return Safe("word " * 900)
