"""Ordinary kernels that cannot meet each other: this interpreter, one thread per BLAS, a private socket folder."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from traitlets.config import Config

KERNEL = "cbresearch"
"""Our own kernel name, so that a 'python3' kernelspec of another interpreter is never taken."""

MATPLOTLIBRC = "svg.hashsalt: cbresearch\n"
"""Without a salt of our own, the names inside an SVG would be others in every run."""


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A private folder with a short path (sockets allow about 100 bytes), gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="cbr-"))  # mode 0700
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write_kernelspec(scratch: Path) -> None:
    """A kernelspec that starts the interpreter which is running now."""
    spec = scratch / "jupyter" / "kernels" / KERNEL
    spec.mkdir(parents=True, exist_ok=True)
    argv = [sys.executable, "-Xfrozen_modules=off", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (spec / "kernel.json").write_text(
        json.dumps({"argv": argv, "display_name": "cbresearch", "language": "python"}), encoding="utf-8"
    )
    (scratch / "matplotlibrc").write_text(MATPLOTLIBRC, encoding="utf-8")


def kernel_environment(scratch: Path) -> dict[str, str]:
    """What every kernel of a run sees: the same on every machine and for every user."""
    return dict(os.environ) | {
        "JUPYTER_PATH": str(scratch / "jupyter"),
        "JUPYTER_RUNTIME_DIR": str(scratch / "runtime"),
        "IPYTHONDIR": str(scratch / "ipython"),  # no start-up files of the user, no shared history
        "MATPLOTLIBRC": str(scratch / "matplotlibrc"),
        "PYTHONHASHSEED": "0",
        "PYTHONUTF8": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
    }


def transport(folder: Path) -> Config:
    """Sockets as files in `folder`, one folder per kernel; Windows has none, so TCP there.

    jupyter_client picks a TCP port, releases it and hopes: in parallel up to 2 % of starts lose
    that race. With the default IPC path kernels of one folder even talk to each other.
    """
    if os.name == "nt":
        return Config()
    folder.mkdir(mode=0o700)
    return Config({"ConnectionFileMixin": {"transport": "ipc", "ip": str(folder / "k")}})
