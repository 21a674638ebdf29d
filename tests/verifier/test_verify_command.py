"""The verifier as an auditor runs it: one file, none of our code, an exit code, words or JSON."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import cryptography
import foureyes_verify
import pytest

from bot.keys import generate
from tests.verifier.scene import Scene, scene_in

FILE = Path(foureyes_verify.__file__)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """A fresh scene."""
    return scene_in(tmp_path)


def run(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the file by itself, with nothing of this tree to import."""
    return subprocess.run(  # noqa: S603 - our own file
        [sys.executable, "-I", "-S", "-W", "error", "-c", _ALONE, FILE, *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


# Without `site` nothing is there but the standard library; then only what `cryptography` needs is let in.
_ALONE = f"""
import runpy, sys
sys.path.append({str(Path(cryptography.__file__).parents[1])!r})
sys.argv = sys.argv[1:]
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
finally:
    ours = {{"bot", "handlers", "approval_rules"}} & {{name.partition(".")[0] for name in sys.modules}}
    if ours:
        sys.exit(f"imported {{ours}}")
"""


def test_it_imports_the_standard_library_and_cryptography_alone() -> None:
    """Whoever distrusts us runs none of our code but this file, which he can read."""
    tree = ast.parse(FILE.read_text("utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "." for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    roots = {name.partition(".")[0] for name in names}
    assert roots - sys.stdlib_module_names == {"cryptography"}
    calls = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert not calls & {"__import__", "exec", "eval", "compile"}
    assert not roots & {"urllib", "http", "socket", "ssl", "ftplib", "smtplib", "subprocess", "importlib", "pickle"}


def test_as_a_program(scene: Scene) -> None:
    """Exit 0 and the figures for what is whole; 7 with the place for what is broken; both at once are broken."""
    key = scene.vkey()
    whole = run("--key", key, scene.export, scene.database, cwd=scene.folder)
    assert (whole.returncode, whole.stderr) == (0, "")
    assert whole.stdout.startswith(f"whole   export {scene.export}, 602 entries\n")
    scene.change("UPDATE entries SET leaf_hash = zeroblob(32) WHERE seq = 9")
    broken = run("--key", key, scene.export, scene.database, cwd=scene.folder)
    assert (broken.returncode, broken.stderr) == (7, "")
    assert "whole   export" in broken.stdout
    assert f"BROKEN  database {scene.database}, 602 entries\n" in broken.stdout
    assert "        entry 9: its bytes do not have the hash that stands beside it" in broken.stdout


def test_json_says_the_same_to_programs(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    """One document with every report, whole or broken."""
    assert foureyes_verify.main(["--json", "--jobs", "1", str(scene.export)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["whole"], told["unreadable"], len(told["checked"])) == (True, [], 1)
    assert (told["checked"][0]["kind"], told["checked"][0]["entries"]) == ("export", 602)
    (scene.export / "checkpoint").unlink()
    assert foureyes_verify.main(["--json", str(scene.export)]) == 7
    (report,) = json.loads(capsys.readouterr().out)["checked"]
    assert report["broken"] == [{"entry": None, "what": "there is no checkpoint: this export was not finished"}]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "the following arguments are required: PATH"),
        (["--nonsense"], "the following arguments are required: PATH"),
        (["missing"], "cannot be checked: missing: No such file or directory"),
        (["."], "cannot be checked: . is neither an export nor an evidence pack"),
        (["foureyes.head/x"], "cannot be checked: foureyes.head/x: Not a directory"),
        (["text"], "cannot be checked: text is no export, database, evidence pack, grant or checkpoint"),
        (["bytes"], "cannot be checked: bytes is none of what can be checked here"),
        (["--key", "a+b+c", "export"], "a key is a PEM, a JWKS, or NAME+ID+KEY with an Ed25519 key"),
        (["--key", "missing", "export"], "missing: No such file or directory"),
        (["--key", "bad.json", "export"], "a key that is neither PEM, nor a JWKS"),
        (["--key", "bad.pem", "export"], "a key that is neither PEM, nor a JWKS"),
        (["--key", "rsa.pem", "export"], "the PEM holds no Ed25519 key"),
    ],
)
def test_a_wrong_call_is_one_line_and_exit_1(
    scene: Scene,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
) -> None:
    """Nothing that is called wrongly, or is none of what can be checked, passes for whole, or for broken."""
    monkeypatch.chdir(scene.folder)
    (scene.folder / "text").write_text("hello\x1b[2J", "utf-8")
    (scene.folder / "bytes").write_bytes(b"\xff\xfe")
    (scene.folder / "bad.json").write_text('{"keys": [{}]}', "utf-8")
    (scene.folder / "bad.pem").write_text("-----BEGIN PUBLIC KEY-----\nAA\n-----END PUBLIC KEY-----\n", "utf-8")
    (scene.folder / "rsa.pem").write_text(_P256, "utf-8")
    try:
        code = foureyes_verify.main(arguments)
    except SystemExit as end:
        code = int(str(end.code))
    captured = capsys.readouterr()
    assert (code, captured.out) == (1, "")
    assert said in captured.err
    assert captured.err.count("\n") == 1


_P256 = """-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt
6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==
-----END PUBLIC KEY-----
"""


def test_broken_outweighs_unreadable(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    """Of two findings the worse one is the exit code, and both are told."""
    (scene.export / "checkpoint").unlink()
    assert foureyes_verify.main([str(scene.export), str(scene.folder / "missing")]) == 7
    said = capsys.readouterr()
    assert "BROKEN  export" in said.out
    assert "missing: No such file or directory" in said.err


def test_kept_checkpoints_are_told(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    """A file of notes, as a witness keeps them: each must be signed, and the last is what is proved."""
    notes = scene.folder / "witness"
    notes.write_text(f"{scene.note(100)}\n{scene.note(400)}", "utf-8")
    assert foureyes_verify.main(["--key", scene.vkey(), str(notes), str(scene.export)]) == 0
    assert "400 entries of foureyes/" in capsys.readouterr().out
    notes.write_text(f"{scene.note(100)}\n{scene.note(400, generate())}", "utf-8")
    assert foureyes_verify.main(["--key", scene.vkey(), str(notes), str(scene.export)]) == 7
    assert "no key that you named has signed it" in capsys.readouterr().out


def test_hostile_names_do_not_reach_the_terminal(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    """What was checked was perhaps written by somebody who wants the screen to say `whole`."""
    scene.change("UPDATE detached SET name = char(27) || '[2J whole' WHERE seq = 0 AND name = 'summary'")
    assert foureyes_verify.main([str(scene.database)]) == 7
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "[2J whole" in out
