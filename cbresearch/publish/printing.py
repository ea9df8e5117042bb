"""Pages as PDF: printed by the browser of this machine, tagged, with an outline and Chinese that can be selected."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from cbresearch.errors import PublishError
from cbresearch.publish.browser import flags
from cbresearch.publish.keys import Inputs
from cbresearch.publish.lock import alone
from cbresearch.publish.plan import Job, plan
from cbresearch.publish.room import Room
from cbresearch.publish.shelf import Shelf
from cbresearch.publish.site import write_index
from cbresearch.study import Study

SECONDS_PER_PAGE = 120
SECONDS_FOR_SCRIPTS = 5
HOW = ("--no-pdf-header-footer", "--generate-pdf-document-outline", "--export-tagged-pdf")


def print_reports(
    study: Study, jobs: Sequence[Job], browser: Path, say: Callable[[Path], None]
) -> list[Path]:
    """Print the pages of these reports, while no other run is at work; gives the PDFs that were written.

    Those that are there are linked from the index page, also when others could not be printed.
    """
    with alone(study.reports):
        pages = [study.reports / job.page(language) for job in jobs for language in job.languages]
        try:
            return printed([page for page in pages if page.is_file()], browser, Room.now().lanes, say)
        finally:
            inputs = Inputs(study)
            write_index(study, plan(study, found=inputs.slices.areas), Shelf(study.reports), inputs)


def printed(pages: Sequence[Path], browser: Path, lanes: int, say: Callable[[Path], None]) -> list[Path]:
    """Print each page whose PDF is missing or older than the page, several at a time; gives the PDFs that were written.

    The PDF of `zh/x.html` is `zh/x.pdf`. It appears whole or not at all. `say` hears of each, in this thread.
    PublishError names every page that could not be printed, once the others are.
    """
    stale = [page for page in pages if not _is_fresh(page)]
    failed: list[str] = []
    done: list[Path] = []
    with ThreadPoolExecutor(max_workers=max(lanes, 1)) as pool:
        for page, error in zip(stale, pool.map(lambda page: _print(page, browser), stale), strict=True):
            if error:
                failed.append(f"  - {page.name}: {error}")
            else:
                done.append(pdf_of(page))
                say(pdf_of(page))
    if failed:
        listed = "\n".join(failed)
        raise PublishError(f"{len(failed)} of {len(stale)} pages could not be printed:\n{listed}")
    return done


def pdf_of(page: Path) -> Path:
    return page.with_suffix(".pdf")


def _is_fresh(page: Path) -> bool:
    with suppress(OSError):
        return pdf_of(page).stat().st_mtime_ns >= page.stat().st_mtime_ns
    return False


def _print(page: Path, browser: Path) -> str:
    """Print one page; gives what went wrong, or nothing."""
    half = page.with_name(f".{page.stem}.part.pdf")
    with tempfile.TemporaryDirectory(prefix="cbr-") as profile:
        command = [
            str(browser), *flags(), *HOW, f"--user-data-dir={profile}", f"--print-to-pdf={half}",
            f"--timeout={1000 * SECONDS_FOR_SCRIPTS}", page.resolve().as_uri(),
        ]  # fmt: skip
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=SECONDS_PER_PAGE, check=False
            )
            if done.returncode == 0 and half.is_file() and half.read_bytes()[:5] == b"%PDF-":
                half.replace(pdf_of(page))
                return ""
            return (done.stderr.strip().splitlines() or [f"{browser.name} ended with {done.returncode}"])[-1]
        except subprocess.TimeoutExpired:
            return f"{browser.name} had not finished after {SECONDS_PER_PAGE} seconds"
        except OSError as error:
            return str(error)
        finally:
            half.unlink(missing_ok=True)
