"""Small checkers from which the Block Kit rules are put together; they judge shape and size only and change nothing."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from bot.slack_standin.refusal import Json


@dataclass(frozen=True, slots=True)
class Finding:
    """One violated constraint, in the words of Slack's blocks.validate."""

    pointer: str
    message: str
    kind: str
    expected: object
    got: object

    def as_json(self) -> Json:
        """Return the finding as an entry of `errors`."""
        constraint = {"type": self.kind, "expected": self.expected, "got": self.got}
        return {
            "pointer": self.pointer,
            "code": "failed_constraint",
            "message": self.message,
            "constraint": constraint,
        }

    def as_line(self) -> str:
        """Return the finding as an entry of `response_metadata.messages`."""
        return f"[ERROR] {self.message} [json-pointer:{self.pointer}]"


Check = Callable[[object, str], Iterator[Finding]]
Rule = Callable[[Json, str], Iterator[Finding]]


def wrong_type(pointer: str, expected: str, value: object) -> Finding:
    """Return the finding for a value of another JSON type."""
    return Finding(pointer, f"must be {expected}", "type", expected, type(value).__name__)


def size(pointer: str, noun: str, length: int, low: int, high: int) -> Iterator[Finding]:
    """Find a length outside its bounds."""
    if length < low:
        yield Finding(pointer, f"must be more than {low - 1} {noun}", f"min_{noun}", low, length)
    if length > high:
        yield Finding(pointer, f"must be less than {high + 1} {noun}", f"max_{noun}", high, length)


def string(low: int, high: int) -> Check:
    """Expect text of so many characters, counted as code points."""

    def check(value: object, pointer: str) -> Iterator[Finding]:
        if isinstance(value, str):
            yield from size(pointer, "characters", len(value), low, high)
        else:
            yield wrong_type(pointer, "string", value)

    return check


def boolean(value: object, pointer: str) -> Iterator[Finding]:
    """Expect true or false."""
    if not isinstance(value, bool):
        yield wrong_type(pointer, "boolean", value)


def integer(low: int, high: int) -> Check:
    """Expect a whole number within bounds."""

    def check(value: object, pointer: str) -> Iterator[Finding]:
        if isinstance(value, bool) or not isinstance(value, int):
            yield wrong_type(pointer, "integer", value)
        elif not low <= value <= high:
            yield Finding(pointer, f"must be from {low} to {high}", "range", [low, high], value)

    return check


def choice(*allowed: str) -> Check:
    """Expect one of a few words."""

    def check(value: object, pointer: str) -> Iterator[Finding]:
        if value not in allowed:
            yield Finding(pointer, f"must be one of {', '.join(allowed)}", "enum", list(allowed), value)

    return check


def array(item: Check, low: int, high: int) -> Check:
    """Expect a list of so many items, each of one shape."""

    def check(value: object, pointer: str) -> Iterator[Finding]:
        if not isinstance(value, list):
            yield wrong_type(pointer, "array", value)
            return
        yield from size(pointer, "items", len(value), low, high)
        for index, entry in enumerate(value[:high]):
            yield from item(entry, f"{pointer}/{index}")

    return check


def record(
    required: Mapping[str, Check], optional: Mapping[str, Check] | None = None, rules: Iterable[Rule] = ()
) -> Check:
    """Expect an object with these fields and no other; `rules` look at the whole once its fields are sound."""
    known = {**required, **(optional or {})}
    fixed_rules = tuple(rules)

    def check(value: object, pointer: str) -> Iterator[Finding]:
        if not isinstance(value, dict):
            yield wrong_type(pointer, "object", value)
            return
        found = list(_fields(value, pointer, known, required))
        yield from found
        if not found:
            for rule in fixed_rules:
                yield from rule(value, pointer)

    return check


def _fields(value: Json, pointer: str, known: Mapping[str, Check], required: Iterable[str]) -> Iterator[Finding]:
    for name in required:
        if name not in value:
            yield Finding(pointer, f"missing required field: {name}", "required", name, None)
    for name, entry in value.items():
        if name in known:
            yield from known[name](entry, f"{pointer}/{name}")
        elif name != "type":
            yield Finding(f"{pointer}/{name}", f"no such field: {name}", "additional_property", None, name)


def tagged(shapes: Mapping[str, Check]) -> Check:
    """Expect an object whose `type` names its shape."""

    def check(value: object, pointer: str) -> Iterator[Finding]:
        if not isinstance(value, dict):
            yield wrong_type(pointer, "object", value)
            return
        kind = value.get("type")
        shape = shapes.get(kind) if isinstance(kind, str) else None
        if shape is None:
            yield Finding(f"{pointer}/type", f"unsupported type: {kind}", "enum", sorted(shapes), kind)
        else:
            yield from shape(value, pointer)

    return check


def any_of_fields(*names: str) -> Rule:
    """Expect at least one of several optional fields."""

    def rule(value: Json, pointer: str) -> Iterator[Finding]:
        if not any(name in value for name in names):
            yield Finding(pointer, f"one of {', '.join(names)} is required", "required", list(names), None)

    return rule


def one_of_fields(*names: str) -> Rule:
    """Expect exactly one of several optional fields."""

    def rule(value: Json, pointer: str) -> Iterator[Finding]:
        present = [name for name in names if name in value]
        if len(present) != 1:
            yield Finding(pointer, f"exactly one of {', '.join(names)} is required", "one_of", list(names), present)

    return rule
