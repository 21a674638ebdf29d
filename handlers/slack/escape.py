r"""Turns hostile characters into visible ones; the only maker of `Safe` text. It drops nothing but found secrets.

The output is one to one with the input up to the markers that it adds: what cannot be seen is written `\u{202E}`, a
run of the same is written once with its length (`\u{200B}(40 times)`), a link is broken (`https[:]//`) with its host in
punycode, and a word of mixed alphabets is marked.
"""

import re
import unicodedata
from functools import lru_cache
from itertools import groupby
from typing import Final, NewType

from handlers.slack.found_secrets import masked

Safe = NewType("Safe", str)
"""Text that may stand in a `plain_text` or a `rich_text` element: ours, or escaped here."""

EMPTY: Final = Safe("(empty)")
MIXED: Final = " ⟨⚠ mixed letters⟩"
LOOK_ALIKE: Final = " ⟨⚠ look-alike letters⟩"

# Assigned to a letter, a mark or a symbol by Unicode, but drawn as nothing (or as a mere box).
_BLANKS: Final = frozenset(
    "\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u17b5\u180b\u180c\u180d\u180f\U00016fe4\U0001d159\ufffc\ufffd"
)
_LITERAL_ESCAPE: Final = re.compile(r"\\(?=u\{)|\[(?=:\]//)")
_LINK: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]{0,30})://([^\s/?#\\]*)")
_QUIET: Final = re.compile(r"(?:[!-~]|(?<! ) )*")
_SUSPECT: Final = re.compile(r"://|\\u\{|\[:\]//")
_BLANK_LINES: Final = re.compile(r"(\n(?: *\n){3,})")
_WORD: Final = re.compile(r"[^\W\d_]+")
_MARKS_PER_LETTER: Final = 3
_RUN: Final = 4
_SPACES: Final = 8
_LONG_NAME: Final = 80
_OVERLAY: Final = 1
_EMOJI_STYLE: Final = "\ufe0f"
_LATIN_1: Final = 0x100
_EAST_ASIAN: Final = frozenset({"HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "CJK", "HANGUL", "BOPOMOFO", "HALFWIDTH"})
# Letters of other alphabets that most fonts draw like a Latin one.
_TWINS: Final = frozenset("асеіјорѕхуԁԛԝһӏґАВСЕНІЈКМОРЅТХУԌԚԜΑΒΕΖΗΙΚΜΝΟΡΤΥΧοναιυρց")


def visible(raw: str, *, breaks: bool = False) -> Safe:
    """Escape `raw`; with `breaks`, line ends stay line ends (for preformatted text only), else they are shown too.

    Secrets and card numbers in it are withheld, which is said in their place.
    """
    return unmasked(masked(raw), breaks=breaks)


def unmasked(raw: str, *, breaks: bool = False) -> Safe:
    """Escape as `visible` does and withhold nothing: only for a look that is on record."""
    if not raw:
        return EMPTY
    if _QUIET.fullmatch(raw) and raw[0] != " " != raw[-1] and not _SUSPECT.search(raw):
        return Safe(raw)
    parts: list[str] = []
    done = 0
    for link in _LINK.finditer(raw):
        parts += [_characters(raw[done : link.start()], breaks=breaks), link[1], "[:]//", _line(_host(link[2]))]
        done = link.end()
    parts.append(_characters(raw[done:], breaks=breaks))
    return Safe(_flag_words(_edges("".join(parts))))


def named(raw: str) -> Safe:
    """Escape a name of a person, an agent or a role; a very long one is cut, for a name decides nothing."""
    return clipped(visible(raw), _LONG_NAME)


def clipped(text: Safe, most: int) -> Safe:
    """Cut visibly; never for anything that a decision rests on."""
    return text if len(text) <= most else Safe(text[: most - 1] + "…")


def mrkdwn_safe(text: Safe) -> str:
    """Escape safe text once more for a message's `text`, where Slack parses mentions, broadcasts and emoji names."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("://", "[:]//")
    escaped = re.sub(r"@(?=here|channel|everyone)", "(at)", escaped, flags=re.IGNORECASE)
    return re.sub(r":(?=[A-Za-z0-9_+'\-]+:)", r"\\u{3A}", escaped)


def is_blank(text: str) -> bool:
    """Tell whether a person would see nothing at all."""
    return all(ch.isspace() or _is_hidden(ch) for ch in text)


def _host(authority: str) -> str:
    labels = re.split(r"[.\u3002\uff0e\uff61]", authority)
    return ".".join([label if label.isascii() else "xn--" + label.encode("punycode").decode() for label in labels])


def _characters(text: str, *, breaks: bool) -> str:
    text = _LITERAL_ESCAPE.sub(lambda found: _code(found[0]), text)
    if not breaks:
        return _line(text)
    parts = _BLANK_LINES.split(text)
    shown = [_blank_lines(part) if place % 2 else _lines(part) for place, part in enumerate(parts)]
    return "".join(shown)


def _lines(text: str) -> str:
    return "\n".join([_line(line) for line in text.split("\n")])


def _blank_lines(text: str) -> str:
    """Show a run of blank lines as its characters, between two real line ends."""
    return "\n" + _runs(text[1:-1]) + "\n"


def _runs(text: str) -> str:
    return "".join(_repeated(_code(ch), len(list(same))) for ch, same in groupby(text))


def _line(text: str) -> str:
    out: list[str] = []
    base = ""
    marks = 0
    for ch, same in groupby(text):
        length = len(list(same))
        kept = length
        if unicodedata.category(ch)[0] == "M":
            kept = _marks_kept(ch, length, base, marks)
            marks += kept
        elif _is_hidden(ch) or (ch == " " and length > _SPACES) or (ch == "(" and out and out[-1].endswith("}")):
            kept = 0
        else:
            base, marks = ch, 0
        out.append(ch * kept + _repeated(_code(ch), length - kept))
    return "".join(out)


def _marks_kept(ch: str, length: int, base: str, marks: int) -> int:
    """Count how many of a run of one mark may stand: few on a letter, and one emoji selector on a symbol."""
    if ch == _EMOJI_STYLE:
        return 1 if base and unicodedata.category(base) == "So" and not marks else 0
    return 0 if not base or _is_hidden(ch) else min(length, max(0, _MARKS_PER_LETTER - marks))


def _repeated(code: str, length: int) -> str:
    return f"{code}({length} times)" if length >= _RUN else code * length


def _edges(text: str) -> str:
    """Show a space at either end, where it would not be seen."""
    if text.startswith(" "):
        text = _code(" ") + text[1:]
    return text[:-1] + _code(" ") if text.endswith(" ") else text


def _code(ch: str) -> str:
    return f"\\u{{{ord(ch):X}}}"


@lru_cache(maxsize=8192)
def _is_hidden(ch: str) -> bool:
    if " " <= ch <= "~":
        return False
    category = unicodedata.category(ch)
    if category[0] == "C" or category in {"Zl", "Zp", "Zs"} or ch in _BLANKS or _is_variation(ch):
        return True
    return unicodedata.combining(ch) == _OVERLAY


def _is_variation(ch: str) -> bool:
    return "\ufe00" <= ch <= "\ufe0f" or "\U000e0100" <= ch <= "\U000e01ef"


def _flag_words(text: str) -> str:
    if text.isascii():
        return text
    native = any(ch.isalpha() and _script(ch) not in {"LATIN", "TWIN", "DISGUISED"} for ch in text)
    return _WORD.sub(lambda word: word[0] + _suspicion(word[0], native=native), text)


def _suspicion(word: str, *, native: bool) -> str:
    """Name what is wrong with one word; `native` tells that the text has letters that no Latin one resembles."""
    if word.isascii():
        return ""
    scripts = {_script(ch) for ch in word}
    if "DISGUISED" in scripts:
        return LOOK_ALIKE
    if scripts == {"TWIN"} and not native:
        return LOOK_ALIKE
    alphabets = {_alphabet(ch) for ch in word}
    if len(alphabets) > 1 and not alphabets <= _EAST_ASIAN | {"LATIN"}:
        return MIXED
    return ""


@lru_cache(maxsize=8192)
def _alphabet(ch: str) -> str:
    return unicodedata.name(ch, "UNKNOWN").split(" ")[0]


@lru_cache(maxsize=8192)
def _script(ch: str) -> str:
    if ch in _TWINS:
        return "TWIN"
    plain = unicodedata.normalize("NFKC", ch)
    if ord(ch) >= _LATIN_1 and len(plain) == 1 and plain.isascii() and plain.isalpha():
        return "DISGUISED"
    return _alphabet(ch)
