"""What the gateways record of themselves: their hiccups, their controls, and the truths that the proofs ask for."""

from __future__ import annotations

import http.client
import json
import os
import signal
import struct
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench import children, toolchains
from bench.gateways import process, registry
from bench.gateways.build import build
from bench.gateways.process import GatewayProcess, Settings
from tests.contract.by_hand import free_port

# A timer of Node's loop costs ten times as much as a thread that sleeps.
PERIODS_US = {"node": 10_000}
PERIOD_US = 1000
DEFAULT_US = 10_000
THRESHOLD_NS = 50_000
# In the manner of truth flags; asked for here as a setting, so that the test needs no more than the gateway.
STOPPED_S = 0.2


@dataclass(frozen=True)
class Record:
    """A hiccups.bin: (due_ns, late_ns, run_delay_ns) of hiccups, (instant_ns, wakes) of the counts."""

    hiccups: list[tuple[int, int, int]]
    counts: list[tuple[int, int]]


def read(folder: Path) -> Record:
    entries = list(struct.iter_unpack("<qqq", (folder / "hiccups.bin").read_bytes()))
    hiccups = [entry for entry in entries if entry[1] != -1]
    return Record(hiccups, [(due, wakes) for due, late, wakes in entries if late == -1])


@pytest.fixture(params=["go", "java25-g1", "node", "rust"])
def variant(request) -> registry.Variant:
    """Give a variant, built; one whose toolchains are not here is skipped with what installs them."""
    return built(request.param)


def built(name: str) -> registry.Variant:
    found = registry.variant(name)
    if lacking := toolchains.missing(found.needs):
        pytest.skip(" ".join(lacking))
    build(found.gateway)
    return found


def period_us(variant: registry.Variant) -> int:
    return PERIODS_US.get(variant.gateway.name, PERIOD_US)


def gateway(variant: registry.Variant, folder: Path, **settings) -> GatewayProcess:
    env = {"GATEWAY_HICCUP_US": f"{period_us(variant)}"}
    return GatewayProcess(variant, Settings(port=free_port(), folder=folder, live_set_mib=1, env=env, **settings))


def post(running: GatewayProcess, path: str) -> dict[str, object]:
    connection = http.client.HTTPConnection(running.host, running.port, timeout=10)
    try:
        connection.request("POST", path)
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        return json.loads(answer.read())
    finally:
        connection.close()


