"""What a page says about itself: study, waves, data, parameters, version, date."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cbresearch
from cbresearch.publish.files import made_at
from cbresearch.publish.keys import Inputs
from cbresearch.publish.plan import Job
from cbresearch.publish.provenance import provenance_of
from cbresearch.publish.task import PageText
from cbresearch.publish.words import words
from cbresearch.study import Study


def page_texts(
    study: Study, job: Job, languages: Sequence[str], inputs: Inputs, folder: Path
) -> tuple[PageText, ...]:
    """The texts around one job's notebook, for each of its languages, for pages to be written in `folder`."""
    return tuple(_page_text(study, job, language, languages, inputs, folder) for language in languages)


def _page_text(
    study: Study, job: Job, language: str, shown: Sequence[str], inputs: Inputs, folder: Path
) -> PageText:
    return PageText(
        language=language,
        study=study.title.say(language),
        notice=study.notice.say(language) if study.notice else "",
        area=job.area.label.say(language) if job.area else "",
        facts=tuple(_facts(study, job, language, inputs)),
        others=tuple((other, f"{job.up}{job.page(other)}") for other in shown if other != language),
        home=f"{job.up}index.html#{language}",
        path=str(folder / job.page(language)),
        provenance=provenance_of(study, job, language, inputs),
    )


def _facts(study: Study, job: Job, language: str, inputs: Inputs) -> list[tuple[str, str]]:
    say = words(language)
    comma = "、" if language == "zh" else ", "
    given = [f"{name} = {value}" for name, value in job.parameters if name != "lang"]
    facts = [(say["fact_study"], study.title.say(language))]
    if job.area:
        facts.append((say["fact_area"], job.area.label.say(language)))
    facts += [
        (say["fact_waves"], comma.join(map(str, study.waves))),
        (say["fact_answers"], f"{inputs.answers:,}"),
        (say["fact_notebook"], f"{job.notebook}.ipynb"),
    ]
    if given:
        facts.append((say["fact_parameters"], comma.join(given)))
    facts += [
        (say["fact_data"], inputs.made(job).data),
        (say["fact_version"], f"cbresearch {cbresearch.__version__}"),
        (say["fact_date"], made_at()[:10]),
    ]
    return facts
