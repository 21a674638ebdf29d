"""A pause that held a decision up is proved in its pack like a vote, and one that did not is not in it."""

import json
from pathlib import Path

from approval_rules.canonical import canonical_bytes
from bot.evidence.making import pack_of
from bot.evidence.pack import Pack, summed
from bot.slack_standin.workspace import JONAS, MAYA, PRIYA
from tests.bot.evidence.packed import decision_of, entries_of, pack, page_of, place_of, read, require_proved
from tests.bot.evidence.test_pack import hurt, unanchored
from tests.bot.evidence.test_pack_kinds import faults
from tests.world import TOOL, Proposal, World


async def held_up(world: World) -> Proposal:
    """A refund with a pause of its tool between two votes; other pauses before, beside and after it."""
    await world.say(PRIYA, f"pause tool {TOOL} BEFORE-IT")
    await world.say(PRIYA, f"resume tool {TOOL}")
    proposal = await world.propose()
    packet = await world.packet_of(proposal)
    await world.click(MAYA, packet)
    await world.say(PRIYA, f"pause tool {TOOL} the feed is odd")
    await world.say(PRIYA, "pause tool mail.send BESIDE-IT")
    await world.settled()
    await world.say(PRIYA, f"resume tool {TOOL} it was not")
    await world.settled()
    await world.click(JONAS, packet)
    await world.claim(proposal)
    await world.report(proposal)
    await world.settled()
    await world.say(PRIYA, f"pause tool {TOOL} AFTER-IT")
    return proposal


def of_the_switch(made: Pack) -> list[tuple[int, str]]:
    """Give the log indexes and kinds of the entries that are not the proposal's own."""
    return [(seq, entry["type"]) for seq, entry in entries_of(made).items() if entry["subject"] == "switch"]


async def test_what_held_it_up_is_proved(world: World, tmp_path: Path) -> None:
    """The pause and its end, with reasons and proofs, which the verifier calls whole; no other pause is there."""
    made = pack(world, await held_up(world))
    assert (made.broken, made.final) == ((), True)
    require_proved(made, world.settings.signing_key_file)
    assert faults(made, world, tmp_path / "pack") == []
    (paused, resumed) = of_the_switch(made)
    assert (paused[1], resumed[1]) == ("switch.paused", "switch.resumed")
    assert b"the feed is odd" in made.files[f"entries/{paused[0]}.disclosures"]
    assert "switch.paused" in page_of(made)
    told = [moment["seq"] for moment in read(made, "decision.json")["story"]]
    assert told == list(entries_of(made)), "what is told is what is proved"
    assert not [name for name, data in made.files.items() if any(other in data for other in (b"BEFORE", b"BESIDE"))]
    assert not [name for name, data in made.files.items() if b"AFTER-IT" in data]


async def test_one_that_is_still_frozen_has_what_froze_it(world: World) -> None:
    """Also before any packet could say so: the pause is the newest entry of the pack."""
    proposal = await world.propose()
    await world.settled()
    await world.stop()
    await world.start()
    await world.say(PRIYA, f"pause tool {TOOL} the feed is odd")
    made = pack(world, proposal)
    assert not made.final
    assert [kind for _, kind in of_the_switch(made)] == ["switch.paused"]
    assert "the feed is odd" in page_of(made)


async def test_a_pause_that_was_changed_breaks_the_pack(world: World) -> None:
    """Its reason, or its entry: a pack over it is broken, as over a changed vote."""
    proposal = await held_up(world)
    paused = of_the_switch(pack(world, proposal))[0][0]
    await world.stop()
    hurt(world, "UPDATE detached SET box = zeroblob(40) WHERE seq = :id", paused)
    assert unanchored(world, proposal["id"]).broken == (f"entry {paused}: the detached value 'reason' was changed",)
    hurt(world, "UPDATE entries SET leaf_hash = zeroblob(32) WHERE seq = :id", paused)
    assert f"entry {paused}: the stored hash is not the hash of the entry" in unanchored(world, proposal["id"]).broken


async def test_an_agent_is_not_given_them(world: World) -> None:
    """Its pack has the entries of its own proposal alone."""
    proposal = await held_up(world)
    decision = decision_of(world, proposal["id"])
    assert of_the_switch(pack_of(decision, place_of(world), world.clock(), "these-entries", for_agent=True)) == []


async def test_nothing_else_that_is_foreign_is_taken_for_evidence(world: World, tmp_path: Path) -> None:
    """An entry about another thing is refused by the verifier, though it is proved as well as the others."""
    proposal = await world.propose()
    await world.settled()
    made = pack(world, proposal)
    manifest = read(made, "manifest.json")
    with world.db() as db:
        body = db.execute("SELECT body FROM entries WHERE seq = 0").fetchone()[0]
    assert json.loads(body)["subject"] not in {proposal["id"], "switch"}
    told = {"disclosed": 0, "erased": len(json.loads(body)["_sd"]), "proved": False, "seq": 0}
    manifest["entries"].insert(0, told)
    files = {name: data for name, data in made.files.items() if name != "SHA256SUMS"}
    files |= {"entries/0.json": body, "manifest.json": canonical_bytes(manifest)}
    forged = Pack(made.proposal, summed(files), (), made.final)
    assert [fault.partition(", or ")[2] for fault in faults(forged, world, tmp_path / "pack")] == [
        "about something else"
    ]
