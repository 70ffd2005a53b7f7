"""Notebooks in processes, some at once, each with a deadline and a status of its own."""

from __future__ import annotations

import math
import multiprocessing
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from roi.errors import ReportNotPublished
from roi.report.execute import Job, Status, execute

GRACE_S = 15
"""How long after its deadline a process may take to give its account before it is killed."""
OUT_OF_TIME = "The report's deadline passed before it was started. Give the report more time with --deadline."


@dataclass(frozen=True)
class Outcome:
    """What became of one page."""

    name: str
    status: Status
    sentence: str = ""
    """What happened, when it is not ok."""
    seconds: float = 0.0
    executed: Path | None = None
    """The executed notebook, or what was executed of it."""
    reused: bool = False
    """Whether an earlier report had run it already, from all the same."""


@dataclass(frozen=True)
class _Running:
    job: Job
    process: BaseProcess
    reply: Connection
    since: float

    @property
    def gives_up_at(self) -> float:
        return self.since + self.job.deadline_s + GRACE_S


def run(
    jobs: Sequence[Job],
    started: Callable[[str], None] = lambda name: None,
    ended: Callable[[Outcome], None] = lambda outcome: None,
    at_once: int | None = None,
    until: float = math.inf,
) -> list[Outcome]:
    """Run notebooks and give what became of each, in their order.

    Parameters
    ----------
    jobs
        The notebooks; names are unique.
    started, ended
        Told as notebooks begin and end.
    at_once
        Most notebooks at a time; as many as there are processors by default.
    until
        When all of them must have ended, by `time.monotonic`; those that have not run out of time.

    Raises
    ------
    ReportNotPublished
        An executed notebook could not be written.

    Notes
    -----
    Papermill and what it imports take longer to load than a small notebook takes to run, so a server process loads them
    once and forks for each notebook. The kernel, in which the notebook's code runs, is a fresh one for every notebook.
    When this process ends, however it does, the notebooks' processes and kernels end with it.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["roi.report.execute"])
    folder = Path(tempfile.mkdtemp(prefix="roi-"))
    waiting, running, outcomes = list(jobs), [], {}
    try:
        while waiting or running:
            while waiting and len(running) < (at_once or len(os.sched_getaffinity(0))):
                job = waiting.pop(0)
                started(job.name)
                if (left := until - time.monotonic()) <= 0:
                    outcomes[job.name] = Outcome(job.name, Status.TIMEOUT, OUT_OF_TIME)
                    ended(outcomes[job.name])
                    continue
                running.append(_start(context, job.within(left), folder))
            if not running:
                continue
            now = time.monotonic()
            wait([one.reply for one in running], timeout=max(0.0, min(one.gives_up_at for one in running) - now))
            for one in [one for one in running if one.reply.poll() or time.monotonic() >= one.gives_up_at]:
                running.remove(one)
                outcomes[one.job.name] = _outcome(one)
                ended(outcomes[one.job.name])
    finally:
        for one in running:
            one.process.kill()
            one.process.join()
        shutil.rmtree(folder, ignore_errors=True)
    return [outcomes[job.name] for job in jobs]


def _start(context: multiprocessing.context.ForkServerContext, job: Job, folder: Path) -> _Running:
    reply, theirs = context.Pipe(duplex=False)
    process = context.Process(target=execute, args=(job, folder, theirs), name=job.name)
    since = time.monotonic()
    process.start()
    # Only the child holds the sending end now, so that its death reads as the end of the pipe.
    theirs.close()
    return _Running(job, process, reply, since)


def _outcome(one: _Running) -> Outcome:
    try:
        status, sentence = (
            one.reply.recv() if one.reply.poll() else (Status.TIMEOUT, "It did not answer after its deadline.")
        )
        if status is None:
            raise ReportNotPublished(sentence)
    except EOFError:
        status, sentence = (
            Status.DEAD_KERNEL,
            "The process that ran the notebook died, which is often a lack of memory.",
        )
    if status is Status.TIMEOUT:
        one.process.kill()
    one.process.join(GRACE_S)
    if one.process.is_alive():
        one.process.kill()
        one.process.join()
    one.reply.close()
    executed = one.job.target if one.job.target.is_file() else None
    return Outcome(one.job.name, Status(status), sentence, time.monotonic() - one.since, executed)
