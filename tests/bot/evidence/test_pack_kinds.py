"""Packs of every kind of decision, each checked by the single-file verifier, which shares no code with their maker."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from foureyes_verify import Keys, check_all

from approval_rules.versions import CHANGE_TOOL
from bot.evidence.pack import Pack, write_folder
from bot.keys import load
from bot.slack_standin.workspace import JONAS, MAYA, PRIYA, SAM
from tests.authenticator import Passkey
from tests.bot.evidence.packed import entries_of, pack, page_of, read
from tests.passkey_world import PasskeyWorld, url_in
from tests.red_world import POLICY, fill, opened, rewrite, the_start
from tests.world import EXAMPLES, TOOL, World


def faults(made: Pack, world: World, folder: Path) -> list[str]:
    """Give what the verifier finds wrong in a pack, with the log's key named."""
    write_folder(made, folder)
    return found(folder, world)


def found(folder: Path, world: World) -> list[str]:
    """Give what the verifier finds wrong in a folder."""
    key = load(world.settings.signing_key_file).public_bytes()
    reports, unreadable = check_all([folder], Keys((key,), given=True), 1)
    return [*unreadable, *[fault["what"] for report in reports for fault in report.broken]]


async def test_what_a_person_started_with_a_passkey(tmp_path: Path) -> None:
    """Red: the start's own second factor is in the pack and is checked, and so are both votes'."""
    world = PasskeyWorld(tmp_path / "world")
    rewrite(world, POLICY)
    world.write_roles({"users": [MAYA, SAM]}, finance={"users": [JONAS, PRIYA, MAYA]}, admin={"users": [PRIYA, SAM]})
    async with world:
        key = Passkey()
        await world.enrol(MAYA, key)
        await world.confirm(MAYA)
        packet = await world.packet_of(await world.propose(750))
        assert (await fill(world, MAYA, await opened(world, MAYA, packet), "750")).ok
        shown = await world.look(url_in(world.slack.modals(MAYA)[-1].view))
        assert (await world.post(shown, key.answer(shown.challenge, world.lie()))).status_code == 200
        started = the_start(world)
        await world.packet_of(started.proposal)
        await world.settled()
        made = pack(world, started.proposal)
        assert faults(made, world, tmp_path / "pack") == []
        first = min(entries_of(made))
        assert f"votes/{first}/signature.bin" in made.files
        assert "proved with a passkey" in read(made, "decision.json")["story"][0]["what"]
        assert read(made, "decision.json")["judgements"][0]["answer"] == "same"
        assert started.initiator is not None
        blocked = pack(world, str(started.initiator.of))
        assert faults(blocked, world, tmp_path / "blocked") == []
        assert "started it himself" in page_of(blocked)


async def test_a_change_of_the_policy(world: World, tmp_path: Path) -> None:
    """No rule judges it: its people decide. The pack has the version that asked them."""
    world.write_roles({"users": [MAYA, JONAS]}, policy_admin={"users": [MAYA, JONAS, PRIYA]})
    await world.running.watch.look()
    stricter = (EXAMPLES / f"{TOOL}.yml").read_text(encoding="utf-8").replace("<= 50", "<= 40")
    (world.policy / f"{TOOL}.yml").write_text(stricter, encoding="utf-8")
    await world.running.watch.look()
    with world.db() as db:
        (ident,) = db.execute("SELECT id FROM proposals WHERE tool = ?", (CHANGE_TOOL,)).fetchone()
    packet = await world.packet_of(ident)
    await world.click(MAYA, packet)
    await world.click(JONAS, packet)
    await world.settled()
    made = pack(world, ident)
    assert faults(made, world, tmp_path / "pack") == []
    (judged,) = read(made, "decision.json")["judgements"]
    assert judged["answer"] == "not told"
    assert "judged by no rule" in judged["why"]
    assert all(read(made, name)["same"] for name in made.files if name.startswith("packets/"))


