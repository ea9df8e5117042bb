"""The side of nbclient: a kernel manager and client whose kernel is forked by a host, not started."""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import select
import signal
import socket
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from queue import Empty
from typing import Any

from jupyter_client.session import Session
from nbclient.exceptions import DeadKernelError

from cbresearch.publish.warm import frames
from cbresearch.publish.warm.processes import can_fork
from cbresearch.publish.warm.zygote import HOST, SECONDS_TO_STOP, Zygote

SECONDS_TO_START, SECONDS_TO_LEAVE = 60.0, 10.0
CHUNK = 1 << 18


class HostLost(RuntimeError):
    """The host does not answer; an ordinary kernel will do."""


class Host:
    """One host, as its lane sees it."""

    def __init__(self, lane: socket.socket) -> None:
        self._lane = lane
        self._asked = 0
        self.modules: dict[str, None] = {}
        """Every module that kernels of this lane turned out to need, in the order of import."""

    def start(
        self, folder: str, memory_bytes: int | None, environment: dict[str, str]
    ) -> tuple[int, int, int]:
        """A new kernel: its pid, the pipe end for requests, the pipe end for messages."""
        theirs_in, ours_out = os.pipe()
        ours_in, theirs_out = os.pipe()
        try:
            asked = {
                "do": "start",
                "folder": folder,
                "memory_bytes": memory_bytes,
                "environment": environment,
            }
            told = self._ask(asked, SECONDS_TO_START, [theirs_in, theirs_out])
        except HostLost:
            os.close(ours_out)
            os.close(ours_in)
            raise
        finally:
            os.close(theirs_in)
            os.close(theirs_out)
        return told["pid"], ours_out, ours_in

    def stop(self, fresh: Sequence[str]) -> None:
        """Nothing of the last kernel is left when this returns; `fresh` are modules to have ready for the next."""
        self.modules |= dict.fromkeys(fresh)
        with suppress(HostLost):
            self._ask({"do": "stop", "modules": list(fresh)}, SECONDS_TO_STOP)

    def _ask(self, what: dict[str, Any], seconds: float, fds: Sequence[int] = ()) -> dict[str, Any]:
        self._asked += 1
        # a lane that replaces a lost one must not take an answer for its own
        number = f"{os.getpid()}-{self._asked}"
        try:
            socket.send_fds(self._lane, [json.dumps(what | {"id": number}).encode()], list(fds))
            while True:
                if not select.select([self._lane], [], [], seconds)[0]:
                    raise HostLost("the kernel host did not answer")
                data = self._lane.recv(CHUNK)
                if not data:
                    raise HostLost("the kernel host has ended")
                told: dict[str, Any] = json.loads(data)
                if told["id"] == number:
                    return told
        except OSError as error:
            raise HostLost(str(error)) from error


@cache
def host() -> Host | None:
    """This process's host: the one it was given, else one of its own; None where kernels cannot be forked."""
    if not can_fork():
        return None
    if given := os.environ.get(HOST):
        return Host(socket.socket(fileno=int(given)))
    zygote = Zygote(1)
    atexit.register(zygote.close)
    return Host(zygote.lanes[0])


class ForkedKernel:
    """What nbclient asks of a kernel manager, with a kernel that a host forks."""

    ipykernel = False
    kernel_id = "forked"

    def __init__(self, by: Host, memory_bytes: int | None = None) -> None:
        self._host = by
        self._memory_bytes = memory_bytes
        self._pid: int | None = None
        self._pidfd = -1
        self._client: PipeClient | None = None

    @property
    def has_kernel(self) -> bool:
        return self._pid is not None

    def start_kernel(self, *, cwd: str | None = None, env: dict[str, str] | None = None, **_: Any) -> None:
        environment = {**os.environ, **(env or {})}
        self._pid, requests, messages = self._host.start(
            cwd or str(Path.cwd()), self._memory_bytes, environment
        )
        self._pidfd = os.pidfd_open(self._pid)
        self._client = PipeClient(requests, messages, self.is_alive)

    def client(self) -> PipeClient:
        assert self._client is not None
        return self._client

    def is_alive(self) -> bool:
        return self._pid is not None and not select.select([self._pidfd], [], [], 0)[0]

    def interrupt_kernel(self) -> None:
        if self._pid is not None:
            os.kill(self._pid, signal.SIGINT)

    async def shutdown_kernel(self, now: bool = False, restart: bool = False) -> None:
        """Let the kernel end by itself, unless `now`; whatever stays is killed in `cleanup_resources`."""
        if self._client is not None and not now:
            await self._client.ended(SECONDS_TO_LEAVE)

    def cleanup_resources(self, restart: bool = False) -> None:
        if self._pid is None:
            return
        self._pid = None
        os.close(self._pidfd)
        self._host.stop(self._client.modules if self._client else ())


