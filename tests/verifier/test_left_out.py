"""The verifier over a pack from which its maker left something out: the log that is named with it tells."""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from foureyes_verify import Keys, Report, check_all

from approval_rules.canonical import canonical_bytes
from bot.audit.tile_export import export
from bot.evidence.making import pack_of
from bot.evidence.pack import Pack, summed, write_folder
from bot.keys import load
from bot.store.engine import open_reader
from tests.bot.evidence.packed import decision_of, entries_of, pack, place_of, read
from tests.bot.evidence.test_pack_pauses import held_up, of_the_switch
from tests.world import World


@dataclass(frozen=True)
class Left:
    """A refund that a pause held up: its pack, its agent's, one made before its end, the log's export, and the key."""

    whole: Pack
    for_agent: Pack
    early: Pack
    export: Path
    keys: Keys


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Left:
    """Play it once."""
    folder = tmp_path_factory.mktemp("left")

    async def play() -> Left:
        async with World(folder / "world") as world:
            other = await world.propose()
            await world.settled()
            early = pack(world, other)
            proposal = await held_up(world)
            whole = pack(world, proposal)
            decision = decision_of(world, proposal["id"])
            agents = pack_of(decision, place_of(world), world.clock(), "these-entries", for_agent=True)
            key = load(world.settings.signing_key_file)
            with open_reader(world.database) as db:
                export(db, folder / "export", [key.signer])
            return Left(whole, agents, early, folder / "export", Keys((key.public_bytes(),), given=True))

    return asyncio.run(play())


def without(made: Pack, *numbers: int, **told: str) -> Pack:
    """Make a pack anew from which some entries are left out; `told` is said in its manifest."""
    manifest = {**read(made, "manifest.json"), **told}
    manifest["entries"] = [each for each in manifest["entries"] if each["seq"] not in numbers]
    gone = {f"entries/{number}{end}" for number in numbers for end in (".json", ".disclosures", ".tlog-proof")}
    files = {name: data for name, data in made.files.items() if name not in gone | {"SHA256SUMS"}}
    return Pack(made.proposal, summed({**files, "manifest.json": canonical_bytes(manifest)}), (), made.final)


def checked(made: Pack, left: Left, folder: Path, *others: Path) -> Report:
    """Let the verifier check a pack, with what else is named."""
    write_folder(made, folder / "pack")
    reports, unreadable = check_all([folder / "pack", *others], left.keys, 1)
    assert unreadable == []
    return next(report for report in reports if report.kind == "pack")


def test_alone_it_says_what_it_does_not_prove(left: Left, tmp_path: Path) -> None:
    """A pack without its pause is whole by itself; so the verifier says that only the log shows what is missing."""
    (paused, resumed) = (number for number, _ in of_the_switch(left.whole))
    for place, made in enumerate((left.whole, without(left.whole, paused, resumed))):
        report = checked(made, left, tmp_path / str(place))
        assert report.broken == []
        assert any("no pause that stopped it, a pack by itself does not prove" in note for note in report.notes)


def test_with_the_log_each_pause_must_be_there(left: Left, tmp_path: Path) -> None:
    """Its pause, or its end, left out: found, with the place. Those of others, before and after it are not missed."""
    report = checked(left.whole, left, tmp_path / "whole", left.export)
    assert report.broken == []
    assert any("and those that stopped it, in" in note for note in report.notes)
    assert not any("by itself" in note for note in report.notes)
    for number, kind in of_the_switch(left.whole):
        found = checked(without(left.whole, number), left, tmp_path / kind, left.export).broken
        told = f"1 entries of {left.export} that stopped it, or let it go on, are not in the pack"
        assert found == [{"entry": number, "what": told}]


def test_a_vote_left_out_is_found_too(left: Left, tmp_path: Path) -> None:
    """As before: no entry about it may be missing."""
    vote = next(number for number, entry in entries_of(left.whole).items() if entry["type"] == "vote.counted")
    found = checked(without(left.whole, vote), left, tmp_path, left.export).broken
    assert {"entry": vote, "what": f"1 entries about it in {left.export} are not in the pack"} in found


def test_an_agents_pack_says_that_it_has_none(left: Left, tmp_path: Path) -> None:
    """An agent is not told of pauses: the pack says so, and the log says how many; whoever lies about it shows it."""
    assert json.loads(left.for_agent.files["manifest.json"])["for"] == "agent"
    assert "for" not in json.loads(left.whole.files["manifest.json"])
    (paused, resumed) = (number for number, _ in of_the_switch(left.whole))
    pretended = without(left.whole, paused, resumed, **{"for": "agent"})
    for place, made in enumerate((left.for_agent, pretended)):
        report = checked(made, left, tmp_path / str(place), left.export)
        assert report.broken == []
        told = f"2 entries of {left.export} that stopped it, or let it go on, from entry {paused} on, are not in this"
        assert any(note.startswith(told) for note in report.notes)
        assert "it was made for an agent, which is not told of pauses" in report.notes


def test_what_came_after_a_pack_was_made_is_not_missed(left: Left, tmp_path: Path) -> None:
    """A pack of something that is open is held against the log up to its own checkpoint."""
    assert not left.early.final
    assert checked(left.early, left, tmp_path, left.export).broken == []
