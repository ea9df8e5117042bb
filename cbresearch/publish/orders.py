"""What one job still needs, compared with what the shelf holds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cbresearch.publish.files import made_at
from cbresearch.publish.footer import page_texts
from cbresearch.publish.kept import Kept, Page
from cbresearch.publish.keys import Inputs, Made
from cbresearch.publish.plan import Job
from cbresearch.publish.shelf import Shelf
from cbresearch.publish.task import Outcome, Task
from cbresearch.study import Study, plain


@dataclass(frozen=True, slots=True)
class Order:
    """What to do for one job: run its notebook, only write its pages again, or nothing.

    `made` is what it is made of, `page_keys` has the key of each of its pages by language.
    """

    job: Job
    made: Made
    page_keys: dict[str, str]
    run_it: bool
    write_it: bool

    @property
    def is_done(self) -> bool:
        return not self.run_it and not self.write_it


def order_for(job: Job, study: Study, shelf: Shelf, inputs: Inputs, *, fresh: bool) -> Order:
    """The order for one job; `fresh` runs it even when nothing changed."""
    kept, made = shelf.latest(job.slug), inputs.made(job)
    # pages written before show the same numbers, so a new run renews them too
    before = [one for one in study.languages if kept and one in kept.pages]
    languages = [one for one in study.languages if one in job.languages or one in before]
    page_keys = inputs.page_keys(job, languages)
    if fresh or kept is None or not _has_run(job, kept, made, shelf):
        return Order(job, made, page_keys, run_it=True, write_it=True)
    wanted = {one: Page(job.page(one), key) for one, key in page_keys.items()}
    whole = kept.pages == wanted and all(shelf.has(kept, page.path) for page in wanted.values())
    return Order(job, made, page_keys, run_it=False, write_it=not whole)


def _has_run(job: Job, kept: Kept, made: Made, shelf: Shelf) -> bool:
    """Whether the executed notebook is there, without an error, made of what it would be made of now."""
    return (
        kept.status == "ok"
        and kept.key == made.key
        and kept.executed == job.executed
        and shelf.has(kept, kept.executed)
        and shelf.has(kept, kept.record)
    )


@dataclass(frozen=True, slots=True)
class Limits:
    """What one notebook may take; no limit of memory where it is None."""

    seconds: float
    memory_bytes: int | None = None


def task_for(order: Order, study: Study, shelf: Shelf, inputs: Inputs, scratch: Path, limits: Limits) -> Task:
    """The task for one order; everything it makes waits in the shelf's `next`."""
    job, kept = order.job, shelf.latest(order.job.slug)
    source = study.notebooks / f"{job.notebook}.ipynb"
    if not order.run_it and kept is not None:
        source = shelf.folder_of(kept) / kept.executed
    return Task(
        slug=job.slug,
        source=str(source),
        executed=str(shelf.next / job.executed),
        run_it=order.run_it,
        parameters=job.given,
        seconds_allowed=limits.seconds,
        memory_bytes=limits.memory_bytes,
        scratch=str(scratch),
        pages=page_texts(study, job, tuple(order.page_keys), inputs, shelf.next),
        prose="" if order.run_it else inputs.source(job.notebook).text,
        reads=plain(job.reads) if job.reads else None,
    )


def keep(order: Order, outcome: Outcome, shelf: Shelf) -> Kept:
    """Put one outcome on the shelf; pages that were only written again leave the numbers alone."""
    job, before = order.job, shelf.latest(order.job.slug)
    findings, seconds, finished = outcome.findings, outcome.seconds, made_at()
    if before is not None and not order.run_it and outcome.error is None:
        findings, seconds, finished = shelf.findings_of(before), before.seconds, before.finished
    kept = Kept(
        slug=job.slug,
        notebook=job.notebook,
        area=job.area.code if job.area else None,
        parameters=job.given,
        status=outcome.status,
        key=order.made.key,
        executed=job.executed,
        pages={one: Page(job.page(one), key) for one, key in order.page_keys.items()},
        titles=outcome.titles,
        headlines={} if job.area else outcome.headlines,
        error=outcome.error,
        findings=findings,
        seconds=seconds,
        finished=finished,
        inputs=order.made.inputs,
        versions=order.made.versions,
    )
    return shelf.put(kept)
