"""The signing key is exchanged under a running server: no gap, no restart, nothing that anybody must be given anew."""

import jwt
import pytest

from bot.audit.signed_note import checkpoint_in
from bot.grants import jwks
from bot.key_rotation import record_added, record_retired
from bot.keys import SigningKey, load, save
from tests.world import World


async def rotate(world: World) -> SigningKey:
    """Rotate as the command does, and let the server see it."""
    path = world.settings.signing_key_file
    key = load(path).rotated()
    save(path, key)
    await world.running.wiring.writer.run(lambda tx: record_added(tx, "root", key))
    world.running.witnesses.key.look()
    return key


async def retire(world: World) -> None:
    """Retire the old key as the command does."""
    path = world.settings.signing_key_file
    key = load(path)
    size = await world.running.wiring.writer.run(lambda tx: record_retired(tx, "root", key))
    save(path, key.with_retired(size))
    world.running.witnesses.key.look()


def verified(grant: str, keys: dict[str, list[dict[str, str]]]) -> bool:
    """Verify a grant as its receiver does, with a key set that he fetched."""
    kid = jwt.get_unverified_header(grant)["kid"]
    found = [one for one in keys["keys"] if one["kid"] == kid]
    if not found:
        return False
    jwt.decode(
        grant,
        jwt.PyJWK.from_dict(found[0]),
        algorithms=["EdDSA"],
        options={"verify_aud": False, "verify_exp": False, "verify_iat": False},
    )
    return True


async def test_grants_of_both_keys_verify_while_it_lasts(world: World) -> None:
    """One given before verifies until the old key is retired; one given after at once; the anchor has both names."""
    before = (await world.claim(await world.propose(42))).json()["grant"]
    first = load(world.settings.signing_key_file)
    key = await rotate(world)
    published = (await world.http.get("/.well-known/jwks.json")).json()
    assert [one["kid"] for one in published["keys"]] == [key.kid, first.kid]
    after = (await world.claim(await world.propose(43))).json()["grant"]
    assert jwt.get_unverified_header(after)["kid"] == key.kid
    assert verified(before, published)
    assert verified(after, published)
    await world.restart()
    head = world.settings.anchor_file.read_text("utf-8")
    for one in (first, key):
        checkpoint_in(head, [one.public_bytes()])
    await retire(world)
    published = (await world.http.get("/.well-known/jwks.json")).json()
    assert not verified(before, published)
    assert verified(after, published)
    await world.propose(44)
    await world.restart()
    world.verify_log()
    head = world.settings.anchor_file.read_text("utf-8")
    with pytest.raises(ValueError, match="no known key"):
        checkpoint_in(head, [first.public_bytes()])


async def test_a_file_that_cannot_be_used_is_said_and_changes_nothing(world: World) -> None:
    """Readable by others, or gone: the server goes on with what it has, and /readyz says why."""
    path = world.settings.signing_key_file
    kept = path.read_bytes()
    kid = world.running.wiring.key.kid
    path.chmod(0o644)
    world.running.witnesses.key.look()
    assert f"chmod 600 {path}" in (await world.http.get("/readyz")).text
    path.unlink()
    world.running.witnesses.key.look()
    assert "is gone; put it back" in (await world.http.get("/readyz")).text
    path.write_bytes(kept)
    path.chmod(0o600)
    world.running.witnesses.key.look()
    assert (await world.http.get("/readyz")).status_code == 200
    assert world.running.witnesses.key.fault is None
    assert world.running.wiring.key.kid == kid
    assert jwks([world.running.wiring.key])["keys"][0]["kid"] == kid
