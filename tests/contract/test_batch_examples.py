"""The nightly jobs for Airflow and Argo: their own parsers take them, and the commands in them are ones that exist."""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jinja2
import pytest
import typer
import yaml
from hera.workflows.models import CronWorkflow
from papermill.cli import papermill

from bench import cli as bench_cli
from bench import suite as suites
from bench.paths import ROOT
from roi import cli as roi_cli

FOLDER = ROOT / "docs" / "batch"
DAG = FOLDER / "airflow_dag.py"
WORKFLOW = yaml.safe_load((FOLDER / "argo_workflow.yaml").read_text())
STEPS = ["measure", "report", "deck", "trend"]
PROGRAMS = {
    "bench": typer.main.get_command(bench_cli.app),
    "roi": typer.main.get_command(roi_cli.app),
    "papermill": papermill,
}
PARSED_BY_AIRFLOW = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(sys.argv[1])
dag = bag.dags["tipping_point_nightly"]
print(json.dumps([bag.import_errors, [[task.task_id, sorted(task.downstream_task_ids)] for task in dag.tasks]]))
"""


def calls(name: str) -> list[ast.Call]:
    """Give the calls of a function in the DAG's source."""
    found = [node for node in ast.walk(ast.parse(DAG.read_text())) if isinstance(node, ast.Call)]
    return [call for call in found if isinstance(call.func, ast.Name) and call.func.id == name]


def constants() -> dict[str, Any]:
    """Give the names that the DAG's module gives to values that stand in it."""
    statements = [node for node in ast.parse(DAG.read_text()).body if isinstance(node, ast.Assign)]
    return {node.targets[0].id: ast.literal_eval(node.value) for node in statements}


def keyword(call: ast.Call, name: str) -> Any:
    """Give a keyword's value, with the module's constants in its f-strings."""
    (value,) = [one.value for one in call.keywords if one.arg == name]
    return eval(compile(ast.Expression(value), str(DAG), "eval"), dict(constants()))


def by_airflow(try_number: int = 1, template: str | None = None) -> dict[str, str]:
    """Give the command of each task as Airflow fills it in."""
    context = {
        "dag_run": SimpleNamespace(run_after=datetime(2026, 11, 26, 1, tzinfo=UTC)),
        "params": SimpleNamespace(checkout="/opt/tipping-point", suite="standard", template=template),
        "ti": SimpleNamespace(try_number=try_number),
    }
    return {
        keyword(call, "task_id"): jinja2.Template(keyword(call, "bash_command")).render(context)
        for call in calls("BashOperator")
    }


def by_argo(retries: int = 0) -> dict[str, str]:
    """Give the command of each step as Argo fills it in and the shell takes it."""
    spec = WORKFLOW["spec"]["workflowSpec"]
    known = {f"workflow.parameters.{one['name']}": one["value"] for one in spec["arguments"]["parameters"]}
    known["workflow.name"] = "tipping-point-nightly-1795654800"
    commands = {}
    for (step,) in template("nightly")["steps"]:
        (text,) = [one["value"] for one in step["arguments"]["parameters"]]
        filled = re.sub(r"\{\{(.*?)\}\}", lambda found: known[found[1]], text).replace("exec ", "echo ")
        # The shell tells which of two commands it would run, and where its output goes.
        done = subprocess.run(
            ["sh", "-ec", re.sub(r"> \S+$", "", filled)], env=os.environ | {"RETRIES": str(retries)}, capture_output=True,
            text=True, check=True,
        )  # fmt: skip
        commands[step["name"]] = done.stdout.strip()
    return commands


def template(name: str) -> dict[str, Any]:
    (found,) = [one for one in WORKFLOW["spec"]["workflowSpec"]["templates"] if one["name"] == name]
    return found


def assert_command_exists(command: str) -> None:
    """Assert that the program takes these arguments; nothing is run."""
    path, *arguments = shlex.split(command)
    program = PROGRAMS[Path(path).name]
    assert path == f".venv/bin/{Path(path).name}"
    if hasattr(program, "commands"):
        program, arguments = program.commands[arguments[0]], arguments[1:]
    program.make_context(program.name, arguments)


def fits(said: dict[str, Any]) -> bool:
    """Tell whether Argo's model of a workflow takes every field: one that it does not know it leaves out."""
    read = CronWorkflow.model_validate(said)
    return json.loads(read.model_dump_json(by_alias=True, exclude_unset=True)) == said


def test_argos_model_takes_every_field_of_the_workflow() -> None:
    assert fits(WORKFLOW)


