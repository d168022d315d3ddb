"""The steps of `python -m quantize.int8`, on files."""

import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from safetensors.numpy import load_file

from quantize.bundle.manifest import BundleError
from quantize.int8.bundles import NETWORKS, Runner, Twin, float_path, outputs_of, stored, twins, write_bundle
from quantize.int8.calibration import maps_of, picture_regions
from quantize.int8.mixed import choose
from quantize.int8.noise import effect
from quantize.int8.ptq import Method, Prepared, prepare, quantise
from quantize.int8.qat import Imitation, Pictures, QatSettings, Regions, fit
from quantize.int8.sensitivity import Bench, Metric, Outputs, sensitivity, write
from quantize.progress import track
from quantize.settings.board import BoardRecipe

log = logging.getLogger("quantize.int8")
INPUT_SCALE = 1 / 127.5
Array = NDArray[np.float32]
Networks = dict[str, onnx.ModelProto]


@dataclass(frozen=True)
class Place:
    """Where text tower, bank and manifest come from, and where the new bundle goes."""

    like: Path
    out: Path


def prepared(twin: Twin, method: Method) -> Prepared:
    """A float twin, folded and observed."""
    return prepare(twin.path, twin.inputs, None, method)


def log_effect(name: str, wanted: list[dict[str, Array]], found: list[dict[str, Array]]) -> dict[str, float]:
    """Says what int8 does to a network's outputs; the cosines."""
    e = effect(wanted, found)
    cosines = " ".join(f"{k} {v:.4f}" for k, v in e.cosine.items())
    log.info("%s: noise %.2f %% (%.1f dB); cosine %s", name, 100 * e.total, e.sqnr, cosines)
    return e.cosine


def save(networks: Networks, found: dict[str, Twin], place: Place) -> None:
    """Writes the bundle; its manifest says how near to float the outputs are over the calibration inputs."""
    cosines: dict[str, float] = {}
    for name, model in networks.items():
        floats = onnx.load(found[name].path)
        scale = INPUT_SCALE if name == "vision.onnx" else None
        inputs = stored(found[name].inputs[::4], scale)
        cosines |= log_effect(name, outputs_of(floats, inputs), outputs_of(model, inputs))
    write_bundle(place.like, place.out, networks, {"int8_cosine": {k.replace(" ", "_"): v for k, v in cosines.items()}})
    log.info("%s is written; `python -m quantize.calibrate` fits its scores", place.out)


def ptq(recipe: BoardRecipe, place: Place, method: Method, kept: dict[str, frozenset[str]]) -> None:
    """Post-training int8; `kept` names the float nodes of a network."""
    found = twins(recipe, INPUT_SCALE)
    save({n: quantise(prepared(t, method), method, kept.get(n, frozenset())) for n, t in found.items()}, found, place)


def float_nodes(path: Path) -> dict[str, frozenset[str]]:
    """What `mixed` chose, from its `mixed.json`."""
    try:
        content = json.loads(path.read_text())
        return {"vision.onnx": frozenset(str(n) for n in content["nodes"])}
    except FileNotFoundError:
        raise
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: found {error!r}, expected the mixed.json of `quantize.int8 mixed`") from None


def qat(recipe: BoardRecipe, place: Place, source: Path, s: QatSettings, every: int) -> None:
    """Fine-tunes the bundle `source`: its vision network first, then the prompter on what that sees."""
    found = twins(recipe, INPUT_SCALE)
    for name in NETWORKS:
        if not (source / name).is_file():
            raise BundleError(f"{source / name}: no such file, expected an int8 bundle (--source)")
    networks = {name: onnx.load(source / name) for name in NETWORKS}
    pictures = Pictures(recipe, s.batch, every)
    vision = Runner(onnx.load(found["vision.onnx"].path))

    def floats(x: Array) -> dict[str, Array]:
        return vision(stored([x], INPUT_SCALE)[0])

    def train(name: str, task: Imitation) -> None:
        losses = fit(task, place.out / "training" / Path(name).stem)
        tenth = max(1, len(losses) // 10)
        log.info("%s: loss %.4f → %.4f", name, np.mean(losses[:tenth]), np.mean(losses[-tenth:]))
        networks[name] = task.net.export()

    train("vision.onnx", Imitation(networks["vision.onnx"], floats, INPUT_SCALE, pictures, s))
    seeing = Runner(networks["vision.onnx"])

    def int8(x: Array) -> dict[str, Array]:
        return seeing(stored([x], INPUT_SCALE)[0])

    prompter = Runner(onnx.load(found["prompt.onnx"].path))
    train("prompt.onnx", Imitation(networks["prompt.onnx"], prompter, None, Regions(pictures, int8, floats), s))
    save(networks, found, place)
    (place.out / "qat.json").write_text(json.dumps(asdict(s) | {"source": str(source), "pictures": len(pictures.samples)}) + "\n")


def same_names(twin: Twin, recipe: BoardRecipe, like: Path, chosen: list[int]) -> Metric:
    """Share of the pictures' boxes that the float prompter names as it does from float maps, among the bundle's bank of names."""
    prompter = Runner(onnx.load(float_path(recipe, "prompt.onnx")))
    bank = load_file(like / "negatives.vocab.safetensors")["embeddings"]

    def names(outputs: Outputs) -> NDArray[np.int64]:
        regions = [picture_regions(twin.samples[i], maps_of(o), recipe.model.size) for i, o in zip(chosen, outputs, strict=True)]
        return np.concatenate([(prompter(r)["embedding"] @ bank.T).argmax(1) for r in regions])

    wanted = names(outputs_of(onnx.load(twin.path), stored([twin.inputs[i] for i in chosen], INPUT_SCALE)))
    return lambda outputs: float((names(outputs) == wanted).mean())


def bench_of(recipe: BoardRecipe, place: Place, method: Method, count: int) -> Bench:
    """The vision network on `count` calibration pictures."""
    twin = twins(recipe, INPUT_SCALE)["vision.onnx"]
    chosen = list(range(len(twin.inputs)))[:: max(1, len(twin.inputs) // count)][:count]
    return Bench(prepared(twin, method), method, chosen, same_names(twin, recipe, place.like, chosen))


def sensitivities(recipe: BoardRecipe, place: Place, method: Method, count: int, depth: int | None) -> None:
    """Table and plot of the vision network."""
    bench = bench_of(recipe, place, method, count)
    rows = sensitivity(bench, bench.groups(depth))
    write(rows, bench.measure(())[0], place.out)
    log.info("%s holds sensitivity.md, .json and .png of %d layers", place.out, len(rows))


def mixed(recipe: BoardRecipe, place: Place, method: Method, count: int, depth: int | None, share: float) -> None:
    """Chooses float blocks within `share` of all multiply-accumulates, and writes the bundle and `mixed.json`."""
    bench = bench_of(recipe, place, method, count)
    groups = bench.groups(depth)
    total = sum(bench.macs.values())
    chosen, start = choose(bench, groups, int(share * total))
    for c in track(chosen, "chosen"):
        log.info("%s: %.2f %% of the products, noise %.3f → %.3f %%", c.name, 100 * c.macs / total, 100 * start, 100 * c.noise)
    nodes = [n for c in chosen for n in groups[c.name]]
    ptq(recipe, place, method, {"vision.onnx": frozenset(nodes)})
    listed = [asdict(c) for c in chosen]
    (place.out / "mixed.json").write_text(json.dumps({"noise": start, "blocks": listed, "nodes": nodes}, indent=1) + "\n")
