"""The small YAML and JSON files of a lake, read as typed values: what a person states beside a file, what was read of
it, what was published.

Unknown keys are left alone and missing ones take their default: a file that another version wrote can be read.
"""

from __future__ import annotations

import reprlib
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, TypeVar, cast

import yaml
from pydantic import TypeAdapter, ValidationError

T = TypeVar("T")

# libyaml where there is one: a sidecar a file makes reading and writing them count.
_SAFE_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _AsWritten(_SAFE_LOADER):  # type: ignore[misc]
    """YAML whose values are texts as they are written (007, yes, 12:30), but for times and null.

    A time that is in no calendar is a text too: who reads it says which value of which file it is.
    """

    yaml_implicit_resolvers: ClassVar = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag.endswith((":null", ":timestamp", ":merge"))]
        for first, resolvers in _SAFE_LOADER.yaml_implicit_resolvers.items()
    }

    def _time(self, node: yaml.ScalarNode) -> Any:
        try:
            return self.construct_yaml_timestamp(node)
        except (ValueError, OverflowError):
            return node.value


_AsWritten.add_constructor("tag:yaml.org,2002:timestamp", _AsWritten._time)


class DocumentError(ValueError):
    """A file of the lake does not hold what it should; the message names file, field and reason, and what to do."""


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def read_json(path: Path, kind: type[T], advice: str) -> T:
    """The value in a JSON file. Raises DocumentError, which ends in the advice."""
    try:
        value: T = _adapter(cast(Any, kind)).validate_json(path.read_bytes())
    except ValidationError as error:
        raise DocumentError(f"{path}: {_reasons(error)}; {advice}") from error
    return value


def to_json(value: object) -> bytes:
    """A value as the bytes of a JSON file, with its keys in the order of its fields."""
    return _adapter(cast(Any, type(value))).dump_json(value, indent=1)


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file, empty for an empty one; values are texts as they are written, times or lists.

    Raises DocumentError when it is not a YAML mapping or cannot be opened.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8-sig"), _AsWritten)
    except OSError as error:
        raise DocumentError(f"{path.name} cannot be read ({error.strerror}); correct it or remove it") from error
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise DocumentError(f"{path.name} is not YAML ({error}); correct it or remove it") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise DocumentError(f"{path.name} must hold 'name: value' lines; correct it or remove it")
    return content


def to_yaml(values: dict[str, Any]) -> bytes:
    """A mapping as the bytes of a YAML file, sorted by name."""
    return yaml.dump(values, Dumper=_DUMPER, allow_unicode=True, sort_keys=True).encode()


def typed(values: dict[str, Any], kind: type[T], file: str, advice: str) -> T:
    """A mapping as a typed value. Raises DocumentError, which names the file and ends in the advice."""
    try:
        value: T = _adapter(cast(Any, kind)).validate_python(values)
    except ValidationError as error:
        raise DocumentError(f"{file}: {_reasons(error)}; {advice}") from error
    return value


def _reasons(error: ValidationError) -> str:
    reasons = []
    for problem in error.errors():
        place = ".".join(map(str, problem["loc"])) or "the content"
        reason = problem["msg"].removeprefix("Value error, ")
        is_missing = problem["type"] == "missing"
        reasons.append(f"{place} is missing" if is_missing else f"{place} is {_shown(problem['input'])} ({reason})")
    return "; ".join(reasons)


def _shown(value: Any) -> str:
    text = _SHORT.repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 80
