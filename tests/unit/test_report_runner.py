"""What became of a notebook is told truly, and no kernel outlives the one that asked for it."""

import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import nbformat
import psutil
import pytest

from roi.report.execute import Job
from roi.report.runner import run
from tests import kernels

FIXTURES = Path(__file__).resolve().parents[1] / "notebooks" / "fixtures"
DEADLINES = {"sleeps_past_deadline": 10}
# The one that takes longest is first: the others run beside it.
NAMES = ("sleeps_past_deadline", "fails_in_second_cell", "takes_parameters", "kernel_dies", "leaves_early")


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("executed {braces}")
    jobs = [
        Job(name, FIXTURES / f"{name}.ipynb", folder / f"{name}.ipynb", {"run": "r7"}, DEADLINES.get(name, 120))
        for name in NAMES
    ]
    return {outcome.name: outcome for outcome in run(jobs)}


@pytest.mark.parametrize(
    ("name", "status", "sentence"),
    [
        ("takes_parameters", "ok", ""),
        ("fails_in_second_cell", "cell_error", "KeyError: 'density'"),
        ("kernel_dies", "dead_kernel", "kernel died"),
        ("sleeps_past_deadline", "timeout", "within 10 s"),
        ("leaves_early", "cell_error", "left the notebook early"),
    ],
)
def test_every_way_to_end_has_its_own_status(outcomes, name, status, sentence):
    assert outcomes[name].status == status
    assert sentence in outcomes[name].sentence


def test_of_a_report_that_is_out_of_time_the_running_page_and_the_waiting_ones_say_so(tmp_path):
    jobs = [
        Job(name, FIXTURES / f"{name}.ipynb", tmp_path / f"{name}.ipynb", {"run": "r7"}, 120)
        for name in ("sleeps_past_deadline", "takes_parameters")
    ]
    running, waiting = run(jobs, at_once=1, until=time.monotonic() + 4)
    assert (running.status, waiting.status) == ("timeout", "timeout")
    assert "left of the report's deadline" in running.sentence
    assert "deadline passed before it was started" in waiting.sentence


def _text(outcome):
    cells = nbformat.read(outcome.executed, as_version=4).cells
    return "".join(output.get("text", "") for cell in cells for output in cell.get("outputs", ()))


def test_parameters_reach_the_notebook_with_its_own_defaults(outcomes):
    assert _text(outcomes["takes_parameters"]) == "24 0.08 week None\n"


@pytest.mark.parametrize(
    ("name", "said"), [("fails_in_second_cell", "the first cell ran\n"), ("sleeps_past_deadline", "before\n")]
)
def test_what_ran_before_the_failure_is_kept(outcomes, name, said):
    assert _text(outcomes[name]) == said


def test_an_executed_notebook_holds_nothing_of_papermill_account(outcomes):
    assert "papermill" not in outcomes["takes_parameters"].executed.read_text()


def test_no_process_is_left(outcomes):
    assert kernels.below(psutil.Process()) == []


@pytest.mark.parametrize(("by", "code"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 1)])
def test_kernels_end_with_the_one_that_asked_however_it_ends(tmp_path, by, code):
    script = tmp_path / "ask.py"
    script.write_text(
        textwrap.dedent(f"""
        import sys
        from pathlib import Path
        from roi.report.execute import Job
        from roi.report.runner import run

        if __name__ == "__main__":
            try:
                run([Job("sleeps", Path({str(FIXTURES)!r}) / "sleeps_past_deadline.ipynb", Path(sys.argv[1]), {{"run": "r"}}, 300)])
            except KeyboardInterrupt:
                sys.exit(1)
        """)
    )
    asking = psutil.Popen([sys.executable, str(script), str(tmp_path / "out.ipynb")], stderr=subprocess.DEVNULL)
    started = kernels.wait_for(lambda: kernels.below(asking), 60)
    below = asking.children(recursive=True)
    asking.send_signal(by)
    assert asking.wait(30) == code
    _, alive = psutil.wait_procs([*started, *below], timeout=30)
    assert alive == []
