"""False alarms of taught names: thresholds by `vocab test --fit` on some pictures without them, alarms counted on others."""

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from quantize.evaluate.samples import Sample, read_shard
from quantize.prototypes.program.pictures import Named, heldout
from quantize.prototypes.program.session import Program, words_of

NAMES = 10
"""Taught in one file."""
COUNT = 2
"""Examples of each."""
FITTED = 400
"""Pictures that thresholds are fitted on."""
COUNTED = 400
"""Others, on which alarms are counted."""


def alarms(program: Program, data: Path, draws: int) -> Iterator[tuple[int, dict[str, float]]]:
    """Percent of pictures without a name that it is found on at its fitted threshold, and of its own pictures, by mode."""
    task = heldout(data)
    scenes = _scenes(data)
    for seed in range(draws):
        rng = np.random.default_rng(seed)
        listed = [name for name, samples in task.teach.items() if len(samples) > COUNT]
        names = [listed[i] for i in rng.permutation(len(listed))[:NAMES]]
        some = Named({name: task.teach[name] for name in names}, {name: task.ask[name] for name in names})
        taught, asked = some.drawn(COUNT, seed)
        without = [scenes[i] for i in rng.permutation(len(scenes)) if not _mentions(scenes[i], names)]
        folder = program.path("")
        for name, samples in some.teach.items():
            _write(folder / "teach" / name, [sample for sample in samples if sample.key in taught])
            _write(folder / "own" / name, [sample for sample, of in asked if of == name])
        _write(folder / "fit", without[:FITTED])
        _write(folder / "count", without[FITTED : FITTED + COUNTED])
        found: dict[str, float] = {}
        for mode in ("examples", "both"):

            def teach(file: Path, folder: Path = folder) -> None:
                program.run("vocab", "add", file, "--folder", folder / "teach")

            file = program.taught({} if mode == "examples" else words_of(names), teach).file
            program.run("vocab", "test", file, "--nothing", folder / "fit", "--fit")
            own = [folder / "own" / name for name in names]
            said = json.loads(program.run("vocab", "test", file, *own, "--nothing", folder / "count", "--json"))
            labels = said["labels"]
            found[f"alarms, {mode}"] = 100 * sum(label["alarms"] for label in labels) / said["nothing"] / len(labels)
            found[f"found, {mode}"] = 100 * sum(label["found"] for label in labels) / sum(label["pictures"] for label in labels)
        yield COUNT, found


def _scenes(data: Path) -> list[Sample]:
    """Photos of people's lives with captions or questions, of the last training shard and the validation shard."""
    shards = [sorted(data.glob("train-*.tar"))[-1], data / "val.tar"]
    kept = [read_shard(path, lambda _, source: source.startswith(("flickr8k", "visual7w"))) for path in shards]
    return [sample for shard in kept for samples in shard.values() for sample in samples]


def _mentions(sample: Sample, names: Sequence[str]) -> bool:
    """Whether what is said of a picture has one of the names in it."""
    said = json.dumps([sample.record.get(key) for key in ("captions", "qa", "label")]).lower()
    return any(name.lower() in said for name in names)


def _write(folder: Path, samples: Sequence[Sample]) -> None:
    folder.mkdir(parents=True)
    for sample in samples:
        with open(os.path.join(folder, f"{sample.key}.jpg"), "wb") as file:
            file.write(sample.files["jpg"])
