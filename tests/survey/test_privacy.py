"""Personal data found by shape, in cells."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbresearch.survey.privacy import mask, traced, traces


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("请打13912345678联系我", "请打[电话]联系我"),
        ("电话 139-1234-5678，盼回复", "电话 [电话]，盼回复"),
        ("139 1234 5678", "[电话]"),
        ("+86 13912345678", "[电话]"),
        ("１３９１２３４５６７８", "[电话]"),
        ("座机0971-8123456转12", "座机[电话]"),
        ("(010)62345678", "[电话]"),
        ("家里电话：8123456", "家里电话[电话]"),
        ("身份证630105199001010011", "身份证[证件号]"),
        ("63010519900101001X", "[证件号]"),
        ("630105900101001", "[证件号]"),
        ("发到 a.b-c@mail.example.com 谢谢", "发到 [邮箱] 谢谢"),
        ("13912345678，test@example.com", "[电话]，[邮箱]"),
    ],
)
def test_personal_data_are_masked(text: str, masked: str) -> None:
    assert mask(text) == masked
    assert traces(text)


@pytest.mark.parametrize(
    "text",
    [
        "路灯坏了",
        "2006年9月1日",
        "一共1,200元",
        "订单号2013912345678999",
        "12345678901234567890",
        "12912345678",
        "8123456",
        "第3号楼101室",
        "1.5万元",
        "@社区",
        "",
        "满 意 ５ 分",
    ],
)
def test_what_is_no_personal_data_stays_to_the_letter(text: str) -> None:
    assert mask(text) == text
    assert traces(text) == ()


@settings(deadline=None)
@given(st.text(alphabet="0123456789 -+@.Xx（）电话a路", max_size=40))
def test_what_is_masked_once_needs_no_masking(text: str) -> None:
    assert mask(mask(text)) == mask(text)
    assert bool(traces(text)) == (mask(text) != text)


@settings(deadline=None)
@given(st.text(max_size=10), st.text(max_size=10))
def test_a_phone_is_found_whatever_stands_around_it(before: str, after: str) -> None:
    before, after = before + "，", "，" + after
    assert "13912345678" not in mask(f"{before}13912345678{after}")


def test_marks_in_english() -> None:
    text = "call 13912345678 or a@b.cn, ID 630105199001010011"
    assert mask(text, "en") == "call [phone] or [e-mail], ID [ID number]"
    assert traces(text, "en") == ("[e-mail]", "[ID number]", "[phone]")


def test_cells_with_traces_come_back_as_marks_by_row() -> None:
    cells = pd.Series(["好", None, "13912345678 a@b.cn", "好"], index=[2, 3, 4, 5], dtype="string")
    assert traced(cells).to_dict() == {4: "[邮箱] [电话]"}
