"""One notebook through papermill, in a process of its own; the truth about it goes to the process that asked.

What papermill writes into a notebook's metadata is not read: it takes a cell that ran out of time, and one whose kernel
died, for completed.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import nbformat
import papermill
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.engines import NBClientEngine, papermill_engines
from papermill.exceptions import PapermillExecutionError
from papermill.execute import remove_error_markers

from roi.report.processes import BoundKernelManager, die_with_asker, die_with_parent

_SECONDS_TO_START = 60


class Status(StrEnum):
    """What became of a page."""

    OK = "ok"
    CELL_ERROR = "cell_error"
    TIMEOUT = "timeout"
    DEAD_KERNEL = "dead_kernel"
    BAD_PARAMETERS = "bad_parameters"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Job:
    """One notebook to run."""

    name: str
    source: Path
    target: Path
    """Where the executed notebook goes; what was executed of it, when it failed."""
    parameters: Mapping[str, Any]
    deadline_s: float
    of_report: bool = False
    """Whether the deadline is that of the whole report, which comes before its own."""

    def within(self, seconds: float) -> Job:
        """Give the job with a deadline that is no later than the whole report's, in so many seconds."""
        return self if self.deadline_s <= seconds else replace(self, deadline_s=seconds, of_report=True)


class _Engine(NBClientEngine):
    """Keeps hold of the notebook, which papermill gives up when the kernel dies or time runs out."""

    manager: Any = None

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **options: Any) -> Any:
        cls.manager = nb_man
        return super().execute_managed_notebook(nb_man, kernel_name, **options)


papermill_engines.register("roi", _Engine)


def execute(job: Job, folder: Path, reply: Connection) -> None:
    """Run a notebook in this process, which must be a fresh one, and send its status and a sentence.

    Parameters
    ----------
    job
        The notebook.
    folder
        For the kernel's sockets, settings and messages; its path must be short.
    reply
        Gets one pair of `Status` and sentence; None for a status says that nothing can be written here.
    """
    os.setsid()
    die_with_parent()
    die_with_asker()
    os.environ |= {
        "PLOTLY_RENDERER": "plotly_mimetype",
        "JUPYTER_RUNTIME_DIR": str(folder),
        "IPYTHONDIR": str(folder / job.name),
    }
    messages = os.open(folder / f"{job.name}.log", os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    os.dup2(messages, 1)
    os.dup2(messages, 2)
    said = _status(job, folder / f"{job.name}.log")
    if _Engine.manager is not None:
        notebook = remove_error_markers(_Engine.manager.nb)
        notebook.metadata.pop("papermill", None)
        for cell in notebook.cells:
            cell.metadata.pop("papermill", None)
        partial = job.target.with_suffix(".partial")
        try:
            nbformat.write(notebook, partial)
            partial.replace(job.target)
        except OSError as error:
            said = None, f"The executed notebook {job.name} could not be written: {error.strerror}."
    reply.send(said)


def _status(job: Job, log: Path) -> tuple[Status, str]:
    end = time.monotonic() + job.deadline_s
    try:
        notebook = papermill.execute_notebook(
            nbformat.read(job.source, as_version=4), None, parameters=dict(job.parameters), engine_name="roi",
            kernel_name="python3", language="python", progress_bar=False, request_save_on_cell_execute=False,
            cwd=job.source.parent, start_timeout=math.ceil(min(_SECONDS_TO_START, job.deadline_s)),
            kernel_manager_class=BoundKernelManager, shutdown_kernel="immediate",
            extra_arguments=["--HistoryManager.enabled=False"],
            timeout_func=lambda _: max(0.05, end - time.monotonic()),
        )  # fmt: skip
    except PapermillExecutionError as error:
        return Status.CELL_ERROR, f"Cell {error.cell_index + 1} failed: {error.ename}: {error.evalue}"
    except CellTimeoutError:
        return Status.TIMEOUT, _out_of_time(job)
    except DeadKernelError:
        return Status.DEAD_KERNEL, "The kernel died while a cell ran, which is often a lack of memory."
    except Exception as error:
        if time.monotonic() >= end:
            return Status.TIMEOUT, _out_of_time(job)
        return Status.DEAD_KERNEL, f"The kernel could not be used: {_last_line(log) or error or type(error).__name__}"
    return _ran_to_its_end(notebook)


def _out_of_time(job: Job) -> str:
    whose = " that were left of the report's deadline" if job.of_report else ""
    return f"It did not end within {round(job.deadline_s, 1):g} s{whose}."


def _ran_to_its_end(notebook: nbformat.NotebookNode) -> tuple[Status, str]:
    """Tell whether every cell ran: to papermill a notebook that leaves by `sys.exit(0)` is complete."""
    for place, cell in enumerate(notebook.cells, 1):
        if cell.cell_type == "code" and cell.source.strip() and cell.execution_count is None:
            return Status.CELL_ERROR, f"It stopped before cell {place}, which never ran."
        if any(output.output_type == "error" for output in cell.get("outputs", ())):
            return Status.CELL_ERROR, f"Cell {place} left the notebook early."
    return Status.OK, ""


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else ""
