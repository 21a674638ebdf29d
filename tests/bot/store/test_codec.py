"""Events to entries and back: nothing is lost, nothing changes its form, and what was erased still reads."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approval_rules.events import Event, Submitted, Voted
from approval_rules.text import AgentJson, AgentText, Json
from approval_rules.times import format_time
from bot.audit.log_format import Plain, canonical
from bot.store.codec import KIND_OF, KINDS, CodecError, decode, encode
from tests.events import any_of, one_of_each
from tests.golden.rebuild import FOLDER, files

EVENT_TYPES = get_args(Event)


def body_of(event: Event) -> dict[str, object]:
    """Write the parts of the entry that decoding needs, through their bytes."""
    encoded = encode(event)
    entry: dict[str, Plain] = {
        "seq": 3,
        "at": format_time(event.at),
        "type": encoded.kind,
        "actor": {"kind": event.by.kind.value, "ref": event.by.ref},
        "subject": encoded.subject,
        "policy": encoded.policy,
        "data": encoded.data,
    }
    read: dict[str, object] = json.loads(canonical(entry))
    return read


@given(st.one_of([any_of(cls) for cls in EVENT_TYPES]))
def test_every_event_comes_back_as_it_went(event: Event) -> None:
    """decode(encode(e)) == e, for every class and any content, through the bytes of the log."""
    assert decode(body_of(event), encode(event).detached) == event


@given(st.one_of([any_of(cls) for cls in EVENT_TYPES]))
def test_erased_values_still_decode(event: Event) -> None:
    """With every detached value gone the event still reads, with who, when, what kind and which policy."""
    bare = decode(body_of(event), {})
    assert (type(bare), bare.at, bare.by) == (type(event), event.at, event.by)
    if isinstance(bare, Submitted) and isinstance(event, Submitted):
        assert (bare.tool, bare.requirement, bare.expires_at) == (event.tool, event.requirement, event.expires_at)
        assert bare.summary == AgentText("")
        assert bare.arguments == AgentJson({})


@pytest.mark.parametrize("event", one_of_each(), ids=lambda event: type(event).__name__)
def test_what_people_and_agents_wrote_is_never_in_an_entry(event: Event) -> None:
    """Words, arguments, digests of them and places in Slack are detached: they can be erased from under the log."""
    entry = json.dumps(body_of(event), ensure_ascii=False)
    for hidden in ("<!channel>", "180.5", "digest", "shown", "callback_url"):
        assert hidden not in entry.replace('"channel"', "").replace("digest-mismatch", "")


def test_every_kind_is_known_both_ways() -> None:
    """The closed set of events and the closed set of types are the same."""
    assert set(KINDS.values()) == set(EVENT_TYPES)
    assert {KINDS[kind] for kind in KIND_OF.values()} == set(EVENT_TYPES)


def test_an_unknown_type_is_said() -> None:
    """An entry of a later version is refused with what to do."""
    body = body_of(one_of_each()[0]) | {"type": "proposal.teleported"}
    with pytest.raises(CodecError, match="upgrade"):
        decode(body, {})


def test_numbers_keep_every_digit() -> None:
    """An amount goes through the log as the decimal that it was."""
    event = next(event for event in one_of_each() if isinstance(event, Submitted))
    text = encode(event).detached["arguments"]
    assert "180.5" in text
    again = decode(body_of(event), {"arguments": text.replace("180.5", "180.123456789012345678")})
    assert isinstance(again, Submitted)
    assert again.arguments == AgentJson(
        {"amount_usd": Decimal("180.123456789012345678"), "name": "arguments", "list": [1, None, True]}
    )


PARTED: Json = {"amount_usd": Decimal("180.50"), "list": [{"name": "Erika", "n": 1}, 2], "name": "Erika"}


def parted_event() -> Submitted:
    """An event whose arguments have personal fields."""
    event = next(event for event in one_of_each() if isinstance(event, Submitted))
    requirement = replace(event.requirement, personal=("name",))
    return replace(event, arguments=AgentJson(PARTED), requirement=requirement)


def test_personal_arguments_are_a_value_of_their_own() -> None:
    """Neither part tells anything of the other, both together are the arguments, and either can be gone."""
    event = parted_event()
    detached = encode(event).detached
    assert detached["arguments"] == '{"amount_usd":180.5,"list":[{"n":1},2]}'
    assert detached["personal"] == '{"list":[{"name":"Erika"},null],"name":"Erika"}'
    assert decode(body_of(event), detached) == event
    rest = decode(body_of(event), {name: text for name, text in detached.items() if name != "personal"})
    assert isinstance(rest, Submitted)
    assert rest.arguments == AgentJson({"amount_usd": Decimal("180.5"), "list": [{"n": 1}, 2]})
    gone = decode(body_of(event), {name: text for name, text in detached.items() if name != "arguments"})
    assert isinstance(gone, Submitted)
    assert gone.arguments == AgentJson({})


def test_the_entry_names_the_fields_and_says_nothing_of_them() -> None:
    """What was personal is known for ever by the contract's names, so that nobody can deny that it was there."""
    body = json.dumps(body_of(parted_event()))
    assert '"personal": ["name"]' in body
    assert "Erika" not in body


def test_a_vote_without_a_reason_has_none() -> None:
    """What was never there is not the same as what was erased: neither is an error."""
    event = next(event for event in one_of_each() if isinstance(event, Voted))
    assert decode(body_of(event), {}) == decode(body_of(event), {"digest": '""'})


@pytest.mark.parametrize("name", [path.name for path in sorted(FOLDER.iterdir())])
def test_the_golden_bytes_stand(name: str) -> None:
    """What an earlier version wrote is what this one writes: a changed layout needs a new class, not a new reading."""
    assert (FOLDER / name).read_bytes() == files()[name]


def test_the_golden_log_covers_every_kind() -> None:
    """One golden entry for every type of the log."""
    assert {Path(name).stem for name in files()} == set(KINDS) | {"chain"}
    assert {path.name for path in FOLDER.iterdir()} == set(files())


@pytest.mark.parametrize("event", one_of_each(), ids=lambda event: type(event).__name__)
def test_the_golden_bytes_read(event: Event) -> None:
    """Each golden entry decodes to the event that it was made of."""
    kept = json.loads((FOLDER / f"{KIND_OF[type(event)]}.json").read_text(encoding="utf-8"))
    assert decode(json.loads(kept["entry"]), {name: value for name, _, value in kept["detached"]}) == event