def started_with(variant: registry.Variant, folder: Path, contract: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start the variant's own command and flags, with only these variables of the contract."""
    settings = Settings(port=free_port(), folder=folder)
    env = {
        key: value for key, value in process._environment(variant, settings).items() if not key.startswith("GATEWAY_")
    }
    with (folder / "gateway.log").open("wb") as out:
        return children.spawn(
            process._command(variant, settings), env=env | contract, cwd=folder, stdout=out, stderr=subprocess.STDOUT
        )


def lines(folder: Path) -> list[dict[str, object]]:
    text = (folder / "gateway.log").read_text().splitlines()
    return [json.loads(line) for line in text if line.startswith("{")]


def assert_whole(record: Record, period_us: int) -> None:
    """Expect a first record of no wakes, and wakes as often as the period and the hiccups left room for."""
    assert record.counts[0][1] == 0
    assert all(late >= THRESHOLD_NS for _, late, _ in record.hiccups)
    period_ns = period_us * 1000
    possible = (record.counts[-1][0] - record.counts[0][0]) / period_ns
    skipped = sum(late // period_ns for _, late, _ in record.hiccups)
    wakes = sum(wakes for _, wakes in record.counts)
    # What is not a hiccup is less than a period late, and the meter begins and ends between two deadlines.
    assert 0.9 * (possible - skipped) - 2 <= wakes <= possible + 2


def test_the_record_of_hiccups_is_whole_when_the_gateway_ends(variant, tmp_path) -> None:
    with gateway(variant, tmp_path) as running:
        running.wait_ready()
        time.sleep(1.2)
        assert running.stop() == 0
    record = read(tmp_path)
    assert_whole(record, period_us(variant))
    assert len(record.counts) >= 3, "the first, one a second, the last"


def test_a_stopped_process_has_one_hiccup_that_no_processor_was_awaited_for(variant, tmp_path) -> None:
    with gateway(variant, tmp_path) as running:
        running.wait_ready()
        time.sleep(0.2)
        stopped_ns = time.monotonic_ns()
        os.kill(running.pid, signal.SIGSTOP)
        time.sleep(STOPPED_S)
        continued_ns = time.monotonic_ns()
        os.kill(running.pid, signal.SIGCONT)
        time.sleep(0.2)
        assert running.stop() == 0
    spanning = [
        (late, run_delay)
        for due, late, run_delay in read(tmp_path).hiccups
        if due < continued_ns and due + late > stopped_ns and late >= 190_000_000
    ]
    ((late, run_delay),) = spanning
    assert run_delay < late / 2


def test_a_control_has_no_listener_and_ends_in_order(variant, tmp_path) -> None:
    control = started_with(variant, tmp_path, {"GATEWAY_CONTROL": "1", "GATEWAY_METERS_DIR": str(tmp_path)})
    try:
        deadline = time.monotonic() + 20
        while not any(line["msg"] == "control" for line in lines(tmp_path)):
            assert control.poll() is None, (tmp_path / "gateway.log").read_text()
            assert time.monotonic() < deadline, "it never said that it is a control"
            time.sleep(0.02)
        time.sleep(0.5)
        assert listening(control.pid) == set()
    finally:
        code = children.stop(control, 10)
    assert code == 0
    assert_whole(read(tmp_path), DEFAULT_US)


def listening(pid: int) -> set[str]:
    """Give the inodes of a process' TCP sockets that listen."""
    own = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        target = os.readlink(descriptor)
        if target.startswith("socket:["):
            own.add(target[len("socket:[") : -1])
    rows = [
        row.split() for table in ("tcp", "tcp6") for row in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()
    ]
    return own & {row[9] for row in rows if row[3] == "0A"}


@pytest.mark.parametrize(
    ("at_fault", "contract"),
    [
        ("GATEWAY_HICCUP_US", {"GATEWAY_HICCUP_US": "often", "GATEWAY_CONTROL": "1", "GATEWAY_METERS_DIR": "."}),
        ("GATEWAY_HICCUP_US", {"GATEWAY_HICCUP_US": "-1", "GATEWAY_CONTROL": "1", "GATEWAY_METERS_DIR": "."}),
        ("GATEWAY_HICCUP_US", {"GATEWAY_HICCUP_US": "0", "GATEWAY_CONTROL": "1", "GATEWAY_METERS_DIR": "."}),
        ("GATEWAY_METERS_DIR", {"GATEWAY_CONTROL": "1"}),
        ("GATEWAY_METERS_DIR", {"GATEWAY_CONTROL": "1", "GATEWAY_METERS_DIR": "./absent"}),
    ],
    ids=["a word", "negative", "no meter in a control", "no folder in a control", "an absent folder"],
)
def test_a_malformed_setting_ends_the_process_and_is_named(variant, tmp_path, at_fault, contract) -> None:
    assert started_with(variant, tmp_path, contract).wait(20) == 2
    assert any(at_fault in json.dumps(line) for line in lines(tmp_path))


def test_a_collection_waits_for_a_loop_that_cannot_be_stopped(variant, tmp_path) -> None:
    name = variant.gateway.name
    with gateway(variant, tmp_path, workers=1 if name == "node" else 2, faults=True) as running:
        running.wait_ready()
        said = post(running, "/__truth/unstoppable?ms=100")
    if name in ("node", "rust"):
        assert said == {"applicable": False}
        return
    assert said["applicable"] is True
    loop = said["loop"]
    assert loop["start_ns"] < said["asked_ns"] < loop["end_ns"] <= said["collected_ns"]


def test_a_drop_of_64_mib_is_in_the_record_of_rust_within_its_bracket(tmp_path) -> None:
    with gateway(built("rust"), tmp_path, faults=True) as running:
        running.wait_ready()
        drop = post(running, "/__truth/drop?mib=64")["drop"]
        assert running.stop() == 0
    recorded = [json.loads(line) for line in (tmp_path / "rust_drops.jsonl").read_text().splitlines()]
    within = [
        row
        for row in recorded
        if row["kind"] == "drop" and drop["start_ns"] <= row["start_ns"] <= row["end_ns"] <= drop["end_ns"]
    ]
    assert within, f"none of {len(recorded)} lines is within {drop}"
