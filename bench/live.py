"""What a campaign shows while it runs: a bar in a terminal, a line a cell elsewhere."""

from __future__ import annotations

import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from bench import campaign
from bench.campaign import Plan
from bench.suite import Cell

_OVERHEAD_S = 2.5
"""Starting, stopping and writing of a cell, until this campaign has shown its own."""


class Live:
    """A context manager that shows what is running, how far, and how long yet."""

    def __init__(self, console: Console, plan: Plan) -> None:
        self._console = console
        self._cells = plan.cells
        self._terminal = console.is_terminal
        self._began = 0.0
        self._first = 0
        self._progress = Progress(
            SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
            TimeElapsedColumn(), TextColumn("{task.fields[left]}"), console=console, transient=True,
        )  # fmt: skip
        self._task = self._progress.add_task(plan.run, total=len(plan.cells), left="")

    def __enter__(self) -> Live:
        if self._terminal:
            self._progress.start()
        return self

    def __exit__(self, *failure: object) -> None:
        if self._terminal:
            self._progress.stop()

    def say(self, sentence: str) -> None:
        """Show what is done before the cells."""
        if self._terminal:
            self._progress.update(self._task, description=sentence)
        else:
            self._console.print(sentence, markup=False)

    def cell(self, now: campaign.Progress) -> None:
        """Show the cell that begins."""
        if not self._began:
            self._began, self._first = time.monotonic(), now.done
        left = f"about {_minutes(self._left_s(now.done))} left"
        what = describe(now.cell)
        if self._terminal:
            self._progress.update(self._task, description=what, completed=now.done, left=left)
        else:
            self._console.print(f"[{now.done + 1:3d}/{now.total}] {what}, {left}", markup=False)

    def _left_s(self, done: int) -> float:
        """Estimate from what the cells declare and from how much longer than that they have taken so far."""
        declared = sum(map(_declared_s, self._cells[done:]))
        passed = done - self._first
        if not passed:
            return declared + _OVERHEAD_S * (len(self._cells) - done)
        over = time.monotonic() - self._began - sum(map(_declared_s, self._cells[self._first : done]))
        return declared + over / passed * (len(self._cells) - done)


def describe(cell: Cell) -> str:
    """Say what a cell measures, in a few words."""
    what = f"{cell.fault} under {cell.policy}" if cell.fault else cell.scenario
    what = f"rolling restart ({cell.way})" if cell.way else what
    rate = f" at {cell.rate_per_s:g}/s" if cell.rate_per_s else ""
    return f"{cell.variant}: {what}{rate}, repetition {cell.repetition + 1}"


def _declared_s(cell: Cell) -> float:
    return cell.warm_up_s + cell.duration_s + cell.baseline_s + max(2, cell.instances) * cell.sustain_s


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{max(seconds, 0):.0f} s"
