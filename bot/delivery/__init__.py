"""The way out: packets to Slack and callbacks to agents, from rows."""
