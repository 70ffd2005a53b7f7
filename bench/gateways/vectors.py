"""The vectors and their setups, read from the contract's folder and turned into what is sent.

The language is described in `contract/vectors/README.md`.
"""

from __future__ import annotations

import base64
import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import paths
from bench.errors import SuiteInvalid
from bench.gateways.wire import End, Pause, Piece, Reset

VECTORS = paths.CONTRACT / "vectors"
SETUPS = paths.CONTRACT / "setups.toml"

_SENDS = ("route", "body", "request", "raw")
_CASE_MEMBERS = frozenset({"name", "setup", *_SENDS, "steps", "token", "headers", "same_connection", "expect", "why"})
_STEP_MEMBERS = frozenset({*_SENDS, "token", "headers", "expect", "times", "at_once", "after_ms"})
_EXPECTATIONS = frozenset(
    {
        "status", "error", "json", "json_has", "types", "body", "contains", "headers", "from", "closed", "cut",
        "closes", "alone", "within_ms", "after_at_least_ms", "upstream", "answers",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Setup:
    """How a gateway is started for the cases that name it."""

    name: str
    env: Mapping[str, str]
    without: frozenset[str]
    """Variables of the usual environment that it does not get."""
    upstream: str
    """scripted or refusing."""


@dataclass(frozen=True)
class Step:
    """One exchange of a case."""

    request: Mapping[str, Any] | None
    """None when `raw` is sent."""
    raw: tuple[Any, ...]
    token: Mapping[str, Any] | None
    expect: Mapping[str, Any]
    times: int = 1
    at_once: int = 1
    after_s: float = 0.0

    @property
    def is_head(self) -> bool:
        """Whether the answer must not have a body."""
        return self.request is not None and self.request["method"] == "HEAD"


@dataclass(frozen=True)
class Case:
    """One line of a vector file."""

    name: str
    group: str
    """The file's name."""
    setup: str
    steps: tuple[Step, ...]
    same_connection: bool = False
    why: str = field(default="", compare=False)


def setups() -> dict[str, Setup]:
    """Give every setup by its name."""
    return {
        name: Setup(name, said.get("env", {}), frozenset(said.get("without", ())), said.get("upstream", "scripted"))
        for name, said in tomllib.loads(SETUPS.read_text()).items()
    }


def cases(folder: Path = VECTORS) -> list[Case]:
    """Give every case, file by file.

    Raises
    ------
    SuiteInvalid
        A line is not a case; the message names file and line.
    """
    return [case for path in sorted(folder.glob("*.jsonl")) for case in _file(path)]


def _file(path: Path) -> Iterator[Case]:
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        if line:
            try:
                yield _case(path.stem, json.loads(line))
            except (ValueError, KeyError, TypeError) as error:
                raise SuiteInvalid(f"{path.name}, line {number} is not a case: {error}") from error


def _case(group: str, said: Mapping[str, Any]) -> Case:
    _only(said, _CASE_MEMBERS)
    said = _expanded(said)
    steps = said.get("steps") or [{key: said[key] for key in (*_SENDS, "expect") if key in said}]
    own = {key: said[key] for key in ("token", "headers") if key in said}
    return Case(
        name=said["name"],
        group=group,
        setup=said.get("setup", "default"),
        steps=tuple(_step(own | step) for step in steps),
        same_connection=said.get("same_connection", False),
        why=said.get("why", ""),
    )


def _step(said: Mapping[str, Any]) -> Step:
    _only(said, _STEP_MEMBERS)
    for expectation in said["expect"].get("answers", (said["expect"],)):
        _only(expectation, _EXPECTATIONS)
        if not {"status", "answers"} & set(expectation):
            raise ValueError("an expectation without a status")
    return Step(
        request=_request(said),
        raw=tuple(said.get("raw", ())),
        token=said.get("token"),
        expect=said["expect"],
        times=said.get("times", 1),
        at_once=said.get("at_once", 1),
        after_s=said.get("after_ms", 0) / 1000,
    )


def _request(said: Mapping[str, Any]) -> Mapping[str, Any] | None:
    sends = [key for key in _SENDS if key in said]
    if len(sends) != 1:
        raise ValueError(f"a step sends one of {', '.join(_SENDS)}, not {sends}")
    if "raw" in said:
        return None
    if "request" in said:
        return {"method": "GET", **said["request"]}
    body = {"json": said["route"]} if "route" in said else said["body"]
    return {"method": "POST", "target": "/route", "headers": said.get("headers", {}), "body": body}


def _only(said: Mapping[str, Any], known: frozenset[str]) -> None:
    if unknown := set(said) - known:
        raise ValueError(f"unknown members {sorted(unknown)}")


def _expanded(value: Any) -> Any:
    """Replace every `{"repeat": …}` by the text that it stands for, innermost first."""
    if isinstance(value, list):
        return [_expanded(element) for element in value]
    if not isinstance(value, dict):
        return value
    value = {key: _expanded(element) for key, element in value.items()}
    if set(value) != {"repeat"}:
        return value
    return "".join(_repeated(text, count) for text, count in value["repeat"])


def _repeated(text: str, count: int) -> str:
    return "".join(text.replace("{i}", str(i)) for i in range(count)) if "{i}" in text else text * count


def octets(body: Any) -> bytes:
    """Give the bytes that the body language describes."""
    if isinstance(body, str):
        return body.encode()
    if "base64" in body:
        return base64.b64decode(body["base64"], validate=True)
    text = json.dumps(body["json"], ensure_ascii=False, separators=(",", ":")).encode()
    return text.ljust(body.get("pad_to", 0))


def pieces(step: Step, filled: Mapping[str, str]) -> list[Piece]:
    """Give what goes over the wire.

    Parameters
    ----------
    filled
        Placeholders: `{token}`, `{upstream}`.
    """
    if step.request is None:
        return [_piece(piece) for piece in step.raw]
    return [_head(step.request, filled, step.token is not None), *_body(step.request)]


def _piece(said: Any) -> Piece:
    if isinstance(said, dict):
        if "pause_ms" in said:
            return Pause(said["pause_ms"] / 1000)
        if "end" in said:
            return End()
        if "reset" in said:
            return Reset()
    return octets(said)


def _head(request: Mapping[str, Any], filled: Mapping[str, str], with_token: bool) -> bytes:
    fields: dict[str, Any] = {"Host": "gateway"}
    if "body" in request:
        fields["Content-Type"] = "application/json"
        if "chunked" in request:
            fields["Transfer-Encoding"] = "chunked"
        else:
            fields["Content-Length"] = str(len(octets(request["body"])))
    if with_token:
        fields["Authorization"] = "Bearer {token}"
    fields |= request.get("headers", {})
    lines = [f"{request['method']} {request['target']} HTTP/1.1"]
    for name, values in fields.items():
        lines += [f"{name}: {value}" for value in ([values] if isinstance(values, str) else values or [])]
    head = "\r\n".join(lines) + "\r\n\r\n"
    for placeholder, value in filled.items():
        head = head.replace(f"{{{placeholder}}}", value)
    return head.encode()


def _body(request: Mapping[str, Any]) -> list[bytes]:
    if "body" not in request:
        return []
    body = octets(request["body"])
    if "chunked" not in request:
        return [body]
    size = request["chunked"]
    chunks = [body[place : place + size] for place in range(0, len(body), size)]
    return [*(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks), b"0\r\n\r\n"]
