"""Which form a data set has, by its content: `read("photos/")`, or the file of annotations itself."""

from collections.abc import Callable
from pathlib import Path

from quantize.labels import beside, coco, cvat, folders, label_studio, shards, tables, voc, yolo
from quantize.labels.gathered import pictures_below
from quantize.labels.labelled import DataSet, LabelError, read_json, wrong
from quantize.labels.xml_files import root_name

EXPECTED = (
    "a folder or a file of COCO, YOLO (data.yaml), Pascal VOC, Label Studio, CVAT, captions (CSV, JSONL), shards (.tar), or"
    " folders of pictures"
)
DEEP = 4
"""Folders below the data set's in which annotations are looked for."""
Reader = Callable[[], DataSet]


def read(place: Path, images: Path | None = None) -> DataSet:
    """All that can be used of a data set.

    Args:
        place: its folder, or its file of annotations.
        images: the folder of pictures, if it lies elsewhere.

    Raises:
        LabelError: it is missing, of no known form, of several at once, or holds nothing that can be used.
    """
    if images is not None and not images.is_dir():
        raise wrong(images, "no such folder", "the folder of the pictures (--images)")
    if place.is_dir():
        return _folder(place, images)
    if place.is_file():
        return _file(place, images)
    raise wrong(place, "no such file or folder", EXPECTED)


def _file(file: Path, images: Path | None) -> DataSet:
    suffix = file.suffix.lower()
    # COCO's own annotations lie in annotations/, beside the folders of pictures
    outer = file.parent.parent if file.parent.name.lower() in ("annotations", "labels") else file.parent
    folder = images or outer
    if suffix == ".tar":
        return shards.read(file, [file])
    if suffix in (".zip", ".gz", ".tgz", ".7z", ".rar"):
        raise wrong(file, f"a packed {suffix} file", "the folder that it unpacks to")
    if suffix == ".json":
        content = read_json(file, EXPECTED)
        if coco.is_coco(content):
            return coco.read(file, [file], folder)
        if label_studio.is_label_studio(content):
            return label_studio.read(file, file, folder)
    if suffix == ".xml":
        return voc.read(file, [file], folder) if root_name(file) == "annotation" else cvat.read(file, file, folder)
    if suffix in (".yaml", ".yml"):
        return yolo.read(file, file)
    if suffix in (".csv", ".tsv", ".jsonl", ".ndjson"):
        return tables.read(file, [file], folder)
    raise wrong(file, "another kind of file", EXPECTED)


def _folder(place: Path, images: Path | None) -> DataSet:
    readers = _readers(place, images or place)
    if len(readers) > 1:
        raise wrong(place, f"several forms: {', '.join(readers)}", "one of them; name its file")
    for read_it in readers.values():
        return read_it()
    pictures = pictures_below(place)
    numbers = beside.texts_look_like_labels(pictures)
    if numbers is not None or _label_texts(place):
        raise wrong(numbers or place, "YOLO labels without names", "data.yaml or classes.txt, with a name for each class")
    told = any(p.with_suffix(".txt").is_file() or p.with_suffix(".json").is_file() for p in pictures)
    loose = any(p.parent == place for p in pictures)
    if not told and not loose and folders.named_folders(place):
        return folders.read(place)
    return beside.read(place)


def _readers(place: Path, images: Path) -> dict[str, Reader]:
    """Those of all forms that have files of their own here, by what they were found by."""
    found: dict[str, Reader] = {}
    tars = sorted(place.glob("*.tar"))
    if tars:
        found["*.tar"] = lambda: shards.read(place, tars)
    files = sorted(f for f in _near(place) if f.suffix.lower() in (".json", ".xml", ".yaml", ".yml", ".csv", ".tsv", ".jsonl"))
    yamls = [f for f in files if f.suffix.lower() in (".yaml", ".yml") and yolo.is_yolo(f)]
    if yamls:
        found[yamls[0].name] = lambda: yolo.read(place, yamls[0])
    names = next((place / name for name in yolo.NAMES_OF if (place / name).is_file()), None)
    if names and not yamls and (_label_texts(place) or beside.texts_look_like_labels(pictures_below(place))):
        found[names.name] = lambda: yolo.read_without_yaml(place, names)
    jsons = [(f, _content(f)) for f in files if f.suffix.lower() == ".json" and not _beside_picture(f)]
    cocos = [f for f, content in jsons if coco.is_coco(content)]
    if cocos:
        found[cocos[0].name] = lambda: coco.read(place, _without_other_views(cocos), images)
    studios = [f for f, content in jsons if label_studio.is_label_studio(content)]
    if studios:
        found[studios[0].name] = lambda: label_studio.read(place, studios[0], images)
    roots = {f: root_name(f) for f in files if f.suffix.lower() == ".xml"}
    cvats = [f for f, root in roots.items() if root == "annotations"]
    if cvats:
        found[cvats[0].name] = lambda: cvat.read(place, cvats[0], images)
    vocs = [f for f, root in roots.items() if root == "annotation"]
    if vocs:
        found[f"{vocs[0].parent.name}/{vocs[0].name}"] = lambda: voc.read(place, vocs, images)
    sheets = [f for f in files if f.suffix.lower() in (".csv", ".tsv", ".jsonl") and tables.is_table(f)]
    if sheets:
        found[sheets[0].name] = lambda: tables.read(place, sheets, images)
    return found


def _without_other_views(files: list[Path]) -> list[Path]:
    """COCO's own files of key points, stuff and panoptic segments repeat those of instances; captions add to these."""
    other = ("keypoints", "stuff", "panoptic")
    instances = [f for f in files if f.stem.startswith("instances")]
    captions = [f for f in files if f.stem.startswith("captions")]
    rest = [f for f in files if f not in captions and not any(word in f.stem for word in other)]
    return [*(instances or rest), *captions] or files


def _near(place: Path) -> list[Path]:
    """Files up to some folders below, without hidden ones."""
    found, level = [], [place]
    for _ in range(DEEP):
        entries = [e for folder in level for e in folder.iterdir() if not e.name.startswith(".")]
        found += [e for e in entries if e.is_file()]
        level = [e for e in entries if e.is_dir()]
    return found


def _content(file: Path) -> object:
    try:
        return read_json(file, EXPECTED)
    except LabelError:
        return None


def _beside_picture(file: Path) -> bool:
    return any(file.with_suffix(suffix).is_file() for suffix in (".jpg", ".jpeg", ".png", ".webp"))


def _label_texts(place: Path) -> bool:
    """Whether folders called labels hold YOLO's texts."""
    texts = [t for t in sorted(place.rglob("labels/**/*.txt"))[:20] if t.is_file()]
    return any(yolo.looks_like_labels(t.read_text("utf-8", "replace")) for t in texts)
