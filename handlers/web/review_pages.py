"""The weekly review for browsers: `/review/NAME/FILE`, behind a link that is over in minutes. It shows and no more.

A name is a secret: it is in no answer and in no log. The page loads nothing and runs nothing.
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
_OVER: Final = (
    '<h1>Weekly review</h1><p role="alert">There is nothing here. A link works for a quarter of an hour; press '
    "<em>Read the whole report</em> under the review in Slack for a new one.</p>"
)


def review_routes(desk: WeeklyPages) -> list[BaseRoute]:
    """Give the page's and the table's path."""

    async def look(request: Request) -> Response:
        name, file = request.path_params["name"], request.path_params["file"]
        found = await desk.whole_week(name, file) if file in _KINDS else None
        if found is None:
            return page("Weekly review", _OVER, status=404)
        return Response(found, media_type=_KINDS[file], headers=_HEADERS)

    return [Route("/review/{name}/{file}", Path({"GET": look}))]
