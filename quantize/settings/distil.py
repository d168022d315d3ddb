"""The table `[distil]` of a board's recipe: what `quantize.reinforce` and `quantize.distil` read."""

from dataclasses import dataclass, field

from quantize.settings.toml import at_least_one

LOSSES = {"image": 1.0, "region": 1.0, "pixel": 0.5, "relations": 0.5, "affinity": 0.5, "answers": 0.5}
WEIGHTINGS = ("fixed", "certainty", "agreement")


@dataclass
class DistilSettings:
    """How the board's model learns from trained RegionClips."""

    teachers: dict[str, float] = field(default_factory=dict)  # path of a trained RegionClip's model.pt → its weight
    stored: str = ""  # folder that `quantize.reinforce` fills; empty: teachers are asked in every step
    views: int = 3  # of each picture: as on the board, then augmented ones, always the same
    regions: int = 8  # of a picture at most: all of it, then its largest boxes
    grid: int = 7  # cells along a side of dense embeddings
    names: int = 512  # of the bank, in each step
    weighting: str = "fixed"  # or "certainty", "agreement": which teacher counts more for a picture or region
    supervised: float = 1.0  # weight of the board's own losses beside the teachers'
    # other weights than LOSSES: `image`, `region`, `pixel`: cosine to the teacher's vectors of pictures, regions and cells;
    # `relations`: similarities among pictures; `affinity`: which names fit pictures, both ways; `answers`: which fit regions
    losses: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        at_least_one(self, "views", "regions", "grid", "names")
        if self.weighting not in WEIGHTINGS:
            raise ValueError(f"weighting is {self.weighting!r}, expected one of {', '.join(WEIGHTINGS)}")
        for name in self.losses:
            if name not in LOSSES:
                raise ValueError(f"losses has {name!r}, expected some of {', '.join(LOSSES)}")
        for path, weight in self.teachers.items():
            if weight <= 0:
                raise ValueError(f"teachers: weight of {path} is {weight}, expected more than 0")

    def weight(self, loss: str) -> float:
        return self.losses.get(loss, LOSSES[loss])
