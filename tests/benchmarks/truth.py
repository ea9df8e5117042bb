"""Whether the chain finds what the sample study's generator put in, over many seeds: `python -P tests/benchmarks/truth.py`.

For each seed the raw files are drawn, built and answered as a user would, then held against what asking
every adult of that district, without any chance in the answers, would have given. Writes docs/truth.md
(`--into` for another place). `--seeds 20` for a look; 200 take about half
an hour on two cores.
"""

from __future__ import annotations

import argparse
import math
import os
import tempfile
import warnings
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
WAYS = {
    "within": "within communities, over time (the answer)",
    "between": "between communities, all waves",
    "naive": "last wave, residents as if drawn one by one",
}


@dataclass(frozen=True)
class Draw:
    """One seed, one cause, one way of estimating, against the truth of that draw."""

    seed: int
    cause: str
    way: str
    true: float
    value: float
    low: float
    high: float


def one_seed(seed: int) -> list[Draw]:
    os.environ["OMP_NUM_THREADS"] = "1"
    warnings.simplefilter("ignore")  # those of the readers; the tests make them errors
    from cbresearch.build import build
    from cbresearch.chengbei import draw
    from cbresearch.chengbei.contract import read_contract
    from cbresearch.estimate.questions import drivers
    from cbresearch.study import open_study
    from cbresearch.workspace import new

    with tempfile.TemporaryDirectory() as folder:
        root = new(Path(folder) / "study", study_files=REPOSITORY / "data").root
        draw(root, seed=seed)
        study = open_study(root)
        build(study)
        true = census(read_contract(root), seed)
        answers = drivers.answers(study)
        steps = {question.cause: question.unit for question in study.file.questions}
        found = [
            Draw(seed, r.measure, r.part("term"), steps[r.measure] * true[r.measure], r.value, r.low, r.high)
            for r in drivers.effects(answers)
            if r.value is not None
        ]
        return found + naive(answers, {cause: steps[cause] * true[cause] for cause in steps}, seed)


def census(contract: object, seed: int) -> dict[str, float]:
    """Points per unit of each cause: the within coefficient over every adult, with no chance in the answers.

    Points are a bent image of what the generator adds up, so a straight line through all adults is not quite
    the mean of their own slopes: it is what a perfect survey of this district would find, and the target.
    """
    from cbresearch.chengbei.district import draw_district
    from cbresearch.chengbei.model import MODEL
    from cbresearch.chengbei.truth import effects_points, expected_by_adults
    from cbresearch.estimate.effects.within_between import effect_of, split

    calm = replace(MODEL, cell_sd=0.0)
    district = draw_district(contract, seed=seed, model=calm)
    adults = expected_by_adults(district, contract, calm)
    causes = list(effects_points(adults, calm))
    frame = adults.merge(district.panel[["community", "wave", *causes]], on=["community", "wave"])
    levels = {"area": "community", "wave": "wave", "controls": ["sex", "age_group"], "weights": "adults"}
    model = split(frame, "points", causes, **levels)
    return {cause: effect_of(model, cause, "within", "points").value for cause in causes}


def naive(answers: object, true: dict[str, float], seed: int) -> list[Draw]:
    """What a quick look at the last survey says: weighted least squares with the usual standard errors."""
    import statsmodels.formula.api as smf

    last = answers.frame[answers.frame["wave"] == max(answers.study.waves)]
    columns = ["sat_overall_points", *true]
    frame = last[columns].astype("float64").assign(sex=last["sex"], age=last["age_group"], w=last["weight"])
    frame = frame.dropna().reset_index(drop=True).astype({"sex": str, "age": str, "w": float})
    formula = "sat_overall_points ~ " + " + ".join([*true, "C(sex)", "C(age)"])
    fit = smf.wls(formula, frame, weights=frame["w"]).fit()
    ends = fit.conf_int()
    return [Draw(seed, c, "naive", true[c], fit.params[c], ends.loc[c, 0], ends.loc[c, 1]) for c in true]


def summary(draws: list[Draw], cause: str, way: str) -> str:
    mine = [d for d in draws if (d.cause, d.way) == (cause, way)]
    n = len(mine)
    errors = [d.value - d.true for d in mine]
    bias = sum(errors) / n
    doubt = math.sqrt(sum((e - bias) ** 2 for e in errors) / (n - 1) / n)
    covered = sum(d.low <= d.true <= d.high for d in mine) / n
    true = sum(d.true for d in mine) / n
    return (
        f"| {cause} | {WAYS[way]} | {true:.3f} | {true + bias:.3f} | {bias:+.3f} | {doubt:.3f} "
        f"| {100 * covered:.1f} % | {100 * math.sqrt(covered * (1 - covered) / n):.1f} |"
    )


def page(draws: list[Draw], first: int, seeds: int) -> str:
    causes = list(dict.fromkeys(d.cause for d in draws))
    rows = [summary(draws, cause, way) for cause in causes for way in WAYS]
    return "\n".join(
        [
            "# Does the chain find the truth?",
            "",
            f"The sample study was drawn with {seeds} consecutive seeds, from {first} on. Each draw went the whole way: messy",
            "raw files, cleaning, weights, scores, estimates. Its answers are held against what the same regression over every",
            "adult, with no chance in the answers, gives for the district of that seed: points (0-100) for one step of a cause.",
            "(Points bend what the generator adds up, so this differs from the mean of the adults' own slopes by 3 to 4 % at",
            "most.) `python -P tests/benchmarks/truth.py` wrote this page.",
            "",
            "| cause | way | truth | mean estimate | bias | Monte Carlo error | 95 % intervals that hold the truth | ± |",
            "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
            *rows,
            "",
            "Money goes to the least content communities first, so whoever compares communities finds that funding does harm.",
            "Compared with itself over the years, a community shows what more of each input does.",
            "",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--first", type=int, default=1, help="the first of the consecutive seeds")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--into", type=Path, default=REPOSITORY / "docs" / "truth.md")
    told = parser.parse_args()
    with ProcessPoolExecutor(told.processes) as pool:
        draws = [d for found in pool.map(one_seed, range(told.first, told.first + told.seeds)) for d in found]
    text = page(draws, told.first, told.seeds)
    told.into.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
