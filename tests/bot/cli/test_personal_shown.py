"""Personal arguments are shown and exported until their term is over, and by no command afterwards."""

from pathlib import Path

from bot.slack_standin.workspace import MAYA
from tests.bot.cli.living import Living
from tests.scenarios.test_personal_arguments import ARGUMENTS, MARKER, PAGE
from tests.world import TOOL


async def told(living: Living, proposal: str, folder: Path) -> dict[str, bool]:
    """Say of each command whether anything that it prints or writes has the marker; each must end well."""
    found: dict[str, bool] = {}
    for arguments in (
        ("audit", "export", "--tiles", str(folder / "tiles"), "--with-values"),
        ("audit", "export", "--format", "ndjson", "--with-values"),
        ("audit", "export", "--format", "csv", "--with-values"),
        ("audit", "prove", proposal, "--to", str(folder / "pack")),
        ("audit", "replay", proposal),
        ("show", proposal),
    ):
        ended = await living(*arguments)
        assert ended.code == 0, ended.err
        found[" ".join(each for each in arguments[:4] if each != proposal and "/" not in each)] = MARKER in ended.out
    return found | written(folder)


def written(folder: Path) -> dict[str, bool]:
    """Say of each thing in a folder whether any file of it has the marker."""
    return {
        part.name: any(MARKER.encode() in file.read_bytes() for file in part.rglob("*") if file.is_file())
        for part in folder.iterdir()
    }


async def test_no_command_shows_or_writes_what_was_erased(living: Living, tmp_path: Path) -> None:
    """Each way out has it before and not after: exports with values, evidence, replay, the proposal itself."""
    world = living.world
    (world.policy / f"{TOOL}.yml").write_text(PAGE, "utf-8")
    await world.running.watch.look()
    proposal = await world.propose(180, arguments=ARGUMENTS)
    await world.deny(MAYA, await world.packet_of(proposal), "no")
    await world.settled()
    before = await told(living, proposal["id"], tmp_path / "before")
    await world.move(days=30)
    await world.running.retention.look()
    after = await told(living, proposal["id"], tmp_path / "after")
    ways = {"audit export --format ndjson", "audit export --format csv", "audit replay", "show", "tiles", "pack"}
    assert {way for way, has in before.items() if has} == ways
    assert after == dict.fromkeys(before, False)
