"""From bytes to text when nobody wrote down the encoding."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from dataclasses import dataclass

from cbresearch.errors import SourceError, nearest

KNOWN = ("utf-8", "gb18030", "gbk", "big5", "windows-1252", "latin-1", "utf-16", "shift_jis", "euc-kr")
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_LOOKED_AT = 500_000
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")
_LONE_AMONG_LETTERS = re.compile(
    r"(?:(?<=[A-Za-z])[^\x00-\x7f](?![^\x00-\x7f])|(?<![^\x00-\x7f])[^\x00-\x7f](?=[A-Za-z]))"
)


@dataclass(frozen=True, slots=True)
class Decoded:
    text: str
    said: str


def decode(data: bytes, name: str, encoding: str | None = None) -> Decoded:
    """The text of a file called `name`, and in which encoding it was found.

    A byte order mark decides; else UTF-8, GB18030, windows-1252 are tried, the strictest first. As
    GB18030 accepts much that is windows-1252, its text must also look like Chinese. An `encoding`
    that is given is the only one tried.
    """
    if encoding:
        return _decode_as_told(data, name, encoding)
    for mark, marked in _MARKS:
        if data.startswith(mark):
            return Decoded(
                _strictly(data, marked, name), f"encoding {marked.removesuffix('-sig')} with byte order mark"
            )
    if (text := _try(data, "utf-8")) is not None:
        return Decoded(text, "encoding utf-8")
    if (text := _try(data, "gb18030")) is not None and looks_chinese(text):
        return Decoded(text, "encoding gb18030")
    return Decoded(_strictly(data, "windows-1252", name), "encoding windows-1252")


def looks_chinese(text: str) -> bool:
    """Whether text decoded as GB18030 was Chinese, rather than accented Latin read as Chinese.

    Chinese is mostly made of the 3,755 common characters with their punctuation, side by side;
    accented letters read as GB18030 give rare characters, each alone between Latin letters.
    """
    start = text[:_LOOKED_AT]
    counts = Counter(_BEYOND_ASCII.findall(start))
    common = sum(count for character, count in counts.items() if _is_common(character))
    alone = len(_LONE_AMONG_LETTERS.findall(start))
    return common >= 0.5 * counts.total() and alone <= 0.5 * counts.total()


def _is_common(character: str) -> bool:
    try:
        code = character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return 0xA1 <= code[0] <= 0xA9 or 0xB0 <= code[0] <= 0xD7


def _decode_as_told(data: bytes, name: str, encoding: str) -> Decoded:
    try:
        codecs.lookup(encoding)
    except LookupError as error:
        near = nearest(encoding.lower(), KNOWN)
        hint = f" Did you mean '{near}'?" if near else ""
        raise SourceError(
            f"{name}: no encoding is called '{encoding}'; expected one such as {', '.join(KNOWN[:5])}.{hint}"
        ) from error
    bare = "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding
    return Decoded(_strictly(data, bare, name), f"encoding {encoding}, as told")


def _strictly(data: bytes, encoding: str, name: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        byte = data[error.start]
        raise SourceError(
            f"{name}: byte 0x{byte:02X} on line {line} is not {encoding.removesuffix('-sig')}; expected text in one encoding "
            "throughout. Save it again as 'CSV UTF-8', or give its encoding in study.toml, such as encoding = \"gb18030\"."
        ) from error


def _try(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None
