"""The verifier over a grant: who signed it, that it is one, and that the log still has the entry that gave it."""

import base64
import json
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from foureyes_verify import Keys, main

from approval_rules.people import AgentId, ProposalId
from bot.grants import GrantClaims, LogHead, jwks, sign_grant
from bot.keys import SigningKey, base64url, generate
from tests.verifier.scene import KEY, Scene, faults, found, scene_in

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
REWRITTEN = "it is not the one that the grant grant.jws names: history was rewritten"


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """A log in which entry 5 gave a grant."""
    return scene_in(tmp_path)


def claims(scene: Scene) -> GrantClaims:
    """What the server says when it gives the permission of entry 5."""
    line = (scene.export / "disclosures.ndjson").read_text("utf-8")
    assert line
    return GrantClaims(
        iss="foureyes",
        aud=AgentId("agent_1"),
        jti="grant_1",
        proposal=ProposalId(subject(scene)),
        tool="payments.refund",
        args_sha256="sha256:" + "0f" * 32,
        policy="sha256:" + "aa" * 32,
        approvers=("person_1", "person_2"),
        iat=NOON,
        exp=NOON + timedelta(minutes=10),
        log=LogHead(index=5, size=6, head=scene.leaves()[5].hex(), root=root(scene)),
    )


def subject(scene: Scene) -> str:
    """The proposal of the first entry."""
    bundle = (scene.export / "tile/entries/000").read_bytes()
    return str(json.loads(bundle[2 : 2 + int.from_bytes(bundle[:2], "big")])["subject"])


def root(scene: Scene) -> str:
    """What the first six entries come to, in hex."""
    return base64.b64decode(scene.note(6).split("\n")[2]).hex()


def written(scene: Scene, token: str) -> Path:
    """Put a grant into a file."""
    path = scene.folder / "grant.jws"
    path.write_text(f"{token}\n", "utf-8")
    return path


def signed(header: dict[str, Any], payload: dict[str, Any], key: SigningKey = KEY) -> str:
    """Sign anything as a JWS."""
    text = ".".join(base64url(json.dumps(part).encode()) for part in (header, payload))
    return f"{text}.{base64url(key.sign(text.encode()))}"


HEADER = {"alg": "EdDSA", "typ": "foureyes-grant+jwt", "kid": KEY.kid}


def payload(scene: Scene, **changed: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """The claims as JSON."""
    told = asdict(claims(scene)) | {"iat": 1795176000, "exp": 1795176600}
    return {**told, **changed}


def test_a_grant_in_its_log(scene: Scene) -> None:
    """The key set of the server verifies it, and the log has the entry under the hash that it carries."""
    grant = written(scene, sign_grant(KEY, claims(scene)))
    reports = found(grant, scene.export, scene.database)
    assert [report.broken for report in reports] == [[], [], []]
    assert reports[-1].proved == "It was signed with a key that you named."
    assert reports[-1].notes == [
        f"entry 5 of {scene.export} is the one that it names",
        f"entry 5 of {scene.database} is the one that it names",
    ]
    assert reports[-1].facts["proposal"] == subject(scene)


def test_a_key_set_from_a_file(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    """`--key` takes what /.well-known/jwks.json answers, with other keys in it."""
    grant = written(scene, sign_grant(KEY, claims(scene)))
    keys = scene.folder / "jwks.json"
    keys.write_text(json.dumps(jwks([generate(), KEY])), "utf-8")
    assert main(["--key", str(keys), str(grant)]) == 0
    assert capsys.readouterr().out == f"whole   grant {grant}\n        It was signed with a key that you named.\n"


def test_without_a_key_its_signature_is_open(scene: Scene) -> None:
    """Nobody is told that a signature is right that nobody checked."""
    (report,) = found(written(scene, sign_grant(KEY, claims(scene))), keys=Keys())
    assert (report.broken, report.proved) == ([], "")
    assert report.notes == ["whose signature it bears nobody checked: name the key set with --key"]


@pytest.mark.parametrize(
    ("header", "changed", "what"),
    [
        ({"alg": "none"}, {}, "this is no grant: its header says something else"),
        ({"typ": "JWT"}, {}, "this is no grant: its header says something else"),
        ({"kid": "x"}, {}, "none of the keys (named) is the one that it names"),
        ({}, {"exp": 1795176601}, "it lives longer than a grant may"),
        ({}, {"exp": 1795176000}, "it lives longer than a grant may"),
        ({}, {"iat": True}, "it lives longer than a grant may"),
        ({}, {"jti": None}, "it does not name its issuer, agent, id, proposal, tool and arguments"),
        ({}, {"log": None}, "it does not say where in the log it stands"),
        ({}, {"log": {"index": 5}}, "it does not say where in the log it stands"),
        ({}, {"proposal": "prop_other"}, "entry 5 of"),
        ({}, {"log": {"index": 5, "size": 6, "head": "ff" * 32}}, REWRITTEN),
        ({}, {"log": {"index": 602, "size": 603, "head": "ff" * 32}}, "names entry 602 of 603: the last ones are"),
        ({}, {"log": {"index": 5, "size": 6, "root": "ff" * 32}}, "the first 6 entries are not what the grant grant"),
    ],
)
def test_every_wrong_claim_has_its_sentence(
    scene: Scene, header: dict[str, Any], changed: dict[str, Any], what: str
) -> None:
    """A grant that is none, or that the log does not bear out."""
    grant = written(scene, signed({**HEADER, **header}, payload(scene, **changed)))
    told = [text for _, text in faults(scene.export, grant)]
    assert any(what in text for text in told), told


def test_its_root_is_held_against_the_log(scene: Scene) -> None:
    """The root in a grant is a checkpoint in the hand of an agent, in hex or in base64."""
    root = scene.note(6).split("\n")[2]
    token = signed(HEADER, payload(scene, log={"index": 5, "size": 6, "root": root}))
    assert faults(scene.export, written(scene, token)) == []


def test_a_changed_grant(scene: Scene) -> None:
    """One changed bit in any part of it is found."""
    token = sign_grant(KEY, claims(scene))
    for at in range(0, len(token), 61):
        if token[at] != ".":
            other = "A" if token[at] != "A" else "B"
            assert faults(written(scene, token[:at] + other + token[at + 1 :])), at


@pytest.mark.parametrize("token", ["a.b.c", "e30.e30.AA", "W10.W10.AA", f"e30.{'W' * 40}.AA"])
def test_rubbish_is_a_finding(scene: Scene, token: str) -> None:
    """Three parts that are no JSON objects are broken, and no traceback."""
    assert faults(written(scene, token), scene.export)


def test_a_grant_of_a_stranger(scene: Scene) -> None:
    """Whoever signs with a key of his own is found out by the key's name or by its signature."""
    stranger = generate()
    ours = replace(claims(scene), jti="grant_2")
    assert "none of the keys" in faults(written(scene, sign_grant(stranger, ours)))[0][1]
    forged = signed(HEADER, payload(scene), stranger)
    assert faults(written(scene, forged)) == [(None, "its signature is wrong: it was changed")]
