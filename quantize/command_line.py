"""What commands share: the recipe on the command line, and errors that end the program with one line and exit code 2."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from quantize.settings.board import BoardRecipe, load_board_recipe


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
    return parser


def _load_or_end(parser: argparse.ArgumentParser, path: Path) -> BoardRecipe:
    try:
        return load_board_recipe(path)
    except ValueError as error:
        parser.error(str(error))


def recipe_path(doc: str | None) -> Path:
    """`python -m quantize.<step> RECIPE`, for steps that take several kinds of recipes."""
    path: Path = _parser(doc).parse_args().recipe
    return path


def board_recipe(doc: str | None) -> BoardRecipe:
    """`python -m quantize.<step> RECIPE`; errors end with exit code 2."""
    parser = _parser(doc)
    return _load_or_end(parser, parser.parse_args().recipe)


def recipe_and_bundle(doc: str | None) -> tuple[BoardRecipe, Path]:
    """`python -m quantize.<step> RECIPE [--bundle models/default]`; errors end with exit code 2."""
    parser = _parser(doc)
    parser.add_argument("--bundle", type=Path, default=Path("models/default"), help="folder of the bundle (%(default)s)")
    arguments = parser.parse_args()
    return _load_or_end(parser, arguments.recipe), arguments.bundle
