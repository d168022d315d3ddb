"""TOML files → dataclasses: every key is a field, every table is a dataclass; unknown keys and wrong types are errors."""

import tomllib
from collections.abc import Sequence
from dataclasses import MISSING, fields, is_dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, cast, get_type_hints

T = TypeVar("T")

EXPECTED: dict[Any, str] = {
    str: "a string",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list[str]: "a list of strings",
    dict[str, float]: "a table of numbers",
}


def _fits(value: object, kind: Any) -> bool:
    if isinstance(value, bool):
        return kind is bool
    if isinstance(value, list):
        return kind == list[str] and all(isinstance(v, str) for v in value)
    if isinstance(value, dict):
        return kind == dict[str, float] and all(_fits(v, float) for v in value.values())
    return kind in (str, int, float) and isinstance(value, (int, float) if kind is float else kind)


def read_toml(path: Path, what: str, changes: Sequence[str] = ()) -> dict[str, Any]:
    """The file's values with `changes` such as `loop.steps=200`. Raises ValueError that names the file when it is missing or no
    TOML, or the change that is none.
    """
    try:
        values = tomllib.loads(path.read_text())
    except FileNotFoundError:
        raise ValueError(f"{what} {path} is missing; expected a TOML file such as quantize/recipes/cpu.toml") from None
    except (OSError, ValueError) as error:
        raise ValueError(f"{what} {path} cannot be read: {error}; expected a TOML file") from None
    for change in changes:
        _change(values, change)
    return values


def _change(values: dict[str, Any], change: str) -> None:
    """Sets one key. What is no TOML value is taken as a string, so that a shell's quotes suffice: `out=runs/mine`."""
    name, equals, text = change.partition("=")
    keys = [key.strip() for key in name.split(".")]
    if not equals or not all(keys):
        raise ValueError(f"{change}: found no KEY=VALUE, expected one such as loop.steps=200")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except ValueError:
        value = text
    table = values
    for key in keys[:-1]:
        table = table.setdefault(key, {})
        if not isinstance(table, dict):
            raise ValueError(f"{change}: {key} is a value, expected the name of a table, such as loop.steps=200")
    table[keys[-1]] = value


def _places(key: str, kind: Any, prefix: str = "") -> list[str]:
    """Where `key` may stand in a file of `kind`."""
    found = []
    for name, hint in get_type_hints(kind).items():
        if name == key:
            found.append(f"in the table [{prefix[:-1]}]" if prefix else "outside of any table")
        if is_dataclass(hint):
            found += _places(key, hint, f"{prefix}{name}.")
    return found


def _names(kind: Any, prefix: str = "") -> list[str]:
    """All keys of a file of `kind`."""
    found = []
    for name, hint in get_type_hints(kind).items():
        found += _names(hint, f"{prefix}{name}.") if is_dataclass(hint) else [prefix + name]
    return found


def at_least_one(settings: object, *names: str) -> None:
    """Raises ValueError for a field below 1."""
    for name in names:
        if getattr(settings, name) < 1:
            raise ValueError(f"{name} is {getattr(settings, name)}, expected at least 1")


def build(values: dict[str, Any], kind: type[T], path: Path) -> T:
    """The dataclass `kind` from a file's values; raises ValueError that names file, key, what was found and expected."""
    return _build(values, kind, path, "", kind)


def _build(values: dict[str, Any], kind: type[T], path: Path, prefix: str, whole: Any) -> T:
    """A table of the file; `whole` is the file's dataclass."""
    hints = get_type_hints(kind)
    known = {f.name: f for f in fields(cast(Any, kind))}
    found: dict[str, Any] = {}
    for key, value in values.items():
        if key not in known:
            instead = f"it {' or '.join(places)}" if (places := _places(key, whole)) else f"one of {', '.join(known)}"
            close = [] if places else get_close_matches(prefix + key, _names(whole), 1, 0.7)
            meant = f" (did you mean {close[0]}?)" if close else ""
            raise ValueError(f"{path}: unknown key {prefix + key!r}{meant}; expected {instead}")
        expected = hints[key]
        if is_dataclass(expected):
            if not isinstance(value, dict):
                raise ValueError(f"{path}: {prefix}{key} is {value!r}, expected a table [{prefix}{key}]")
            found[key] = _build(value, cast(type[Any], expected), path, f"{prefix}{key}.", whole)
        elif not _fits(value, expected):
            raise ValueError(f"{path}: {prefix}{key} is {value!r}, expected {EXPECTED[expected]}")
        else:
            found[key] = value
    missing = [k for k, f in known.items() if k not in values and f.default is MISSING and f.default_factory is MISSING]
    if missing:
        expected = EXPECTED.get(hints[missing[0]], "a table")
        raise ValueError(f"{path}: found no {', '.join(prefix + m for m in missing)}, expected {expected}")
    try:
        return kind(**found)
    except ValueError as error:  # a dataclass checks its own values in __post_init__
        raise ValueError(f"{path}: {prefix}{error}") from None
