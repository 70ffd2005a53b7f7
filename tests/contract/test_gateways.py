"""The gateways as they are built here, over real HTTP, and the scenarios by hand with plain Locust."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from bench import contract, toolchains
from bench.gateways import registry
from bench.gateways.build import build, lint
from bench.gateways.process import GatewayProcess, Settings
from bench.load.traffic import route_traffic
from tests.contract.by_hand import asked, assert_counted, by_hand, free_port, once, served, total, web_ui

CASES = 150
CONNECTIONS = 8


@pytest.fixture(params=sorted(registry.gateways()))
def gateway(request) -> registry.Gateway:
    """Give a gateway, built; one whose toolchains are not here is skipped with what installs them."""
    found = registry.gateways()[request.param]
    if lacking := toolchains.missing(found.build_needs):
        pytest.skip(" ".join(lacking))
    build(found)
    return found


@pytest.fixture
def go(tmp_path) -> Iterator[GatewayProcess]:
    """Give a running Go gateway."""
    variant = registry.variant("go")
    if lacking := toolchains.missing(variant.needs):
        pytest.skip(" ".join(lacking))
    build(variant.gateway)
    with GatewayProcess(variant, Settings(port=free_port(), folder=tmp_path, meters=False, live_set_mib=1)) as process:
        process.wait_ready()
        yield process


@pytest.mark.timeout(300)
def test_every_case_of_the_contract_is_answered_rightly(gateway) -> None:
    variant = next(v for v in registry.variants().values() if v.gateway == gateway and not toolchains.missing(v.needs))
    results = contract.replay(variant)
    assert [str(case) for case in results if not case.passed] == []
    assert len(results) >= CASES
    assert len({(case.group, case.setup, case.name) for case in results}) == len(results), "a case is counted twice"


@pytest.mark.timeout(300)
def test_its_own_formatter_and_linter_are_content(gateway) -> None:
    if lacking := toolchains.missing(gateway.lint_needs):
        pytest.skip(" ".join(lacking))
    # It raises what they print.
    lint(gateway)


def test_every_request_that_the_scenarios_prepare_is_answered_with_200(go) -> None:
    refused = set()
    with socket.create_connection((go.host, go.port)) as connection, connection.makefile("rb") as answers:
        for request in route_traffic(f"http://127.0.0.1:{go.port}", seed=1).requests:
            connection.sendall(request)
            status = int(answers.readline().split()[1])
            headers = dict(line.lower().split(b": ", 1) for line in iter(lambda: answers.readline().strip(), b""))
            answers.read(int(headers[b"content-length"]))
            if status != 200:
                refused.add((status, request.partition(b"\r\n\r\n")[2].decode()))
    assert refused == set()


def test_a_scenario_by_hand_sends_the_offered_rate_and_the_gateway_counts_the_same(go, tmp_path) -> None:
    said = by_hand(tmp_path, go, "steady", "--rate", 200, "--duration", 2, "--connections", CONNECTIONS, "--seed", 7)
    # Poisson with a mean of 400 requests: six standard deviations are 120.
    assert 280 <= said["num_requests"] <= 520
    assert_counted(go, said)


def test_the_same_seed_by_hand_sends_the_same_number_of_requests(go, tmp_path) -> None:
    options = ("--rate", 300, "--duration", 1, "--connections", 16, "--seed", 21)
    first = by_hand(tmp_path, go, "steady", *options)["num_requests"]
    assert by_hand(tmp_path, go, "steady", *options)["num_requests"] == first > 0


def test_a_closed_loop_by_hand_ends_and_the_gateway_counts_the_same(go, tmp_path) -> None:
    said = by_hand(tmp_path, go, "saturate", "--duration", 0.5, "--connections", CONNECTIONS)
    assert_counted(go, said)
    assert said["num_requests"] > CONNECTIONS


def test_the_web_ui_shows_what_the_gateway_counts(go, tmp_path) -> None:
    # Locust gives the same statistics for two seconds: a load must outlast them to be seen while it runs.
    with web_ui(
        go, tmp_path / "ui.log", "--rate", 100, "--duration", 8, "--connections", CONNECTIONS, "--autostart"
    ) as address:
        once(address, lambda said: said["stats"] and said["state"] == "running" and total(said)["num_requests"] > 0)
        ended = once(address, lambda said: said["state"] == "stopped")
    assert_counted(go, total(ended))


def test_the_web_ui_stops_a_load_without_end_and_starts_it_again(go, tmp_path) -> None:
    with web_ui(go, tmp_path / "ui.log", "--rate", 100, "--connections", CONNECTIONS, "--autostart") as address:
        once(address, lambda said: said["stats"] and total(said)["num_requests"] > 50)
        asked(f"{address}/stop", b"")
        first = total(once(address, lambda said: said["state"] == "stopped"))
        assert_counted(go, first, in_flight=CONNECTIONS)
        before = served(go)
        assert asked(f"{address}/swarm", b"user_count=1&spawn_rate=1")["success"]
        once(address, lambda said: said["state"] == "running" and total(said)["num_requests"] > 50)
        asked(f"{address}/stop", b"")
        second = total(once(address, lambda said: said["state"] == "stopped"))
    assert_counted(go, second, before, in_flight=CONNECTIONS)
