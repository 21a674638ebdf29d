"""The Slack edge for people."""
