"""XML as annotations have it; a document's own entities are refused by the parser's limits."""

from pathlib import Path
from xml.etree import ElementTree

from quantize.labels.labelled import Rect, read_text, wrong


def root_of(path: Path) -> ElementTree.Element:
    """Raises LabelError if it is not well-formed."""
    text = read_text(path)
    if "<!ENTITY" in text:
        raise wrong(path, "entities of its own", "a well-formed XML file without them")
    try:
        return ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise wrong(path, str(error), "a well-formed XML file") from None


def root_name(path: Path) -> str:
    """Of the outermost element, from the file's beginning; empty if it is no XML."""
    try:
        for _, element in ElementTree.iterparse(path, ["start"]):
            return str(element.tag)
    except (OSError, ElementTree.ParseError):
        pass
    return ""


def bounds(points: list[tuple[float, float]]) -> Rect:
    """The smallest box around points."""
    x, y = [p[0] for p in points], [p[1] for p in points]
    return min(x), min(y), max(x), max(y)
