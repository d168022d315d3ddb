"""The recipe of a RegionClip: tables [data], [model], [loop] and [losses] of a TOML file."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from quantize.model.settings import ModelSettings
from quantize.settings import build, read_toml
from quantize.training.settings import LoopSettings


@dataclass
class DataSettings:
    """What is drawn in a step. `batch` counts the pictures of all processes together."""

    shards: list[str]
    cache: str  # folder for what is computed once
    batch: int = 256
    regions: int = 4  # boxes, and segments, of a picture in a step (CLOC: 4)
    grid: int = 10  # cells along a side on which masks are compared; the encoder's own grid
    cached: bool = False  # dense features of a frozen encoder once instead of pictures in every step
    views: int = 2  # cached views of each picture: the plain one, and augmented ones
    workers: int = 4  # processes that draw pictures, per training process
    least_tag_pictures: int = 5
    most_tags: int = 2000
    tags_a_step: int = 1000
    source_weights: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for key in ("batch", "grid", "views", "tags_a_step"):
            if getattr(self, key) < 1:
                raise ValueError(f"{key} is {getattr(self, key)}, expected at least 1")


@dataclass
class AlignmentRecipe:
    """`losses` weighs the terms of `objective.TERMS`; a term that is left out is not computed."""

    trains: str
    name: str
    out: str
    data: DataSettings
    model: ModelSettings
    loop: LoopSettings
    losses: dict[str, float]
    seed: int = 0
    device: str = "cpu"
    learning_rate: float = 1e-3
    weight_decay: float = 0.05

    def loop_settings(self) -> LoopSettings:
        """The table [loop] with what the recipe says for all."""
        return replace(self.loop, name=self.name, device=self.device, seed=self.seed)


def load_alignment_recipe(path: Path) -> AlignmentRecipe:
    """Raises ValueError that names the file, the key, what was found and expected."""
    recipe = build(read_toml(path, "recipe"), AlignmentRecipe, path)
    if recipe.data.cached and (recipe.model.tune_image != "frozen" or recipe.model.encoder.startswith("cached:")):
        found = f"encoder {recipe.model.encoder} with tune_image {recipe.model.tune_image}"
        raise ValueError(f"{path}: data.cached is true, found {found}; expected an encoder by name and tune_image frozen")
    return recipe
