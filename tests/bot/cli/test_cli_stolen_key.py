"""The way out after a theft of the signing key's file, as docs/stolen-key.md says it, command by command."""

import jwt
import pytest

from approval_rules.people import AgentId, ProposalId
from bot.audit.signed_note import checkpoint_in
from bot.grants import GrantClaims, LogHead, sign_grant
from bot.keys import SigningKey, callback_secret, load
from bot.slack_standin.workspace import AGENT_OPS, JONAS, MAYA, SAM
from tests.bot.cli.shell import Shell
from tests.scenarios.test_key_rotation import verified
from tests.world import BOT_TOKEN, SIGNING_SECRET, TOOL, Proposal, World

KEPT = ("foureyes.db", "foureyes.db-wal", "foureyes.db-shm", "foureyes.key", "foureyes.head", "foureyes.data-keys")
STOLEN = "The signing key was stolen: nothing runs until we have begun anew."


async def ran(shell: Shell, *arguments: str) -> str:
    """Run a command of the runbook, which must succeed."""
    ended = await shell.beside(*arguments)
    assert ended.code == 0, (arguments, ended)
    return ended.out


async def ended_log(shell: Shell, world: World) -> list[str]:
    """Stop everything, end the old log, and put it away; gives the three lines of its last checkpoint."""
    await ran(shell, "pause", STOLEN)
    await world.settled()
    await world.stop()
    await ran(shell, "key", "rotate")
    await ran(shell, "key", "retire", "--now")
    await ran(shell, "audit", "checkpoint")
    assert "The log is whole" in await ran(shell, "audit", "verify")
    await ran(shell, "audit", "export", "--tiles", "ended-log")
    ended = shell.folder / "ended"
    ended.mkdir()
    for name in KEPT:
        if (shell.folder / name).exists():
            (shell.folder / name).rename(ended / name)
    return (shell.folder / "ended-log" / "checkpoint").read_text("utf-8").splitlines()[:3]


def forged(thief: SigningKey, world: World, agent: str) -> list[str]:
    """Sign grants as the thief can: under his own key's id, and under that of the key that is trusted now."""
    now = world.clock()
    log = LogHead(1, 2, "0" * 64, "0" * 64)
    digest = f"sha256:{'0' * 64}"
    life = {"iat": now, "exp": now.replace(microsecond=0) + (now.min.resolution * 60_000_000)}
    claims = GrantClaims(
        "foureyes", AgentId(agent), "grant_1", ProposalId("prop_1"), TOOL, digest, digest, (), **life, log=log
    )
    own = sign_grant(thief, claims)
    header, payload, _ = own.split(".")
    trusted = load(world.settings.signing_key_file)
    head = jwt.utils.base64url_encode(
        jwt.utils.base64url_decode(header).replace(thief.kid.encode(), trusted.kid.encode())
    ).decode()
    signature = jwt.utils.base64url_encode(thief.sign(f"{head}.{payload}".encode())).decode()
    return [own, f"{head}.{payload}.{signature}"]


def said(world: World) -> list[str]:
    """Give what everybody can read in the announcements."""
    return [message.text for message in world.slack.messages(AGENT_OPS)]


async def refunded(world: World) -> Proposal:
    """Let two people approve a refund."""
    proposal = await world.propose()
    packet = await world.packet_of(proposal)
    await world.click(MAYA, packet)
    await world.click(JONAS, packet)
    return proposal


async def test_a_new_installation_after_a_theft(shell: Shell, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The old log is whole and ended, the new one names its end in public, and the thief can sign and forge nothing."""
    thief_file = tmp_path_factory.mktemp("thief") / "foureyes.key"
    async with World(shell.folder) as world:
        shell.set(SLACK_API_URL=world.slack.api_url, SLACK_BOT_TOKEN=BOT_TOKEN, SLACK_SIGNING_SECRET=SIGNING_SECRET)
        shell.set(FOUREYES_CALLBACK_ALLOW="127.0.0.1")
        thief_file.write_bytes(world.settings.signing_key_file.read_bytes())
        thief_file.chmod(0o600)
        thief = load(thief_file)
        open_one = await world.propose()
        old_packet = await world.packet_of(open_one)
        old_grant = (await world.claim(await world.propose(42))).json()["grant"]
        last = await ended_log(shell, world)
        await begun_anew(shell, world, last)
        agent = await new_agent(shell, world, thief)
        keys = (await world.http.get("/.well-known/jwks.json")).json()
        own, borrowed = forged(thief, world, agent)
        assert not verified(own, keys)
        assert not verified(old_grant, keys)
        with pytest.raises(jwt.InvalidSignatureError):
            verified(borrowed, keys)
        assert "It did not count" in await world.click(MAYA, old_packet, force=True)
        for person in (MAYA, JONAS):
            await world.say(person, "resume all")
        grant = (await world.claim(await refunded(world))).json()["grant"]
        assert verified(grant, keys)
        await world.settled()
        await world.stop()
    await both_logs_verify(shell, thief)


async def begun_anew(shell: Shell, world: World, last: list[str]) -> None:
    """Make the new files, and say in them and in public where the old log ended."""
    await ran(shell, "init")
    assert load(shell.folder / "foureyes.key").retired == {}
    await ran(shell, "pause", f"Begun anew after a theft. The log before ended with {' '.join(last)}")
    await world.start()
    await world.until(lambda: told(world, last[2]), "the message about the new log")
    assert any(STOLEN in text for text in said(world))


async def told(world: World, root: str) -> bool:
    """Tell whether everybody can read how the old log ended."""
    return any(root in text for text in said(world))


async def new_agent(shell: Shell, world: World, thief: SigningKey) -> str:
    """Register the agent again; the thief cannot compute its callback secret."""
    made = (await shell.beside("agent", "add", "refund-bot", "--owner", SAM, "--tool", TOOL, "--json")).json()
    assert made["callback_secret"] not in {callback_secret(thief, made["id"], each) for each in range(9)}
    world.http = world.client(made["key"])
    return str(made["id"])


async def both_logs_verify(shell: Shell, thief: SigningKey) -> None:
    """Each with its own files; what the thief signed of the old one counts no more."""
    assert "The log is whole" in await ran(shell, "audit", "verify")
    ended = shell.folder / "ended"
    shell.set(FOUREYES_DATABASE_URL=f"sqlite+aiosqlite:///{ended}/foureyes.db")
    shell.set(FOUREYES_SIGNING_KEY_FILE=ended / "foureyes.key")
    assert "The log is whole" in await ran(shell, "audit", "verify")
    with pytest.raises(ValueError, match="no known key"):
        checkpoint_in((ended / "foureyes.head").read_text("utf-8"), [thief.public_bytes()])
