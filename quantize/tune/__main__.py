"""A bundle of one's own from a labelled set: `python -m quantize.tune DATASET --bundle models/mine`.

DATASET is a folder or a file of labels in any form that docs/training.md lists. A part of its pictures is held out; the shipped
bundle's head of regions learns the others' boxes on what its own int8 trunk sees, and keeps what it says of everything else;
scores are fitted on pictures that were not learned. Writes the bundle, and `report.html` with a table and pictures into the
folder --work. The same command again goes on where it was stopped.
"""

import argparse
import sys
from pathlib import Path

import torch

from quantize.bundle.manifest import BundleError
from quantize.command_line import results_alone
from quantize.labels.labelled import LabelError
from quantize.tune.learn import Plan
from quantize.tune.plan import HELD_OUT
from quantize.tune.report import table
from quantize.tune.tune import Asked, tune

UNUSABLE = 2
"""Exit code for input that cannot be used."""


def share(text: str) -> float:
    """Above 0 and below 1."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"found {text}, expected a share above 0 and below 1")
    return value


def positive(text: str) -> int:
    """A count from 1."""
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"found {text}, expected a whole number from 1")
    return int(text)


def arguments() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser("quantize.tune", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATASET", help="folder or file of labels")
    parser.add_argument("--bundle", type=Path, required=True, help="folder of the new bundle")
    parser.add_argument("--base", type=Path, default=Path("models/default"), help="bundle that is tuned (%(default)s)")
    parser.add_argument("--images", type=Path, help="folder of the pictures, where it is not that of the labels")
    parser.add_argument(
        "--keep", type=Path, nargs="+", default=[], metavar="PICTURES",
        help="folders or shards of other pictures, labelled or not, on which the head stays as it was",
    )  # fmt: skip
    parser.add_argument("--work", type=Path, help="folder of the report and of what is kept for later runs (runs/tune-BUNDLE)")
    parser.add_argument(
        "--held-out", type=share, default=HELD_OUT,
        help="share of the pictures that is only measured, where the set has no part of its own for it (%(default)s)",
    )  # fmt: skip
    parser.add_argument("--steps", type=positive, default=Plan.steps, help="(%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of everything random (%(default)s)")
    parser.add_argument("--threads", type=positive, default=2, help="processor cores (%(default)s)")
    parser.add_argument("--force", action="store_true", help="replace the bundle if it is there")
    return parser.parse_args()


def main() -> int:
    """Returns the exit code."""
    args = arguments()
    results_alone()
    torch.set_num_threads(args.threads)
    work = args.work or Path("runs") / f"tune-{args.bundle.name}"
    asked = Asked(
        args.data, args.bundle, args.base, work, args.images, args.keep, args.held_out, args.seed, args.force,
        Plan(steps=args.steps),
    )  # fmt: skip
    try:
        told = tune(asked)
    except (LabelError, BundleError) as error:
        print(f"tune: {error}", file=sys.stderr)
        return UNUSABLE
    except KeyboardInterrupt:
        print("tune: stopped; the same command goes on from here", file=sys.stderr)
        return 130
    print(f"\n{'':14}{'before':>10}{'after':>10}")
    for name, before, after, _ in table(told):
        print(f"{name:14}{before:>10}{after:>10}")
    print(f"\nbundle: {args.bundle}\nreport: {work / 'report.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
