"""Judging an answer: what the contract says of it, and what came instead."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.gateways.upstream import Seen
from bench.gateways.vectors import octets
from bench.gateways.wire import Answer

_SHORT = 160
_TRACERESPONSE = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_JSON_TYPE = re.compile(r"application/json\s*(;.*)?", re.IGNORECASE)
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,), "number": (int, float), "integer": (int,), "boolean": (bool,), "array": (list,),
    "object": (dict,), "null": (type(None),),
}  # fmt: skip


@dataclass(frozen=True)
class Difference:
    """One thing that is not as the contract says."""

    what: str
    expected: str
    came: str

    def __str__(self) -> str:
        return f"{self.what}: expected {self.expected}, came {self.came}"


def differ(what: str, expected: object, came: object) -> Difference:
    """Make a difference whose two sides are short enough to print."""
    return Difference(what, _short(expected), _short(came))


def judge(
    expect: Mapping[str, Any], answer: Answer | None, filled: Mapping[str, str], head: bool = False
) -> list[Difference]:
    """Give what an answer lacks; empty when it is right.

    Parameters
    ----------
    answer
        None when the connection was closed without one.
    filled
        Placeholders of the expectation, by name.
    """
    if answer is None:
        return [] if expect.get("closed") else [differ("answer", expect["status"], "a closed connection")]
    if not answer.whole:
        return [] if expect.get("cut") else [differ("body", "whole", f"cut after {len(answer.body)} bytes")]
    return [
        *_status(expect, answer),
        *_own(expect, answer, head),
        *_headers(expect, answer, filled),
        *_content(expect, answer),
    ]


def _status(expect: Mapping[str, Any], answer: Answer) -> Iterator[Difference]:
    allowed = expect["status"] if isinstance(expect["status"], list) else [expect["status"]]
    if answer.status not in allowed and f"{answer.status // 100}xx" not in allowed:
        yield differ("status", expect["status"], f"{answer.status} {answer.body[:_SHORT].decode(errors='replace')}")


def _own(expect: Mapping[str, Any], answer: Answer, head: bool) -> Iterator[Difference]:
    """Check what holds for every answer that the gateway itself gives."""
    protocol_error = expect.get("closed") and "error" not in expect
    if protocol_error:
        return
    traces = answer.values("traceresponse")
    if len(traces) != 1 or not _TRACERESPONSE.fullmatch(traces[0]):
        yield differ("header traceresponse", "one, of version 00", traces)
    if expect.get("from") == "upstream" or head:
        return
    types = answer.values("content-type")
    if "Content-Type" not in expect.get("headers", {}) and not (len(types) == 1 and _JSON_TYPE.fullmatch(types[0])):
        yield differ("header Content-Type", "application/json", types)
    if not answer.values("content-length"):
        yield differ("header Content-Length", "present", "absent")


def _headers(expect: Mapping[str, Any], answer: Answer, filled: Mapping[str, str]) -> Iterator[Difference]:
    for name, wanted in expect.get("headers", {}).items():
        values = answer.values(name)
        if isinstance(wanted, list):
            if values != wanted:
                yield differ(f"header {name}", wanted, values)
        elif not _matches(wanted, ", ".join(values) if values else None, filled):
            yield differ(f"header {name}", _absent(wanted), values or "absent")


def _content(expect: Mapping[str, Any], answer: Answer) -> Iterator[Difference]:
    if "body" in expect and answer.body != (wanted := octets(expect["body"])):
        yield differ("body", _sized(wanted), _sized(answer.body))
    for text in expect.get("contains", ()):
        if text.encode() not in answer.body:
            yield differ("body", f"to contain {text!r}", answer.body)
    if not {"error", "json", "json_has", "types"} & set(expect):
        return
    try:
        came = as_doubles(answer.body.decode())
    except ValueError as error:
        yield differ("body", "JSON in UTF-8", f"{error}: {answer.body[:_SHORT]!r}")
        return
    yield from _json(expect, came)


def _json(expect: Mapping[str, Any], came: Any) -> Iterator[Difference]:
    members = came if isinstance(came, dict) else {}
    if "error" in expect:
        if members.get("error") != expect["error"]:
            yield differ("error", expect["error"], came)
        elif not (isinstance(members.get("message"), str) and members["message"] and len(members) == 2):
            yield differ("error", "the members error and message, a sentence", came)
    if "json" in expect and not same(wanted := as_doubles(json.dumps(expect["json"])), came):
        yield _first(wanted, came)
    for name, wanted in expect.get("json_has", {}).items():
        if name not in members or not same(as_doubles(json.dumps(wanted)), members[name]):
            yield differ(f"member {name}", wanted, members.get(name, "absent"))
    for name, kinds in expect.get("types", {}).items():
        allowed = [kinds] if isinstance(kinds, str) else kinds
        if name not in members or not any(_is(kind, members[name]) for kind in allowed):
            yield differ(f"member {name}", kinds, members.get(name, "absent"))


def judge_upstream(wanted: Mapping[str, Any], seen: Sequence[Seen], filled: Mapping[str, str]) -> list[Difference]:
    """Give how what the upstream saw differs from what it should have seen."""
    count = wanted.get("count", 1)
    about_requests = {"count", "method", "target", "headers", "body"} & set(wanted)
    if about_requests and len(seen) != count:
        return [differ("requests at the upstream", count, [f"{s.method} {s.target}" for s in seen])]
    return [difference for one in seen for difference in _seen(wanted, one, filled)]


def _seen(wanted: Mapping[str, Any], seen: Seen, filled: Mapping[str, str]) -> Iterator[Difference]:
    for part, came in (("method", seen.method), ("target", seen.target)):
        if part in wanted and not _matches(wanted[part], came, filled):
            yield differ(f"{part} at the upstream", wanted[part], came)
    for name, value in wanted.get("headers", {}).items():
        came = seen.header(name)
        if not _matches(value, came, filled):
            yield differ(f"header {name} at the upstream", _absent(value), "absent" if came is None else came)
    if "body" in wanted and seen.body != (body := octets(wanted["body"])):
        yield differ("body at the upstream", _sized(body), _sized(seen.body))


def _matches(wanted: Any, came: str | None, filled: Mapping[str, str]) -> bool:
    """Compare a text with what is wanted: a text, `~` and a pattern (to which absent is empty), or null for none."""
    if isinstance(wanted, str) and wanted.startswith("~"):
        return re.search(wanted[1:], came or "") is not None
    if wanted is None or came is None:
        return wanted is None and came is None
    for placeholder, value in filled.items():
        wanted = wanted.replace(f"{{{placeholder}}}", value)
    return wanted == came


def _absent(wanted: Any) -> Any:
    return "absent" if wanted is None else wanted


def as_doubles(text: str) -> Any:
    """Parse JSON with every number as a double and the last of duplicate members; NaN and the like are refused."""

    def refuse(constant: str) -> float:
        raise ValueError(f"{constant} is no JSON")

    return json.loads(text, parse_int=_number, parse_constant=refuse)


def _number(digits: str) -> Any:
    """Keep what a double holds exactly as an integer, so that types stay tellable; round what it does not."""
    whole = int(digits)
    return whole if abs(whole) <= 2**53 else float(digits)


def same(wanted: Any, came: Any) -> bool:
    """Compare two JSON values; 1, 1.0 and 1e0 are one number, true is none."""
    if isinstance(wanted, bool) or isinstance(came, bool):
        return wanted is came
    if isinstance(wanted, dict) and isinstance(came, dict):
        return wanted.keys() == came.keys() and all(same(value, came[name]) for name, value in wanted.items())
    if isinstance(wanted, list) and isinstance(came, list):
        return len(wanted) == len(came) and all(map(same, wanted, came))
    if isinstance(wanted, dict | list) or isinstance(came, dict | list):
        return False
    return wanted == came


def _first(wanted: Any, came: Any, where: str = "body") -> Difference:
    """Name the first place where two unequal JSON values differ."""
    if isinstance(wanted, dict) and isinstance(came, dict):
        for name in [*wanted, *came]:
            if name not in wanted or name not in came:
                return differ(f"{where}.{name}", wanted.get(name, "absent"), came.get(name, "absent"))
            if not same(wanted[name], came[name]):
                return _first(wanted[name], came[name], f"{where}.{name}")
    return differ(where, json.dumps(wanted, ensure_ascii=False), json.dumps(came, ensure_ascii=False))


def _is(kind: str, value: Any) -> bool:
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _sized(body: bytes) -> str:
    return f"{len(body)} bytes {body[:60]!r}"


def _short(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= _SHORT else f"{text[:_SHORT]}… ({len(text)} characters)"
