"""The page on which an agent's owner makes its new key: `/new-key/NAME`. It keeps nothing and decides nothing.

Looking at a link uses nothing up, for previews look too: only the button makes the key. The link's name and the key
stand in no log line and in no error; the page runs no script and loads nothing.
"""

from html import escape
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from approval_rules.refusals import Refusal
from handlers.http.edge import Path
from handlers.key_desk import KeyAsked, KeyMade, KeyPages
from handlers.slack.blocks import utc
from handlers.slack.escape import named
from handlers.slack.text import person
from handlers.web.shell import page

_TITLE: Final = "A new key for an agent"
_OVER: Final = (
    "This link is over, or was never one of ours: it works for ten minutes. The message from Foureyes in Slack has a "
    "button for another one."
)
_USED: Final = (
    "This link is used up: a new key was made since, or the keys were ended once more. <strong>If a new key was made "
    "and that was not you, somebody else has it: end the agent's keys at once</strong>, from the message about its "
    "pause in Slack or with <code>foureyes agent rotate --overlap 0</code> on the server."
)
_REVOKED: Final = "This agent was revoked: it gets no key any more. Add a new one under another name."
_NOT_YOU: Final = "The person who asked for this link may not make a key for this agent any more. Nothing was made."
_DOWN: Final = "Slack cannot say just now who you are. Nothing was made; please try again in a minute."
_NOT_FROM_HERE: Final = "Nothing was made: that did not come from the page of Foureyes. Please open the link again."
_TOLD: Final = {
    Refusal.EXPIRED: (_OVER, 410),
    Refusal.LINK_USED: (_USED, 409),
    Refusal.AGENT_REVOKED: (_REVOKED, 410),
    Refusal.DIRECTORY_DOWN: (_DOWN, 503),
}


def key_routes(desk: KeyPages) -> list[BaseRoute]:
    """Give the page's path."""

    async def look(request: Request) -> Response:
        asked = await desk.key_asked(request.path_params["name"])
        return _refused(asked) if isinstance(asked, Refusal) else page(_TITLE, _button(asked))

    async def make(request: Request) -> Response:
        if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return _told(_NOT_FROM_HERE, 403)
        made = await desk.make_key(request.path_params["name"])
        return _refused(made) if isinstance(made, Refusal) else page(_TITLE, _shown(made))

    return [Route("/new-key/{name}", Path({"GET": look, "POST": make}))]


def _refused(code: Refusal) -> Response:
    return _told(*_TOLD.get(code, (_NOT_YOU, 403)))


def _told(html: str, status: int) -> Response:
    return page(_TITLE, f'<h1>{_TITLE}</h1><p role="alert">{html}</p>', status=status)


def _button(asked: KeyAsked) -> str:
    who, agent = escape(person(asked.face.name, asked.face.user_id)), escape(named(asked.agent))
    return (
        f"<h1>A new key for {agent}</h1><p>For <strong>{who}</strong>, who answers for this agent. If that is not you, "
        "close this page and tell that person.</p><p>Every earlier key is dead. The new one is shown "
        "<strong>once</strong>, in this window only: have the agent's secret store open, and nobody behind you.</p>"
        f"{_paused(asked.agent, paused=asked.paused)}"
        '<form method="post"><button>Make and show the new key</button></form>'
        f"<p>This link works one time, until {escape(utc(asked.ends_at))}.</p>"
    )


def _shown(made: KeyMade) -> str:
    agent = escape(named(made.agent))
    return (
        f"<h1>The new key for {agent}</h1><p>Put both into the agent's secret store now. They are shown <strong>this "
        "once</strong>; whoever loses them makes others.</p>"
        f'<h2>Key</h2><pre><code id="key">{escape(made.key)}</code></pre>'
        f'<h2>Callback secret</h2><pre><code id="secret">{escape(made.callback_secret)}</code></pre>'
        f"{_paused(made.agent, paused=made.paused)}<p>It is on record that you made them, not what they are.</p>"
    )


def _paused(agent: str, *, paused: bool) -> str:
    if not paused:
        return ""
    return f"<p>{escape(named(agent))} is paused still: nothing of it runs before somebody resumes it.</p>"
