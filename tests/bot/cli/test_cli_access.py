"""`access`: a report from the policy in force, Slack and the records; signed, listed, and shown as it was signed."""

import csv
import io
from pathlib import Path

from bot.slack_standin.faults import Refuse
from bot.slack_standin.workspace import JONAS, MAYA, PRIYA, SUPPORT_MANAGERS
from tests.bot.cli.living import Living


async def test_a_report_says_who_can_approve_what(living: Living) -> None:
    """Each person has the role, the rule, the amounts, how many others are needed, and since when."""
    proposal = await living.world.propose(180)
    await living.world.click(MAYA, await living.world.packet_of(proposal))
    ended = await living("access", "report", "--csv")
    assert (ended.code, ended.err) == (0, "")
    lines = list(csv.DictReader(io.StringIO(ended.out)))
    mine = [line for line in lines if line["account"] == MAYA and line["rule"] == "rule 2"]
    print(ended.out)
    assert mine
