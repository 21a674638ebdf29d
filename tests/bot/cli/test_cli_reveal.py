"""Looks from the command line: originals are shown with a reason, and each command that shows values is on record."""

import json
import zipfile

from approval_rules.auditor_events import COMMAND_LINE, AuditLooked
from approval_rules.reveal_events import Revealed
from bot.slack_standin.workspace import MAYA
from tests.bot.cli.living import Living

IBAN = "DE02120300000000202051"
ARGUMENTS = {"amount_usd": 180, "order_id": "ORD-1", "customer_id": "C-1", "bank_account": f"{IBAN}\x1b[31m"}


async def test_an_original_is_shown_with_a_reason_and_recorded(living: Living) -> None:
    """Without a name they are listed; without a reason nothing is shown; nothing that a terminal would obey."""
    world = living.world
    proposal = await world.propose(180, arguments=ARGUMENTS)
    listed = await living("audit", "reveal", proposal["id"])
    assert (listed.code, listed.out) == (0, "Nothing was shown. Hidden in it: bank_account.\n")
    reveal = ("audit", "reveal", proposal["id"], "--field", "bank_account")
    assert (await living(*reveal)).code == 2
    assert (await living(*reveal, "--reason", "x" * 501)).code == 2
    wrong = await living("audit", "reveal", proposal["id"], "--field", "amount_usd", "--reason", "why")
    assert (wrong.code, wrong.out) == (1, "")
    assert (await living("audit", "reveal", "prop_none")).code == 1
    assert world.ledger().events(Revealed) == []
    shown = await living(*reveal, "--reason", "chargeback 17")
    assert f"arguments.bank_account: {IBAN}\\x1b[31m" in shown.out
    assert (await living(*reveal, "--reason", "again", "--json")).json()["originals"][0]["text"] == ARGUMENTS[
        "bank_account"
    ]
    first, _ = world.ledger().events(Revealed)
    assert (first.about, first.field, first.door, first.by.kind.value) == (
        proposal["id"],
        "bank_account",
        "command-line",
        "operator",
    )


async def test_what_waits_is_listed_and_shown_covered(living: Living) -> None:
    """`pending` and `show` give a proposal as the API does, but for what people are not shown."""
    proposal = await living.world.propose(180, arguments=ARGUMENTS)
    for command in (("pending", "--json"), ("show", proposal["id"], "--json"), ("show", proposal["id"])):
        told = await living(*command)
        assert "ORD-1" in told.out
        assert "(hidden by policy)" in told.out
        assert IBAN not in told.out


async def test_every_command_that_shows_values_shows_them_covered_and_on_record(
    living: Living, tmp_path: object
) -> None:
    """Show, search, export, replay and prove: the masked form, one entry each; without values there is none."""
    world = living.world
    proposal = await world.propose(180, arguments=ARGUMENTS)
    await world.approve(proposal, MAYA)
    await world.settled()
    await world.running.audit.indexer.look()
    told = {
        "show": await living("audit", "show", "--subject", proposal["id"], "--json"),
        "search": await living("audit", "search", "--text", "parcel", "--json"),
        "export": await living("audit", "export", "--format", "ndjson", "--with-values"),
        "replay": await living("audit", "replay", proposal["id"]),
        "evidence": await living("audit", "prove", proposal["id"], "--to", f"{tmp_path}/pack"),
        "tiles": await living("audit", "export", "--tiles", f"{tmp_path}/tiles", "--with-values"),
    }
    for name, ended in told.items():
        assert ended.code == 0, (name, ended.err)
        assert IBAN not in ended.out, name
    looks = world.ledger().events(AuditLooked)
    assert [look.what for look in looks] == ["show", "search", "export", "replay", "evidence", "export"]
    assert {look.key for look in looks} == {COMMAND_LINE}
    assert looks[1].filters == ("text",)
    assert "(hidden by policy)" in told["show"].out
    await living("audit", "export", "--format", "ndjson")
    await living("audit", "show", "--subject", "switch")
    assert len(world.ledger().events(AuditLooked)) == len(looks)


async def test_a_pack_and_an_export_hold_originals_for_a_reason_only(living: Living, tmp_path: object) -> None:
    """What is hidden is in no file; `prove --reveal` puts it in, and each field of it is on record."""
    world = living.world
    proposal = await world.propose(180, arguments=ARGUMENTS)
    await world.settled()
    packs = {}
    for name, more in (("covered", ()), ("whole", ("--reveal", "court order 4"))):
        ended = await living("audit", "prove", proposal["id"], "--to", f"{tmp_path}/{name}.zip", *more)
        assert ended.code == 0, ended.err
        packs[name] = ended

    def read(name: str) -> dict[str, bytes]:
        with zipfile.ZipFile(f"{tmp_path}/{name}.zip") as archive:
            return {file: archive.read(file) for file in archive.namelist()}

    assert not [file for file, data in read("covered").items() if IBAN.encode() in data]
    whole = read("whole")
    assert IBAN.encode() in whole["action.json"]
    assert json.loads(whole["manifest.json"])["entries"][0].get("withheld") is None
    (look,) = world.ledger().events(Revealed)
    assert (look.field, look.door) == ("bank_account", "command-line")
