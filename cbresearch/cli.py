"""The command line: parse, call, print. Exit codes: 0 all well, 1 some reports failed, 2 bad input."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cbresearch import __version__
from cbresearch.errors import CbresearchError, StudyError
from cbresearch.records import one_line

if TYPE_CHECKING:
    from cbresearch.publish.run import Event, Ran
    from cbresearch.publish.warming import Warm
    from cbresearch.study import Study

app = typer.Typer(
    name="cbresearch",
    help="From survey exports and ledgers to honest reports, in Chinese and English.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

MOST_NAMED = 12
"""Reports named for one cause before the rest is only counted."""

Workspace = Annotated[
    Path, typer.Argument(help="The workspace, or any folder inside it.", show_default="this folder")
]


def _echo(text: str, *, err: bool = False, nl: bool = True) -> None:
    """Say it without what would steer the terminal: names and answers come from files of others."""
    lines = (one_line(line) if not line.isprintable() else line for line in text.split("\n"))
    typer.echo("\n".join(lines), err=err, nl=nl)


def main() -> None:
    """The entry point: refusals become one clear message and exit code 2."""
    try:
        app()
    except CbresearchError as error:
        _echo(str(error), err=True)
        sys.exit(2)


def _version(asked: bool) -> None:
    if asked:
        _echo(f"cbresearch {__version__}")
        raise typer.Exit


@app.callback()
def top(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """From survey exports and ledgers to honest reports, in Chinese and English."""


@app.command()
def new(
    directory: Annotated[Path, typer.Argument(help="Where the workspace shall be.")],
    demo: Annotated[bool, typer.Option("--demo", help="With the simulated Chengbei study.")] = False,
) -> None:
    """Make a workspace: study files, notebooks, folders."""
    from cbresearch import workspace

    made = workspace.new_demo(directory) if demo else workspace.new(directory)
    _echo(f"Workspace at {made.root}. Next: cbresearch {'run' if demo else 'check'} {made.root}")


@app.command()
def adopt(
    files: Annotated[
        list[Path], typer.Argument(help="Raw survey exports: csv, xlsx, xls, sav, dta, parquet.")
    ],
    into: Annotated[Path, typer.Option("--into", help="Where the workspace shall be.")] = Path("adopted"),
    outcome: Annotated[str | None, typer.Option(help="The column that holds overall satisfaction.")] = None,
    area: Annotated[str | None, typer.Option(help="The column that says where residents live.")] = None,
    cluster: Annotated[str | None, typer.Option(help="The column of the sampled clusters.")] = None,
    strata: Annotated[list[str] | None, typer.Option(help="A column of strata; may be repeated.")] = None,
    weight: Annotated[str | None, typer.Option(help="The column of the weights.")] = None,
    lang: Annotated[
        list[str] | None, typer.Option(help="A language of the reports; may be repeated.")
    ] = None,
) -> None:
    """Draft a workspace from any survey export; list every guess, and what looks personal."""
    from cbresearch.survey.adopt import adopt as adopt_files

    adopted = adopt_files(
        files,
        into,
        outcome=outcome,
        area=area,
        cluster=cluster,
        strata=tuple(strata or ()),
        weight=weight,
        languages=tuple(lang or ("zh", "en")),
    )
    for line in adopted.lines():
        _echo(line)


@app.command()
def check(workspace: Workspace = Path()) -> None:
    """Everything wrong with the study, at once, before anything runs."""
    from cbresearch.checks import check as checked

    study = checked(workspace)
    _echo(
        f"{study.name}: nothing wrong. {len(study.file.sources)} sources, {len(study.codebook.questions)} columns."
    )


@app.command()
def build(
    workspace: Workspace = Path(),
    fresh: Annotated[bool, typer.Option("--fresh", help="Build even when nothing changed.")] = False,
) -> None:
    """Turn data/raw into data/processed, with the ledger of every change."""
    _built(_opened(workspace), fresh=fresh)


@app.command()
def run(
    workspace: Workspace = Path(),
    only: Annotated[list[str] | None, typer.Option(help="A notebook; may be repeated.")] = None,
    area: Annotated[list[str] | None, typer.Option(help="A community; may be repeated.")] = None,
    lang: Annotated[list[str] | None, typer.Option(help="A language; may be repeated.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Run even what is up to date.")] = False,
    only_failed: Annotated[
        bool, typer.Option("--only-failed", help="Run only what failed last time.")
    ] = False,
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Go on even when the first reports all fail alike.")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for another run to end.")] = False,
    cluster: Annotated[
        str | None, typer.Option(help="A dask scheduler to run on: tcp://scheduler:8786, or local.")
    ] = None,
    share: Annotated[
        str | None, typer.Option(help="A folder or store (s3://…) that all workers read, to pass data by.")
    ] = None,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Look at each page as readers with and without good eyes, mice and large screens do.",
        ),
    ] = False,
    pdf: Annotated[
        bool,
        typer.Option(
            "--pdf", help="Print each page as PDF too, by the Chrome, Edge or Chromium of this machine."
        ),
    ] = False,
) -> None:
    """Build if stale, run the notebooks, render the reports; reports/index.html lists them."""
    browser = _browser(check=check) if pdf or check else None
    from cbresearch.publish.run import run as run_reports

    where = None
    if cluster or share:
        from cbresearch.publish.cluster import chosen

        where = chosen(cluster, share)
    study = _opened(workspace)
    with ExitStack() as stack:
        warm: list[Warm] = []

        def first() -> None:
            _refuse(study, only or (), area or (), lang or ())
            if where is None:
                warm.append(stack.enter_context(_warming(study)))

        _built(study, fresh=fresh, first=first)
        say = stack.enter_context(_progress())
        ran = run_reports(
            study, only=only or (), area=area or (), lang=lang or (), fresh=fresh, only_failed=only_failed,
            keep_going=keep_going, say=say, wait=_aside if wait else None, cluster=where, warm=warm[0] if warm else None,
        )  # fmt: skip
    _tell(ran)
    if browser and pdf:
        _print(study, ran, browser)
    raise typer.Exit(max(ran.exit_code, _look(study, ran, browser) if browser and check else 0))


def _browser(*, check: bool) -> Path:
    """What prints and looks at pages; says what to install before anything runs."""
    from cbresearch.publish.browser import find_browser

    if check:
        from cbresearch.publish.looking import refuse_without_means

        refuse_without_means()
    return find_browser()


def _print(study: Study, ran: Ran, browser: Path) -> None:
    from cbresearch.publish.printing import print_reports

    made = print_reports(study, ran.jobs, browser, lambda path: _echo(f"printed {path}", err=True))
    _echo(f"{len(made)} pages printed as PDF, each beside its page.")


def _look(study: Study, ran: Ran, browser: Path) -> int:
    from cbresearch.publish.looking import faults_of, listed, pages_of
    from cbresearch.publish.room import Room

    pages = pages_of(study, ran.jobs)
    faults = faults_of(pages, browser, Room.now().lanes, lambda name: _echo(f"looked at {name}", err=True))
    _echo(listed(faults, len(pages)))
    return int(bool(faults))


@app.command()
def diff(
    a: Annotated[Path, typer.Argument(help="Before: a workspace, a reports folder or a findings.json.")],
    b: Annotated[Path, typer.Argument(help="After: the same.")],
    html: Annotated[Path | None, typer.Option("--html", help="Write a page as well.")] = None,
    over: Annotated[
        float,
        typer.Option(
            min=0,
            help="Leave out what moved by no more than so many margins of error and changed no conclusion.",
        ),
    ] = 0.0,
    everything: Annotated[bool, typer.Option("--all", help="With what did not move, every row.")] = False,
) -> None:
    """Which findings moved between two runs, by how much, and whether data, code or parameters did it."""
    from cbresearch.publish.diff_page import write_diff
    from cbresearch.publish.diff_runs import read_run
    from cbresearch.publish.diff_table import as_text
    from cbresearch.publish.diff_why import compare

    compared = compare(read_run(a), read_run(b))
    width = shutil.get_terminal_size((140, 40)).columns
    _echo(as_text(compared, over=over, everything=everything, width=width), nl=False)
    if html:
        _echo(f"Open {write_diff(html, compared, over=over, everything=everything)}")


@app.command()
def status(
    workspace: Workspace = Path(),
    only: Annotated[list[str] | None, typer.Option(help="A notebook; may be repeated.")] = None,
    area: Annotated[list[str] | None, typer.Option(help="A community; may be repeated.")] = None,
    why: Annotated[bool, typer.Option("--why", help="Name what changed for each.")] = False,
) -> None:
    """Which reports are up to date, stale, failed or missing; nothing is built or run."""
    from cbresearch.publish.status import lines
    from cbresearch.publish.status import status as status_of

    study = _opened(workspace)
    for line in lines(status_of(study, only=only or (), area=area or ()), why=why):
        _echo(line)


@app.command()
def verify(
    pages: Annotated[list[Path], typer.Argument(help="Report pages, wherever they lie.")],
    workspace: Annotated[
        Path | None,
        typer.Option(help="Compare with what this workspace would make; else the one the page lies in."),
    ] = None,
) -> None:
    """Whether a page is as it was made, and whether the workspace would make the same today."""
    from cbresearch.publish.verify import told
    from cbresearch.publish.verify import verify as verify_pages
    from cbresearch.study import find_workspace, open_study

    try:
        root = workspace or find_workspace(pages[0].parent)
    except StudyError:  # a page that was sent to somebody
        root = None
    study = open_study(root) if root else None
    verdicts = verify_pages(pages, study)
    for line in told(verdicts, study):
        _echo(line)
    raise typer.Exit(int(not all(one.fits for one in verdicts)))


@app.command()
def lab(workspace: Workspace = Path()) -> None:
    """Open the workspace in JupyterLab."""
    import subprocess

    from cbresearch.study import find_workspace

    root = find_workspace(workspace)
    raise typer.Exit(subprocess.call([sys.executable, "-m", "jupyterlab", f"--notebook-dir={root}"]))


def _opened(workspace: Path) -> Study:
    from cbresearch.study import open_study

    return open_study(workspace)


def _refuse(study: Study, only: Sequence[str], area: Sequence[str], lang: Sequence[str]) -> None:
    from cbresearch.publish.plan import refuse_unknown

    refuse_unknown(study, only=only, area=area, lang=lang)


def _warming(study: Study) -> AbstractContextManager[Warm]:
    from cbresearch.publish.warming import warming

    return warming(study)


def _built(study: Study, *, fresh: bool, first: Callable[[], None] = lambda: None) -> None:
    """Build what is not up to date; `first` may refuse to, before any work begins."""
    from cbresearch.survey.manifest import UNCHANGED, input_hashes, is_current

    # what builds takes longer to import than a run with nothing to do may take
    if not fresh and is_current(study, input_hashes(study)):
        _echo(UNCHANGED)
        return
    first()
    from cbresearch.build import build as build_study

    _echo(build_study(study, fresh=fresh).said)


@contextmanager
def _progress() -> Iterator[Callable[[Event], None]]:
    """A bar on a terminal, a line for each report elsewhere."""
    if not sys.stderr.isatty():
        yield _line
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task("", total=None)
        yield lambda event: progress.update(
            bar, total=event.total, completed=event.done, description=_named(event)
        )


def _line(event: Event) -> None:
    if event.kind in ("finished", "failed"):
        seconds = f"{event.seconds:.1f} s"
        _echo(
            f"[{event.done}/{event.total}] {event.kind} {_named(event)}, {seconds} {event.reason}".rstrip(),
            err=True,
        )


def _named(event: Event) -> str:
    return f"{event.job.notebook} {event.job.area.code}" if event.job.area else event.job.notebook


def _tell(ran: Ran) -> None:
    made = len(ran.jobs) - len(ran.failed) - len(ran.skipped) - ran.left
    left = f", {ran.left} not run" if ran.left else ""
    _echo(f"{made} reports made, {len(ran.skipped)} up to date, {len(ran.failed)} failed{left}.")
    if ran.slower:
        _echo(ran.slower, err=True)
    by_cause: dict[str, list[str]] = {}
    for failure in ran.failed:
        by_cause.setdefault(failure.cause, []).append(failure.job.slug)
    for cause, slugs in by_cause.items():
        more = f" and {len(slugs) - MOST_NAMED} more" if len(slugs) > MOST_NAMED else ""
        _echo(f"  {cause}\n    in {', '.join(slugs[:MOST_NAMED])}{more}", err=True)
    if ran.failures:
        _echo(f"What to do about each: {ran.failures}", err=True)
    if ran.stopped:
        _echo(f"The run {ran.stopped}. Readers see the last complete run.", err=True)
        return
    _echo(f"Open {ran.index}")


def _aside(text: str) -> None:
    _echo(text, err=True)
