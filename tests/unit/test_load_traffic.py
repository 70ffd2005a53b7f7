"""Mixes of requests, and the requests that they stand for."""

from __future__ import annotations

import json
import random
from collections import Counter

import pytest

from bench.errors import LoadFailed
from bench.load import mix
from bench.load.traffic import route_request, route_traffic
from bench.paths import CONTRACT

HOST = "http://127.0.0.1:1"
ROUTES = {route["id"]: route for route in json.loads((CONTRACT / "routes.json").read_text())["routes"]}


def kinds(traffic):
    """Give how often each name comes in the order."""
    return Counter(traffic.names[traffic.name_of[request]] for request in traffic.order)


def bodies(traffic, name):
    return [
        request.partition(b"\r\n\r\n")[2]
        for request, index in zip(traffic.requests, traffic.name_of, strict=True)
        if traffic.names[index] == name
    ]


def within(count, of, share):
    """Four standard deviations of a binomial count."""
    return count == pytest.approx(of * share, abs=4 * (of * share * (1 - share)) ** 0.5)


def test_without_a_mix_routes_come_as_often_as_the_table_has_them():
    assert kinds(route_traffic(HOST, seed=1)) == {"/route": 65_536}
    counted = kinds(route_traffic(HOST, seed=1, tokens=["t"]))
    with_token = sum(route["auth"] == "jwt" for route in ROUTES.values())
    assert counted.keys() == {"/route", "/route with token"}
    assert within(counted["/route with token"], 65_536, with_token / len(ROUTES))


def test_kinds_of_a_mix_come_by_their_weights():
    traffic = route_traffic(HOST, seed=2, tokens=["t"], mix=mix.parse("route=8, token=2,large=0.1"))
    counted = kinds(traffic)
    assert sum(counted.values()) == 65_536
    for name, weight in (("/route", 8), ("/route with token", 2), ("/route with large payload", 0.1)):
        assert within(counted[name], 65_536, weight / 10.1)


def test_requests_with_a_token_have_one_and_the_others_have_none():
    traffic = route_traffic(HOST, seed=3, tokens=["secret"], mix={"route": 1, "token": 1, "large": 1})
    for request, index in zip(traffic.requests, traffic.name_of, strict=True):
        assert (b"Authorization: Bearer secret\r\n" in request) == (traffic.names[index] == "/route with token")


def test_large_payloads_are_just_below_64_kib_and_go_to_routes_that_take_one():
    traffic = route_traffic(HOST, seed=4, mix={"large": 1})
    large = bodies(traffic, "/route with large payload")
    assert len(large) == 64
    assert all(65_000 < len(body) <= 65_536 for body in large)
    assert {json.loads(body)["method"] for body in large} <= {"POST", "PUT", "PATCH"}
    assert max(map(len, bodies(route_traffic(HOST, seed=4), "/route"))) < 2_000


def test_only_the_kinds_that_are_left_are_sent():
    asked = {"seed": 5, "tokens": ["t"]}
    assert kinds(route_traffic(HOST, **asked, kinds=["token"])).keys() == {"/route with token"}
    assert kinds(route_traffic(HOST, **asked, kinds=["route", "large"])).keys() == {"/route"}
    assert kinds(route_traffic(HOST, **asked, mix={"route": 1, "large": 1}, kinds=["large"])).keys() == {
        "/route with large payload"
    }


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"kinds": []}, "leave no kind of request"),
        ({"kinds": ["large"]}, "leave no kind of request of the mix route=269,token=90"),
        ({"kinds": ["token"]}, "need bearer tokens"),
        ({"mix": {"route": 1, "token": 1}}, "need bearer tokens"),
        ({"mix": {"route": 1, "large": 1e-9}}, "weight of large is too small"),
    ],
)
def test_traffic_that_cannot_be_is_a_sentence(asked, said):
    with pytest.raises(LoadFailed, match=said):
        route_traffic(HOST, seed=6, **asked)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rout=1", "no kind named 'rout'. Did you mean route?"),
        ("route", "route has '' for a weight"),
        ("route=", "route has '' for a weight"),
        ("route=x", "route has 'x' for a weight"),
        ("route=0", "must be a positive number"),
        ("route=-1", "must be a positive number"),
        ("route=inf", "must be a positive number"),
        ("route=nan", "must be a positive number"),
        ("route=1,route=2", "route stands there twice"),
        ("=1", "no kind named ''"),
    ],
)
def test_a_malformed_mix_is_a_sentence_that_shows_the_kinds(text, said):
    with pytest.raises(LoadFailed) as failed:
        mix.parse(text)
    assert said in str(failed.value)
    assert "kinds: route, token, large" in str(failed.value)


def test_an_empty_mix_is_the_natural_one():
    assert mix.parse("") == mix.parse(" , ") == {}


def test_a_step_of_a_journey_matches_its_route_and_has_a_token_where_the_route_asks_for_one():
    body, headers = route_request("carts.items.add", random.Random(1), [])
    asked = json.loads(body)
    assert asked["method"] == "POST"
    path = asked["path"].partition("?")[0].split("/")
    assert (path[:3], path[4]) == (["", "v1", "carts"], "items")
    assert "Authorization" not in headers
    assert route_request("orders.create", random.Random(1), ["t"])[1]["Authorization"] == "Bearer t"
    with pytest.raises(LoadFailed, match=r"orders\.create needs bearer tokens"):
        route_request("orders.create", random.Random(1), [])
    with pytest.raises(LoadFailed, match=r"Did you mean orders\.create"):
        route_request("orders.creat", random.Random(1), ["t"])
