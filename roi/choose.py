"""Choosing a run from a list, in a notebook that somebody looks at."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any

from roi.runs_here import RunHere, runs_here

PARAMETER = "run"
_NEXT = (
    '<code>run</code> is now <code>"{run}"</code>. With this cell selected choose <b>Run ▸ Run Selected Cell and All Below</b>.'
    " The parameters cell would set its own value again; write the name there to keep it."
)


def run_chooser() -> None:
    """Show a list of the runs that can be opened; choosing one sets the notebook's `run`, and says what to run next.

    Without a front end, as papermill and nbconvert run notebooks, it does nothing and shows nothing: the run is then the
    one that the parameters name.
    """
    shell = _shell_of_somebody()
    if shell is None:
        return
    from IPython.display import display

    display(_chooser([run for run in runs_here() if run.opens], shell.user_ns))


def _shell_of_somebody() -> Any | None:
    """Give the shell of the notebook, None where nobody looks.

    Whether its front end can answer is told with each request to run a cell (Jupyter messaging protocol,
    `execute_request.allow_stdin`); papermill and nbconvert say that they cannot.
    """
    from IPython import get_ipython

    shell = get_ipython()
    kernel = getattr(shell, "kernel", None)
    asked = {} if kernel is None else kernel.get_parent("shell").get("content", {})
    return shell if asked.get("allow_stdin") else None


def _chooser(runs: list[RunHere], namespace: dict[str, Any]) -> Any:
    """Give the list with a line below it that says what to do."""
    from ipywidgets import HTML, Dropdown, Layout, VBox

    named = namespace.get(PARAMETER)
    choice = Dropdown(
        options=[(run.line(), run.name) for run in runs], value=named if named in [run.name for run in runs] else None,
        description="Run", layout=Layout(width="98%"),
    )  # fmt: skip
    told = HTML("Another run is taken as soon as it is chosen.")
    choice.observe(_sets(namespace, told), names="value")
    return VBox([choice, told])


def _sets(namespace: dict[str, Any], told: Any) -> Callable[[dict[str, Any]], None]:
    """Give what a choice does: it sets the notebook's run and says which cells to run."""

    def chosen(change: dict[str, Any]) -> None:
        namespace[PARAMETER] = change["new"]
        told.value = _NEXT.format(run=html.escape(change["new"]))

    return chosen
