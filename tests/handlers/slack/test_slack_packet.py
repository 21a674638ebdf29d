"""What a packet promises: the true state, every argument whole or no Approve, nothing that Slack would parse."""

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approval_rules.canonical import canonical_bytes, digest_of, sha256_name
from approval_rules.events import Decision
from approval_rules.people import Agent, AgentId, PersonId, RoleName, ToolName
from approval_rules.requirement import PolicyRef, Seat
from approval_rules.state import Status
from approval_rules.text import AgentJson, AgentText, Json, unwrap_json
from bot.slack_standin.blocks import MAX_TEXT as SLACK_TEXT
from bot.slack_standin.blocks import find_faults, text_length
from bot.slack_standin.pings import in_message
from handlers.desk import Face, Seen
from handlers.slack.escape import visible
from handlers.slack.packet import MAX_TEXT, digest_of_blocks, packet
from handlers.slack.standing import who_decides
from handlers.slack.values import lines_of
from handlers.slack.views import deny_view, details_view
from tests.handlers.slack.made import ADA, CONTEXT, GRACE, NEEDS, NOW, REFUND, RUN, proposal, seen, states, vote
from tests.handlers.slack.reading import buttons_of, pieces_of, text_of

GOLDEN = Path(__file__).parents[2] / "golden" / "packets"
AT = NOW + timedelta(minutes=30)
# Rebuild with FOUREYES_REBUILD_GOLDEN=1, then read the difference before you keep it.
REBUILD = os.environ.get("FOUREYES_REBUILD_GOLDEN") == "1"


