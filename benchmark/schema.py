"""YAML into frozen pydantic models: every error at once, each with its file and line.

Only plain data is read (no YAML tags); a key that occurs twice is refused; anchors and merge keys are allowed.
"""

from __future__ import annotations

import difflib
import re
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from yaml.composer import Composer
from yaml.constructor import SafeConstructor
from yaml.resolver import Resolver

from benchmark.errors import InvalidInputError

#: A place in a document: keys and list positions from the top.
Place: TypeAlias = tuple[str | int, ...]
Model = TypeVar("Model", bound=BaseModel)

#: Aliases can make a small file unfold into a huge one: no honest manifest comes near this.
_MOST_NODES = 20_000
_MOST_BYTES = 1 << 20
#: Pydantic's errors in the words of YAML.
_EXPECTED = {
    "tuple_type": "a list is expected",
    "list_type": "a list is expected",
    "dict_type": "`key: value` lines are expected",
    "mapping_type": "`key: value` lines are expected",
    "model_type": "`key: value` lines are expected",
    "string_type": "text is expected",
}
#: {error: the last part of its place} where a value is none of bool, int, float and str: one error for each of them.
_PLAIN = {"bool_type": ("bool",), "int_type": ("int",), "float_type": ("float",), "string_type": ("str",)}


class Frozen(BaseModel):
    """Base of all schemas: immutable, unknown keys refused, no NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, allow_inf_nan=False)


@dataclass
class Document:
    """A YAML file as plain data, with the line (from 1) of every key and list item, and what is wrong with it."""

    path: Path
    data: Any
    lines: dict[Place, int]
    problems: list[tuple[int, str]] = field(default_factory=list)

    def line(self, place: Place) -> int:
        """The line of a place, or of the nearest place above it."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)

    def problem(self, place: Place, message: str) -> None:
        """Note an error; `check` raises all of them together."""
        where = ".".join(str(part) for part in place)
        self.problems.append((self.line(place), f"{where}: {message}" if where else message))

    def check(self) -> None:
        """Raise InvalidInputError with every noted problem, one `file:line: key: what` a line."""
        if self.problems:
            found = sorted(set(self.problems))
            raise InvalidInputError("\n".join(f"{self.path}:{line}: {message}" for line, message in found))

    def parse(self, model: type[Model], data: Any = None) -> Model | None:
        """The document as a model; None where it does not fit, with each error noted."""
        try:
            return model.model_validate(self.data if data is None else data)
        except ValidationError as error:
            found = error.errors(include_url=False)
            for one in found:
                place = tuple(one["loc"])
                inner = (other for other in found if other["loc"][: len(place)] == place != other["loc"])
                if one["type"] == "too_short" and any(inner):
                    continue  # it counts without the faulty items, which have an error of their own
                if _PLAIN.get(one["type"]) == place[-1:]:
                    self.problem(place[:-1], "a number, a word, true or false is expected")
                else:
                    self.problem(place, _message(model, place, dict(one)))
            return None


