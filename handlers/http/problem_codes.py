"""Every problem that the API can answer with: a closed table of stable codes. Holds no logic."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem: HTTP status, title, and what the developer of an agent should do about it."""

    status: int
    title: str
    remedy: str


_STARTED_BY = "Set `run.started_by` to the Slack user id of the person who started the run, or leave it out."

KINDS: Mapping[str, Kind] = {
    "malformed-body": Kind(400, "The body is not JSON", "Send one JSON object, encoded as UTF-8."),
    "idempotency-key-missing": Kind(
        400,
        "The Idempotency-Key header is missing",
        "Send a key that is unique for this action, and the same key when you retry it.",
    ),
    "idempotency-key-invalid": Kind(
        400,
        "The Idempotency-Key header is not valid",
        "Send it once, as 1 to 255 visible ASCII characters without spaces; a UUID does well.",
    ),
    "unauthorized": Kind(
        401, "The key is missing or not valid", "Send `Authorization: Bearer KEY` with the key that `agent add` showed."
    ),
    "tool-not-allowed": Kind(
        403, "This agent may not use this tool", "Ask the agent's owner to add the tool to the agent, or fall back."
    ),
    "agent-revoked": Kind(403, "This agent is revoked", "Stop. Its owner has to register a new agent."),
    "budget-exceeded": Kind(403, "The budget is used up", "Stop the run and hand over to a person."),
    "values-not-shown": Kind(
        403, "This key shows no values", "Search by other things, or ask for a key made by `auditor add --values`."
    ),
    "not-found": Kind(404, "Not found", "Check the path and the id; another agent's proposals are never shown."),
    "unknown-scope": Kind(
        404, "There is no such agent or tool", "Check the name, or leave it out to stop everything now."
    ),
    "method-not-allowed": Kind(405, "Method not allowed", "Use one of the methods in the `Allow` header."),
    "not-pending": Kind(409, "The proposal is no longer pending", "Read the proposal: it has been decided."),
    "not-approved": Kind(409, "The proposal is not approved", "Do not execute. Read the proposal and wait for a yes."),
    "already-claimed": Kind(
        409, "The one permission was given out", "Do not execute again. Report the outcome of the first execution."
    ),
    "shadow": Kind(
        409, "The tool is in shadow", "Do not execute. This is a trial run: nothing of it is ever permitted."
    ),
    "digest-mismatch": Kind(
        409, "This is not what was approved", "Do not execute. Claim with the digest of exactly what you will do."
    ),
    "revoked": Kind(409, "The approval was taken back", "Do not execute. Propose again if it is still needed."),
    "outcome-conflict": Kind(
        409, "Another outcome was reported before", "The first report stands. Tell a person if it was wrong."
    ),
    "approvers-changed": Kind(
        409, "An approver may not approve any more", "Do not execute. The approval no longer counts; propose again."
    ),
    "policy-changed": Kind(
        409,
        "The policy asks for more now",
        "Do not execute. What was approved does not meet the policy as it is now; propose again.",
    ),
    "not-claimed": Kind(409, "Nothing was claimed", "Claim before you execute, and report after it."),
    "already-answered": Kind(409, "The question was answered before", "The first answer stands."),
    "question-unknown": Kind(
        404,
        "The agent was not asked this",
        "Use the `id` of one of the proposal's `questions` to `agent`.",
    ),
    "nothing-paused": Kind(409, "This is not paused", "Nothing was changed. Look at `GET /v1/operator/status`."),
    "in-progress": Kind(
        409, "The same request is still under way", "Retry in a moment with the same key and the same body."
    ),
    "expired": Kind(410, "The time is over", "Do not execute. Nobody said no: propose again if it is still needed."),
    "body-too-large": Kind(413, "The body is over 256 KiB", "Send a reference to the data instead of the data."),
    "unsupported-media-type": Kind(
        415, "Only plain JSON is read", "Send `Content-Type: application/json` and no `Content-Encoding`."
    ),
    "idempotency-key-reused": Kind(
        422, "This key was used with another body", "Use a new key for a new action; retry only with the same body."
    ),
    "contract-violation": Kind(
        422, "The arguments break the tool's contract", "Correct what `errors` names, or fall back."
    ),
    "evidence-too-large": Kind(
        422, "The evidence is too large for one answer", "Have `foureyes audit prove ID` run on the server."
    ),
    "invalid-body": Kind(422, "The body is not valid", "Correct what `errors` names."),
    "invalid-query": Kind(422, "The query is not valid", "Correct the parameter that `errors` names."),
    "contradictory-fact": Kind(
        422, "One name has two values", "Give a fact the same value as the argument of that name, or leave it out."
    ),
    "callback-host-not-allowed": Kind(
        422, "The callback host is not registered", "Use a host that is registered for this agent."
    ),
    "unknown-user": Kind(422, "Slack does not know this user", _STARTED_BY),
    "other-workspace": Kind(422, "This user belongs to another workspace", _STARTED_BY),
    "bot": Kind(422, "This user is a bot", _STARTED_BY),
    "deactivated": Kind(422, "This user is deactivated", _STARTED_BY),
    "guest": Kind(422, "This user is a guest", _STARTED_BY),
    "stranger": Kind(422, "This user is a stranger", _STARTED_BY),
    "paused": Kind(423, "Stopped by a pause", "Do not execute. Wait until a person resumes; do not work around it."),
    "too-many-requests": Kind(429, "Too many requests", "Wait as long as `Retry-After` says."),
    "log-broken": Kind(
        500, "The log is broken", "Tell whoever runs this server: `foureyes audit verify` says what is wrong."
    ),
    "internal-error": Kind(
        500, "Something broke here", "Retry with the same key. If it stays, report the answer's Request-Id."
    ),
    "unavailable": Kind(503, "Not available now", "This is no yes. Retry with the same key after `Retry-After`."),
    "directory-unavailable": Kind(503, "Slack's directory does not answer", "This is no yes. Retry later."),
}
