"""Every setting of the loop; a recipe's table `[loop]` fills those that are no key of the recipe itself."""

from dataclasses import dataclass

PRECISIONS = ("bf16", "float32")
WAYS = ("ddp", "fsdp")
POSITIVE = ("steps", "accumulate", "checkpoint_every", "keep", "log_every")


@dataclass
class LoopSettings:
    """`steps` are the optimiser's; each takes `accumulate` batches on each process.

    Accumulation makes the gradient of a batch that is as many times larger for terms that are means over pictures. Terms over
    pairs (contrastive, relational) see the pairs of one batch of all processes: more processes give more negatives, accumulation
    gives none.
    """

    steps: int = 1000
    name: str = "train"
    device: str = "cpu"
    seed: int = 0
    warmup: int = 0  # steps of linear rise before the cosine
    clip_norm: float = 5.0  # of the gradient over all parameters and processes
    ema: float = 0.998  # decay of the average that is saved as the result
    accumulate: int = 1
    precision: str = "bf16"  # of products, by autocast; weights and the optimiser are float32
    checkpoint_every: int = 500
    keep: int = 2  # checkpoints on disk
    compile: str = ""  # a backend of torch.compile, such as "inductor"; none if empty
    activation_checkpointing: bool = False  # repeated blocks run again in the backward pass: less memory, a third more time
    distributed: str = "ddp"  # with several processes: "ddp" has all weights on each, "fsdp" a part of them
    log_every: int = 20

    def __post_init__(self) -> None:
        for key in POSITIVE:
            if getattr(self, key) < 1:
                raise ValueError(f"{key} is {getattr(self, key)}, expected at least 1")
        for key, choices in (("precision", PRECISIONS), ("distributed", WAYS)):
            if getattr(self, key) not in choices:
                raise ValueError(f"{key} is {getattr(self, key)!r}, expected {' or '.join(choices)}")
        if not 0 <= self.ema < 1:
            raise ValueError(f"ema is {self.ema}, expected a decay from 0 to below 1")
        if self.warmup < 0:
            raise ValueError(f"warmup is {self.warmup}, expected 0 or more steps")
        if self.clip_norm <= 0:
            raise ValueError(f"clip_norm is {self.clip_norm}, expected more than 0")
