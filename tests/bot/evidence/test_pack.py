"""The evidence pack of one decision: complete, proved, the same each time, and never clean over a broken log."""

import hashlib
import html
import io
import json
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from bot.audit.merkle import Frontier
from bot.audit.signed_note import Checkpoint, origin_of, signed_checkpoint
from bot.evidence import gathering
from bot.evidence.gathering import gathered
from bot.evidence.making import pack_of
from bot.evidence.pack import Pack, write_folder, zipped
from bot.policy_files import PolicyFolderError
from bot.slack_standin.workspace import JONAS, LENA, MAYA, SAM
from tests.bot.evidence.packed import entries_of, pack, page_of, place_of, read, require_listed, require_proved
from tests.world import EXAMPLES, TOOL, World, denial

REFUND = f"{TOOL}.yml"


async def test_a_refund_from_the_wish_to_the_deed(world: World) -> None:
    """Everything that the issue of a decision needs is in it, proved under the key of the log."""
    proposal = await world.propose()
    packet = await world.approve(proposal, SAM, MAYA, JONAS)
    await world.settled()
    assert "Approved" in packet.text
    given = (await world.claim(proposal)).json()
    await world.report(proposal)
    await world.settled()
    early = pack(world, proposal)
    assert "grant.jws" not in early.files, "a permission that can be used is given to nobody"
    await world.move(minutes=11)
    made = pack(world, proposal)
    assert (made.broken, made.final) == ((), True)
    require_listed(made)
    checkpoint = require_proved(made, world.settings.signing_key_file)
    assert read(made, "manifest.json")["checkpoint"]["size"] == checkpoint.size
    kinds = [entry["type"] for entry in entries_of(made).values()]
    with world.db() as db:
        logged = db.execute("SELECT type FROM entries WHERE subject = ? ORDER BY seq", (proposal["id"],)).fetchall()
    assert kinds == [kind for (kind,) in logged]
    assert "sha256:" + hashlib.sha256(made.files["action.json"]).hexdigest() == proposal["digest"]
    assert made.files["grant.jws"].decode() == given["grant"]
    version = proposal["policy"]["version"].removeprefix("sha256:")
    assert hashlib.sha256(made.files[f"policy/{version}/listing"]).hexdigest() == version
    assert made.files[f"policy/{version}/files/{REFUND}"] == (EXAMPLES / REFUND).read_bytes()
    packets = [read(made, name) for name in made.files if name.startswith("packets/")]
    assert len(packets) == kinds.count("packet.posted") > 3
    assert all(each["same"] and each["shown"] == each["rendered"] for each in packets)
    (judged,) = read(made, "decision.json")["judgements"]
    assert (judged["answer"], judged["now"]) == ("same", proposal["policy"]["because"])
    assert [rule["outcome"] for rule in judged["rules"]] == ["not matched", "not matched", "matched"]


async def test_the_same_bytes_each_time(world: World) -> None:
    """Whoever makes it again gets the same pack and the same ZIP, without a date or a name of a machine in it."""
    proposal = await world.propose(30)
    first = pack(world, proposal)
    again = pack(world, proposal)
    assert zipped(first) == zipped(again)
    with zipfile.ZipFile(io.BytesIO(zipped(first))) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == sorted(first.files)
        assert {name: archive.read(name) for name in archive.namelist()} == first.files
        assert {(info.date_time, info.create_system) for info in archive.infolist()} == {((1980, 1, 1, 0, 0, 0), 3)}


async def test_a_folder_is_new_or_empty(world: World, tmp_path: Path) -> None:
    """It is written whole, and never into what is there."""
    made = pack(world, await world.propose(30))
    write_folder(made, tmp_path / "a" / "b")
    found = {path for path in (tmp_path / "a" / "b").rglob("*") if path.is_file()}
    assert {str(path.relative_to(tmp_path / "a" / "b")): path.read_bytes() for path in found} == made.files
    with pytest.raises(FileExistsError):
        write_folder(made, tmp_path / "a" / "b")


async def test_a_pending_one_is_a_pack_of_what_there_is_so_far(world: World) -> None:
    """It says that it is not final, and what newer entries the checkpoint does not cover yet."""
    proposal = await world.propose()
    packet = await world.packet_of(proposal)
    made = pack(world, proposal)
    assert (made.final, read(made, "manifest.json")["final"]) == (False, False)
    assert "Not final" in page_of(made)
    await world.click(MAYA, packet)
    where = place_of(world)
    where.anchor_file.write_bytes(made.files["checkpoint"])
    decision = gathered(where, proposal["id"])
    assert decision is not None
    newer = pack_of(decision, where, world.clock(), "these-entries")
    proved = [entry["proved"] for entry in read(newer, "manifest.json")["entries"]]
    assert (proved[0], proved[-1]) == (True, False)
    assert f"entries/{max(entries_of(newer))}.tlog-proof" not in newer.files
    assert "newer than it: make this again in a minute" in page_of(newer)


