"""Float networks → int8 networks, after `quantize.export` has written the float ones: `python -m quantize.int8 STEP RECIPE`.

Calibration and fine-tuning look at pictures of the recipe's shards; only `compare` opens the validation shard.
"""

import argparse
import logging
import sys
from pathlib import Path

from quantize.bundle.manifest import BundleError
from quantize.evaluate.binary import BinaryError, release_binary
from quantize.evaluate.measure import QUICK_LIMIT
from quantize.evaluate.samples import ShardError
from quantize.int8 import steps
from quantize.int8.compare import compare
from quantize.int8.ptq import CHOICES, DEFAULT, Method
from quantize.int8.qat import QatSettings
from quantize.settings.board import load_board_recipe

UNUSABLE = 2
DEPTH = 4


def positive(text: str) -> int:
    """A count on the command line."""
    if (value := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"found {value}, expected a whole number from 1")
    return value


def share(text: str) -> float:
    """A share on the command line."""
    if not 0 < (value := float(text)) <= 1:
        raise argparse.ArgumentTypeError(f"found {value}, expected a share of all products, above 0 and at most 1")
    return value


def bundle(text: str) -> tuple[str, Path]:
    """`NAME=FOLDER` on the command line."""
    name, equals, folder = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"found {text}, expected NAME=FOLDER")
    return name, Path(folder)


def add_method(parser: argparse.ArgumentParser) -> None:
    """Flags of post-training methods."""
    for name, choices in CHOICES.items():
        parser.add_argument(f"--{name}", choices=choices, default=getattr(DEFAULT, name), help="(%(default)s)")
    parser.add_argument("--bias", action="store_true", help="correct biases by the means of float")


def arguments() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(prog="python -m quantize.int8", description=__doc__)
    commands = parser.add_subparsers(dest="step", required=True)

    def step(name: str, text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text)
        made.add_argument("recipe", type=Path, help="for example quantize/recipes/cpu.toml")
        made.add_argument("changes", nargs="*", metavar="KEY=VALUE", help="other values of the recipe's keys: loop.steps=200")
        made.add_argument("--out", type=Path, required=True, help="folder to write")
        made.add_argument("--like", type=Path, default=Path("models/default"), help="bundle with the other files (%(default)s)")
        return made

    ptq = step("ptq", "post-training int8 by a chosen method, as a bundle")
    add_method(ptq)
    ptq.add_argument("--float", type=Path, dest="kept", help="mixed.json whose blocks stay in float")
    qat = step("qat", "fine-tune an int8 bundle so that it gives what the float twins give")
    qat.add_argument("--source", type=Path, default=Path("models/default"), help="int8 bundle to start from (%(default)s)")
    s = QatSettings()
    qat.add_argument("--steps", type=positive, default=s.steps, help="(%(default)s)")
    qat.add_argument("--batch", type=positive, default=s.batch, help="pictures per step (%(default)s)")
    qat.add_argument("--learning-rate", type=float, default=s.learning_rate, help="in steps of integer weights (%(default)s)")
    qat.add_argument("--scale-rate", type=float, default=s.scale_rate, help="of learned step sizes, 0 for none (%(default)s)")
    qat.add_argument("--heads", action="store_true", help="leave the trunk as it is")
    qat.add_argument("--every", type=positive, default=8, help="every which picture of the shards is trained on (%(default)s)")
    qat.add_argument("--seed", type=int, default=s.seed)
    for name, text in (
        ("sensitivity", "what each layer costs in int8: table and plot"),
        ("mixed", "blocks that stay in float, as a bundle"),
    ):
        looking = step(name, text)
        add_method(looking)
        looking.add_argument("--pictures", type=positive, default=8, help="to measure on (%(default)s)")
        looking.add_argument(
            "--depth", type=positive, default=DEPTH if name == "mixed" else None, help="parts of a block's name; layers without"
        )
    looking.add_argument("--budget", type=share, default=0.05, help="share of all products that may run in float (%(default)s)")
    table = commands.add_parser("compare", help="every metric on several bundles, as Markdown")
    table.add_argument(
        "bundles", nargs="+", type=bundle, metavar="NAME=FOLDER", help="the first is what the others are compared with"
    )
    table.add_argument("--data", type=Path, default=Path("../shared/data/val.tar"), help="the validation shard")
    table.add_argument("--binary", type=Path, default=release_binary(), help="the edgeclip program")
    table.add_argument("--quick", action="store_true", help=f"only the first {QUICK_LIMIT} pictures of each set")
    table.add_argument("--results", type=Path, help="folder to keep what was measured, NAME.json each")
    return parser.parse_args()


def run(a: argparse.Namespace) -> None:
    """One step."""
    if a.step == "compare":
        print(compare(a.bundles, a.data, a.binary, QUICK_LIMIT if a.quick else None, a.results), end="")
        return
    recipe, place = load_board_recipe(a.recipe, a.changes), steps.Place(a.like, a.out)
    if a.step == "qat":
        s = QatSettings(a.steps, a.batch, a.learning_rate, a.scale_rate, not a.heads, a.seed)
        steps.qat(recipe, place, a.source, s, a.every)
        return
    method = Method(a.ranges, a.weights, a.equalise, a.relu6, a.bias)
    match a.step:
        case "ptq":
            steps.ptq(recipe, place, method, steps.float_nodes(a.kept) if a.kept else {})
        case "sensitivity":
            steps.sensitivities(recipe, place, method, a.pictures, a.depth)
        case "mixed":
            steps.mixed(recipe, place, method, a.pictures, a.depth, a.budget)


def main() -> int:
    """The exit code."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        run(arguments())
    except (ValueError, OSError, BundleError, BinaryError, ShardError) as error:
        print(f"int8: {error}", file=sys.stderr)
        return UNUSABLE
    return 0


if __name__ == "__main__":
    sys.exit(main())
