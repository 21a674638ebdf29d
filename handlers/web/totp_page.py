"""The page on which a person enrols an authenticator app. It keeps nothing and decides nothing.

Looking at a link uses nothing up, for mail scanners and previews look too: only the button opens it. The link's name,
the secret and the codes stand in no log line and in no error; what a browser sends back is read strictly.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from html import escape
from typing import Final
from urllib.parse import parse_qs

import segno
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from approval_rules.refusals import Refusal
from handlers.desk import DeskUnavailableError
from handlers.factor_desk import Enrolled, Enrolling, EnrolmentDesk, SetUp, WrongCode
from handlers.slack.escape import named
from handlers.web.shell import page

_log = logging.getLogger(__name__)
MAX_BYTES: Final = 4096
_TITLE: Final = "Enrol your authenticator app"
_OVER: Final = (
    "This link is over, was used, or was never one of ours. For a new one, type <code>/agent factor add totp</code> in "
    "Slack."
)
_STOLEN: Final = (
    "This link has been opened already, in another browser. If that was not you, type <code>/agent factor lock</code> "
    "in Slack now, and tell whoever runs Foureyes."
)


def enrolment_routes(desk: EnrolmentDesk, passkey: Callable[[Request], Awaitable[Response]]) -> list[BaseRoute]:
    """Give the routes of the page; a link to a passkey opens the page that `passkey` makes."""
    made = _Pages(desk, passkey)
    return [
        Route("/enrol/{name}", made.look, methods=["GET"]),
        Route("/enrol/{name}/open", made.open, methods=["POST"]),
        Route("/enrol/{name}/app", made.enrol, methods=["POST"]),
    ]


class _Pages:
    """One method for each step."""

    def __init__(self, desk: EnrolmentDesk, passkey: Callable[[Request], Awaitable[Response]]) -> None:
        self._desk = desk
        self._passkey = passkey

    async def look(self, request: Request) -> Response:
        """Show what the link is for, and the button that opens it."""
        return await _safely(lambda: self._look(request))

    async def open(self, request: Request) -> Response:
        """Show the secret to the visit that opens the link."""
        return await _safely(lambda: self._open(request))

    async def enrol(self, request: Request) -> Response:
        """Take the first code as proof, and show the recovery codes once."""
        return await _safely(lambda: self._enrol(request))

    async def _look(self, request: Request) -> Response:
        name = _name(request)
        found = await self._desk.enrolling(name)
        if found is not None and found.factor == "passkey":
            return await self._passkey(request)
        if found is None:
            return _told(_OVER, 410)
        return page(_TITLE, _button(name, found))

    async def _open(self, request: Request) -> Response:
        name, form = _name(request), await _form(request)
        if form is None:
            return _told("The page sent something that cannot be read. Please open the link again.", 400)
        visit = form.get("visit", "")
        made = await self._desk.open_enrolment(name, visit)
        return _refused(made) if isinstance(made, Refusal) else page(_TITLE, _set_up(name, visit, made))

    async def _enrol(self, request: Request) -> Response:
        name, form = _name(request), await _form(request)
        if form is None:
            return _told("The page sent something that cannot be read. Please open the link again.", 400)
        visit = form.get("visit", "")
        done = await self._desk.enrol_app(name, visit, form.get("code", ""), form.get("recovery", ""))
        if isinstance(done, Refusal):
            return _refused(done)
        if isinstance(done, Enrolled):
            return page("Enrolled", _enrolled(done))
        again = await self._desk.open_enrolment(name, visit) if done.left > 0 else Refusal.EXPIRED
        if isinstance(again, Refusal):
            return _refused(again)
        return page(_TITLE, _set_up(name, visit, again, done), status=422)


async def _safely(answer: Callable[[], Awaitable[Response]]) -> Response:
    """Say sorry where something is down: an error must not carry the address, which is a secret, to any log."""
    try:
        return await answer()
    except DeskUnavailableError:
        return _told("Foureyes cannot reach its records just now. Nothing was changed; please try again.", 503)
    except Exception as error:  # noqa: BLE001 - passed on, it would be logged together with the address
        _log.error("a page failed: %s", type(error).__name__)
        return _told("Something went wrong in Foureyes. Please tell whoever runs it.", 500)


def _name(request: Request) -> str:
    name: str = request.path_params["name"]
    return name


async def _form(request: Request) -> Mapping[str, str] | None:
    """Read a form that this page sent; None for anything else, and for what comes from another site."""
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return None
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        return None
    body = b""
    try:
        async for part in request.stream():
            body += part
            if len(body) > MAX_BYTES:
                return None
        fields = parse_qs(body.decode(), strict_parsing=True, keep_blank_values=True, max_num_fields=4)
    except (ValueError, ClientDisconnect):
        return None
    return {name: values[0] for name, values in fields.items() if len(values) == 1} if fields else None


def _refused(code: Refusal) -> Response:
    return _told(_STOLEN, 409) if code is Refusal.LINK_USED else _told(_OVER, 410)


def _told(html: str, status: int) -> Response:
    return page(_TITLE, f'<h1>{_TITLE}</h1><p role="alert">{html}</p>', status=status)


def _button(name: str, found: Enrolling) -> str:
    who = escape(named(found.face.name or found.face.user_id))
    return (
        f"<h1>{_TITLE}</h1><p>For <strong>{who}</strong>. If that is not you, close this page and tell that person.</p>"
        "<p>Have your authenticator app at hand, and nobody behind you. What you see next is shown in this window only."
        f'</p><form method="post" action="/enrol/{escape(name)}/open">{_hidden("visit", found.visit)}'
        "<button>Show me the code to scan</button></form>"
        f"<p>The link works until {found.expires_at:%H:%M} UTC.</p>"
    )


def _set_up(name: str, visit: str, made: SetUp, wrong: WrongCode | None = None) -> str:
    grouped = " ".join([made.secret[i : i + 4] for i in range(0, len(made.secret), 4)])
    picture = segno.make(made.uri, error="m", micro=False).svg_data_uri(scale=5, border=4, light="white")
    said = "" if wrong is None else f'<p role="alert">{_wrong(wrong)}</p>'
    return (
        f"<h1>{_TITLE}</h1>{said}<ol><li>Scan this with your app:<br>"
        f'<img alt="QR code" src="{escape(picture)}" width="260" height="260"></li>'
        f'<li>Or type this into it: <span class="code">{grouped}</span></li>'
        "<li>Type the six digits that it shows now, as a proof:</li></ol>"
        f'<form method="post" action="/enrol/{escape(name)}/app" autocomplete="off">{_hidden("visit", visit)}'
        '<p><label>Six digits <input name="code" inputmode="numeric" pattern="[0-9 ]{6,7}" maxlength="7" required '
        "autofocus></label></p><details><summary>I have lost my old device</summary><p><label>A recovery code (else "
        'leave this empty) <input name="recovery" maxlength="40"></label></p></details>'
        "<button>Enrol it</button></form>"
    )


def _wrong(wrong: WrongCode) -> str:
    if wrong.too_fast:
        return "That was too fast. Please wait a moment, and type what the app shows then."
    left = "is one more try" if wrong.left == 1 else f"are {wrong.left} more tries"
    return f"The code, or the recovery code, was wrong. There {left} before this link is over."


def _enrolled(done: Enrolled) -> str:
    if done.counts:
        return (
            "<h1>Enrolled</h1><p>Your recovery code was good, so the new app counts at once and the old one no more. "
            "You and the operators have been told. That recovery code is used up.</p>"
        )
    codes = "".join([f"<li><code>{escape(code)}</code></li>" for code in done.recovery_codes])
    return (
        "<h1>Your app is enrolled</h1><p>It counts once another person has confirmed it; you will be told "
        "in Slack.</p><h2>Your recovery codes</h2><p>They are shown <strong>this once</strong>. Each lets you enrol a "
        "new app, one time, when this one is lost; none of them approves anything. Write them down, and keep them away "
        "from the phone.</p>"
        f"<ul>{codes}</ul>"
    )


def _hidden(name: str, value: str) -> str:
    return f'<input type="hidden" name="{name}" value="{escape(value)}">'
