"""The vectors are well-formed, and an implementation in the contract's own words agrees with them."""

from __future__ import annotations

import json
import re
from collections import Counter
from urllib.parse import quote_from_bytes, unquote_to_bytes

import jsonschema
import pytest
import yaml
from openapi_spec_validator import validate

from bench import paths
from bench.errors import SuiteInvalid
from bench.gateways import vectors
from bench.gateways.expect import as_doubles, same

TABLE = json.loads((paths.CONTRACT / "routes.json").read_text())
ROUTES = TABLE["routes"]
OPENAPI = yaml.safe_load((paths.CONTRACT / "openapi.yaml").read_text())
CASES = vectors.cases()
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
REFUSALS_OF_A_TOKEN = ("missing_token", "invalid_token", "expired_token", "insufficient_scope")


# The contract's §2 to §5 for POST /route, told again as plainly as possible and sharing nothing with any gateway.


class Refused(Exception):
    """The request is answered with this error code."""


def depth(text: str) -> int:
    """Give the deepest nesting of lists and objects outside of strings."""
    deepest = level = 0
    for mark in re.findall(r'"(?:\\.|[^"\\])*"|[][{}]', text, re.DOTALL):
        level += {"[": 1, "{": 1, "]": -1, "}": -1}.get(mark, 0)
        deepest = max(deepest, level)
    return deepest


def parsed(body: bytes) -> object:
    try:
        text = body.decode("utf-8")
        if depth(text) > 127:
            raise ValueError("too deep")
        return as_doubles(text)
    except ValueError as error:
        raise Refused("invalid_json") from error


def shaped(value: object) -> tuple[str, str, dict | None]:
    right = (
        isinstance(value, dict)
        and isinstance(path := value.get("path"), str)
        and path.startswith("/")
        and (method := value.get("method", "GET")) in METHODS
        and isinstance(payload := value.get("payload"), dict | None)
    )
    if not right:
        raise Refused("invalid_request")
    return path, method, payload


def segments(path: str) -> list[str]:
    decoded = []
    for segment in path[1:].split("/"):
        if re.search("%(?![0-9A-Fa-f]{2})", segment):
            raise Refused("invalid_request")
        try:
            text = unquote_to_bytes(segment).decode("utf-8")
        except UnicodeDecodeError as error:
            raise Refused("invalid_request") from error
        if text in (".", ".."):
            raise Refused("invalid_request")
        decoded.append(text)
    return decoded


def kind(piece: str) -> int:
    """Order at one segment: literal, parameter, tail."""
    return 2 if piece.endswith("...}") and piece.startswith("{") else 1 if piece.startswith("{") else 0


def fits(pattern: list[str], path: list[str]) -> dict[str, str] | None:
    """Give the parameters when this pattern alone matches."""
    params = {}
    for place, piece in enumerate(pattern):
        rest = path[place:]
        if kind(piece) == 2:
            return params | {piece[1:-4]: "/".join(rest)} if rest else None
        if not rest or not rest[0] or (kind(piece) == 0 and piece != rest[0]):
            return None
        if kind(piece) == 1:
            params[piece[1:-1]] = rest[0]
    return params if len(pattern) == len(path) else None


def match(path: list[str], method: str) -> tuple[dict, dict[str, str]]:
    """Give the first match in the contract's order: the least by kind, compared segment by segment."""
    found = []
    for route in ROUTES:
        pattern = route["pattern"][1:].split("/")
        params = fits(pattern, path) if route["method"] == method else None
        if params is not None:
            found.append(([kind(piece) for piece in pattern], route, params))
    if not found:
        raise Refused("no_route")
    return min(found, key=lambda match: match[0])[1:]


def rewritten(route: dict, params: dict[str, str], path: list[str]) -> str:
    encoded = {name: quote_from_bytes(value.encode(), safe="") for name, value in params.items()}
    pattern = route["pattern"][1:].split("/")
    if kind(pattern[-1]) == 2:
        tail = path[len(pattern) - 1 :]
        encoded[pattern[-1][1:-4]] = "/".join(quote_from_bytes(segment.encode(), safe="") for segment in tail)
    return re.sub(r"\{(\w+)(?:\.\.\.)?\}", lambda name: encoded[name[1]], route["rewrite"])


