"""Reads the contract that a tool's page names or holds, and gives each fault its place. Never opens a file itself."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import yaml

from approval_rules.canonical import NotCanonicalError
from approval_rules.nearest import nearest
from approval_rules.text import Json
from bot.contracts import FILE_NAME, FOLDER
from bot.contracts.contract import ContractError, JsonContract, compile_contract
from bot.contracts.places import line_and_column, places_of
from bot.contracts.schema import SchemaFault, escaped
from bot.marked_yaml import MAX_BYTES, Page, PolicyFault
from handlers.http.strict_json import read_json

INLINE: Final = "inline"


def read_contract(page: Page, node: yaml.Node, files: Mapping[str, bytes], *, payment: bool) -> JsonContract | None:
    """Read `contract` of a policy; `files` are the bytes of the contract files by name."""
    if isinstance(node, yaml.ScalarNode):
        return _from_file(page, node, files, payment=payment)
    before = len(page.faults)
    schema = page.json(node, "contract")
    return _inline(page, node, schema, payment=payment) if len(page.faults) == before else None


def _inline(page: Page, node: yaml.Node, schema: Json, *, payment: bool) -> JsonContract | None:
    try:
        return compile_contract(schema, INLINE, payment=payment)
    except ContractError as error:
        for pointer, detail in error.faults:
            page.fault(_node_at(node, pointer), f"contract: {detail}")
        return None


def _from_file(page: Page, node: yaml.ScalarNode, files: Mapping[str, bytes], *, payment: bool) -> JsonContract | None:
    name = page.words(node, "contract")
    if name is None:
        return None
    if not FILE_NAME.fullmatch(name):
        page.fault(node, f"contract is a schema, or the name of a file in {FOLDER}/ such as payments.refund.json")
        return None
    if name not in files:
        near = nearest(name, files)
        page.fault(node, f"there is no {FOLDER}/{name}" + (f"; did you mean '{near}'?" if near else ""))
        return None
    place = str(Path(page.file).parent / FOLDER / name)
    try:
        return compile_contract(_parsed(files[name], place), f"{FOLDER}/{name}", payment=payment)
    except ContractError as error:
        page.faults += _placed(place, files[name], error.faults)
    except _UnreadableError as error:
        page.faults.append(error.fault)
    return None


class _UnreadableError(Exception):
    """A contract file that is no JSON to begin with."""

    def __init__(self, fault: PolicyFault) -> None:
        self.fault = fault
        super().__init__(fault.detail)


def _parsed(data: bytes, place: str) -> Json:
    if len(data) > MAX_BYTES:
        raise _UnreadableError(PolicyFault(place, 1, 1, f"larger than {MAX_BYTES // 1024} KiB; make it smaller"))
    try:
        return read_json(data).value
    except UnicodeDecodeError as error:
        line, column = line_and_column(data[: error.start].decode(), error.start)
        detail = "not UTF-8 from here on; save the file as UTF-8"
        raise _UnreadableError(PolicyFault(place, line, column, detail)) from None
    except json.JSONDecodeError as error:
        detail = f"not JSON from here on ({error.msg})"
        raise _UnreadableError(PolicyFault(place, error.lineno, error.colno, detail)) from None
    except NotCanonicalError as error:
        (fault,) = _placed(place, data, [SchemaFault(error.pointer, error.detail)])
        raise _UnreadableError(fault) from None


def _placed(file: str, data: bytes, faults: Sequence[SchemaFault]) -> list[PolicyFault]:
    places = places_of(data.decode(), [fault.pointer for fault in faults])
    return [
        PolicyFault(file, *place, f"{fault.pointer or '/'}: {fault.detail}")
        for place, fault in zip(places, faults, strict=True)
    ]


def _node_at(node: yaml.Node, pointer: str) -> yaml.Node:
    """Give the node at a JSON pointer, or the last one on the way to it."""
    for part in pointer.split("/")[1:]:
        if isinstance(node, yaml.MappingNode):
            found = [value for key, value in node.value if escaped(str(key.value)) == part]
        else:
            found = node.value[int(part) : int(part) + 1] if part.isdecimal() and node.value else []
        if not found:
            break
        node = found[0]
    return node
