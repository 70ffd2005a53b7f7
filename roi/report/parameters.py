"""Strict parameters: what a notebook's `parameters` cell declares, and values checked against it before a kernel starts.

A declaration is `name: type = value  # help`. Types are int, float, bool, str, `Literal[...]` of them, each alone or with
`| None`, and `list` of one of the first four; without an annotation the type is that of the value. A bracket at the end
of the comment bounds the value: `# zoom [1, 2, 4]` or `# share of traffic [0 .. 1]`.
"""

from __future__ import annotations

import ast
import io
import json
import math
import re
import tokenize
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from roi.errors import BadParameters, UnknownName

_SCALARS = {"int": int, "float": float, "bool": bool, "str": str}


@dataclass(frozen=True)
class Parameter:
    """One parameter that a notebook declares."""

    name: str
    type: str
    """int, float, bool, str, or list[...] of one of them."""
    default: Any
    help: str = ""
    allowed: tuple[Any, ...] = ()
    """The only values it may have; any of its type if empty."""
    range: tuple[float, float] | None = None
    """Least and greatest value."""
    optional: bool = False
    """It may be None."""

    def check(self, value: Any) -> Any:
        """Give the value as the declared type; raises `BadParameters` when it does not fit."""
        if value is None:
            if self.optional:
                return None
            raise self._bad(value)
        if self.type.startswith("list["):
            if not isinstance(value, list | tuple):
                raise self._bad(value)
            return [self._check_scalar(item, self.type[5:-1]) for item in value]
        return self._check_scalar(value, self.type)

    def parse(self, text: str) -> Any:
        """Give the value that a command line's text stands for; raises `BadParameters` when it stands for none."""
        if self.optional and text.lower() in ("none", ""):
            return None
        if self.type.startswith("list["):
            items = [item.strip() for item in text.split(",")] if text.strip() else []
            return self.check([self._parse_scalar(item, self.type[5:-1]) for item in items])
        return self.check(self._parse_scalar(text, self.type))

    def _check_scalar(self, value: Any, type_: str) -> Any:
        if type_ == "float" and type(value) is int:
            value = float(value)
        # `type` and not isinstance: True is an int to Python, and not to a reader.
        if type(value) is not _SCALARS[type_] or (type_ == "float" and not math.isfinite(value)):
            raise self._bad(value)
        if self.allowed and value not in self.allowed:
            raise self._bad(value)
        if self.range and not self.range[0] <= value <= self.range[1]:
            raise self._bad(value)
        return value

    def _parse_scalar(self, text: str, type_: str) -> Any:
        if type_ == "str":
            return text
        if type_ == "bool":
            known = {"true": True, "false": False}
            if text.lower() not in known:
                raise self._bad(text)
            return known[text.lower()]
        try:
            return _SCALARS[type_](text)
        except ValueError:
            raise self._bad(text) from None

    def _bad(self, value: Any) -> BadParameters:
        return BadParameters(f"The parameter {self.name} cannot be {value!r}: it is {self.describe()}.")

    def describe(self) -> str:
        """Say in words what it may be."""
        what = f"one of {', '.join(map(repr, self.allowed))}" if self.allowed else self.type
        if self.range:
            what += f" from {self.range[0]:g} to {self.range[1]:g}"
        return what + (" or None" if self.optional else "") + (f" ({self.help})" if self.help else "")


def declared(path: Path) -> dict[str, Parameter]:
    """Give the parameters that a notebook declares, by name; none when it has no cell tagged `parameters`.

    Raises
    ------
    BadParameters
        It is no notebook, has several such cells, or one declares something that is not flat and typed.
    """
    # Not by nbformat: its validator takes a second to load, and a page that looks up another's parameters pays for it.
    try:
        notebook = json.loads(path.read_text())
        tagged = [cell for cell in notebook["cells"] if "parameters" in cell["metadata"].get("tags", [])]
        cells = ["".join(cell["source"]) for cell in tagged]
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise BadParameters(f"{path.name} cannot be read as a notebook: {type(error).__name__}, {error}") from error
    if len(cells) > 1:
        raise BadParameters(f"{path.name} has {len(cells)} cells tagged `parameters`: keep one.")
    try:
        return read_declarations(cells[0]) if cells else {}
    except BadParameters as error:
        raise BadParameters(f"{path.name}: {error}") from error


def defaults(path: Path) -> dict[str, Any]:
    """Give the values that a notebook's parameters have when nobody sets them; raises as `declared` does."""
    return {name: parameter.default for name, parameter in declared(path).items()}


