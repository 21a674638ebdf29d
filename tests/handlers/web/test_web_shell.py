"""The frame of every page: what it forbids is what keeps a page of ours from being used against its reader."""

import base64
import hashlib
import re

from handlers.web.shell import page


def test_nothing_runs_but_what_stands_in_the_policy() -> None:
    """Style and script are named by what they are; nobody may frame the page, and a form goes nowhere else."""
    made = page("A & B", "<p>hello</p>", "console.log(1)")
    policy = made.headers["content-security-policy"]
    html = bytes(made.body).decode()
    for tag, directive in (("style", "style-src"), ("script", "script-src")):
        found = re.search(f"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        assert found is not None
        digest = base64.b64encode(hashlib.sha256(found[1].encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self'" in policy
    assert "unsafe" not in policy
    assert "<title>A &amp; B</title>" in html


def test_a_page_without_a_script_lets_none_run() -> None:
    """Where no script is ours, none is allowed."""
    made = page("Over", "<p>This link is over.</p>", status=410)
    assert made.status_code == 410
    assert "script-src" not in made.headers["content-security-policy"]
    assert "<script" not in bytes(made.body).decode()