async def test_a_green_one_was_shown_to_nobody(world: World) -> None:
    """It has no packet, no vote, and a policy that comes to the same."""
    made = pack(world, await world.propose(30))
    assert not [name for name in made.files if name.startswith(("packets/", "votes/"))]
    assert "Nothing: no packet was posted for this one." in page_of(made)
    assert read(made, "decision.json")["judgements"][0]["answer"] == "same"


async def test_a_denial_with_its_reason(world: World) -> None:
    """The reason is told as the person's own words, with the kind of the denial."""
    proposal = await world.propose()
    await world.fill(MAYA, await world.packet_of(proposal), "deny", denial("Not <b>this</b> one", "wrong-target"))
    await world.settled()
    told = [each["what"] for each in read(pack(world, proposal), "decision.json")["story"]]
    assert any("Not <b>this</b> one" in what and "denied as support_manager" in what for what in told)
    assert "Not &lt;b&gt;this&lt;/b&gt; one" in page_of(pack(world, proposal))


async def test_a_trial_run_tells_what_the_policy_would_have_done(world: World) -> None:
    """In shadow people were shown less; the packet is rendered as they saw it."""
    text = (EXAMPLES / REFUND).read_text(encoding="utf-8").replace("  rules:", "  mode: shadow\n  rules:")
    (world.policy / REFUND).write_text(text, encoding="utf-8")
    await world.running.watch.look()
    proposal = await world.propose(42)
    await world.approve(proposal)
    await world.settled()
    made = pack(world, proposal)
    assert made.broken == ()
    assert all(read(made, name)["same"] for name in made.files if name.startswith("packets/"))
    assert read(made, "decision.json")["judgements"][0]["answer"] == "same"


async def test_erased_values_are_counted_and_named_as_erased(world: World) -> None:
    """What is gone is nowhere in the pack; the entries are proved as before, and nothing is called broken."""
    proposal = await world.propose(180, summary="MARKER-OF-A-PERSON")
    await world.approve(proposal)
    await world.settled()
    hurt(world, "DELETE FROM detached WHERE seq IN (SELECT seq FROM entries WHERE subject = :id)", proposal["id"])
    made = pack(world, proposal)
    assert made.broken == ()
    require_proved(made, world.settings.signing_key_file)
    assert not [name for name, data in made.files.items() if b"MARKER" in data]
    assert "action.json" not in made.files
    entries = read(made, "manifest.json")["entries"]
    assert all(entry["disclosed"] == 0 for entry in entries)
    assert sum(entry["erased"] for entry in entries) > 5
    (judged,) = read(made, "decision.json")["judgements"]
    assert judged["answer"] == "not told"
    assert "(arguments, context, digest, run)" in judged["why"]
    assert judged["why"].endswith(f"stands in the entry, which is as provable as before: {judged['then']}")
    assert f"It cannot be judged again: {judged['why']}" in html.unescape(page_of(made))
    assert "What was asked for has been erased" in page_of(made)
    assert f"on request: {sum(entry['erased'] for entry in entries)} values; the entries stand" in page_of(made)
    assert "erased" in page_of(made)


