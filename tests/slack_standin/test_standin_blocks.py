"""Block Kit's rules: each limit of Slack's at its edge and one beyond."""

from typing import Any

import pytest

from bot.slack_standin import pings
from bot.slack_standin.blocks import Surface, accept, find_faults, live_elements, text_length
from bot.slack_standin.clock import Ids
from bot.slack_standin.refusal import SlackRefusal
from bot.slack_standin.views import accept_view, find_view_faults
from tests.slack_standin.fake_app import Json, buttons, modal, section, text_input


def plain(text: str, kind: str = "plain_text") -> Json:
    """Return a text object."""
    return {"type": kind, "text": text}


def option(value: str = "v", text: str = "t", **extra: object) -> Json:
    """Return an option."""
    return {"text": plain(text), "value": value, **extra}


def actions(*elements: Json) -> Json:
    """Return an actions block."""
    return {"type": "actions", "elements": list(elements)}


def button(**extra: object) -> Json:
    """Return a button, with fields replaced."""
    return {"type": "button", "text": plain("ok"), **extra}


def rich(*containers: Json) -> Json:
    """Return a rich_text block."""
    return {"type": "rich_text", "elements": list(containers)}


def piece(**fields: Any) -> Json:  # noqa: ANN401 - any JSON
    """Return a rich_text_section with one piece."""
    return {"type": "rich_text_section", "elements": [fields]}


CONFIRM = {"title": plain("Sure?"), "text": plain("It is 180 dollars."), "confirm": plain("Yes"), "deny": plain("No")}

