"""The page that enrols an authenticator app: what it takes, what it shows, and what it never tells a log."""

import logging
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from approval_rules.refusals import Refusal
from approval_rules.step_up import Factor
from handlers.desk import DeskUnavailableError, Face
from handlers.factor_desk import Enrolled, Enrolling, SetUp, WrongCode
from handlers.web.totp_page import MAX_BYTES, enrolment_routes
from tests.handlers.slack.made import NOW

SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
NAME = "n" * 43
FORM = "application/x-www-form-urlencoded"


class FakeEnrolment:
    """Provides `handlers.factor_desk.EnrolmentDesk`."""

    def __init__(self) -> None:
        self.factor: Factor | None = "totp"
        self.opened: SetUp | Refusal = SetUp(SECRET, f"otpauth://totp/x?secret={SECRET}")
        self.done: Enrolled | WrongCode | Refusal = Enrolled(counts=False, recovery_codes=("aaaa-bbbb",))
        self.error: Exception | None = None
        self.asked: list[tuple[str, ...]] = []

    async def enrolling(self, unverified_name: str) -> Enrolling | None:
        """Tell what was set."""
        if self.error is not None:
            raise self.error
        face = Face("U0MAYACHEN1", "<script>Maya</script>\u202e")
        self.asked.append(("look", unverified_name))
        return None if self.factor is None else Enrolling(self.factor, face, NOW + timedelta(minutes=30), "visit-1")

    async def open_enrolment(self, unverified_name: str, unverified_visit: str) -> SetUp | Refusal:
        """Give what was set."""
        self.asked.append(("open", unverified_name, unverified_visit))
        return self.opened

    async def enrol_app(
        self, unverified_name: str, unverified_visit: str, unverified_code: str, unverified_recovery: str
    ) -> Enrolled | WrongCode | Refusal:
        """Give what was set."""
        self.asked.append(("enrol", unverified_name, unverified_visit, unverified_code, unverified_recovery))
        return self.done


@pytest.fixture
def desk() -> FakeEnrolment:
    """Return a desk that says yes."""
    return FakeEnrolment()


async def passkey_page(_request: Request) -> Response:
    """Stand for the page that enrols a passkey."""
    return PlainTextResponse("passkey")


@pytest.fixture
async def web(desk: FakeEnrolment) -> AsyncIterator[httpx.AsyncClient]:
    """Return a browser."""
    app = Starlette(routes=enrolment_routes(desk, passkey_page))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="https://approvals.example.com") as client:
        yield client


async def test_looking_shows_a_button_and_no_secret(web: httpx.AsyncClient, desk: FakeEnrolment) -> None:
    """A hostile name is text; nothing is opened."""
    answer = await web.get(f"/enrol/{NAME}")
    assert answer.status_code == 200
    assert "&lt;script&gt;Maya" in answer.text
    assert "\u202e" not in answer.text
    assert SECRET not in answer.text
    assert "<script" not in answer.text
    assert desk.asked == [("look", NAME)]


async def test_a_link_for_a_passkey_is_the_other_pages(web: httpx.AsyncClient, desk: FakeEnrolment) -> None:
    """The ticket says which page it is for."""
    desk.factor = "passkey"
    assert (await web.get(f"/enrol/{NAME}")).text == "passkey"
    desk.factor = None
    assert (await web.get(f"/enrol/{NAME}")).status_code == 410


async def test_opening_shows_what_an_app_needs(web: httpx.AsyncClient, desk: FakeEnrolment) -> None:
    """As a picture and as letters in fours, in the page itself: nothing is loaded from elsewhere."""
    answer = await web.post(f"/enrol/{NAME}/open", data={"visit": "visit-1"})
    assert "GEZD GNBV GY3T QOJQ" in answer.text
    assert 'src="data:image/svg+xml' in answer.text
    assert 'value="visit-1"' in answer.text
    assert desk.asked == [("open", NAME, "visit-1")]
    desk.opened = Refusal.LINK_USED
    assert "has been opened already" in (await web.post(f"/enrol/{NAME}/open", data={"visit": "2"})).text
    desk.opened = Refusal.EXPIRED
    assert (await web.post(f"/enrol/{NAME}/open", data={"visit": "2"})).status_code == 410


