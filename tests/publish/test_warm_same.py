"""A notebook shows the same whether its kernel was forked or started: every kind of output, cell by cell."""

from __future__ import annotations

import copy
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import nbformat
import pytest

pytest.importorskip("resource", reason="kernels are forked on Linux only")

import papermill
from papermill.engines import NBClientEngine, papermill_engines
from papermill.exceptions import PapermillExecutionError

from cbresearch.publish.warm.client import Host
from cbresearch.publish.warm.engine import WarmEngine
from cbresearch.publish.warm.processes import can_fork
from cbresearch.publish.warm.zygote import Zygote

pytestmark = pytest.mark.skipif(not can_fork(), reason="kernels are forked on Linux only")

EVERYTHING = {
    "value": "6 * 7",
    "nothing": "None",
    "printed": "print('one'); print('two')",
    "both streams": "import sys\nprint('out')\nprint('err', file=sys.stderr)",
    "no newline": "print('a', end=''); print('b', end='')",
    "carriage return": "for i in range(3): print(f'\\r{i}', end='')",
    "long text": "print('x' * 100_000)",
    "chinese": "print('社区满意度'); '居民'",
    "value and print": "print('before'); 'value'",
    "expression and display": "display('shown'); 'value'",
    "shell": "!echo shell",
    "table": "import pandas as pd\npd.DataFrame({'a': [1, 2], '名': ['x', None]})",
    "wide table": "pd.DataFrame([range(40)])",
    "long table": "pd.DataFrame({'a': range(100)})",
    "options": "pd.get_option('display.max_columns'), pd.get_option('display.width')",
    "styled": "pd.DataFrame({'a': [1]}).style.set_uuid('x')",
    "series": "pd.Series([1.5, 2.5], name='s').describe()",
    "html": "from IPython.display import HTML, Markdown, SVG, JSON, Latex, Javascript\nHTML('<b>x</b>')",
    "several": "display(Markdown('# m'), JSON({'a': 1}), Latex('$x$'))",
    "svg": "SVG('<svg xmlns=\"http://www.w3.org/2000/svg\"></svg>')",
    "javascript": "Javascript('1')",
    "handle": "h = display('first', display_id='one'); h.update('second')",
    "update": "h.update('third')",
    "cleared": "from IPython.display import clear_output\nprint('gone'); clear_output(); print('kept')",
    "cleared later": "print('gone'); clear_output(wait=True); print('kept')",
    "figure": "import matplotlib.pyplot as plt\nplt.plot([1, 3, 2]); plt.title('t'); plt.show()",
    "figure left open": "plt.plot([3, 1]);",
    "figure returned": "fig, ax = plt.subplots(); ax.plot([1]); fig",
    "backend": "plt.get_backend()",
    "magic": "%matplotlib inline\nplt.bar([1, 2], [1, 2]);",
    "rcparams": "plt.rcParams['figure.dpi'], plt.rcParams['figure.figsize'], plt.rcParams['savefig.bbox']",
    "await": "import asyncio\nawait asyncio.sleep(0)\nawait asyncio.gather(*[asyncio.sleep(0, i) for i in range(3)])",
    "task": "async def later():\n    print('in a task')\nt = asyncio.create_task(later()); await t",
    "loop": "asyncio.get_running_loop().is_running()",
    "input": "try:\n    input('?')\nexcept Exception as error:\n    print(type(error).__name__)",
    "getpass": "import getpass\ntry:\n    getpass.getpass()\nexcept Exception as error:\n    print(type(error).__name__)",
    "magics": "%who_ls int",
    "cell magic": "%%capture held\nprint('held')",
    "captured": "held.stdout",
    "history": "In[1], Out[1], _",
    "names": "__name__, '__file__' in globals()",
    "main": "import __main__; __main__.__dict__ is globals()",
    "pickled": "import pickle\nclass Thing: pass\ntype(pickle.loads(pickle.dumps(Thing()))).__name__",
    "warning": "import warnings\nwarnings.warn('mind this')",
    "deprecated": "warnings.warn('old', DeprecationWarning)",
    "numpy": "import numpy as np\nnp.arange(3), np.float64(1) / 3",
    "numpy warning": "np.array([1.0]) / 0",
    "big": "np.arange(10_000)",
    "pretty": "{'a': list(range(50)), 'b': {'c': 1}}",
    "kernel": "get_ipython().__class__.__name__, hasattr(get_ipython(), 'kernel')",
    "threads": "import threading\nth = threading.Thread(target=lambda: print('thread')); th.start(); th.join()",
    "pool": "from multiprocessing import get_context\nwith get_context('fork').Pool(2) as p: print(p.map(abs, [-1, -2]))",
    "isatty": "sys.stdout.isatty(), sys.stdout.encoding",
    "logging": "import logging\nlogging.warning('logged')",
    "encoding": "sys.getdefaultencoding(), sys.flags.utf8_mode",
    "comm": "from comm import create_comm\nc = create_comm(target_name='x', data={'state': {}}); type(c).__name__",
}  # fmt: skip
FAILING = {
    "repr fails": "class Bad:\n    def __repr__(self): raise ValueError('no')\nBad()",
    "error": "def f(x):\n    return 1 / x\nf(0)",
    "syntax": "a b",
    "unknown name": "unknown",
    "chained": "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    raise ValueError('第二') from error",
    "exit": "import sys; sys.exit(3)",
    "assertion": "assert 1 == 2, 'not so'",
    "keyboard": "raise KeyboardInterrupt",
    "after output": "print('seen'); raise RuntimeError('late')",
}
EXPECTED = ("raises-exception",)
# what differs between any two runs: addresses, clock times, process ids, temporary files of ipykernel
VARYING = re.compile(r"0x[0-9a-f]+|/tmp/ipykernel_\d+/\d+\.py|ipykernel_\d+")


