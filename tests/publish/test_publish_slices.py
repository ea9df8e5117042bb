"""A report depends on what it reads, and reads what it declared."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbresearch.errors import PublishError, StudyError
from cbresearch.publish import slices
from cbresearch.publish.keys import Inputs
from cbresearch.publish.plan import plan
from cbresearch.publish.slices import hashes_by_area
from cbresearch.publish.worker import _taught
from cbresearch.study import SLICE, Columns, Reads, Study, from_plain, open_study, plain
from cbresearch.study.file import Report
from cbresearch.study.reads import reads_of

ROW = st.tuples(
    st.sampled_from(["A", "A2", "乙", None]), st.none() | st.integers(-9, 9), st.none() | st.text(max_size=3)
)


def as_table(rows: list[tuple[str | None, int | None, str | None]]) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else ((), (), ())
    types = (pa.string(), pa.int64(), pa.large_string())
    return pa.table(
        [pa.array(list(c), t) for c, t in zip(columns, types, strict=True)], names=["area", "n", "said"]
    )


@given(rows=st.lists(ROW, max_size=12), other=st.lists(ROW, max_size=12))
def test_an_areas_hash_tells_its_own_rows_apart_and_no_others(rows: list, other: list) -> None:
    one = hashes_by_area(as_table(rows), "area", ["n", "said"])
    two = hashes_by_area(as_table(other), "area", ["n", "said"])
    for area in one.keys() | two.keys():
        mine, theirs = ([row for row in table if row[0] == area] for table in (rows, other))
        assert (one.get(area) == two.get(area)) == (mine == theirs)


@given(rows=st.lists(ROW, min_size=1, max_size=9), data=st.data())
def test_rows_of_others_may_stand_anywhere(rows: list, data: st.DataObject) -> None:
    area = rows[0][0]
    mine = [row for row in rows if row[0] == area]
    rest = data.draw(st.permutations([row for row in rows if row[0] != area]))
    both = [hashes_by_area(as_table(table), "area", ["said"]).get(area) for table in (rows, [*rest, *mine])]
    assert both[0] == both[1]


def declare(root: Path, text: str) -> Study:
    path = root / "data" / "study.toml"
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")
    return open_study(root)


DECLARED = """reads = { residents = ["*"] }
own = { residents = ["remark"] }
"""


@pytest.fixture
def with_remarks(root: Path) -> Path:
    save(root, ["good", None])
    declare(root, DECLARED)
    return root


def save(root: Path, remarks: list[str | None], age: int = 30) -> None:
    frame = pd.DataFrame(
        {"id": ["1", "2"], "community": ["A2", "欣乐"], "street": ["s2", "s1"], "wave": [2009, 2009], "age": [age, 40],
         "remark": pd.array(remarks, dtype="string")}
    )  # fmt: skip
    frame.to_parquet(root / "data" / "processed" / "residents.parquet")
    said = json.dumps([remarks, age])
    (root / "data" / "processed" / "manifest.json").write_text(said, encoding="utf-8")


def keys_of(root: Path) -> dict[str, str]:
    study = open_study(root)
    inputs = Inputs(study)
    found = {job.area.code if job.area else job.notebook: inputs.run_key(job) for job in plan(study)}
    inputs.slices.save()
    return found


def changed(root: Path, remarks: list[str | None], age: int = 30) -> set[str]:
    before = keys_of(root)
    save(root, remarks, age)
    after = keys_of(root)
    return {name for name in before if before[name] != after[name]}


def test_a_changed_remark_is_one_communitys_affair(with_remarks: Path) -> None:
    # 10_all declares nothing, so it reads everything
    assert changed(with_remarks, ["bad", None]) == {"10_all", "A2"}
    assert changed(with_remarks, ["bad", "new"]) == {"10_all", "欣乐"}
    assert changed(with_remarks, ["bad", "new"], age=31) == {"10_all", "A2", "欣乐"}


def test_hashes_are_remembered_until_a_table_changes(
    with_remarks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = keys_of(with_remarks)
    monkeypatch.setattr(slices, "_parquet", lambda path: pytest.fail("read again"))
    assert keys_of(with_remarks) == first


@pytest.mark.parametrize("content", ["", "[]", '{"of": 1}'])
def test_a_memory_that_cannot_be_read_is_made_again(with_remarks: Path, content: str) -> None:
    first = keys_of(with_remarks)
    (with_remarks / "reports" / slices.CACHE).write_text(content, encoding="utf-8")
    assert keys_of(with_remarks) == first


def test_a_table_that_cannot_be_read_says_what_to_do(with_remarks: Path) -> None:
    (with_remarks / "data" / "processed" / "residents.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(
        PublishError, match=r"residents.parquet cannot be read: .*Run 'cbresearch build --fresh'"
    ):
        keys_of(with_remarks)
    with pytest.raises(StudyError, match=r"residents.parquet: cannot be read: .*build --fresh"):
        open_study(with_remarks).residents()


def test_a_run_gives_the_declared_slice_and_a_hand_everything(
    with_remarks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(with_remarks, ["good", "bad"])
    study = open_study(with_remarks)
    assert list(study.residents()["remark"]) == ["good", "bad"]
    job = next(job for job in plan(study) if job.area and job.area.code == "A2")
    assert job.reads is not None
    monkeypatch.setenv(SLICE, json.dumps(plain(job.reads)))
    frame = study.residents()
    assert list(frame["remark"].fillna("blank")) == ["good", "blank"]
    assert list(frame["age"]) == [30, 40]
    with pytest.raises(StudyError) as caught:
        study.communities()
    assert str(caught.value).endswith(
        "report '90_one': its notebook reads table 'communities', which 'reads' in study.toml does not list; "
        "add it to the reads of 90_one, so that the report is made again whenever it changes."
    )


def test_listed_columns_alone_are_read_with_the_keys(
    with_remarks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = open_study(with_remarks)
    reads = Reads("10_all", None, (("residents", Columns(("age",))),))
    monkeypatch.setenv(SLICE, json.dumps(plain(reads)))
    assert list(study.residents()) == ["id", "community", "wave", "age"]
    error = {"class": "KeyError", "message": "'street'"}
    taught = _taught(error, reads)
    assert taught is not None and taught["message"].startswith(
        "'street'. If that is a column: report '10_all': its notebook reads column 'street', which 'reads' in"
    )
    assert _taught({"class": "KeyError", "message": "'age'"}, reads) == {
        "class": "KeyError",
        "message": "'age'",
    }


def test_a_misspelt_column_names_the_nearest(with_remarks: Path) -> None:
    declare(
        with_remarks,
        '\n[[reports]]\nnotebook = "10_all"\nreads = { residents = ["agee"] }\nparameters = { wave = 2009 }\n',
    )
    with pytest.raises(
        StudyError, match=r"reads 'agee' of residents, which has no such column.*Did you mean 'age'"
    ):
        keys_of(with_remarks)


def test_what_is_declared_travels(with_remarks: Path) -> None:
    for job in plan(open_study(with_remarks)):
        assert job.reads is None or from_plain(json.loads(json.dumps(plain(job.reads)))) == job.reads


def test_own_alone_reads_all_the_rest() -> None:
    reads = reads_of(Report(notebook="n", own={"residents": ("remark",)}))
    assert reads is not None
    assert dict(reads.tables)["residents"] == Columns(("*",), ("remark",))
    assert set(dict(reads.tables)) == {"residents", "communities", "findings", "ledger"}
    assert reads_of(Report(notebook="n")) is None


def test_a_changed_remark_in_a_raw_file_is_one_scorecards_affair(chengbei_root: Path) -> None:
    """The sample study, built before and after: one community's report is out of date, and nothing else."""
    from cbresearch.build import build

    raw = chengbei_root / "data" / "raw" / "residents_2009.csv"
    text = raw.read_text(encoding="utf-8-sig")
    head, *rows = text.splitlines(keepends=True)
    build(open_study(chengbei_root))
    residents = open_study(chengbei_root).residents().query("wave == 2009")
    said = residents[residents["remark"].notna() & (residents["remark"].str.len() > 4)].iloc[0]
    number = int(said["row"]) - 2
    assert said["remark"] in rows[number]
    before = keys_of(chengbei_root)
    rows[number] = rows[number].replace(said["remark"], said["remark"] + "谢谢")
    raw.write_text("".join([head, *rows]), encoding="utf-8")
    build(open_study(chengbei_root))
    after = keys_of(chengbei_root)
    assert {name for name in before if before[name] != after[name]} == {said["community"]}
