"""The pages of passkeys: `/confirm/NAME` asks for one, `/enrol/NAME` makes one. They decide nothing.

Looking at a page changes nothing, for link previews look too; only what a browser posts from our own page counts. A
name is a secret: it is in no answer and in no log.
"""

from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from datetime import datetime
from html import escape
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from approval_rules.events import Decision
from handlers.confirming_desk import Asked, BrowserAnswer, ConfirmationPages, NewPasskey, PasskeyPages
from handlers.desk import Face
from handlers.http.edge import Path
from handlers.http.reading import fields_of, json_of
from handlers.slack.blocks import utc
from handlers.slack.escape import Safe
from handlers.slack.packet import packet
from handlers.slack.sentence import sentence_of
from handlers.slack.sentences import counted_sentence, refusal_sentence
from handlers.slack.text import person
from handlers.web.blocks_html import html_of
from handlers.web.passkey_script import CONFIRM, CREATE
from handlers.web.shell import page

_NO_PAGE: Final = Safe(
    "There is nothing here. A link works for a few minutes and one time; ask for a new one in Slack."
)
_NOT_FROM_HERE: Final = Safe("This did not count: it was not sent from the page that Foureyes made.")
_ENROLLED: Final = Safe(
    "The passkey is saved, and does not count yet: another person must confirm it in Slack. You will be told there."
)
_STARTED: Final = Safe("It is started, and waits for other people to approve it. Its packet is in Slack.")
_STATUS: Final = '<p role="status" tabindex="-1" class="said"></p>'
_NEEDS_SCRIPT: Final = "<noscript><p>Passkeys need JavaScript; please allow it for this page.</p></noscript>"


class PasskeyVotes:
    """The page on which a vote is confirmed. `origin` is where browsers reach this server."""

    def __init__(self, desk: ConfirmationPages, origin: str, clock: Callable[[], datetime]) -> None:
        self._desk = desk
        self._origin = origin
        self._clock = clock

    def routes(self) -> list[BaseRoute]:
        """Give the page's path."""
        return [Route("/confirm/{name}", Path({"GET": self.look, "POST": self.answer}))]

    async def look(self, request: Request) -> Response:
        """Show what is to be confirmed."""
        asked = await self._desk.asked(request.path_params["name"])
        return nothing_here() if asked is None else self._page(asked)

    def _page(self, asked: Asked) -> Response:
        sentence = sentence_of(asked.seen.proposal)
        shown = html_of(packet(asked.seen, self._clock(), voting=False).blocks)
        if asked.refusal is not None:
            why = refusal_sentence(asked.refusal, asked.seen)
            return page(sentence.headline, f'<p role="alert">{escape(why)}</p>{shown}')
        does = sentence.approve.replace("Approve", "Start", 1) if asked.starts else sentence.approve
        asks = _form(f"{does} with passkey", asked.challenge, asked.rp, asked.passkeys, "")
        told_who = f"You are {_face(asked.me)}. This link works one time, until {escape(utc(asked.expires_at))}."
        return page(sentence.headline, f"{shown}{_code(asked.code)}<p>{told_who}</p>{asks}", CONFIRM)

    async def answer(self, request: Request) -> Response:
        """Take a passkey's answer; raises ProblemError for what no page of ours sends."""
        if not from_our_page(request, self._origin):
            return told(_NOT_FROM_HERE, 403)
        judged = await self._desk.confirm(request.path_params["name"], await _answer_in(request))
        if judged is not None and judged.refusal is not None:
            return told(refusal_sentence(judged.refusal, judged.seen), 409)
        if judged is None or judged.seen is None:
            return told(_NO_PAGE, 404)
        if judged.seen.proposal.initiator is not None and not judged.seen.proposal.votes:
            return told(_STARTED, 200)
        return told(counted_sentence(judged.seen.proposal, Decision.APPROVE), 200)


class NewPasskeys:
    """The page on which a person makes a passkey."""

    def __init__(self, desk: PasskeyPages, origin: str) -> None:
        self._desk = desk
        self._origin = origin

    def routes(self) -> list[BaseRoute]:
        """Give the path that the page sends to; the link itself says what is enrolled."""
        return [Route("/enrol/{name}/passkey", Path({"POST": self.answer}))]

    async def look(self, request: Request) -> Response:
        """Show for whom a passkey is to be made."""
        new = await self._desk.new_passkey(request.path_params["name"])
        return nothing_here() if new is None else _enrolment(new)

    async def answer(self, request: Request) -> Response:
        """Take a new passkey; raises ProblemError for what no page of ours sends."""
        if not from_our_page(request, self._origin):
            return told(_NOT_FROM_HERE, 403)
        refusal = await self._desk.register(request.path_params["name"], await _answer_in(request))
        return told(_ENROLLED, 200) if refusal is None else told(refusal_sentence(refusal), 409)


def _enrolment(new: NewPasskey) -> Response:
    title = "Make a passkey for approvals"
    if new.refusal is not None:
        return page(title, f'<h1>{title}</h1><p role="alert">{escape(refusal_sentence(new.refusal))}</p>')
    body = (
        f"<h1>{title}</h1><p>For {_face(new.me)}. The passkey stays on your device or in your password manager;"
        " Foureyes keeps its public key. It counts once another person has confirmed it in Slack.</p>"
        f"<p>This link works one time, until {escape(utc(new.expires_at))}.</p>"
    )
    who = f' data-handle="{_base64url(new.handle)}" data-name="{escape(person(new.me.name, new.me.user_id))}"'
    return page(title, body + _form("Make a passkey", new.challenge, new.rp, new.passkeys, "/passkey", who), CREATE)


def nothing_here() -> Response:
    """Say the same for a link that never was and for one that is long over."""
    return page("Nothing here", f"<h1>Nothing here</h1><p>{escape(_NO_PAGE)}</p>", status=404)


def told(sentence: Safe, status: int) -> Response:
    """Answer a page's script."""
    return JSONResponse({"said": sentence}, status)


def from_our_page(request: Request, origin: str) -> bool:
    """Tell whether a browser says that it posted from our own page; what says nothing is no browser."""
    site = request.headers.getlist("sec-fetch-site")
    return request.headers.getlist("origin") == [origin] and site in ([], ["same-origin"])


async def _answer_in(request: Request) -> BrowserAnswer:
    return fields_of((await json_of(request)).value)


def _form(label: str, challenge: bytes, rp: str, passkeys: Sequence[str], to: str, more: str = "") -> str:
    return (
        f'<form data-to="{to}" data-challenge="{_base64url(challenge)}" data-rp="{escape(rp)}"'
        f' data-passkeys="{escape(" ".join(passkeys))}"{more}>'
        f'<button type="submit">{escape(label)}</button></form>{_NEEDS_SCRIPT}{_STATUS}'
    )


def _code(code: str) -> str:
    return f'<p>Slack shows the same code:<br><strong class="code">{escape(code)}</strong></p>'


def _face(face: Face) -> str:
    return f"<strong>{escape(person(face.name, face.user_id))}</strong>"


def _base64url(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")
