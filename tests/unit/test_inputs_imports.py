"""What a firm has recorded, as quantities: counts by hand, and every bad row by its line."""

from __future__ import annotations

import csv
import subprocess
import sys
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from roi import imports
from roi.errors import InputsInvalid
from roi.imports import Period

YEAR = Period(datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC))
FIRM = Path(__file__).resolve().parents[2] / "data" / "inputs" / "synthetic_firm"
YEARS = round(365 / 365.25, 4)


@pytest.fixture
def table(tmp_path):
    def written(text: str):
        path = tmp_path / "table.csv"
        path.write_text(text)
        return path

    return written


def quantities(found, option: str = "") -> dict:
    said = tomllib.loads(imports.snippet(found, option))
    return said["options"][option]["quantities"] if option else said["quantities"]


FIXES = """# from the tracker
opened,closed,open,hours
2025-02-01T09:00Z,2025-02-02T09:00Z,no,4.5
2025-03-01,2025-03-01,no,2
2025-12-01T09:00+01:00,,yes,11
"""
RELEASES = """released,failed,rollback
2025-01-10,no,
2025-02-10,yes,succeeded
2025-03-10,yes,failed
2025-04-10,yes,
"""


def test_fixes_give_their_number_a_year_and_their_hours_with_the_open_ones(table):
    said = quantities(imports.fixes(table(FIXES), YEAR))
    assert (said["fixes_per_year"]["events"], said["fixes_per_year"]["years"]) == (3, YEARS)
    hours = said["fix_hours"]
    assert hours["recorded"] == {"file": "table.csv", "column": "hours", "open": "open"}
    assert (hours["unit"], hours["provenance"], hours["n"]) == ("person-hours", "recorded", 3)
    assert hours["source"] == "table.csv, 2025-01-01 to 2026-01-01"
    assert hours["note"] == "1 of 3 still open: they count as taking at least so long"


def test_without_a_period_it_is_from_the_first_row_to_the_last(table):
    found = imports.fixes(table(FIXES)).period
    assert (found.since, found.until) == (datetime(2025, 2, 1, 9, tzinfo=UTC), datetime(2025, 12, 1, 8, tzinfo=UTC))


def test_releases_give_the_share_rolled_back_and_the_share_of_rollbacks_that_succeed(table):
    said = quantities(imports.releases(table(RELEASES), YEAR))
    assert (said["change_failure_rate"]["successes"], said["change_failure_rate"]["trials"]) == (2, 4)
    assert (said["rollback_success"]["successes"], said["rollback_success"]["trials"]) == (1, 2)
    assert said["releases_per_year"]["events"] == 4
    assert "1 more failed and were mended forward" in said["change_failure_rate"]["note"]


def test_changes_of_configuration_give_their_number_a_year_and_their_minutes(table):
    said = quantities(imports.config_changes(table("changed,minutes\n2025-01-10,38\n2025-06-10,10\n"), YEAR))
    assert said["config_changes_per_year"]["events"] == 2
    assert said["config_minutes"]["recorded"] == {"file": "table.csv", "column": "minutes"}


def test_an_option_takes_only_what_an_option_may_restate(table):
    assert set(quantities(imports.releases(table(RELEASES), YEAR), "go")) == {"change_failure_rate", "rollback_success"}


def test_every_bad_row_of_fixes_is_named_by_its_line(table):
    text = """opened,closed,open,hours
2025-02-01,2025-01-31,no,4
yesterday,2025-03-01,no,2
2025-02-01,2025-02-02,yes,4
2025-02-01,,no,4
2024-12-31,2025-01-02,no,4
2025-02-01,2025-02-02,no,lots
2025-02-01,2025-02-02,no,4,5
2025-02-01,2025-02-02,no,4
"""
    with pytest.raises(InputsInvalid) as caught:
        imports.fixes(table(text), YEAR)
    told = str(caught.value)
    for what in (
        "line 2: closed is 2025-01-31, before it was opened",
        "line 3: opened is 'yesterday'; write it as 2026-01-31T14:05:00+01:00",
        "line 4: open says yes, and it has been closed", "line 5: open says no, and closed is empty",
        "line 6: 2024-12-31T00:00:00+00:00 is out of 2025-01-01 to 2026-01-01", "line 7: hours is 'lots'",
        "line 8: 5 cells, and the head has 4",
    ):  # fmt: skip
        assert f"table.csv, {what}" in told
    assert "line 9" not in told


