"""The page draws what was posted and does what Slack does with it, by mouse, by keyboard and on a phone."""

import re
from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import Page, expect

from bot.slack_standin.workspace import JONAS, MAYA, REFUND_APPROVALS
from tests.e2e.conftest import BROWSER
from tests.e2e.page.conftest import Json, Stage, button, card, plain, section

pytestmark = BROWSER

TOO_SMALL = """() => [...document.querySelectorAll('button, select')]
  .filter((node) => node.getClientRects().length && node.offsetHeight < 44).map((node) => node.outerHTML)"""
CONTRAST = Path(__file__).with_name("contrast.js")

DRAWN = (
    "h3",
    "strong",
    "em",
    "s",
    "code",
    "blockquote",
    "pre",
    "select",
    "hr",
    "ul>li",
    ".mention",
    ".emoji",
    ".picture",
)
OPTIONS = [{"text": plain("One"), "value": "1"}, {"text": plain("Two"), "value": "2"}]


async def _choose(page: Page, person: str) -> None:
    await page.locator(f"[data-person={person}]").click()


async def _confirm_approval(page: Page) -> None:
    await page.get_by_role("button", name="Approve …").click()
    await page.get_by_role("dialog").get_by_role("button", name="Approve").click()


async def test_every_block_is_drawn(stage: Stage) -> None:
    """Each kind of block and element that the bot may post has a drawing; what is unknown is said, not dropped."""
    runs: list[Json] = [
        {"type": "text", "text": "bold", "style": {"bold": True}},
        {"type": "link", "url": "https://example.com", "text": "a link"},
        {"type": "user", "user_id": MAYA},
        {"type": "emoji", "name": "white_check_mark"},
    ]
    item = {"type": "rich_text_section", "elements": runs[:1]}
    rich = [
        {"type": "rich_text_section", "elements": runs},
        {"type": "rich_text_list", "style": "bullet", "elements": [item]},
        {"type": "rich_text_quote", "elements": runs[:1]},
        {"type": "rich_text_preformatted", "elements": runs[:1]},
    ]
    select = {"type": "static_select", "action_id": "pick", "placeholder": plain("Pick"), "options": OPTIONS}
    await stage.post(
        [
            {"type": "header", "text": plain("Heading")},
            {**section("*b* _i_ ~s~ `c`\n> quoted\n```pre```"), "accessory": select},
            {"type": "context", "elements": [plain("small print")]},
            {"type": "divider"},
            {"type": "image", "image_url": "https://example.com/chart.png", "alt_text": "A chart"},
            {"type": "rich_text", "elements": rich},
            {
                "type": "actions",
                "elements": [
                    button("go", "Go"),
                    {"type": "radio_buttons", "action_id": "r", "options": OPTIONS},
                    {"type": "checkboxes", "action_id": "c", "options": OPTIONS},
                    {"type": "overflow", "action_id": "o", "options": OPTIONS},
                ],
            },
            {"type": "input", "label": plain("Name"), "element": {"type": "plain_text_input", "action_id": "t"}},
            {"type": "markdown", "text": "**raw**"},
        ]
    )
    stage.plant([{"type": "hologram", "block_id": "h"}])
    page = await stage.look()
    for selector in DRAWN:
        await expect(page.locator(f".message {selector}").first).to_be_visible()
    named: list[tuple[Literal["button", "radio", "checkbox"], str]] = [
        ("button", "Go"),
        ("radio", "One"),
        ("checkbox", "Two"),
        ("button", "More actions"),
    ]
    for role, name in named:
        await expect(page.locator(".message").get_by_role(role, name=name)).to_be_visible()
    await expect(page.get_by_label("Name (required)")).to_be_visible()
    await expect(page.get_by_text("**raw**")).to_be_visible()
    await expect(page.get_by_text("unsupported block: hologram")).to_be_visible()


async def test_confirm_dialog_asks_first(stage: Stage) -> None:
    """A button with a confirm object sends nothing until the dialog's own button is pressed."""
    await stage.post(card())
    page = await stage.look()
    await page.get_by_role("button", name="Approve …").click()
    dialog = page.get_by_role("dialog", name="Approve this refund?")
    await expect(dialog).to_contain_text("$180.00 leaves the account.")
    await dialog.get_by_role("button", name="Not yet").click()
    assert stage.received == []
    await _confirm_approval(page)
    payload = await stage.heard(lambda sent: sent["type"] == "block_actions")
    assert payload["actions"][0]["action_id"] == "approve"
    assert payload["user"]["id"] == MAYA


async def test_a_click_that_is_not_answered_says_so(stage: Stage) -> None:
    """Where the app misses Slack's patience, a warning stands beside the button that was pressed."""
    await stage.post(card())
    page = await stage.look()
    await page.get_by_role("button", name="Details").click()
    warning = page.locator(".block-warning:not(:empty)")
    await expect(warning).to_be_visible()
    await expect(warning.locator(".icon")).to_be_visible()
    await expect(page.locator(".is-pending")).to_have_count(0)


