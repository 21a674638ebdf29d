"""The demo: the real server, a local Slack and a scripted agent in one process, on loopback, in a temporary folder."""

from bot.demo.start import run

__all__ = ["run"]
