"""Reads what a person wrote in YAML and says what is wrong with it: file, line, allowed values.

`dg check yaml` answers a mistake inside a list of sources with "not valid under any of the given
schemas". Here each mistake is named with the line it stands on, and all mistakes of a file are
told at once. The YAML is plain data (safe loading, no tags, no templates, no aliases: a few lines
of those unfold to gigabytes, or hold themselves).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from yaml.constructor import ConstructorError

Spec = TypeVar("Spec", bound=BaseModel)
Location = tuple[str | int, ...]


#: Levels of mappings and lists; what a person writes here has under ten.
_DEEPEST = 50


class SpecError(ValueError):
    """One or more mistakes in what a person wrote; each line names file, line and remedy."""

    def __init__(self, mistakes: list[str]):
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


@dataclass(frozen=True)
class YamlDocument:
    """One document of a YAML file: its plain value, and where each part of it stands."""

    path: Path
    value: Any
    lines: Mapping[Location, int]  # path of keys and indices -> line, from 1

    def line(self, location: Location) -> int:
        """The line of the innermost part of `location` that stands in the file."""
        while location and location not in self.lines:
            location = location[:-1]
        return self.lines.get(location, 1)

    def mistake(self, location: Location, what: str) -> str:
        """`file:line: where: what`."""
        where = ".".join(str(part) for part in location)
        return f"{self.path}:{self.line(location)}: {where + ': ' if where else ''}{what}"


class _Loader(yaml.SafeLoader):
    """Plain data, with a line for what looks like a date or a number and is none."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, OverflowError) as error:
            problem = f"{error} (write it in quotes if it is a text)"
            raise ConstructorError(None, None, problem, node.start_mark) from error


def read_yaml(path: Path) -> list[YamlDocument]:
    """The documents of a YAML file. Raises SpecError where it cannot be read."""
    try:
        text = path.read_text("utf-8")
        _refuse_what_unfolds(path, text)
        nodes = list(yaml.compose_all(text, _Loader))
        values = list(yaml.load_all(text, _Loader))
    except OSError as error:
        raise SpecError([f"{path}: cannot be read: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        raise SpecError([f"{path}: is not UTF-8 (byte {error.start}); save it as UTF-8"]) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        problem = " ".join((getattr(error, "problem", None) or str(error)).split())
        raise SpecError([f"{path}:{line}: is not valid YAML: {problem}"]) from error
    if repeated := [
        f"{path}:{line}: {key!r} stands there twice; keep one of the two"
        for node in nodes
        for key, line in _repeated(node)
    ]:
        raise SpecError(repeated)
    return [
        YamlDocument(path, value, dict(_lines(node)))
        for node, value in zip(nodes, values, strict=True)
        if value is not None
    ]


def _refuse_what_unfolds(path: Path, text: str) -> None:
    """Raise SpecError for aliases and deep nesting, before anything is made of them."""
    depth = 0
    for event in yaml.parse(text, _Loader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent):
            what = (
                f"*{event.anchor} is an alias, which is not read here; write out what it stands for"
            )
            raise SpecError([f"{path}:{line}: {what}"])
        if depth > _DEEPEST:
            raise SpecError(
                [f"{path}:{line}: nests more than {_DEEPEST} levels deep; write it flat"]
            )


def validate(spec: type[Spec], document: YamlDocument, at: tuple[str, ...] = ()) -> Spec:
    """The part of the document at `at` as a spec. Raises SpecError naming every mistake."""
    value = document.value
    for key in at:
        if not isinstance(value, dict) or key not in value:
            raise SpecError([document.mistake(at, "is required")])
        value = value[key]
    try:
        return spec.model_validate(value)
    except ValidationError as error:
        mistakes = []
        for detail in error.errors():
            location = (*at, *_in_file(at, detail["loc"], document))
            mistakes.append(document.mistake(location, _say(spec, detail)))
        raise SpecError(mistakes) from error


def _in_file(at: Location, location: Location, document: YamlDocument) -> Location:
    """Leave out the steps that pydantic adds for the branches of a union."""
    kept: Location = ()
    for index, part in enumerate(location):
        last = index == len(location) - 1
        if last or isinstance(part, int) or (*at, *kept, part) in document.lines:
            kept = (*kept, part)
    return kept


def _say(spec: type[BaseModel], detail: Any) -> str:
    context = detail.get("ctx", {})
    match detail["type"]:
        case "extra_forbidden":
            return f"unknown key; allowed here: {', '.join(_keys(spec, detail['loc'][:-1]))}"
        case "missing":
            return "is required"
        case "union_tag_invalid":
            return f"{context['tag']!r} is unknown; allowed: {context['expected_tags']}"
        case "union_tag_not_found":
            return f"{context['discriminator']} is required"
        case "literal_error":
            return f"{detail['input']!r} is unknown; allowed: {context['expected']}"
        case "value_error":
            return str(context["error"])
        case _:
            return f"{detail['msg'][0].lower()}{detail['msg'][1:]} (found {detail['input']!r})"


def _keys(spec: type[BaseModel], location: Location) -> list[str]:
    """The keys a person may write at `location` of the spec, from its JSON schema."""
    schema = spec.model_json_schema()
    definitions = schema.get("$defs", {})

    def follow(node: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in node:
            node = definitions[node["$ref"].rsplit("/", 1)[1]]
        return node

    node = follow(schema)
    for part in location:
        if isinstance(part, int):
            node = follow(node.get("items", {}))
        elif "discriminator" in node:
            node = follow({"$ref": node["discriminator"]["mapping"][part]})
        elif part in node.get("properties", {}):
            node = follow(node["properties"][part])
        for branch in node.get("anyOf", []):
            if branch.get("type") != "null":
                node = follow(branch)
    return list(node.get("properties", {}))


def _lines(node: yaml.Node, location: Location = ()) -> Iterator[tuple[Location, int]]:
    yield location, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _lines(value, (*location, key.value))
            yield (*location, key.value), key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _lines(value, (*location, index))


def _repeated(node: yaml.Node | None) -> Iterator[tuple[str, int]]:
    """Keys that a mapping has already, of which YAML silently keeps the last; with their lines."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    yield key.value, key.start_mark.line + 1
                seen.add(key.value)
            yield from _repeated(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _repeated(value)
