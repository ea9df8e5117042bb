"""Scales for tests: drawn ones with one factor, and those of psych::bfi beside the numbers R has for them."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd

R = json.loads((Path(__file__).parents[1] / "reference" / "scales_bfi.json").read_text("utf-8"))


def scale(seed: int, n: int = 200, k: int = 4, loading: float = 0.7) -> pd.DataFrame:
    """n residents' answers 1-5 to k items of one factor, q0 …"""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(n, 1))
    values = loading * common + math.sqrt(1 - loading**2) * rng.normal(size=(n, k))
    return pd.DataFrame(
        np.digitize(values, [-1.2, -0.4, 0.4, 1.2]) + 1.0, columns=[f"q{i}" for i in range(k)]
    )


def bfi_answers(shared_data: Path) -> pd.DataFrame:
    """2,800 people, 25 items, gender, education and age."""
    return pd.read_csv(shared_data.parent / "reference" / "scales_bfi" / "bfi.csv")


def keyed(bfi: pd.DataFrame, name: str) -> pd.DataFrame:
    """The items of a scale, those worded the other way turned."""
    keys = R["scales"][name]["key"]
    return pd.DataFrame({k.strip("-"): 7 - bfi[k[1:]] if k[0] == "-" else bfi[k] for k in keys})
