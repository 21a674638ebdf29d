"""A pack after the signing key was exchanged: the old grant byte for byte, under a checkpoint that counts."""

from pathlib import Path

import jwt
from foureyes_verify import Keys, check_all

from bot.evidence.pack import write_folder
from bot.keys import load
from tests.bot.evidence.packed import pack
from tests.scenarios.test_key_rotation import retire, rotate
from tests.world import World


async def test_what_the_old_key_signed_is_given_out_as_it_was(world: World, tmp_path: Path) -> None:
    """While both sign, and when the old one is retired: the verifier checks it with the keys of today."""
    proposal = await world.propose(42)
    before = (await world.claim(proposal)).json()["grant"]
    later = await world.propose(43)
    await rotate(world)
    after = (await world.claim(later)).json()["grant"]
    assert jwt.get_unverified_header(before)["kid"] != jwt.get_unverified_header(after)["kid"]
    await world.move(minutes=11)
    assert pack(world, proposal).files["grant.jws"].decode() == before
    await retire(world)
    await world.settled()
    for number, (made, grant) in enumerate(((pack(world, proposal), before), (pack(world, later), after))):
        assert made.broken == ()
        assert made.files["grant.jws"].decode() == grant
        write_folder(made, tmp_path / str(number))
        key = load(world.settings.signing_key_file)
        known = (*key.publics, *key.retired)
        reports, unreadable = check_all([tmp_path / str(number)], Keys(known, given=True), 1)
        assert (unreadable, [report.broken for report in reports]) == ([], [[]])
