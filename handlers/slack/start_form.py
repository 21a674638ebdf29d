"""The form in which a person fills in what he starts himself: made of the tool's contract, and read back strictly.

It decides nothing. What it prefills are the agent's words, and only where they are read as they are.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, Literal, TypeAlias

from approval_rules.initiation import is_amount, withheld
from approval_rules.text import AgentJson, AgentText, Json
from handlers.initiation_desk import StartForm
from handlers.slack.blocks import Block, context, plain, section
from handlers.slack.escape import Safe, clipped, visible
from handlers.slack.ids import START_VIEW, form_of
from handlers.slack.sentence import sentence_of
from handlers.slack.text import given_of, kinds_of, says_nothing

VALUE: Final = "value"
TYPED: Final = "typed"
REASON: Final = "reason"
AGENT: Final = "agent"
ALL: Final = "arguments"
MOST_FIELDS: Final = 40
MAX_REASON: Final = 1000
_MOST_TEXT: Final = 3000
_MOST_OPTIONS: Final = 100
_MOST_LABEL: Final = 75
_HINT: Final = 400
_SENTENCE: Final = 2000
_NUMBER: Final = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?", re.ASCII)
_WHOLE: Final = re.compile(r"-?[0-9]{1,40}", re.ASCII)
_DEFINED: Final = "#/$defs/"
_BOUNDS: Final = (
    ("minimum", "at least {}"),
    ("exclusiveMinimum", "more than {}"),
    ("maximum", "at most {}"),
    ("exclusiveMaximum", "less than {}"),
)

Kind: TypeAlias = Literal["text", "number", "integer", "boolean", "choice", "json"]
Values: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FormField:
    """One argument in the form; `initial` is what the agent proposed, None where nothing is prefilled."""

    name: str
    kind: Kind
    required: bool
    hint: Safe
    options: tuple[str, ...] = ()
    initial: Safe | None = None


@dataclass(frozen=True, slots=True)
class Filled:
    """A form as it was read: where there are `errors`, by block, nothing else counts."""

    agent: str
    typed: AgentText
    reason: AgentText
    arguments: AgentJson = field(default_factory=lambda: AgentJson({}))
    errors: Mapping[str, Safe] = field(default_factory=dict)


def fields_of(form: StartForm) -> Sequence[FormField]:
    """List what a person fills in, in the contract's order; one field for all where nothing is known of them."""
    seen = form.taken_up
    given = {} if seen is None else given_of(seen.proposal.arguments)
    hidden = _withheld(form)
    if form.schema is not None:
        return [_from_schema(form.schema, name, given.get(name)) for name in _named(form.schema) if name not in hidden]
    if seen is None:
        hint = Safe('This tool has no contract. Write all of its arguments as JSON: {"order_id": "A-1"}')
        return [FormField(ALL, "json", required=True, hint=hint)]
    kinds = kinds_of(seen.proposal.arguments)
    return [_from_kind(name, kinds[name], given[name]) for name in kinds if name not in hidden]


def form_view(form: StartForm) -> Block | Safe:
    """Make the modal; or say why this cannot be filled in here."""
    fields = fields_of(form)
    if len(fields) > MOST_FIELDS:
        return Safe(
            f"This tool has {len(fields)} arguments, and a form in Slack takes {MOST_FIELDS}: nothing was started."
        )
    if not form.agents:
        return Safe("No agent has this tool on its list, so nobody could run it. Ask whoever runs Foureyes to add it.")
    blocks = [
        *_head(form),
        *_agents(form),
        *(_input(place, each) for place, each in enumerate(fields)),
        *_foot(form),
    ]
    return {
        "type": "modal",
        "callback_id": START_VIEW,
        "title": plain(Safe("Start it yourself")),
        "submit": plain(Safe("Continue")),
        "close": plain(Safe("Go back")),
        "private_metadata": form_of(form.taken_up.proposal if form.taken_up else None, form.tool, form.policy),
        "blocks": blocks,
    }


def typed_again(form: StartForm) -> str | None:
    """Name the argument whose value is typed again; None for the tool's name."""
    names = [each.name for each in fields_of(form)]
    if form.field is not None:
        return form.field if form.field in names else None
    return next((name for name in names if is_amount(name)), None)


def block_of(form: StartForm, pointer: str) -> str:
    """Name the input that a fault in the arguments belongs to; the last one where it belongs to none."""
    name = pointer.removeprefix("/arguments/").partition("/")[0].replace("~1", "/").replace("~0", "~")
    names = [each.name for each in fields_of(form)]
    return _block(names.index(name)) if name in names else REASON


