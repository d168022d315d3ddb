"""Trains the picture's head of a bundle anew: `python -m quantize.renew RECIPE [--bundle models/default] [--out FOLDER]`.

Trunk, words and boxes stay, so that it takes minutes: the bundle runs once over the recipe's shards (40 ms a picture, cached),
and the head learns from captions, labels and the teachers' answers (`python -m quantize.teachers`). Run `quantize.calibrate` and
`quantize.prototypes` afterwards: scores and the space of examples depend on the head.
"""

import argparse
from pathlib import Path

import torch

from quantize.bundle.manifest import BundleError
from quantize.command_line import add_changes, errors_end_it, results_alone
from quantize.renew.learn import PLANS
from quantize.renew.renewal import renew
from quantize.settings.board import load_board_recipe


def arguments() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", type=Path, help="the board recipe with shards, shares and teachers")
    parser.add_argument("--bundle", type=Path, default=Path("models/default"), help="folder of the bundle (%(default)s)")
    parser.add_argument("--out", type=Path, help="folder of the new bundle (default: the same)")
    add_changes(parser)
    return parser.parse_intermixed_args()


def main() -> None:
    results_alone()
    args = arguments()
    torch.set_num_threads(1)
    with errors_end_it(FileNotFoundError, ValueError, BundleError):
        renew(load_board_recipe(args.recipe, args.changes), args.bundle, args.out or args.bundle, PLANS)


if __name__ == "__main__":
    main()
