"""What ends the program: one line with name, found and expected."""

from collections.abc import Iterator
from contextlib import contextmanager


class AnnotateError(Exception):
    """Input, settings or weights that cannot be used; the message is one line."""


@contextmanager
def memory_counts(stage: str, pictures: int) -> Iterator[None]:
    """Turns running out of memory, on the CPU or on a GPU, into what to change."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not _out_of_memory(error):
            raise
        hint = f"--batch {pictures // 2}" if pictures > 1 else "fewer --workers, a smaller model or --max-side"
        raise AnnotateError(f"stage {stage}: out of memory with {pictures} pictures at once; try {hint}") from error


def _out_of_memory(error: Exception) -> bool:
    """By name, because stages without networks need not load torch."""
    return isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError" or "allocate memory" in str(error)
