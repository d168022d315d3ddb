"""What examples are worth: `python -m quantize.prototypes.measure RECIPE [--bundle models/default] --heldout FILE`.

Words, examples and both, ten draws, by the numpy specification: held-out names, groceries of `--validation` taught from the
recipe's shards, and false alarms of taught names. Run `python -m quantize.prototypes` with the same recipe first: it keeps what
the bundle sees.
"""

import argparse
import json
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from quantize.arithmetic import examples as arithmetic
from quantize.arithmetic.examples import Space, load_space
from quantize.arithmetic.geometry import Floats
from quantize.bundle.manifest import BundleError
from quantize.bundle.write import FEATURES, sha256
from quantize.command_line import errors_end_it
from quantize.evaluate.onnx import OnnxPredictor
from quantize.prototypes.fit import Words
from quantize.prototypes.seen import Seen, plain, shard, stacked
from quantize.settings.board import load_board_recipe

DRAWS = 10
COUNTS = (1, 2, 3, 5, 10)
FALSE_ALARMS = 200
"""On one of so many pictures a name may be found that is not there."""
HEADROOM = 0.1
ALARMED = 400
"""Taught names, one at a time, whose false alarms are counted."""
MODES = ("words", "examples", "both")
Integers = NDArray[np.int64]


class Asked:
    """Pictures with their vectors, everyday evidence and embeddings."""

    def __init__(self, predictor: OnnxPredictor, space: Space, seen: Seen) -> None:
        found = predictor.manifest.examples
        if found is None:
            raise BundleError("found no [examples] in the manifest, expected them (python -m quantize.prototypes)")
        self.settings, self.pool, self.score = found, found.picture, predictor.manifest.image
        self.predictor, self.space, self.seen = predictor, space, seen
        rows = [
            arithmetic.vector(space, pooled.astype(np.float32), embedding, space.picture_centre, self.pool.embedding)
            for pooled, embedding in zip(seen.pooled, seen.embedding, strict=True)
        ]
        if not all(len(row) for row in rows):
            raise ValueError("found a picture that the network sees nothing of, expected features of each")
        self.rows = arithmetic.joined(rows)
        self.everyday = np.array([arithmetic.everyday(space, self.rows.take([i]), self.settings.scale) for i in range(len(rows))])
        self.vectors: dict[str, Floats] = {}

    def texts(self, names: Sequence[str]) -> Floats:
        """Of names, embedded once."""
        new = [name for name in dict.fromkeys(names) if name not in self.vectors]
        if new:
            self.vectors |= dict(zip(new, self.predictor.embed_texts(new), strict=True))
        return np.stack([self.vectors[name] for name in names])

    def above(self, names: Sequence[str], taught: Sequence[Integers], at: Integers, mode: str) -> Floats:
        """How far each name stands above the negatives in each of the pictures `at`: `[N, names]`."""
        texts = self.texts(names)
        words = Words(names, texts, self.predictor.bank, self.predictor.manifest.max_similarity)
        by_words = words.evidence(self.seen.embedding[at], texts, self.score.scale)
        if mode == "words":
            return by_words
        found = np.empty_like(by_words)
        queries = self.rows.q[at].astype(np.float64)
        for i, rows in enumerate(taught):
            mine = self.rows.take(rows.tolist())
            compared = arithmetic.prototype(self.space, self.settings.ridge, mine)
            cosines = (queries @ compared.q[0].astype(np.float64)).astype(np.float32) * compared.scale[0] * self.rows.scale[at]
            evidence = self.settings.scale * cosines - self.everyday[at]
            if mode == "examples":
                w = arithmetic.weights(self.pool.alone, len(rows))
                found[:, i] = w[0] * evidence + w[1]
            else:
                w = arithmetic.weights(self.pool.beside_words, len(rows))
                agreed = arithmetic.agreement(arithmetic.mean(mine), texts[i])
                found[:, i] = w[0] * by_words[:, i] + w[1] * evidence + w[2] + w[3] * agreed
        return found

    def alone(self, name: str, rows: Integers, at: Integers, mode: str) -> Floats:
        """Its probability as a tag, as the only name asked for."""
        w = self.score.weights
        return np.asarray(1 / (1 + np.exp(-(w[0] + w[1] * self.above([name], [rows], at, mode)[:, 0]))), np.float32)


