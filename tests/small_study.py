"""A study small enough to check on paper, written into a folder."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from cbresearch.build import as_table
from cbresearch.study import Study, open_study
from cbresearch.survey.sources import Raw
from cbresearch.survey.table import Table

CODEBOOK = """name,type,label::zh,label::en,choices,missing,direction,minimum,maximum,scale,role,relevant,table
id,id,编号,Number,,,,,,,key,,residents
secs,integer,所用时间(秒),Seconds taken,,,,0,86400,,duration,,residents
name,text,姓名,Name,,,,,,,personal,,residents
old,select_one,原居委会,Former committee,old,,,,,,,,residents
area,select_one,社区,Community,area,,,,,,area,,residents
wt,decimal,权数,Weight,,,,0.01,,,,,residents
sex,select_one,性别,Sex,sex,,,,,,group,,residents
age,integer,年龄,Age,,999,,18,105,,,,residents
age_group,select_one,年龄组,Age group,age_group,,,,,,group,,residents
sat,select_one,总体满意度,Satisfaction,sat5,9,,1,5,overall,outcome,,residents
slow,select_one,办事拖拉,Staff are slow,agree5,9,-1,1,5,overall,outcome,,residents
need,select_multiple,需要的服务,Services needed,field,,,,,,need,,residents
could,integer,能付(元),Could pay,,9999,,0,3000,,payment,,residents
would,integer,愿付(元),Would pay,,9999,,0,3000,,payment,${could} > 0,residents
visited,date,访问日期,Day of visit,,,,,,,paradata,,residents
remark,text,意见,Remarks,,,,,,,remark,,residents
households,integer,户数,Households,,,,0,,,,,communities
adults,integer,成年人,Adults,,,,0,,,,,communities
funds,decimal,经费(元),Funds (yuan),,,,0,,,,,communities
place,id,设施编号,Facility number,,,,,,,key,,facilities
kind,select_one,设施类型,Kind,kind,,,,,,,,facilities
floor,decimal,面积,Floor,,,,0,,,,,facilities
opened_year,integer,启用年份,Year opened,,,,1950,2030,,,,facilities
"""

CHOICES = """list,code,label::zh,label::en,order,variants
sat5,1,非常不满意,Very dissatisfied,1,
sat5,2,不满意,Dissatisfied,2,
sat5,3,一般,Neither,3,
sat5,4,满意,Satisfied,4,比较满意
sat5,5,非常满意,Very satisfied,5,很满意
agree5,1,非常不同意,Strongly disagree,1,
agree5,2,不同意,Disagree,2,
agree5,3,一般,Neither,3,
agree5,4,同意,Agree,4,
agree5,5,非常同意,Strongly agree,5,
sex,1,男,Men,1,M
sex,2,女,Women,2,F
age_group,young,18–44岁,18–44,1,
age_group,old,45岁及以上,45 and over,2,
field,health,医疗,health,1,
field,culture,文化,culture,2,
field,order,治安,public order,3,
area,A,甲社区,A,1,甲
area,B,乙社区,B,2,乙
old,a1,甲一,A one,1,
old,a2,甲二,A two,2,
old,b1,乙一,B one,3,
kind,centre,活动中心,Centre,1,
kind,path,健身路径,Path,2,
"""

STUDY = """
[study]
name = "small"
title = {{ zh = "小", en = "Small" }}
waves = {waves}
[keys]
resident = "{key}"
{area}
{sources}
{more}
[scales.overall]
label = {{ zh = "总体", en = "Overall" }}
minimum_answered = 2
"""

BANDS = '[[bands]]\nname = "age_group"\nof = "age"\nstarts = [18, 45]\n'


def source(file: str, table: str = "residents", **keys: object) -> str:
    """One [[sources]] entry of study.toml."""
    lines = ["[[sources]]", f'table = "{table}"', f'file = "{file}"']
    columns = keys.pop("columns", {})
    lines += [
        f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {value}" for key, value in keys.items()
    ]
    lines += (
        ["[sources.columns]", *(f'"{heading}" = "{name}"' for heading, name in columns.items())]
        if columns
        else []
    )
    return "\n".join(lines)


def small_study(
    root: Path,
    files: dict[str, str | bytes],
    *sources: str,
    waves: tuple[int, ...] = (2009,),
    key: str = "id",
    area: str | None = "area",
    more: str = "",
    codebook: str = CODEBOOK,
    choices: str = CHOICES,
) -> Study:
    """Write the study and its raw files (text as UTF-8) below `root`, and open it."""
    raw = root / "data" / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    (root / "notebooks").mkdir(exist_ok=True)
    for name, content in files.items():
        (raw / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    toml = STUDY.format(
        waves=list(waves),
        key=key,
        area=f'area = "{area}"' if area else "",
        sources="\n".join(sources) or "\n".join(source(name) for name in files),
        more=more,
    )
    for name, content in (("study.toml", toml), ("codebook.csv", codebook), ("choices.csv", choices)):
        (root / "data" / name).write_text(content, encoding="utf-8")
    return open_study(root)


def small_table(
    root: Path, columns: dict[str, list[str | None]], kind: str = "residents", **labels: dict[str, str]
) -> Table:
    """One table of the small study with these cells, headings already the codebook's names; first row 2."""
    study = small_study(
        root,
        {"f.csv": "id\n1\n"},
        source("f.csv", kind) + "\n" + (source("f.csv") if kind != "residents" else ""),
    )
    frame = pd.DataFrame(columns, dtype="string")
    return as_table(study, "f.csv", study.file.sources[0], Raw(frame, first_row=2, value_labels=dict(labels)))
