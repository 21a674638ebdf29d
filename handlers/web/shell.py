"""The frame of every page: one style, no framing, no foreign script. Whatever is shown was escaped before it gets here.

Style and script stand in the page and are named in its policy by their SHA-256: nothing else runs, nothing is loaded.
"""

import base64
import hashlib
from html import escape
from typing import Final

from starlette.responses import HTMLResponse

STYLE: Final = """
:root { color-scheme: light dark; background: canvas; color: canvastext; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 40rem; padding: 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.25rem; }
h2 { font-size: 1.1rem; }
button, input { font: inherit; min-height: 2.75rem; width: 100%; box-sizing: border-box; }
button { border: 0; border-radius: .5rem; font-weight: 600; cursor: pointer; background: #147a49; color: #fff; }
button:disabled { background: none; border: 1px solid; color: inherit; opacity: .7; }
:focus-visible { outline: 3px solid light-dark(#0b63c5, #8ec5ff); outline-offset: 2px; }
pre { font: inherit; white-space: pre-wrap; border: 1px solid; border-radius: .5rem; padding: .5rem .75rem; }
pre code { font: 1rem ui-monospace, monospace; user-select: all; }
svg { vertical-align: -.2em; }
.code { font: 600 1.5rem ui-monospace, monospace; letter-spacing: .1em; }
.said { border-left: 4px solid; padding-left: .75rem; }
[role=alert] { border: 2px solid; border-radius: .5rem; padding: .75rem; }
"""


def page(title: str, body: str, script: str = "", status: int = 200) -> HTMLResponse:
    """Make a page. `body` is HTML that is ours, with everything foreign in it escaped; `script` is ours too."""
    policy = [
        "default-src 'none'",
        f"style-src {_named(STYLE)}",
        "img-src data:",
        "form-action 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        *([f"script-src {_named(script)}"] if script else []),
    ]
    html = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><main>{body}</main>"
        + (f"<script>{script}</script>" if script else "")
        + "</body></html>"
    )
    headers = {
        "content-security-policy": "; ".join(policy),
        "cross-origin-opener-policy": "same-origin",
        "x-frame-options": "DENY",
    }
    return HTMLResponse(html, status, headers)


def _named(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
