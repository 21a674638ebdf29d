"""The weekly review for browsers: `/review/NAME/FILE`, behind a link that opens once. It shows and no more.

A name is a secret: it is in no answer but the cookie's path, and in no log. The page loads nothing and runs nothing.
"""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from handlers.http.edge import Path
from handlers.web.shell import page
from handlers.weekly_desk import PAGE, TABLE, WeeklyPages

_KINDS: Final = {PAGE: "text/html; charset=utf-8", TABLE: "text/csv; charset=utf-8"}
_HEADERS: Final = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    "x-frame-options": "DENY",
}
_COOKIE: Final = "foureyes_review"
_OVER: Final = (
    '<h1>Weekly review</h1><p role="alert">There is nothing here. A link opens once, and works in that browser '
    "for a quarter of an hour; press <em>Read the whole report</em> under the review in Slack for a new one.</p>"
)


def review_routes(desk: WeeklyPages, *, secure: bool) -> list[BaseRoute]:
    """Give the page's and the table's path; `secure` where browsers reach them by TLS."""

    async def look(request: Request) -> Response:
        name, file = request.path_params["name"], request.path_params["file"]
        session = request.cookies.get(_COOKIE)
        found = await desk.whole_week(name, file, session) if file in _KINDS else None
        if found is None:
            return page("Weekly review", _OVER, status=404)
        answer = Response(found.content, media_type=_KINDS[file], headers=_HEADERS)
        answer.set_cookie(
            _COOKIE,
            found.session,
            max_age=found.seconds,
            path=f"/review/{name}",
            secure=secure,
            httponly=True,
            samesite="lax",  # a strict one would not come along when the link in Slack is pressed again
        )
        return answer

    return [Route("/review/{name}/{file}", Path({"GET": look}))]
