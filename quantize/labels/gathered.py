"""What all forms are read with: the pictures below a folder by the names that annotations give them, and boxes by picture."""

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from quantize.labels.labelled import Content, DataSet, Labelled, Left, Rect, Thing, wrong

PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"})
SAME_SHAPE = 0.02
"""By how much the ratio of sides may differ between a picture and what its labels say of it: pictures are resized."""
LEAST_SIDE = 1e-4
"""Of a box, as a fraction of the picture's."""


def pictures_below(folder: Path) -> list[Path]:
    """All picture files in a folder and in those in it, without hidden ones."""
    files = (p for p in folder.rglob("*") if p.suffix.lower() in PICTURES and p.is_file())
    return sorted(p for p in files if not any(part.startswith(".") for part in p.relative_to(folder).parts))


class Gathered:
    """Collects labelled pictures; each is opened once, and what cannot be used is left with a reason."""

    def __init__(self, place: Path, form: str, folder: Path) -> None:
        """`place` is what the user named; `folder` holds the pictures."""
        self.place, self.form, self.folder = place, form, folder
        self.left = Left()
        self._found: dict[Path, Labelled | None] = {}
        self._by_name: dict[str, list[Path]] | None = None

    def find(self, annotations: Path, name: str, near: Iterable[Path] = ()) -> Path | None:
        """The file that annotations of another machine call `name`: in one of the folders `near`, else the one below the folder
        of pictures whose path ends most like it. None if there is none, which is noted.

        Raises:
            LabelError: it would lead out of the folder.
        """
        plain = name.replace("\\", "/")
        plain = re.sub(r"^[A-Za-z]:", "", plain).lstrip("/").removeprefix("./")
        parts = PurePosixPath(plain).parts
        if not parts or ".." in parts:
            raise wrong(annotations, f'the picture "{name}"', "the name of a file in the folder of pictures")
        for folder in (*near, self.folder):
            if (folder / plain).is_file():
                return folder / plain
        if self._by_name is None:
            self._by_name = defaultdict(list)
            for path in pictures_below(self.folder):
                self._by_name[path.name.lower()].append(path)
        found = self._by_name.get(parts[-1].lower(), [])
        if not found:
            self.left.add("pictures that are not there", name)
            return None
        return max(found, key=lambda path: _common_end(path.parts, parts))

    def open(self, path: Path, declared: tuple[int, int] | None = None, part: str = "") -> Labelled | None:
        """The picture, made ready for its labels; None if it cannot be used, which is noted once.

        `declared` is the size that its labels give it.
        """
        if path not in self._found:
            self._found[path] = self._opened(path, declared, part)
        return self._found[path]

    def _opened(self, path: Path, declared: tuple[int, int] | None, part: str) -> Labelled | None:
        content = Content(path)
        try:
            size = content.upright_size()
        except Exception:  # Pillow alone raises half a dozen types for a broken file
            self.left.add("pictures that cannot be read", path)
            return None
        if declared and min(declared) > 0 and abs(declared[0] * size[1] / (declared[1] * size[0]) - 1) > SAME_SHAPE:
            shown = f"{path}: {size[0]} x {size[1]}, its labels say {declared[0]} x {declared[1]}"
            self.left.add("pictures of another shape than their labels say", shown)
            return None
        inside = path.relative_to(self.folder) if path.is_relative_to(self.folder) else Path(path.name)
        return Labelled(inside.with_suffix("").as_posix(), content, size, part)

    def box(self, picture: Labelled, name: str, rect: Rect, crowd: bool = False) -> None:
        """Adds a box in fractions of the picture, cut at its edges; one without an area inside is left."""
        x0, y0, x1, y1 = (min(max(v, 0.0), 1.0) for v in rect)  # a NaN becomes 1, and so no area
        if not name.strip():
            self.left.add("boxes without a name", picture.key)
        elif x1 - x0 < LEAST_SIDE or y1 - y0 < LEAST_SIDE:
            self.left.add("boxes without an area inside their picture", picture.key)
        else:
            picture.things.append(Thing(name.strip(), (x0, y0, x1, y1), crowd))

    def pixels(
        self, picture: Labelled, name: str, rect: Rect, declared: tuple[int, int] | None = None, crowd: bool = False
    ) -> None:
        """Adds a box in pixels of the picture, or of the size that its labels give it."""
        w, h = declared if declared and min(declared) > 0 else picture.size
        self.box(picture, name, (rect[0] / w, rect[1] / h, rect[2] / w, rect[3] / h), crowd)

    def whole(self, picture: Labelled, name: str) -> None:
        """Adds a name of the picture as a whole."""
        if name.strip() and name.strip() not in picture.labels:
            picture.labels.append(name.strip())

    def caption(self, picture: Labelled, text: str) -> None:
        """Adds a caption."""
        plain = " ".join(text.split())
        if plain and plain not in picture.captions:
            picture.captions.append(plain)

    def drop(self, path: Path, reason: str, which: object) -> None:
        """Leaves a picture out, whatever was added."""
        self.left.add(reason, which)
        self._found[path] = None

    def data_set(self) -> DataSet:
        """All pictures, by key.

        Raises:
            LabelError: there are none.
        """
        pictures = [each for each in self._found.values() if each is not None]
        if not pictures:
            why = f" ({self.left})" if self.left.reasons else ""
            raise wrong(self.place, f"nothing that is labelled{why}", f"{self.form}: pictures with names or boxes")
        return DataSet(self.place, self.form, sorted(pictures, key=lambda p: (p.key, str(p.content.path))), self.left)


def _common_end(path: tuple[str, ...], wanted: tuple[str, ...]) -> int:
    count = 0
    for a, b in zip(reversed(path), reversed(wanted), strict=False):
        if a.lower() != b.lower():
            break
        count += 1
    return count
