"""The settings: read once from the environment, then frozen. A misspelt name is an error, never a silent default.

Standard library only: the command line reads it before anything heavy is imported.
"""

import difflib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DEFAULT_DATABASE_URL = "sqlite+aiosqlite:///./foureyes.db"
DEFAULT_SLACK_API_URL = "https://slack.com/api/"
DEFAULT_ENVIRONMENT = "production"
_PREFIX = "FOUREYES_"
_NAMES = (
    "FOUREYES_DATABASE_URL",
    "FOUREYES_POLICY",
    "FOUREYES_CHANNEL",
    "FOUREYES_ENVIRONMENT",
    "FOUREYES_CALLBACK_ALLOW",
    "FOUREYES_LOOKUP_ALLOW",
    "FOUREYES_SIGNING_KEY_FILE",
    "FOUREYES_WITNESS_FILE",
    "FOUREYES_TLOG_WITNESS",
    "FOUREYES_WITNESS_GIT",
    "FOUREYES_TIME_STAMP_URL",
    "FOUREYES_TIME_STAMP_CA",
    "FOUREYES_PUBLIC_URL",
    "FOUREYES_TIME_ZONE",
    # What `foureyes ask` reads, as an agent: its shell may call other commands too.
    "FOUREYES_URL",
    "FOUREYES_AGENT_KEY",
    "FOUREYES_AGENT_KEY_FILE",
)
_SECRETS = ("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "SLACK_APP_TOKEN")
# Read by the tests and the gate, not by the program.
_IGNORED = ("FOUREYES_REQUIRE_CHROMIUM", "FOUREYES_REQUIRE_GO", "FOUREYES_HYPOTHESIS")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ENVIRONMENT = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ORIGIN = re.compile(rf"(https://{_LABEL}(?:\.{_LABEL})*|http://localhost)(:[1-9][0-9]{{0,4}})?")
_ADDRESS = re.compile(r"https://[0-9.]+")
_OWN_PORTS = (("https://", ":443"), ("http://", ":80"))
LOOKUP_TOKEN = re.compile(r"FOUREYES_(?!SLACK_)[A-Z0-9_]{1,100}_TOKEN")
"""The variables that a policy may have sent to a host: no secret of another kind has such a name."""
# A token is a header's value: what is not visible ASCII could end the header and begin another.
_HEADER_VALUE = re.compile(r"[!-~](?:[ -~]*[!-~])?")


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
    environment: str = DEFAULT_ENVIRONMENT
    lookup_allow: str = ""
    lookup_tokens: Mapping[str, str] = field(default_factory=dict, repr=False)
    public_url: str | None = None
    witness_file: Path | None = None
    tlog_witness: str = ""
    witness_git: Path | None = None
    time_stamp_url: str = ""
    time_stamp_ca: Path | None = None
    time_zone: str = "UTC"

    @property
    def anchor_file(self) -> Path:
        """Where the log's signed head is kept: beside the key, outside the database."""
        return self.signing_key_file.with_suffix(".head")

    @property
    def time_stamp_folder(self) -> Path:
        """Where time stamps are kept: beside the key, for people outside to copy."""
        return self.signing_key_file.with_suffix(".time-stamps")

    @property
    def data_keys_file(self) -> Path:
        """Where the keys of the sealed values are kept: beside the signing key, in no backup of the database."""
        return self.signing_key_file.with_suffix(".data-keys")


def load(environ: Mapping[str, str] = os.environ, dotenv: Path = Path(".env")) -> Settings:
    """Read the settings; a `.env` file fills in what the environment does not have. Raises SettingsError."""
    values = {**_dotenv(dotenv), **environ}
    _refuse_unknown(values)
    get = values.get
    return Settings(
        database_url=get("FOUREYES_DATABASE_URL") or DEFAULT_DATABASE_URL,
        policy=Path(get("FOUREYES_POLICY") or "policy"),
        channel=get("FOUREYES_CHANNEL") or None,
        environment=_environment(get("FOUREYES_ENVIRONMENT") or DEFAULT_ENVIRONMENT),
        callback_allow=get("FOUREYES_CALLBACK_ALLOW") or "",
        lookup_allow=get("FOUREYES_LOOKUP_ALLOW") or "",
        signing_key_file=Path(get("FOUREYES_SIGNING_KEY_FILE") or "foureyes.key"),
        slack_api_url=get("SLACK_API_URL") or DEFAULT_SLACK_API_URL,
        slack_bot_token=_secret(values, "SLACK_BOT_TOKEN"),
        slack_signing_secret=_secret(values, "SLACK_SIGNING_SECRET"),
        slack_app_token=_secret(values, "SLACK_APP_TOKEN"),
        lookup_tokens=_lookup_tokens(values),
        public_url=_public_url(get("FOUREYES_PUBLIC_URL") or ""),
        tlog_witness=get("FOUREYES_TLOG_WITNESS") or "",
        time_stamp_url=get("FOUREYES_TIME_STAMP_URL") or "",
        time_stamp_ca=Path(file) if (file := get("FOUREYES_TIME_STAMP_CA")) else None,
        witness_file=Path(file) if (file := get("FOUREYES_WITNESS_FILE")) else None,
        witness_git=Path(folder) if (folder := get("FOUREYES_WITNESS_GIT")) else None,
        time_zone=_time_zone(get("FOUREYES_TIME_ZONE") or "UTC"),
    )


def _refuse_unknown(values: Mapping[str, str]) -> None:
    known = {*_NAMES, *_IGNORED, *(f"{name}_FILE" for name in _SECRETS)}
    for name in sorted(values):
        if name.startswith(_PREFIX) and name not in known and not LOOKUP_TOKEN.fullmatch(name.removesuffix("_FILE")):
            # Without the prefix: it would make every name look near.
            meant = {known.removeprefix(_PREFIX): known for known in (*_NAMES, *_SECRETS, "SLACK_API_URL")}
            nearest = difflib.get_close_matches(name.removeprefix(_PREFIX), meant, 1)
            hint = f"; did you mean {meant[nearest[0]]}?" if nearest else f"; known are {', '.join(_NAMES)}"
            raise SettingsError(f"{name} is not a setting{hint}")


def _environment(name: str) -> str:
    """Check the name that policies compare: a capital letter too many would change what they say."""
    if not _ENVIRONMENT.fullmatch(name):
        raise SettingsError(
            f"FOUREYES_ENVIRONMENT={name!r}: write a name such as production or staging: small letters, digits, - _ ."
        )
    return name


def _public_url(text: str) -> str | None:
    """Check the origin at which people's browsers reach this server; a passkey belongs to its host name for ever."""
    if not text:
        return None
    found = _ORIGIN.fullmatch(text.rstrip("/"))
    if found is None or _ADDRESS.fullmatch(found[1]):
        raise SettingsError(
            f"FOUREYES_PUBLIC_URL={text!r}: write https:// and the host's name in small letters, such as"
            " https://approvals.example.com; no path, and no IP address, for a passkey belongs to a name; http only"
            " for localhost"
        )
    # Browsers leave a scheme's own port out, and a page's origin is compared with this letter by letter.
    own = any(found[1].startswith(scheme) and found[2] == port for scheme, port in _OWN_PORTS)
    return found[1] if own else found[0]


def _time_zone(name: str) -> str:
    """Check the zone whose weeks are reviewed."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise SettingsError(
            f"FOUREYES_TIME_ZONE={name!r}: there is no such zone; write one such as Europe/Berlin"
        ) from None
    return name


def _secret(values: Mapping[str, str], name: str) -> str:
    """Read a secret from its variable or from the file that `NAME_FILE` names."""
    file = values.get(f"{name}_FILE")
    if file and values.get(name):
        raise SettingsError(f"both {name} and {name}_FILE are set; keep one")
    if not file:
        return values.get(name, "")
    secret = _text(Path(file), f"{name}_FILE={file}").strip()
    if not secret:
        raise SettingsError(f"{name}_FILE={file} is empty; put the secret into it")
    return secret


def _lookup_tokens(values: Mapping[str, str]) -> Mapping[str, str]:
    """Read every token that a lookup may send."""
    names = {name.removesuffix("_FILE") for name in values}
    found = {name: _secret(values, name) for name in sorted(names) if LOOKUP_TOKEN.fullmatch(name)}
    for name, token in found.items():
        if token and not _HEADER_VALUE.fullmatch(token):
            raise SettingsError(
                f"{name} is no header's value: visible ASCII characters on one line, such as Bearer ..."
            )
    return {name: token for name, token in found.items() if token}


def _text(path: Path, called: str) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise SettingsError(f"{called} cannot be read: there is no such file") from None
    except OSError as error:
        raise SettingsError(f"{called} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{called} cannot be read: it is not text in UTF-8") from None


def _dotenv(path: Path) -> dict[str, str]:
    """Read `NAME=value` lines; no expansion, no export. `#` starts a comment, at a line's start or after a space."""
    if not path.exists():
        return {}
    found: dict[str, str] = {}
    for number, line in enumerate(_text(path, str(path)).splitlines(), 1):
        text = line.strip()
        if text and not text.startswith("#"):
            name, equals, value = text.partition("=")
            if not equals or not _NAME.fullmatch(name.strip()):
                raise SettingsError(f"{path}:{number}: write NAME=value, without `export`")
            found[name.strip()] = _bare(value.strip())
    return found


def _bare(value: str) -> str:
    quote = value[:1]
    if quote in ("'", '"') and quote in value[1:]:
        return value[1 : value.index(quote, 1)]
    return re.split(r"(?:^|\s)#", value, maxsplit=1)[0].strip()
