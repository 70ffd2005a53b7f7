"""The chooser of runs where nobody looks: papermill runs on with the run that its parameters name."""

import nbformat
import papermill

from roi.choose import PARAMETER


def test_papermill_neither_sees_the_chooser_nor_waits_for_it(tmp_path):
    cells = [
        nbformat.v4.new_code_cell(f'{PARAMETER} = "reference"', metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell("from roi.choose import run_chooser\n\nrun_chooser()"),
        nbformat.v4.new_code_cell(PARAMETER),
    ]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), tmp_path / "in.ipynb")
    papermill.execute_notebook(
        tmp_path / "in.ipynb", tmp_path / "out.ipynb", {PARAMETER: "another"}, progress_bar=False
    )  # fmt: skip
    done = nbformat.read(tmp_path / "out.ipynb", as_version=4)
    assert [cell.outputs for cell in done.cells[:-1]] == [[], [], []]
    assert done.cells[-1].outputs[0].data == {"text/plain": "'another'"}
