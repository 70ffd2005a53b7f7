"""The command `roi report` when something goes wrong: each way has its own word, and nothing half-made is ever in place."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from bench.paths import ROOT
from roi.report import checksums
from tests import kernels
from tests.contract import disks

FIXTURES = ROOT / "tests" / "notebooks" / "fixtures"
COMMAND = f"""
from pathlib import Path
from roi.report import catalog
read = catalog.read
catalog.read = lambda: read(Path({str(FIXTURES)!r}))
from roi.cli import main
main()
"""
pytestmark = pytest.mark.timeout(300)


def ask(kept: Path, *arguments: object, browser: str = "no-such-browser") -> subprocess.Popen:
    """Start the real command over the fixture notebooks and the reference run."""
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, "report", "reference", *map(str, arguments)], cwd=ROOT, text=True,
        env=os.environ | {"BROWSER_PATH": browser, "ROI_KEPT": str(kept)}, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def report(kept: Path, *arguments: object, browser: str = "no-such-browser") -> tuple[int, str]:
    """Run the command to its end and give its code and all that it said."""
    asked = ask(kept, *arguments, browser=browser)
    out, err = asked.communicate()
    assert "Traceback" not in out + err
    return asked.returncode, " ".join((out + err).split())


def statuses(folder: Path) -> dict[str, tuple[str, bool]]:
    said = json.loads((folder / "status.json").read_text())
    return {name: (page["status"], page["reused"]) for name, page in said["notebooks"].items()}


@pytest.fixture
def earlier(tmp_path) -> Path:
    """Give the folder of a report that was there before."""
    folder = tmp_path / "r"
    folder.mkdir()
    (folder / "status.json").write_text('{"earlier": true}')
    return folder


def is_as_it_was(folder: Path) -> bool:
    return os.listdir(folder.parent) == [folder.name] and (folder / "status.json").read_text() == '{"earlier": true}'


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """Give a disk of 4 MiB, which is less than one report."""
    with disks.small_disk(tmp_path / "disk", "4m") as folder:
        yield folder


def test_a_disk_that_fills_up_leaves_the_earlier_report_and_is_a_sentence(small_disk, tmp_path):
    target = small_disk / "r"
    target.mkdir()
    (target / "status.json").write_text('{"earlier": true}')
    code, said = report(tmp_path / "kept", "--only", "records_and_charts", "--out", target)
    assert code == 1
    assert "No room is left for a report" in said
    assert is_as_it_was(target)
    # With room again, it takes up what was done.
    subprocess.run(["mount", "-o", "remount,size=200m", small_disk], check=True)
    code, said = report(tmp_path / "kept", "--only", "records_and_charts", "--out", target)
    assert code == 0, said
    assert statuses(target) == {"records_and_charts": ("ok", True)}


@pytest.mark.parametrize(("by", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_report_that_is_interrupted_leaves_nothing_and_is_taken_up_where_it_stopped(earlier, tmp_path, by, code):
    kept = tmp_path.parent / f"{tmp_path.name}-kept"
    pages = ("--only", "takes_parameters", "--only", "sleeps_past_deadline")
    asked = ask(kept, *pages, "--out", earlier)
    kernels.wait_for(lambda: list(kept.glob("*.ipynb")) and kernels.below(psutil.Process(asked.pid)))
    below = psutil.Process(asked.pid).children(recursive=True)
    asked.send_signal(by)
    said = "".join(asked.communicate())
    assert asked.returncode == code
    assert "Interrupted" in said
    assert "Traceback" not in said
    assert is_as_it_was(earlier)
    assert psutil.wait_procs(below, timeout=30)[1] == []
    code, said = report(kept, "--only", "takes_parameters", "--out", earlier)
    assert code == 0, said
    assert statuses(earlier) == {"takes_parameters": ("ok", True)}


def test_what_a_killed_report_left_behind_is_removed_by_the_next(earlier, tmp_path):
    asked = ask(tmp_path.parent / "none", "--only", "sleeps_past_deadline", "--out", earlier)
    kernels.wait_for(lambda: kernels.below(psutil.Process(asked.pid)))
    asked.kill()
    asked.communicate()
    (left,) = tmp_path.glob(".r.*")
    code, said = report(tmp_path.parent / "none", "--only", "takes_parameters", "--out", earlier)
    assert code == 0, said
    assert not left.exists()
    assert os.listdir(tmp_path) == ["r"]


def test_two_reports_at_once_are_both_made_and_one_stands_whole(earlier, tmp_path):
    kept = tmp_path.parent / "none"
    asked = [ask(kept, "--fresh", "--only", page, "--out", earlier) for page in ("takes_parameters", "leaves_early")]
    said = ["".join(one.communicate()) for one in asked]
    assert [one.returncode for one in asked] == [0, 1], said
    assert list(statuses(earlier)) in (["takes_parameters"], ["leaves_early"])
    apart = checksums.compare(earlier)
    assert (apart.missing, apart.added, apart.changed) == ((), (), ())
    assert os.listdir(tmp_path) == ["r"]


def test_a_browser_that_cannot_start_fails_the_images_and_not_the_pages(tmp_path):
    code, said = report(tmp_path / "kept", "--only", "records_and_charts", "--out", tmp_path / "r", browser="false")
    assert code == 1
    assert "Chromium did not start" in said
    assert statuses(tmp_path / "r") == {"records_and_charts": ("ok", False)}
    assert json.loads((tmp_path / "r" / "status.json").read_text())["images"] == "failed"


def test_a_report_out_of_time_says_so_of_each_page_and_is_published(tmp_path):
    code, said = report(
        tmp_path / "kept", "--only", "sleeps_past_deadline", "--deadline", 3, "--out", tmp_path / "r"
    )  # fmt: skip
    assert code == 1
    assert "left of the report's deadline" in said
    assert statuses(tmp_path / "r") == {"sleeps_past_deadline": ("timeout", False)}
