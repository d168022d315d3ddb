"""What examples are worth through the program: `edgeclip vocab build`, `vocab add`, `vocab test`, `eval` and `run`.

python -m quantize.prototypes.program heldout groceries scenes alarms states --binary target/release/edgeclip \\
    --data ../shared/data

`heldout`: the held-out names, whole pictures; `groceries`: products taught by training pictures, tested on the validation shard;
`scenes`: COCO's names taught by boxes of training pictures, found in the validation pictures (AP50), with right words and with
half of them replaced by others; `alarms`: how often names are found where they are not, at thresholds fitted elsewhere;
`states`: zones with two states in changing light. Words alone, examples alone, both; mean and deviation over the draws.
"""

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from quantize.bundle.manifest import BundleError
from quantize.command_line import errors_end_it
from quantize.evaluate.binary import BinaryError, BinaryPredictor, release_binary
from quantize.evaluate.samples import ShardError
from quantize.prototypes.program import pictures, scenes
from quantize.prototypes.program.alarms import alarms
from quantize.prototypes.program.session import Program
from quantize.prototypes.program.states import states

TASKS = ("heldout", "groceries", "scenes", "alarms", "states")
Found = Iterator[tuple[int, dict[str, float]]]
"""Examples, and figures by mode, for each draw."""


def measured(task: str, data: Path, program: Program, draws: int) -> Iterator[tuple[str, Found]]:
    """The parts of a task with their draws."""
    if task == "heldout":
        yield task, pictures.accuracies(program, pictures.heldout(data), pictures.COUNTS[task], draws)
    elif task == "groceries":
        for field in ("coarse", "label"):
            named = pictures.groceries(data, field)
            yield f"{task}, {field}", pictures.accuracies(program, named, pictures.COUNTS[task], draws)
    elif task == "scenes":
        yield task, scenes.precision_of(program, *scenes.samples(data), draws)
    else:
        yield task, (alarms if task == "alarms" else states)(program, data, draws)


def table(tasks: Sequence[str], data: Path, program: Program, draws: int) -> list[str]:
    """All draws of all tasks, told as they come; their means at the end."""
    figures: dict[tuple[str, int, str], list[float]] = defaultdict(list)
    for task in tasks:
        for part, found in measured(task, data, program, draws):
            for count, values in found:
                for mode, value in values.items():
                    figures[part, count, mode].append(value)
                print(part, count, {mode: round(value, 2) for mode, value in values.items()}, flush=True)
    rows = [
        f"| {part} | {count} | {mode} | {np.mean(values):.2f} ± {np.std(values):.2f} |"
        for (part, count, mode), values in figures.items()
    ]
    return ["| | examples | by | mean ± sd |", "|---|---|---|---|", *rows]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="+", choices=TASKS, help="what to measure")
    parser.add_argument("--bundle", type=Path, default=Path("models/default"), help="folder of the bundle (%(default)s)")
    parser.add_argument("--binary", type=Path, default=release_binary(), help="the edgeclip program (%(default)s)")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the shards (%(default)s)")
    parser.add_argument("--draws", type=int, default=10, help="how often examples are drawn (%(default)s)")
    args = parser.parse_args()
    with errors_end_it(FileNotFoundError, BundleError, BinaryError, ShardError), tempfile.TemporaryDirectory() as folder:
        program = Program(BinaryPredictor(args.binary.resolve(), args.bundle.resolve()), Path(folder))
        print("\n".join(table(args.tasks, args.data, program, args.draws)))


if __name__ == "__main__":
    main()
