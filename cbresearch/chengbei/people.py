"""The residents before anything goes wrong with their questionnaires."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cbresearch.chengbei.answers import background, needs, opinions, payment
from cbresearch.chengbei.chance import stream
from cbresearch.chengbei.contract import WAVES, Contract
from cbresearch.chengbei.district import District
from cbresearch.chengbei.model import AGE_GROUPS, MODEL, Model, group_effects, latent_by_community_year
from cbresearch.chengbei.sample import selected

REMARK_SHARE = 0.15
REMARKS = (
    "希望多组织一些老年人活动。",
    "楼道路灯坏了很久没人修。",
    "社区工作人员态度很好，办事也快。",
    "物业收费不透明，服务跟不上。",
    "建议增加便民早餐点。",
    "希望有免费的就业培训。",
    "院子里停车太乱，消防通道被占。",
    "能不能请医生每月来量一次血压。",
    "健身器材少，排队的人多。",
    "家政服务价格高，一般家庭用不起。",
    "低保公示做得好，大家心里有数。",
    "没有意见。",
)
SURNAMES = "王李张刘陈杨马赵吴周"
GIVEN_NAMES = ("建国", "秀英", "海燕", "志强", "玉兰", "晓明", "桂花", "文军", "生莲", "伟")


def people(district: District, contract: Contract, *, seed: int, model: Model = MODEL) -> pd.DataFrame:
    """A row per resident who answered, all waves, complete and without fault.

    Columns are the codebook's residents questions (selects as codes in text, several answers as one 0/1
    column per choice), `wave`, `age_group`, the three drivers, and `latent`: what the person's community,
    year, age group and sex give before any mood of their own. Only questions that do not apply are missing.
    """
    waves = [_wave(district, contract, wave, seed, model) for wave in WAVES]
    return pd.concat(waves, ignore_index=True)


def _wave(district: District, contract: Contract, wave: int, seed: int, model: Model) -> pd.DataFrame:
    drawn = selected(district, wave, contract.margin("sex"), seed=seed)
    answering = drawn[drawn["answers"]].reset_index(drop=True)
    rng = stream(seed, "answers", wave)
    answering = _with_latent(answering, district.panel, model)
    for complete in (background, needs, payment, _paradata):
        answering = complete(rng, answering)
    return opinions(rng, answering, model)


def _with_latent(answering: pd.DataFrame, panel: pd.DataFrame, model: Model) -> pd.DataFrame:
    cells = panel.assign(cell_latent=latent_by_community_year(panel, model))
    drivers = [*model.drivers, "cell_latent"]
    joined = answering.merge(
        cells[["community", "wave", *drivers]], on=["community", "wave"], how="left", validate="m:1"
    )
    band, sex = joined["age_band"].to_numpy(), joined["sex"].astype(int).to_numpy() - 1
    expected = joined["cell_latent"] + group_effects(model)[sex, band]
    return joined.assign(
        age_group=np.array(AGE_GROUPS)[band],
        expected_latent=expected,
        latent=expected + joined["block_effect"],
    )


def _paradata(rng: np.random.Generator, answering: pd.DataFrame) -> pd.DataFrame:
    """Numbers with leading zeros, a September's interviews, minutes rather than seconds to answer."""
    count, wave = len(answering), int(answering["wave"].iloc[0])
    started = pd.Timestamp(year=wave, month=9, day=4, hour=9) + pd.to_timedelta(
        np.sort(rng.integers(0, 20, count)) * 24 * 3600 + rng.integers(0, 9 * 3600, count), unit="s"
    )
    remarks = pd.Series(rng.choice(REMARKS, count), dtype="object").where(
        rng.random(count) < REMARK_SHARE, None
    )
    return answering.assign(
        resident_id=[f"{wave % 100:02d}{number:04d}" for number in range(1, count + 1)],
        submitted=started.strftime("%Y-%m-%d %H:%M:%S"),
        duration_seconds=np.clip(rng.lognormal(np.log(640), 0.35, count), 240, 3000).astype(np.int64),
        source_ip=[f"192.0.2.{number}" for number in rng.integers(1, 255, count)],
        respondent_name=[SURNAMES[s] + GIVEN_NAMES[g] for s, g in rng.integers(0, 10, (count, 2))],
        remark=remarks,
    )
