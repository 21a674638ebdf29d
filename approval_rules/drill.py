"""The drill of the kill switch: a tool of the server's own, that no agent can have, and the pause of only this tool."""

from datetime import timedelta

from approval_rules.people import ToolName, system
from approval_rules.switch import Scope, ScopeKind

DRILL_TOOL = ToolName("foureyes.drill")
DRILL_SCOPE = Scope(ScopeKind.TOOL, DRILL_TOOL)
DRILL = system("drill")
HELD_EVERY = timedelta(days=7)
STALE_AFTER = timedelta(days=8)
AGAIN_AFTER = timedelta(minutes=10)
