"""The inputs file: what it gives, and that what is wrong in it is told by the line."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from roi import inputs
from roi.errors import InputsInvalid
from roi.quantities import CATALOGUE, factor
from roi.toml_lines import line_of as line_of_path
from roi.toml_lines import lines
from tests.unit.inputs_files import ABOUT, ALL, GO, declared, refused, said

INPUTS = Path(__file__).resolve().parents[2] / "data" / "inputs"


def line_of(text: str, within: str, after: str) -> int:
    """Give the line of the first of some letters after others."""
    return text[: text.index(within, text.index(after))].count("\n") + 1


def test_minutes_for_hours_are_refused_with_the_line_and_what_to_divide_by(read):
    text = declared({"fix_hours": said("fix_hours", "value = 252", unit="person-minutes")})
    line = line_of(text, "unit", "[quantities.fix_hours]")
    assert refused(read, text).splitlines()[1:] == [
        f"  line {line}, quantities.fix_hours.unit: fix_hours is in person-hours, and not in person-minutes: divide by 60, and say"
        ' unit = "person-hours".'
    ]  # fmt: skip


def test_a_figure_in_minutes_that_says_hours_is_refused_as_what_it_looks_like(read):
    text = declared({"fix_hours": said("fix_hours", "value = 252")})
    line = line_of(text, "[quantities.fix_hours]", "[about]")
    assert refused(read, text).splitlines()[1:] == [
        f"  line {line}, quantities.fix_hours: fix_hours is 252 person-hours: that looks like person-minutes. Plausible are 0.05 to"
        " 200 person-hours."
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "form", "unit", "told"),
    [
        ("rollback_success", "value = 61.0", "", "61 share: that looks like percent"),
        ("rollback_success", "value = 61.0", "percent", "not in percent: divide by 100"),
        ("releases_per_year", "value = 11", "1/month", "not in 1/month: multiply by 12"),
        ("config_minutes", "pert = [0.2, 0.63, 2]", "", "0.2 person-minutes: that looks like person-hours"),
        ("cpu_s_a_request", "value = 120", "", "that looks like cpu-milliseconds or cpu-microseconds"),
        ("memory_gib_a_core", "value = 256", "", "that looks like MiB"),
        ("recovery_s", "lognormal = {p10 = 800, p90 = 90000}", "", "90000 s: that looks like ms"),
        ("salary_per_year", "value = 6000", "EUR/month", "not in EUR/month: multiply by 12"),
        ("salary_per_year", "value = 60000", "USD/year", "it is in USD/year, and the currency of the file is EUR"),
        ("fix_hours", "value = 4", "GiB", '"GiB" is no unit of that'),
        ("config_minutes", "value = 0.63", "hours", "not in hours: multiply by 60"),
        ("fix_hours", "value = 4", "hours", 'it is work of people: say unit = "person-hours"'),
        ("discount_rate", "value = 8", "", "that looks like percent/year"),
        ("fix_hours", "pert = [1, 4, 900]", "", "900 person-hours: that looks like person-minutes"),
        ("rollback_success", "lognormal = {p10 = 0.5, p90 = 0.9}", "", "a share ends at 1"),
        ("fix_hours", "successes = 3\ntrials = 4", "", "it is in person-hours: successes of trials are a share"),
        ("fix_hours", "events = 3\nyears = 1.0", "", "events in years a number a year"),
        ("fix_hours", "pert = [4, 2, 9]", "", "4, 2, 9 does not ascend"),
        ("fix_hours", "value = 4\nuniform = [1, 2]", "", "it says value and uniform"),
        ("fix_hours", "note = 'none'", "", "it says none"),
        ("fix_hours", "value = '4'", "", "valid number"),
        ("fix_hours", "value = nan", "", "finite number"),
        ("rollback_success", "successes = 4", "", "successes and trials go together"),
        ("fix_hours", "value = 4\nvalu = 5", "", "There is no key here named 'valu'. Did you mean value?"),
        ("fix_hours", 'measured = "fix_hours"', "", "nothing else is; a typed figure is recorded"),
        ("fix_hours", 'value = 4\nvariant = "go"', "", "variant and policy choose what is measured"),
    ],
)  # fmt: skip
def test_a_quantity_that_says_something_wrong_is_refused_with_the_remedy(read, name, form, unit, told):
    text = declared({name: said(name, form, unit=unit)})
    message = refused(read, text)
    assert told in message
    first = line_of(text, f"[quantities.{name}]", "[about]")
    assert any(f"line {line}, quantities.{name}" in message for line in range(first, first + 8))


@pytest.mark.parametrize(
    ("known", "told"),
    [
        ('provenance = "surveyed"\nsource = "us"\ndate = 2026-01-31\n', "surveyed rests on a number of cases: say n"),
        ('provenance = "recorded"\nsource = "us"\ndate = 2026-01-31\n', "recorded rests on a number of cases: say n"),
        ('provenance = "measured"\nsource = "us"\ndate = 2026-01-31\n', "what is measured is drawn from a run"),
        ('provenance = "guessed"\nsource = "us"\ndate = 2026-01-31\n', "'measured', 'recorded', 'surveyed' or 'assumed'"),
        ('provenance = "assumed"\ndate = 2026-01-31\n', "say its source"),
        ('provenance = "assumed"\nsource = "us"\n', "say its date"),
        ('provenance = "assumed"\nsource = "us"\ndate = "31.1.2026"\n', "write a day without quotes"),
    ],
)  # fmt: skip
def test_a_quantity_without_a_provenance_that_holds_is_refused(read, known, told):
    assert told in refused(read, declared({"fix_hours": said("fix_hours", "value = 4.0", known=known)}))


def test_all_that_is_wrong_is_told_at_once_in_the_order_of_the_lines(read):
    text = declared({
        "fix_hours": said("fix_hours", "value = 252"), "crashes_per_year": "",
        "go.dip_share": said("dip_share", "value = 20", "go"),
        "go.fixes_per_year": said("fixes_per_year", option="go"), "build_hours": said("build_hours"),
        "fix_hour": said("fix_hours").replace("fix_hours", "fix_hour"),
    }) + "[extra]\n"  # fmt: skip
    told = refused(read, text).splitlines()[1:]
    lines = [int(line.split()[1].rstrip(",")) for line in told]
    assert lines == sorted(lines)
    message = "\n".join(told)
    for what in (
        "fix_hours is 252", "it lacks crashes_per_year", "go.quantities.dip_share: dip_share is 20",
        "go.quantities.fixes_per_year: it is a quantity of the service", "quantities.build_hours: it is a quantity of options",
        "There is no quantity named 'fix_hour'", "There is no table of an inputs file named 'extra'",
    ):  # fmt: skip
        assert what in message
    assert len(told) == 7


def test_a_file_that_is_not_there_or_not_toml_is_a_sentence(read, tmp_path):
    with pytest.raises(InputsInvalid, match=r"There is no inputs file none\.toml"):
        inputs.read(tmp_path / "none.toml")
    assert "line 2" in refused(read, "[about]\ntitle = \n")


def test_what_an_option_does_not_restate_is_the_services_own(read):
    text = declared(
        {
            "fix_hours": said("fix_hours", "value = 4.2"),
            "go.rollback_success": said("rollback_success", "value = 0.9", "go"),
        }
    )
    values = read(text).means()
    go, today = inputs.values_of(values, "go"), inputs.values_of(values)
    assert (go["fix_hours"], go["rollback_success"]) == (4.2, 0.9)
    assert (today["fix_hours"], today["rollback_success"]) == (4.2, 0.0)
    assert "build_hours" in go
    assert "build_hours" not in today
    # Nobody has to say how many cores must stand.
    assert go["least_instances_cores"] == 0


def test_the_order_of_the_file_changes_nothing(read):
    changes = {
        "fix_hours": said("fix_hours", "pert = [1, 4, 16]"),
        "rollback_success": said("rollback_success", "successes = 61\ntrials = 100"),
        "crashes_per_year": said("crashes_per_year", "events = 7\nyears = 2"),
        "go.dip_share": said("dip_share", "uniform = [0, 0.5]", "go"),
        "go.fix_hours": said("fix_hours", "lognormal = {p10 = 1, p90 = 3}", "go"),
    }  # fmt: skip
    tables = list((ALL | changes).values())
    uniforms = np.random.default_rng(1).random((64, 5))
    first = read(ABOUT + GO + "".join(tables))
    random.Random(4).shuffle(tables)
    second = read("".join(tables) + GO + ABOUT)
    assert first.uncertain == second.uncertain == (
        "crashes_per_year", "fix_hours", "go.dip_share", "go.fix_hours", "rollback_success",
    )  # fmt: skip
    drawn, again = first.draw(uniforms), second.draw(uniforms)
    assert list(drawn) == list(again) == sorted(drawn)
    assert all(np.array_equal(drawn[key], again[key]) for key in drawn)
    assert drawn["go.dip_share"] == pytest.approx(uniforms[:, 2] / 2)
    assert isinstance(drawn["config_minutes"], float)


def test_draws_of_another_width_are_refused(read):
    with pytest.raises(ValueError, match="no shape of draws for 0 uncertain"):
        read(declared()).draw(np.full((4, 1), 0.5))


def test_every_unit_of_the_catalogue_is_one_that_can_be_turned_into(read):
    assert all(factor(kind.unit, kind.unit) == 1 for kind in CATALOGUE.values())
    assert factor("1/month", "1/year") == 12
    assert factor("days", "years") == pytest.approx(1 / 365)
    assert factor("hours", "person-hours") is None


def test_a_line_is_found_of_tables_and_of_dotted_quoted_and_inline_keys():
    known = lines('# head\na.b = 1\n["x y".c]\nd = {e = 1}\n\n[ q . r ] # more\n"s" = [\n  2,\n]\n')
    assert known == {
        ("a", "b"): 2, ("x y",): 3, ("x y", "c"): 3, ("x y", "c", "d"): 4, ("q",): 6, ("q", "r"): 6, ("q", "r", "s"): 7,
    }  # fmt: skip
    assert line_of_path(("x y", "c", "d", "e"), known) == 4
    assert line_of_path(("z",), known) is None


def test_a_file_of_the_wrong_shape_is_refused_and_never_breaks(read):
    for text in (
        "about = 3",
        "quantities = 3",
        "options = 3",
        "[options]\ngo = 3",
        "[quantities]\nfix_hours = 3",
        "[[about]]",
        "",
    ):
        assert "holds no inputs to reckon with" in refused(read, text + "\n")
    assert "quantities.fix_hours: Input should be a valid dictionary" in refused(
        read, ABOUT + "[quantities]\nfix_hours = 3\n"
    )


# --- what is recorded -----------------------------------------------------------------------------------------


RECORDED = 'provenance = "recorded"\nsource = "tickets"\ndate = 2026-01-31\n'


def recorded_fixes(tmp_path, rows: list[str]) -> str:
    (tmp_path / "fixes.csv").write_text("# from the tracker\nhours,open\n" + "".join(f"{row}\n" for row in rows))
    form = 'recorded = {file = "fixes.csv", column = "hours", open = "open"}'
    return declared({"fix_hours": said("fix_hours", form, known=RECORDED)})


def test_recorded_hours_are_drawn_with_the_open_ones_as_taking_at_least_so_long(read, tmp_path):
    found = read(recorded_fixes(tmp_path, ["6,no", "4,yes", "8,no", "2,no", "8,no"])).quantities["fix_hours"]
    # Kaplan-Meier: 1 until 2, 4/5 until 6, 4/5 · 2/3 until 8. The draws' mean is a little off the area.
    assert found.distribution.mean == pytest.approx(2 + 3.2 + 2 * 8 / 15, rel=0.01)
    assert (found.n, found.provenance, found.source) == (5, "recorded", "tickets")


def test_bad_rows_of_a_recorded_file_are_all_named_by_their_line(read, tmp_path):
    message = refused(read, recorded_fixes(tmp_path, ["6,no", "four,yes", "8,maybe", "2", "-1,no", "8,no"]))
    for what in (
        "fixes.csv, line 4: hours is 'four'; write a number", "fixes.csv, line 5: open is 'maybe'; write yes or no",
        "fixes.csv, line 6: 1 cells, and the head has 2", "fixes.csv, line 7: hours is '-1'; it must be 0 or more",
    ):  # fmt: skip
        assert what in message
    assert "line 3:" not in message


def test_a_recorded_column_of_minutes_is_no_column_of_hours(read, tmp_path):
    rows = [f"{minutes},no" for minutes in (252, 300, 180, 260, 240, 280)]
    assert "the mean of what is drawn: fix_hours is 252 person-hours: that looks like person-minutes" in refused(
        read, recorded_fixes(tmp_path, rows)
    )


# --- the files that come with it, and the command line ----------------------------------------------------------


@pytest.mark.parametrize("name", ["article.toml", "synthetic_firm/inputs.toml"])
def test_the_files_that_come_with_it_are_right_but_for_the_run_that_they_draw_from(name):
    with pytest.raises(InputsInvalid) as caught:
        inputs.read(INPUTS / name)
    told = str(caught.value).splitlines()[1:]
    assert told
    assert all("it is drawn from a run, and none was named" in line for line in told)
    assert inputs.declared_run(INPUTS / name) == "reference"


def test_the_article_is_quoted_as_it_prints_its_figures():
    from roi.inputs_file import parse

    declared_there, _ = parse((INPUTS / "article.toml").read_text(), "article.toml")
    figures = {
        key: quantity.value for key, quantity in declared_there.said.items() if "the article" in (quantity.source or "")
    }
    assert figures == {
        "fix_hours": 4.2, "go.fix_hours": 1.1, "config_minutes": 38, "go.config_minutes": 10, "rollback_success": 0.61,
        "go.rollback_success": 0.992, "mean_rate_per_s": 12400,
    }  # fmt: skip
    assert all(declared_there.said[key].provenance == "assumed" for key in figures)
    assert [option.name for option in declared_there.options] == ["go", "java_improved", "node", "rust"]


def roi(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", "roi", *arguments], capture_output=True, text=True, check=False)


def test_a_checked_file_is_a_table_with_deciles_provenance_and_source(tmp_path):
    path = tmp_path / "case.toml"
    path.write_text(declared({"go.dip_share": said("dip_share", "uniform = [0, 0.5]", "go")}))
    done = roi("inputs", "check", str(path))
    assert done.returncode == 0
    row = next(line for line in done.stdout.splitlines() if line.startswith("go.dip_share"))
    assert row.split() == ["go.dip_share", "0.05", "0.25", "0.45", "share", "assumed", "–", "us"]


def test_a_file_that_is_wrong_ends_with_its_lines_and_exit_code_1(tmp_path):
    path = tmp_path / "case.toml"
    path.write_text(declared({"fix_hours": said("fix_hours", "value = 252")}))
    done = roi("inputs", "check", str(path))
    assert done.returncode == 1
    assert "case.toml holds no inputs to reckon with" in done.stderr
    assert "Traceback" not in done.stderr