@dataclass(frozen=True)
class Task:
    """Names, the pictures that may teach each, and those that ask."""

    names: list[str]
    teach: list[Integers]
    ask: list[Integers]
    """The same pictures as in `teach`, or others."""

    def drawn(self, count: int, seed: int) -> tuple[list[Integers], Integers, Integers]:
        """Examples of each name; which pictures ask, and their names. A picture never asks about what it teaches."""
        rng = np.random.default_rng(seed)
        taught = [rng.permutation(rows)[:count] for rows in self.teach]
        asking = [np.setdiff1d(rows, mine) for rows, mine in zip(self.ask, taught, strict=True)]
        return taught, np.concatenate(asking), np.repeat(np.arange(len(self.names)), [len(rows) for rows in asking])


def accuracy(asked: Asked, task: Task, count: int, only: frozenset[str] | None = None) -> str:
    """Percent of pictures whose best name is right, by words, examples and both; of some names if `only` is given."""
    right: dict[str, list[float]] = {mode: [] for mode in MODES}
    for seed in range(DRAWS):
        taught, at, truth = task.drawn(count, seed)
        chosen = np.array([only is None or task.names[i] in only for i in truth])
        for mode in MODES:
            best = asked.above(task.names, taught, at, mode).argmax(axis=1)
            right[mode].append(float(100 * (best == truth)[chosen].mean()))
    return " | ".join(f"{np.mean(values):.1f} ± {np.std(values):.1f}" for values in right.values())


