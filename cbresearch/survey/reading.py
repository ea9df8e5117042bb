"""How a file was read, said in both languages for the first line of its ledger."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cbresearch.records import Text

_SEPARATORS = {"comma": "逗号", "semicolon": "分号", "tab": "制表符", "pipe": "竖线"}
_IN_CHINESE: tuple[tuple[str, str], ...] = (
    (r"encoding (\S+) with byte order mark", r"编码 \1，带字节序标记"),
    (r"encoding (\S+)", r"编码 \1"),
    (r"sheet '(.*)'", r"工作表“\1”"),
    (r"column (\d+) has no heading: named '(.*)'", r"第 \1 列没有列名，记作“\2”"),
    (r"rows with more cells than the heading: (\d+) \(row (.*)\)", r"\1 行的格数多于列名（第 \2 行）"),
    (r"rows with fewer cells than the heading: (\d+) \(row (.*)\)", r"\1 行的格数少于列名（第 \2 行）"),
    (r"heading '(.*)' stands again over column (\d+): named '(.*)'", r"第 \2 列的列名“\1”重复，记作“\3”"),
)


def how_it_was_read(said: Sequence[str]) -> Text:
    """The first line of a ledger: nothing was changed, and how the file was taken apart."""
    zh, en = "；".join(map(_chinese, said)), "; ".join(said)
    return Text(
        f"按原样读入，单元格一字未改{f'（{zh}）' if zh else ''}。",
        f"Read as it stands, no cell changed{f' ({en})' if en else ''}.",
    )


def _chinese(said: str) -> str:
    """One remark of the reader in Chinese; a remark without a translation stays as it is."""
    if separated := re.fullmatch(r"separator (.+)", said):
        return f"以{_SEPARATORS.get(separated[1], separated[1])}分隔"
    for english, chinese in _IN_CHINESE:
        if found := re.fullmatch(english, said):
            return found.expand(chinese)
    return said
