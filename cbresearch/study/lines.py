"""Which line of study.toml a key stands on."""

from __future__ import annotations

import re


class Lines:
    """Which line of study.toml a key stands on."""

    def __init__(self, text: str) -> None:
        self._line: dict[tuple[str | int, ...], int] = {}
        table: tuple[str | int, ...] = ()
        counts: dict[tuple[str | int, ...], int] = {}
        for number, line in enumerate(text.splitlines(), 1):
            bare = line.strip()
            if header := re.match(r"^(\[\[?)([^\[\]]+)\]", bare):
                table = self._resolve(header[2], counts, is_array=header[1] == "[[")
                self._line.setdefault(table, number)
            elif key := re.match(r"""^("[^"]+"|'[^']+'|[\w.-]+)\s*=""", bare):
                self._line.setdefault((*table, *_key_parts(key[1])), number)

    @staticmethod
    def _resolve(
        header: str, counts: dict[tuple[str | int, ...], int], *, is_array: bool
    ) -> tuple[str | int, ...]:
        parts = _key_parts(header)
        if is_array:
            counts[parts] = counts.get(parts, -1) + 1
            return (*parts, counts[parts])
        head: tuple[str | int, ...] = parts[:1]
        return (*head, counts[head], *parts[1:]) if head in counts else parts

    def where(self, loc: tuple[str | int, ...]) -> str:
        for length in range(len(loc), 0, -1):
            if loc[:length] in self._line:
                return f"study.toml line {self._line[loc[:length]]}"
        return "study.toml"


def _key_parts(text: str) -> tuple[str | int, ...]:
    return tuple(part.strip().strip("\"'") for part in re.findall(r'"[^"]+"|\'[^\']+\'|[^.]+', text.strip()))
