"""The recipe of a RegionClip: keys of its own and the tables `[data]`, `[model]`, `[loop]` and `[losses]` of a TOML file."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from quantize.settings.model import ModelSettings
from quantize.settings.recipe import Recipe, all_shards, read_recipe
from quantize.settings.toml import at_least_one, build


@dataclass
class RegionClipData:
    """What is drawn in a step."""

    shards: list[str]  # WebDataset files, folders of them, or patterns such as runs/*.tar, such as `quantize.annotate` writes
    cache: str  # folder for what is computed once
    batch: int = 256  # pictures of all processes together
    regions: int = 4  # boxes, and segments, of a picture in a step (CLOC: 4)
    grid: int = 10  # cells along a side on which masks are compared; the encoder's own grid
    cached: bool = False  # dense features of a frozen encoder once instead of pictures in every step
    views: int = 2  # cached views of each picture: the plain one, and augmented ones
    workers: int = 4  # processes that draw pictures, per training process
    least_tag_pictures: int = 5  # a tag of fewer pictures is left out of the vocabulary
    most_tags: int = 2000  # of the vocabulary, the most frequent
    tags_a_step: int = 1000  # that a step's pictures and regions are compared with
    source_weights: dict[str, float] = field(default_factory=dict)  # how often a source's pictures are drawn; 1 if not named

    def __post_init__(self) -> None:
        at_least_one(self, "batch", "grid", "views", "tags_a_step")


@dataclass(kw_only=True)
class RegionClipRecipe(Recipe):
    """All settings of one run; unknown keys and wrong types are errors, keys without a default are required."""

    data: RegionClipData
    model: ModelSettings
    losses: dict[str, float]  # weights of `alignment.objective.TERMS`; a term that is left out is not computed


def load_region_clip_recipe(path: Path, changes: Sequence[str] = ()) -> RegionClipRecipe:
    """With `changes` such as `loop.steps=200`. Raises ValueError that names the file, the key, what was found and expected."""
    recipe = build(read_recipe(path, ["clip"], changes), RegionClipRecipe, path)
    recipe.data.shards = all_shards(recipe.data.shards, path)
    if recipe.data.cached and (recipe.model.tune_image != "frozen" or recipe.model.encoder.startswith("cached:")):
        found = f"encoder {recipe.model.encoder} with tune_image {recipe.model.tune_image}"
        raise ValueError(f"{path}: data.cached is true, found {found}; expected an encoder by name and tune_image frozen")
    return recipe
