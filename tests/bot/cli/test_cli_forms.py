"""`audit export --format`: every entry behind a place, whole files only, values only where they are asked for."""

import csv
import io
import json
import os
import socket
import subprocess
from pathlib import Path

import pytest

from bot.cli import exporting
from tests.bot.cli.shell import FOUREYES, Shell, environment
from tests.handlers.exports.test_forms import MESSAGE

SECRET = "because of Zebedee"


@pytest.fixture
def kept(ready: Shell) -> Shell:
    """A shell whose database has five entries."""
    ready("agent", "add", "refund-bot", "--owner", "U02ABCDEF", "--tool", "payments.refund")
    for number in range(2):
        ready("pause", "--tool", f"a.b{number}", SECRET)
        ready("resume", "--tool", f"a.b{number}", "was fine")
    return ready


@pytest.mark.parametrize("form", list(exporting.Form))
def test_every_entry_in_every_form(kept: Shell, form: exporting.Form, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over pages, in order; `--after` leaves out what is there already; what was written stays out unless asked for."""
    monkeypatch.setattr(exporting, "_AT_ONCE", 2)
    heading = form is exporting.Form.CSV
    for after, wanted in ((-1, 5), (1, 3), (4, 0), (99, 0)):
        ended = kept("audit", "export", "--format", form, "--after", str(after))
        assert (ended.code, ended.err) == (0, "")
        assert len(ended.out.splitlines()) == wanted + heading
        assert SECRET not in ended.out
    assert SECRET in kept("audit", "export", "--format", form, "--with-values").out


def test_a_listener_over_tcp_gets_each_entry_as_one_message(kept: Shell) -> None:
    """Lines end messages (RFC 6587, non-transparent framing), and nothing that anybody wrote can end or begin one."""
    kept("pause", "--tool", "a.c", f"{SECRET}\n<13>1 - - evil - - - x\r\n")
    lines = kept("audit", "export", "--format", "syslog", "--with-values").out.encode()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with socket.create_connection(listener.getsockname()) as relay:
            relay.sendall(lines)
        with listener.accept()[0] as taken, taken.makefile("r", encoding="ascii", newline="\n") as stream:
            messages = [MESSAGE.fullmatch(line.removesuffix("\n")) for line in stream]
    told = [json.loads(each["msg"]) for each in messages if each is not None]
    assert [entry["seq"] for entry in told] == list(range(len(messages)))
    assert told[-2]["values"]["reason"] == f"{SECRET}\n<13>1 - - evil - - - x\r\n"


def test_a_file_appears_when_it_is_whole(kept: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only its owner may read it; what broke half way leaves nothing; what somebody else left there stays."""
    file, part = Path("out.csv"), Path("out.csv.part")
    ended = kept("audit", "export", "--format", "csv", "--to", "out.csv")
    assert (ended.code, ended.out) == (0, "Wrote 5 entries to out.csv.\n")
    assert file.stat().st_mode & 0o777 == 0o600
    text = file.read_bytes().decode()
    assert text.startswith("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    assert [row["seq"] for row in rows] == ["0", "1", "2", "3", "4"]
    file.unlink()
    part.write_text("another export", "utf-8")
    ended = kept("audit", "export", "--format", "csv", "--to", "out.csv")
    assert (ended.code, ended.err) == (1, "Not exported. out.csv.part: File exists\n")
    assert part.read_text("utf-8") == "another export"
    part.unlink()

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    ended = kept("audit", "export", "--format", "ndjson", "--to", "out.csv")
    assert (ended.code, ended.err) == (1, "Not exported. out.csv: No space left on device\n")
    assert not file.exists()
    assert not part.exists()


@pytest.mark.parametrize("arguments", [(), ("--tiles", "out", "--format", "csv"), ("--format", "xml")])
def test_what_is_meant_must_be_said(kept: Shell, arguments: tuple[str, ...]) -> None:
    """Tiles or a form, one of them, and one that is known."""
    assert kept("audit", "export", *arguments).code == 2


def test_a_reader_that_has_had_enough_is_no_error(kept: Shell) -> None:
    """`audit export --format ndjson | head -1` ends well."""
    with subprocess.Popen(  # noqa: S603 - our own console script
        [FOUREYES, "audit", "export", "--format", "ndjson"],
        cwd=kept.folder,
        env=environment({}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as run:
        assert run.stdout is not None
        run.stdout.close()
        assert run.stderr is not None
        told = run.stderr.read()
    assert (run.returncode, told) == (0, b"")


def test_cron_goes_on_where_it_ended(kept: Shell) -> None:
    """What docs/exports.md tells: the last `seq` of one file is the `--after` of the next; none is missing or twice."""
    kept("audit", "export", "--format", "ndjson", "--to", "1.ndjson")
    last = json.loads(Path("1.ndjson").read_text("utf-8").splitlines()[-1])["seq"]
    kept("pause", "--tool", "a.c", SECRET)
    kept("audit", "export", "--format", "ndjson", "--after", str(last), "--to", "2.ndjson")
    lines = [*Path("1.ndjson").read_text("utf-8").splitlines(), *Path("2.ndjson").read_text("utf-8").splitlines()]
    assert [json.loads(line)["seq"] for line in lines] == list(range(6))
