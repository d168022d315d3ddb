"""Every setting of the training loop: a recipe's table `[loop]`, and what the recipe says outside of it."""

from dataclasses import dataclass

from quantize.settings.toml import at_least_one

PRECISIONS = ("bf16", "float32")
WAYS = ("ddp", "fsdp")


@dataclass
class LoopTable:
    """`steps` are the optimiser's; each takes `accumulate` batches on each process.

    Accumulation makes the gradient of a batch that is as many times larger for terms that are means over pictures. Terms over
    pairs (contrastive, relational) see the pairs of one batch of all processes: more processes give more negatives, accumulation
    gives none.
    """

    steps: int = 1000
    warmup: int = 0  # steps of linear rise before the cosine
    clip_norm: float = 5.0  # the most that the gradient's norm may be, over all parameters and processes
    ema: float = 0.998  # decay of the average that is saved as the result
    accumulate: int = 1  # batches per step
    precision: str = "bf16"  # of products, by autocast; weights and the optimiser are float32
    checkpoint_every: int = 500  # steps between two checkpoints
    keep: int = 2  # checkpoints on disk, the newest
    compile: str = ""  # a backend of torch.compile, such as "inductor"; none if empty
    activation_checkpointing: bool = False  # repeated blocks run again in the backward pass: less memory, a third more time
    distributed: str = "ddp"  # with several processes: "ddp" has all weights on each, "fsdp" a part of them
    log_every: int = 20  # steps between two lines of log.jsonl

    def __post_init__(self) -> None:
        at_least_one(self, "steps", "accumulate", "checkpoint_every", "keep", "log_every")
        for key, choices in (("precision", PRECISIONS), ("distributed", WAYS)):
            if getattr(self, key) not in choices:
                raise ValueError(f"{key} is {getattr(self, key)!r}, expected {' or '.join(choices)}")
        if not 0 <= self.ema < 1:
            raise ValueError(f"ema is {self.ema}, expected a decay from 0 to below 1")
        if self.warmup < 0:
            raise ValueError(f"warmup is {self.warmup}, expected 0 or more steps")
        if self.clip_norm <= 0:
            raise ValueError(f"clip_norm is {self.clip_norm}, expected more than 0")


@dataclass
class LoopSettings(LoopTable):
    """All that the loop needs."""

    name: str = "train"
    device: str = "cpu"
    seed: int = 0
