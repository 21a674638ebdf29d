"""The verifier over an evidence pack: whoever changes a file of it, and the sums with it, is found by the rest."""

import asyncio
import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import foureyes_verify
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from foureyes_verify import Keys, main

from bot.audit.log_format import canonical
from bot.audit.tile_export import export
from bot.keys import load
from bot.slack_standin.workspace import JONAS, MAYA
from bot.store.engine import open_reader
from tests.authenticator import Passkey
from tests.bot.evidence.packed import pack
from tests.passkey_world import PasskeyWorld
from tests.verifier.scene import faults, found

Files = dict[str, bytes]
Damage = Callable[[Files], object]


@dataclass(frozen=True)
class Made:
    """A pack's files, the key of its log, and an export of the whole log."""

    files: Files
    keys: Keys
    export: Path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A refund that two people approved with passkeys, claimed, reported, and over."""
    folder = tmp_path_factory.mktemp("pack")

    async def play() -> Files:
        async with PasskeyWorld(folder / "world") as world:
            passkeys = {MAYA: Passkey("ES256"), JONAS: Passkey("EdDSA")}
            for user, passkey in passkeys.items():
                await world.enrol(user, passkey)
                await world.confirm(user)
            proposal = await world.propose()
            packet = await world.packet_of(proposal)
            for user, passkey in passkeys.items():
                shown = await world.page_for(user, packet)
                answer = passkey.answer(shown.challenge, world.lie())
                assert (await world.post(shown, answer)).status_code == 200
            assert (await world.claim(proposal)).status_code == 200
            await world.report(proposal)
            await world.settled()
            await world.move(minutes=11)
            files = pack(world, proposal).files
            key = load(world.settings.signing_key_file)
            with open_reader(world.database) as db:
                export(db, folder / "export", [key.signer])
            (folder / "key").write_bytes(key.public_bytes())
            return dict(files)

    files = asyncio.run(play())
    return Made(files, Keys(((folder / "key").read_bytes(),), given=True), folder / "export")


def put(files: Files, folder: Path) -> Path:
    """Write a pack as a folder."""
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def summed(files: Files) -> Files:
    """Set the list of sums right again, as whoever changes a file would."""
    rest = {name: data for name, data in files.items() if name != "SHA256SUMS"}
    lines = [f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(rest.items())]
    return {**rest, "SHA256SUMS": "".join(lines).encode()}


def test_a_whole_pack(made: Made, tmp_path: Path) -> None:
    """Folder or ZIP, under the key that the auditor knows; with an export, nothing about it was left out."""
    folder = put(made.files, tmp_path / "pack")
    with zipfile.ZipFile(tmp_path / "pack.zip", "w") as archive:
        for name, data in made.files.items():
            archive.writestr(name, data)
    for path in (folder, tmp_path / "pack.zip"):
        (report,) = found(path, keys=made.keys)
        assert report.broken == []
        count = report.facts["entries"]
        assert report.proved == (
            f"{count} of {count} entries stand under its checkpoint, signed with a key that you named."
        )
        assert report.facts["sums"] == hashlib.sha256(made.files["SHA256SUMS"]).hexdigest()
    reports = found(made.export, folder, keys=made.keys)
    assert [report.broken for report in reports] == [[], []]
    assert any("all entries about it" in note for note in reports[1].notes)


def test_whose_keys_they_are_is_said(made: Made, tmp_path: Path) -> None:
    """A pack vouches for itself, and the reader learns that."""
    (report,) = found(put(made.files, tmp_path), keys=Keys())
    assert report.broken == []
    assert report.notes[0].startswith("the keys came with the pack")
    stranger = Keys((bytes(32),), given=True)
    assert "no key that you named has signed it" in str(faults(tmp_path, keys=stranger))


def place(made: Made, kind: str) -> int:
    """The first entry of a kind."""
    names = (name for name in made.files if name.startswith("entries/") and name.endswith(".json"))
    entries = (json.loads(made.files[name]) for name in names)
    return min([int(entry["seq"]) for entry in entries if entry["type"] == kind])


def edit(name: str, **changed: Any) -> Damage:  # noqa: ANN401 - JSON
    """Change fields of a JSON file."""

    def damage(files: Files) -> None:
        files[name] = json.dumps(
            {**json.loads(files[name]), **changed}, sort_keys=True, ensure_ascii=False, separators=(",", ":")
        ).encode()

    return damage


def swap_text(name: str, old: bytes, new: bytes) -> Damage:
    """Change the first place of some bytes."""

    def damage(files: Files) -> None:
        assert old in files[name], files[name]
        files[name] = files[name].replace(old, new, 1)

    return damage


def without(name: str) -> Damage:
    """Leave a file out."""
    return lambda files: files.pop(name)


def damages(made: Made) -> Iterator[tuple[Damage, str]]:
    """Every part of a pack, and what is said of it."""
    vote, submitted, posted = (place(made, kind) for kind in ("vote.counted", "proposal.submitted", "packet.posted"))
    granted, last = place(made, "claim.granted"), place(made, "outcome.reported")
    listing = next(name for name in made.files if name.endswith("/listing"))
    policy = next(name for name in made.files if "/files/" in name)
    factor = f"votes/{vote}"
    manifest = json.loads(made.files["manifest.json"])
    yield swap_text(f"entries/{vote}.json", b'"type":"vote', b'"type":"vite'), "its proof does not lead to the signed"
    yield swap_text(f"entries/{vote}.json", b'"v":1', b'"v":1.0'), "it cannot be read"
    yield swap_text(f"entries/{vote}.json", b'"v":1', b'"v": 1'), "it is not in canonical form, of another number, or"
    yield swap_text(f"entries/{vote}.tlog-proof", b"index ", b"index 1"), "its proof is none, or for another checkpoint"
    yield swap_text(f"entries/{vote}.tlog-proof", b"@v1", b"@v2"), "its proof is none, or for another checkpoint"
    yield without(f"entries/{vote}.tlog-proof"), "tlog-proof is missing, or is no text"
    yield swap_text("checkpoint", b"\n\n", b"\nmore\n\n"), "its checkpoint: its signature is wrong: it was changed"
    yield without("checkpoint"), "checkpoint is missing, or is no text"
    yield edit("manifest.json", checkpoint={**manifest["checkpoint"], "size": 1}), "is not the one that the manifest"
    yield edit("manifest.json", checkpoint=None), "its checkpoint is not the one that the manifest names"
    yield edit("manifest.json", entries=manifest["entries"][:-1]), "the entries of the manifest are not those"
    yield edit("manifest.json", format="x"), "manifest.json is not of the format foureyes-evidence/1"
    yield edit("manifest.json", broken=["the log is BROKEN"]), "its maker found: the log is BROKEN"
    yield edit("manifest.json", entries=3), "it is not as a pack should be: TypeError in manifest"
    erased = [{**each, "erased": each["erased"] + 1} for each in manifest["entries"]]
    yield edit("manifest.json", entries=erased), "the manifest says another number of values that live or were erased"
    unproved = [{**each, "proved": False} for each in manifest["entries"]]
    yield edit("manifest.json", entries=unproved), "the manifest says that it has no proof, and it has one"
    yield swap_text("manifest.json", b"{", b"{ "), "manifest.json is missing, or is no canonical JSON"
    yield swap_text(f"entries/{submitted}.disclosures", b"arrived broken", b"arrived whole"), "is not the one that it"
    yield swap_text("action.json", b"180", b"181"), "action.json is not the action of which the log has the digest"
    yield swap_text("action.json", b"{", b"{ "), "action.json is missing, or is no canonical JSON"
    yield swap_text(listing, b"  ", b" *"), "is not the policy version that an entry names"
    yield swap_text(policy, b"amount_usd", b"amount_eur"), "is not the file that its listing names"
    yield edit(f"packets/{posted}.json", blocks=[]), "its blocks are not those of which it has the digest"
    yield edit(f"packets/{posted}.json", shown="sha256:0", same=False), "this is not what the log says was shown"
    yield swap_text(f"{factor}/intent.json", b"approve", b"deny"), "its intent is not the one in the log"
    yield swap_text(f"{factor}/client-data.json", b"webauthn.get", b"webauthn.got"), "the passkey did not sign this"
    yield swap_text(f"{factor}/signature.bin", made.files[f"{factor}/signature.bin"][-1:], b"\0"), "did not sign this"
    yield without(f"{factor}/signature.bin"), "it is not as a pack should be: KeyError in factors"
    yield swap_text("grant.jws", b".", b"."[:0]), "it is not as a pack should be: ValueError in jws"
    yield swap_text("jwks.json", b'"x":"', b'"x":"A'), "a key that is neither PEM, nor a JWKS"
    yield without(f"entries/{last}.json"), "the entries of the manifest are not those that are there"
    yield swap_text(f"entries/{granted}.json", b'"v":1', b'"v":2'), "its proof does not lead to the signed root"


def test_every_part_is_held_by_another(made: Made, tmp_path: Path) -> None:
    """The sums set right again and no key named: each change has its sentence all the same."""
    for number, (damage, what) in enumerate(damages(made)):
        files = dict(made.files)
        damage(files)
        told = faults(put(summed(files), tmp_path / str(number)), keys=Keys())
        assert any(what in text for _, text in told), (number, what, told)


def test_a_change_without_the_sums_is_found_in_any_file(made: Made, tmp_path: Path) -> None:
    """One bit in any file, also in those for people; a file too much; a file too few."""
    for number, name in enumerate(sorted(made.files)):
        data = made.files[name]
        changed = data[:-1] + bytes([data[-1] ^ 1])
        assert faults(put({**made.files, name: changed}, tmp_path / str(number)), keys=made.keys), name
    more = put({**made.files, "notes.txt": b""}, tmp_path / "more")
    assert (None, "notes.txt is not listed in SHA256SUMS") in faults(more, keys=made.keys)
    fewer = put({name: data for name, data in made.files.items() if name != "index.html"}, tmp_path / "fewer")
    assert (None, "index.html is missing") in faults(fewer, keys=made.keys)


def resigned(made: Made, name: str, change: Callable[[dict[str, Any]], object]) -> Files:
    """Change an entry so that only the whole log shows it; gives the files without its proof."""
    entry = json.loads(made.files[name])
    change(entry)
    manifest = json.loads(made.files["manifest.json"])
    for each in manifest["entries"]:
        each["proved"] = each["proved"] and f"entries/{each['seq']}.json" != name
    files = {**made.files, name: canonical(entry), "manifest.json": canonical(manifest)}
    files.pop(name.replace(".json", ".tlog-proof"))
    return summed(files)


def test_an_entry_without_a_proof_is_held_against_the_log(made: Made, tmp_path: Path) -> None:
    """What a pack calls newer than its checkpoint is not counted as proved, and an export finds the lie."""
    name = f"entries/{place(made, 'vote.counted')}.json"
    folder = put(resigned(made, name, lambda entry: entry.update(at="2020-01-01T00:00:00.000000Z")), tmp_path)
    (report,) = found(folder, keys=made.keys)
    count = report.facts["entries"]
    assert (report.broken, report.proved.partition(" stand")[0]) == ([], f"{count - 1} of {count} entries")
    told = [what for _, what in faults(made.export, folder, keys=made.keys)]
    assert told == [f"the entry of {made.export} is another one, or is missing"]


def test_an_entry_that_was_left_out_is_found_by_the_log(made: Made, tmp_path: Path) -> None:
    """A pack cannot show that it is complete; together with an export it can."""
    refused = place(made, "vote.counted")
    manifest = json.loads(made.files["manifest.json"])
    manifest["entries"] = [each for each in manifest["entries"] if each["seq"] != refused]
    files = {
        name: data for name, data in made.files.items() if f"/{refused}." not in name and f"/{refused}/" not in name
    }
    folder = put(summed({**files, "manifest.json": canonical(manifest)}), tmp_path)
    assert faults(folder, keys=made.keys) == []
    told = faults(folder, made.export, keys=made.keys)
    assert told == [(refused, f"1 entries about it in {made.export} are not in the pack")]


@pytest.mark.parametrize("kind", ["not a zip", "twice", "link", "empty"])
def test_what_no_maker_of_ours_writes(made: Made, tmp_path: Path, kind: str) -> None:
    """A torn ZIP, a name that stands twice, a link out of the folder, a folder with nothing: broken, no traceback."""
    path = tmp_path / "pack"
    if kind == "not a zip":
        path.write_bytes(b"PK\x03\x04" + bytes(50))
    elif kind == "twice":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("manifest.json", b"{}")
            with pytest.warns(UserWarning, match="Duplicate name"):
                archive.writestr("manifest.json", b"{}")
    else:
        put(made.files if kind == "link" else {"manifest.json": b"{}"}, path)
        if kind == "link":
            (path / "more").symlink_to(tmp_path)
    assert faults(path, keys=made.keys)


def test_a_huge_zip_is_not_unpacked(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bomb is refused by the size that it admits."""
    with zipfile.ZipFile(tmp_path / "pack.zip", "w") as archive:
        archive.writestr("manifest.json", made.files["manifest.json"])
    monkeypatch.setattr(foureyes_verify, "MOST_PACK_BYTES", 10)
    assert "is larger than 10 bytes" in str(faults(tmp_path / "pack.zip", keys=made.keys))


