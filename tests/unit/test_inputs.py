"""The inputs file: what it gives, and that what is wrong in it is told by the line."""

from __future__ import annotations

import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from roi import density, inputs
from roi.errors import InputsInvalid
from roi.quantities import CATALOGUE, Scope, factor
from roi.statistics.survival import restricted_mean
from roi.toml_lines import line_of as line_of_path
from roi.toml_lines import lines
from tests.notebooks.written_run import MS, WrittenCell, served
from tests.unit.test_recovery_studies import INJECTED_NS, recovered

INPUTS = Path(__file__).resolve().parents[2] / "data" / "inputs"
ABOUT = '[about]\ntitle = "A case"\ncurrency = "EUR"\nsynthetic = true\nvariant = "java17-zgc"\n'
GO = '[options.go]\ntitle = "Go"\nvariant = "go"\n'
KNOWN = 'provenance = "assumed"\nsource = "us"\ndate = 2026-01-31\n'


def said(name: str, form: str = "", option: str = "", unit: str = "", known: str = KNOWN) -> str:
    """Give a table of a quantity; of no form, its value is what is least plausible."""
    kind = CATALOGUE[name]
    head = f"options.{option}.quantities" if option else "quantities"
    unit = unit or kind.unit.replace("currency", "EUR")
    return f'[{head}.{name}]\nunit = "{unit}"\n{form or f"value = {float(kind.least)}"}\n{known}'


SERVICE = {name: said(name) for name, kind in CATALOGUE.items() if kind.of_service and kind.default is None}
OPTION = {f"go.{name}": said(name, option="go") for name, kind in CATALOGUE.items() if kind.scope is Scope.OPTION}
ALL = SERVICE | OPTION


def declared(changes: dict[str, str] | None = None) -> str:
    """Give a file that says everything, with some of its tables in another's place."""
    return ABOUT + GO + "".join((ALL | (changes or {})).values())


@pytest.fixture
def read(tmp_path):
    def written(text: str, run=None) -> inputs.Inputs:
        path = tmp_path / "case.toml"
        path.write_text(text)
        return inputs.read(path, run)

    return written


def refused(read, text: str, run=None) -> str:
    with pytest.raises(InputsInvalid) as caught:
        read(text, run)
    return str(caught.value)


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


# --- what is measured -----------------------------------------------------------------------------------------

MEASURED = {
    name: said(name, f'measured = "{name}"', known='provenance = "measured"\n')
    for name in ("cpu_s_a_request", "memory_gib_a_core", "recovery_s")
}


def processes(variant: str, *cpu_ms: float) -> list[WrittenCell]:
    """Give processes that answered 100 requests in so much CPU time each, with 64 MiB and 1 MiB more each time."""
    return [
        WrittenCell(f"{variant}-{i}", variant, variant, requests=served(*[1.0] * 100),
                    columns={"gateway_cpu_ns": round(ms * MS), "gateway_pss_bytes": (64 + i) << 20, "workers": 2})
        for i, ms in enumerate(cpu_ms)
    ]  # fmt: skip


def crashed(variant: str, *seconds: float, **more) -> list[WrittenCell]:
    return [
        recovered(f"{variant}-crash-{i}", variant, sustained_ns=INJECTED_NS + round(s * 1000) * MS, **more)
        for i, s in enumerate(seconds)
    ]


def test_measured_inputs_hold_in_95_percent_of_draws_what_the_studies_print_as_their_interval(read, run):
    opened = run(*processes("java17-zgc", 11, 12, 14), *processes("go", 5, 5.5), *crashed("java17-zgc", 1.0, 1.2, 2.0))
    found = read(declared(MEASURED), opened)
    ends = np.array([0.025, 0.975])
    # The plan is for 1 % of a core's time, and the processes were busy for 0.55 to 0.7 %: the most that was measured.
    demand = density.planned_demand(density.demand_curves(opened)["java17-zgc"], 0.01).demand_us
    cpu = found.quantities["cpu_s_a_request"]
    assert cpu.distribution.quantile(ends) * 1e6 == pytest.approx([demand.lo, demand.hi], rel=1e-9)
    # 110, 120 and 140 µs: the geometric mean.
    assert cpu.distribution.quantile(np.array([0.5]))[0] == pytest.approx((110 * 120 * 140) ** (1 / 3) / 1e6)
    assert (cpu.n, cpu.provenance, cpu.source) == (
        3, "measured", "run written, java17-zgc, a core 1 % busy, the most that was measured",
    )  # fmt: skip
    # 65 MiB over two workers; Student's quantile of 2 degrees, and a standard error of 1 / √3.
    gib = found.quantities["memory_gib_a_core"].distribution.quantile(np.array([0.025, 0.5])) * 1024 * 2
    assert gib == pytest.approx([65 - 4.30265 / 3**0.5, 65], rel=1e-5)
    back = restricted_mean(np.array([1.0, 1.2, 2.0]), np.zeros(3, bool), 20.0)
    assert found.quantities["recovery_s"].distribution.quantile(ends) == pytest.approx([back.lo, back.hi])
    assert found.run == "written"


