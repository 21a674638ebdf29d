"""The message about an agent that was stopped: true, whole in its facts, and harmless whatever the agent wrote."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from approval_rules.events import BudgetExceeded
from approval_rules.people import Agent, AgentId, PersonId, ToolName, system
from approval_rules.text import AgentJson, AgentText
from handlers.slack.blocks import MAX_HEADER, MAX_SECTION, length_of
from handlers.slack.escalation import escalation

EVENT = BudgetExceeded(
    at=datetime(2026, 11, 22, 12, tzinfo=UTC),
    by=system("budgets"),
    agent=Agent(AgentId("agt_1"), "refund bot", PersonId("p"), ()),
    tool=ToolName("payments.refund"),
    budget="per_run.elapsed",
    limit_of=None,
    used="61.5",
    limit="60",
    summary=AgentText("Give it back."),
    run=AgentJson({"id": "run-7", "tokens": 12}),
)
HOSTILE = "<!channel> *b* `c` https://evil.example \u202e\u0000" + "\u200b" * 3000


@pytest.mark.parametrize(
    ("budget", "limit_of", "told"),
    [
        ("per_run.elapsed", None, "A run of it has used up its budget per_run.elapsed (budgets.yml): 61.5 of 60 s."),
        ("per_run.tokens", "pay", "per_run.tokens (pay.yml): 61.5 of 60. Nothing more of this run is taken."),
        (
            "per_agent_and_day.cost_usd",
            None,
            "its budget of 24 hours, per_agent_and_day.cost_usd (budgets.yml): 61.5 of",
        ),
        (
            "repeated_action",
            None,
            "goes in circles: it proposed the same action 61.5 times, and it never came to a yes",
        ),
        ("repeated_contract_error", None, "goes in circles: it made the same contract error 61.5 times"),
    ],
)
def test_what_happened_and_what_to_do(budget: str, limit_of: str | None, told: str) -> None:
    """Which budget of which file, used of limit, the last tool, the run, the agent's words, and the way to stop it."""
    tool = None if limit_of is None else ToolName(limit_of)
    message = escalation(replace(EVENT, budget=budget, limit_of=tool))
    shown = json.dumps(message.blocks, ensure_ascii=False)
    for words in (
        told,
        "refund bot was stopped",
        "payments.refund",
        "run-7",
        "Give it back.",
        "its own words, unchecked",
    ):
        assert words in shown
    assert '/agent pause agent \\"refund bot\\"' in shown
    assert told in message.text


def test_what_the_agent_wrote_is_harmless() -> None:
    """No ping, no markup, no link, nothing unseen, and never too long for Slack, however hostile every field is."""
    run = AgentJson(dict.fromkeys(("id", "model", "prompt_version", "workflow_version"), HOSTILE[:200]))
    agent = replace(EVENT.agent, name=HOSTILE[:300])
    message = escalation(replace(EVENT, summary=AgentText(HOSTILE), run=run, agent=agent))
    kinds = [block["type"] for block in message.blocks]
    assert set(kinds) == {"header", "section", "rich_text"}
    shown = json.dumps(message.blocks, ensure_ascii=False)
    assert "mrkdwn" not in shown
    assert not {"\u202e", "\u200b", "https://"} & {shown[at : at + size] for size in (1, 8) for at in range(len(shown))}
    assert "<!channel>" not in message.text
    assert length_of(message.blocks) < 12_000
    assert len(message.blocks[0]["text"]["text"]) <= MAX_HEADER
    assert all(len(block["text"]["text"]) <= MAX_SECTION for block in message.blocks if block["type"] == "section")


def test_a_run_that_says_nothing() -> None:
    """Nothing is made up where the agent said nothing about its run."""
    assert "run, " not in json.dumps(escalation(replace(EVENT, run=AgentJson({}))).blocks)