async def test_what_a_person_lowered(tmp_path: Path) -> None:
    """Each version was judged; the action of the pack is the one that was decided in the end."""
    world = World(tmp_path / "world", managers=(MAYA, JONAS, PRIYA))
    page = world.policy / f"{TOOL}.yml"
    page.write_text(page.read_text(encoding="utf-8") + "  editable: [amount_usd]\n", encoding="utf-8")
    async with world:
        proposal = await world.propose(180)
        packet = await world.packet_of(proposal)
        await world.fill(MAYA, packet, "lower", {"lower.0": {"amount_usd": "120"}})
        await world.settled()
        await world.approve(proposal, JONAS, PRIYA)
        await world.settled()
        now = await world.read(proposal)
        made = pack(world, proposal)
        assert faults(made, world, tmp_path / "pack") == []
        assert "sha256:" + hashlib.sha256(made.files["action.json"]).hexdigest() == now["digest"] != proposal["digest"]
        assert [each["answer"] for each in read(made, "decision.json")["judgements"]] == ["same", "same"]
        assert all(read(made, name)["same"] for name in made.files if name.startswith("packets/"))
        assert any("lowered amount_usd" in each["what"] for each in read(made, "decision.json")["story"])


async def test_hostile_words_stay_words(world: World, tmp_path: Path) -> None:
    """Markup and invisible characters of an agent are text on the page, which has no script and loads nothing."""
    hostile = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\u202e\u200b"
    proposal = await world.propose(180, summary=hostile, run={"model": hostile, "id": hostile})
    await world.deny(MAYA, await world.packet_of(proposal), hostile)
    await world.settled()
    made = pack(world, proposal)
    page = page_of(made)
    assert "<script" not in page
    assert "<img" not in page
    assert "\u202e" not in page
    assert "src=" not in page.replace("src=x", "")
    assert page.count("http-equiv") == 1
    assert "default-src 'none'" in page.replace("&#x27;", "'")
    assert faults(made, world, tmp_path / "pack") == []


def flips(made: Pack) -> Iterator[tuple[str, int]]:
    """Choose some bits of every file: the first, the last, and two in between that differ from file to file."""
    for number, (name, data) in enumerate(sorted(made.files.items())):
        bits = len(data) * 8
        yield from ((name, bit) for bit in sorted({0, bits - 1, (bits // 3 + number) % bits, (bits // 7 * 5) % bits}))


async def test_any_bit_that_is_flipped_is_found(world: World, tmp_path: Path) -> None:
    """In whatever file of the pack, the list of sums too."""
    proposal = await world.propose()
    await world.approve(proposal)
    await world.claim(proposal)
    await world.settled()
    await world.move(minutes=11)
    made = pack(world, proposal)
    assert faults(made, world, tmp_path / "pack") == []
    missed = []
    for name, bit in flips(made):
        data = bytearray(made.files[name])
        data[bit // 8] ^= 1 << bit % 8
        (tmp_path / "pack" / name).write_bytes(data)
        if not found(tmp_path / "pack", world):
            missed.append((name, bit))
        (tmp_path / "pack" / name).write_bytes(made.files[name])
    assert missed == []


@pytest.mark.parametrize("name", ["manifest.json", "entries", "packets", "checkpoint"])
async def test_what_is_left_out_of_a_pack_is_found(world: World, tmp_path: Path, name: str) -> None:
    """A file that is listed and gone, and one that came in addition."""
    proposal = await world.propose()
    await world.packet_of(proposal)
    await world.settled()
    made = pack(world, proposal)
    assert faults(made, world, tmp_path / "pack") == []
    path = next(each for each in sorted(made.files) if each.startswith(name))
    (tmp_path / "pack" / path).unlink()
    assert found(tmp_path / "pack", world)
    (tmp_path / "pack" / path).write_bytes(made.files[path])
    (tmp_path / "pack" / "entries" / "999.json").write_text(json.dumps({}), encoding="utf-8")
    assert found(tmp_path / "pack", world)