async def test_a_policy_file_keeps_its_indentation(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What belongs to what can be read; what is invisible is shown, in a version from before that was refused."""
    monkeypatch.setattr("bot.marked_yaml.hidden_in", lambda _: None)
    text = (
        "policy:\n  tool: payments.refund\n  rules:\n            - require_approval: support_manager # \u202e   x  \n\n"
    )
    (world.policy / "payments.refund.yml").write_text(text, "utf-8")
    await world.running.watch.look()
    page = html.unescape(page_of(pack(world, await world.propose())))
    assert "\n            - require_approval: support_manager # \\u{202E}   x" in page
    assert "\u202e" not in page


async def test_many_clicks_fit_on_a_page(world: World) -> None:
    """All are in the pack and its story; the page counts those that say the same, and lists the votes by themselves."""
    proposal = await world.propose()
    packet = await world.packet_of(proposal)
    await world.click(MAYA, packet)
    await world.settled()
    for user in [SAM, SAM, LENA] * 8:
        await world.click(user, packet)
    await world.click(JONAS, packet)
    await world.settled()
    made = pack(world, proposal)
    assert [entry["type"] for entry in entries_of(made).values()].count("vote.refused") == 24
    assert len(read(made, "decision.json")["story"]) == len(entries_of(made))
    page = page_of(made)
    assert page.count("did not count") == 2
    assert "does not decide what it asks for (agent-owner); 16 times, until" in page
    assert "; 8 times, until" in page
    assert "vote.refused, 24 times" in page
    votes = page[page.index("<h2>Who decided") : page.index("<h2>What happened")]
    assert (votes.count("approved as support_manager"), votes.count("<tr>")) == (2, 3)


HURT = {
    "a word of an entry": "UPDATE entries SET body = CAST(replace(CAST(body AS TEXT), 'support_', 'sapport_') AS BLOB)"
    " WHERE subject = :id AND type = 'vote.counted'",
    "a value": "UPDATE detached SET box = zeroblob(40) WHERE name = 'summary'",
    "the arguments": "UPDATE detached SET key = NULL, box = NULL, salt = 'x', value = '{}' WHERE name = 'arguments'",
    "a name": "UPDATE detached SET name = 'runs' WHERE name = 'run'",
    "a leaf": "UPDATE entries SET leaf_hash = zeroblob(32) WHERE subject = :id",
    "a checkpoint": "UPDATE checkpoints SET note = replace(note, 'foureyes', 'fourteen')",
    "the policy's files": "UPDATE policy_content SET content = zeroblob(9)",
}


@pytest.mark.parametrize("what", HURT)
async def test_a_pack_over_a_broken_log_says_so(world: World, what: str) -> None:
    """Whatever was changed that it rests on: the manifest and the page say BROKEN, and nothing says unchanged."""
    proposal = await world.propose()
    await world.approve(proposal)
    await world.settled()
    await world.restart()  # keeps a checkpoint in the database
    assert pack(world, proposal).broken == ()
    await world.stop()  # a server does not anchor such a log
    hurt(world, HURT[what], proposal["id"])
    made = unanchored(world, proposal["id"])
    assert made.broken
    assert read(made, "manifest.json")["broken"] == list(made.broken)
    assert "BROKEN: this log cannot be trusted" in page_of(made)
    assert "Recorded and unchanged" not in page_of(made)


async def test_a_cut_off_tail_is_found_though_the_decision_is_whole(world: World) -> None:
    """The entries of this one are all there; what came after them is not, and the anchor knows."""
    proposal = await world.propose(30)
    await world.propose(30)
    await world.settled()
    pack(world, proposal)
    await world.stop()
    hurt(world, "DELETE FROM entries WHERE seq > (SELECT max(seq) FROM entries WHERE subject = :id)", proposal["id"])
    assert any("ends before them" in fault for fault in unanchored(world, proposal["id"]).broken)


@pytest.mark.parametrize(
    ("head", "told"),
    [
        (None, "is missing, so nobody can tell whether the log's tail was cut off"),
        (b"no note", "is not an anchor that this key has signed"),
        (b"\xff", "is not an anchor that this key has signed (UnicodeDecodeError)"),
    ],
)
async def test_an_anchor_that_cannot_be_believed_is_told(world: World, head: bytes | None, told: str) -> None:
    """Missing, or something else: the pack is broken, for nobody can tell what was cut off."""
    proposal = await world.propose(30)
    await world.settled()
    await world.stop()
    anchor = world.settings.anchor_file
    if head is None:
        anchor.unlink()
    else:
        anchor.write_bytes(head)
    made = unanchored(world, proposal["id"])
    assert any(told in fault for fault in made.broken)
    assert "BROKEN" in page_of(made)


async def test_entries_before_any_checkpoint_are_not_proved(world: World) -> None:
    """The page says that no signed checkpoint covers it yet; nothing is broken about that."""
    proposal = await world.propose(30)
    empty = Checkpoint(origin_of(None), 0, Frontier().root)
    where = place_of(world)
    await world.stop()
    hurt(world, "DELETE FROM checkpoints")
    where.anchor_file.write_text(signed_checkpoint(empty, where.key.signers), encoding="utf-8")
    made = unanchored(world, proposal["id"])
    assert made.broken == ()
    assert (read(made, "manifest.json")["checkpoint"], "checkpoint" in made.files) == (None, False)
    assert "No signed checkpoint covers it yet." in page_of(made)


async def test_a_policy_that_is_not_read_any_more_is_no_damage(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its files are there; what they say cannot be asked again, and the pack says so."""
    proposal = await world.propose()
    await world.packet_of(proposal)

    def refuse(_: object) -> None:
        raise PolicyFolderError([])

    monkeypatch.setattr(gathering, "load_content", refuse)
    made = pack(world, proposal)
    assert made.broken == ()
    (judged,) = read(made, "decision.json")["judgements"]
    assert (judged["answer"], "does not read that policy any more" in judged["why"]) == ("not told", True)
    assert any(name.endswith(f"files/{REFUND}") for name in made.files)


def hurt(world: World, statement: str, ident: str | int = "") -> None:
    """Change the database behind the product's back."""
    with closing(sqlite3.connect(world.database)) as db:
        for (trigger,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
            db.execute(f"DROP TRIGGER {trigger}")
        assert db.execute(statement, {"id": ident} if ":id" in statement else {}).rowcount
        db.commit()


def unanchored(world: World, ident: str) -> Pack:
    """Make a pack with the anchor as it is."""
    decision = gathered(place_of(world), ident)
    assert decision is not None
    return pack_of(decision, place_of(world), world.clock(), "these-entries")


async def test_json_is_canonical(world: World) -> None:
    """Each JSON file of ours is as RFC 8785 writes it, so that it can be made again and compared."""
    made = pack(world, await world.propose(30))
    for name in ("manifest.json", "decision.json", "jwks.json"):
        data = made.files[name]
        assert json.dumps(json.loads(data), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() == data
    assert JONAS not in page_of(made)
