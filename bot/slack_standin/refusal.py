"""The one exception of the Web API: a call that Slack answers with `ok: false`; it never carries a stack trace out."""

from typing import Any

Json = dict[str, Any]


class SlackRefusal(Exception):  # noqa: N818 - a refusal is an answer, not an error of the stand-in
    """An `ok: false` answer: Slack's error name, and whatever fields come with it."""

    def __init__(self, error: str, **fields: object) -> None:
        super().__init__(error)
        self.error = error
        self.fields = fields

    def as_json(self) -> Json:
        """Return the answer's body."""
        return {"ok": False, "error": self.error, **self.fields}


class NotPossibleError(Exception):
    """A driver asked for what nobody could do in Slack: there is no such live button, modal, command or person."""
