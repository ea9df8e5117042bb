"""The zygote and its hosts: `python -m cbresearch.publish.warm.host CONTROL LANE...`, started by `client`.

CONTROL and each LANE are sockets by number. A lane asks its host in messages of JSON: start a kernel (with two
pipe ends), stop it. When CONTROL closes, all of them end, with everything that they started.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import socket
import sys
import traceback
from contextlib import suppress
from typing import Any, NoReturn

from cbresearch.publish.warm import figures, modules, processes
from cbresearch.publish.warm import kernel as kernels

LARGEST = 1 << 20
SECONDS_BETWEEN_LOOKS = 0.1


def main() -> NoReturn:
    """Import, fork a host for each lane, again when one is lost; end with whoever holds the control socket."""
    control, *lanes = (socket.socket(fileno=int(fd)) for fd in sys.argv[1:])
    sys.argv = sys.argv[:1]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    processes.adopt_orphans()
    names = json.loads(control.recv(LARGEST) or b"[]")
    kernel = kernels.prepare()
    _warm(kernel, names)
    hosts = {_forked(kernel, lane, [control, *lanes]): lane for lane in lanes}
    while not _is_over(control):
        for pid in _ended():
            # a cell may have killed its host; orphans of a lost host are nobody's
            if lane := hosts.pop(pid, None):
                processes.end_all(keep=frozenset(hosts))
                hosts[_forked(kernel, lane, [control, *lanes])] = lane
    processes.end_all()
    os._exit(0)


def _warm(kernel: Any, names: list[str]) -> None:
    gc.disable()  # what is imported stays: looking for garbage in it takes a tenth of the time
    # pandas asks at import whether it is shown in a notebook
    with kernel.shell.builtin_trap:
        modules.load(names)
        figures.warm()
    gc.enable()
    gc.collect()
    gc.freeze()


def _is_over(control: socket.socket) -> bool:
    ready, _, _ = select.select([control], [], [], SECONDS_BETWEEN_LOOKS)
    return bool(ready) and not control.recv(1)


def _ended() -> list[int]:
    found = []
    with suppress(ChildProcessError):
        while (pid := os.waitpid(-1, os.WNOHANG)[0]) != 0:
            found.append(pid)
    return found


def _forked(kernel: Any, lane: socket.socket, all_sockets: list[socket.socket]) -> int:
    parent = os.getpid()
    if pid := os.fork():
        return pid
    try:
        processes.die_with_parent(parent)
        for other in all_sockets:
            if other is not lane:
                other.close()
        serve_lane(kernel, lane)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)


def serve_lane(kernel: Any, lane: socket.socket) -> NoReturn:
    """Start and stop kernels, one at a time, until the lane closes its end."""
    processes.adopt_orphans()
    known = frozenset(sys.modules)
    while True:
        data, fds, _, _ = socket.recv_fds(lane, LARGEST, 2)
        if not data:
            processes.end_all()
            os._exit(0)
        asked = json.loads(data)
        told: dict[str, Any] = {"id": asked["id"]}
        # also before a start: a lane may have been lost with its kernel running
        processes.end_all()
        if asked["do"] == "start":
            told["pid"] = _kernel_process(kernel, known, lane, asked, fds)
            for fd in fds:
                os.close(fd)
        lane.send(json.dumps(told).encode())
        if names := asked.get("modules"):  # after the answer: nobody waits for it
            _warm(kernel, names)
            known = frozenset(sys.modules)


def _kernel_process(
    kernel: Any, known: frozenset[str], lane: socket.socket, asked: dict[str, Any], fds: list[int]
) -> int:
    parent = os.getpid()
    if pid := os.fork():
        return pid
    status, log = 1, os.dup(2)  # the notebook's own standard error is part of its output
    try:
        os.setsid()
        processes.die_with_parent(parent)
        lane.close()
        start = kernels.Start(fds[0], fds[1], asked["folder"], asked["memory_bytes"], asked["environment"])
        kernels.serve(kernel, start)
        fresh = modules.learnt(known)
        kernels.leave(kernel)
        kernels.say_modules(kernel, fresh)  # the last word: whoever hears it may end this process
        status = 0
    except BaseException:
        os.write(log, traceback.format_exc().encode())
    finally:
        os._exit(status)


if __name__ == "__main__":
    main()
