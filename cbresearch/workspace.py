"""A workspace on disk: the folders, the study files, the notebooks that a study starts with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from cbresearch.errors import Fault, StudyError

FOLDERS = ("data/raw", "data/processed", "notebooks", "reports")
STUDY_FILES = ("study.toml", "codebook.csv", "choices.csv")


@dataclass(frozen=True, slots=True)
class Made:
    """A workspace that now exists: where, and which files were written there."""

    root: Path
    written: tuple[Path, ...]


def new(into: Path | str, *, study_files: Traversable | None = None) -> Made:
    """Make a workspace at `into`, with the notebooks and a study to fill in.

    `study_files` is the folder whose study.toml, codebook.csv and choices.csv are copied; without
    it, a commented study of one small survey. A file that already stands there with other contents
    is never overwritten: StudyError names every one, and nothing is written.
    """
    root = Path(into)
    source = study_files or files("cbresearch") / "starter"
    wanted = {root / "data" / name: (source / name).read_bytes() for name in STUDY_FILES}
    wanted |= _notebooks(root)
    return Made(root, _write_all(root, wanted))


def new_demo(into: Path | str) -> Made:
    """Make a workspace at `into` with the simulated Chengbei study, its raw files drawn there."""
    from cbresearch.chengbei import draw

    made = new(into, study_files=_shipped("data"))
    if not any((made.root / "data" / "raw").iterdir()):
        draw(made.root)
    return made


def copy_notebooks(into: Path) -> tuple[Path, ...]:
    """Copy the shipped notebooks to `into`/notebooks; those already there with other contents stop it."""
    return _write_all(into, _notebooks(into))


def _notebooks(root: Path) -> dict[Path, bytes]:
    shipped = (entry for entry in _shipped("notebooks").iterdir() if entry.name.endswith(".ipynb"))
    return {root / "notebooks" / entry.name: entry.read_bytes() for entry in shipped}


def _shipped(folder: str) -> Traversable:
    """A folder that travels in the wheel; in a checkout it lies beside the package."""
    inside = files("cbresearch") / "workspace_files" / folder
    return inside if inside.is_dir() else Path(__file__).parent.parent / folder


def _write_all(root: Path, wanted: dict[Path, bytes]) -> tuple[Path, ...]:
    _refuse_to_overwrite(wanted)
    for folder in FOLDERS:
        (root / folder).mkdir(parents=True, exist_ok=True)
    written = tuple(path for path in wanted if not path.exists())
    for path in written:
        path.write_bytes(wanted[path])
    return written


def _refuse_to_overwrite(wanted: dict[Path, bytes]) -> None:
    faults = list(_in_the_way(wanted))
    if faults:
        raise StudyError(faults)


def _in_the_way(wanted: dict[Path, bytes]) -> Iterable[Fault]:
    for path, contents in wanted.items():
        if path.exists() and (path.is_dir() or path.read_bytes() != contents):
            yield Fault(
                str(path),
                "already there with other contents",
                "nothing was written; choose an empty folder, or move it away",
            )
