"""Columns that tell who somebody is, found by their name or by what their cells look like."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from cbresearch.survey.adopt.column import Column
from cbresearch.survey.privacy import traces


@dataclass(frozen=True, slots=True)
class Personal:
    """A column that looks personal, and why. Where `is_column` is false only some of its cells do."""

    column: str
    why: str
    is_column: bool = True


_HINTS: Mapping[str, str] = {
    "a person's name": r"姓名|名字|称呼|联系人|受访者名|访员名|\bfull.?name|first.?name|last.?name|surname|user.?name|respondent.?name"
    r"|interviewer.?name|enumerator|^name$|_fn$|\bnombre\b|apellido",
    "a telephone number": r"电话|手机号|联系方式|联络方式|tele?phone|\bmobile.?(?:no|num)|phone.?(?:no|num)|^phone$|phonenum|tel[eé]fono|\bcelular\b",
    "an e-mail or chat address": r"邮箱|邮件地址|微信号|微信昵称|\bqq号?\b|\be-?mail\b|correo electr|wechat.?id",
    "an ID number": r"身份证|证件号|护照|社保卡|passport|\bssn\b|national.?id|id.?number|\bcurp\b|\brfc\b",
    "a home address": r"住址|详细地址|家庭地址|门牌|楼栋|房号|home.?address|street.?address|^address$|domicilio|direcci[oó]n exacta",
    "an internet address": r"来自ip|ip地址|(?:^|[^a-z])ip(?:[^a-z]|$)|ip.?address",
    "a place on the map": r"经度|纬度|经纬|定位|地理位置|(?:^|[^a-z])gps|latitud|longitud|(?:^|[^a-z])(?:lat|lon|lng)(?:[^a-z]|$)|coordenad",
    "a device or SIM": r"设备号|设备编号|设备id|imei|device.?(?:id|name|phone)|^device$|sim.?id|subscriber.?id|mac.?address|android.?id",
}
_PATTERNS = {what: re.compile(pattern, re.IGNORECASE) for what, pattern in _HINTS.items()}
_IP = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}(?:\(.*\))?")
_WESTERN_NAME = re.compile(r"[A-ZÀ-Þ][a-zà-ÿ'’]+(?: [A-ZÀ-Þ]\.?)?(?: [A-ZÀ-Þ][a-zà-ÿ'’-]+){1,2}(?: \(.+\))?")
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范"
    "金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
_PLACE_WORD = re.compile(
    r"\b(?:School|Elementary|High|Unified|District|City|County|Street|Union|Center|Community|Saint|San|Santa|Los|Las|North|South|East|West)\b"
)
_CHINESE_NAME = re.compile(f"[{_SURNAMES}][\u4e00-\u9fff]{{1,2}}")


def screen(column: Column, *, is_coded: bool) -> Personal | None:
    """Why the column looks personal, or None.

    `is_coded`: a few answers that come again. Such a column is personal only by a short heading, for
    a whole question with a few answers may ask about telephones without holding one.
    """
    longest = 16 if is_coded else 40
    for what, pattern in _PATTERNS.items():
        if any(len(words) <= longest and pattern.search(words) for words in (column.name, column.label)):
            return Personal(column.name, f"its heading says {what}")
    if column.answered == 0 or is_coded:
        return None
    return _by_cells(column)


def _by_cells(column: Column) -> Personal | None:
    for what, shape in (
        ("internet addresses", _IP),
        ("people's names", _WESTERN_NAME),
        ("people's names", _CHINESE_NAME),
    ):
        alike = [text for text in column.counts if shape.fullmatch(text.strip())]
        places = [text for text in column.counts if _PLACE_WORD.search(text)]
        if (
            len(alike) >= 0.7 * column.distinct
            and column.distinct >= max(5, 0.3 * column.answered)
            and len(places) <= 0.05 * column.distinct
        ):
            return Personal(column.name, f"its cells look like {what}")
    found: dict[str, int] = {}
    for text, count in column.counts.items():
        for mark in traces(text) if len(text) >= 6 else ():
            found[mark] = found.get(mark, 0) + count
    if not found:
        return None
    held = ", ".join(f"{count} {mark}" for mark, count in sorted(found.items()))
    if max(found.values()) >= 0.3 * column.answered:
        return Personal(column.name, f"most of its cells hold personal data: {held}")
    return Personal(
        column.name, f"some cells hold personal data, which `cbresearch build` masks: {held}", is_column=False
    )
