"""Rules that hold for the files of the repository."""

import re
import subprocess
import sys
import tomllib

import pytest

from bench import environment_file
from bench.paths import ROOT

# Written in pieces, so that this file does not name what no file may name.
_HOSTS = re.compile(
    "|".join(["py" + r"pi\.", "python" + "hosted", "registry." + "npm", "proxy." + "golang", "repo1?" + r"\.maven"])
)
_MACHINE_PATHS = re.compile(r"(?<![\w.])/(?:ro" + "ot|ho" + r"me/\w+|wo" + r"rk/main)/")


def tracked():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def texts():
    for path in tracked():
        try:
            yield path.relative_to(ROOT), path.read_text()
        except UnicodeDecodeError:
            continue


def test_environment_yml_is_what_pyproject_says():
    assert (ROOT / "environment.yml").read_text() == environment_file.render(), "make lock renews it"


def test_every_locked_package_has_a_hash():
    lock = (ROOT / "requirements.lock").read_text()
    packages = re.split(r"\n(?=[a-z])", lock.strip())
    assert len(packages) > 50
    assert [p.splitlines()[0] for p in packages if "--hash=sha256:" not in p] == []


def test_every_declared_dependency_is_in_the_lock():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = [*project["dependencies"], *(d for extra in project["optional-dependencies"].values() for d in extra)]
    locked = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    names = {re.match(r"[A-Za-z0-9-]+", requirement).group().lower() for requirement in declared}
    assert names - locked == set()


def test_no_file_names_a_package_registry():
    assert [str(name) for name, text in texts() if _HOSTS.search(text)] == []


def test_no_file_holds_a_path_of_one_machine():
    assert [str(name) for name, text in texts() if _MACHINE_PATHS.search(text)] == []


def test_no_module_is_two_concepts_long():
    long = {}
    for name, text in texts():
        if name.suffix in {".py", ".go", ".java", ".js", ".rs"} and text.count("\n") > 400:
            long[str(name)] = text.count("\n")
    assert long == {}


def test_bench_never_imports_roi_and_roi_knows_only_the_store_of_bench():
    for name, text in texts():
        if name.suffix != ".py" or name.parts[0] not in {"bench", "roi"}:
            continue
        imports = re.findall(r"^\s*(?:from|import) ((?:bench|roi)[\w.]*)", text, re.MULTILINE)
        if name.parts[0] == "bench":
            assert not [i for i in imports if i.startswith("roi")], name
        else:
            # A policy's decisions are arithmetic on a virtual clock; they start nothing.
            allowed = ("bench.store", "bench.errors", "bench.faults.policy", "bench.faults.replay")
            assert not [i for i in imports if i.startswith("bench") and not i.startswith(allowed)], name


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids=" ".join)
def test_python_is_clean(command):
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *command, "."], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