@pytest.fixture(scope="module")
def warm() -> Any:
    """papermill with an engine whose host has imported what the notebook needs beforehand, as later reports find it."""
    zygote = Zygote(1, ["pandas", "numpy", "matplotlib.pyplot", "matplotlib_inline.backend_inline"])
    by = Host(zygote.lanes[0])

    class Engine(WarmEngine):
        @classmethod
        def host(cls) -> Host:
            return by

    papermill_engines.register("warm-for-tests", Engine)
    yield by
    zygote.close()


def notebook(cells: dict[str, str], *, tags: list[str]) -> Any:
    made = nbformat.v4.new_notebook(
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    )
    made.cells = [nbformat.v4.new_code_cell(source, metadata={"tags": tags}) for source in cells.values()]
    return made


def shown(cells: dict[str, str], engine: str, folder: Path, *, tags: tuple[str, ...] = ()) -> list[Any]:
    """What each cell showed; papermill counts an expected error as an error, and writes the notebook all the same."""
    written = folder / f"{engine}.ipynb"
    with suppress(PapermillExecutionError):
        papermill.execute_notebook(
            notebook(cells, tags=list(tags)),
            str(written),
            engine_name=engine,
            kernel_name="python3",
            progress_bar=False,
        )
    done = [cell for cell in nbformat.read(written, as_version=4).cells if cell.cell_type == "code"]
    return [(cell.execution_count, told(cell.outputs)) for cell in done]


def told(outputs: list[Any]) -> Any:
    plain = nbformat.from_dict(copy.deepcopy(outputs))
    return VARYING.sub("…", str([dict(output) for output in plain]))


@pytest.fixture(scope="module")
def ordinary(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    papermill_engines.register("ordinary-for-tests", NBClientEngine)
    outputs, errors = tmp_path_factory.mktemp("outputs"), tmp_path_factory.mktemp("errors")
    return {
        "outputs": shown(EVERYTHING, "ordinary-for-tests", outputs),
        "errors": shown(FAILING, "ordinary-for-tests", errors, tags=EXPECTED),
    }


def test_every_kind_of_output_is_the_same(warm: Host, ordinary: dict[str, list[Any]], tmp_path: Path) -> None:
    found = shown(EVERYTHING, "warm-for-tests", tmp_path)
    differing = {
        name: (ours, theirs)
        for name, ours, theirs in zip(EVERYTHING, found, ordinary["outputs"], strict=True)
        if ours != theirs
    }
    assert not differing


def test_what_others_write_is_shown_where_it_was_written(warm: Host, tmp_path: Path) -> None:
    """The ordinary kernel reads its descriptors in a thread: what is written there comes at any place, or too late."""
    cells = {
        "other process": "import subprocess, sys\nprint('before')\nsubprocess.run(['echo', 'outside'], check=True)\nprint('after')",
        "descriptor": "import os\nos.write(2, b'raw'); None",
        "system": "os.system('echo system')",
    }
    found = shown(cells, "warm-for-tests", tmp_path)
    assert "before\\noutside\\nafter" in found[0][1] or "before\\nafter\\noutside" in found[0][1]
    assert "'stderr'" in found[1][1] and "raw" in found[1][1]
    assert found[2][1].index("system") < found[2][1].index("execute_result")


def test_every_error_is_the_same(warm: Host, ordinary: dict[str, list[Any]], tmp_path: Path) -> None:
    found = shown(FAILING, "warm-for-tests", tmp_path, tags=EXPECTED)
    assert dict(zip(FAILING, found, strict=True)) == dict(zip(FAILING, ordinary["errors"], strict=True))


def test_papermill_finds_the_engine_by_its_name(tmp_path: Path) -> None:
    source = tmp_path / "in.ipynb"
    asked = notebook({"parameters": "wave = 1", "value": "wave + 1"}, tags=[])
    asked.cells[0].metadata["tags"] = ["parameters"]
    nbformat.write(asked, source)
    line = [sys.executable, "-m", "papermill", "--engine", "cbresearch", str(source), str(tmp_path / "out.ipynb"), "-p", "wave", "41"]  # fmt: skip
    said = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
    done = nbformat.read(tmp_path / "out.ipynb", as_version=4)
    assert done.cells[-1].outputs[0].data["text/plain"] == "42"
    assert done.metadata.papermill.exception is None