def transformed(transform: dict, payload: dict | None) -> dict | None:
    if payload is None:
        return None
    kept = {name: value for name, value in payload.items() if name not in transform["remove"]}
    original = {name: value for name, value in kept.items() if name not in transform["rename"]}
    renamed = {transform["rename"][name]: value for name, value in kept.items() if name in transform["rename"]}
    return original | renamed | transform["set"]


def answered(body: bytes) -> tuple[dict, dict]:
    """Give the route and the answer, without its subject."""
    path, method, payload = shaped(parsed(body))
    path, mark, query = path.partition("?")
    decoded = segments(path)
    route, params = match(decoded, method)
    return route, {
        "route": route["id"],
        "service": route["service"],
        "upstream_path": rewritten(route, params, decoded) + mark + query,
        "params": params,
        "payload": transformed(route["transform"], payload),
    }


def judged_by_their_body() -> list:
    """Give every exchange whose outcome follows from the body of `POST /route` and the token alone."""
    chosen = []
    for case in CASES:
        for number, step in enumerate(case.steps):
            request, expect = step.request, step.expect
            about_route = request and (request["method"], request["target"]) == ("POST", "/route") and "body" in request
            # A list of statuses: the contract leaves it open. Media types and limits come before the body.
            open_ended = isinstance(expect.get("status"), list)
            before = expect.get("error") in ("unsupported_media_type", "body_too_large")
            if about_route and not open_ended and not before:
                chosen.append(pytest.param(step, id=f"{case.group}: {case.name} ({number})"))
    return chosen


@pytest.mark.parametrize("step", judged_by_their_body())
def test_the_contract_told_again_agrees_with_the_vector(step):
    expect = step.expect
    body = vectors.octets(step.request["body"])
    if expect.get("error") in ("invalid_json", "invalid_request", "no_route"):
        with pytest.raises(Refused, match=expect["error"]):
            answered(body)
        return
    route, answer = answered(body)
    if "error" in expect:
        assert expect["error"] in REFUSALS_OF_A_TOKEN
        assert route["auth"] == "jwt"
        assert route["scope"] or expect["error"] != "insufficient_scope"
        return
    assert expect["status"] == 200
    assert route["auth"] == "none" or step.token
    wanted = as_doubles(json.dumps(expect.get("json", expect.get("json_has", {}))))
    subject = wanted.pop("subject", None)
    assert subject is None or route["auth"] == "jwt"
    assert same(wanted, {name: answer[name] for name in wanted})
    assert "json_has" in expect or wanted.keys() == answer.keys()


def test_many_exchanges_are_judged_by_the_contract_told_again():
    assert len(judged_by_their_body()) > 300


def test_there_are_enough_cases_and_their_names_are_unique():
    assert len(CASES) >= 200
    assert [name for name, count in Counter(case.name for case in CASES).items() if count > 1] == []


def test_every_setup_exists_and_is_used():
    assert {case.setup for case in CASES} == set(vectors.setups())


def test_every_error_code_of_the_contract_is_expected_somewhere():
    expected = {e.get("error") for c in CASES for s in c.steps for e in s.expect.get("answers", (s.expect,))} - {None}
    documented = set(OPENAPI["components"]["schemas"]["Error"]["properties"]["error"]["enum"])
    # draining takes a SIGTERM, not_exposed a runtime without its flag: neither is a vector.
    assert documented - expected == {"draining", "not_exposed"}
    assert expected <= documented


def test_the_codes_have_the_statuses_of_the_contract():
    text = (paths.CONTRACT / "README.md").read_text()
    table = {code: int(status) for status, code in re.findall(r"^\| (\d+) \| `(\w+)` \|", text, re.MULTILINE)}
    assert len(table) >= 15
    for case in CASES:
        for step in case.steps:
            for expect in step.expect.get("answers", (step.expect,)):
                assert "error" not in expect or expect["status"] == table[expect["error"]], case.name