def read_form(form: StartForm, values: Values) -> Filled:
    """Read what was typed; `values` is `view.state.values` as Slack sent it."""
    arguments: dict[str, Json] = {}
    errors: dict[str, Safe] = {}
    for place, each in enumerate(fields_of(form)):
        raw = typed_in(values, _block(place))
        if raw:
            try:
                arguments[each.name] = _read(each, raw)
            except (ValueError, LookupError, RecursionError):
                errors[_block(place)] = _wrong(each)
        elif each.required:
            errors[_block(place)] = Safe("This is needed.")
    whole = arguments.get(ALL) if form.schema is None and form.taken_up is None else arguments
    if not isinstance(whole, Mapping):
        errors.setdefault(_block(0), Safe('Write an object: {"name": "value"}'))
        whole = {}
    reason = AgentText(typed_in(values, REASON))
    if says_nothing(reason):
        errors[REASON] = Safe("Please say why, in a few words.")
    agent = typed_in(values, AGENT) if len(form.agents) > 1 else next(iter(form.agents), "")
    return Filled(agent, AgentText(typed_in(values, TYPED)), reason, AgentJson(whole), errors)


# --- from a contract to fields


def _named(schema: Mapping[str, Json]) -> Sequence[str]:
    properties = schema.get("properties")
    return list(properties) if isinstance(properties, Mapping) else []


def _withheld(form: StartForm) -> frozenset[str]:
    if form.taken_up is None:
        return frozenset()
    proposal = form.taken_up.proposal
    return withheld(proposal.arguments, proposal.requirement.hidden)


def _from_schema(schema: Mapping[str, Json], name: str, initial: Safe | None) -> FormField:
    properties, required = schema.get("properties"), schema.get("required")
    part = _resolved(schema, properties[name] if isinstance(properties, Mapping) else None)
    kind, options = _kind_of(part)
    needed = isinstance(required, Sequence) and name in required
    return FormField(name, kind, required=needed, hint=_hint(part, kind), options=options, initial=initial)


def _resolved(schema: Mapping[str, Json], part: Json) -> Mapping[str, Json]:
    """Follow one reference into the contract's own definitions."""
    part = part if isinstance(part, Mapping) else {}
    ref, definitions = part.get("$ref"), schema.get("$defs")
    if isinstance(ref, str) and isinstance(definitions, Mapping):
        defined = definitions.get(ref.removeprefix(_DEFINED))
        return {**(defined if isinstance(defined, Mapping) else {}), **part}
    return part


def _kind_of(part: Mapping[str, Json]) -> tuple[Kind, tuple[str, ...]]:
    values = part.get("enum")
    if isinstance(values, Sequence) and not isinstance(values, str):
        texts = [value for value in values if isinstance(value, str) and 0 < len(visible(value)) <= _MOST_LABEL]
        if len(texts) == len(values) <= _MOST_OPTIONS and len(set(texts)) == len(texts):
            return "choice", tuple(texts)
        return "json", ()
    match part.get("type"):
        case "string":
            return "text", ()
        case "number":
            return "number", ()
        case "integer":
            return "integer", ()
        case "boolean":
            return "boolean", ()
        case _:
            return "json", ()


def _from_kind(name: str, kind: str, initial: Safe | None) -> FormField:
    kinds: Mapping[str, Kind] = {"string": "text", "number": "number", "boolean": "boolean"}
    found = kinds.get(kind, "json")
    return FormField(name, found, required=False, hint=_hint({}, found), initial=initial)


def _hint(part: Mapping[str, Json], kind: Kind) -> Safe:
    said = [visible(text) for text in (part.get("title"), part.get("description")) if isinstance(text, str) and text]
    said += [Safe(words.format(visible(str(part[bound])))) for bound, words in _BOUNDS if bound in part]
    formats = {"email": "an e-mail address", "date": "a date such as 2026-12-25", "date-time": "a moment with its zone"}
    form = part.get("format")
    if isinstance(form, str):
        said.append(Safe(formats.get(form, visible(form))))
    kinds: Mapping[Kind, str] = {
        "number": "a plain number, such as 1250.50",
        "integer": "a whole number",
        "json": "JSON: a text in quotes, a list in [ ], an object in { }",
    }
    return clipped(Safe(" · ".join([*said, *([kinds[kind]] if kind in kinds else [])])), _HINT)


# --- from fields to blocks


