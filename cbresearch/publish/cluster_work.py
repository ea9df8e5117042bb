"""What runs on a worker of a dask cluster: the lanes of a local run, on data that travelled there."""

from __future__ import annotations

import asyncio
import os
import platform
import queue
import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import fsspec
from distributed import WorkerPlugin, get_worker

from cbresearch.errors import PublishError
from cbresearch.publish.bundle import Bundle, unpack
from cbresearch.publish.kernels import kernel_environment, write_kernelspec
from cbresearch.publish.keys import MATTER, PACKAGE, hash_of_files
from cbresearch.publish.lanes import Lane
from cbresearch.publish.room import LEAST_PER_LANE, Room
from cbresearch.publish.task import Outcome, Task
from cbresearch.publish.warm.processes import can_fork
from cbresearch.publish.warm.zygote import Zygote

SHOW = ("papermill", "nbclient", "nbformat", "nbconvert", "ipython", "jinja2", "mistune", "pygments", "nh3")
"""What turns cells into pages; the same versions give the same bytes."""
LONGEST = 60
"""Characters of a folder in which sockets can have paths: they may have about 100."""
SECONDS_IDLE = 120.0
"""After so long without a task, processes and data leave a worker whose caller may be gone."""


@dataclass(frozen=True, slots=True)
class Errand:
    """One task with where its notebook and data are; they travel apart from it.

    `digest` names the bundle that the notebook reads, `address` where it lies if it is shared. `shown` is the
    notebook itself, for a task that only shows it.
    """

    task: Task
    digest: str = ""
    address: str = ""
    shown: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Product:
    """The outcome with the texts to write at the caller's own paths."""

    outcome: Outcome
    files: dict[str, str] = field(repr=False)


def do(crew: str, errand: Errand, data: bytes | None = None) -> Product:
    """Carry out one errand in this worker; `crew` is the name under which the run's plugin was registered."""
    plugins: dict[str, Any] = get_worker().plugins
    if crew not in plugins:
        raise PublishError("The run was stopped.")
    product: Product = plugins[crew].do(errand, data)
    return product


def facts() -> dict[str, str]:
    """What has to be the same on a worker as at the caller's for pages to be the same."""
    versions = {"python": platform.python_version()}
    for name in ("cbresearch", *MATTER, *SHOW):
        with suppress(metadata.PackageNotFoundError):
            versions[name] = metadata.version(name)
    source = (f for f in PACKAGE.rglob("*") if f.suffix in {".py", ".csv", ".j2", ".css", ".js"})
    return {**versions, "source of cbresearch": hash_of_files(source)[:12]}


