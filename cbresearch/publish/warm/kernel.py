"""An IPython kernel that is made once, forked for each notebook, and then speaks over a pipe."""

from __future__ import annotations

import asyncio
import atexit
import gc
import io
import logging
import os
import random
import resource
import signal
import sys
import time
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from jupyter_client.session import Session
from traitlets.config import Config

from cbresearch.publish.warm import frames

INLINE = "module://matplotlib_inline.backend_inline"


@dataclass(frozen=True, slots=True)
class Start:
    """How a kernel is to be started: pipe ends to read requests from and write messages to, and where."""

    requests: int
    messages: int
    folder: str
    memory_bytes: int | None
    environment: dict[str, str]


class PipeSession(Session):  # type: ignore[misc]
    """A session whose messages leave by a pipe, in the order in which they are sent."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.pipe = -1

    def send(self, stream: Any, msg_or_type: Any, content: Any = None, parent: Any = None, ident: Any = None,
             buffers: Any = None, track: bool = False, header: Any = None, metadata: Any = None) -> Any:  # fmt: skip
        """As jupyter_client's, without sockets; a process that the notebook forked is not heard."""
        if isinstance(msg_or_type, dict):
            message = msg_or_type
            buffers = buffers or message.get("buffers", [])
        else:
            message = self.msg(msg_or_type, content, parent=parent, header=header, metadata=metadata)
        message["buffers"] = buffers or []
        if self.check_pid and os.getpid() != self.pid:
            return None
        channel = stream if isinstance(stream, bytes) else frames.IOPUB
        frames.write(self.pipe, frames.packed(frames.message_parts(self, channel, message)))
        return message


class Stream(io.TextIOBase):
    """sys.stdout or sys.stderr of a kernel; what C code and other processes write to its descriptor goes along.

    The descriptor is a file in memory, so that nobody who writes to it has to wait, and no thread has to read.
    """

    encoding = "UTF-8"
    errors = "strict"
    SECONDS = 0.2
    """How long written text may wait while the cell goes on, lest a crash take it along."""

    def __init__(self, kernel: Any, name: str, fd: int) -> None:
        self._kernel, self.name, self._fd = kernel, name, fd
        self._waiting: list[str] = []
        self._sent = time.monotonic()
        self._pid = os.getpid()

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text)}")
        if os.getpid() != self._pid:  # a process that the notebook forked
            os.write(self._fd, text.encode("utf-8", "replace"))
            return len(text)
        self._waiting.append(text)
        if time.monotonic() - self._sent > self.SECONDS:
            self.flush()
        return len(text)

    def flush(self) -> None:
        if os.getpid() != self._pid:
            return
        text = "".join([*self._waiting, self._from_outside()])
        self._waiting, self._sent = [], time.monotonic()
        if text:
            self._kernel.session.send(
                frames.IOPUB, "stream", {"name": self.name, "text": text},
                parent=self._kernel.get_parent(), ident=f"stream.{self.name}".encode(),
            )  # fmt: skip

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return False

    def fileno(self) -> int:
        return self._fd

    def _from_outside(self) -> str:
        size = os.lseek(self._fd, 0, os.SEEK_END)
        if not size:
            return ""
        written = os.pread(self._fd, size, 0)
        os.ftruncate(self._fd, 0)
        os.lseek(self._fd, 0, os.SEEK_SET)
        return written.decode("utf-8", "replace")


class PipeKernel(IPythonKernel):
    """A kernel whose requests come one by one: nothing waits in a queue that an error would have to empty."""

    _execute_sleep = 0.0
    """No other thread has to be given time to send what a cell printed."""

    def _abort_queues(self, subshell_id: str | None = None) -> None:
        """Nothing waits."""


def prepare() -> IPythonKernel:
    """The kernel before any fork: no thread, no socket, history in nobody's file."""
    config = Config({"HistoryManager": {"hist_file": ":memory:", "enabled": True}})
    session = PipeSession(check_pid=True, config=config)
    log = logging.getLogger("cbresearch.kernel")
    kernel: IPythonKernel = PipeKernel.instance(
        session=session, iopub_socket=frames.IOPUB, config=config, log=log
    )
    # there is no thread between the pipe and the kernel
    kernel.shell_channel_thread = SimpleNamespace(parent_thread=None, manager=None)
    # magics such as %matplotlib look for the kernel in its application
    IPKernelApp.instance().kernel = kernel
    os.environ.setdefault("MPLBACKEND", INLINE)
    return kernel


def serve(kernel: IPythonKernel, start: Start) -> None:
    """Be the kernel of one notebook until its requests end; called in a process forked for it."""
    os.environ.update(start.environment)
    os.chdir(start.folder)
    if "" not in sys.path:
        sys.path.insert(0, "")
    sys.argv = ["ipykernel_launcher.py"]
    if start.memory_bytes is not None:
        resource.setrlimit(resource.RLIMIT_DATA, (start.memory_bytes, start.memory_bytes))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _reseed()
    session = kernel.session
    session.pid, session.pipe = os.getpid(), start.messages
    _redirect(kernel)
    asyncio.run(_answer(kernel, start.requests))


def _reseed() -> None:
    """Each notebook draws its own numbers, as each new interpreter would."""
    random.seed()
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed()


def _redirect(kernel: IPythonKernel) -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    for fd, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.memfd_create(name), fd)
        setattr(sys, name, Stream(kernel, name, fd))


async def _answer(kernel: Any, requests: int) -> None:
    """One request after the other, each with the statuses around it that a client waits for."""
    reader, session = frames.Reader(), kernel.session
    while data := os.read(requests, 1 << 16):
        for parts in reader.feed(data):
            _, message = frames.message_of(session, parts)
            kernel.set_parent([], message, channel="shell")
            kernel._publish_status("busy", "shell", parent=message)
            handler = kernel.shell_handlers.get(message["msg_type"])
            if handler is not None:
                answer = handler(frames.SHELL, [], message)
                if asyncio.iscoroutine(answer):
                    await answer
            sys.stdout.flush()
            sys.stderr.flush()
            kernel._publish_status("idle", "shell", parent=message)


def say_modules(kernel: IPythonKernel, names: list[str]) -> None:
    """Said when requests have ended: what would have been good to import beforehand."""
    sys.stdout.flush()
    kernel.session.send(b"modules", "modules", {"names": names})


def leave(kernel: IPythonKernel) -> None:
    """What an interpreter does at its end: files that the notebook left open are written, exit functions called."""
    kernel.shell.user_ns.clear()
    gc.collect()
    atexit._run_exitfuncs()
