"""Settings: read once, frozen; a misspelt name is an error and a secret is never shown."""

from pathlib import Path

import pytest

from bot.settings import DEFAULT_DATABASE_URL, DEFAULT_SLACK_API_URL, Settings, SettingsError, load

NONE = Path("/nonexistent/.env")


def refused(environ: dict[str, str], dotenv: Path = NONE) -> str:
    """The sentence with which an environment is refused."""
    with pytest.raises(SettingsError) as caught:
        load(environ, dotenv)
    return str(caught.value)


def dotenv(tmp_path: Path, text: str) -> Path:
    """A `.env` file."""
    path = tmp_path / ".env"
    path.write_text(text, "utf-8")
    return path


def test_an_empty_environment_gives_the_documented_defaults() -> None:
    """Nothing has to be set to get SQLite in this folder, ./policy and Slack's own address."""
    assert load({}, NONE) == Settings()
    found = load({"FOUREYES_DATABASE_URL": "", "FOUREYES_CHANNEL": "", "SLACK_API_URL": ""}, NONE)
    assert found.database_url == DEFAULT_DATABASE_URL
    assert found.policy == Path("policy")
    assert found.channel is None
    assert found.slack_api_url == DEFAULT_SLACK_API_URL
    assert found.anchor_file == Path("foureyes.head")


def test_every_documented_variable_counts() -> None:
    """Each variable ends up where it belongs."""
    found = load(
        {
            "FOUREYES_DATABASE_URL": "sqlite+aiosqlite:///x.db",
            "FOUREYES_POLICY": "/etc/policy",
            "FOUREYES_CHANNEL": "C1",
            "FOUREYES_CALLBACK_ALLOW": "10.0.0.0/8",
            "FOUREYES_SIGNING_KEY_FILE": "/keys/a.key",
            "SLACK_API_URL": "http://127.0.0.1:1/api/",
            "SLACK_BOT_TOKEN": "xoxb-1",
            "SLACK_SIGNING_SECRET": "s3cret",
            "SLACK_APP_TOKEN": "xapp-1",
            "FOUREYES_ENVIRONMENT": "staging-2",
            "UNRELATED": "x",
        },
        NONE,
    )
    assert found == Settings(
        "sqlite+aiosqlite:///x.db",
        Path("/etc/policy"),
        "C1",
        "10.0.0.0/8",
        Path("/keys/a.key"),
        "http://127.0.0.1:1/api/",
        "xoxb-1",
        "s3cret",
        "xapp-1",
        "staging-2",
    )
    assert found.anchor_file == Path("/keys/a.head")
    assert not any(secret in repr(found) for secret in ("xoxb", "s3cret", "xapp"))


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("FOUREYES_CHANEL", "did you mean FOUREYES_CHANNEL?"),
        ("FOUREYES_DATABASE", "did you mean FOUREYES_DATABASE_URL?"),
        ("FOUREYES_POLICIES", "did you mean FOUREYES_POLICY?"),
        ("FOUREYES_SLACK_BOT_TOKEN", "did you mean SLACK_BOT_TOKEN?"),
        ("FOUREYES_SOMETHING_ENTIRELY_ELSE", "known are FOUREYES_DATABASE_URL, FOUREYES_POLICY"),
    ],
)
def test_a_misspelt_name_suggests_the_nearest(name: str, hint: str, tmp_path: Path) -> None:
    """A typing error is found at the start, in the environment and in `.env`, and says what was meant."""
    assert refused({name: "x"}).startswith(f"{name} is not a setting; ")
    assert hint in refused({name: "x"})
    assert hint in refused({}, dotenv(tmp_path, f"{name}=x\n"))


@pytest.mark.parametrize("name", ["FOUREYES_AGENT_KEY", "FOUREYES_AGENT_KEY_FILE", "FOUREYES_URL"])
def test_what_ask_reads_does_not_stop_other_commands(name: str) -> None:
    """A shell that is set up for an agent can still pause."""
    assert load({name: "x"}, NONE) == Settings()


def test_a_secret_comes_from_a_file(tmp_path: Path) -> None:
    """`…_FILE` names a file; white space around the secret does not count, nor does a byte order mark."""
    file = tmp_path / "token"
    file.write_text("\ufeffxoxb-from-file\n", "utf-8")
    found = load({"SLACK_BOT_TOKEN_FILE": str(file), "SLACK_BOT_TOKEN": ""}, NONE)
    assert found.slack_bot_token == "xoxb-from-file"


def test_a_secret_given_twice_is_refused(tmp_path: Path) -> None:
    """Which of two secrets counts is not left to guessing; neither is quoted."""
    told = refused({"SLACK_BOT_TOKEN_FILE": str(tmp_path / "f"), "SLACK_BOT_TOKEN": "xoxb-1"})
    assert told == "both SLACK_BOT_TOKEN and SLACK_BOT_TOKEN_FILE are set; keep one"


def test_an_unreadable_secret_says_which_file_and_why(tmp_path: Path) -> None:
    """Missing, a folder, binary, empty: each has its sentence, and none quotes the content."""
    binary, empty = tmp_path / "binary", tmp_path / "empty"
    binary.write_bytes(b"\xff\xfesecret")
    empty.write_text("\n", "utf-8")
    for file, why in (
        (tmp_path / "none", "there is no such file"),
        (tmp_path, "Is a directory"),
        (binary, "it is not text in UTF-8"),
        (empty, "is empty; put the secret into it"),
    ):
        told = refused({"SLACK_SIGNING_SECRET_FILE": str(file)})
        assert told.startswith(f"SLACK_SIGNING_SECRET_FILE={file} ")
        assert why in told
        assert "secret\\" not in told


