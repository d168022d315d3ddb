"""A recipe: every setting of one training run, from a TOML file."""

import argparse
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any


@dataclass
class Recipe:
    """Each key of the TOML file is one field; unknown keys and wrong types are errors, keys without a default are required."""

    name: str
    shards: list[str]
    teachers: str
    tag_list: str
    clip_names: str
    cache: str
    out: str
    seed: int = 0
    device: str = "cpu"
    backbone: str = "mobilenet_v2"
    backbone_weights: str = "pretrained"
    size: int = 320
    dim: int = 256
    hidden: int = 512
    drop: float = 0.3
    frozen: bool = True
    views: list[str] = field(default_factory=lambda: ["plain", "augmented", "mosaic"])
    feature_batch: int = 32
    dev_share: float = 0.04
    steps: int = 6000
    warmup: int = 200
    batch_images: int = 512
    batch_regions: int = 768
    batch_pixels: int = 512
    batch_anchors: int = 2048
    batch_pictures: int = 96
    learning_rate: float = 1e-3
    trunk_learning_rate: float = 1e-4
    weight_decay: float = 0.05
    checkpoint_every: int = 500
    dev_shares: dict[str, float] = field(default_factory=dict)
    source_weights: dict[str, float] = field(default_factory=dict)


EXPECTED: dict[Any, str] = {
    str: "a string",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list[str]: "a list of strings",
    dict[str, float]: "a table of numbers",
}
STRIDE = 32


def _fits(value: object, kind: Any) -> bool:
    if isinstance(value, bool):
        return kind is bool
    if isinstance(value, list):
        return kind == list[str] and all(isinstance(v, str) for v in value)
    if isinstance(value, dict):
        return kind == dict[str, float] and all(_fits(v, float) for v in value.values())
    return kind in (str, int, float) and isinstance(value, (int, float) if kind is float else kind)


def load_recipe(path: Path) -> Recipe:
    """Raises ValueError that names the file, the key, what was found and expected."""
    try:
        values = tomllib.loads(path.read_text())
    except FileNotFoundError:
        raise ValueError(f"recipe {path} is missing; expected a TOML file such as quantize/recipes/cpu.toml") from None
    except (OSError, ValueError) as error:
        raise ValueError(f"recipe {path} cannot be read: {error}; expected a TOML file") from None
    known = {f.name: f for f in fields(Recipe)}
    for key, value in values.items():
        if key not in known:
            raise ValueError(f"{path}: unknown key {key!r}; expected one of {', '.join(known)}")
        if not _fits(value, known[key].type):
            raise ValueError(f"{path}: {key} is {value!r}, expected {EXPECTED[known[key].type]}")
    missing = [k for k, f in known.items() if k not in values and f.default is MISSING and f.default_factory is MISSING]
    if missing:
        raise ValueError(f"{path}: found no {', '.join(missing)}, expected {EXPECTED[known[missing[0]].type]}")
    recipe = Recipe(**values)
    if recipe.size < STRIDE or recipe.size % STRIDE:
        raise ValueError(f"{path}: size is {recipe.size}, expected a multiple of {STRIDE}")
    return recipe


@contextmanager
def missing_files_end_it() -> Iterator[None]:
    """A file that the recipe names and that is missing ends the program with one line and exit code 2."""
    try:
        yield
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None


def _parser(doc: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", type=Path, help="for example quantize/recipes/cpu.toml")
    return parser


def _load_or_end(parser: argparse.ArgumentParser, path: Path) -> Recipe:
    try:
        return load_recipe(path)
    except ValueError as error:
        parser.error(str(error))


def from_command_line(doc: str | None) -> Recipe:
    """`python -m quantize.<step> RECIPE`; errors end with exit code 2."""
    parser = _parser(doc)
    return _load_or_end(parser, parser.parse_args().recipe)


def recipe_and_bundle(doc: str | None) -> tuple[Recipe, Path]:
    """`python -m quantize.<step> RECIPE [--bundle models/default]`; errors end with exit code 2."""
    parser = _parser(doc)
    parser.add_argument("--bundle", type=Path, default=Path("models/default"), help="folder of the bundle (%(default)s)")
    arguments = parser.parse_args()
    return _load_or_end(parser, arguments.recipe), arguments.bundle