@pytest.mark.parametrize("state", states())
def test_each_state_looks_as_it_was_agreed(state: str) -> None:
    """The packet of each state is, byte for byte, the one under tests/golden."""
    made = packet(states()[state], AT)
    shown = {"text": made.text, "live": made.live, "shown": made.shown, "blocks": made.blocks}
    text = json.dumps(shown, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    file = GOLDEN / f"{state}.json"
    if REBUILD:
        file.write_text(text, encoding="utf-8")
        pytest.fail(f"rebuilt {file.name}; run again without FOUREYES_REBUILD_GOLDEN")
    assert file.read_text(encoding="utf-8") == text


def test_there_is_a_golden_packet_for_each_state_and_no_other() -> None:
    """No golden file outlives its state."""
    assert {file.stem for file in GOLDEN.glob("*.json")} == set(states())


@pytest.mark.parametrize("state", states())
def test_only_an_open_proposal_can_be_voted_on(state: str) -> None:
    """Approve and Deny stand only where a vote could count now; Details always does."""
    made = packet(states()[state], AT)
    votable = {"pending_0_of_2", "pending_1_of_2", "pending_redacted", "pending_too_long", "trial_0_of_2"}
    votable |= {"pending_lowerable", "pending_asked", "pending_answered", "pending_lowered"}
    buttons = set(buttons_of(made.blocks))
    assert made.live is (state in votable)
    assert ("deny" in buttons) is made.live
    assert ("approve" in buttons) is (made.live and state != "pending_too_long")
    assert "details" in buttons


@pytest.mark.parametrize("state", states())
def test_the_state_is_said_in_words_and_first(state: str) -> None:
    """No two states have the same status line, and the line stands above everything of the agent's."""
    lines = {name: packet(each, AT).blocks[1]["text"]["text"] for name, each in states().items()}
    none = {"pending_redacted", "pending_0_of_2", "pending_too_long"}
    none |= {"pending_lowerable", "pending_asked", "pending_lowered"}
    for same in (none, {"pending_1_of_2", "pending_answered"}, {"denied", "trial_denied", "denied_for"}):
        lines = {name: line for name, line in lines.items() if name not in same - {state} or state not in same}
    assert [name for name, line in lines.items() if line == lines[state]] == [state]
    assert lines[state] in packet(states()[state], AT).text.replace("&amp;", "&")


def test_the_first_line_says_what_will_happen() -> None:
    """Amount and target come first, from the arguments and never from the agent's words."""
    made = packet(seen(proposal(summary=AgentText("Refund $1.00 to customer C-1"))), AT)
    assert made.blocks[0]["text"]["text"] == "Refund $180.00 to customer C-2041, order ORD-7731"
    assert made.text.startswith("Refund $180.00 to customer C-2041, order ORD-7731\n")
    assert text_of(made.blocks[-1]).startswith("What the agent says (unverified)Refund $1.00")


@pytest.mark.parametrize(
    ("tool", "arguments", "sentence", "approve", "deny"),
    [
        (
            "payments.refund",
            REFUND,
            "Refund $180.00 to customer C-2041, order ORD-7731",
            "Approve $180.00 refund",
            "Deny refund",
        ),
        (
            "mail.send",
            {"to": "a@b.example", "subject": "Hi"},
            "Send to a@b.example, subject Hi",
            "Approve send",
            "Deny send",
        ),
        ("mail.send", {"to": ["a", "b"]}, "Send to a, b", "Approve send", "Deny send"),
        ("mail.send", {"to": list("abcd")}, "Send to 4 entries (listed below)", "Approve send", "Deny send"),
        (
            "deploy",
            {"service": "web", "environment": "production"},
            "Deploy service web, environment production",
            "Approve deploy",
            "Deny deploy",
        ),
        ("iam.rotateKey", {"key_id": "K1"}, "Rotate key K1", "Approve rotate key", "Deny rotate key"),
        ("delete_user", {"user": {"id": "U1"}}, "Delete user U1", "Approve delete user", "Deny delete user"),
        ("x.do", {"a": 1, "b": True}, "Do a 1, b yes", "Approve do", "Deny do"),
        ("x.do", {}, "Do", "Approve do", "Deny do"),
        ("...", {}, "...", "Approve ...", "Deny ..."),
        (
            "x.pay",
            {"fee_usd": 1, "amount_usd": 9, "payee": "P"},
            "Pay $9.00 to payee P, fee_usd $1.00",
            "Approve pay $9.00",
            "Deny pay",
        ),
        ("x.pay", {"items": [{"amount_usd": 9}]}, "Pay items 1 entry (listed below)", "Approve pay", "Deny pay"),
        ("x.transfer", {"amount_usd": 10**14}, "Transfer $100,000,000,000,000.00", "Approve transfer", "Deny transfer"),
        (
            "x.a_tool_with_a_very_very_long_name",
            {},
            "A tool with a very very long name",
            "Approve this action",
            "Deny this action",
        ),
        ("x.do", {"to": "x" * 70}, "Do to (long: to stands whole below)", "Approve do", "Deny do"),
    ],
)
def test_sentences_and_labels(tool: str, arguments: Mapping[str, Json], sentence: str, approve: str, deny: str) -> None:
    """The sentence names amount and target; the labels begin with Approve and Deny and fit a phone."""
    made = packet(seen(proposal(arguments, tool)), AT)
    assert made.blocks[0]["text"]["text"] == sentence
    buttons = buttons_of(made.blocks)
    assert (buttons["approve"]["text"]["text"], buttons["deny"]["text"]["text"]) == (approve, deny)
    assert len(approve) <= 30


def _words(blocks: list[dict[str, Any]]) -> str:
    return "\n".join(map(text_of, blocks))


def test_a_trial_run_says_that_nothing_will_be_executed() -> None:
    """In the message, in the words for notifications, in the dialog, and in what a list of pending ones shows."""
    for state in ("trial_0_of_2", "trial_approved", "trial_denied"):
        made = packet(states()[state], AT)
        assert made.blocks[2]["text"]["text"].startswith("🧪 Trial run: nothing ")
        assert "🧪 Trial run: nothing " in made.text
        assert "will run" not in json.dumps(made.blocks) + made.text
    made = packet(states()["trial_0_of_2"], AT)
    assert "⏳ Waiting, in a trial run: 0 of 2 people have approved." in made.text
    assert "This is a trial run: nothing is executed." in buttons_of(made.blocks)["approve"]["confirm"]["text"]["text"]


def test_whoever_still_decides_is_not_told_what_the_policy_says() -> None:
    """An answer that follows a hint can be compared with nothing; afterwards everybody may know."""
    asked, denied = states()["trial_0_of_2"], states()["trial_denied"]
    hints = ("rule", "allow", "payments.refund#")
    for blocks in (packet(asked, AT).blocks, details_view(asked, AT)["blocks"]):
        assert not [hint for hint in hints if hint in _words(blocks)]
    told = _words(details_view(denied, AT)["blocks"])
    assert "the policy by itself: would have allowed it: rule 1 of payments.refund: amount_usd <= 200" in told


def test_many_amounts_and_fields_are_counted_in_the_sentence() -> None:
    """A sentence stays a sentence: it names the first of many and says how many more stand below."""
    many: dict[str, Json] = {f"fee{number}_usd": number for number in range(12)} | {
        f"f{n}": "x" * 50 for n in range(12)
    }
    text = text_of(packet(seen(proposal(many)), AT).blocks[1])
    assert "and 4 more fields (all listed below)" in text
    assert "and 4 more amounts (all listed below)" in text


def test_a_button_carries_id_and_digest_and_nothing_else() -> None:
    """Each button's value is the id and the digest."""
    for button in buttons_of(packet(seen(), AT).blocks).values():
        assert button["value"] == f"{proposal().id}|{proposal().digest}"


def test_approving_repeats_the_sentence_and_the_rule_of_two() -> None:
    """The confirm dialog says what will happen and how many people it takes."""
    confirm = buttons_of(packet(seen(), AT).blocks)["approve"]["confirm"]
    assert confirm["text"]["text"].startswith("Refund $180.00 to customer C-2041, order ORD-7731\n")
    assert "Nothing runs before 2 people have approved" in confirm["text"]["text"]
    second = buttons_of(packet(states()["pending_1_of_2"], AT).blocks)["approve"]["confirm"]
    assert "Yours is the last approval needed" in second["text"]["text"]
    one = replace(NEEDS, seats=(replace(NEEDS.seats[0], count=1),))
    single = buttons_of(packet(seen(proposal(requirement=one)), AT).blocks)["approve"]["confirm"]
    assert "Yours is the last approval needed" in single["text"]["text"]
    long = {f"f{number}": "x" * 50 for number in range(8)}
    assert len(buttons_of(packet(seen(proposal(long)), AT).blocks)["approve"]["confirm"]["text"]["text"]) <= 300


def test_a_copy_of_the_packet_cannot_be_voted_on() -> None:
    """What `/agent show` gives has Details only."""
    made = packet(seen(), AT, voting=False)
    assert (set(buttons_of(made.blocks)), made.live) == ({"details"}, False)


def test_what_policy_hides_is_in_no_packet_and_no_modal() -> None:
    """A hidden field is named and its value stands nowhere."""
    shown = states()["pending_redacted"]
    made = packet(shown, AT)
    for blocks in (made.blocks, details_view(shown, AT), deny_view(shown, "C1", "1.1")):
        assert "4111111111111111" not in json.dumps(blocks)
    assert "4111111111111111" not in made.text
    assert "••• (hidden by policy)" in text_of(made.blocks)


def test_every_update_has_new_block_ids() -> None:
    """Where anything shown differs all block ids differ; where nothing does, the packet is the same to the byte."""
    first, second = packet(seen(index=1), AT), packet(seen(proposal(votes=(vote(),))), AT)
    assert not {block["block_id"] for block in first.blocks} & {block["block_id"] for block in second.blocks}
    assert first.shown != second.shown
    assert packet(seen(index=2), AT) == first


@pytest.mark.parametrize("state", states())
def test_what_was_shown_has_one_digest(state: str) -> None:
    """The digest of the blocks is the SHA-256 of their RFC 8785 form."""
    blocks: Any = packet(states()[state], AT).blocks
    assert digest_of_blocks(blocks) == sha256_name(canonical_bytes(blocks))


def test_what_does_not_fit_is_counted_and_stands_in_details() -> None:
    """Long facts and many of them are not cut: the packet says how many lines more there are, Details has them."""
    facts: dict[str, Json] = {f"fact{number}": "y" * 300 for number in range(20)} | {"short": 1, "many\nlines": "a\nb"}
    shown = seen(proposal(context=AgentJson({"facts": facts, "history": [f"entry {n}" for n in range(30)]})))
    text = text_of(packet(shown, AT).blocks)
    assert "45 more lines in Details" in text
    assert "short: 1" in text
    pages = "".join([text_of(details_view(shown, AT, page)["blocks"]) for page in range(2)])
    assert all(f"fact{number}: " in pages for number in range(20))
    assert "entry 29" in pages


def test_long_words_votes_and_reasons_stand_in_details() -> None:
    """A long summary, a long reason and early votes are named in the packet and whole in Details."""
    votes = tuple([vote(PersonId(f"per_{number}")) for number in range(9)])
    made = proposal(summary=AgentText("word " * 400), votes=(*votes, vote(GRACE, Decision.DENY, "because " * 90)))
    text = text_of(packet(seen(made), AT).blocks)
    assert "(2005 characters, whole in Details)" in text
    assert "(a long reason, whole in Details)" in text
    assert "4 earlier votes in Details" in text
    assert "a person whose name is no longer kept (" not in text
    pages = "".join([text_of(details_view(seen(made), AT, page)["blocks"]) for page in range(2)])
    assert pages.count("because ") >= 89


def test_one_of_a_kind_is_told_as_one() -> None:
    """Whatever is counted reads right when there is one of it."""
    votes = tuple([vote(PersonId(f"per_{number}")) for number in range(7)])
    run = AgentJson({"tool_calls": 1, "tokens": 1, "elapsed_s": 1, "model": "1"})
    facts: dict[str, Json] = {"long": "y" * 300}
    one = replace(NEEDS, seats=(Seat(RoleName("lead"), 1),))
    made = proposal(votes=votes, run=run, context=AgentJson({"facts": facts}), requirement=one)
    text = text_of(packet(seen(made), AT).blocks)
    assert "1 earlier vote in Details" in text
    assert "1 more line in Details" in text
    assert "So far, says the agent: 1 tool call, 1 token, 1 second, model 1" in text
    assert "Needs 1 person in the role lead; " in text


def test_several_seats_are_named_one_by_one() -> None:
    """Who must approve is told by role, with the people of all seats in front."""
    seats = (Seat(RoleName("finance"), 1), Seat(RoleName("on_call"), 2))
    assert (
        who_decides(replace(NEEDS, seats=seats))
        == "3 different people: 1 in the role finance and 2 in the role on_call"
    )


def test_a_notification_counts_what_it_leaves_out() -> None:
    """The text for screen readers has every argument that fits and counts the rest."""
    many: dict[str, Json] = {f"field{number}": "&" * 60 for number in range(50)}
    made = packet(seen(proposal(many)), AT)
    assert len(made.text) <= MAX_TEXT
    assert "more lines in the message" in made.text


HOSTILE = st.text(
    st.one_of(
        st.characters(codec="utf-8"),
        st.sampled_from("<>&@*_~`|:\u202e\u200b\u0301\u0430\n \u3164\U000e0041"),
    ),
    max_size=60,
) | st.sampled_from(
    [
        "<!channel>", "<@U0MAYACHEN1>", "<https://evil.example|Approve in Slack>", "@here", ":tada:", "`*_~",
        "https://p\u0430ypal.com/", "\n" * 200, "x" * 4000, "\u0301" * 500, "<!date^1^{date}|never>", "&lt;!here&gt;",
    ]
)  # fmt: skip
SCALAR = st.one_of(st.none(), st.booleans(), st.integers(-(2**53) + 1, 2**53 - 1), HOSTILE)
VALUE: st.SearchStrategy[Json] = st.recursive(
    SCALAR, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(HOSTILE, inner, max_size=4), max_leaves=12
)
OBJECT = st.dictionaries(HOSTILE | st.sampled_from(["amount_usd", "to", "customer_id", "order_id"]), VALUE, max_size=8)


@st.composite
def hostile(draw: st.DrawFn) -> Seen:
    """Make a proposal in which everything that others choose is hostile."""
    base = states()[draw(st.sampled_from(sorted(states())))]
    context: dict[str, Json] = {
        "facts": draw(OBJECT),
        "history": draw(st.lists(VALUE, max_size=8)),
        "evidence": draw(st.lists(VALUE, max_size=8)),
        "if_declined": draw(HOSTILE),
        "rollback": draw(HOSTILE),
    }
    arguments, tool = draw(OBJECT), draw(HOSTILE)
    made = replace(
        base.proposal,
        arguments=AgentJson(arguments),
        tool=ToolName(tool),
        digest=digest_of(tool, arguments),
        summary=AgentText(draw(HOSTILE)),
        context=AgentJson(context),
        run=AgentJson(draw(OBJECT) | {"model": draw(HOSTILE), "cost_usd": draw(SCALAR)}),
        agent=Agent(AgentId("agt_1"), draw(HOSTILE), ADA, ()),
        requirement=replace(base.proposal.requirement, policy=PolicyRef("v", draw(HOSTILE), draw(HOSTILE))),
        votes=tuple([replace(each, reason=AgentText(draw(HOSTILE))) for each in base.proposal.votes]),
    )
    faces = {who: Face(draw(HOSTILE), draw(HOSTILE)) for who in (ADA, GRACE)}
    return replace(base, proposal=made, faces=faces)


@given(hostile())
def test_no_hostile_proposal_breaks_a_packet(shown: Seen) -> None:
    """Whatever an agent or a display name holds: within Slack's limits, no markup, and whole or not approvable."""
    made = packet(shown, AT)
    assert find_faults(made.blocks, "message") == []
    assert text_length(made.blocks) <= SLACK_TEXT
    assert len(made.text) <= MAX_TEXT
    pings = in_message(made.text, made.blocks, link_names=True)
    assert [ping for ping in pings if not ping.startswith("<!date^")] == []
    for piece in mrkdwn_of(made.blocks):
        assert piece.startswith("<!date^")
        assert piece.endswith(" UTC>")
    buttons = buttons_of(made.blocks)
    for action_id, prefix in (("approve", "Approve "), ("deny", "Deny ")):
        assert action_id not in buttons or buttons[action_id]["text"]["text"].startswith(prefix)
    if "approve" in buttons:
        text = text_of(made.blocks).replace("(continued)", "")
        arguments = unwrap_json(shown.proposal.arguments)
        for line in lines_of(arguments) if arguments else ():
            assert line.name in text
            assert line.value in text
        assert visible(shown.proposal.tool) in text


@given(hostile(), st.integers(0, 3))
def test_no_hostile_proposal_breaks_a_modal(shown: Seen, page: int) -> None:
    """Every page of Details and the denial's modal keep Slack's limits and hold no markup."""
    for view in (details_view(shown, AT, page), deny_view(shown, "C0REFUNDS01", "1.000001")):
        assert find_faults(view["blocks"], "modal") == []
        assert len(json.dumps(view)) < 250_000
        assert len(view["title"]["text"]) <= 24
        assert mrkdwn_of(view["blocks"]) == []


@given(OBJECT, OBJECT)
def test_two_different_actions_never_look_the_same(one: Mapping[str, Json], other: Mapping[str, Json]) -> None:
    """Different arguments give different packets, because the digest is in them."""
    first, second = packet(seen(proposal(one)), AT), packet(seen(proposal(other)), AT)
    same = digest_of("payments.refund", one) == digest_of("payments.refund", other)
    assert (first.shown == second.shown) is same


@given(st.decimals(min_value=Decimal("0.01"), max_value=10**9, places=2))
def test_the_amount_is_on_the_button_and_in_the_sentence(amount: Decimal) -> None:
    """The amount that will move is in the first line, exactly; on the button it is exact or absent."""
    made = packet(seen(proposal({"amount_usd": amount, "order_id": "O"})), AT)
    assert f"${amount:,.2f}" in made.blocks[0]["text"]["text"]
    label = buttons_of(made.blocks)["approve"]["text"]["text"]
    assert "$" not in label or f"${amount:,.2f}" in label


def mrkdwn_of(node: object) -> list[str]:
    """Give every text that Slack would parse."""
    if isinstance(node, dict):
        here = [str(node["text"])] if node.get("type") == "mrkdwn" else []
        return here + [text for inner in node.values() for text in mrkdwn_of(inner)]
    return [text for inner in node for text in mrkdwn_of(inner)] if isinstance(node, list) else []


def test_pieces_are_whole_and_in_order() -> None:
    """A value over several boxes reads on without a gap."""
    letter = "\n".join([f"Line {number}" for number in range(500)])
    made = packet(seen(proposal({"body": letter}, "mail.send")), AT)
    boxes = "".join([piece for piece in pieces_of(made.blocks) if piece.startswith("Line ")])
    assert boxes == letter
    assert "approve" in buttons_of(made.blocks)


def test_context_that_is_missing_is_missing() -> None:
    """A proposal with nothing but a tool still has a packet, and says that there are no arguments."""
    bare = proposal({}, context=AgentJson({}), run=AgentJson({}), started_by=None)
    text = text_of(packet(seen(bare), AT).blocks)
    assert "(no arguments)" in text
    assert "So far" not in text
    assert CONTEXT
    assert RUN


def test_a_vote_is_gone_when_time_is_over() -> None:
    """At the deadline itself the buttons are gone, before any sweep."""
    assert packet(seen(), NOW + timedelta(hours=4)).live is False
    assert packet(seen(), NOW + timedelta(hours=4, seconds=-1)).live is True
    assert proposal().status is Status.PENDING