async def test_modal_shows_errors_beside_inputs(stage: Stage) -> None:
    """The client's and the app's complaints stand at the input they are about; what was typed stays; then it closes."""
    await stage.post(card())
    page = await stage.look()
    await page.get_by_role("button", name="Deny …").click()
    dialog = page.get_by_role("dialog", name="Deny this refund")
    reason = dialog.get_by_label("Reason (required)")
    await expect(reason).to_be_focused()
    submit = dialog.get_by_role("button", name="Deny")
    await submit.click()
    await expect(dialog.locator(".has-error .field-error")).to_have_text("Please complete this required field.")
    await reason.fill("bad order")
    await submit.click()
    await expect(dialog.locator(".has-error .field-error")).to_have_text("Say what is wrong with it")
    await expect(reason).to_have_value("bad order")
    await reason.fill("the order was never paid")
    await dialog.get_by_text("Customer").click()
    await submit.click()
    await expect(dialog).to_have_count(0)
    sent = [entry for entry in stage.received if entry["type"] == "view_submission"][-1]
    values = sent["view"]["state"]["values"]
    assert values["reason"]["text"]["value"] == "the order was never paid"
    assert values["kind"]["pick"]["selected_option"]["value"] == "customer"


async def test_modal_update_keeps_what_is_typed(stage: Stage) -> None:
    """When the app updates a dialog under somebody's hands, inputs with the same ids keep their text."""
    await stage.post(card())
    page = await stage.look()
    await page.get_by_role("button", name="Deny …").click()
    reason = page.get_by_label("Reason (required)")
    await reason.fill("half a sent")
    (opened,) = stage.slack.modals(MAYA)
    view = {key: opened.view[key] for key in ("type", "title", "submit", "blocks")}
    view["blocks"] = [section("Loaded: order A-1001"), *view["blocks"]]
    answer = await stage.call("views.update", view_id=opened.id, view=view)
    assert answer["ok"], answer
    await expect(page.get_by_text("Loaded: order A-1001")).to_be_visible()
    await expect(reason).to_have_value("half a sent")
    await expect(reason).to_be_focused()


async def test_each_person_sees_his_own(stage: Stage) -> None:
    """An ephemeral and a dialog belong to one person: another does not see them, and they are there on return."""
    await stage.post(card())
    page = await stage.look()
    await stage.call("chat.postEphemeral", channel=REFUND_APPROVALS, user=JONAS, text="for Jonas only")
    await expect(page.locator(f"[data-person={JONAS}] .waiting")).to_be_visible()
    await expect(page.get_by_text("for Jonas only")).to_have_count(0)
    await _choose(page, JONAS)
    await expect(page.get_by_text("for Jonas only")).to_be_visible()
    await expect(page.get_by_text("Only visible to you")).to_be_visible()
    await expect(page.locator(f"[data-person={JONAS}]")).to_have_attribute("aria-checked", "true")
    await _choose(page, MAYA)
    await expect(page.get_by_text("for Jonas only")).to_have_count(0)


async def test_threads_and_changes_arrive_live(stage: Stage) -> None:
    """A reply stands under its message, and an updated card replaces the old one without a reload."""
    page = await stage.look()
    await expect(page.get_by_text("No messages yet")).to_be_visible()
    posted = await stage.post(card())
    await stage.call("chat.postMessage", channel=REFUND_APPROVALS, thread_ts=posted["ts"], text="Maya approved")
    await expect(page.locator(".thread")).to_contain_text("Maya approved")
    done = [{"type": "header", "text": plain("Refund approved")}]
    await stage.call("chat.update", channel=REFUND_APPROVALS, ts=posted["ts"], text="done", blocks=done)
    await expect(page.locator(".message h3")).to_have_text("Refund approved")
    await expect(page.get_by_role("button", name="Approve …")).to_have_count(0)


async def test_keyboard_alone_is_enough(stage: Stage) -> None:
    """Skip link, command, decision and dialog work without a mouse, and the focus comes back to where it was."""
    await stage.post(card())
    page = await stage.look()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to the message box")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#composer-input")).to_be_focused()
    await page.keyboard.type("/agent sta")
    await expect(page.get_by_role("option")).to_have_count(1)
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page.locator("#composer-input")).to_have_value("/agent status")
    await page.locator("#composer-input").fill("typed by hand")
    await page.keyboard.press("Enter")
    await expect(page.locator(".message", has_text="typed by hand")).to_be_visible()
    await page.keyboard.press("ArrowUp")
    await expect(page.locator("#composer-input")).to_have_value("typed by hand")
    deny = page.get_by_role("button", name="Deny …")
    await deny.focus()
    await page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_be_visible()
    for _ in range(9):
        await page.keyboard.press("Tab")
        assert await page.evaluate("Boolean(document.activeElement.closest('dialog'))")
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    await expect(deny).to_be_focused()
    assert stage.slack.modals(MAYA) == []