class Crew(WorkerPlugin):  # type: ignore[misc]
    """The lanes of one run in one worker process: opened by the first task, kept, closed with the run or the worker."""

    def __init__(self, modules: Sequence[str], told: dict[str, str]) -> None:
        self._modules, self._told = tuple(modules), told

    def setup(self, worker: Any) -> None:
        self._threads: int = worker.state.nthreads
        self._memory: int | None = worker.memory_manager.memory_limit
        self._folder = Path(worker.local_directory)
        self._lock = threading.Lock()
        self._shop: Shop | None = None
        self._busy = 0
        self._since_idle = 0

    async def teardown(self, worker: Any) -> None:
        await asyncio.to_thread(self._close)

    def do(self, errand: Errand, data: bytes | None) -> Product:
        with self._open() as shop:
            return shop.do(errand, data)

    @contextmanager
    def _open(self) -> Iterator[Shop]:
        with self._lock:
            if self._shop is None:
                self._shop = Shop(
                    self._folder, self._threads, self._bytes_per_lane(), self._modules, self._told
                )
            shop = self._shop
            self._busy += 1
        try:
            yield shop
        finally:
            with self._lock:
                self._busy -= 1
                self._since_idle += 1
                timer = threading.Timer(SECONDS_IDLE, self._close, [self._since_idle])
            timer.daemon = True
            timer.start()

    def _close(self, if_idle_since: int | None = None) -> None:
        with self._lock:
            if if_idle_since is not None and (self._busy or self._since_idle != if_idle_since):
                return
            shop, self._shop = self._shop, None
        if shop is not None:
            shop.close()

    def _bytes_per_lane(self) -> int | None:
        room = Room.now()
        if room.bytes_per_lane is None:
            return None
        free = room.lanes * room.bytes_per_lane
        return max(min(free, self._memory or free) // self._threads, LEAST_PER_LANE)


class Shop:
    """Lanes side by side, one for each thread of the worker, with the folders that their notebooks read."""

    def __init__(
        self,
        folder: Path,
        lanes: int,
        bytes_per_lane: int | None,
        modules: Sequence[str],
        told: dict[str, str],
    ) -> None:
        self._bytes_per_lane, self._told = bytes_per_lane, told
        self._stack = ExitStack()
        self._bundles = self._folder_in(folder)
        self._scratch = self._folder_in(folder if len(str(folder)) <= LONGEST else None)
        write_kernelspec(self._scratch)
        self._zygote = self._started(lanes, modules)
        hosts = self._zygote.lanes if self._zygote else [None] * lanes
        self._free: queue.LifoQueue[_Place] = queue.LifoQueue()
        self._places = [_Place(number, host) for number, host in enumerate(hosts)]
        for place in self._places:
            self._free.put(place)
        self._unpacking = threading.Lock()

    def _folder_in(self, folder: Path | None) -> Path:
        """Of this user alone; in dask's own folder, which dask clears even after a worker was killed."""
        made = Path(tempfile.mkdtemp(prefix="cbr-", dir=folder))  # mode 0700
        self._stack.callback(shutil.rmtree, made, ignore_errors=True)
        return made

    def do(self, errand: Errand, data: bytes | None) -> Product:
        out = Path(tempfile.mkdtemp(prefix="out-", dir=self._bundles))
        try:
            return self._done(errand, data, out)
        finally:
            shutil.rmtree(out, ignore_errors=True)

    def close(self) -> None:
        for place in self._places:
            place.close()
        if self._zygote:
            self._zygote.close()
        self._stack.close()

    def _done(self, errand: Errand, data: bytes | None, out: Path) -> Product:
        task = errand.task
        if errand.shown:
            source, cwd = out / "shown.ipynb", None
            source.write_bytes(errand.shown)
        else:
            root = self._unpacked(errand, data)
            source, cwd = root / task.source, root / "notebooks"
        here = replace(
            task, source=str(source), executed=str(out / "executed.ipynb"), scratch=str(self._scratch),
            memory_bytes=self._bytes_per_lane,
            pages=tuple(replace(page, path=str(out / f"{page.language}.html")) for page in task.pages),
        )  # fmt: skip
        place = self._free.get()
        try:
            outcome = place.lane_in(cwd, self._scratch, self._told).perform(here)
        finally:
            self._free.put(place)
        theirs = {here.executed: task.executed}
        theirs |= {page.path: asked.path for page, asked in zip(here.pages, task.pages, strict=True)}
        made = {Path(ours): path for ours, path in theirs.items()}
        texts = {path: ours.read_text(encoding="utf-8") for ours, path in made.items() if ours.is_file()}
        return Product(outcome, texts)

    def _unpacked(self, errand: Errand, data: bytes | None) -> Path:
        with self._unpacking:
            there = self._bundles / errand.digest[:16]
            if there.is_dir():
                return there
            if data is None:
                data = _fetched(errand.address)
            return unpack(Bundle(errand.digest, data), self._bundles)

    def _started(self, lanes: int, modules: Sequence[str]) -> Zygote | None:
        if not can_fork():
            return None
        environment = kernel_environment(self._scratch) | self._told
        return Zygote(lanes, modules, environment=environment, log=self._scratch / "host.log")


class _Place:
    """Room for one lane, which is replaced when the next task reads another bundle."""

    def __init__(self, number: int, host: socket.socket | None) -> None:
        self._number, self._host = number, host
        self._lane: Lane | None = None
        self._cwd: Path | None = None

    def lane_in(self, cwd: Path | None, scratch: Path, told: dict[str, str]) -> Lane:
        """A lane that stands in `cwd`, or anywhere."""
        if self._lane is None or cwd not in (None, self._cwd):
            self.close()
            self._cwd = cwd or scratch
            self._lane = Lane(scratch, self._cwd, self._number, self._host, told)
        return self._lane

    def close(self) -> None:
        if self._lane is not None:
            self._lane.stop()
            self._lane.release()


def _fetched(address: str) -> bytes:
    try:
        with fsspec.open(address, "rb") as file:
            return bytes(file.read())
    except (OSError, ImportError) as error:
        raise PublishError(
            f"The worker on {socket.gethostname()} (process {os.getpid()}) cannot read {address}: {error}. "
            "Name a folder or store with --share that every worker can read, or leave --share out."
        ) from error
