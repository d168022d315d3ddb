"""What examples are worth through the program: `edgeclip vocab build`, `vocab add`, and `eval` with the file.

python -m quantize.prototypes.program heldout groceries scenes --binary target/release/edgeclip --data ../shared/data

`heldout`: the held-out names, whole pictures; `groceries`: products taught by training pictures, tested on the validation shard;
`scenes`: COCO's names taught by boxes of training pictures, found in the validation pictures (AP50), with right words and with
half of them replaced by others. Words alone, examples alone, both; mean and deviation over the draws.
"""

import argparse
import json
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import safe_open

from quantize.bundle.manifest import BundleError
from quantize.command_line import errors_end_it
from quantize.evaluate.average_precision import mean_precision, precisions
from quantize.evaluate.binary import BinaryError, BinaryPredictor, array, detections, encoded, release_binary
from quantize.evaluate.coco_detection import THRESHOLD, TOP
from quantize.evaluate.coco_names import COCO_NAMES
from quantize.evaluate.predictor import Detections
from quantize.evaluate.protocols.box_quality import labelled
from quantize.evaluate.samples import Sample, ShardError, read_shard

MODES = ("words", "examples", "both")
COUNTS = {"heldout": (1, 2), "groceries": (1, 3, 5, 10), "scenes": (1, 5)}
WRONG = 0.5
"""Share of the words that are replaced in the second part of `scenes`."""
WRONG_SEED = 5
TAUGHT_SCENES = "coco128_train2017"
Figures = dict[tuple[str, int, str], list[float]]
"""By task, number of examples, and mode."""


class Program:
    """The program with one model, in a folder of its own."""

    def __init__(self, predictor: BinaryPredictor, folder: Path) -> None:
        self.predictor, self.folder, self.made = predictor, folder, 0

    def vocab(self, *arguments: str | Path) -> None:
        """Runs `edgeclip vocab …`.

        Raises:
            BinaryError: it failed.
        """
        command = [self.predictor.binary, "vocab", *arguments, "--model", self.predictor.model]
        ended = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
        if ended.returncode:
            raise BinaryError(f"vocab {arguments[0]}: {(ended.stderr.strip().splitlines() or ['no message'])[-1]}")

    def taught(self, words: Mapping[str, str], teach: Callable[[Path], None] | None) -> Path:
        """A vocabulary file with the word of each name, if there are any, and with what `teach` adds."""
        self.made += 1
        file = self.folder / f"{self.made}.vocab.safetensors"
        if words:
            prompts = self.folder / "prompts.txt"
            prompts.write_text("".join(f"{name} = {word}\n" for name, word in words.items()))
            self.vocab("build", "--prompt", f"@{prompts}", "--out", file)
        if teach:
            teach(file)
        return file

    def use(self, file: Path) -> list[str]:
        """Asks by this file from now on: its names, in order."""
        self.predictor.ask(vocabulary={"file": str(file)})
        with safe_open(str(file), "np") as content:
            names: list[str] = json.loads(content.metadata()["names"])
        return names


@dataclass(frozen=True)
class Named:
    """Whole pictures, each of one name."""

    teach: Mapping[str, Sequence[Sample]]
    ask: Mapping[str, Sequence[Sample]]
    """The same pictures as in `teach`, or others. None asks about what it teaches."""


def words_of(names: Sequence[str]) -> dict[str, str]:
    """Each name is its own word."""
    return {name: name for name in names}


def accuracy(program: Program, task: Named, count: int, seed: int) -> dict[str, float]:
    """Percent of pictures whose best tag is their name, by mode."""
    rng = np.random.default_rng(seed)
    folder = Path(tempfile.mkdtemp(dir=program.folder))
    asked: list[tuple[Sample, str]] = []
    for name, samples in task.teach.items():
        chosen = [samples[i] for i in rng.permutation(len(samples))[:count]]
        (folder / name).mkdir()
        for sample in chosen:
            (folder / name / f"{sample.key}.jpg").write_bytes(sample.files["jpg"])
        taught = {sample.key for sample in chosen}
        asked += [(sample, name) for sample in task.ask[name] if sample.key not in taught]

    def teach(file: Path) -> None:
        program.vocab("add", file, "--folder", folder)

    found = {}
    for mode in MODES:
        words = {} if mode == "examples" else words_of(list(task.teach))
        names = program.use(program.taught(words, None if mode == "words" else teach))
        answers = [program.predictor.ask(base64=encoded(sample.picture()), tags=True) for sample, _ in asked]
        right = [names[int(array(a["tags"]).argmax())] == name for a, (_, name) in zip(answers, asked, strict=True)]
        found[mode] = 100 * float(np.mean(right))
    return found


