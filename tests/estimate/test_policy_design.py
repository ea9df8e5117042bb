"""What a policy's spread can tell is said beforehand; bad frames are refused with all their faults."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cbresearch.errors import EstimateError
from cbresearch.estimate.policy.design import policy_design
from cbresearch.estimate.policy.observed import cells, observe
from cbresearch.estimate.policy.two_by_two import two_by_two

WHERE = {"community": "community", "wave": "wave", "adoption": "first"}


def spread(cohorts: dict[int | None, int], waves: tuple[int, ...] = (2006, 2007, 2008, 2009)) -> pd.DataFrame:
    """A row per community and wave; so many communities first reached in each wave, None for never."""
    first = [date for date, n in cohorts.items() for _ in range(n)]
    rows = [(f"c{i:02}", wave, date, 50.0 + i) for i, date in enumerate(first) for wave in waves]
    frame = pd.DataFrame(rows, columns=["community", "wave", "first", "y"])
    return frame.astype({"first": "Int64", "community": "string"})


def test_a_design_with_enough_of_everything_is_fit() -> None:
    found = policy_design(spread({2008: 5, 2009: 6, None: 7}), **WHERE)
    assert (found.verdict, found.reasons, found.reached) == ("fit", (), 11)
    assert found.note.en == "The design can carry an estimate of the policy."
    assert found.table["cohort"].tolist()[:2] == [2008, 2009] and found.table["cohort"].isna()[2]
    assert found.table.drop(columns="cohort").to_dict("list") == {
        "communities": [5, 6, 7], "earlier": [2, 3, 4], "verdict": ["fit"] * 3,
    }  # fmt: skip


def test_the_sample_studys_spread_is_labelled_cohort_by_cohort() -> None:
    found = policy_design(spread({2007: 8, 2008: 7, 2009: 4, None: 4}), **WHERE)
    assert found.verdict == "label"
    assert [(c.wave, len(c.communities), c.earlier, c.verdict) for c in found.cohorts] == [
        (2007, 8, 1, "label"), (2008, 7, 2, "fit"), (2009, 4, 3, "label"),
    ]  # fmt: skip
    assert [reason.en for reason in found.reasons] == [
        "Only 1 wave came before the cohort of 2007, so whether it moved like the others before cannot be seen.",
        "Only 4 communities were reached in 2009, under 5: what is said of that cohort alone is shaky.",
        "Only 4 communities were never reached, and the last wave has no others to compare with.",
    ]
    assert found.reasons[1].zh == "2009年那一批只有4个社区，不足5个，这一批单独的结果靠不住。"


@pytest.mark.parametrize(
    ("cohorts", "waves", "said"),
    [
        ({2: 3, None: 9}, (1, 2), "Only 3 communities were reached in all, under 5."),
        (
            {2: 6, None: 9},
            (1, 2),
            "No cohort has two waves before the policy, so nothing tests that the communities moved alike.",
        ),
        ({2: 6, 3: 6}, (1, 2, 3), "Every community was reached in the end, so the last wave has none to compare with."),
        ({1: 1, 3: 6, None: 6}, (1, 2, 3), "1 community was reached by the first wave and left out, since nothing was seen before."),
        ({3: 1, 4: 5, None: 6}, (1, 2, 3, 4), "Only 1 community was reached in wave 3, under 5: what is said of that cohort alone is shaky."),
    ],
)  # fmt: skip
def test_labels(cohorts: dict[int | None, int], waves: tuple[int, ...], said: str) -> None:
    found = policy_design(spread(cohorts, waves), **WHERE)
    assert found.verdict == "label"
    assert said in [reason.en for reason in found.reasons]


@pytest.mark.parametrize(
    ("cohorts", "said"),
    [
        ({2007: 1, None: 9}, "1 community was reached after having been seen before"),
        ({2006: 5, None: 9}, "0 communities were reached after having been seen before"),
        ({2007: 5, None: 1}, "1 community was left to compare with; at least 2 are needed."),
    ],
)
def test_what_carries_no_estimate_is_refused(cohorts: dict[int | None, int], said: str) -> None:
    frame = spread(cohorts)
    found = policy_design(frame, **WHERE)
    assert found.verdict == "refuse"
    assert said in found.reasons[0].en
    with pytest.raises(EstimateError, match="This design carries no estimate of the policy. " + said[:20]):
        two_by_two(frame, "y", before=2006, after=2007, **WHERE)


def test_a_community_not_in_every_wave_is_left_out_and_named() -> None:
    frame = spread({2008: 5, None: 6})
    frame["y"] = frame["y"].mask((frame["community"] == "c00") & (frame["wave"] == 2007))
    rows = observe(frame, "y", **WHERE)
    assert rows.design.unseen == ("c00",)
    assert "1 community was not seen in every wave and left out." in rows.design.note.en
    assert len(rows.y) == 10 * 4
    assert "c00" not in rows.communities


def test_a_date_between_waves_counts_from_the_later_one_and_one_after_all_is_never() -> None:
    frame = spread({2005: 1, 2007: 5, 2012: 6}, waves=(2006, 2008, 2010))
    found = policy_design(frame, **WHERE)
    assert [(c.wave, len(c.communities)) for c in found.cohorts] == [(2008, 5)]
    assert (len(found.never), found.already) == (6, ("c00",))


def test_all_faults_of_a_frame_at_once() -> None:
    frame = spread({2008: 5, None: 6}).astype({"wave": "Float64"})
    frame.loc[0, "wave"] = 2006.5
    frame.loc[4, "community"] = None
    frame.loc[9, "first"] = 2007
    with pytest.raises(EstimateError) as caught:
        policy_design(frame, **WHERE)
    assert str(caught.value).splitlines() == [
        "The frame does not say who was reached when:",
        "  - 'community' is missing in 1 of 44 rows; leave those rows out first",
        "  - 'wave' holds 2006.5; expected whole numbers such as years",
        "  - 'first' differs between the rows of c02; it is one date per community, the same in every wave, missing for never",
    ]


def test_unknown_columns_and_weights() -> None:
    frame = spread({2008: 5, None: 6}).assign(w=-1.0)
    with pytest.raises(EstimateError, match=r"no column 'firs' \(did you mean 'first'\?\)"):
        policy_design(frame, community="community", wave="wave", adoption="firs")
    with pytest.raises(EstimateError, match="'w' is missing, infinite or negative in 44 of 44 rows"):
        observe(frame, "y", weights="w", **WHERE)
    with pytest.raises(EstimateError, match="before=2007, after=2011: expected two waves of 'wave' in order; it has 2006, 2007, 2008, 2009"):  # fmt: skip
        two_by_two(frame, "y", before=2007, after=2011, **WHERE)


def residents(seed: int = 3) -> pd.DataFrame:
    """Six residents in each cell, older and with more women where the policy came; 2 points a decade, 3 for women."""
    rng = np.random.default_rng(seed)
    frame = spread({2008: 5, None: 6})
    frame = frame.loc[frame.index.repeat(6)].reset_index(drop=True)
    under = (frame["wave"] >= frame["first"]).fillna(False).to_numpy(dtype=bool)
    age = rng.integers(20, 70, len(frame)) + 9 * under
    woman = rng.random(len(frame)) < np.where(under, 0.8, 0.4)
    y = frame["y"] + 0.2 * age + 3.0 * woman + 5.0 * under
    return frame.assign(
        age=age,
        sex=pd.array(np.where(woman, "w", "m"), dtype="string"),
        y=y,
        w=rng.uniform(0.5, 2, len(frame)),
    )


def test_controls_make_the_means_those_of_like_residents() -> None:
    frame = residents()
    made = cells(observe(frame, "y", weights="w", controls=["age", "sex"], **WHERE))
    change = made.means[:, 2:].mean(axis=1) - made.means[:, :2].mean(axis=1)
    assert change == pytest.approx(np.where(made.first == 2, 5.0, 0.0), abs=1e-10)
    plain = cells(observe(frame, "y", weights="w", **WHERE))
    assert abs(plain.means[:5, 2:].mean() - plain.means[:5, :2].mean() - 5.0) > 1.0


def test_residents_count_where_asked() -> None:
    rows = observe(residents(), "y", weights="w", **WHERE)
    frame = residents()
    by_wave = frame.groupby("community")["w"].sum() / 4
    assert cells(rows, count_residents=True).mass == pytest.approx(by_wave.to_numpy())
    assert (cells(rows).mass == 1).all()


def test_a_control_of_communities_is_refused() -> None:
    frame = residents().assign(size=lambda f: f["community"].str[1:].astype(int))
    with pytest.raises(EstimateError, match="does not vary among the residents of a community in a wave"):
        cells(observe(frame, "y", controls=["size"], **WHERE))


def test_rows_with_a_gap_in_a_control_are_left_out() -> None:
    frame = residents()
    frame["sex"] = frame["sex"].mask(frame.index < 3)
    assert len(observe(frame, "y", controls=["sex"], **WHERE).y) == len(frame) - 3