def test_a_release_that_was_rolled_back_and_did_not_fail_is_a_bad_row(table):
    with pytest.raises(InputsInvalid, match="line 2: rollback is succeeded, and failed says no"):
        imports.releases(table("released,failed,rollback\n2025-01-10,no,succeeded\n"), YEAR)
    with pytest.raises(InputsInvalid, match="line 2: rollback is 'perhaps'; write succeeded or failed"):
        imports.releases(table("released,failed,rollback\n2025-01-10,yes,perhaps\n"), YEAR)


def test_a_table_without_a_column_or_without_a_row_is_refused(table):
    with pytest.raises(InputsInvalid, match=r"table\.csv has no column open, hours; its head is: opened, closed"):
        imports.fixes(table("opened,closed\n"), YEAR)
    with pytest.raises(InputsInvalid, match="line 1: no row follows the head"):
        imports.config_changes(table("changed,minutes\n"), YEAR)


def test_a_week_of_records_tells_nothing_of_a_year(table):
    with pytest.raises(InputsInvalid, match="fewer than 28 days"):
        imports.config_changes(table("changed,minutes\n2025-01-10,38\n2025-01-17,10\n"))


# --- the made-up firm, and the command line ---------------------------------------------------------------------


def import_of_the_firm(*arguments: str) -> subprocess.CompletedProcess:
    covered = ("--since", "2025-01-01", "--until", "2026-01-01")
    command = [sys.executable, "-m", "roi", "inputs", "import", *covered, *arguments]
    environment = {"PYTHONPATH": str(FIRM.parents[2])}
    return subprocess.run(command, cwd=FIRM, env=environment, capture_output=True, text=True, check=False)


def test_the_example_holds_what_an_import_of_its_tables_gives():
    tables = ("--fixes", "fixes_java.csv", "--releases", "releases.csv", "--config-changes", "config_changes.csv")
    service = tomllib.loads(import_of_the_firm(*tables).stdout)["quantities"]
    go = tomllib.loads(import_of_the_firm("--fixes", "fixes_go_pilot.csv", "--option", "go").stdout)["options"]["go"]
    firm = tomllib.loads((FIRM / "inputs.toml").read_text())
    assert len(service) == 7
    assert {name: firm["quantities"][name] for name in service} == service
    assert firm["options"]["go"]["quantities"]["fix_hours"] == go["quantities"]["fix_hours"]


def test_an_import_with_a_bad_row_prints_nothing_but_what_is_wrong(tmp_path):
    bad = tmp_path / "bad.csv"
    bad.write_text("changed,minutes\n2025-01-10,many\n")
    done = import_of_the_firm("--fixes", "fixes_java.csv", "--config-changes", str(bad))
    assert (done.returncode, done.stdout) == (1, "")
    assert "bad.csv, line 2: minutes is 'many'" in done.stderr


def test_the_firms_fixes_are_those_of_the_recipe_beside_them():
    chance = np.random.default_rng(20250107)
    start, end = YEAR.since, YEAR.until
    opened = [start + timedelta(seconds=int(s)) for s in np.sort(chance.uniform(0, 31_536_000, 184))]
    efforts = 2.9 * np.exp(0.9 * chance.standard_normal(184))
    expected = []
    for at, effort in zip(opened, efforts, strict=True):
        closed = at + timedelta(hours=24 + 10 * float(effort))
        goes_on = closed > end or chance.random() < 0.02
        left = (end - at).total_seconds() / 36_000
        hours = max(0.1, min(effort * chance.uniform(0.5, 1), left)) if goes_on else effort
        ended = "" if goes_on else f"{closed:%Y-%m-%dT%H:%MZ}"
        expected.append([f"{at:%Y-%m-%dT%H:%MZ}", ended, "yes" if goes_on else "no", f"{hours:.1f}"])
    lines = (FIRM / "fixes_java.csv").read_text().splitlines()
    assert list(csv.reader(line for line in lines if not line.startswith("#")))[1:] == expected
