"""The verifier is a distribution of its own: one file, and its one dependency by name."""

import shutil
import sys
import zipfile
from pathlib import Path

from tests.packaging.test_wheel import ROOT, run


def test_the_verifier_is_built_by_itself(tmp_path: Path) -> None:
    """From its own folder alone; what is inside is the file as it lies in the tree, and it runs from the wheel."""
    tree = tmp_path / "verifier"
    tree.mkdir()
    for path in (ROOT / "verifier").iterdir():
        if path.is_file():
            shutil.copy(path, tree)  # a link comes as what it points to
    build = ("wheel", "--no-deps", "--no-build-isolation", "--no-cache-dir", "--wheel-dir", tmp_path, tree)
    built = run(sys.executable, "-m", "pip", *build, cwd=tmp_path)
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as inside:
        assert inside.read("foureyes_verify.py") == (ROOT / "verifier" / "foureyes_verify.py").read_bytes()
        names = [name for name in inside.namelist() if ".dist-info/" not in name]
        (metadata,) = (name for name in inside.namelist() if name.endswith("/METADATA"))
        described = inside.read(metadata).decode()
        inside.extractall(tmp_path / "installed")
    assert names == ["foureyes_verify.py"]
    assert [line for line in described.splitlines() if line.startswith("Requires-Dist")] == [
        "Requires-Dist: cryptography>=42"
    ]
    shown = run(sys.executable, tmp_path / "installed" / "foureyes_verify.py", "--version", cwd=tmp_path)
    assert (shown.returncode, shown.stdout.strip()) == (0, described.partition("\nVersion: ")[2].split("\n")[0])
