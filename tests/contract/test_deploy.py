"""The manifests for Kubernetes: they fit its schemas, and they say what a load needs to be valid."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from bench.load.lead import parser as lead_parser
from bench.load.worker import parser as worker_parser
from bench.paths import ROOT

FOLDER = ROOT / "deploy" / "kubernetes"
FILES = sorted(path for path in FOLDER.glob("*.yaml") if path.name != "kustomization.yaml")
VERSIONS = ("1.30", "1.37")


def objects(path: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(path.read_text()))


def the(kind: str, name: str) -> dict[str, Any]:
    (found,) = [o for path in FILES for o in objects(path) if (o["kind"], o["metadata"]["name"]) == (kind, name)]
    return found


def pod(workload: dict[str, Any]) -> dict[str, Any]:
    return workload["spec"]["template"]["spec"]


def container(workload: dict[str, Any]) -> dict[str, Any]:
    (only,) = pod(workload)["containers"]
    return only


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_object_fits_the_strict_schema_of_kubernetes(path, version) -> None:
    for item in objects(path):
        kubernetes_validate.validate(item, version, strict=True)


def test_an_object_with_a_field_that_does_not_exist_is_refused() -> None:
    wrong = the("Job", "load-worker") | {"specs": {}}
    with pytest.raises(kubernetes_validate.ValidationError, match="specs"):
        kubernetes_validate.validate(wrong, VERSIONS[-1], strict=True)


def test_the_kustomization_lists_every_file() -> None:
    listed = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())["resources"]
    assert sorted(listed) == [path.name for path in FILES]


@pytest.mark.parametrize("name", ["load-master", "load-worker"])
def test_a_pod_of_the_load_that_crashed_never_comes_back_into_it(name) -> None:
    job = the("Job", name)
    assert job["spec"]["backoffLimit"] == 0
    assert pod(job)["restartPolicy"] == "Never"
    assert job["spec"]["activeDeadlineSeconds"] > 0


def test_there_are_as_many_workers_as_the_master_waits_for() -> None:
    said = lead_parser().parse_args(container(the("Job", "load-master"))["args"][1:])
    workers = the("Job", "load-worker")["spec"]
    assert workers["completionMode"] == "Indexed"
    assert workers["completions"] == workers["parallelism"] == said.workers
    assert said.locust[0].startswith("--rate=")


def test_workers_look_for_the_master_where_its_service_is() -> None:
    said = worker_parser().parse_args(container(the("Job", "load-worker"))["args"][1:])
    service, master = the("Service", "load-master"), the("Job", "load-master")
    assert (said.master_host, said.master_port) == (service["metadata"]["name"], service["spec"]["ports"][0]["port"])
    assert said.loads == 1
    labels = master["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= labels.items()
    assert container(master)["ports"][0]["name"] == service["spec"]["ports"][0]["targetPort"]


def test_the_load_goes_to_the_service_of_the_gateway() -> None:
    said = lead_parser().parse_args(container(the("Job", "load-master"))["args"][1:])
    service = the("Service", "gateway")
    assert said.host == f"http://{service['metadata']['name']}:{service['spec']['ports'][0]['port']}"
    labels = the("Deployment", "gateway")["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= labels.items()


@pytest.mark.parametrize(("kind", "name"), [("Deployment", "gateway"), ("Job", "load-master"), ("Job", "load-worker")])
def test_every_pod_has_processors_of_its_own_and_an_image_without_a_registry(kind, name) -> None:
    only = container(the(kind, name))
    assert only["resources"]["requests"] == only["resources"]["limits"]
    # Whole processors: a part of one is never exclusive.
    assert only["resources"]["limits"]["cpu"].isdigit()
    assert only["image"] == "tipping-point-load:0.1.0"


def test_the_gateway_gets_as_many_threads_as_processors() -> None:
    only = container(the("Deployment", "gateway"))
    env = {item["name"]: item.get("value") for item in only["env"]}
    assert env["GATEWAY_WORKERS"] == env["GOMAXPROCS"] == only["resources"]["limits"]["cpu"]


def test_no_secret_stands_in_the_manifests() -> None:
    assert [item["kind"] for path in FILES for item in objects(path) if item["kind"] == "Secret"] == []


def test_what_the_image_copies_is_not_ignored_and_its_base_names_no_registry() -> None:
    lines = (ROOT / "deploy" / "Containerfile").read_text().splitlines()
    (base,) = [line.split()[1] for line in lines if line.startswith("FROM ")]
    assert "/" not in base
    copied = {part for line in lines if line.startswith("COPY ") for part in line.split()[1:-1]}
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert copied == kept
    assert all((ROOT / name).exists() for name in copied)
