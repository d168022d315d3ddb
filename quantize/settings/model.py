"""The plain values that make a RegionClip: the table `[model]` of its recipe."""

from dataclasses import dataclass
from difflib import get_close_matches

from quantize.settings.toml import at_least_one

TUNING = ("full", "frozen", "lora", "adapter")
CHOICES = {
    "regions": ("prompter", "roi_align"),
    "pool": ("mean", "prompt"),
    "dense": ("tokens", "projected"),
    "tune_image": TUNING,
    "tune_text": TUNING,
}
POSITIVE = ("dim", "size", "prompter_width", "roi_samples", "head_width", "bins", "prototypes", "lora_rank", "adapter_width")
CODES = 4  # a position code has a sine and a cosine for each of x and y


@dataclass
class ModelSettings:
    """Encoders are `mobilenet_v2`, `open_clip:ARCH[:WEIGHTS]`, `timm:NAME[:WEIGHTS]`, `hf:ID_OR_PATH`, or
    `cached:CHANNELS:POOLED`, which builds none; text towers `minilm`, `open_clip:…`, `hf:…` or `cached:WIDTH`. WEIGHTS is
    `pretrained`, a tag of open_clip's or a checkpoint's path; without it the weights are random.
    """

    encoder: str = "mobilenet_v2"  # of pictures
    text: str = "minilm"  # tower of texts
    dim: int = 512  # of the joint space
    size: int = 224  # side of the pictures, for which position embeddings are made
    teachers: str = ""  # folder with mobilenet_v2_imagenet.npz
    dense: str = "tokens"  # what the dense map holds: the encoder's features, or these through its own projection
    regions: str = "prompter"  # how a region becomes a vector: CLOC's Prompter, or "roi_align"
    pool: str = "mean"  # what the Prompter gives: the mean over all its tokens (CLOC), or its prompt token, which is cheaper
    prompter_width: int = 512  # of the Prompter's layer
    roi_samples: int = 7  # cells along each side of a box for RoIAlign
    head_width: int = 128  # of the box and mask head
    bins: int = 16  # steps of one cell in which the box head counts distances
    prototypes: int = 32  # masks that each picture's masks are mixed of (YOLACT)
    tune_image: str = "full"  # what of the encoder is trained: "full", "frozen", "lora" or "adapter"
    tune_text: str = "frozen"  # the same for the text tower
    lora_rank: int = 8  # with "lora"
    adapter_width: int = 64  # with "adapter"
    recompute: bool = False  # the towers' blocks are run again in the backward pass instead of kept (activation checkpointing)
    start_scale: float = 20.0  # inverse temperature of all similarities, before it is learned
    max_scale: float = 100.0  # the most that it may become
    start_bias: float = -10.0  # of the sigmoid losses (SigLIP, arXiv 2303.15343)

    def __post_init__(self) -> None:
        for key, choices in CHOICES.items():
            if getattr(self, key) not in choices:
                raise ValueError(f"{key} is {getattr(self, key)!r}, expected one of {', '.join(choices)}")
        at_least_one(self, *POSITIVE)
        if self.prompter_width % CODES:
            raise ValueError(f"prompter_width is {self.prompter_width}, expected a multiple of {CODES}")
        if not 0 < self.start_scale <= self.max_scale:
            raise ValueError(f"start_scale is {self.start_scale}, expected above 0 and up to max_scale {self.max_scale}")


def nearest(name: str, known: list[str]) -> str:
    """`; did you mean A, B?`, or nothing when no known name is close."""
    close = get_close_matches(name, known, 3, 0.5)
    return f"; did you mean {', '.join(close)}?" if close else ""
