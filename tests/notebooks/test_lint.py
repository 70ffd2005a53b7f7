"""The rules of the notebooks: thin, typed, without outputs, each with one question and with findings at its end."""

import ast
import json

import pytest

from roi.report import catalog, parameters

CODE_LINES = 60
PACKAGES = {"roi", "pandas", "plotly"}
NOTEBOOKS = sorted(catalog.NOTEBOOKS.glob("*.ipynb"))


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def notebook(path):
    return json.loads(path.read_text())


@pytest.fixture
def code(notebook):
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def source(cell):
    return "".join(cell["source"])


def nodes(cells, *kinds):
    return [node for cell in cells for node in ast.walk(ast.parse(source(cell))) if isinstance(node, kinds)]


def test_there_are_notebooks():
    assert NOTEBOOKS


def test_code_is_at_most_60_lines(code):
    lines = [line for cell in code for line in source(cell).splitlines() if line.strip()]
    assert len(lines) <= CODE_LINES, f"{len(lines)} lines of code: move what is more than showing into roi/views"


def test_nothing_is_defined(code):
    found = nodes(code, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
    assert [ast.unparse(node).splitlines()[0] for node in found] == [], "move it into a module of roi and import it"


def test_the_first_code_cell_alone_is_tagged_parameters(code):
    tags = [cell["metadata"].get("tags", []) for cell in code]
    assert ["parameters" in tag for tag in tags] == [True] + [False] * (len(code) - 1), (
        "tag the first code cell, and no other, `parameters`"
    )


def test_parameters_are_flat_and_typed(path):
    # `declared` raises a sentence that says what is not.
    assert parameters.declared(path), "declare parameters as `name: type = value  # help`"


def test_a_parameter_named_run_chooses_the_run(path):
    run = parameters.declared(path).get("run")
    assert run is not None, 'add `run = "reference"` to the parameters cell'
    assert (run.type, run.default) == ("str", "reference"), 'a report by hand starts from `run = "reference"`'


def test_the_only_h1_opens_the_notebook_and_is_a_question(notebook):
    first = notebook["cells"][0]
    titles = [
        line
        for cell in notebook["cells"]
        if cell["cell_type"] == "markdown"
        for line in source(cell).splitlines()
        if line.startswith("# ")
    ]
    assert len(titles) == 1, "keep one heading of level 1; make the others `##`"
    assert first["cell_type"] == "markdown", "move the title to the top"
    assert source(first).splitlines()[0] == titles[0], "move the title to the top"
    assert titles[0].endswith("?"), "ask in the title what the page answers"


def test_the_last_code_cell_records_findings(code):
    called = [node.func.id for node in nodes(code[-1:], ast.Call) if isinstance(node.func, ast.Name)]
    assert "record" in called, "end with a cell that calls record(...) for each figure that the page answers for"


def test_findings_are_recorded_nowhere_but_at_the_end(code):
    called = [node.func.id for node in nodes(code[:-1], ast.Call) if isinstance(node.func, ast.Name)]
    assert "record" not in called, "move record(...) to the last code cell"


def test_imports_come_from_roi_pandas_and_plotly(code):
    modules = [alias.name for node in nodes(code, ast.Import) for alias in node.names]
    modules += [f"{'.' * node.level}{node.module or ''}" for node in nodes(code[1:], ast.ImportFrom)]
    # The parameters cell may name its choices.
    modules += [node.module for node in nodes(code[:1], ast.ImportFrom) if node.module != "typing"]
    strangers = [name for name in modules if name.split(".")[0] not in PACKAGES]
    assert strangers == [], "put what needs them into a module of roi"


def test_code_is_plain_python(code):
    magics = [line for cell in code for line in source(cell).splitlines() if line.lstrip().startswith(("%", "!"))]
    assert magics == [], "a magic or a shell line does not run everywhere: use a function of roi"


def test_the_kernel_is_python3(notebook):
    assert notebook["metadata"]["kernelspec"]["name"] == "python3", "choose the kernel python3 and save"


def test_no_output_is_kept(code):
    assert [cell["outputs"] for cell in code if cell["outputs"]] == [], "clear all outputs and save"


def test_no_execution_count_is_kept(code):
    assert [cell["execution_count"] for cell in code if cell["execution_count"] is not None] == [], (
        "clear all outputs and save"
    )


def test_the_catalogue_lists_it(path):
    listed = {page.notebook.name for page in catalog.read().values()}
    assert path.name in listed, f"give it a table [{path.stem}] with a title in notebooks/catalog.toml"


def test_the_catalogue_asks_the_same_question(path, notebook):
    title = source(notebook["cells"][0]).splitlines()[0].removeprefix("# ")
    assert title in {page.title for page in catalog.read().values() if page.notebook.name == path.name}, (
        "give the page in notebooks/catalog.toml the title of the notebook"
    )
