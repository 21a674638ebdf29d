"""The documents tell the truth: every example is valid, every code is explained, nothing is loaded from elsewhere."""

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema  # type: ignore[import-untyped]  # no stubs among the dependencies
import pytest
from jsonschema import Draft202012Validator

from approval_rules.events import Refusal
from approval_rules.state import Status
from handlers.http.auditor_docs import auditor_calls
from handlers.http.call_docs import agent_calls, open_calls
from handlers.http.evidence_docs import evidence_calls
from handlers.http.openapi import openapi_document
from handlers.http.operator_docs import operator_calls
from handlers.http.problem_codes import KINDS
from tests.architecture.source_tree import ROOT

# The codes of clicks and commands in Slack; no call of the API can be answered with one.
ONLY_IN_SLACK = {
    Refusal.INITIATOR,
    Refusal.REVIEW_SUPERSEDED,
    Refusal.NO_SUCH_ITEM,
    Refusal.MAY_NOT_REVEAL,
    Refusal.AGENT_OWNER,
    Refusal.NOT_IN_ROLE,
    Refusal.ALREADY_VOTED,
    Refusal.NOT_OUR_MESSAGE,
    Refusal.NOT_OPERATOR,
    Refusal.INCIDENT_ON,
    Refusal.NO_INCIDENT,
    Refusal.SECOND_PERSON_NEEDED,
    Refusal.STEP_UP_NEEDED,
    Refusal.FACTOR_REFUSED,
    Refusal.CHANGED_SINCE,
    Refusal.FACTOR_MISSING,
    Refusal.FACTOR_LOCKED,
    Refusal.OWN_FACTOR,
    Refusal.NOT_FACTOR_ADMIN,
    Refusal.OTHER_ADMIN_NEEDED,
    Refusal.NOT_WAITING,
    Refusal.LINK_USED,
    Refusal.TOO_FAST,
    Refusal.SEVERAL_WAIT,
    Refusal.NO_PAGES,
    Refusal.INTERESTED_PARTY,
    Refusal.SEVERAL_PERSONS,
    Refusal.NOT_ADMIN,
    Refusal.OWN_ACCOUNT,
    Refusal.NOTHING_CHANGED,
    Refusal.SECOND_ADMIN_NEEDED,
    Refusal.NOT_BLOCKED,
    Refusal.NOBODY_MAY_START,
    Refusal.STARTED_BEFORE,
    Refusal.TYPED_WRONG,
    Refusal.NOT_AWAY,
    Refusal.DELEGATE_SELF,
    Refusal.DELEGATE_CANNOT,
    Refusal.DELEGATE_AWAY,
    Refusal.DELEGATE_NOT_IN_ROLE,
    Refusal.NO_DELEGATE,
    Refusal.EDITOR,
    Refusal.NOT_EDITABLE,
    Refusal.NOT_LOWER,
    Refusal.TOO_MANY_QUESTIONS,
    Refusal.CANNOT_BE_ASKED,
    Refusal.TAKEN_BACK,
    Refusal.NOT_APPROVER,
    Refusal.NOT_REVIEWER,
    Refusal.UNKNOWN_REPORT,
    Refusal.REPORT_TOO_OLD,
    Refusal.ALREADY_SIGNED,
}
ROW = re.compile(r"^\| `([a-z-]+)` \| (\d{3}) \| (.+?) \| (.+) \|$", re.MULTILINE)
CALLS = (*agent_calls(), *evidence_calls(), *operator_calls(), *auditor_calls(), *open_calls())
DOCUMENT: dict[str, Any] = json.loads(json.dumps(openapi_document()))


def media_types() -> Iterator[tuple[str, dict[str, Any]]]:
    """Give every body of the document, with its place."""
    for path, calls in DOCUMENT["paths"].items():
        for method, call in calls.items():
            if "requestBody" in call:
                yield f"{method} {path} body", call["requestBody"]["content"]["application/json"]
            for status, answer in call["responses"].items():
                for media in answer["content"].values():
                    yield f"{method} {path} {status}", media


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    """A validator that finds the document's components."""
    whole = {**schema, "components": DOCUMENT["components"]}
    return Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)


