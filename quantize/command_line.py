"""What commands share: the recipe on the command line, and errors that end the program with one line and exit code 2."""

import argparse
import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from quantize.settings.board import BoardRecipe, load_board_recipe


def results_alone() -> None:
    """Log lines as they are, without the warnings of libraries, which stand between results and mean nothing to their reader."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.captureWarnings(True)
    logging.getLogger("py.warnings").setLevel(logging.ERROR)
    if runtime := sys.modules.get("onnxruntime"):
        runtime.set_default_logger_severity(3)  # errors


@contextmanager
def errors_end_it(*kinds: type[Exception]) -> Iterator[None]:
    """Errors of these kinds end the program with one line and exit code 2."""
    try:
        yield
    except kinds as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None


def missing_files_end_it() -> AbstractContextManager[None]:
    """A file that the recipe names and that is missing ends the program with one line and exit code 2."""
    return errors_end_it(FileNotFoundError)


def _parser(doc: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", type=Path, help="for example quantize/recipes/cpu.toml")
    add_changes(parser)
    return parser


def add_changes(parser: argparse.ArgumentParser) -> None:
    """The arguments behind the recipe: `loop.steps=200 data.shards='["a.tar"]'`."""
    parser.add_argument("changes", nargs="*", metavar="KEY=VALUE", help="other values of the recipe's keys: loop.steps=200")


def _load_or_end(parser: argparse.ArgumentParser, path: Path, changes: Sequence[str]) -> BoardRecipe:
    try:
        return load_board_recipe(path, changes)
    except ValueError as error:
        parser.error(str(error))


def recipe_path(doc: str | None) -> tuple[Path, list[str]]:
    """`python -m quantize.<step> RECIPE [KEY=VALUE …]`, for steps that take several kinds of recipes."""
    arguments = _parser(doc).parse_intermixed_args()
    return arguments.recipe, arguments.changes


def board_recipe(doc: str | None) -> BoardRecipe:
    """`python -m quantize.<step> RECIPE [KEY=VALUE …]`; errors end with exit code 2."""
    parser = _parser(doc)
    arguments = parser.parse_intermixed_args()
    return _load_or_end(parser, arguments.recipe, arguments.changes)


def recipe_and_bundle(doc: str | None) -> tuple[BoardRecipe, Path]:
    """`python -m quantize.<step> RECIPE [KEY=VALUE …] [--bundle models/default]`; errors end with exit code 2."""
    parser = _parser(doc)
    parser.add_argument("--bundle", type=Path, default=Path("models/default"), help="folder of the bundle (%(default)s)")
    arguments = parser.parse_intermixed_args()
    return _load_or_end(parser, arguments.recipe, arguments.changes), arguments.bundle
