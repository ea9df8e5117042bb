"""Parameters are checked, names and values, before a notebook starts."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbresearch.errors import ParameterError
from cbresearch.publish.parameters import (
    PLAIN,
    check_parameters,
    coerced,
    declared_by,
    declared_in,
    faults_in,
)
from cbresearch.study import Study

KNOWN = {"areas": ("欣乐", "A2"), "waves": (2008, 2009), "languages": ("zh", "en")}
DECLARED = {"area": str, "wave": int, "lang": str, "share": float, "short": bool}


def faults(given: dict[str, object]) -> list[str]:
    return [str(fault) for fault in faults_in(DECLARED, given, **KNOWN)]  # type: ignore[arg-type]


def test_names_types_and_defaults_are_read_without_running() -> None:
    source = 'area: str = ""\nwave: int = 0\nlang = "zh"\nshare = 0.5\nshort: bool = False\nn: int | None = None\nm = print("run")'
    declared = declared_by(source, where="x")
    assert {name: one.type for name, one in declared.items()} == {
        "area": str, "wave": int, "lang": str, "share": float, "short": bool, "n": int, "m": object,
    }  # fmt: skip
    assert declared["lang"].default == "zh"
    assert declared["n"].default is None


def test_a_notebook_without_a_parameters_cell_declares_nothing(root: Path) -> None:
    path = root / "notebooks" / "plain.ipynb"
    path.write_text(
        '{"cells": [{"cell_type": "code", "metadata": {}, "source": ["x = 1"]}]}', encoding="utf-8"
    )
    assert declared_in(path) == {}


def test_a_file_that_is_no_notebook_is_named(tmp_path: Path) -> None:
    path = tmp_path / "odd.ipynb"
    path.write_text("not json", encoding="utf-8")
    with pytest.raises(ParameterError, match=r"odd\.ipynb: cannot be read as a notebook"):
        declared_in(path)


def test_a_broken_parameters_cell_says_where() -> None:
    with pytest.raises(ParameterError) as caught:
        declared_by("wave = = 1", where="50_drivers.ipynb")
    assert str(caught.value) == (
        "These parameters cannot be used (1 fault):\n"
        "  - 50_drivers.ipynb: its parameters cell is not Python: invalid syntax, line 1; "
        "expected lines such as wave: int = 0."
    )


def test_what_fits_has_no_faults() -> None:
    assert faults({"area": "欣乐", "wave": 2008, "lang": "en", "share": 1, "short": True}) == []
    assert faults({"area": "", "wave": 0}) == []


@pytest.mark.parametrize(
    "given, text",
    [
        ({"aera": "x"}, "parameter 'aera': the notebook does not declare it; it declares area, wave, lang, share, short. Did you mean 'area'?"),
        ({"area": "A22"}, "parameter 'area': no community 'A22' in the study; expected 欣乐, A2. Did you mean 'A2'?"),
        ({"wave": 2007}, "parameter 'wave': no wave '2007' in the study; expected 2008, 2009. Did you mean '2009'?"),
        ({"wave": "last"}, "parameter 'wave': found 'last'; expected a whole number."),
        ({"wave": True}, "parameter 'wave': found True; expected a whole number."),
        ({"lang": "fr"}, "parameter 'lang': no language 'fr' in the study; expected zh, en."),
        ({"share": float("nan")}, "parameter 'share': found nan; expected a finite number."),
        ({"short": 1}, "parameter 'short': found 1; expected true or false."),
        ({"x=1;import os": 1}, "parameter 'x=1;import os': not a name; expected letters, digits and underscores, such as wave."),
        ({"class": 1}, "parameter 'class': not a name; expected letters, digits and underscores, such as wave."),
    ],
    ids=str,
)  # fmt: skip
def test_each_fault_says_what_to_do(given: dict[str, object], text: str) -> None:
    assert faults(given) == [text]


class Sly(str):
    def __str__(self) -> str:
        return '"; import os; "'


def test_a_text_that_prints_as_code_is_refused() -> None:
    assert len(faults({"area": Sly("欣乐")})) == 1


def test_a_parameter_whose_type_is_not_plain_cannot_be_given() -> None:
    found = faults_in({"rows": object}, {"rows": [1]}, **KNOWN)  # type: ignore[arg-type]
    assert "only text, numbers, true and false" in str(found[0])


@pytest.mark.parametrize(
    "value, wanted, result",
    [
        ("2008", int, 2008), ("true", bool, True), ("No", bool, False), ("0.5", float, 0.5), (3, float, 3.0),
        (101, str, "101"), ("101", str, "101"), ("x", int, "x"), ("2", bool, "2"), (True, str, True), ("1", object, "1"),
    ],
)  # fmt: skip
def test_text_becomes_the_declared_type_where_nothing_is_lost(
    value: object, wanted: type, result: object
) -> None:
    assert coerced(value, wanted) == result
    assert type(coerced(value, wanted)) is type(result)


@given(
    name=st.text(),
    value=st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.none(), st.lists(st.text())),
)
def test_nothing_but_declared_names_and_plain_finite_values_ever_passes(name: str, value: object) -> None:
    if not faults_in(DECLARED, {name: value}, **KNOWN):  # type: ignore[arg-type]
        assert name in DECLARED
        assert type(value) in PLAIN
        assert value == value and value not in (float("inf"), float("-inf"))


def test_all_faults_come_at_once(root: Path, study: Study) -> None:
    with pytest.raises(ParameterError) as caught:
        check_parameters(
            root / "notebooks" / "90_one.ipynb", {"aera": "欣乐", "lang": "cn", "area": "光明"}, study
        )
    assert str(caught.value) == (
        "These parameters cannot be used (3 faults):\n"
        "  - 90_one, parameter 'aera': the notebook does not declare it; it declares lang, area. Did you mean 'area'?\n"
        "  - 90_one, parameter 'lang': no language 'cn' in the study; expected zh, en.\n"
        "  - 90_one, parameter 'area': no community '光明' in the study; expected 欣乐, A2."
    )


def test_text_from_a_command_line_is_given_its_type(root: Path, study: Study) -> None:
    assert check_parameters(root / "notebooks" / "10_all.ipynb", {"wave": "2009"}, study) == {"wave": 2009}
