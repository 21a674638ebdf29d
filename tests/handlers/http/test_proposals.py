"""The life of a proposal over HTTP, as the contract says it."""

import json
from decimal import Decimal
from typing import Any

import httpx
import pytest

from approval_rules.canonical import digest_of
from approval_rules.text import unwrap_json, unwrap_object
from handlers.desk import Fault, Refused
from handlers.http.problem_codes import KINDS
from tests.handlers.http.conftest import BODY
from tests.handlers.http.fake_desk import NO_DIGEST, OTHER_KEY, FakeDesk


async def propose(api: httpx.AsyncClient, key: str = "k-1", **changes: Any) -> httpx.Response:  # noqa: ANN401 - any JSON
    """Send a proposal that is fine but for `changes`."""
    return await api.post("/v1/proposals", json={**BODY, **changes}, headers={"Idempotency-Key": key})


async def test_a_new_proposal_is_201_with_its_place(api: httpx.AsyncClient) -> None:
    """A proposal is answered with 201, its place, its digest, and times in UTC with six digits."""
    answer = await propose(api)
    proposal = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/v1/proposals/{proposal['id']}"
    assert "Idempotent-Replayed" not in answer.headers
    assert proposal["state"] == "pending"
    assert proposal["tier"] == "yellow"
    assert proposal["requirement"]["approvals"] == 2
    assert proposal["requirement"]["roles"] == ["support_manager"]
    assert proposal["digest"] == digest_of("payments.refund", {"order_id": "A-1", "amount_usd": 180})
    assert proposal["created_at"] == "2026-03-01T12:00:00.000005Z"
    assert proposal["agent"] == {"id": "agt_1", "name": "refund-bot"}
    assert proposal["votes"] == []


async def test_the_same_key_and_body_is_answered_again(api: httpx.AsyncClient, desk: FakeDesk) -> None:
    """Same key, same body: 200 and the stored answer, whatever the spacing, the order and the spelling of numbers."""
    first = await propose(api)
    again = '{"summary" : "Refund a broken machine.", "arguments":{"amount_usd":180.00,"order_id":"A-1"},\n'
    again += '"tool":"payments.refund"}'
    headers = {"Idempotency-Key": "k-1", "Content-Type": "application/json"}
    second = await api.post("/v1/proposals", content=again, headers=headers)
    assert second.status_code == 200
    assert second.headers["Idempotent-Replayed"] == "true"
    assert second.json() == first.json()
    assert len(desk.stored) == 1


async def test_the_same_key_with_another_body_is_refused(api: httpx.AsyncClient) -> None:
    """Same key, other body: 422 `idempotency-key-reused`."""
    await propose(api)
    other = await propose(api, summary="Something else.")
    assert other.status_code == 422
    assert other.json()["code"] == "idempotency-key-reused"


@pytest.mark.parametrize("keys", [[], [""]])
async def test_no_key_is_400(api: httpx.AsyncClient, desk: FakeDesk, keys: list[str]) -> None:
    """Without an Idempotency-Key nothing is stored; the attempt is recorded with its tool."""
    answer = await api.post("/v1/proposals", json=BODY, headers=[("Idempotency-Key", key) for key in keys])
    assert answer.status_code == 400
    assert answer.json()["code"] == "idempotency-key-missing"
    assert not desk.stored
    assert [(code, tool) for _, code, _, tool in desk.turned_away] == [("idempotency-key-missing", "payments.refund")]


@pytest.mark.parametrize("keys", [["a b"], ["\u00fc"], ["a" * 256], ["a", "a"], ["tab\tbed"]])
async def test_a_bad_key_is_400(api: httpx.AsyncClient, desk: FakeDesk, keys: list[str]) -> None:
    """A key is 1 to 255 visible ASCII characters, sent once."""
    headers = [("Idempotency-Key", key.encode()) for key in keys]
    answer = await api.post("/v1/proposals", json=BODY, headers=[(name.encode(), key) for name, key in headers])
    assert answer.status_code == 400
    assert answer.json()["code"] == "idempotency-key-invalid"
    assert not desk.stored


