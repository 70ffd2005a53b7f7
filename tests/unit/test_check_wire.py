"""Reading answers off the wire, and judging them."""

import pytest

from bench.gateways.expect import judge, judge_upstream, same
from bench.gateways.upstream import Seen
from bench.gateways.wire import Answer, Malformed, parse

TRACE = ("traceresponse", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
JSON = ("Content-Type", "application/json; charset=utf-8")


def answer(
    status: int = 200, body: bytes = b'{"status":"ok"}', *headers: tuple[str, str], whole: bool = True
) -> Answer:
    return Answer(status, (JSON, TRACE, ("Content-Length", str(len(body))), *headers), body, whole)


def complaints(expect: dict, came: Answer | None, **filled: str) -> list[str]:
    return [difference.what for difference in judge(expect, came, filled)]


def test_an_answer_ends_with_its_length():
    came, length = parse(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 404", ended=False)
    assert (came.status, came.body, length) == (200, b"ok", 40)


def test_chunks_are_joined_and_trailers_read():
    octets = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nok\r\n1\r\n!\r\n0\r\nX: 1\r\n\r\nrest"
    came, length = parse(octets, ended=False)
    assert came.body == b"ok!"
    assert octets[length:] == b"rest"


@pytest.mark.parametrize("end", range(1, 58))
def test_a_part_of_an_answer_is_no_answer(end):
    octets = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"
    assert len(octets) == 58
    assert parse(octets[:end], ended=False) is None


def test_a_body_cut_off_is_not_whole():
    came, _ = parse(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", ended=True)
    assert not came.whole
    assert came.body == b"half"


def test_an_answer_without_a_length_ends_with_its_connection():
    octets = b"HTTP/1.1 200 OK\r\n\r\nto the end"
    assert parse(octets, ended=False) is None
    assert parse(octets, ended=True)[0] == Answer(200, (), b"to the end")


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified", "100 Continue"])
def test_some_statuses_have_no_body(status):
    head = f"HTTP/1.1 {status}\r\nContent-Length: 5\r\n\r\n".encode()
    assert parse(head + b"HTTP/", ended=False)[1] == len(head)


def test_an_answer_to_head_has_no_body():
    assert parse(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", ended=False, head=True)[0].body == b""


@pytest.mark.parametrize(
    "octets",
    [
        b"BANANA\r\n\r\n",
        b"HTTP/2.0 200 OK\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX : 1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxyz\r\n",
    ],
)
def test_what_is_not_http_is_refused(octets):
    with pytest.raises(Malformed):
        parse(octets, ended=True)


def test_a_right_answer_has_no_difference():
    assert complaints({"status": 200, "json": {"status": "ok"}}, answer()) == []


@pytest.mark.parametrize(
    ("expect", "came", "what"),
    [
        ({"status": 404}, answer(), "status"),
        ({"status": [400, 404]}, answer(), "status"),
        ({"status": "4xx"}, answer(), "status"),
        ({"status": 200, "json": {"status": "no"}}, answer(), "body.status"),
        ({"status": 200, "json": {}}, answer(), "body.status"),
        ({"status": 200, "json_has": {"other": None}}, answer(), "member other"),
        ({"status": 200, "types": {"status": "number"}}, answer(), "member status"),
        ({"status": 200, "types": {"status": "integer"}}, answer(200, b'{"status":1.5}'), "member status"),
        ({"status": 200, "types": {"status": "number"}}, answer(200, b'{"status":true}'), "member status"),
        ({"status": 200, "json": {}}, answer(200, b"{'a':1}"), "body"),
        ({"status": 200, "json": {}}, answer(200, b"\xff"), "body"),
        ({"status": 200, "json": {"n": None}}, answer(200, b'{"n":NaN}'), "body"),
        ({"status": 200, "body": "x"}, answer(), "body"),
        ({"status": 200, "contains": ["none"]}, answer(), "body"),
        ({"status": 400, "error": "no_route"}, answer(400, b'{"error":"no_route"}'), "error"),
        ({"status": 400, "error": "no_route"}, answer(400, b'{"error":"not_found","message":"x"}'), "error"),
        ({"status": 400, "error": "no_route"}, answer(400, b'{"error":"no_route","message":"x","a":1}'), "error"),
        ({"status": 200, "headers": {"X": "1"}}, answer(), "header X"),
        ({"status": 200, "headers": {"X": True}}, answer(), "header X"),
        ({"status": 200, "headers": {"X": "~^1"}}, answer(), "header X"),
        ({"status": 200, "headers": {"X": None}}, answer(200, b"{}", ("X", "")), "header X"),
        ({"status": 200, "headers": {"X": ["1", "2"]}}, answer(200, b"{}", ("X", "1, 2")), "header X"),
        ({"status": 200}, None, "answer"),
        ({"status": 200, "cut": True}, None, "answer"),
        ({"status": 200}, answer(whole=False), "body"),
        ({"status": 200, "closed": True}, answer(whole=False), "body"),
        ({"status": 200}, Answer(200, (JSON, TRACE), b"{}"), "header Content-Length"),
        ({"status": 200}, Answer(200, (TRACE, ("Content-Length", "2")), b"{}"), "header Content-Type"),
        ({"status": 200}, Answer(200, (JSON, ("Content-Length", "2")), b"{}"), "header traceresponse"),
        ({"status": 200, "from": "upstream"}, Answer(200, (), b""), "header traceresponse"),
        ({"status": 400, "error": "x", "closed": True}, Answer(400, (), b""), "header traceresponse"),
    ],
)
def test_a_wrong_answer_is_told_by_what_is_wrong(expect, came, what):
    assert what in complaints(expect, came)


def test_what_is_left_open_is_accepted():
    assert complaints({"status": "4xx", "closed": True}, None) == []
    assert complaints({"status": "4xx", "closed": True}, Answer(431, (), b"")) == []
    assert complaints({"status": 502, "cut": True}, answer(whole=False)) == []
    assert complaints({"status": 200, "headers": {"X": "~^(close)?$"}}, answer()) == []


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (1, 1.0, True),
        (0, -0.0, True),
        (1, True, False),
        ("1", 1, False),
        ([], {}, False),
        (None, {}, False),
        ([1, 2], [2, 1], False),
        ({"a": [1]}, {"a": [1.0]}, True),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
    ],
)
def test_json_is_compared_by_value(one, other, equal):
    assert same(one, other) is equal


SEEN = Seen("GET", "/catalog/x?y", (("Host", "127.0.0.1:9"), ("X", "1"), ("x", "2")), b"body")


@pytest.mark.parametrize(
    ("wanted", "what"),
    [
        ({"method": "POST"}, "method at the upstream"),
        ({"target": "/catalog/x"}, "target at the upstream"),
        ({"headers": {"X": "1"}}, "header X at the upstream"),
        ({"headers": {"Y": ""}}, "header Y at the upstream"),
        ({"headers": {"X": None}}, "header X at the upstream"),
        ({"body": ""}, "body at the upstream"),
        ({"count": 0}, "requests at the upstream"),
        ({"count": 2}, "requests at the upstream"),
    ],
)
def test_what_the_upstream_should_not_have_seen_is_told(wanted, what):
    assert [difference.what for difference in judge_upstream(wanted, [SEEN], {})] == [what]


def test_what_the_upstream_should_have_seen_is_accepted():
    wanted = {"method": "GET", "target": "~^/catalog", "headers": {"X": "1, 2", "Host": "{upstream}"}, "body": "body"}
    assert judge_upstream(wanted, [SEEN], {"upstream": "127.0.0.1:9"}) == []
