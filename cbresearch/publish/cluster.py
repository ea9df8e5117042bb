"""The tasks of a run on the workers of a dask cluster: same news, same files as from lanes on this machine."""

from __future__ import annotations

import os
import queue
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from importlib import metadata, util
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import cbresearch
from cbresearch.errors import PublishError
from cbresearch.publish.bundle import Bundle, Bundles
from cbresearch.publish.files import write_whole
from cbresearch.publish.kernels import scratch_folder
from cbresearch.publish.lanes import Started
from cbresearch.publish.room import Room
from cbresearch.publish.task import Outcome, Task
from cbresearch.study import Study

if TYPE_CHECKING:
    from cbresearch.publish.cluster_work import Errand

LOCAL = "local"
TRIES = 2
"""Workers that one task may lose before it is held to be the cause."""
SECONDS_TO_CONNECT = 30
SECONDS_WITHOUT_WORKERS = 300
SECONDS_BETWEEN_LOOKS = 5.0
TOLD = ("SOURCE_DATE_EPOCH", "TZ", "LANG", "LC_ALL")
"""Variables of the caller that show in a notebook's outputs."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where a run is to be carried out: a scheduler's address or 'local', with a store that all workers can read.

    Without `share`, data travel through the scheduler. With it they are put there once, where they stay.
    """

    address: str
    share: str | None = None

    def __post_init__(self) -> None:
        """PublishError where the libraries for it are not installed, before anything has been done."""
        needed = ("distributed", "fsspec", *(["cryptography"] if self.address == LOCAL else []))
        missing = [name for name in needed if util.find_spec(name) is None]
        if missing:
            raise PublishError(
                f"A run on a cluster needs {' and '.join(missing)}, which is not here. "
                "Install it here and where workers run: pip install 'cbresearch[cluster]'"
            )


def chosen(address: str | None, share: str | None) -> Cluster | None:
    """What was asked for on the command line; None for this machine without a cluster."""
    if address is not None:
        return Cluster(address, share)
    if share is not None:
        raise PublishError(
            "--share is where workers of a cluster find data. Name one as well: --cluster ADDRESS."
        )
    return None


def on_cluster(
    tasks: Sequence[Task], study: Study, cluster: Cluster, *, modules: Sequence[str] = ()
) -> Iterator[Started | Outcome]:
    """Each task's start and outcome as they happen, its files written here; leaving early ends what runs there.

    A task whose worker is lost goes to another one; the second worker that it loses makes it a failed report.
    PublishError where no scheduler or worker answers, or one would not give the same pages.
    """
    from distributed import WorkerPlugin  # noqa: F401  (says at once what is broken about an installation)

    from cbresearch.publish.cluster_work import Crew

    with _connected(cluster.address, len(tasks)) as client:
        _check_versions(client)
        crew = f"cbresearch-{uuid4().hex[:12]}"
        client.register_plugin(Crew(modules, {n: os.environ[n] for n in TOLD if n in os.environ}), name=crew)
        errands = _Errands(client, crew, study, cluster)
        try:
            yield from errands.carried_out(tasks)
        finally:
            errands.cancel()
            with suppress(OSError, TimeoutError, ValueError):  # the scheduler may be gone, and that was said
                client.unregister_worker_plugin(crew)


class _Errands:
    """Tasks under way: as many as workers have threads, so that none waits where a worker may be lost."""

    def __init__(self, client: Any, crew: str, study: Study, cluster: Cluster) -> None:
        self._client, self._crew, self._study, self._cluster = client, crew, study, cluster
        self._bundles = Bundles(study)
        self._sent: dict[str, Any] = {}
        self._ended: queue.Queue[Any] = queue.Queue()
        self._running: dict[str, tuple[Task, Any, int]] = {}

    def carried_out(self, tasks: Sequence[Task]) -> Iterator[Started | Outcome]:
        waiting = deque(tasks)
        threads = self._threads()
        while waiting or self._running:
            while waiting and len(self._running) < max(threads, 1):
                task = waiting.popleft()
                self._submit(task)
                yield Started(task.slug)
            future = self._next_ended()
            if future.status == "pending":  # its worker was lost before the result had been fetched
                future.add_done_callback(self._ended.put)
                continue
            task, _, tries = self._running.pop(future.key)
            outcome = self._outcome(task, future, tries)
            if outcome is not None:
                yield outcome
            threads = self._threads()

    def cancel(self) -> None:
        with suppress(OSError, TimeoutError, ValueError):
            self._client.cancel([future for _, future, _ in self._running.values()], force=True)
        self._running.clear()

    def _submit(self, task: Task, tries: int = 1) -> None:
        from cbresearch.publish import cluster_work

        errand, data = self._errand(task)
        key = f"{task.slug}-{uuid4().hex}"
        future = self._client.submit(cluster_work.do, self._crew, errand, data, key=key, pure=False)
        self._running[key] = (task, future, tries)
        future.add_done_callback(self._ended.put)

    def _errand(self, task: Task) -> tuple[Errand, Any]:
        from cbresearch.publish.cluster_work import Errand

        if not task.run_it:
            return Errand(task, shown=Path(task.source).read_bytes()), None
        bundle = self._bundles.of(task)
        theirs = replace(task, source=Path(task.source).relative_to(self._study.root).as_posix())
        if self._cluster.share is not None:
            if bundle.digest not in self._sent:
                self._sent[bundle.digest] = put(bundle, self._cluster.share)
            return Errand(theirs, bundle.digest, self._sent[bundle.digest]), None
        if bundle.digest not in self._sent:
            self._sent[bundle.digest] = self._client.scatter(bundle.data, broadcast=True, hash=False)
        return Errand(theirs, bundle.digest), self._sent[bundle.digest]

    def _next_ended(self) -> Any:
        """The next future that ended; PublishError where none will, for scheduler or workers are gone."""
        alone = 0.0
        while True:
            try:
                return self._ended.get(timeout=SECONDS_BETWEEN_LOOKS)
            except queue.Empty:
                alone = 0.0 if self._threads() else alone + SECONDS_BETWEEN_LOOKS
                if alone >= SECONDS_WITHOUT_WORKERS:
                    raise PublishError(
                        f"For {alone:.0f} seconds {self._cluster.address} has had no worker. "
                        "What is finished is kept; start workers and run again."
                    ) from None

    def _outcome(self, task: Task, future: Any, tries: int) -> Outcome | None:
        """What came of a task; None where it was given to the cluster again."""
        from distributed import KilledWorker

        if future.status == "finished":
            product = future.result()
            return _written(product.outcome, product.files)
        if future.status == "error":
            error = future.exception()
            if not isinstance(error, KilledWorker):
                raise error
            return self._lost(task, error)
        self._threads()  # says so where the scheduler is gone
        if tries > TRIES:
            raise PublishError(f"The cluster dropped {task.slug} {tries} times. Run again.")
        self._sent.clear()  # data that were only on lost workers are lost with them
        self._submit(task, tries + 1)
        return None

    def _lost(self, task: Task, error: Any) -> Outcome | None:
        message = (
            f"{error.allowed_failures + 1} workers of the cluster were lost while they ran this notebook"
        )
        lost = {"class": "WorkerLost", "message": message}
        if not task.run_it:
            return Outcome(task.slug, "failed", task.error or lost)
        self._submit(replace(task, run_it=False, error=lost))  # only shown, as in a lane
        return None

    def _threads(self) -> int:
        try:
            return sum(self._client.nthreads().values())
        except (OSError, TimeoutError, ValueError) as error:
            raise PublishError(
                f"The scheduler at {self._cluster.address} is gone. What is finished is kept; run again."
            ) from error