def read_yaml(path: Path) -> Document:
    """Read one YAML file; raises InvalidInputError where it is missing, not YAML, or not a mapping of plain data.

    Top-level keys that begin with `x-` hold anchors for others to refer to; they are left out.
    """
    try:
        text = path.read_bytes()[: _MOST_BYTES + 1]
    except OSError as error:
        raise InvalidInputError(f"{path}: cannot be read ({error.strerror}); check the path") from None
    if len(text) > _MOST_BYTES:
        raise InvalidInputError(f"{path}: larger than {_MOST_BYTES >> 20} MiB; this is no protocol or manifest")
    try:
        document = _document(path, text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        reason = getattr(error, "problem", None) or getattr(error, "reason", None) or error
        if isinstance(error, RecursionError):
            reason = "nested too deeply (an alias that refers to itself?)"
        raise InvalidInputError(f"{path}{line}: not valid YAML: {reason}") from None
    if not isinstance(document.data, dict):
        raise InvalidInputError(f"{path}:1: a mapping (`key: value` lines) is expected here")
    # A place for anchors that other keys refer to.
    document.data = {key: value for key, value in document.data.items() if not key.startswith("x-")}
    return document


try:
    from yaml.cyaml import CParser  # type: ignore[attr-defined]  # which the stubs do not name

    class _FastLoader(Composer, CParser, SafeConstructor, Resolver):
        """libyaml's parser, eight times as fast as PyYAML's own, under PyYAML's own composer.

        That raises RecursionError where a file nests deeply; the one made for libyaml overflows the stack.
        """

        def __init__(self, stream: bytes) -> None:
            CParser.__init__(self, stream)
            Composer.__init__(self)
            SafeConstructor.__init__(self)
            Resolver.__init__(self)

except ImportError:  # PyYAML was built without libyaml
    _FastLoader = yaml.SafeLoader  # type: ignore[misc,assignment]


def _document(path: Path, text: bytes) -> Document:
    """A text as a document; the same, and with the same faults, whether libyaml is here or not."""
    if b"\t" not in text and b"!" not in text:  # libyaml allows tabs in more places, and reads a lone `!` otherwise
        try:
            return _read(path, _FastLoader(text))
        except yaml.YAMLError:
            pass  # PyYAML's own parser finds the fault again, and says it in its own words
    return _read(path, yaml.SafeLoader(text))


def _read(path: Path, loader: yaml.SafeLoader | _FastLoader) -> Document:
    document = Document(path, None, {})
    node = loader.get_single_node()
    document.data = _Reader(loader, document).value(node, ()) if node else None
    return document


class _Reader:
    """Builds plain data out of YAML nodes and notes the line of each place."""

    def __init__(self, loader: yaml.SafeLoader | _FastLoader, document: Document) -> None:
        self.loader, self.document = loader, document
        self.nodes = 0

    def value(self, node: yaml.Node, place: Place) -> Any:
        self.nodes += 1
        if self.nodes > _MOST_NODES:
            raise ValueError("too many values (aliases that unfold into each other?)")
        self.document.lines.setdefault(place, node.start_mark.line + 1)
        if isinstance(node, (yaml.MappingNode, yaml.SequenceNode)) and not node.tag.endswith((":map", ":seq")):
            raise ValueError(f"the tag {node.tag} in line {node.start_mark.line + 1}; plain data only")
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, place)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*place, position)) for position, item in enumerate(node.value)]
        return self.loader.construct_object(node)

    def mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        seen: set[str] = set()
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            key = key_node.value
            if not isinstance(key_node, yaml.ScalarNode):
                self.document.problem(place, "keys have to be plain words")
            elif key in seen:
                self.document.problem((*place, key), f"occurs twice (again in line {key_node.start_mark.line + 1})")
            else:
                seen.add(key)
                self.document.lines.setdefault((*place, key), key_node.start_mark.line + 1)
        self.loader.flatten_mapping(node)  # puts merged keys first, so that a mapping's own keys win
        pairs = [(key, value) for key, value in node.value if isinstance(key, yaml.ScalarNode)]
        return {key.value: self.value(value, (*place, key.value)) for key, value in pairs}


def _message(model: type[BaseModel], place: Place, error: dict[str, Any]) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        return "unknown key" + near(str(place[-1]), _keys(model, place[:-1]))
    if kind == "missing":
        return "is missing"
    if kind == "literal_error":
        choices = re.findall(r"'([^']*)'", context.get("expected", ""))
        return f"{error['input']!r} is not one of {', '.join(choices)}" + near(str(error["input"]), choices)
    text = _EXPECTED.get(kind) or str(error["msg"]).removeprefix("Value error, ")
    if kind == "too_short":
        text = f"needs {context['min_length']} or more"
    text = text[0].lower() + text[1:]
    shown = isinstance(error["input"], (str, int, float, bool, type(None))) and kind != "value_error"
    return f"{text} (it is {error['input']!r})" if shown else text


def near(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?`, or what is known where nothing is near.

    >>> near("tittle", ["title", "id"])
    "; did you mean 'title'?"
    """
    names = sorted(known)
    found = difflib.get_close_matches(name, names, n=1)
    if found:
        return f"; did you mean {found[0]!r}?"
    return f"; known here: {', '.join(names)}" if names else ""


def _keys(model: type[BaseModel], place: Place) -> list[str]:
    """The keys that the schema knows at a place."""
    kind: Any = model
    for part in place:
        options = [_plain(option) for option in _options(kind)]
        kind = next((inner for option in options if (inner := _inside(option, part)) is not None), None)
    models = [option for option in _options(kind) if isinstance(option, type) and issubclass(option, BaseModel)]
    return [info.alias or name for one in models for name, info in one.model_fields.items()]


def _options(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)


def _plain(kind: Any) -> Any:
    return get_args(kind)[0] if hasattr(kind, "__metadata__") else kind


def _inside(kind: Any, part: str | int) -> Any:
    """The type of what `kind` holds at `part`; None where it holds nothing there."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        names = {info.alias or name: info.annotation for name, info in kind.model_fields.items()}
        return names.get(str(part))
    origin, inner = get_origin(kind), get_args(kind)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return inner[1]
    return inner[0] if inner and isinstance(part, int) else None
