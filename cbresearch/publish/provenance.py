"""Where a page comes from, as JSON inside the page, with a seal that tells whether the page was changed since."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cbresearch.publish.files import made_at

if TYPE_CHECKING:  # whoever writes pages needs the seal, and not the study
    from cbresearch.publish.keys import Inputs
    from cbresearch.publish.plan import Job
    from cbresearch.study import Study

FORMAT = 1
OPEN_SEAL = f'"seal": "{"0" * 64}"'
BLOCK = re.compile(r'<script type="application/json" id="provenance">(.*?)</script>', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a page says of itself, and whether it is as it was made."""

    said: dict[str, Any]
    is_untouched: bool


def provenance_of(study: Study, job: Job, language: str, inputs: Inputs) -> str:
    """As JSON that can stand in a page: study, report, parameters, seed, hashes of data and code, versions, date."""
    made = inputs.made(job)
    said = {
        "format": FORMAT, "study": study.name, "waves": list(study.waves), "answers": inputs.answers,
        "report": job.slug, "notebook": job.notebook, "area": job.area.code if job.area else None, "language": language,
        "parameters": job.given, "inputs": made.inputs, "versions": made.versions, "made": made_at()[:10],
    }  # fmt: skip
    text = json.dumps(said, ensure_ascii=False, allow_nan=False)
    return f"{text[:-1]}, {OPEN_SEAL}}}".replace("<", "\\u003c").replace("&", "\\u0026")


def sealed(html: str) -> str:
    """The page with the hash of everything else in it as its seal; a page without provenance as it is."""
    before, mark, after = html.rpartition(OPEN_SEAL)
    if not mark:
        return html
    return f'{before}"seal": "{hashlib.sha256(html.encode()).hexdigest()}"{after}'


def read_provenance(html: str) -> Provenance | None:
    """None for a page that says nothing of itself."""
    found = BLOCK.findall(html)
    if not found:
        return None
    try:
        said = json.loads(found[-1])
        seal = said.pop("seal")
    except (ValueError, KeyError, AttributeError, TypeError):
        return None
    before, mark, after = html.rpartition(f'"seal": "{seal}"')
    opened = f"{before}{OPEN_SEAL}{after}"
    return Provenance(said, bool(mark) and hashlib.sha256(opened.encode()).hexdigest() == seal)
