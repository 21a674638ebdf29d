"""docs/api.md and the examples of the server's own pages are what the server really does."""

import json
import re
from typing import Any, cast

from handlers.http import examples
from tests.architecture.source_tree import ROOT
from tests.world import World

PAGE = (ROOT / "docs" / "api.md").read_text("utf-8")


def proposed_on_the_page() -> dict[str, Any]:
    """The body that the page's first `curl` sends."""
    found = re.search(r"-d '(\{.*?\})'\n\n", PAGE, re.DOTALL)
    assert found is not None
    return cast("dict[str, Any]", json.loads(found[1]))


async def test_the_first_call_of_the_page_is_accepted(world: World) -> None:
    """Whoever copies it gets a proposal, with the very reason that the examples show."""
    answer = await world.http.post("/v1/proposals", headers={"Idempotency-Key": "page-1"}, json=proposed_on_the_page())
    assert answer.status_code == 201, answer.text
    shown = cast("dict[str, Any]", examples.proposal_answers("pending")["pending"])
    assert answer.json()["policy"]["because"] == shown["policy"]["because"]
    assert answer.json()["requirement"] == shown["requirement"]


async def test_the_error_on_the_page_is_answered(world: World) -> None:
    """The example of an error is, word for word, what the server says to a fact that contradicts an argument."""
    found = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    body = proposed_on_the_page()
    body["context"]["facts"]["amount_usd"] = 500
    answer = await world.http.post("/v1/proposals", headers={"Idempotency-Key": "page-2"}, json=body)
    assert answer.status_code == answer.json()["status"]
    assert answer.json() == json.loads(found[1])
