"""The load engine through TLS, against servers that do exactly what they are told."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.errors import LoadFailed
from bench.load.rows import Outcome
from bench.load.schedule import Constant, Poisson
from bench.load.tls import context
from bench.paths import ROOT, SCENARIOS
from tests.unit.certificates import Identity, identity
from tests.unit.scripted_server import OK, serving
from tests.unit.test_load_engine import LIMITS, Load, follow, load
from tests.unit.tls_server import Polite, serving_tls

VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
CLOSING = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
LARGE = b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + bytes(300_000)
"""Nineteen records of TLS, of 16 KiB at most."""
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    + b"".join(b"%x\r\n%s\r\n" % (size, bytes(size)) for size in (1, 16_384, 40_000))
    + b"0\r\n\r\n"
)


@pytest.fixture(scope="module")
def known(tmp_path_factory) -> Identity:
    """Give a server's certificate for the address of this machine."""
    return identity(tmp_path_factory.mktemp("known"))


@pytest.fixture(params=VERSIONS, ids=lambda version: version.name)
def version(request) -> ssl.TLSVersion:
    """Give each version of TLS that is spoken today."""
    return request.param


def trusting(known: Identity, port: int, drive: Callable, **more: object) -> Load:
    """Run a load that trusts the server."""
    return load(port, drive, tls=context(known.certificate), **more)


def test_every_arrival_is_a_row_that_the_server_counted_on_connections_that_are_kept(known, version):
    with serving_tls(lambda _: OK, known.context(version)) as server:
        said = trusting(known, server.port, follow(500, 0.5))
    arrivals = np.concatenate(list(Poisson(500, 0.5, seed=3).chunks()))
    assert sorted(said.intended - said.began_ns) == arrivals.tolist()
    assert said.count(Outcome.OK) == server.requests == len(arrivals)
    assert said.connects == LIMITS.connections
    # Bytes of HTTP, not of TLS.
    assert set(said.received) == {len(OK)}


def test_a_closed_loop_answers_everything_it_sent(known):
    with serving_tls(lambda _: OK, known.context()) as server:
        said = trusting(known, server.port, lambda engine: engine.run_closed(0.3))
    assert len(said.intended) == server.requests == said.count(Outcome.OK) > LIMITS.connections


def test_without_keep_alive_every_request_shakes_hands_anew(known, version):
    with serving_tls(lambda _: OK, known.context(version)) as server:
        said = trusting(known, server.port, follow(100, 0.4), limits=replace(LIMITS, keep_alive=False))
    assert said.connects == len(said.intended) == said.count(Outcome.OK) == server.requests


@pytest.mark.parametrize("answer", [LARGE, CHUNKED], ids=["large", "chunked"])
def test_an_answer_over_several_records_is_whole(known, version, answer):
    with serving_tls(lambda _: answer, known.context(version)) as server:
        said = trusting(known, server.port, follow(100, 0.3), limits=replace(LIMITS, timeout_s=5))
    assert said.count(Outcome.OK) == server.requests == len(said.intended)
    assert set(said.received) == {len(answer)}


def test_a_request_larger_than_the_socket_takes_at_once_arrives_whole(known, version):
    body = b"x" * 8_000_000
    large = b"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    with serving_tls(lambda _: OK, known.context(version)) as server:
        said = trusting(
            known, server.port, lambda engine: engine.run_open(Constant(10, 0.3)), requests=(large,),
            limits=replace(LIMITS, timeout_s=9),
        )  # fmt: skip
    assert said.count(Outcome.OK) == server.requests == len(said.intended)


@pytest.mark.parametrize("polite", [True, False], ids=["with close_notify", "without"])
def test_a_connection_that_the_server_closes_after_its_answer_is_opened_again(known, version, polite):
    served = known.context(version)
    if polite:
        served.sslsocket_class = Polite
    with serving_tls(lambda _: CLOSING, served) as server:
        said = trusting(known, server.port, follow(100, 0.4))
    assert said.count(Outcome.OK) == server.requests == len(said.intended)


def test_a_server_that_takes_leave_with_an_answer_that_says_nothing_of_it_loses_no_request(known, version):
    served = known.context(version)
    served.sslsocket_class = Polite

    class Leaving(bytes):
        """An answer after which the scripted server closes, although it does not say so."""

        def __contains__(self, text: object) -> bool:
            return text == b"Connection: close"

    with serving_tls(lambda _: Leaving(OK), served) as server:
        # One connection, and time for the leave to arrive before the next request.
        schedule = Constant(20, 0.5)
        said = trusting(known, server.port, lambda e: e.run_open(schedule), limits=replace(LIMITS, connections=1))
    assert said.count(Outcome.OK) == said.connects == server.requests == 10


def test_an_answer_cut_off_is_a_reset_and_the_rest_goes_on(known, version):
    with serving_tls(lambda n: None if n == 5 else OK, known.context(version)) as server:
        said = trusting(known, server.port, follow(200, 0.4))
    assert said.count(Outcome.RESET) == 1
    assert said.count(Outcome.OK) == server.requests - 1


