"""`init` and the manifest: everything a first start needs, and never a change to what somebody has."""

import stat
from pathlib import Path

import pytest
import typer
import yaml

from bot.keys import load as load_key
from bot.policy_files import load as load_policy
from bot.settings import SettingsError
from bot.settings import load as load_settings
from bot.starting import initialise, manifest_for
from bot.store import schema
from bot.store.engine import StoreUnavailableError, lock_server

URL = "https://approvals.example.com"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, and no setting in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in ("FOUREYES_DATABASE_URL", "FOUREYES_POLICY", "FOUREYES_SIGNING_KEY_FILE", "FOUREYES_CHANNEL"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_the_manifest_has_the_users_url() -> None:
    """The manifest can be pasted as it is: both addresses are the user's, no placeholder is left."""
    text = manifest_for(f"{URL}/")
    manifest = yaml.safe_load(text)
    assert manifest["features"]["slash_commands"][0]["url"] == f"{URL}/slack/events"
    assert manifest["settings"]["interactivity"]["request_url"] == f"{URL}/slack/events"
    assert "https://YOUR-HOST" not in text


@pytest.mark.parametrize("url", ["https://a.example", "https://a.example:8443/", "https://[2001:db8::1]:8443"])
def test_an_origin_is_taken(url: str) -> None:
    """A host, a port and an IPv6 address are fine, with or without the slash."""
    assert f"url: {url.rstrip('/')}/slack/events" in manifest_for(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://a.example",
        "a.example",
        "https://",
        "https://a.example/base",
        "https://a.example?x",
        "https://a.example#x",
        "https://me@a.example",
        "https://a example",
        "https://a.example\n",
        'https://a"\nx: y',
    ],
)
def test_anything_but_an_https_origin_is_refused(url: str) -> None:
    """What Slack could not call, or what would break the file, is refused with an example."""
    with pytest.raises(typer.BadParameter, match="write the server's public origin, for example https://"):
        manifest_for(url)


def test_init_writes_everything_that_is_needed(here: Path) -> None:
    """One command: a policy that loads, roles, settings, the manifest, a key for nobody else, a current database."""
    said = list(initialise(here, URL))
    folder = load_policy(here / "policy")
    assert list(folder.policies) == ["payments.refund"]
    assert list(folder.roles) == ["support_manager"]
    settings = load_settings(environ={}, dotenv=here / ".env")
    assert (settings.slack_bot_token, settings.channel) == ("", None)
    assert f"{URL}/slack/events" in (here / "app_manifest.yml").read_text("utf-8")
    load_key(here / "foureyes.key")
    schema.require_current(here / "foureyes.db")
    for secret in (".env", "foureyes.key"):
        assert stat.S_IMODE((here / secret).stat().st_mode) == 0o600
    assert said[0] == f"wrote {here}/policy/payments.refund.yml"
    assert any("at least two people" in line for line in said)
    assert not any("cd " in line for line in said)


def test_init_never_changes_what_is_there(here: Path) -> None:
    """A second run keeps every byte and says so."""
    list(initialise(here, URL))
    before = {path: path.read_bytes() for path in here.rglob("*") if path.is_file()}
    said = list(initialise(here, "https://other.example"))
    assert {path: path.read_bytes() for path in here.rglob("*") if path.is_file()} == before
    assert [line.split()[0] for line in said[: said.index("")]] == ["kept"] * 5


def test_init_puts_no_sample_into_a_policy_in_use(here: Path) -> None:
    """Somebody else's policy folder gets no rule that allows things."""
    (here / "policy").mkdir()
    (here / "policy" / "deploy.yml").write_text("policy: {tool: deploy, rules: [{block: true}]}", "utf-8")
    said = list(initialise(here, URL))
    assert [path.name for path in (here / "policy").iterdir()] == ["deploy.yml"]
    assert said[0] == f"kept {here}/policy"


def test_init_follows_the_settings(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database, key and policy are made where the other commands will look for them."""
    monkeypatch.setenv("FOUREYES_POLICY", "rules")
    (here / ".env").write_text(
        "FOUREYES_DATABASE_URL=sqlite+aiosqlite:///data/f.db\nFOUREYES_SIGNING_KEY_FILE=sign.key\n", "utf-8"
    )
    list(initialise(here, URL))
    schema.require_current(here / "data" / "f.db")
    load_key(here / "sign.key")
    assert (here / "rules" / "roles.yml").exists()
    assert not (here / "foureyes.db").exists()


def test_init_elsewhere_says_to_go_there(here: Path) -> None:
    """Files in another folder are of no use until commands are started there."""
    said = list(initialise(here / "made" / "deep", URL))
    assert any(f"cd {here}/made/deep" in line for line in said)
    schema.require_current(here / "made" / "deep" / "foureyes.db")


def test_init_writes_nothing_where_the_settings_are_wrong(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelt setting or a wrong URL is found before the first file."""
    with pytest.raises(typer.BadParameter):
        list(initialise(here, "nonsense"))
    monkeypatch.setenv("FOUREYES_DATABASE_URL", "postgresql+asyncpg://x")
    with pytest.raises(StoreUnavailableError, match="must be sqlite"):
        list(initialise(here, URL))
    monkeypatch.setenv("FOUREYES_CHANEL", "x")
    with pytest.raises(SettingsError):
        list(initialise(here, URL))
    assert list(here.iterdir()) == []


def test_init_upgrades_an_old_database_unless_a_server_runs_on_it(here: Path) -> None:
    """Two programs never change one file's schema at once."""
    (here / "foureyes.db").touch()
    with lock_server(here / "foureyes.db"), pytest.raises(StoreUnavailableError, match="another foureyes server"):
        list(initialise(here, URL))
    assert f"upgraded {here}/foureyes.db" in list(initialise(here, URL))
