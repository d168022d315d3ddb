"""Networks that others trained, one file per kind, imported only when a setting names them."""

from importlib import import_module
from typing import Any

from quantize.annotate.errors import AnnotateError


def adapter(spec: str, kinds: dict[str, str], setting: str) -> tuple[Any, str]:
    """The class for `KIND:WHERE`, and WHERE; `kinds` maps kinds to `module.Class` in this package.

    Raises:
        AnnotateError: another kind, or a package that the adapter needs is not installed.
    """
    kind, _, where = spec.partition(":")
    if kind not in kinds or not where:
        raise AnnotateError(f"{setting} is {spec!r}, expected {' or '.join(f'{k}:WHERE' for k in kinds)}")
    module, _, name = kinds[kind].partition(".")
    try:
        return getattr(import_module(f"{__name__}.{module}"), name), where
    except ModuleNotFoundError as error:
        package = str(error.name).replace("_", "-")
        raise AnnotateError(
            f"{setting} {spec}: the Python package {package} is missing; install it (`pip install {package}`)"
        ) from None