async def test_the_longest_key_is_fine(api: httpx.AsyncClient) -> None:
    """255 characters are not too many."""
    assert (await propose(api, "~" * 255)).status_code == 201


async def test_what_the_agent_wrote_reaches_the_desk_exactly(api: httpx.AsyncClient, desk: FakeDesk) -> None:
    """Arguments, context and run arrive with every digit; an optional null is the same as leaving it out."""
    content = json.dumps(
        {
            **BODY,
            "context": {"facts": {"tier": "pro"}, "history": [], "rollback": None},
            "run": {"id": "r", "model": None, "tool_calls": 3, "started_by": "U012AB3CD"},
            "callback_url": "https://hooks.example/x",
            "expires_in_s": 60,
            "claim_if_allowed": None,
            "dry_run": None,
        }
    ).replace("180", "180.10")
    headers = {"Idempotency-Key": "k", "Content-Type": "application/json; charset=utf-8"}
    assert (await api.post("/v1/proposals", content=content, headers=headers)).status_code == 201
    [draft] = desk.drafts
    [stored] = desk.stored.values()
    assert str(unwrap_object(draft.arguments)["amount_usd"]) == "180.10"
    assert unwrap_json(draft.context) == {"facts": {"tier": "pro"}, "history": []}
    assert unwrap_json(draft.run) == {"id": "r", "tool_calls": 3, "started_by": "U012AB3CD"}
    assert draft.callback_url == "https://hooks.example/x"
    assert stored.intake.started_by == "U012AB3CD"
    assert stored.intake.claim_if_allowed is False
    assert draft.expires_in is not None
    assert draft.expires_in.total_seconds() == 60


async def test_numbers_come_back_as_decimals(api: httpx.AsyncClient) -> None:
    """A number comes back with exactly its value, in the form that the digest was made of."""
    content = json.dumps(BODY).replace("180", '0.10, "rate": 1.10, "small": 1e-7, "whole": 50.00')
    headers = {"Idempotency-Key": "k", "Content-Type": "application/json"}
    answer = await api.post("/v1/proposals", content=content, headers=headers)
    assert '"amount_usd":0.1,"order_id":"A-1","rate":1.1,"small":1e-7,"whole":50}' in answer.text
    arguments = json.loads(answer.text, parse_float=Decimal)["arguments"]
    assert answer.json()["digest"] == digest_of("payments.refund", arguments)


async def test_claim_if_allowed_carries_the_grant(api: httpx.AsyncClient) -> None:
    """A green one that asks for it is claimed at once and its 201 carries the grant; a yellow one's does not."""
    green = (await propose(api, arguments={"amount_usd": 5}, claim_if_allowed=True)).json()
    yellow = (await propose(api, "k-2", claim_if_allowed=True)).json()
    assert green["grant"] == "a.b.c"
    assert green["execution"]["status"] == "claimed"
    assert green["requirement"] is None
    assert "grant" not in yellow


async def test_a_dry_run_stores_nothing(api: httpx.AsyncClient, desk: FakeDesk) -> None:
    """`dry_run` answers like evaluate, needs no key, and leaves no trace, not even of a mistake."""
    answer = await api.post("/v1/proposals", json={**BODY, "dry_run": True})
    wrong = await api.post("/v1/proposals", json={**BODY, "dry_run": True, "tool": 5})
    evaluated = await api.post("/v1/evaluate", json=BODY)
    assert (answer.status_code, wrong.status_code, evaluated.status_code) == (200, 422, 200)
    assert answer.json() == evaluated.json()
    assert answer.json()["dry_run"] is True
    assert answer.json()["would_be"] == "pending"
    assert not desk.stored
    assert not desk.turned_away


