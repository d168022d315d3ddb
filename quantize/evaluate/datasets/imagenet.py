"""ImageNet's ILSVRC 2012 (Russakovsky et al., 2015): 1,000 classes on 50,000 pictures.

Pictures as `val/n01440764/….JPEG`, or flat as `val/ILSVRC2012_val_00000001.JPEG` with their classes in `LOC_val_solution.csv`
(Kaggle), `val.txt` (Caffe) or `ILSVRC2012_validation_ground_truth.txt` and `meta.mat` (the development kit's `data` folder, here
or in `ILSVRC2012_devkit_t12/data/`). Names from `LOC_synset_mapping.txt`, `synset_words.txt` or `meta.mat`, the first synonym;
`--names FILE` takes others, one per line in the order of the synsets.
"""

import csv
from collections.abc import Mapping
from pathlib import Path

from scipy.io import loadmat

from quantize.evaluate.datasets.files import DatasetError, Problems, existing, expecting, first_of, read_lines
from quantize.evaluate.datasets.kinds import LabelItem, LabelSet

NAMES = "a list of synsets and names, `n01440764 tench, Tinca tinca` a line, or the development kit's meta.mat"
TRUTH = "pictures in folders of synsets, or their classes in a file"
KITS = ("", "data", "ILSVRC2012_devkit_t12/data")


def load(folder: Path, names: Path | None = None) -> LabelSet:
    """Reads the validation set; raises DatasetError."""
    places = [folder / kit / "meta.mat" for kit in KITS]
    listed = [(folder / file, _from_list) for file in ("LOC_synset_mapping.txt", "synset_words.txt")]
    words = first_of([*listed, *((place, lambda path: dict(_kit(path).values())) for place in places)], NAMES)
    synsets = sorted(words)
    shown = read_lines(names, "one name per line") if names else [words[synset] for synset in synsets]
    if len(shown) != len(synsets):
        raise DatasetError(f"{names}: found {len(shown)} names, expected {len(synsets)}, one for each synset")
    problems = Problems()
    place = {synset: i for i, synset in enumerate(synsets)}
    items = []
    for path, synset in _pictures(folder, synsets):
        if synset in place:
            items.append(LabelItem(path, place[synset]))
        else:
            problems.unknown[synset] += 1
    return LabelSet(items, shown, problems)


def _from_list(path: Path) -> dict[str, str]:
    lines = read_lines(path, NAMES)
    with expecting(path, NAMES):
        pairs = (line.split(maxsplit=1) for line in lines)
        return {synset: words.split(",")[0].strip() for synset, words in pairs}


def _kit(path: Path) -> dict[int, tuple[str, str]]:
    """Synset and first name of each class's number in the development kit."""
    with expecting(path, "the development kit's meta.mat with synsets"):
        rows = loadmat(path, squeeze_me=True)["synsets"].reshape(-1)
        leaves = (row for row in rows if int(row["num_children"]) == 0)
        return {int(row["ILSVRC2012_ID"]): (str(row["WNID"]), str(row["words"]).split(",")[0].strip()) for row in leaves}


def _pictures(folder: Path, synsets: list[str]) -> list[tuple[Path, str]]:
    val = existing(folder / "val", "the validation pictures")
    in_folders = [(path, path.parent.name) for path in sorted(val.glob("n*/*")) if path.is_file()]
    if in_folders:
        return in_folders
    kits = [(folder / kit / "ILSVRC2012_validation_ground_truth.txt", _from_kit) for kit in KITS]
    files = [(folder / "LOC_val_solution.csv", _from_kaggle), (folder / "val.txt", lambda path: _from_caffe(path, synsets))]
    found: Mapping[str, str] = first_of([*files, *kits], TRUTH)
    return [(val / f"{stem}.JPEG", synset) for stem, synset in sorted(found.items())]


def _from_kaggle(path: Path) -> dict[str, str]:
    with expecting(path, "rows of ImageId, PredictionString"), path.open(newline="") as file:
        return {row["ImageId"]: row["PredictionString"].split()[0] for row in csv.DictReader(file)}


def _from_caffe(path: Path, synsets: list[str]) -> dict[str, str]:
    lines = read_lines(path, TRUTH)
    with expecting(path, "`ILSVRC2012_val_00000001.JPEG 65` a line"):
        pairs = (line.split() for line in lines)
        return {Path(file).stem: synsets[int(index)] for file, index in pairs}


def _from_kit(path: Path) -> dict[str, str]:
    numbers = read_lines(path, "a class's number a line")
    kit = _kit(existing(path.parent / "meta.mat", "the development kit's meta.mat"))
    with expecting(path, "numbers of meta.mat"):
        return {f"ILSVRC2012_val_{i:08}": kit[int(number)][0] for i, number in enumerate(numbers, 1)}
