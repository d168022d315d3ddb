"""Whole pictures, each of one name: held-out names, and groceries."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from quantize.evaluate.samples import Sample, read_shard
from quantize.prototypes.program.session import MODES, Program, words_of

COUNTS = {"heldout": (1, 2), "groceries": (1, 3, 5, 10)}


@dataclass(frozen=True)
class Named:
    """Pictures by name."""

    teach: Mapping[str, Sequence[Sample]]
    ask: Mapping[str, Sequence[Sample]]
    """The same pictures as in `teach`, or others. None asks about what it teaches."""

    def drawn(self, count: int, seed: int) -> tuple[frozenset[str], list[tuple[Sample, str]]]:
        """Keys of what teaches; what asks, with its name."""
        rng = np.random.default_rng(seed)
        taught: set[str] = set()
        asked = []
        for name, samples in self.teach.items():
            chosen = {samples[i].key for i in rng.permutation(len(samples))[:count]}
            taught |= chosen
            asked += [(sample, name) for sample in self.ask[name] if sample.key not in chosen]
        return frozenset(taught), asked


def accuracies(program: Program, task: Named, counts: Sequence[int], draws: int) -> Iterator[tuple[int, dict[str, float]]]:
    """Percent of pictures whose best tag is their name, by mode: for each count and draw."""
    folder = program.path("")
    for name, samples in task.teach.items():
        (folder / name).mkdir(parents=True)
        for sample in samples:
            (folder / name / f"{sample.key}.jpg").write_bytes(sample.files["jpg"])

    def teach(file: Path) -> None:
        program.run("vocab", "add", file, "--folder", folder)

    words = words_of(task.teach)
    masters = {mode: program.taught({} if mode == "examples" else words, teach) for mode in MODES if mode != "words"}
    by_words = program.taught(words, None)
    program.use(by_words)
    answers = {s.key: by_words.names[int(program.tags(s).argmax())] for samples in task.ask.values() for s in samples}
    for count in counts:
        for seed in range(draws):
            taught, asked = task.drawn(count, seed)
            found = {"words": 100 * float(np.mean([answers[sample.key] == name for sample, name in asked]))}
            for mode, master in masters.items():
                drawn = program.drawn(master, {e.id for e in master.examples if e.file.removesuffix(".jpg") in taught})
                program.use(drawn)
                right = [drawn.names[int(program.tags(sample).argmax())] == name for sample, name in asked]
                found[mode] = 100 * float(np.mean(right))
                drawn.file.unlink()
            yield count, found


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