def test_a_field_that_argo_does_not_know_is_found() -> None:
    spec = WORKFLOW["spec"] | {"workflowSpec": WORKFLOW["spec"]["workflowSpec"] | {"entryPoint": "nightly"}}
    assert not fits(WORKFLOW | {"spec": spec})


@pytest.mark.skipif(importlib.util.find_spec("airflow") is None, reason="Airflow is not installed: 120 packages")
def test_airflow_takes_the_dag(tmp_path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PARSED_BY_AIRFLOW, str(DAG)], env=os.environ | {"AIRFLOW_HOME": str(tmp_path)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    errors, tasks = json.loads(done.stdout.splitlines()[-1])
    assert errors == {}
    assert tasks == [[step, STEPS[place : place + 1]] for place, step in enumerate(STEPS, start=1)]


def test_the_dag_is_a_chain_of_four_tasks_one_night_at_a_time() -> None:
    (dag,), (chained,) = calls("DAG"), calls("chain")
    assert [ast.unparse(argument) for argument in chained.args] == STEPS
    assert list(by_airflow()) == STEPS
    assert keyword(dag, "max_active_runs") == keyword(dag, "max_active_tasks") == 1
    assert keyword(dag, "catchup") is False


def test_the_workflow_is_four_steps_one_after_another_one_night_at_a_time() -> None:
    assert (WORKFLOW["apiVersion"], WORKFLOW["kind"]) == ("argoproj.io/v1alpha1", "CronWorkflow")
    spec = WORKFLOW["spec"]
    assert spec["concurrencyPolicy"] == "Forbid"
    assert spec["workflowSpec"]["entrypoint"] == "nightly"
    assert [[step["name"] for step in group] for group in template("nightly")["steps"]] == [[step] for step in STEPS]
    container = template("in-the-checkout")["container"]
    assert container["resources"]["requests"] == container["resources"]["limits"]
    claimed = {volume["name"] for volume in spec["workflowSpec"]["volumes"]}
    assert {mount["name"] for mount in container["volumeMounts"]} == claimed


@pytest.mark.parametrize("commands", [by_airflow, by_argo])
@pytest.mark.parametrize("again", [False, True], ids=["the first try", "a second try"])
def test_every_command_is_one_that_the_programs_take(commands, again) -> None:
    made = commands(2 if commands is by_airflow else 1) if again else commands()
    assert list(made) == STEPS
    for command in made.values():
        assert_command_exists(command)
    assert (" --resume " in made["measure"]) == again


def test_a_command_that_does_not_exist_is_found() -> None:
    with pytest.raises(Exception, match="No such option: --jsn"):
        assert_command_exists(".venv/bin/roi report night --jsn")


def test_both_do_the_same() -> None:
    def plain(command: str) -> list[str]:
        words = shlex.split(re.sub(r"nightly-\d{8}-\d{6}|tipping-point-nightly-\d+", "NIGHT", command))
        return [word.replace("/mnt/reports", "reports") for word in words]

    argo, airflow = by_argo(), by_airflow()
    # Argo keeps reports on a volume of its own, so it says where; in a checkout that is the default.
    assert plain(argo["report"]) == [*plain(airflow["report"]), "--out", "reports/NIGHT"]
    for step in ("measure", "deck", "trend"):
        assert plain(argo[step]) == plain(airflow[step])


def test_the_deck_takes_a_template_where_there_is_one() -> None:
    command = by_airflow(template="house.pptx")["deck"]
    assert command.endswith(" --template house.pptx")
    assert_command_exists(command)


def test_the_suite_and_the_notebook_are_there() -> None:
    spec = WORKFLOW["spec"]["workflowSpec"]
    (suite,) = [one["value"] for one in spec["arguments"]["parameters"] if one["name"] == "suite"]
    assert suites.read(suite)
    for commands in (by_argo(), by_airflow()):
        notebook = ROOT / shlex.split(commands["trend"])[1]
        assert notebook.is_file()


def test_no_image_names_a_registry() -> None:
    (image,) = [
        one["value"] for one in WORKFLOW["spec"]["workflowSpec"]["arguments"]["parameters"] if one["name"] == "image"
    ]
    assert "/" not in image


def test_the_guide_names_both_files_and_every_exit_code() -> None:
    guide = (ROOT / "docs" / "batch.md").read_text()
    assert all(f"docs/batch/{path.name}" in guide for path in FOLDER.iterdir() if path.is_file())
    assert re.findall(r"^\| (\d[\d, ]*) \|", guide, re.MULTILINE) == ["0", "1", "2", "130, 143"]
