"""A recipe: every setting of one training run, from a TOML file."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from quantize.distillation.settings import DistilSettings
from quantize.settings import build, read_toml
from quantize.training.settings import LoopSettings


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
    workers: int = 0  # processes that draw pictures, where they are drawn in every step; 0: one fewer than cores
    trains: str = "board"  # which of `quantize.train.TASKS`
    loop: LoopSettings = field(default_factory=LoopSettings)  # what of it is no key of the recipe itself
    distil: DistilSettings = field(default_factory=DistilSettings)  # what `quantize.reinforce` and `quantize.distil` read
    dev_shares: dict[str, float] = field(default_factory=dict)
    source_weights: dict[str, float] = field(default_factory=dict)


STRIDE = 32
LOOP_KEYS = ("name", "device", "seed", "steps", "warmup", "checkpoint_every")


def loop_settings(recipe: Recipe) -> LoopSettings:
    """The table [loop] with what the recipe says for all."""
    return replace(recipe.loop, **{key: getattr(recipe, key) for key in LOOP_KEYS})


def load_recipe(path: Path) -> Recipe:
    """Raises ValueError that names the file, the key, what was found and expected."""
    values = read_toml(path, "recipe")
    recipe = build(values, Recipe, path)
    twice = [key for key in LOOP_KEYS if key in values.get("loop", {})]
    if twice:
        raise ValueError(f"{path}: found loop.{twice[0]}, expected {twice[0]} among the recipe's own keys")
    try:
        loop_settings(recipe)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    if recipe.size < STRIDE or recipe.size % STRIDE:
        raise ValueError(f"{path}: size is {recipe.size}, expected a multiple of {STRIDE}")
    return recipe


@contextmanager
def errors_end_it(*kinds: type[Exception]) -> Iterator[None]:
    """Errors of these kinds end the program with one line and exit code 2."""
    try:
        yield
    except kinds as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None


def missing_files_end_it() -> AbstractContextManager[None]:
    """A file that the recipe names and that is missing ends the program with one line and exit code 2."""
    return errors_end_it(FileNotFoundError)


def _parser(doc: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", type=Path, help="for example quantize/recipes/cpu.toml")
    return parser


def _load_or_end(parser: argparse.ArgumentParser, path: Path) -> Recipe:
    try:
        return load_recipe(path)
    except ValueError as error:
        parser.error(str(error))


def path_from_command_line(doc: str | None) -> Path:
    """`python -m quantize.<step> RECIPE`, for steps with several kinds of recipes."""
    path: Path = _parser(doc).parse_args().recipe
    return path


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
