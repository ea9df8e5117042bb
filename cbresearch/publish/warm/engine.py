"""`papermill --engine cbresearch`: papermill's own engine with kernels that are forked, not started."""

from __future__ import annotations

from functools import cache
from typing import Any

from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine
from papermill.log import logger
from papermill.utils import merge_kwargs, remove_args

from cbresearch.publish.warm.client import ForkedKernel, Host, HostLost, host
from cbresearch.publish.warm.processes import STARTED

OURS = {"", "python3", "cbresearch"}
"""Kernels that are this interpreter; any other is started the ordinary way."""


class WarmClient(PapermillNotebookClient):  # type: ignore[misc]
    """papermill's client, whose kernel comes from a host."""

    def __init__(self, nb_man: Any, *, by: Host, memory_bytes: int | None = None, **options: Any) -> None:
        super().__init__(nb_man, **options)
        self._by, self._memory_bytes = by, memory_bytes

    def create_kernel_manager(self) -> Any:
        self.km = ForkedKernel(self._by, self._memory_bytes)
        return self.km

    def output(self, outs: list[Any], msg: Any, display_id: Any, cell_index: int) -> Any:
        """nbclient's, but that a stream goes on where it stopped: how often it was sent says nothing."""
        out = super().output(outs, msg, display_id, cell_index)
        if out is not None and out.output_type == "stream" and len(outs) > 1:
            before = outs[-2]
            if before.output_type == "stream" and before.name == out.name:
                before.text += outs.pop().text
                return before
        return out


class WarmEngine(NBClientEngine):  # type: ignore[misc]
    """Executes a notebook in a kernel forked from a process that has imported what notebooks import.

    Falls back to papermill's own engine for other kernels than this interpreter, and where nothing can be
    forked. Options as papermill's; `memory_bytes` limits what the notebook may allocate.
    """

    @classmethod
    def host(cls) -> Host | None:
        """Where kernels come from; None for the ordinary ones."""
        return host()

    @classmethod
    def execute_managed_notebook(
        cls, nb_man: Any, kernel_name: str, log_output: bool = False, stdout_file: Any = None, stderr_file: Any = None,
        start_timeout: int = 60, execution_timeout: int | None = None, memory_bytes: int | None = None, **options: Any,
    ) -> Any:  # fmt: skip
        ordinary = {
            "log_output": log_output, "stdout_file": stdout_file, "stderr_file": stderr_file,
            "start_timeout": start_timeout, "execution_timeout": execution_timeout, **options,
        }  # fmt: skip
        by = cls.host() if kernel_name in OURS else None
        if by is None:
            if kernel_name in OURS:
                _say_once(STARTED)
            return super().execute_managed_notebook(nb_man, kernel_name, **ordinary)
        named = merge_kwargs(
            remove_args(["timeout", "startup_timeout", "input_path"], **options),
            timeout=execution_timeout or options.get("timeout"), startup_timeout=start_timeout, log=logger,
            log_output=log_output, stdout_file=stdout_file, stderr_file=stderr_file,
        )  # fmt: skip
        try:
            return WarmClient(nb_man, by=by, memory_bytes=memory_bytes, **named).execute()
        except HostLost:
            _say_once(
                "The process that forks kernels was lost; kernels are started one by one. The results are the same."
            )
            return super().execute_managed_notebook(nb_man, kernel_name, **ordinary)


@cache
def _say_once(words: str) -> None:
    logger.warning(words)
