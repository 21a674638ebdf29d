"""Nothing that an app or an agent wrote comes alive in the page: no script, no ping, no false link, no request."""

from playwright.async_api import expect

from tests.e2e.conftest import BROWSER
from tests.e2e.page.conftest import Stage, plain, section

pytestmark = BROWSER

HOSTILE = (
    "<script>window.hit=1</script><img src=x onerror=window.hit=1> "
    "<!channel> <@U0MAYACHEN1> *x* <https://evil.example|Approve>"
)


async def test_hostile_plain_text_stays_text(stage: Stage) -> None:
    """plain_text with markup, mentions and labelled links is shown letter by letter; nothing runs, pings or links."""
    await stage.post([{"type": "section", "text": plain(HOSTILE)}])
    page = await stage.look()
    text = page.locator(".message .text")
    await expect(text).to_have_text(HOSTILE)
    assert await text.locator("*").count() == 0
    assert await page.evaluate("window.hit === undefined")


async def test_hostile_rich_text_stays_text(stage: Stage) -> None:
    """A text run in rich_text is literal too, whatever Slack's other syntax would make of it."""
    runs = {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": HOSTILE}]}
    await stage.post([{"type": "rich_text", "elements": [runs]}])
    page = await stage.look()
    await expect(page.locator(".message pre")).to_have_text(HOSTILE)
    assert await page.locator(".message pre *").count() == 0


async def test_hostile_names_and_markup_in_mrkdwn(stage: Stage) -> None:
    """In mrkdwn, HTML stays text, escaped tokens are not read as tokens, and each entity is decoded once."""
    await stage.post([section("&lt;!channel&gt; &amp;lt; <b>no</b> `<!here> *x*`")])
    page = await stage.look()
    text = page.locator(".message .text")
    await expect(text).to_have_text("<!channel> &lt; <b>no</b> <!here> *x*")
    assert await text.locator("*:not(code)").count() == 0


async def test_only_web_addresses_are_links(stage: Stage) -> None:
    """A link to anything but http or https is shown as text together with where it would have gone."""
    addresses = ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "vbscript:x", "JaVaScRiPt:alert(1)"]
    stage.plant([section(f"<{address}|click me>") for address in addresses])
    page = await stage.look()
    await expect(page.locator(".message .text")).to_have_text([f"click me ({address})" for address in addresses])
    await expect(page.locator(".message a")).to_have_count(0)


async def test_links_open_apart(stage: Stage) -> None:
    """A web link opens in another tab and can reach neither this page nor learn where it stood."""
    await stage.post([section("<https://example.com/a?b=1&amp;c=2|the order>")])
    page = await stage.look()
    link = page.get_by_role("link", name="the order")
    await expect(link).to_have_attribute("rel", "noopener noreferrer")
    await expect(link).to_have_attribute("target", "_blank")


async def test_characters_that_reorder_text_are_shown(stage: Stage) -> None:
    """Bidirectional and invisible characters are named instead of being obeyed, so no file name reads backwards."""
    await stage.post([{"type": "section", "text": plain("invoice\u202egpj.exe\u200b")}])
    page = await stage.look()
    await expect(page.locator(".hidden-char")).to_have_text(["U+202E", "U+200B"])


async def test_nothing_is_loaded_from_elsewhere(stage: Stage) -> None:
    """A picture is a placeholder with its description; the page asks no other host for anything."""
    page = await stage.look()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await stage.post([{"type": "image", "image_url": "https://evil.example/pixel.png", "alt_text": "A chart"}])
    await expect(page.get_by_role("img", name="Picture, not loaded: A chart")).to_be_visible()
    await page.reload()
    await expect(page.get_by_role("img", name="Picture, not loaded: A chart")).to_be_visible()
    assert [url for url in asked if not url.startswith(stage.slack.url)] == []