async def test_what_became_of_the_code_is_shown(web: httpx.AsyncClient, desk: FakeEnrolment) -> None:
    """The recovery codes once; a wrong code may be typed again; after the last it is over."""
    form = {"visit": "visit-1", "code": "123456", "recovery": "aaaa-bbbb"}
    assert "<code>aaaa-bbbb</code>" in (await web.post(f"/enrol/{NAME}/app", data=form)).text
    assert desk.asked == [("enrol", NAME, "visit-1", "123456", "aaaa-bbbb")]
    desk.done = Enrolled(counts=True)
    assert "counts at once" in (await web.post(f"/enrol/{NAME}/app", data=form)).text
    desk.done = WrongCode(1)
    again = await web.post(f"/enrol/{NAME}/app", data=form)
    assert (again.status_code, "one more try" in again.text, "QR code" in again.text) == (422, True, True)
    desk.done = WrongCode(5, too_fast=True)
    assert "too fast" in (await web.post(f"/enrol/{NAME}/app", data=form)).text
    desk.done = WrongCode(0)
    assert (await web.post(f"/enrol/{NAME}/app", data=form)).status_code == 410
    desk.done = Refusal.LINK_USED
    assert (await web.post(f"/enrol/{NAME}/app", data=form)).status_code == 409


@pytest.mark.parametrize("step", ["open", "app"])
@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"visit=1", {"sec-fetch-site": "cross-site"}),
        (b"visit=1", {"sec-fetch-site": "same-site"}),
        (b"visit=1", {"content-type": "text/plain"}),
        (b"{}", {"content-type": "application/json"}),
        (b"visit=" + b"1" * MAX_BYTES, {}),
        (b"visit=\xff", {}),
        (b"visit", {}),
        (b"", {}),
        (b"a=1&b=1&c=1&d=1&e=1", {}),
    ],
)
async def test_what_this_page_did_not_send_is_refused(
    web: httpx.AsyncClient, desk: FakeEnrolment, step: str, body: bytes, headers: dict[str, str]
) -> None:
    """From another site, of another kind, too large, or unreadable: nothing is asked of the desk."""
    answer = await web.post(f"/enrol/{NAME}/{step}", content=body, headers={"content-type": FORM, **headers})
    assert answer.status_code == 400
    assert desk.asked == []


async def test_a_field_that_comes_twice_is_none(web: httpx.AsyncClient, desk: FakeEnrolment) -> None:
    """Nothing is chosen between two."""
    await web.post(f"/enrol/{NAME}/open", content=b"visit=1&visit=2", headers={"content-type": FORM})
    assert desk.asked == [("open", NAME, "")]


@pytest.mark.parametrize(("error", "status"), [(DeskUnavailableError("down"), 503), (RuntimeError(SECRET), 500)])
async def test_an_error_carries_no_secret(
    web: httpx.AsyncClient, desk: FakeEnrolment, error: Exception, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither the page nor the log names the link or what an error quotes."""
    desk.error = error
    with caplog.at_level(logging.DEBUG):
        answer = await web.get(f"/enrol/{NAME}")
    assert answer.status_code == status
    ours = "".join([record.getMessage() for record in caplog.records if record.name.startswith("handlers")])
    for text in (answer.text, ours):
        assert NAME not in text
        assert SECRET not in text


async def test_a_form_is_only_posted(web: httpx.AsyncClient) -> None:
    """Whoever only looks changes nothing."""
    for step in ("open", "app"):
        assert (await web.get(f"/enrol/{NAME}/{step}")).status_code == 405