def test_it_is_told(made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On a terminal: that the page for people proves nothing by itself stands under every pack."""
    folder = put(made.files, tmp_path)
    assert main([str(folder)]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"whole   pack {folder}, ")
    assert "index.html, README.txt and decision.json retell it" in out


def test_keys_of_other_kinds_verify_too() -> None:
    """A passkey may have an RSA key; one that cannot sign is none."""
    rsa = generate_private_key(65537, 2048)
    signature = rsa.sign(b"x", PKCS1v15(), SHA256())
    pem = [
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        for key in (rsa, x25519.X25519PrivateKey.generate(), ec.generate_private_key(ec.SECP256R1()))
    ]
    assert [foureyes_verify._is_passkeys(key, signature, b"x") for key in pem] == [True, False, False]


def exchange(files: Files) -> None:
    """Let one person be the other."""
    people = json.loads(files["people.json"])
    one, other = sorted(people)[:2]
    people[one], people[other] = people[other], people[one]
    files["people.json"] = canonical(people)


def leave_out(files: Files) -> None:
    """Say nothing of a person."""
    people = json.loads(files["people.json"])
    files["people.json"] = canonical({ref: told for ref, told in people.items() if MAYA not in told["account"]})


def test_whose_vote_it_was_is_borne_out(made: Made, tmp_path: Path) -> None:
    """Each pseudonym is the digest of its account: who is exchanged is found, and of whom nothing is said, that."""
    accounts = {told["account"][1] for told in json.loads(made.files["people.json"]).values()}
    assert {MAYA, JONAS} <= accounts
    changed = dict(made.files)
    exchange(changed)
    (report,) = found(put(summed(changed), tmp_path / "exchanged"), keys=made.keys)
    assert ["was made for another account" in fault["what"] for fault in report.broken] == [True]
    changed = dict(made.files)
    leave_out(changed)
    (report,) = found(put(summed(changed), tmp_path / "less"), keys=made.keys)
    assert report.broken == []
    assert any("is not borne out: pers_" in note for note in report.notes)
    changed = dict(made.files)
    changed["people.json"] = b'{"pers_x":{"account":"y"}}'
    (report,) = found(put(summed(changed), tmp_path / "none"), keys=made.keys)
    assert ["not as a pack should be" in fault["what"] for fault in report.broken] == [True]
    del changed["people.json"]
    (report,) = found(put(summed(changed), tmp_path / "earlier"), keys=made.keys)
    assert report.broken == []
    assert any("is not borne out: pers_" in note for note in report.notes)