@pytest.mark.parametrize("code", sorted(KINDS))
async def test_every_refusal_has_its_status(api: httpx.AsyncClient, desk: FakeDesk, code: str) -> None:
    """What the desk refuses is answered with the status of its code, its faults, and when to come back."""
    fault = Fault("/arguments/amount_usd", "must be at most 500")
    desk.refusals["submit"] = desk.refusals["evaluate"] = Refused(code, "No.", [fault], retry_after=9)
    for answer in (await propose(api), await api.post("/v1/evaluate", json=BODY)):
        problem = answer.json()
        assert answer.status_code == KINDS[code].status == problem["status"]
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.headers["Retry-After"] == "9"
        assert problem["code"] == code
        assert problem["detail"] == "No."
        assert problem["errors"] == [{"pointer": "/arguments/amount_usd", "detail": "must be at most 500"}]
        assert problem["type"] == f"/docs/problems#{code}"


@pytest.mark.parametrize(
    ("code", "after"), [("directory-unavailable", "2"), ("too-many-requests", "2"), ("paused", None)]
)
async def test_come_back_later(api: httpx.AsyncClient, desk: FakeDesk, code: str, after: str | None) -> None:
    """429 and 503 always say when to come back."""
    desk.refusals["submit"] = Refused(code, "No.")
    assert (await propose(api)).headers.get("Retry-After") == after


async def test_a_refusal_without_a_kind_is_a_bug(api: httpx.AsyncClient, desk: FakeDesk) -> None:
    """A code that the contract does not know is never passed on: it is a 500, and never a yes."""
    desk.refusals["submit"] = Refused("brand-new", "No.")
    answer = await propose(api)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal-error")


async def test_another_agents_proposal_does_not_exist(api: httpx.AsyncClient) -> None:
    """Reading, cancelling, claiming and reporting another agent's proposal is 404, in the words of an unknown one."""
    place = (await propose(api)).headers["Location"]
    api.headers["Authorization"] = f"Bearer {OTHER_KEY}"
    for at in (place, "/v1/proposals/prop_none", "/v1/proposals/%00", "/v1/proposals/" + "a" * 101):
        answers = [
            await api.get(at),
            await api.post(f"{at}/cancel"),
            await api.post(f"{at}/claim", json={"digest": NO_DIGEST}),
            await api.post(f"{at}/outcome", json={"status": "failed"}),
        ]
        for answer in answers:
            assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
            assert answer.json()["detail"] == "There is nothing here that this key may see."


async def test_claim_once(api: httpx.AsyncClient) -> None:
    """A claim is answered with the grant once; the same Idempotency-Key again gives the same grant."""
    proposal = (await propose(api, arguments={"amount_usd": 5})).json()
    at, body = f"/v1/proposals/{proposal['id']}/claim", {"digest": proposal["digest"]}
    wrong = await api.post(at, json={"digest": NO_DIGEST})
    first = await api.post(at, json=body, headers={"Idempotency-Key": "c-1"})
    same = await api.post(at, json=body, headers={"Idempotency-Key": "c-1"})
    other = await api.post(at, json=body)
    assert (wrong.status_code, wrong.json()["code"]) == (409, "digest-mismatch")
    assert first.status_code == same.status_code == 200
    assert (
        first.json()
        == same.json()
        == {
            "grant": "a.b.c",
            "claimed_at": "2026-03-01T12:00:00.000005Z",
            "expires_at": "2026-03-01T12:10:00.000005Z",
        }
    )
    assert (other.status_code, other.json()["code"]) == (409, "already-claimed")


async def test_a_bad_claim_key_claims_nothing(api: httpx.AsyncClient, desk: FakeDesk) -> None:
    """A malformed Idempotency-Key on a claim is 400, and the permission is not spent."""
    proposal = (await propose(api, arguments={"amount_usd": 5})).json()
    at = f"/v1/proposals/{proposal['id']}/claim"
    answer = await api.post(at, json={"digest": proposal["digest"]}, headers={"Idempotency-Key": "a b"})
    assert answer.status_code == 400
    assert desk.stored[proposal["id"]].grant is None


