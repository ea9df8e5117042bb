"""Whether a page is as it was made, and whether this workspace would make the same: `cbresearch verify PAGE`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cbresearch.errors import PublishError
from cbresearch.publish.keys import Inputs
from cbresearch.publish.plan import Job, plan
from cbresearch.publish.provenance import Provenance, read_provenance
from cbresearch.publish.status import changed_inputs, switched
from cbresearch.study import Study

CHANGED = "the page was changed after it was made: its seal does not fit what it says"
OTHER = "it was made from another study: {}"
NO_REPORT = "this study has no report {} any more"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be said of one page: what it says of itself, and everything that does not fit; nothing where all does."""

    page: Path
    said: dict[str, Any]
    against: tuple[str, ...]

    @property
    def fits(self) -> bool:
        return not self.against


def verify(pages: Sequence[Path], study: Study | None) -> list[Verdict]:
    """Each page against its own seal and, where a study is given, against what that would make now.

    PublishError lists every page that cannot be read or says nothing of where it comes from.
    """
    read, faults = {}, []
    for page in pages:
        try:
            found = read_provenance(page.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            faults.append(f"{page} cannot be read: {getattr(error, 'strerror', None) or error}")
            continue
        if found is None:
            faults.append(
                f"{page} does not say where it comes from; expected a report page that cbresearch wrote"
            )
        else:
            read[page] = found
    if faults:
        raise PublishError("\n".join(faults))
    jobs = _jobs(study) if study else {}
    inputs = Inputs(study) if study else None
    return [Verdict(page, one.said, tuple(_against(one, study, inputs, jobs))) for page, one in read.items()]


def _jobs(study: Study) -> dict[str, Job]:
    return {job.slug: job for job in plan(study)}


def _against(
    page: Provenance, study: Study | None, inputs: Inputs | None, jobs: dict[str, Job]
) -> Iterator[str]:
    if not page.is_untouched:
        yield CHANGED
    if study is None or inputs is None:
        return
    said = page.said
    if said["study"] != study.name:
        yield OTHER.format(said["study"])
    elif said["report"] not in jobs:
        yield NO_REPORT.format(said["report"])
    else:
        job = jobs[said["report"]]
        made = inputs.made(job)
        yield from changed_inputs(said["inputs"], made.inputs)
        yield from switched("parameters", said["parameters"], job.given)
        yield from switched("versions", said["versions"], made.versions)


def told(verdicts: Sequence[Verdict], study: Study | None) -> Iterator[str]:
    """A few lines for each page: where it comes from, then what does not fit."""
    for one in verdicts:
        said = one.said
        yield f"{one.page}: {said['study']}, {said['report']}, made {said['made']} from {said['answers']:,} questionnaires"
        for fault in one.against:
            yield f"  - {fault}"
        if one.fits:
            yield "  as it was made" + (
                ", and this workspace would make the same"
                if study
                else "; no workspace here to compare it with"
            )
