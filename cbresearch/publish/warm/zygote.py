"""The process that kernels are forked from, as whoever starts it sees it; needs none of the notebook libraries."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

HOST = "CBRESEARCH_KERNEL_HOST"
"""Environment variable with the number of the socket to a lane's host."""
SECONDS_TO_STOP = 40.0


class Zygote:
    """The process that imports once, with a host for each of `lanes`. Closing it ends all of them."""

    def __init__(self, lanes: int, modules: Sequence[str] = (), *, environment: dict[str, str] | None = None,
                 log: Path | None = None) -> None:  # fmt: skip
        self._control, control = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        pairs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(lanes)]
        self.lanes = [ours for ours, _ in pairs]
        theirs = [control, *(other for _, other in pairs)]
        fds = [one.fileno() for one in theirs]
        # -P: the folder one stands in must not shadow a module
        command = [sys.executable, "-P", "-m", "cbresearch.publish.warm.host", *map(str, fds)]
        said = log.open("wb") if log else subprocess.DEVNULL
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, pass_fds=fds, env=environment, start_new_session=True
        )  # fmt: skip
        for one in theirs:
            one.close()
        if log:
            said.close()  # type: ignore[union-attr]
        self._control.send(json.dumps(list(modules)).encode())

    def close(self) -> None:
        """End the zygote, its hosts and their kernels."""
        self._control.close()
        for lane in self.lanes:
            lane.close()
        try:
            self._process.wait(timeout=SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