async def test_outcome(api: httpx.AsyncClient, desk: FakeDesk) -> None:
    """An outcome is recorded with what the agent said, exactly; without a claim it is 409."""
    proposal = (await propose(api, arguments={"amount_usd": 5})).json()
    at = f"/v1/proposals/{proposal['id']}"
    early = await api.post(f"{at}/outcome", json={"status": "failed"})
    assert (early.status_code, early.json()["code"]) == (409, "not-claimed")
    await api.post(f"{at}/claim", json={"digest": proposal["digest"]})
    said = '{"status":"succeeded","detail":"re_1","post_conditions":{"visible":true},"cost_usd":0.10}'
    answer = await api.post(f"{at}/outcome", content=said, headers={"Content-Type": "application/json"})
    assert answer.status_code == 200
    assert answer.json()["execution"]["status"] == "succeeded"
    assert '"report":{"cost_usd":0.1,"detail":"re_1","post_conditions":{"visible":true}}' in answer.text
    execution = desk.stored[proposal["id"]].proposal.execution
    assert execution is not None
    assert execution.report is not None
    assert unwrap_object(execution.report)["cost_usd"] == Decimal("0.10")


async def test_cancel(api: httpx.AsyncClient) -> None:
    """A pending proposal can be taken back once; the call takes no body."""
    at = (await propose(api)).headers["Location"] + "/cancel"
    wrong = await api.post(at, json={"reason": "x"})
    done = await api.post(at, json={})
    again = await api.post(at)
    assert (wrong.status_code, wrong.json()["code"]) == (422, "invalid-body")
    assert (done.status_code, done.json()["state"]) == (200, "cancelled")
    assert (again.status_code, again.json()["code"]) == (409, "not-pending")


async def test_wait(api: httpx.AsyncClient, desk: FakeDesk) -> None:
    """`wait` is passed on in seconds; anything but 0 to 60 is 422 and names the parameter."""
    at = (await propose(api)).headers["Location"]
    for text in ("0", "60"):
        assert (await api.get(f"{at}?wait={text}")).status_code == 200
    assert [wait.total_seconds() for wait in desk.waits] == [0, 60]
    for text in ("61", "-1", "1.5", "", "abc", "\u0665", "9" * 5000, "1&wait=1"):
        answer = await api.get(f"{at}?wait={text}")
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid-query")
        assert answer.json()["errors"][0]["pointer"] == "?wait"
    assert len(desk.waits) == 2


async def test_list(api: httpx.AsyncClient) -> None:
    """An agent lists its own proposals, oldest first, by page and by state."""
    for i in range(3):
        await propose(api, f"k-{i}", arguments={"amount_usd": 5 + 100 * i})
    first = (await api.get("/v1/proposals?limit=2")).json()
    rest = (await api.get(f"/v1/proposals?limit=2&after={first['data'][-1]['id']}")).json()
    approved = (await api.get("/v1/proposals?state=approved")).json()
    assert [len(first["data"]), first["has_more"], len(rest["data"]), rest["has_more"]] == [2, True, 1, False]
    assert [row["state"] for row in approved["data"]] == ["approved"]
    api.headers["Authorization"] = f"Bearer {OTHER_KEY}"
    assert (await api.get("/v1/proposals")).json() == {"data": [], "has_more": False}


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=0", "?limit"),
        ("limit=201", "?limit"),
        ("limit=x", "?limit"),
        ("state=maybe", "?state"),
        ("after=%00", "?after"),
        ("page=2", "?page"),
        ("limit=1&limit=2", "?limit"),
    ],
)
async def test_a_bad_list_query_is_422(api: httpx.AsyncClient, query: str, pointer: str) -> None:
    """A parameter that is unknown, doubled or out of bounds is named."""
    answer = await api.get(f"/v1/proposals?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-query")
    assert answer.json()["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/proposals"),
        ("POST", "/v1/evaluate"),
        ("POST", "/v1/proposals/x/claim"),
        ("POST", "/v1/proposals/x/outcome"),
        ("POST", "/v1/proposals/x/cancel"),
        ("GET", "/v1/proposals/x"),
        ("GET", "/v1/agent"),
    ],
)
async def test_unknown_parameters_are_refused(api: httpx.AsyncClient, desk: FakeDesk, method: str, path: str) -> None:
    """No call swallows a parameter that it does not know."""
    answer = await api.request(method, f"{path}?force=1")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-query")
    assert not desk.stored
