"""The page that JupyterLab opens on: what the suite asks, the notebooks, the runs that are here, and how to go on.

Markdown, because JupyterLab renders it without a kernel and opens its links within itself; it shows HTML files in a frame of
their own that links cannot leave, and a notebook would have to be run to be true. It is made whenever it is read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from roi.lab.folder import Copy, copies_in
from roi.report import catalog, parameters
from roi.report.catalog import Page
from roi.runs_here import RunHere, runs_here
from roi.views.words import listed

FILE = "start.md"

_HEAD = """# Start here

Does moving a service to another runtime pay, and do the figures stand that are told about it? Each notebook answers one question
over one run: a load that gateways were measured under, as parquet. To ask, change a value in the notebook's first code cell
and choose **Run ▸ Run All Cells**.
"""

_AGAIN = """## Ask again with one value changed

The first code cell of each notebook holds its parameters, each with what it means; all of them are listed below. Another run:
`run = "{run}"`. Another objective: `objective_ms = 20.0`, in {objective}. Then **Run ▸ Restart Kernel and Run All Cells**.

To choose the run from a list, put this into a cell of its own below the parameters and run it:

```python
from roi.choose import run_chooser

run_chooser()
```
"""

_EXPORT = """## Take it along

- **File ▸ Save and Export Notebook As ▸ HTML**: this notebook as it stands, in one file with its charts, which opens anywhere
  without a network.
- In a terminal (**File ▸ New ▸ Terminal**), the suite's own pages, with every chart as PNG, SVG and CSV, the findings with their
  sources, and an editable deck:

```
roi report {run}
roi report {run} --only {page} -p objective_ms=20
papermill {notebook} out.ipynb -p run {run} -p objective_ms 20
```

## What you change is yours

These notebooks are copies, in a folder that git ignores. Save what you like: no report takes it up, and no later start of
`roi lab` overwrites it. Delete a notebook and start `roi lab` again to get the suite's back.
"""


def write(folder: Path) -> None:
    """Write the page into JupyterLab's folder as it is now: over the catalogue, the runs and the copies that there are."""
    pages = catalog.read()
    text = start_page(pages, runs_here(), copies_in(folder, notebooks(pages)))
    path = folder / FILE
    # A file that is written anew counts as changed elsewhere while somebody looks at it.
    if not path.is_file() or path.read_text() != text:
        path.write_text(text)


def notebooks(pages: Mapping[str, Page]) -> list[Path]:
    """Give the notebooks of the catalogue, each once, in its order."""
    return list(dict.fromkeys(page.notebook for page in pages.values()))


def start_page(pages: Mapping[str, Page], runs: Sequence[RunHere], copies: Mapping[str, Copy]) -> str:
    """Give the page in Markdown.

    Parameters
    ----------
    pages
        The catalogue.
    runs
        Those that are here.
    copies
        What became of the notebooks in JupyterLab's folder, by name of file.
    """
    usable = [run.name for run in runs if run.opens]
    asking = [page for page in pages.values() if "objective_ms" in parameters.declared(page.notebook)]
    page = next(iter(asking or pages.values()))
    words = {
        "run": usable[-1] if usable else "latest", "page": page.name, "notebook": page.notebook.name,
        "objective": listed(page.name for page in asking),
    }  # fmt: skip
    parts = (_HEAD, _notebooks(pages, copies), _runs(runs), _AGAIN.format(**words), _EXPORT.format(**words),
             _parameters(pages))  # fmt: skip
    return "\n".join(parts)


def _notebooks(pages: Mapping[str, Page], copies: Mapping[str, Copy]) -> str:
    rows = [
        (f"[{page.name}]({page.notebook.name})", page.title, page.audience or "–", _about(page, copies))
        for page in pages.values()
    ]
    return "## The notebooks, in the order of reading\n\n" + _table(("notebook", "asks", "for", ""), rows)


def _about(page: Page, copies: Mapping[str, Copy]) -> str:
    copy = copies.get(page.notebook.name)
    told = [f"`{name} = {value!r}`" for name, value in page.parameters.items()]
    told += ["in a report only when it is named"] * page.on_request
    if copy is not None and copy.changed:
        told.append("saved by you")
        if copy.newer:
            told.append(f"the suite's is [newer]({copy.newer})")
    return "; ".join(told)


def _runs(runs: Sequence[RunHere]) -> str:
    head = "## The runs that are here\n\n"
    if not runs:
        return head + "There is none. `bench run quick` measures one in a few minutes.\n"
    rows = [
        (f"`{run.name}`", run.measured, run.machine, run.purpose, "yes" if run.opens else f"no: {run.why_not}")
        for run in runs
    ]
    newest = "`latest` stands for the newest.\n"
    return head + _table(("run", "measured", "machine", "fit for", "opens"), rows) + newest


def _parameters(pages: Mapping[str, Page]) -> str:
    """List every parameter once, with the notebooks that have it."""
    having: dict[tuple[str, str], list[str]] = {}
    for notebook in notebooks(pages):
        for parameter in parameters.declared(notebook).values():
            value = json.dumps(parameter.default) if isinstance(parameter.default, str) else repr(parameter.default)
            having.setdefault((f"`{parameter.name} = {value}`", parameter.help or "–"), []).append(notebook.stem[:2])
    rows = [(declared, means, ", ".join(stems)) for (declared, means), stems in having.items()]
    return "## Every parameter\n\n" + _table(("as it is", "means", "in"), rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, [":---"] * len(head), *rows]
    return "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines) + "\n"


def _cell(text: str) -> str:
    """Give a text as one cell of a table, whose markup cannot end it."""
    return text.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")
