"""The parts of a workspace small enough to read: two communities, two notebooks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd

STUDY = """
[study]
name = "tiny"
title = { zh = "小区调查", en = "A tiny study" }
waves = [2008, 2009]
notice = { zh = "样例数据。", en = "Sample data." }

[keys]
resident = "id"
area = "community"

[[sources]]
table = "residents"
wave = 2009
file = "r.csv"

[design]
strata = ["street"]

[[reports]]
notebook = "10_all"

[[reports]]
notebook = "90_one"
over = "area"
"""
CODEBOOK = """name,type,label::zh,label::en,choices,missing,direction,minimum,maximum,scale,role,relevant,table
id,id,编号,Number,,,,,,,key,,residents
community,select_one,社区,Community,community,,,,,,area,,residents
street,select_one,街道,Street,street,,,,,,,,residents
"""
CHOICES = """list,code,label::zh,label::en,order,variants
community,欣乐,欣乐社区,Xinle Community,1,
community,A2,光明社区,Guangming Community,2,
street,s1,一街,First Street,1,
street,s2,二街,Second Street,2,
"""
SHOWN = """
class Shown:
    def __init__(self, zh, en, findings=()):
        self.zh, self.en, self.findings = zh, en, list(findings)
    def _repr_mimebundle_(self, include=None, exclude=None):
        return {
            "application/vnd.cbresearch.page+json": {"zh": self.zh, "en": self.en},
            "application/vnd.cbresearch.findings+json": self.findings,
            "text/plain": "shown",
        }
"""

Cell = tuple[str, str, list[str]]


def code(source: str, *tags: str) -> Cell:
    return ("code", source, list(tags))


def prose(source: str, *tags: str) -> Cell:
    return ("markdown", source, list(tags))


def notebook_of(*cells: Cell) -> Any:
    made = []
    for number, (kind, source, tags) in enumerate(cells):
        make = nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
        made.append(make(source, metadata={"tags": tags}, id=f"c{number}"))
    return nbformat.v4.new_notebook(cells=made)


GOOD = (
    code('lang = "zh"\nwave: int = 0', "parameters"),
    prose("# 总体情况", "zh"),
    prose("# Overview", "en"),
    code(SHOWN),
    prose("## 满意度", "zh"),
    prose("## Satisfaction", "en"),
    code(
        'Shown("<p class=\\"headline\\">满意</p>", "<p class=\\"headline\\">Satisfied</p>",'
        ' [{"name": "sat", "value": 61.5, "low": float("nan"), "n": 120, "status": "published"}])'
    ),
)
OF_AREA = (
    code('lang = "zh"\narea: str = ""', "parameters"),
    prose("# 评分卡", "zh"),
    prose("# Scorecard", "en"),
    code("print('area is', area)"),
)


def write_notebook(root: Path, name: str, *cells: Cell) -> Path:
    path = root / "notebooks" / f"{name}.ipynb"
    nbformat.write(notebook_of(*cells), path)
    return path


def make_workspace(folder: Path) -> Path:
    """The workspace, built as far as publish looks: two residents of two communities."""
    data = folder / "data"
    (data / "raw").mkdir(parents=True)
    (data / "processed").mkdir()
    (folder / "notebooks").mkdir()
    (data / "raw" / "r.csv").write_text("id\n1\n", encoding="utf-8")
    (data / "study.toml").write_text(STUDY, encoding="utf-8")
    (data / "codebook.csv").write_text(CODEBOOK, encoding="utf-8")
    (data / "choices.csv").write_text(CHOICES, encoding="utf-8")
    residents = pd.DataFrame(
        {"id": ["1", "2"], "community": ["A2", "欣乐"], "street": ["s2", "s1"], "wave": [2009, 2009]}
    )
    residents.to_parquet(data / "processed" / "residents.parquet")
    (data / "processed" / "manifest.json").write_text(json.dumps({"residents": "1"}), encoding="utf-8")
    write_notebook(folder, "10_all", *GOOD)
    write_notebook(folder, "90_one", *OF_AREA)
    return folder
