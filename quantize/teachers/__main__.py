"""Asks the teachers of a recipe's [soft] about every picture of its shards: `python -m quantize.teachers RECIPE [--report]`.

Answers go to `soft.folder`, a small file for each teacher and some hundred pictures. Running the command again goes on where it
was. `--report` writes `report.md` and `sheet.png` of the answers so far instead. One process uses one core.
"""

import argparse
import sys
from pathlib import Path

import torch

from quantize.command_line import add_changes, errors_end_it, results_alone
from quantize.settings.board import load_board_recipe
from quantize.teachers.asking import ask_all
from quantize.teachers.report import write_report


def main() -> int:
    """Returns the exit code."""
    results_alone()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", type=Path, help="with a table [soft], for example quantize/recipes/taught.toml")
    parser.add_argument("--report", action="store_true", help="say what the answers are so far")
    add_changes(parser)
    arguments = parser.parse_intermixed_args()
    torch.set_num_threads(1)
    with errors_end_it(FileNotFoundError, ValueError):
        recipe = load_board_recipe(arguments.recipe, arguments.changes)
        if not recipe.soft.folder:
            raise ValueError(f"{arguments.recipe}: found no soft.folder, expected a folder for the teachers' answers")
        (write_report if arguments.report else ask_all)(recipe)
    return 0


if __name__ == "__main__":
    sys.exit(main())