def test_dotenv_fills_in_and_the_environment_wins(tmp_path: Path) -> None:
    """`.env` gives what the environment does not have."""
    file = dotenv(tmp_path, "FOUREYES_CHANNEL=C1\nFOUREYES_POLICY=./p\n")
    found = load({"FOUREYES_CHANNEL": "C2"}, file)
    assert (found.channel, found.policy) == ("C2", Path("p"))


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("SLACK_BOT_TOKEN=xoxb-1", "xoxb-1"),
        ("  SLACK_BOT_TOKEN = xoxb-1  ", "xoxb-1"),
        ("SLACK_BOT_TOKEN=xoxb-1 # from the app's page", "xoxb-1"),
        ("SLACK_BOT_TOKEN= # not yet", ""),
        ("SLACK_BOT_TOKEN=#", ""),
        ("SLACK_BOT_TOKEN=a#b=c", "a#b=c"),
        ('SLACK_BOT_TOKEN="a # b" # c', "a # b"),
        ("SLACK_BOT_TOKEN='a'", "a"),
        ("SLACK_BOT_TOKEN='", "'"),
        ("# SLACK_BOT_TOKEN=x\n\n", ""),
        ("\ufeffSLACK_BOT_TOKEN=x\r", "x"),
    ],
)
def test_dotenv_lines(line: str, value: str, tmp_path: Path) -> None:
    """Quotes, spaces and comments mean what people expect of such a file."""
    assert load({}, dotenv(tmp_path, line)).slack_bot_token == value


@pytest.mark.parametrize("line", ["export SLACK_BOT_TOKEN=x", "SLACK_BOT_TOKEN", "=x", "1A=x"])
def test_a_line_that_would_be_ignored_is_refused(line: str, tmp_path: Path) -> None:
    """A line that sets nothing is an error with its number, not a silent default."""
    file = dotenv(tmp_path, f"# first\n{line}\n")
    assert refused({}, file) == f"{file}:2: write NAME=value, without `export`"


def test_an_unreadable_dotenv_is_said(tmp_path: Path) -> None:
    """A folder or bytes in place of `.env` are named."""
    folder = tmp_path / ".env"
    folder.mkdir()
    assert refused({}, folder) == f"{folder} cannot be read: Is a directory"
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff")
    assert refused({}, binary) == f"{binary} cannot be read: it is not text in UTF-8"


@pytest.mark.parametrize("name", ["Production", "pro duction", "-x", "x" * 65, "prod\n", "prüd"])
def test_an_environment_is_a_plain_name(name: str) -> None:
    """Policies compare it letter by letter: what could look like another name is refused."""
    assert "write a name such as production or staging" in refused({"FOUREYES_ENVIRONMENT": name})
    assert load({"FOUREYES_ENVIRONMENT": ""}, NONE).environment == "production"


def test_tokens_for_lookups_have_names_of_their_own(tmp_path: Path) -> None:
    """FOUREYES_…_TOKEN, or …_TOKEN_FILE; each is a header's value on one line, and none is shown."""
    file = tmp_path / "token"
    file.write_text("Bearer from-file\n", "utf-8")
    environ = {"FOUREYES_CRM_TOKEN": "Bearer s3cret", "FOUREYES_ERP_TOKEN_FILE": str(file), "FOUREYES_X_TOKEN": ""}
    found = load({**environ, "FOUREYES_LOOKUP_ALLOW": "10.0.0.0/8"}, NONE)
    assert found.lookup_tokens == {"FOUREYES_CRM_TOKEN": "Bearer s3cret", "FOUREYES_ERP_TOKEN": "Bearer from-file"}
    assert found.lookup_allow == "10.0.0.0/8"
    assert "s3cret" not in repr(found)
    for value in ("Bearer a\r\nx-admin: 1", "ü", "a\tb", " a"):
        told = refused({"FOUREYES_CRM_TOKEN": value})
        assert told.startswith("FOUREYES_CRM_TOKEN is no header's value")
        assert "x-admin" not in told


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("https://approvals.example.com", "https://approvals.example.com"),
        ("https://approvals.example.com:443/", "https://approvals.example.com"),
        ("https://approvals.example.com:8443", "https://approvals.example.com:8443"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://localhost:80", "http://localhost"),
    ],
)
def test_the_public_address_is_kept_as_browsers_write_it(written: str, kept: str) -> None:
    """A page's origin is compared with it letter by letter."""
    assert load({"FOUREYES_PUBLIC_URL": written}, NONE).public_url == kept


@pytest.mark.parametrize(
    "written",
    [
        "approvals.example.com",
        "http://approvals.example.com",
        "http://127.0.0.1:8080",
        "https://10.0.0.1",
        "https://[::1]",
        "https://approvals.example.com/foureyes",
        "https://user@approvals.example.com",
        "https://Approvals.example.com",
        "https://approvals.example.com:0",
        "https://approvals.example.com#x",
    ],
)
def test_a_public_address_that_passkeys_cannot_have_is_refused(written: str) -> None:
    """Passkeys belong to a host's name, and browsers allow them over TLS only."""
    with pytest.raises(SettingsError, match="FOUREYES_PUBLIC_URL"):
        load({"FOUREYES_PUBLIC_URL": written}, NONE)
