"""The recipe of the board's model: keys of its own, and the tables `[data]`, `[model]`, `[loop]`, `[distil]`, `[soft]`."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from quantize.settings.distil import DistilSettings
from quantize.settings.recipe import Recipe, all_shards, read_recipe
from quantize.settings.soft import SoftSettings
from quantize.settings.toml import at_least_one, build

STRIDE = 32  # of the coarsest map


@dataclass
class BoardData:
    """What training looks at, and how much of it in a step."""

    shards: list[str]  # WebDataset files, folders of them, or patterns such as runs/*.tar
    cache: str  # folder that `quantize.features` fills
    tag_list: str  # file of words, one per line, that count as tags where captions mention them
    clip_names: str  # .npz of names with CLIP's text vectors, whose similarities the text projection learns
    # canvases that are cached, with a frozen trunk: plain (as on the board), augmented, mosaic; a digit behind for another draw
    views: list[str] = field(default_factory=lambda: ["plain", "augmented", "mosaic"])
    synonyms: str = ""  # LVIS's categories (.json), whose other words for a name stand for it in half of the steps; empty: none
    leave_out: str = ""  # file of lines that start with the key of a picture that training must not see; empty: none
    teacher_boxes: int = 3  # largest boxes of a picture that ImageNet's classifier looks at, beside the whole of it
    feature_batch: int = 32  # canvases per pass of the frozen trunk
    dev_share: float = 0.04  # of each source's pictures, held out to calibrate the scores
    dev_shares: dict[str, float] = field(default_factory=dict)  # another share for single sources
    source_weights: dict[str, float] = field(default_factory=dict)  # how often a source's pictures are drawn; 1 if not named
    batch_images: int = 512  # whole pictures per step, with a frozen trunk
    batch_regions: int = 768  # regions per step, with a frozen trunk
    batch_pixels: int = 512  # pixels per step, with a frozen trunk
    batch_anchors: int = 2048  # cells of the detector per step, with a frozen trunk
    batch_pictures: int = 96  # pictures drawn per step, with a trained trunk or teachers
    workers: int = 0  # processes that draw them; 0: one fewer than cores

    def __post_init__(self) -> None:
        at_least_one(self, "feature_batch", "batch_images", "batch_regions", "batch_pixels", "batch_anchors", "batch_pictures")


@dataclass
class BoardModel:
    """The network."""

    teachers: str  # folder of the pretrained networks: mobilenet_v2_imagenet.npz, imagenet_labels.txt, nanodet_m.param and .bin
    backbone: str = "mobilenet_v2"  # the encoder of pictures: this one, or `timm:NAME`
    backbone_weights: str = "pretrained"  # or a checkpoint's path
    size: int = 320  # side of the input in pixels, a multiple of 32
    dim: int = 256  # of the joint space of pictures and texts
    hidden: int = 512  # width of the heads' hidden layers
    drop: float = 0.3  # share of the heads' features that dropout sets to zero
    frozen: bool = True  # the trunk stays as it is, and what it sees is cached; false: it is trained, on canvases drawn anew

    def __post_init__(self) -> None:
        at_least_one(self, "dim", "hidden")
        if self.size < STRIDE or self.size % STRIDE:
            raise ValueError(f"size is {self.size}, expected a multiple of {STRIDE}")


@dataclass(kw_only=True)
class BoardRecipe(Recipe):
    """All settings of one run; unknown keys and wrong types are errors, keys without a default are required."""

    data: BoardData
    model: BoardModel
    trunk_learning_rate: float = 1e-4  # of layers that start trained: the trunk, NanoDet's head, the classifier's names
    distil: DistilSettings = field(default_factory=DistilSettings)
    soft: SoftSettings = field(default_factory=SoftSettings)


def load_board_recipe(path: Path, changes: Sequence[str] = ()) -> BoardRecipe:
    """With `changes` such as `loop.steps=200`. Raises ValueError that names the file, the key, what was found and expected."""
    recipe = build(read_recipe(path, ["board"], changes), BoardRecipe, path)
    recipe.data.shards = all_shards(recipe.data.shards, path)
    return recipe