def read_declarations(source: str) -> dict[str, Parameter]:
    """Give the parameters that the source of a `parameters` cell declares, by name."""
    try:
        statements = ast.parse(source).body
    except SyntaxError as error:
        raise BadParameters(f"the parameters cell is not Python: line {error.lineno}, {error.msg}") from error
    comments = _comments(source)
    found = {}
    for statement in statements:
        match statement:
            case ast.ImportFrom(module="typing", names=[ast.alias(name="Literal")]):
                continue
            case ast.Expr(value=ast.Constant(value=str())):
                continue
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=ast.expr() as value):
                pass
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                annotation = None
            case _:
                raise BadParameters(f"line {statement.lineno} of the parameters cell is not `name: type = value`.")
        found[name] = _parameter(name, annotation, value, comments.get(statement.end_lineno, ""))
    return found


def _comments(source: str) -> dict[int, str]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {token.start[0]: token.string.lstrip("# ").rstrip() for token in tokens if token.type == tokenize.COMMENT}


def _parameter(name: str, annotation: ast.expr | None, value: ast.expr, comment: str) -> Parameter:
    try:
        default = ast.literal_eval(value)
    except ValueError:
        raise BadParameters(f"the parameter {name} is not a literal value.") from None
    type_, allowed, optional = _annotated(name, annotation) if annotation else (_type_of(name, default), (), False)
    bounds, bracket = None, re.search(r"\s*\[([^\]]+)\]$", comment)
    if bracket:
        comment = comment[: bracket.start()]
        if ".." in bracket[1]:
            least, most = bracket[1].split("..")
            bounds = (_bound(name, least, -math.inf), _bound(name, most, math.inf))
        else:
            parser = Parameter(name, type_.removeprefix("list[").removesuffix("]"), None)
            allowed = tuple(parser.parse(item.strip()) for item in bracket[1].split(","))
    if bounds and type_ not in ("int", "float", "list[int]", "list[float]"):
        raise BadParameters(f"the parameter {name} has a range, and is no number.")
    parameter = Parameter(name, type_, None, comment, allowed, bounds, optional)
    return Parameter(name, type_, parameter.check(default), comment, allowed, bounds, optional)


def _bound(name: str, text: str, none: float) -> float:
    try:
        return float(text) if text.strip() else none
    except ValueError:
        raise BadParameters(f"the range of the parameter {name} has no number in {text.strip()!r}.") from None


def _annotated(name: str, annotation: ast.expr) -> tuple[str, tuple[Any, ...], bool]:
    match annotation:
        case ast.BinOp(left=left, op=ast.BitOr(), right=ast.Constant(value=None)):
            type_, allowed, _ = _annotated(name, left)
            return type_, allowed, True
        case ast.Name(id=type_) if type_ in _SCALARS:
            return type_, (), False
        case ast.Subscript(value=ast.Name(id="list"), slice=ast.Name(id=type_)) if type_ in _SCALARS:
            return f"list[{type_}]", (), False
        case ast.Subscript(value=ast.Name(id="Literal"), slice=values):
            allowed = ast.literal_eval(values)
            allowed = allowed if isinstance(allowed, tuple) else (allowed,)
            types = {_type_of(name, value) for value in allowed}
            if len(types) == 1:
                return types.pop(), allowed, False
    raise BadParameters(f"the parameter {name} has the type {ast.unparse(annotation)}, which is not a flat one.")


def _type_of(name: str, value: Any) -> str:
    if type(value) in _SCALARS.values():
        return type(value).__name__
    if (
        isinstance(value, list)
        and value
        and len({type(item) for item in value}) == 1
        and type(value[0]) in _SCALARS.values()
    ):
        return f"list[{type(value[0]).__name__}]"
    raise BadParameters(
        f"the parameter {name} does not tell its type: annotate it, as in `{name}: float | None = None`."
    )


def check(parameters: Mapping[str, Parameter], values: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Check typed values, such as a catalogue's, against what is declared.

    Raises
    ------
    UnknownName
        A name is not declared; the message shows the near ones.
    BadParameters
        A value does not fit its parameter.
    """
    for name in values:
        if name not in parameters:
            raise UnknownName(f"parameter of {where}", name, parameters)
    return {name: parameters[name].check(value) for name, value in values.items()}


def split(options: Iterable[str]) -> dict[str, str]:
    """Split `name=value` texts of a command line; raises `BadParameters` for one without a name or given twice."""
    given: dict[str, str] = {}
    for option in options:
        name, equals, value = option.partition("=")
        if not equals or not name.isidentifier():
            raise BadParameters(f"{option!r} is not name=value, such as: -p horizon_months=24")
        if name in given:
            raise BadParameters(f"The parameter {name} is given twice.")
        given[name] = value
    return given