def test_every_case_can_be_sent():
    for case in CASES:
        for step in case.steps:
            assert vectors.pieces(step, {"token": "a.b.c", "upstream": "127.0.0.1:9"})[0], case.name


def test_a_malformed_line_is_refused_with_its_place(tmp_path):
    (tmp_path / "wrong.jsonl").write_text('{"name": "x", "route": {}, "expekt": {"status": 200}}\n')
    with pytest.raises(SuiteInvalid, match=r"wrong\.jsonl, line 1 .*expekt"):
        vectors.cases(tmp_path)


def test_a_line_without_an_expected_status_is_refused(tmp_path):
    (tmp_path / "wrong.jsonl").write_text('{"name": "x", "route": {}, "expect": {"error": "no_route"}}\n')
    with pytest.raises(SuiteInvalid, match="without a status"):
        vectors.cases(tmp_path)


def test_the_openapi_description_is_valid():
    validate(OPENAPI)


def test_expected_answers_fit_the_openapi_description():
    schema = {**OPENAPI["components"]["schemas"]["RouteAnswer"]}
    answers = [step.expect["json"] for case in CASES for step in case.steps if "route" in step.expect.get("json", ())]
    assert len(answers) > 150
    for answer in answers:
        jsonschema.validate(answer, schema)


# The routing table.


def names(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+(?:\.\.\.)?)\}", text))


def test_the_table_is_of_realistic_size():
    assert 300 <= len(ROUTES) <= 360
    assert len(TABLE["services"]) >= 14
    assert {route["service"] for route in ROUTES} == set(TABLE["services"])


def test_a_quarter_of_the_routes_needs_a_token_and_half_of_those_a_scope():
    with_token = [route for route in ROUTES if route["auth"] == "jwt"]
    assert 0.2 < len(with_token) / len(ROUTES) < 0.3
    assert 0.4 < sum(route["scope"] is not None for route in with_token) / len(with_token) < 0.6


def test_a_third_of_the_routes_transforms():
    assert 0.25 < sum(any(route["transform"].values()) for route in ROUTES) / len(ROUTES) < 0.4


def test_route_ids_are_unique():
    assert len({route["id"] for route in ROUTES}) == len(ROUTES)


def test_no_two_routes_of_a_method_have_the_same_shape():
    shapes = Counter((r["method"], re.sub(r"\{\w+(\.\.\.)?\}", r"{\1}", r["pattern"])) for r in ROUTES)
    assert [shape for shape, count in shapes.items() if count > 1] == []


def test_every_route_is_whole():
    for route in ROUTES:
        check_route(route)


def check_route(route):
    assert list(route) == ["id", "method", "pattern", "service", "rewrite", "auth", "scope", "transform"]
    assert route["method"] in METHODS
    assert route["pattern"].startswith("/")
    assert route["rewrite"].startswith("/")
    pieces = route["pattern"][1:].split("/")
    assert all(kind(piece) < 2 for piece in pieces[:-1])
    assert all(piece and (kind(piece) or not set("{}") & set(piece)) for piece in pieces)
    assert names(route["rewrite"]) <= names(route["pattern"])
    assert len(names(route["pattern"])) == sum(kind(piece) > 0 for piece in pieces)
    assert route["rewrite"].isascii()
    assert route["auth"] in ("none", "jwt")
    assert route["scope"] is None or route["auth"] == "jwt"


def test_every_transform_has_one_outcome():
    for route in ROUTES:
        remove, rename = route["transform"]["remove"], route["transform"]["rename"]
        assert not set(remove) & set(rename), route["id"]
        assert len(set(rename.values())) == len(rename), route["id"]
        assert all(old != new for old, new in rename.items()), route["id"]


def test_every_service_is_whole():
    for service in TABLE["services"].values():
        assert service["auth"] in ("none", "jwt")
        assert service["scope"] is None or service["auth"] == "jwt"


def test_the_table_has_one_route_a_line():
    lines = (paths.CONTRACT / "routes.json").read_text().splitlines()
    assert sum(line.startswith('  {"id": ') for line in lines) == len(ROUTES)