async def test_person_switcher_by_keyboard(stage: Stage) -> None:
    """The list of people is one stop of the Tab key, and the arrows choose."""
    page = await stage.look()
    await page.locator(f"[data-person={MAYA}]").focus()
    await page.keyboard.press("ArrowDown")
    await expect(page.locator(f"[data-person={JONAS}]")).to_be_focused()
    await expect(page.locator("#person-button")).to_contain_text("Jonas Weber")
    assert await page.locator("#people [tabindex='0']").count() == 1


async def test_phone_width_fits(demo: Stage) -> None:
    """At 360 px no view scrolls sideways, and whatever is meant to be touched is at least 44 px high."""
    await demo.post(card())
    page = await demo.look(360, 740, has_touch=True, is_mobile=True)
    for tab in ("Guide", "Agent", "Log", "Channel"):
        await page.get_by_role("navigation", name="Views").get_by_role("button", name=tab).click()
        assert await page.evaluate("document.documentElement.scrollWidth <= 360"), tab
        assert await page.evaluate(TOO_SMALL) == [], tab
    await page.get_by_role("button", name="Deny …").click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth <= 360")


async def test_dark_mode_follows_and_can_be_chosen(stage: Stage) -> None:
    """The page follows the system's colours, a button overrides it, and text keeps its contrast in both."""
    await stage.post(card())
    page = await stage.look(color_scheme="dark")
    background = "getComputedStyle(document.body).backgroundColor"
    assert await page.evaluate(background) == "rgb(23, 25, 28)"
    toggle = page.get_by_role("button", name=re.compile("^Colours"))
    await toggle.click()
    await expect(toggle).to_have_attribute("aria-label", "Colours: light. Change")
    assert await page.evaluate(background) == "rgb(255, 255, 255)"
    await toggle.click()
    assert await page.evaluate(background) == "rgb(23, 25, 28)"


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_contrast_is_readable(demo: Stage, scheme: str) -> None:
    """Every visible text has a contrast of at least 4.5 to what is behind it, in both colour schemes."""
    await demo.post([*card(), section("`code` <@U0MAYACHEN1> <!here> <https://example.com|link>")])
    page = await demo.look(color_scheme=scheme)
    await expect(page.locator(".message h3")).to_be_visible()
    for tab in ("Guide", "What the agent sees", "Audit log"):
        await page.get_by_role("tab", name=tab).click()
        assert await page.evaluate(CONTRAST.read_text("utf-8")) == []


async def test_without_the_demo_its_side_is_hidden(stage: Stage) -> None:
    """Where nobody serves /demo/state, neither the right side nor the toolbar is shown."""
    page = await stage.look()
    await expect(page.locator(".side")).to_be_hidden()
    await expect(page.locator("#toolbar")).to_be_hidden()


async def test_demo_side_shows_the_state(demo: Stage) -> None:
    """Guide, agent and log show what the demo says: steps done, markup as text, and a broken row by sign and words."""
    page = await demo.look()
    await expect(page.locator("#panel-guide")).to_contain_text("1 of 2 done")
    await expect(page.locator("#paused")).to_contain_text("Paused: all agents")
    await page.locator("#panel-guide").get_by_role("button", name="Propose").click()
    await expect(page.locator("#toasts")).to_contain_text("no propose today")
    await page.get_by_role("tab", name="What the agent sees").click()
    await expect(page.locator("#panel-agent pre")).to_have_text("<b>x</b>")
    await page.get_by_role("tab", name="Audit log").click()
    await expect(page.locator(".verdict")).to_contain_text("The log was changed")
    broken = page.locator(".row.is-broken")
    await expect(broken).to_have_attribute("data-seq", "2")
    await expect(broken).to_contain_text("not what was written")
    await expect(broken.locator(".row-why .icon")).to_be_visible()


async def test_many_messages_do_not_freeze_it(stage: Stage) -> None:
    """Of thousands of messages the newest 200 are drawn, and older ones on request."""
    for number in range(3000):
        stage.slack.say(MAYA, REFUND_APPROVALS, f"message {number}")
    page = await stage.look()
    await expect(page.get_by_text("message 2999", exact=True)).to_be_visible()
    await expect(page.locator(".message")).to_have_count(200)
    await page.get_by_role("button", name="Show older (2800 more)").click()
    await expect(page.locator(".message")).to_have_count(400)


async def test_lost_connection_is_said(stage: Stage) -> None:
    """When the server goes away the page says so instead of looking alive."""
    page = await stage.look()
    await stage.slack.stop()
    await expect(page.get_by_text("Connection lost")).to_be_visible(timeout=10_000)
