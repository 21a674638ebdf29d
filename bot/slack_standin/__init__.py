"""A local Slack, as strict as the real one: for the demo page and for the tests.

`server.SlackStandin` is the one way in. This package must never reach beyond loopback, and imports nothing of ours.
"""
