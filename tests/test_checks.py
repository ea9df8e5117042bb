"""One check tells everything wrong with a study at once."""

from __future__ import annotations

from pathlib import Path

import pytest

import cbresearch
from cbresearch.errors import StudyError


def test_nothing_wrong_with_the_sample_study(drawn: Path) -> None:
    assert cbresearch.check(drawn).name == "chengbei"


def test_study_codebook_and_conditions_are_told_together(chengbei_root: Path) -> None:
    toml, codebook = chengbei_root / "data" / "study.toml", chengbei_root / "data" / "codebook.csv"
    toml.write_text(
        toml.read_text(encoding="utf-8").replace('cluster = "block"', 'cluster = "blok"'), encoding="utf-8"
    )
    wrong = codebook.read_text(encoding="utf-8").replace("${could_pay_yuan_per_month} > 0", "${could_pay} >")
    codebook.write_text(wrong.replace("sex,select_one", "sex,select_won"), encoding="utf-8")
    with pytest.raises(StudyError) as caught:
        cbresearch.check(chengbei_root)
    told = [str(fault) for fault in caught.value.faults]
    assert len(told) == 3
    assert any("'select_won'" in fault and "Did you mean 'select_one'?" in fault for fault in told)
    assert any("no column 'blok'" in fault and "Did you mean 'block'?" in fault for fault in told)
    assert any("would_pay_yuan_per_month" in fault for fault in told)


def test_conditions_alone_are_told_too(chengbei_root: Path) -> None:
    codebook = chengbei_root / "data" / "codebook.csv"
    text = codebook.read_text(encoding="utf-8").replace(
        "${could_pay_yuan_per_month} > 0", "${could_pay_yuan} > 0"
    )
    codebook.write_text(text, encoding="utf-8")
    with pytest.raises(StudyError, match="Did you mean 'could_pay_yuan_per_month'"):
        cbresearch.check(chengbei_root)
