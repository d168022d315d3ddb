"""Tables of TOML as dataclasses: each key is a field; errors say where, what was found and what was expected."""

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")

EXPECTED: dict[Any, str] = {
    str: "a string",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list[str]: "a list of strings",
    list[float]: "a list of numbers",
    dict[str, float]: "a table of numbers",
    dict[str, Any]: "a table",
}


class BadInput(ValueError):
    """The user's to mend: a recipe, a checkpoint; ends a command with one line and exit code 2."""


def fits(value: object, kind: Any) -> bool:
    """Whether a value of TOML is of a field's type; whole numbers are numbers, too."""
    if isinstance(value, bool):
        return bool(kind is bool)
    if isinstance(value, list):
        return (kind == list[str] and all(isinstance(v, str) for v in value)) or (
            kind == list[float] and all(fits(v, float) for v in value)
        )
    if isinstance(value, dict):
        return bool(kind == dict[str, Any]) or (kind == dict[str, float] and all(fits(v, float) for v in value.values()))
    return kind in (str, int, float) and isinstance(value, (int, float) if kind is float else kind)


def optional(field: "Field[Any]") -> bool:
    return field.default is not MISSING or field.default_factory is not MISSING


def expected(field: "Field[Any]") -> str:
    """In words; a field that is a dataclass is a table of its own."""
    return EXPECTED.get(field.type, "a table")


def _value(kind: Any, value: Any, where: str) -> Any:
    return fill(kind, value, where) if is_dataclass(kind) else value


def fill(kind: type[T], values: Mapping[str, Any], where: str) -> T:
    """Raises BadInput that begins with `where`; so do ValueErrors of the dataclass's own `__post_init__`."""
    known = {f.name: f for f in fields(kind)}
    for key, value in values.items():
        if key not in known:
            raise BadInput(f"{where}: unknown key {key!r}; expected one of {', '.join(known)}")
        if not (isinstance(value, Mapping) if is_dataclass(known[key].type) else fits(value, known[key].type)):
            raise BadInput(f"{where}: {key} is {value!r}, expected {expected(known[key])}")
    missing = [k for k, f in known.items() if k not in values and not optional(f)]
    if missing:
        raise BadInput(f"{where}: found no {', '.join(missing)}, expected {expected(known[missing[0]])}")
    try:
        return kind(**{k: _value(known[k].type, v, f"{where}: {k}") for k, v in values.items()})
    except ValueError as error:
        raise BadInput(f"{where}: {error}") from None
