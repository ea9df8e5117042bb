"""The sample study on disk: drawn once, never over a file."""

from __future__ import annotations

import json
from pathlib import Path

from cbresearch.chengbei.contract import WAVES, Contract, read_contract
from cbresearch.chengbei.district import draw_district
from cbresearch.chengbei.ledgers import crosswalk, facility_register, ledger_book
from cbresearch.chengbei.mess import as_codes, make_messy
from cbresearch.chengbei.people import people
from cbresearch.chengbei.resident_files import WRITERS
from cbresearch.chengbei.truth import truth
from cbresearch.errors import SourceError


def draw(root: Path, *, seed: int | None = None) -> None:
    """Write the files that `root`/data/study.toml names into data/raw, and data/truth.json for tests.

    The same seed (study.seed where None) gives the same bytes. Nothing is ever overwritten:
    SourceError lists the files that are in the way, StudyError the faults of the contract.
    """
    contract = read_contract(root)
    _nothing_in_the_way(contract)
    contents = _contents(contract, contract.file.study.seed if seed is None else seed)
    contract.raw.mkdir(parents=True, exist_ok=True)
    for path, content in contents.items():
        with path.open("xb") as handle:
            handle.write(content)


def _nothing_in_the_way(contract: Contract) -> None:
    names = dict.fromkeys(source.file for source in contract.file.sources)
    there = [path for path in (*(contract.raw / name for name in names), contract.truth) if path.exists()]
    if there:
        listed = ", ".join(str(path.relative_to(contract.root)) for path in there)
        raise SourceError(
            f"{contract.root} already holds {listed}. The sample study is drawn into an empty data/raw "
            "and never over a file. Move these away, or draw into another folder."
        )


def _contents(contract: Contract, seed: int) -> dict[Path, bytes]:
    district = draw_district(contract, seed=seed)
    residents = people(district, contract, seed=seed)
    messy = {
        wave: make_messy(
            as_codes(residents[residents["wave"] == wave].reset_index(drop=True), contract.codebook),
            contract.codebook,
            wave,
            seed=seed,
        )
        for wave in WAVES
    }
    known = truth(district, contract, residents, messy, seed=seed)
    raw = contract.raw
    return {
        **{
            raw / contract.source("residents", w).file: WRITERS[w](messy[w], contract, seed=seed)
            for w in WAVES
        },
        raw / contract.source("communities", WAVES[-1]).file: ledger_book(district, contract),
        raw / contract.source("facilities").file: facility_register(district, contract, seed=seed),
        raw / contract.source("crosswalk").file: crosswalk(district, contract),
        contract.truth: (json.dumps(known, ensure_ascii=False, indent=2) + "\n").encode(),
    }