@pytest.mark.parametrize(("place", "media"), list(media_types()), ids=[place for place, _ in media_types()])
def test_every_body_has_examples_and_they_are_valid(place: str, media: dict[str, Any]) -> None:
    """Each body of each call and status has at least one example, and each validates against the schema beside it."""
    assert media["examples"], place
    for example in media["examples"].values():
        validator(media["schema"]).validate(example["value"])


def test_schemas_are_schemas() -> None:
    """Every component is a JSON Schema (2020-12, which OpenAPI 3.1 uses), closed unless it is a key set."""
    for name, schema in DOCUMENT["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        if schema.get("type") == "object":
            assert schema.get("additionalProperties") is False or name == "KeySet", name


def test_the_document_has_the_shape_of_openapi() -> None:
    """Every operation has an id of its own, every path parameter is declared, every reference resolves."""
    operations = [call for calls in DOCUMENT["paths"].values() for call in calls.values()]
    names = [operation["operationId"] for operation in operations]
    assert DOCUMENT["openapi"].startswith("3.1.")
    assert len(names) == len(set(names)) == len(CALLS)
    for path, calls in DOCUMENT["paths"].items():
        for call in calls.values():
            declared = {one["name"] for one in call.get("parameters", []) if one["in"] == "path"}
            assert declared == set(re.findall(r"{(\w+)}", path))
            for parameter in call.get("parameters", []):
                assert parameter["required"] or parameter["in"] != "path"
                Draft202012Validator.check_schema(parameter["schema"])
    for reference in re.findall(r'"\$ref": "#/components/schemas/(\w+)"', json.dumps(DOCUMENT)):
        assert reference in DOCUMENT["components"]["schemas"]


def test_examples_cover_every_state_and_every_code() -> None:
    """A reader finds every state of a proposal and every code of the API in an example."""
    text = json.dumps(DOCUMENT["paths"])
    for status in Status:
        assert f'"state": "{status}"' in text, status
    elsewhere = {"method-not-allowed"}  # no call has it: it is the answer to a call that does not exist
    for code in KINDS.keys() - elsewhere:
        assert f'"code": "{code}"' in text, code


def test_every_refusal_that_an_agent_can_meet_has_a_kind() -> None:
    """A refusal of the rules is either documented for the API or known to happen only in Slack."""
    assert {*Refusal} - ONLY_IN_SLACK <= KINDS.keys()
    assert not ONLY_IN_SLACK & KINDS.keys()


def test_the_page_for_developers_lists_every_code() -> None:
    """docs/api.md has a row for each code that can be answered, in the table's own words, and for no other."""
    told = ROW.findall((ROOT / "docs/api.md").read_text("utf-8"))
    assert told == [(code, str(kind.status), kind.title, kind.remedy) for code, kind in KINDS.items()]


def test_a_wrong_example_would_be_found() -> None:
    """The check has teeth: a proposal with a field too many or too few does not pass."""
    media = dict(media_types())["get /v1/proposals/{id} 200"]
    good = media["examples"]["pending"]["value"]
    lacking = {name: value for name, value in good.items() if name != "digest"}
    for wrong in ({**good, "extra": 1}, {**good, "created_at": "yesterday"}, {**good, "state": "maybe"}, lacking):
        with pytest.raises(jsonschema.ValidationError):
            validator(media["schema"]).validate(wrong)


async def test_the_document_is_served(web: httpx.AsyncClient) -> None:
    """/openapi.json is the document, for anybody."""
    answer = await web.get("/openapi.json")
    assert answer.json() == DOCUMENT
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("path", ["/docs", "/docs/problems"])
async def test_pages_stand_alone(web: httpx.AsyncClient, path: str) -> None:
    """The pages have no script and load nothing, and their policy would stop it if they tried."""
    answer = await web.get(path)
    policy = answer.headers["Content-Security-Policy"]
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert not re.search(r"<script|<link|<img|<iframe| src=| on\w+=|url\(|@import", answer.text)
    assert all(link.startswith("/") for link in re.findall(r'href="([^"]*)"', answer.text))


async def test_pages_tell_everything(web: httpx.AsyncClient) -> None:
    """/docs lists every call with its examples, and every problem's `type` leads to its explanation."""
    docs, problems = (await web.get("/docs")).text, (await web.get("/docs/problems")).text
    for call in [*agent_calls(), *operator_calls(), *auditor_calls(), *open_calls()]:
        assert f"{call.method.upper()} {call.path}" in docs
    for code in KINDS:
        assert f'id="{code}"' in problems
