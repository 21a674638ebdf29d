"""Serves the API's documents: /openapi.json, /docs and /docs/problems. They load nothing from anywhere else."""

import json
from base64 import b64encode
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from html import escape

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from handlers.http.auditor_docs import auditor_calls
from handlers.http.call_docs import CallDoc, agent_calls, open_calls
from handlers.http.edge import Path
from handlers.http.evidence_docs import evidence_calls
from handlers.http.openapi import openapi_document, problem_codes
from handlers.http.operator_docs import operator_calls
from handlers.http.problem_codes import KINDS

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1d1c1d}"
    "pre{background:#f6f6f6;padding:.75rem;overflow:auto;font-size:.8rem}code{font-size:.9em}"
    "h2{border-top:1px solid #ddd;padding-top:1rem}summary{cursor:pointer}"
    "td,th{text-align:left;vertical-align:top;padding:.25rem .75rem .25rem 0}"
)
_STYLE_HASH = b64encode(sha256(_STYLE.encode()).digest()).decode()
_POLICY = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; frame-ancestors 'none'"
_CACHED = {"Cache-Control": "public, max-age=300"}


def document_routes() -> list[BaseRoute]:
    """Give the routes of the documents."""
    return [
        Route("/openapi.json", Path({"GET": _openapi})),
        Route("/docs", Path({"GET": _docs})),
        Route("/docs/problems", Path({"GET": _problems})),
    ]


async def _openapi(_: Request) -> Response:
    return Response(_openapi_text(), headers=_CACHED, media_type="application/json")


async def _docs(_: Request) -> Response:
    return _page(_calls_page())


async def _problems(_: Request) -> Response:
    return _page(_problems_page())


def _page(html: str) -> Response:
    return Response(html, headers={**_CACHED, "Content-Security-Policy": _POLICY}, media_type="text/html")


@cache
def _openapi_text() -> str:
    return json.dumps(openapi_document(), indent=1)


@cache
def _calls_page() -> str:
    calls = [*agent_calls(), *evidence_calls(), *operator_calls(), *auditor_calls(), *open_calls()]
    return _html(
        "Foureyes API",
        "<p>Send <code>Authorization: Bearer KEY</code>. The same as a document for machines: "
        '<a href="/openapi.json">/openapi.json</a>. Every problem and what to do about it: '
        '<a href="/docs/problems">/docs/problems</a>.</p>',
        map(_call_html, calls),
    )


@cache
def _problems_page() -> str:
    rows = (
        f'<tr id="{code}"><td><code>{code}</code></td><td>{kind.status}</td>'
        f"<td>{escape(kind.title)}. {escape(kind.remedy)}</td></tr>"
        for code, kind in KINDS.items()
    )
    table = "<table><tr><th>code</th><th>status</th><th>what it means, what to do</th></tr>"
    return _html("Foureyes API: problems", table, [*rows, "</table>"])


def _html(title: str, intro: str, parts: Iterable[str]) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body><h1>{title}</h1>{intro}{''.join(parts)}</body></html>"
    )


def _call_html(call: CallDoc) -> str:
    parts = [f'<h2 id="{call.name}"><code>{call.method.upper()} {call.path}</code></h2><p>{escape(call.summary)}.</p>']
    parts += [_parameter_html(parameter) for parameter in call.parameters]
    if call.body is not None and call.body.model_fields:
        parts.append(f"<p>Body:</p>{_code(call.body_example)}")
    for status, answer in call.answers.items():
        shown = "".join(f"<p>{escape(name)}</p>{_code(value)}" for name, value in answer.examples.items())
        parts.append(f"<details><summary>{status}: {escape(answer.says)}</summary>{shown}</details>")
    for status, codes in problem_codes(call).items():
        links = ", ".join(f'<a href="/docs/problems#{code}">{code}</a>' for code in codes)
        parts.append(f"<p>{status}: {links}</p>")
    return "".join(parts)


def _parameter_html(parameter: dict[str, object]) -> str:
    name, place = escape(str(parameter["name"])), escape(str(parameter["in"]))
    return f"<p><code>{name}</code> ({place}) {escape(str(parameter.get('description', '')))}</p>"


def _code(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
    return f"<pre>{escape(text)}</pre>"