def test_a_run_that_never_recovered_stays_in_the_measured_mean(read, run):
    away = {"first_ok_ns": None, "censored": True, "censor_reason": "never"}
    cells = [*crashed("java17-zgc", 1.0, 1.2, 2.0), recovered("away", "java17-zgc", sustained_ns=None, **away)]
    found = read(declared({"recovery_s": MEASURED["recovery_s"]}), run(*cells)).quantities["recovery_s"]
    back = restricted_mean(np.array([1.0, 1.2, 2.0, 20.0]), np.array([False] * 3 + [True]), 20.0)
    assert found.distribution.quantile(np.array([0.025, 0.975])) == pytest.approx([back.lo, back.hi])
    assert "1 of 4 never recovered" in found.source


def test_measured_quantities_without_a_run_or_without_processes_are_refused(read, run):
    assert refused(read, declared(MEASURED)).count("it is drawn from a run, and none was named") == 3
    few = refused(read, declared({"cpu_s_a_request": MEASURED["cpu_s_a_request"]}), run(*processes("java17-zgc", 11)))
    assert "run written has 1 process of java17-zgc under load that passed the gate, and it takes 2" in few
    none = refused(read, declared({"cpu_s_a_request": MEASURED["cpu_s_a_request"]}), run(*processes("go", 5, 6)))
    assert "The run has go" in none


def test_processes_whose_memory_nobody_read_are_told_and_not_counted(read, run):
    cells = processes("java17-zgc", 11, 12, 14)
    cells[0] = replace(cells[0], columns=cells[0].columns | {"gateway_pss_bytes": None})
    found = read(declared({"memory_gib_a_core": MEASURED["memory_gib_a_core"]}), run(*cells)).quantities[
        "memory_gib_a_core"
    ]
    # 65 and 66 MiB are left, over two workers.
    assert found.distribution.quantile(np.array([0.5]))[0] * 1024 == pytest.approx(65.5 / 2)
    assert (found.n, found.source) == (2, "run written, java17-zgc at 1000 requests/s, 1 more in which it is unknown")


def test_an_option_is_measured_by_its_own_variant_and_by_another_where_it_says_so(read, run):
    opened = run(*processes("java17-zgc", 11, 12), *processes("go", 5, 6), *processes("rust", 2, 3))
    form = 'measured = "cpu_s_a_request"'
    known = 'provenance = "measured"\n'
    own = read(declared({"go.cpu_s_a_request": said("cpu_s_a_request", form, "go", known=known)}), opened)
    assert own.quantities["go.cpu_s_a_request"].distribution.quantile(np.array([0.5])) == pytest.approx(
        [30**0.5 * 1e-5]
    )
    other = form + '\nvariant = "rust"'
    stands = read(declared({"go.cpu_s_a_request": said("cpu_s_a_request", other, "go", known=known)}), opened)
    assert stands.quantities["go.cpu_s_a_request"].distribution.quantile(np.array([0.5])) == pytest.approx(
        [6**0.5 * 1e-5]
    )


def test_recoveries_under_two_policies_are_not_pooled(read, run):
    opened = run(
        *crashed("java17-zgc", 1.0, 1.2),
        *[recovered(f"k{i}", "java17-zgc", policy="kubelet", sustained_ns=INJECTED_NS + 12_000 * MS) for i in range(2)],
    )
    text = MEASURED["recovery_s"]
    assert "recoveries under aggressive, kubelet, which are not pooled" in refused(
        read, declared({"recovery_s": text}), opened
    )
    chosen = read(declared({"recovery_s": text + 'policy = "kubelet"\n'}), opened).quantities["recovery_s"]
    assert chosen.distribution.mean == 12.0


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
