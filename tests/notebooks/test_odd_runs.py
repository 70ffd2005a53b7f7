"""Every notebook over runs that lack something: it says so in a sentence and does not fail.

The code cells are executed here and not in a kernel of their own: what a report does with a notebook is another test's
matter, and there are many pairs of notebook and run.
"""

import ast
import json
import re

import pytest

from bench import gate
from roi.report import catalog
from tests.notebooks.written_run import Request, WrittenCell, served, write

LATE = "the generator was late: p99 of its schedule lag is 1.51 ms"
SATURATED = {"scenario": "saturate", "traffic_model": "closed", "rate_per_s": None}
UNSENT = Request(lag_ms=40, service_ms=None, outcome="unsent")
RUNS = {
    "one_process_a_variant": [
        WrittenCell("a", requests=served(1, 2, 3)),
        WrittenCell("b", variant="node", runtime="node", requests=served(2, 4)),
        WrittenCell("c", requests=served(1, 1), **SATURATED),
    ],
    "closed_loops_alone": [WrittenCell("c", requests=served(1, 1), **SATURATED)],
    "open_loops_alone": [WrittenCell("a", requests=served(1, 2, 3))],
    "all_cells_failed": [
        WrittenCell("a", failure="The gateway died."),
        WrittenCell("c", failure="The gateway died.", **SATURATED),
        WrittenCell("1-go-sigkill-none-r0", scenario="recovery", rate_per_s=None, failure="It never came up."),
    ],
    "no_cell_passed_the_gate": [
        WrittenCell("a", requests=served(1, 2), reasons=[LATE]),
        WrittenCell("c", requests=served(1, 1), reasons=[LATE], **SATURATED),
    ],
    "some_cells_failed": [
        WrittenCell("a", requests=served(1, 2)),
        WrittenCell("b", requests=served(1, 3), reasons=[LATE], gaps_ms=[("flush", 2)]),
        WrittenCell("x", failure="The gateway died."),
        WrittenCell("c", requests=served(1, 1), **SATURATED),
        WrittenCell("y", failure="The gateway died.", **SATURATED),
    ],
    "nothing_was_answered": [
        WrittenCell("a", requests=[UNSENT, UNSENT], columns={"schedule_lag_p99_ns": None, "gateway_cpu_ns": None}),
        WrittenCell("c", requests=[Request(service_ms=9, outcome="timeout")], **SATURATED),
    ],
}  # fmt: skip


@pytest.fixture(params=RUNS, scope="module")
def folder(request, tmp_path_factory):
    # Neither certificate nor calibration, and in one of them a manifest without limits.
    asked = {} if request.param == "open_loops_alone" else gate.asked()
    return write(tmp_path_factory.mktemp("odd") / request.param, RUNS[request.param], gate=asked)


def executed(notebook, run):
    """Give what the code cells of a notebook gave as their value, in order."""
    names = {}
    for cell in json.loads(notebook.read_text())["cells"]:
        if cell["cell_type"] != "code":
            continue
        source = "".join(cell["source"])
        if "parameters" in cell["metadata"].get("tags", []):
            source = re.sub(r"(?m)^run\b.*$", f"run = {str(run)!r}", source)
        body = ast.parse(source).body
        last = body.pop() if isinstance(body[-1], ast.Expr) else None
        exec(compile(ast.Module(body, []), notebook.name, "exec"), names)
        if last is not None:
            yield eval(compile(ast.Expression(last.value), notebook.name, "eval"), names)


NAMES = [name for name, page in catalog.read().items() if name != "30_roi_factor" and page.reads != "findings"]


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_over_a_run_that_lacks_something_says_so(folder, name):
    results = list(executed(catalog.read()[name].notebook, folder))
    said = next(result.data for result in results if hasattr(result, "data"))
    assert re.search(r"\w \w.*\.", said), "a notebook says in its first result what it has found"