def scene_precision(program: Program, teach: Sequence[Sample], ask: Sequence[Sample], count: int, seed: int) -> dict[str, float]:
    """AP50 of COCO's names in whole pictures, by mode; `… half wrong` with other words for half of the names."""
    rng = np.random.default_rng(seed)
    folder = Path(tempfile.mkdtemp(dir=program.folder))
    by_name: dict[str, list[tuple[int, list[float]]]] = defaultdict(list)
    for place in rng.permutation(len(teach)).tolist():
        boxes, names = teach[place].boxes()
        # One box of a name and picture.
        for at in {name: i for i, name in enumerate(names)}.values():
            if len(by_name[names[at]]) < count:
                x0, y0, x1, y1 = boxes[at].tolist()
                by_name[names[at]].append((place, [x0, y0, x1 - x0, y1 - y0]))
    used = sorted({place for entries in by_name.values() for place, _ in entries})
    for place in used:
        (folder / f"{place}.jpg").write_bytes(teach[place].files["jpg"])
    coco = {
        "images": [{"id": place, "file_name": f"{place}.jpg"} for place in used],
        "categories": [{"id": i, "name": name} for i, name in enumerate(COCO_NAMES)],
        "annotations": [
            {"id": i, "image_id": place, "category_id": COCO_NAMES.index(name), "bbox": box}
            for i, (name, place, box) in enumerate((n, *entry) for n, entries in by_name.items() for entry in entries)
        ],
    }
    (folder / "coco.json").write_text(json.dumps(coco))

    def add(file: Path) -> None:
        program.vocab("add", file, "--coco", folder / "coco.json", "--images", folder)

    # Those of half of the names change places: a vocabulary takes each word once.
    other = np.random.default_rng(WRONG_SEED)
    moved = [COCO_NAMES[i] for i in other.permutation(len(COCO_NAMES))[: int(WRONG * len(COCO_NAMES))]]
    wrong = words_of(COCO_NAMES) | dict(zip(moved, [*moved[1:], moved[0]], strict=True))
    found = {}
    for mode in MODES:
        for kind, words in (("", words_of(COCO_NAMES)), (", half wrong", wrong)):
            if mode == "examples" and kind:
                continue
            file = program.taught({} if mode == "examples" else words, None if mode == "words" else add)
            names = program.use(file)
            place_of = np.array([COCO_NAMES.index(name) for name in names], np.int64)
            asked = [program.predictor.ask(base64=encoded(s.picture()), detect={"threshold": THRESHOLD, "top": TOP}) for s in ask]
            seen = [detections(answer) for answer in asked]
            renamed = [Detections(each.boxes, place_of[each.labels], each.scores) for each in seen]
            table = precisions(labelled(ask), renamed, len(COCO_NAMES)).table(np.ones(len(ask)))
            found[mode + kind] = 100 * mean_precision(table).ap50
    return found


def heldout(data: Path) -> Named:
    """The held-out names, taught and asked about by the same pictures."""
    lines = [line.split("\t") for line in (data / "heldout_keys.txt").read_text().splitlines() if line and line[0] != "#"]
    names = {key: name for key, _, name, use in lines if use == "test"}
    found: dict[str, list[Sample]] = defaultdict(list)
    for path in sorted(data.glob("train-*.tar")):
        for samples in read_shard(path, lambda key, _: key in names).values():
            for sample in samples:
                found[names[sample.key]].append(sample)
    return Named(dict(sorted(found.items())), found)


def groceries(data: Path, field: str) -> Named:
    """Products by their fine or coarse label: taught by training pictures, asked about by those of validation."""
    teach: dict[str, list[Sample]] = defaultdict(list)
    ask: dict[str, list[Sample]] = defaultdict(list)
    for path in sorted(data.glob("train-*.tar")):
        for sample in read_shard(path, lambda _, source: source == "grocery_train").get("grocery_train", []):
            teach[sample.record[field].replace("-", " ")].append(sample)
    for sample in read_shard(data / "val.tar")["grocery_test"]:
        ask[sample.record[field].replace("-", " ")].append(sample)
    return Named({name: teach[name] for name in sorted(ask) if teach[name]}, ask)


def measured(tasks: Sequence[str], data: Path, program: Program, draws: int) -> Figures:
    """All draws of all tasks, told as they come."""
    figures: Figures = defaultdict(list)

    def note(task: str, count: int, found: Mapping[str, float]) -> None:
        for mode, value in found.items():
            figures[task, count, mode].append(value)
        print(task, count, {mode: round(value, 1) for mode, value in found.items()}, flush=True)

    for task in tasks:
        parts = ["groceries, coarse", "groceries, label"] if task == "groceries" else [task]
        for part in parts:
            if task == "scenes":
                shards = [
                    read_shard(path, lambda _, source: source == TAUGHT_SCENES) for path in sorted(data.glob("train-*.tar"))
                ]
                teach = [sample for shard in shards for samples in shard.values() for sample in samples if sample.boxes()[1]]
                ask = read_shard(data / "val.tar")["coco128_val2017"]
            else:
                named = heldout(data) if task == "heldout" else groceries(data, part.split(", ")[1])
            for count in COUNTS[task]:
                for seed in range(draws):
                    if task == "scenes":
                        note(part, count, scene_precision(program, teach, ask, count, seed))
                    else:
                        note(part, count, accuracy(program, named, count, seed))
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="+", choices=COUNTS, help="what to measure")
    parser.add_argument("--bundle", type=Path, default=Path("models/default"), help="folder of the bundle (%(default)s)")
    parser.add_argument("--binary", type=Path, default=release_binary(), help="the edgeclip program (%(default)s)")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the shards (%(default)s)")
    parser.add_argument("--draws", type=int, default=10, help="how often examples are drawn (%(default)s)")
    args = parser.parse_args()
    with errors_end_it(FileNotFoundError, BundleError, BinaryError, ShardError), tempfile.TemporaryDirectory() as folder:
        program = Program(BinaryPredictor(args.binary, args.bundle.resolve()), Path(folder))
        figures = measured(args.tasks, args.data, program, args.draws)
    print("\n| | examples | by | mean ± sd |\n|---|---|---|---|")
    for (task, count, mode), values in figures.items():
        print(f"| {task} | {count} | {mode} | {np.mean(values):.1f} ± {np.std(values):.1f} |")


if __name__ == "__main__":
    main()