class Channel:
    """Messages of one kind, in the order in which the kernel sent them."""

    def __init__(self, by: PipeClient) -> None:
        self._by = by
        self._waiting: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    def put(self, message: dict[str, Any]) -> None:
        self._waiting.put_nowait(message)

    @property
    def is_empty(self) -> bool:
        return self._waiting.empty()

    async def get_msg(self, timeout: float | None = None) -> dict[str, Any]:
        """The next message; Empty when none came in time, DeadKernelError when none will come any more."""
        until = None if timeout is None else asyncio.get_running_loop().time() + timeout
        while True:
            if not self._waiting.empty():
                return self._waiting.get_nowait()
            left = None if until is None else until - asyncio.get_running_loop().time()
            if left is not None and left <= 0:
                raise Empty
            self._by.expect_more()
            with suppress(TimeoutError):
                return await asyncio.wait_for(self._waiting.get(), min(left or 1.0, 1.0))

    def send(self, message: dict[str, Any]) -> None:
        self._by.send(message)


class PipeClient:
    """What nbclient asks of a kernel client, over two pipes."""

    allow_stdin = False

    def __init__(self, requests: int, messages: int, alive: Any) -> None:
        self.session = Session()
        self._requests, self._messages = requests, messages
        self.is_alive = alive
        self._reader = frames.Reader()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_over = self._is_busy = False
        self.shell_channel, self.iopub_channel = Channel(self), Channel(self)
        self.modules: list[str] = []

    async def start_channels(self) -> None:
        self._loop = asyncio.get_running_loop()
        os.set_blocking(self._messages, False)
        self._loop.add_reader(self._messages, self._read)

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Forked means ready."""

    def stop_channels(self) -> None:
        self._stop_reading()
        for fd in (self._requests, self._messages):
            if fd >= 0:
                os.close(fd)
        self._requests = self._messages = -1

    def execute(self, code: str, store_history: bool = True, stop_on_error: bool = True, **_: Any) -> str:
        content = {
            "code": code, "silent": False, "store_history": store_history, "user_expressions": {},
            "allow_stdin": False, "stop_on_error": stop_on_error,
        }  # fmt: skip
        return self._request("execute_request", content)

    def kernel_info(self) -> str:
        return self._request("kernel_info_request", {})

    def send(self, message: dict[str, Any]) -> None:
        """Whole, whether or not the kernel still listens: that it does not shows in what it sends."""
        with suppress(BrokenPipeError):
            frames.write(
                self._requests, frames.packed(frames.message_parts(self.session, frames.SHELL, message))
            )

    async def ended(self, seconds: float) -> None:
        """Close the requests; a kernel that is not at work says its last words and ends."""
        if self._requests >= 0:
            os.close(self._requests)
            self._requests = -1
        if self._is_busy:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not self._is_over:
                    await asyncio.sleep(0.002)

    def expect_more(self) -> None:
        """DeadKernelError where the kernel is gone and everything it sent has been taken."""
        if self._is_over and self.iopub_channel.is_empty:
            raise DeadKernelError("Kernel died")

    def _request(self, kind: str, content: dict[str, Any]) -> str:
        message = self.session.msg(kind, content)
        self.send(message)
        return str(message["header"]["msg_id"])

    def _read(self) -> None:
        try:
            data = os.read(self._messages, CHUNK)
        except BlockingIOError:
            return
        if not data:
            self._is_over = True
            self._stop_reading()
            return
        for parts in self._reader.feed(data):
            channel, message = frames.message_of(self.session, parts)
            if channel == b"modules":
                self.modules = message["content"]["names"]
                self._is_over = True
                continue
            if message["msg_type"] == "status":
                self._is_busy = message["content"]["execution_state"] == "busy"
            (self.shell_channel if channel == frames.SHELL else self.iopub_channel).put(message)

    def _stop_reading(self) -> None:
        if self._loop is not None and self._messages >= 0 and not self._loop.is_closed():
            self._loop.remove_reader(self._messages)
