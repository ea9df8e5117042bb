"""What one job still needs, compared with what the shelf holds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from cbresearch.publish.footer import page_texts
from cbresearch.publish.keys import Inputs
from cbresearch.publish.plan import Job
from cbresearch.publish.shelf import Kept, Page, Shelf, now
from cbresearch.publish.task import Outcome, Task
from cbresearch.study import Study


@dataclass(frozen=True, slots=True)
class Order:
    """What to do for one job: `key` of what it is made from, the key of each of its pages.

    `to_write` are the languages whose page is missing or out of date.
    """

    job: Job
    key: str
    page_keys: dict[str, str]
    run_it: bool
    to_write: tuple[str, ...]

    @property
    def is_done(self) -> bool:
        return not self.run_it and not self.to_write


def order_for(job: Job, study: Study, shelf: Shelf, inputs: Inputs, *, fresh: bool) -> Order:
    """The order for one job; `fresh` runs it even when nothing changed."""
    kept = shelf.kept.get(job.slug)
    key = inputs.run_key(job)
    # pages written before show the same numbers, so a new run renews them too
    before = [one for one in study.languages if kept and one in kept.pages]
    languages = [one for one in study.languages if one in job.languages or one in before]
    page_keys: dict[str, str] = {one: inputs.render_key(key, one, languages) for one in languages}
    run_it = fresh or kept is None or not kept.is_current(key, study.reports)
    stale = [one for one in languages if kept and not kept.has_page(one, page_keys[one], study.reports)]
    return Order(job, key, page_keys, run_it, tuple(languages if run_it else stale))


@dataclass(frozen=True, slots=True)
class Limits:
    """What one notebook may take; no limit of memory where it is None."""

    seconds: float
    memory_bytes: int | None = None


def task_for(order: Order, study: Study, scratch: Path, limits: Limits) -> Task:
    job = order.job
    executed = study.reports / job.executed
    source = study.notebooks / f"{job.notebook}.ipynb" if order.run_it else executed
    return Task(
        slug=job.slug,
        source=str(source),
        executed=str(executed),
        run_it=order.run_it,
        parameters=job.given,
        seconds_allowed=limits.seconds,
        memory_bytes=limits.memory_bytes,
        scratch=str(scratch),
        pages=page_texts(study, job, order.to_write, tuple(order.page_keys)),
    )


def keep(order: Order, outcome: Outcome, shelf: Shelf) -> Kept:
    """Put one outcome on the shelf; pages that were only written again leave the numbers alone."""
    job = order.job
    before = shelf.kept.get(job.slug)
    pages = {one: Page(job.page(one), key) for one, key in order.page_keys.items()}
    if before is not None and not order.run_it and outcome.error is None:
        kept = replace(before, pages=pages, titles=before.titles | outcome.titles)
    else:
        kept = Kept(
            slug=job.slug,
            notebook=job.notebook,
            area=job.area.code if job.area else None,
            parameters=job.given,
            status=outcome.status,
            key=order.key,
            executed=job.executed,
            pages=pages,
            titles=outcome.titles,
            error=outcome.error,
            findings=outcome.findings,
            seconds=outcome.seconds,
            finished=now(),
        )
    shelf.put(kept)
    return kept
