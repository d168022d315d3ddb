"""Wraps the prose of Markdown pages at 100 columns: `python docs/wrap.py [PAGE...]`, all pages without arguments.

Fenced and indented code, tables, headings and pictures stay as they are, and so do words: only blanks and line breaks move.
Pages that are measured or exported are left alone.
"""

import re
import subprocess
import sys
from pathlib import Path

WIDTH = 100
MADE = ("benches/record/", "models/")
ITEM = re.compile(r"^(\s*)([-*+]|\d+[.)])\s+")
FENCE = re.compile(r"^\s*(`{3,}|~{3,})")
# A line that began so would be a list, a quotation, a heading or a table.
MARK = re.compile(r"[-*+>]|#+|\d+[.)]|\|.*")
# Longer code is broken like prose.
LONGEST_CODE = 80
GLUE = "\0"


def words(text: str) -> list[str]:
    """The pieces between which a line may end."""
    text = re.sub(r"`[^`]+`", lambda m: m[0].replace(" ", GLUE) if len(m[0]) < LONGEST_CODE else m[0], text)
    out: list[str] = []
    for word in text.split():
        if out and MARK.fullmatch(word):
            out[-1] += GLUE + word
        else:
            out.append(word)
    return out


def filled(text: str, first: str, rest: str) -> list[str]:
    """`text` in lines, the first of which begins with `first`, all others with `rest`."""
    lines, line = [], first
    for index, word in enumerate(words(text)):
        if index and len(line) + 1 + len(word) > WIDTH:
            lines.append(line)
            line = rest + word
        else:
            line += " " * bool(index) + word
    return [line.replace(GLUE, " ") for line in [*lines, line]]


def wrapped(text: str) -> str:
    """A page with its paragraphs and list items wrapped."""
    out: list[str] = []
    paragraph: list[str] = []
    first = rest = ""
    fence = None

    def flush() -> None:
        if paragraph:
            out.extend(filled(" ".join(paragraph), first, rest))
            paragraph.clear()

    for line in text.split("\n"):
        bare = line.strip()
        if fence:
            out.append(line)
            fence = None if bare == fence else fence
        elif opening := FENCE.match(line):
            flush()
            fence = opening[1]
            out.append(line)
        elif not bare or bare.startswith(("|", "#", "<", "![")) or re.match(r"\[[^]]+\]:|-{3,}$", bare):
            flush()
            if bare:
                first = rest = ""
            out.append(line)
        elif item := ITEM.match(line):
            flush()
            first, rest = item[0], " " * len(item[0])
            paragraph.append(line[len(first) :])
        elif paragraph:
            paragraph.append(bare)
        elif line.startswith("    ") and not rest:
            out.append(line)
        else:
            first = rest = line[: len(line) - len(line.lstrip())]
            paragraph.append(bare)
    flush()
    return "\n".join(out)


def pages() -> list[Path]:
    """All pages that people write."""
    found = subprocess.run(["git", "ls-files", "*.md"], check=True, capture_output=True, text=True)
    return [Path(page) for page in found.stdout.splitlines() if not page.startswith(MADE)]


def main() -> None:
    """Wraps and names what has changed."""
    for page in [Path(name) for name in sys.argv[1:]] or pages():
        text = page.read_text()
        new = wrapped(text)
        if text.split() != new.split():
            sys.exit(f"{page}: found words that would change, expected line breaks alone")
        if text != new:
            page.write_text(new)
            print(page)


main()