def put(bundle: Bundle, share: str) -> str:
    """The bundle's address in the store, where it is put unless it is there."""
    import fsspec

    folder = share.rstrip("/") if "://" in share else str(Path(share).absolute())
    address = f"{folder}/{bundle.digest}.zip"
    try:
        store, path = fsspec.core.url_to_fs(address)
        if not store.exists(path):
            store.makedirs(store._parent(path), exist_ok=True)
            half = f"{path}.{uuid4().hex}.part"  # whoever reads sees all of it or nothing
            store.pipe_file(half, bundle.data)
            store.mv(half, path)
    except (OSError, ImportError, ValueError) as error:
        raise PublishError(
            f"Cannot put data at {folder}: {error}. Name a folder or store with --share."
        ) from error
    return address


def _written(outcome: Outcome, files: dict[str, str]) -> Outcome:
    try:
        for path, text in files.items():
            write_whole(Path(path), text)
    except OSError as error:  # one report's failure, as in a lane
        return Outcome(outcome.slug, "failed", {"class": type(error).__name__, "message": str(error)[:500]})
    return outcome


@contextmanager
def _connected(address: str, tasks: int) -> Iterator[Any]:
    from distributed import Client

    with ExitStack() as stack:
        to = stack.enter_context(_local(tasks)) if address == LOCAL else address
        try:
            client = Client(to, timeout=SECONDS_TO_CONNECT, set_as_default=False)
            stack.enter_context(client)
            client.wait_for_workers(1, timeout=SECONDS_TO_CONNECT)
        except (OSError, TimeoutError, ValueError) as error:
            raise PublishError(_unreachable(address, error)) from error
        yield client


@contextmanager
def _local(tasks: int) -> Iterator[Any]:
    """A process for each core; only whoever holds this run's keys may talk to them. No dashboard."""
    from distributed import LocalCluster

    with (
        scratch_folder() as folder,
        LocalCluster(
            n_workers=max(1, min(Room.now().lanes, tasks)), threads_per_worker=1, processes=True, security=True,
            local_directory=str(folder), scheduler_kwargs=SCHEDULER,
        ) as cluster,
    ):  # fmt: skip
        yield cluster


SCHEDULER: dict[str, Any] = {
    "allowed_failures": TRIES - 1, "dashboard": False, "dashboard_address": "127.0.0.1:0",
}  # fmt: skip


def _unreachable(address: str, error: Exception) -> str:
    said = (str(error).splitlines() or [type(error).__name__])[0]
    return (
        f"No dask scheduler with a worker answers at {address} ({said}). Start one with 'dask scheduler' and "
        "'dask worker ADDRESS', then name it as in --cluster tcp://scheduler:8786; or use --cluster local."
    )


def _check_versions(client: Any) -> None:
    """PublishError names the first worker that would not give the same pages, and in what it differs."""
    from cbresearch.publish.cluster_work import facts

    ours = cbresearch.__version__
    for worker, found in client.run(metadata.version, "cbresearch", on_error="return").items():
        if found != ours:
            has = f"has cbresearch {found}" if isinstance(found, str) else "has no cbresearch"
            raise PublishError(
                f"The worker at {worker} {has}, this machine {ours}. "
                f"Install the same there: pip install 'cbresearch[cluster]=={ours}'"
            )
    mine = facts()
    for worker, found in client.run(facts, on_error="return").items():
        if isinstance(found, Exception):
            raise PublishError(f"The worker at {worker} cannot load cbresearch: {found}") from found
        if other := [f"{n} {found.get(n, 'missing')}, here {mine.get(n, 'missing')}" for n in {**mine, **found} if found.get(n) != mine.get(n)]:  # fmt: skip
            raise PublishError(
                f"The worker at {worker} would not give the same pages: {'; '.join(other)}. Install the same versions."
            )