def fitted(scores: Floats) -> float:
    """The threshold that `edgeclip vocab test --fit` proposes by the scores of pictures without the name."""
    rank = max(1, (len(scores) + 1) // FALSE_ALARMS)
    highest = np.sort(scores.astype(np.float32))[-rank]
    above = highest + HEADROOM * (1 - highest) if len(scores) + 1 < FALSE_ALARMS else np.nextafter(highest, np.float32(2))
    return float(np.clip(above, 0.01, 1))


def false_alarms(asked: Asked, task: Task, count: int, empty: Integers) -> str:
    """At the default threshold and at one fitted on half of the pictures without the name: alarms in the others, and recall."""
    default = asked.predictor.manifest.threshold
    rng = np.random.default_rng(0)
    figures: dict[str, list[list[float]]] = {mode: [] for mode in MODES}
    for turn in range(ALARMED // DRAWS):
        taught, at, truth = task.drawn(count, turn)
        for i in rng.permutation(np.unique(truth))[:DRAWS]:
            for mode in MODES:
                none = asked.alone(task.names[i], taught[i], empty, mode)
                true = asked.alone(task.names[i], taught[i], at[truth == i], mode)
                thresholds = (default, fitted(none[::2]))
                figures[mode].append([float((values >= t).mean()) for t in thresholds for values in (none[1::2], true)])
    return "\n".join(
        f"| {count} | {mode} | " + " | ".join(f"{100 * value:.2f}" for value in np.mean(rows, axis=0)) + " |"
        for mode, rows in figures.items()
    )


def heldout(asked: Asked, names: dict[str, str]) -> Task:
    """`names`: by key of a picture."""
    mine = np.array([names.get(key, "") for key in asked.seen.pictures.tolist()])
    listed = sorted(set(names.values()))
    rows = [np.flatnonzero(mine == name) for name in listed]
    return Task(listed, rows, rows)


def records(path: Path) -> dict[str, dict[str, str]]:
    """What a shard says of its pictures, by key."""
    with tarfile.open(path) as tar:
        members = [member for member in tar if member.name.endswith(".json")]
        return {m.name.removesuffix(".json"): json.loads(file.read()) for m in members if (file := tar.extractfile(m))}


def groceries(asked: Asked, known: dict[str, dict[str, str]], field: str) -> Task:
    """Products by their fine label or the coarse one: taught by the training pictures, asked about those of validation."""
    of = {key: record for key, record in known.items() if str(record.get("source", "")).startswith("grocery")}
    names = np.array([of[key][field].replace("-", " ") if key in of else "" for key in asked.seen.pictures.tolist()])
    test = np.array([key in of and of[key]["source"] == "grocery_test" for key in asked.seen.pictures.tolist()])
    listed = sorted(set(names[test].tolist()))
    listed = [name for name in listed if ((names == name) & ~test).any()]
    pairs = [(np.flatnonzero((names == name) & ~test), np.flatnonzero((names == name) & test)) for name in listed]
    return Task(listed, [teach for teach, _ in pairs], [ask for _, ask in pairs])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", type=Path, help="the board recipe that made the bundle")
    parser.add_argument("--bundle", type=Path, default=Path("models/default"), help="folder of the bundle (%(default)s)")
    parser.add_argument("--heldout", type=Path, required=True, help="keys, shards, names and uses of pictures")
    parser.add_argument("--unseen", type=Path, nargs="+", default=[], help="shards that the model was not trained on")
    parser.add_argument("--validation", type=Path, required=True, help="the validation shard")
    args = parser.parse_args()
    with errors_end_it(FileNotFoundError, BundleError, ValueError):
        measure(args)


def measure(args: argparse.Namespace) -> None:
    """Prints the tables."""
    recipe, predictor = load_board_recipe(args.recipe), OnnxPredictor(args.bundle)
    space, found = load_space(args.bundle / FEATURES), predictor.manifest.examples
    if found is None:
        raise BundleError(f"{args.bundle}: found no [examples], expected them (python -m quantize.prototypes)")
    network, pools = sha256(args.bundle / "vision.onnx"), (found.region.pool, found.picture.pool)
    shards = [*(Path(path) for path in recipe.data.shards), *args.unseen, args.validation]
    seen = {path: shard(predictor, path, pools, network, Path(recipe.data.cache)).pictures for path in shards}
    lines = [line.split("\t") for line in args.heldout.read_text().splitlines() if line and not line.startswith("#")]
    names = {key: name for key, _, name, use in lines if use == "test"}
    trained = {Path(path).stem for path in recipe.data.shards}
    labels = {name for path in shards if path.stem in trained for name in seen[path].names.tolist()}
    new = frozenset(
        n for n in names.values() if plain(n) not in labels and not any(s in trained for _, s, m, _ in lines if m == n)
    )
    known: dict[str, dict[str, str]] = {}
    for path in shards:
        known |= records(path)
    everything = stacked([seen[path] for path in shards])
    kept = np.array(
        [key in names or str(known[key].get("source", "")).startswith("grocery") for key in everything.pictures.tolist()]
    )
    unlabelled = everything.names == ""
    fresh = np.isin(everything.pictures, np.concatenate([seen[path].pictures for path in (*args.unseen, args.validation)]))
    asked = Asked(predictor, space, everything.take(kept | (unlabelled & fresh)))
    task, empty = heldout(asked, names), np.flatnonzero(asked.seen.names == "")
    print("| held-out names | words | examples | both |\n|---|---|---|---|")
    for count in (1, 2):
        print(f"| {count} | {accuracy(asked, task, count)} |")
        print(f"| {count}, {len(new)} names in no label | {accuracy(asked, task, count, new)} |")
    for field in ("coarse", "label"):
        print(f"\n| groceries, {field} | words | examples | both |\n|---|---|---|---|")
        for count in (1, 3, 5, 10):
            print(f"| {count} | {accuracy(asked, groceries(asked, known, field), count)} |")
    print(f"\n| one held-out name | by | alarms in {len(empty)} | found | alarms, fitted | found, fitted |")
    print(f"|{'---|' * 6}")
    for count in (1, 2):
        print(false_alarms(asked, task, count, empty))


if __name__ == "__main__":
    main()