def _head(form: StartForm) -> list[Block]:
    seen = form.taken_up
    if seen is None:
        return [
            section(Safe("You ask for this yourself. The policy blocks it for agents; two others must approve it."))
        ]
    sentence = sentence_of(seen.proposal)
    said = sentence.text if len(sentence.text) <= _SENTENCE else sentence.headline
    hidden = sorted(_withheld(form))
    kept = [Safe(f"Kept as the agent sent it, for the policy hides it: {visible(name)}.") for name in hidden]
    return [
        section(Safe(f"The agent wanted this, and the policy blocked it: {said}")),
        context(Safe("What stands below are the agent's words. Change what is wrong; you answer for what you send.")),
        *([context(*kept[:10])] if kept else []),
    ]


def _agents(form: StartForm) -> list[Block]:
    if len(form.agents) == 1:
        return [context(Safe(f"The agent {visible(form.agents[0])} runs it, once, after others have approved it."))]
    options = [_option(name) for name in form.agents]
    element: Block = {"type": "static_select", "action_id": VALUE, "options": options}
    return [_labelled(AGENT, Safe("Which agent shall run it?"), element)]


def _foot(form: StartForm) -> list[Block]:
    field = typed_again(form)
    what = Safe(f"Type the value of {visible(field)} again" if field else f"Type the tool's name: {visible(form.tool)}")
    typed: Block = {"type": "plain_text_input", "action_id": VALUE, "max_length": _MOST_TEXT}
    reason: Block = {"type": "plain_text_input", "action_id": VALUE, "multiline": True, "max_length": MAX_REASON}
    whose = Safe("The two others read this, and it is kept with the decision.")
    return [
        _labelled(
            TYPED, clipped(what, _HINT), typed, Safe("Letter by letter, so that nobody starts what he did not read.")
        ),
        _labelled(REASON, Safe("Why do you start this yourself?"), reason, whose),
    ]


def _input(place: int, each: FormField) -> Block:
    element: Block
    initial = each.initial
    if each.kind in ("choice", "boolean"):
        names = each.options if each.kind == "choice" else ("true", "false")
        options = [_option(name) for name in names]
        chosen = [option for name, option in zip(names, options, strict=True) if name == initial]
        element = {"type": "static_select", "action_id": VALUE, "options": options}
        element |= {"initial_option": chosen[0]} if chosen else {}
    else:
        element = {"type": "plain_text_input", "action_id": VALUE, "max_length": _MOST_TEXT}
        element |= {"multiline": True} if each.kind == "json" or (initial and "\n" in initial) else {}
        element |= {"initial_value": initial} if initial else {}
    made = _labelled(_block(place), clipped(visible(each.name), _HINT), element, each.hint)
    return made if each.required else {**made, "optional": True}


def _labelled(block_id: str, label: Safe, element: Block, hint: Safe | None = None) -> Block:
    made: Block = {"type": "input", "block_id": block_id, "label": plain(label), "element": element}
    return {**made, "hint": plain(hint)} if hint else made


def _option(name: str) -> Block:
    return {"text": plain(visible(name)), "value": name}


def _block(place: int) -> str:
    return f"field.{place}"


# --- from what was typed to values


def typed_in(values: Values, block: str) -> str:
    """Give what was typed or chosen in one input; empty where it is missing, or not what Slack would send."""
    inner = values.get(block)
    found = inner.get(VALUE) if isinstance(inner, Mapping) else None
    if not isinstance(found, Mapping):
        return ""
    chosen = found.get("selected_option")
    raw = chosen.get("value") if isinstance(chosen, Mapping) else found.get("value")
    return raw if isinstance(raw, str) else ""


def _read(each: FormField, raw: str) -> Json:
    match each.kind:
        case "number" | "integer":
            if not (_WHOLE if each.kind == "integer" else _NUMBER).fullmatch(raw):
                raise ValueError
            return int(raw) if _WHOLE.fullmatch(raw) else Decimal(raw)
        case "boolean":
            return {"true": True, "false": False}[raw]
        case "json":
            return json.loads(raw, parse_float=Decimal, parse_constant=_refuse, object_pairs_hook=_once)  # type: ignore[no-any-return]
        case "choice" if raw not in each.options:
            raise ValueError
        case _:
            return raw


def _refuse(name: str) -> Json:
    raise ValueError(name)


def _once(pairs: list[tuple[str, Json]]) -> Mapping[str, Json]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a name stands twice")
    return made


def _wrong(each: FormField) -> Safe:
    return each.hint if each.kind in ("number", "integer", "json") else Safe("Please choose one of the values.")
