"""Answers to questions, as a desk would take them that knows one question. It judges nothing else."""

from approval_rules.people import Agent
from approval_rules.text import AgentText
from handlers.desk import Refused, Seen
from handlers.http.examples import proposals


class FakeAnswers:
    """Knows the question `qst_1` of the proposal `prop_1`."""

    async def answer(self, agent: Agent, unverified_id: str, question: str, text: AgentText) -> Seen | Refused | None:
        """Take the answer of whoever it is."""
        if unverified_id != "prop_1":
            return None
        if question != "qst_1":
            return Refused("question-unknown", "the agent was not asked this")
        assert isinstance(text, AgentText)
        assert agent.name
        return proposals()["answered"]
