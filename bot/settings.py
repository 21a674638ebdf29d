"""The settings: read once from the environment, then frozen. A misspelt name is an error, never a silent default.

Standard library only: the command line reads it before anything heavy is imported.
"""

import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

DEFAULT_DATABASE_URL = "sqlite+aiosqlite:///./foureyes.db"
DEFAULT_SLACK_API_URL = "https://slack.com/api/"
_PREFIX = "FOUREYES_"
_NAMES = (
    "FOUREYES_DATABASE_URL",
    "FOUREYES_POLICY",
    "FOUREYES_CHANNEL",
    "FOUREYES_CALLBACK_ALLOW",
    "FOUREYES_SIGNING_KEY_FILE",
)
_SECRETS = ("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "SLACK_APP_TOKEN")
# Read by the tests and the gate, not by the program.
_IGNORED = ("FOUREYES_REQUIRE_CHROMIUM", "FOUREYES_HYPOTHESIS")


class SettingsError(Exception):
    """A setting is missing, misspelt or unreadable; the message says which and what to do."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that the environment decides. Secrets are never shown."""

    database_url: str = DEFAULT_DATABASE_URL
    policy: Path = Path("policy")
    channel: str | None = None
    callback_allow: str = ""
    signing_key_file: Path = Path("foureyes.key")
    slack_api_url: str = DEFAULT_SLACK_API_URL
    slack_bot_token: str = field(default="", repr=False)
    slack_signing_secret: str = field(default="", repr=False)
    slack_app_token: str = field(default="", repr=False)

    @property
    def anchor_file(self) -> Path:
        """Where the log's signed head is kept: beside the key, outside the database."""
        return self.signing_key_file.with_suffix(".head")


def load(environ: Mapping[str, str] = os.environ, dotenv: Path = Path(".env")) -> Settings:
    """Read the settings; a `.env` file fills in what the environment does not have. Raises SettingsError."""
    values = {**_dotenv(dotenv), **environ}
    _refuse_unknown(values)
    get = values.get
    return Settings(
        database_url=get("FOUREYES_DATABASE_URL") or DEFAULT_DATABASE_URL,
        policy=Path(get("FOUREYES_POLICY") or "policy"),
        channel=get("FOUREYES_CHANNEL") or None,
        callback_allow=get("FOUREYES_CALLBACK_ALLOW") or "",
        signing_key_file=Path(get("FOUREYES_SIGNING_KEY_FILE") or "foureyes.key"),
        slack_api_url=get("SLACK_API_URL") or DEFAULT_SLACK_API_URL,
        slack_bot_token=_secret(values, "SLACK_BOT_TOKEN"),
        slack_signing_secret=_secret(values, "SLACK_SIGNING_SECRET"),
        slack_app_token=_secret(values, "SLACK_APP_TOKEN"),
    )


def _refuse_unknown(values: Mapping[str, str]) -> None:
    known = {*_NAMES, *_IGNORED, *(f"{name}_FILE" for name in _SECRETS)}
    for name in sorted(values):
        if name.startswith(_PREFIX) and name not in known:
            nearest = difflib.get_close_matches(name, _NAMES, 1)
            hint = f"; did you mean {nearest[0]}?" if nearest else f"; known are {', '.join(_NAMES)}"
            raise SettingsError(f"{name} is not a setting{hint}")


def _secret(values: Mapping[str, str], name: str) -> str:
    """Read a secret from its variable or from the file that `NAME_FILE` names."""
    file = values.get(f"{name}_FILE")
    if file and values.get(name):
        raise SettingsError(f"both {name} and {name}_FILE are set; keep one")
    if not file:
        return values.get(name, "")
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{name}_FILE={file} cannot be read: {error.__class__.__name__}") from None


def _dotenv(path: Path) -> dict[str, str]:
    """Read `NAME=value` lines; no expansion, no export, `#` starts a comment line."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error.__class__.__name__}") from None
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if text and not text.startswith("#"):
            name, equals, value = text.partition("=")
            if not equals:
                raise SettingsError(f"{path}:{number}: write NAME=value")
            found[name.strip()] = value.strip().strip("\"'")
    return found
