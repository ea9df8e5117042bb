"""What kernels are forked from, got ready while the tables are still being built: the other core has nothing else to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cbresearch.publish.kernels import kernel_environment, scratch_folder, write_kernelspec
from cbresearch.publish.room import Room
from cbresearch.publish.shelf import modules_of
from cbresearch.publish.warm.modules import named_in
from cbresearch.publish.warm.processes import can_fork
from cbresearch.publish.warm.zygote import Zygote
from cbresearch.study import Study


@dataclass(frozen=True, slots=True)
class Warm:
    """A private folder and what kernels are forked from, if they can be; for one run."""

    scratch: Path
    room: Room
    zygote: Zygote | None


@contextmanager
def warming(study: Study) -> Iterator[Warm]:
    """Start to import what the notebooks of the study need; it ends with the run that it is for."""
    room = Room.now()
    notebooks = [study.notebooks / f"{report.notebook}.ipynb" for report in study.file.reports]
    modules = modules_of(study.reports) or named_in(path for path in notebooks if path.is_file())
    with scratch_folder() as scratch:
        write_kernelspec(scratch)
        zygote = zygote_for(room.lanes, scratch, modules)
        try:
            yield Warm(scratch, room, zygote)
        finally:
            if zygote:
                zygote.close()


def zygote_for(lanes: int, scratch: Path, modules: list[str]) -> Zygote | None:
    """What kernels are forked from, told what to import; None where they cannot be forked."""
    if not can_fork():
        return None
    return Zygote(lanes, modules, environment=kernel_environment(scratch), log=scratch / "host.log")
