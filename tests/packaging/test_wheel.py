"""The wheel is the whole product: built, installed into a fresh environment and run from an empty folder."""

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path

import pytest

from bot.settings import load as load_settings

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("approval_rules", "bot", "handlers")
# What the build reads beside the packages; `examples` because templates are links into it.
BESIDE = ("examples", "app_manifest.yml", "pyproject.toml", "README.md", "LICENSE")


def sources() -> Iterator[Path]:
    """Every file of the packages, by its path from the root."""
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith("."):
                yield path.relative_to(ROOT)


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run something without this process's settings, and without a registry."""
    ours = ("FOUREYES_", "SLACK_", "COVERAGE", "PYTHON", "PIP_", "VIRTUAL_ENV")
    env = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return subprocess.run(  # noqa: S603 - our own interpreter and our own console script
        command,
        cwd=cwd,
        env={**env, "PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@dataclass(frozen=True)
class Installed:
    """The wheel, and the environment it was installed into."""

    wheel: Path
    environment: Path

    def __call__(self, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run the installed `foureyes`."""
        return run(self.environment / "bin" / "foureyes", *arguments, cwd=cwd)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Build from a copy of the tree, and install beside this environment's dependencies but not beside this tree."""
    base = tmp_path_factory.mktemp("wheel")
    tree, environment = base / "tree", base / "environment"
    tree.mkdir()
    for name in (*PACKAGES, *BESIDE):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tree / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, tree / name)
    build = ("wheel", "--no-deps", "--no-build-isolation", "--no-cache-dir", "--wheel-dir", base, tree)
    built = run(sys.executable, "-m", "pip", *build, cwd=base)
    assert built.returncode == 0, built.stderr
    (wheel,) = base.glob("*.whl")
    made = run(sys.executable, "-m", "venv", "--without-pip", environment, cwd=base)
    assert made.returncode == 0, made.stderr
    python = environment / "bin" / "python"
    put = run(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-compile", wheel, cwd=base)
    assert put.returncode == 0, put.stderr
    found = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=base)
    # A line of a .pth file adds the folder, but not the editable install that a .pth file in it points to.
    (Path(found.stdout.strip()) / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n", "utf-8")
    return Installed(wheel, environment)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder."""
    return tmp_path


def test_every_file_of_the_packages_is_in_the_wheel(installed: Installed) -> None:
    """Templates, migrations, the stand-in's page and the demo's cases travel with the code, as files and not links."""
    with zipfile.ZipFile(installed.wheel) as wheel:
        inside = {info.filename: info for info in wheel.infolist()}
        assert wheel.read("bot/templates/app_manifest.yml") == (ROOT / "app_manifest.yml").read_bytes()
        refund = ROOT / "examples" / "policy" / "payments.refund.yml"
        assert wheel.read("bot/templates/policies/founding/payments.refund.yml") == refund.read_bytes()
    wanted = {path.as_posix() for path in sources()}
    assert wanted
    assert wanted - set(inside) == set()
    rest = {name for name in inside if not name.startswith(tuple(f"{package}/" for package in PACKAGES))}
    assert all(name.startswith("foureyes-") for name in rest)


def test_it_runs_from_the_wheel(installed: Installed, folder: Path) -> None:
    """What is imported is what was installed, from whatever folder it is started."""
    (folder / "bot.py").write_text("raise SystemExit('the wrong one')\n", "utf-8")
    code = "import approval_rules, bot, handlers; print(approval_rules.__file__, bot.__file__, handlers.__file__)"
    shown = run(installed.environment / "bin" / "python", "-P", "-c", code, cwd=folder)
    assert shown.stdout.count(str(installed.environment)) == 3
    helped = installed("--help", cwd=folder)
    assert (helped.returncode, helped.stderr) == (0, "")
    assert "Start here: foureyes demo" in helped.stdout


def test_a_first_start_from_the_wheel(installed: Installed, folder: Path) -> None:
    """`init` in an empty folder, then the checks: only what nobody can know yet is missing."""
    made = installed("init", "--url", "https://approvals.example.com", cwd=folder)
    assert made.returncode == 0, made.stderr
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert {
        *("policy/payments.refund.yml", "policy/roles.yml", ".env", "app_manifest.yml", "foureyes.key", "foureyes.db"),
    } <= files
    assert "https://approvals.example.com/slack/events" in (folder / "app_manifest.yml").read_text("utf-8")
    manifest = installed("manifest", "--url", "https://approvals.example.com", cwd=folder)
    assert manifest.stdout == (folder / "app_manifest.yml").read_text("utf-8")
    checked = installed("policy", "check", cwd=folder)
    assert (checked.returncode, checked.stdout.split("\t")[0]) == (0, "payments.refund"), checked.stderr
    examined = installed("doctor", cwd=folder)
    assert examined.returncode == 3
    assert [line.split(":")[0] for line in examined.stdout.splitlines() if not line.startswith("ok")] == [
        "FAIL  channel",
        "FAIL  slack",
    ]
    assert load_settings(environ={}, dotenv=folder / ".env").slack_bot_token == ""


def test_the_demo_runs_from_the_wheel(installed: Installed, folder: Path) -> None:
    """The main job plays without a browser, and leaves nothing behind."""
    played = installed("demo", "--script", cwd=folder)
    assert played.returncode == 0, played.stderr
    assert list(folder.iterdir()) == []


def test_nobody_else_provides_our_names() -> None:
    """`bot`, `handlers` and `approval_rules` are top-level names: no dependency may bring its own."""
    ours = {*PACKAGES, *(f"{package}.py" for package in PACKAGES)}
    providers = {
        distribution.metadata["Name"]
        for distribution in distributions()
        for file in distribution.files or ()
        if file.parts[0] in ours
    }
    assert providers <= {"foureyes"}
    assert len(list(distributions())) > 20