SOUND = [
    {"type": "header", "text": plain("h" * 150), "level": 2},
    section("s" * 3000, expand=True, accessory=button()),
    {"type": "section", "fields": [plain("f" * 2000)] * 10},
    section("x", accessory={"type": "image", "image_url": "https://x/y.png", "alt_text": "a picture"}),
    {"type": "context", "elements": [plain("c", "mrkdwn")] * 10},
    {"type": "context", "elements": [{"type": "image", "slack_file": {"id": "F1"}, "alt_text": "a"}]},
    actions(*[button()] * 25),
    actions(button(text=plain("b" * 75), value="v" * 2000, style="danger", confirm=CONFIRM, url="https://x")),
    actions(
        {"type": "static_select", "placeholder": plain("p" * 150), "options": [option(str(n)) for n in range(100)]}
    ),
    actions({"type": "overflow", "options": [option(str(n), url="https://x") for n in range(5)]}),
    actions({"type": "radio_buttons", "options": [option("1"), option("2")], "initial_option": option("2")}),
    actions(
        {"type": "checkboxes", "options": [{"text": plain("t", "mrkdwn"), "value": "1", "description": plain("d")}]}
    ),
    {"type": "divider", "block_id": "d"},
    {"type": "image", "image_url": "https://x/y.png", "alt_text": "a" * 2000, "title": plain("t")},
    text_input(min_length=1, max_length=10, initial_value="x" * 10, placeholder=plain("p")),
    {"type": "markdown", "text": "m" * 12_000},
    rich(piece(type="text", text="t", style={"bold": True}), {"type": "rich_text_quote", "elements": []}),
    rich({"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "code"}], "border": 0}),
    rich({"type": "rich_text_list", "style": "bullet", "indent": 8, "elements": [piece(type="emoji", name="eyes")]}),
    rich(piece(type="link", url="https://x", text="x"), piece(type="user", user_id="U1")),
    rich(piece(type="usergroup", usergroup_id="S1"), piece(type="broadcast", range="here")),
]

UNSOUND = [
    ({"type": "nonsense"}, "/blocks/0/type", "enum"),
    ("text", "/blocks/0", "type"),
    ({"type": "table", "rows": []}, "/blocks/0/type", "enum"),
    ({"type": "alert", "text": plain("x")}, "/blocks/0/type", "enum"),
    ({"type": "header", "text": plain("h" * 151)}, "/blocks/0/text/text", "max_characters"),
    ({"type": "header", "text": plain("h", "mrkdwn")}, "/blocks/0/text/type", "enum"),
    ({"type": "header", "text": plain("h"), "level": 5}, "/blocks/0/level", "range"),
    ({"type": "header", "text": plain("h"), "level": True}, "/blocks/0/level", "type"),
    ({"type": "header"}, "/blocks/0", "required"),
    ({"type": "header", "text": "bare"}, "/blocks/0/text", "type"),
    ({"type": "header", "text": plain(7)}, "/blocks/0/text/text", "type"),  # type: ignore[arg-type]
    (section("s" * 3001), "/blocks/0/text/text", "max_characters"),
    (section(""), "/blocks/0/text/text", "min_characters"),
    (section("x", expand="yes"), "/blocks/0/expand", "type"),
    (section("x", colour="red"), "/blocks/0/colour", "additional_property"),
    ({"type": "section"}, "/blocks/0", "required"),
    ({"type": "section", "fields": [plain("f")] * 11}, "/blocks/0/fields", "max_items"),
    ({"type": "section", "fields": [plain("f" * 2001)]}, "/blocks/0/fields/0/text", "max_characters"),
    ({"type": "section", "fields": []}, "/blocks/0/fields", "min_items"),
    ({"type": "section", "fields": {}}, "/blocks/0/fields", "type"),
    ({"type": "context", "elements": [plain("c")] * 11}, "/blocks/0/elements", "max_items"),
    (actions(*[button()] * 26), "/blocks/0/elements", "max_items"),
    (actions(button(text=plain("b" * 76))), "/blocks/0/elements/0/text/text", "max_characters"),
    (actions(button(value="v" * 2001)), "/blocks/0/elements/0/value", "max_characters"),
    (actions(button(url="u" * 3001)), "/blocks/0/elements/0/url", "max_characters"),
    (actions(button(confirm="sure?")), "/blocks/0/elements/0/confirm", "type"),
    (actions(button(style="green")), "/blocks/0/elements/0/style", "enum"),
    (actions(button(action_id="a" * 256)), "/blocks/0/elements/0/action_id", "max_characters"),
    (actions(button(confirm=CONFIRM | {"title": plain("t" * 101)})), None, "max_characters"),
    (actions(button(confirm=CONFIRM | {"text": plain("t" * 301)})), None, "max_characters"),
    (actions(button(confirm=CONFIRM | {"deny": plain("t" * 31)})), None, "max_characters"),
    (actions(button(confirm={name: CONFIRM[name] for name in ("title", "text", "deny")})), None, "required"),
    (actions(plain("x")), "/blocks/0/elements/0/type", "enum"),
    (actions({"type": "static_select"}), "/blocks/0/elements/0", "one_of"),
    (actions({"type": "static_select", "options": [option(str(n)) for n in range(101)]}), None, "max_items"),
    (actions({"type": "static_select", "options": [option(), option()]}), None, "unique"),
    (actions({"type": "static_select", "options": [option()], "initial_option": option("w")}), None, "enum"),
    (actions({"type": "static_select", "options": [option("v" * 151)]}), None, "max_characters"),
    (actions({"type": "overflow", "options": [option(str(n)) for n in range(6)]}), None, "max_items"),
    (actions({"type": "radio_buttons", "options": [option(str(n)) for n in range(11)]}), None, "max_items"),
    (actions({"type": "checkboxes", "options": [option()], "initial_options": [option("w")]}), None, "enum"),
    ({"type": "divider", "block_id": "d" * 256}, "/blocks/0/block_id", "max_characters"),
    ({"type": "image", "alt_text": "a"}, "/blocks/0", "one_of"),
    ({"type": "image", "alt_text": "a", "slack_file": {}}, "/blocks/0/slack_file", "required"),
    (text_input(max_length=3001), None, "range"),
    (text_input(min_length=5, max_length=4), None, "range"),
    (text_input(max_length=2, initial_value="xxx"), None, "max_characters"),
    ({"type": "input", "label": plain("l"), "element": button()}, "/blocks/0/element/type", "enum"),
    ({"type": "markdown", "text": "m" * 12_001}, "/blocks/0/text", "max_characters"),
    (rich(piece(type="text", text="t", style={"blink": True})), None, "additional_property"),
    (rich(piece(type="mention")), "/blocks/0/elements/0/elements/0/type", "enum"),
    (rich({"type": "rich_text_list", "style": "ordered", "indent": 9, "elements": [piece(type="channel", channel_id="C")]}), None, "range"),  # noqa: E501
    (rich({"type": "rich_text_preformatted", "elements": [{"type": "user", "user_id": "U1"}]}), None, "enum"),
]  # fmt: skip


@pytest.mark.parametrize("block", SOUND)
def test_a_sound_block_is_accepted_at_its_limit(block: Json) -> None:
    """Every kind of block passes at exactly Slack's limit."""
    assert find_faults([block], "message") == []


@pytest.mark.parametrize(("block", "pointer", "kind"), UNSOUND)
def test_an_unsound_block_is_refused_with_its_place(block: object, pointer: str | None, kind: str) -> None:
    """One beyond a limit, an unknown type or field, a missing one: refused, and the finding points at it."""
    (found,) = find_faults([block], "message")
    assert found.kind == kind
    assert pointer in (None, found.pointer)
    shown = found.as_json()
    assert shown["code"] == "failed_constraint"
    assert shown["constraint"]["type"] == kind
    assert found.as_line() == f"[ERROR] {found.message} [json-pointer:{found.pointer}]"


@pytest.mark.parametrize(("surface", "most"), [("message", 50), ("modal", 100), ("home", 100)])
def test_a_surface_takes_so_many_blocks(surface: Surface, most: int) -> None:
    """50 blocks in a message, 100 in a view, and not one more."""
    assert find_faults([{"type": "divider"}] * most, surface) == []
    assert find_faults([{"type": "divider"}] * (most + 1), surface)[0].kind == "max_items"


@pytest.mark.parametrize(
    ("block", "surface"),
    [
        ({"type": "alert", "text": plain("x")}, "message"),
        ({"type": "alert", "text": plain("x")}, "home"),
        ({"type": "markdown", "text": "x"}, "modal"),
    ],
)
def test_some_blocks_stand_on_some_surfaces_only(block: Json, surface: Surface) -> None:
    """An alert lives in modals only, markdown everywhere else."""
    other: Surface = "modal" if block["type"] == "alert" else "message"
    assert find_faults([block], other) == []
    assert find_faults([block], surface)[0].kind == "enum"


def test_ids_are_unique() -> None:
    """A block_id stands once per message, an action_id once per block."""
    assert find_faults([buttons("a", block_id="x"), buttons("a", block_id="y")], "message") == []
    assert find_faults([buttons("a"), buttons("b")], "message")[0].pointer == "/blocks/1/block_id"
    assert find_faults([buttons("a", "a")], "message")[0].kind == "unique"
    assert find_faults({}, "message")[0].kind == "type"


def test_stored_blocks_are_completed_not_repaired() -> None:
    """Missing ids and text defaults are filled in a copy; unsound blocks raise with every finding."""
    given = [section("x", accessory=button()), text_input()]
    stored = accept(given, "message", Ids("s"))
    assert "block_id" not in given[0]
    assert stored[0]["block_id"]
    assert stored[0]["text"]["verbatim"] is False
    assert stored[0]["accessory"]["action_id"]
    assert [element["type"] for _, element in live_elements(stored)] == ["button"]
    with pytest.raises(SlackRefusal) as refusal:
        accept([{"type": "x"}, {"type": "y"}], "message", Ids("s"))
    assert refusal.value.error == "invalid_blocks"
    assert len(refusal.value.as_json()["errors"]) == 2
    assert len(refusal.value.as_json()["response_metadata"]["messages"]) == 2


def test_a_message_carries_so_much_text() -> None:
    """13,200 characters over all blocks are accepted, one more is msg_blocks_too_long."""
    blocks = [section("x" * 3000)] * 4 + [section("x" * 1200)]
    assert text_length(blocks) == 13_200
    assert accept(blocks, "message", Ids("s"))
    with pytest.raises(SlackRefusal, match="msg_blocks_too_long"):
        accept([*blocks, section("x")], "message", Ids("s"))


@pytest.mark.parametrize(
    ("view", "pointer"),
    [
        (modal(title=plain("t" * 25)), "/view/title/text"),
        (modal(submit=plain("t" * 25)), "/view/submit/text"),
        (modal(private_metadata="p" * 3001), "/view/private_metadata"),
        (modal(callback_id="c" * 256), "/view/callback_id"),
        (modal(external_id="c" * 256), "/view/external_id"),
        (modal(colour="red"), "/view/colour"),
        ({"type": "modal", "title": plain("t"), "blocks": [text_input()]}, "/view/submit"),
        ({"type": "modal", "title": plain("t"), "blocks": {}}, "/view/blocks"),
        ({"type": "home", "title": plain("t"), "blocks": []}, "/view/type"),
        ([], "/view"),
    ],
)
def test_an_unsound_modal_is_refused(view: object, pointer: str) -> None:
    """Titles of 24, private_metadata of 3,000, a submit button where there are inputs."""
    assert find_view_faults(view, "modal")[0].pointer == pointer
    with pytest.raises(SlackRefusal, match="invalid_arguments"):
        accept_view(view, "modal", Ids("s"))


def test_sound_views_are_accepted_up_to_250_kb() -> None:
    """A modal and a home tab pass; one that is too large does not."""
    assert accept_view(modal(text_input(), title=plain("t" * 24), private_metadata="p" * 3000), "modal", Ids("s"))
    assert accept_view({"type": "home", "blocks": [section("x")]}, "home", Ids("s"))
    with pytest.raises(SlackRefusal, match="view_too_large"):
        accept_view(modal(*[section("x" * 3000)] * 90), "modal", Ids("s"))


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (section("hi <!channel> and <@U1|x>"), ["<!channel>", "<@U1|x>"]),
        (section("<https://evil.example|Approve> <!subteam^S1>"), ["<https://evil.example|Approve>", "<!subteam^S1>"]),
        (section("&lt;!channel&gt; a < b > c <br>"), []),
        (section("wake up @here"), ["@here"]),
        ({"type": "section", "text": {"type": "mrkdwn", "text": "@here", "verbatim": True}}, []),
        ({"type": "section", "text": plain("<!channel> @here")}, []),
        ({"type": "markdown", "text": "<!everyone>"}, ["<!everyone>"]),
        (rich(piece(type="text", text="<!channel>")), []),
        (rich(piece(type="user", user_id="U1"), piece(type="broadcast", range="here")), ["<@U1>", "<!here>"]),
        (rich(piece(type="usergroup", usergroup_id="S1")), ["<!subteam^S1>"]),
        (rich(piece(type="channel", channel_id="C1")), ["<#C1>"]),
        (rich(piece(type="link", url="https://x", text="y"), piece(type="link", url="z:")), ["<https://x|y>", "<z:>"]),
    ],
)
def test_pings_are_what_slack_would_make_of_it(block: Json, expected: list[str]) -> None:
    """Markup that got through is reported; escaped text, plain_text and rich_text's text never count."""
    assert pings.in_message("", [block]) == expected


def test_top_level_text_counts_as_markup() -> None:
    """The text is mrkdwn unless it says otherwise; a bare @channel counts with link_names only."""
    assert pings.in_message("<!here> @channel", []) == ["<!here>"]
    assert pings.in_message("<!here>", [], mrkdwn=False) == []
    assert pings.in_message("@channel", [], link_names=True) == ["@channel"]
