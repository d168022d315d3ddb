"""Tables, one row a caption, a label or a box of a picture: CSV or TSV with a header, and JSON Lines."""

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from quantize.labels.gathered import Gathered
from quantize.labels.labelled import DataSet, LabelError, part_of, read_text, wrong

PICTURE = ("file_name", "filename", "image", "image_path", "image_name", "filepath", "file", "path", "picture", "img", "url")
CAPTION = ("caption", "captions", "text", "comment", "description", "sentence", "title", "prompt")
NAME = ("label", "class", "class_name", "category", "name")
EDGES = ("xmin", "ymin", "xmax", "ymax")
EXPECTED = "a column of pictures (image, file_name …), and one of captions (caption, text …) or names (label, class …)"


def rows_of(file: Path) -> list[dict[str, Any]]:
    """Rows by column, in lower case; raises LabelError."""
    text = read_text(file)
    if file.suffix.lower() in (".jsonl", ".ndjson"):
        rows = []
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip():
                try:
                    row = json.loads(line)
                except ValueError as error:
                    raise wrong(f"{file}, line {number}", str(error), "a JSON table a line") from None
                if not isinstance(row, dict):
                    raise wrong(f"{file}, line {number}", f"a {type(row).__name__}", "a JSON table a line")
                rows.append({str(key).lower(): value for key, value in row.items()})
        return rows
    try:
        dialect: Any = csv.Sniffer().sniff(text[:8192].split("\n", 1)[0], ",;\t|")
    except csv.Error:
        dialect = csv.excel
    lines = list(csv.reader(text.splitlines(), delimiter=dialect.delimiter))
    header = [cell.strip().lower() for cell in lines[0]] if lines else []
    # a caption with the delimiter in it that nobody quoted runs into more cells than there are columns
    rows = []
    for cells in lines[1:]:
        whole = [*cells[: len(header) - 1], dialect.delimiter.join(cells[len(header) - 1 :])]
        rows.append(dict(zip(header, (cell.strip() for cell in whole), strict=False)))
    return rows


def _column(row: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    return next((name for name in names if name in row), None)


def is_table(file: Path) -> bool:
    """Whether a file has the columns."""
    try:
        rows = rows_of(file)
    except LabelError:
        return False
    return bool(rows) and _column(rows[0], PICTURE) is not None and _column(rows[0], (*CAPTION, *NAME, "objects")) is not None


def read(place: Path, files: list[Path], folder: Path) -> DataSet:
    """From files whose pictures lie below `folder`; raises LabelError."""
    gathered = Gathered(place, f"tables ({', '.join(file.name for file in files)})", folder)
    for file in files:
        for row in rows_of(file):
            _row(gathered, file, row)
    return gathered.data_set()


def _row(gathered: Gathered, file: Path, row: Mapping[str, Any]) -> None:
    column, caption, name = _column(row, PICTURE), _column(row, CAPTION), _column(row, NAME)
    if column is None or (caption is None and name is None and "objects" not in row):
        raise wrong(file, f"the columns {', '.join(map(str, row))}", EXPECTED)
    if not str(row[column] or "").strip():
        gathered.left.add("rows without a picture", file.name)
        return
    path = gathered.find(file, str(row[column]), [file.parent, file.parent / "images"])
    picture = None if path is None else gathered.open(path, part=part_of([str(row.get("split", "")), file.parent.name]))
    if picture is None:
        return
    try:
        for said, rect, size in _boxes(row, name):
            gathered.pixels(picture, said, rect, size)
        if name is not None and not set(EDGES) <= set(row):
            gathered.whole(picture, str(row[name]))
    except (KeyError, TypeError, ValueError):
        gathered.left.add("rows whose box cannot be read", f"{file.name}: {row[column]}")
    if caption is not None:
        for text in row[caption] if isinstance(row[caption], list) else [row[caption]]:
            gathered.caption(picture, str(text or ""))


def _boxes(
    row: Mapping[str, Any], name: str | None
) -> Iterator[tuple[str, tuple[float, float, float, float], tuple[int, int] | None]]:
    """Corners in pixels, or Hugging Face's `objects` with `bbox` [x, y, width, height] and names."""
    if name is not None and set(EDGES) <= set(row):
        size = (int(row["width"]), int(row["height"])) if {"width", "height"} <= set(row) else None
        x0, y0, x1, y1 = (float(row[edge]) for edge in EDGES)
        yield str(row[name]), (x0, y0, x1, y1), size
    objects = row.get("objects") or {}
    names = objects.get("categories") or objects.get("category") or objects.get("labels") or []
    for (x, y, w, h), said in zip(objects.get("bbox", []), names, strict=True):
        if isinstance(said, int):
            raise ValueError("a class by number")
        yield str(said), (float(x), float(y), float(x) + float(w), float(y) + float(h)), None
