"""How a file was read, in both languages."""

from __future__ import annotations

from pathlib import Path

import pytest

from cbresearch.records import Text
from cbresearch.survey.reading import how_it_was_read
from cbresearch.survey.sources import read_source


@pytest.mark.parametrize(
    ("said", "zh"),
    [
        ("encoding gb18030", "编码 gb18030"),
        ("encoding utf-8 with byte order mark", "编码 utf-8，带字节序标记"),
        ("sheet '2006年'", "工作表“2006年”"),
        ("column 3 has no heading: named 'column_3'", "第 3 列没有列名，记作“column_3”"),
        ("heading 'a' stands again over column 2: named 'a (2)'", "第 2 列的列名“a”重复，记作“a (2)”"),
        ("something new", "something new"),
    ],
)
def test_a_remark_is_said_in_chinese(said: str, zh: str) -> None:
    assert how_it_was_read([said]) == Text(
        f"按原样读入，单元格一字未改（{zh}）。", f"Read as it stands, no cell changed ({said})."
    )


def test_nothing_to_remark() -> None:
    assert how_it_was_read(()) == Text("按原样读入，单元格一字未改。", "Read as it stands, no cell changed.")


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_every_remark_of_the_reader_has_its_chinese(separator: str, tmp_path: Path) -> None:
    """Uneven rows, a blank heading and a repeated one at once."""
    rows = [["a", "", "a"], ["1", "2"], ["1", "2", "3", "4"], ["1", "2", "3"], ["1", "2", "3"]]
    path = tmp_path / "f.csv"
    path.write_text("\n".join(separator.join(row) for row in rows), encoding="utf-8")
    said = read_source(path).said
    assert len(said) >= 5
    zh = how_it_was_read(said).zh
    assert not any(word in zh for word in ("encoding", "separator", "rows", "heading", "named"))