def test_a_handshake_that_fails_in_the_midst_of_a_load_is_a_refusal(known):
    served = known.context()
    with serving_tls(lambda _: OK, served) as server:

        def give_way(_: object) -> None:
            if server.requests > 20:
                # From now on nobody's hand is shaken: there is no cipher in common.
                served.set_ciphers("AES128-SHA")
                served.maximum_version = ssl.TLSVersion.TLSv1_2

        said = trusting(
            known, server.port, follow(100, 0.6), limits=replace(LIMITS, keep_alive=False), give_way=give_way
        )
    assert said.count(Outcome.REFUSED) > 10
    assert said.count(Outcome.OK) + said.count(Outcome.REFUSED) == len(said.intended)
    assert said.count(Outcome.OK) == server.requests


def test_a_certificate_that_does_not_verify_is_a_sentence_that_names_what_to_do(known):
    with (
        serving_tls(lambda _: OK, known.context()) as server,
        pytest.raises(LoadFailed, match=r"127\.0\.0\.1 does not verify: self-signed .*--ca FILE.*--insecure"),
    ):
        load(server.port, follow(100, 0.1), tls=context())
    assert server.requests == 0


def test_a_certificate_of_another_host_is_a_sentence(tmp_path):
    other = identity(tmp_path, address=None, name="other.test")
    with (
        serving_tls(lambda _: OK, other.context()) as server,
        pytest.raises(LoadFailed, match=r"IP address mismatch.*'127.0.0.1'.*--insecure"),
    ):
        trusting(other, server.port, follow(100, 0.1))


def test_whoever_trusts_anybody_trusts_that_one_too(tmp_path):
    other = identity(tmp_path, address=None, name="other.test")
    with serving_tls(lambda _: OK, other.context()) as server:
        said = load(server.port, follow(100, 0.2), tls=context(verify=False))
    assert said.count(Outcome.OK) == server.requests == len(said.intended)


def test_a_server_of_an_older_version_of_tls_is_a_sentence(known):
    trusted = context(known.certificate)
    trusted.minimum_version = ssl.TLSVersion.TLSv1_3
    with (
        serving_tls(lambda _: OK, known.context(ssl.TLSVersion.TLSv1_2)) as server,
        pytest.raises(LoadFailed, match=r"does not speak TLS as we do .*alert protocol version"),
    ):
        load(server.port, follow(100, 0.1), tls=trusted)


def test_a_server_without_tls_is_a_sentence():
    with (
        serving(lambda _: OK) as server,
        pytest.raises(LoadFailed, match=r"No secure connection to 127.*does not speak TLS as we do.*http://"),
    ):
        load(server.port, follow(100, 0.1), tls=context(), limits=replace(LIMITS, timeout_s=0.3))


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (lambda path: None, "No such file"),
        (lambda path: path.write_text("no certificate at all\n"), "cannot be read"),
        (lambda path: path.write_bytes(b""), "cannot be read"),
        (lambda path: path.mkdir(), "cannot be read"),
    ],
    ids=["missing", "text", "empty", "a folder"],
)
def test_a_file_without_certificates_is_a_sentence(tmp_path, write, said):
    path = tmp_path / "ca.pem"
    write(path)
    with pytest.raises(LoadFailed, match=f"ca.pem.*{said}|{said}.*ca.pem.*--ca"):
        context(path)


def by_hand(server, scenario: str, *options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "locust", "-f", SCENARIOS / f"{scenario}.py", "--headless"]
    command += ["--host", f"https://127.0.0.1:{server.port}", *options]
    return subprocess.run(
        [str(part) for part in command], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("scenario", "load"),
    [
        ("steady", ("--rate", 200, "--connections", 8)),
        ("journey", ("--users", 8, "--spawn-rate", 8, "--think", 0.01)),
    ],
)
def test_a_scenario_by_hand_loads_a_host_with_https(known, tmp_path: Path, scenario, load):
    with serving_tls(lambda _: OK, known.context()) as server:
        done = by_hand(
            server, scenario, *load, "--ca", known.certificate, "--duration", 1, "--json-file", tmp_path / "said"
        )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    said = json.loads((tmp_path / "said.json").read_text())
    assert sum(entry["num_requests"] for entry in said) == server.requests > 100
    assert sum(entry["num_failures"] for entry in said) == 0


def test_a_journey_trusts_nobody_whose_certificate_does_not_verify_unless_it_is_told_to(known):
    users = ("--users", 2, "--spawn-rate", 2, "--think", 0.01, "--duration", 0.5)
    with serving_tls(lambda _: OK, known.context()) as server:
        doubtful = by_hand(server, "journey", *users)
        assert doubtful.returncode == 1
        assert "does not verify" in doubtful.stderr
        assert "--ca FILE" in doubtful.stderr
        assert server.requests == 0
        assert by_hand(server, "journey", *users, "--insecure").returncode == 0
        assert server.requests > 2
