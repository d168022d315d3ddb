"""Measures runtimes on a public data set: `python -m quantize.evaluate --protocol …`."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

from quantize.evaluate.binary import BinaryPredictor
from quantize.evaluate.datasets.files import DatasetError, read_lines
from quantize.evaluate.onnx import OnnxPredictor
from quantize.evaluate.predictor import Predictor
from quantize.evaluate.protocols.outcome import Outcome, Settings
from quantize.evaluate.protocols.registry import Protocol, protocols
from quantize.evaluate.report import as_json, markdown, plot


@dataclasses.dataclass(frozen=True)
class Models:
    """Where each runtime's model is."""

    bundle: Path
    float_bundle: Path | None
    binary: Path
    checkpoint: Path | None


def predictor(runtime: str, models: Models) -> Predictor:
    """The runtime by its name; raises the errors of the predictors, and DatasetError for a flag that is missing."""

    def given(path: Path | None, flag: str, what: str) -> Path:
        if path is None:
            raise DatasetError(f"--runtime {runtime}: found no {flag}, expected {what}")
        return path

    def region_clip() -> Predictor:
        from quantize.evaluate.region_clip import RegionClipPredictor  # PyTorch takes seconds that the others do not need

        return RegionClipPredictor(given(models.checkpoint, "--checkpoint", "a RegionClip's model.pt"))

    made: dict[str, Callable[[], Predictor]] = {
        "binary": lambda: BinaryPredictor(models.binary, models.bundle),
        "onnx": lambda: OnnxPredictor(models.bundle),
        "float": lambda: OnnxPredictor(given(models.float_bundle, "--float-model", "the folder of the float twin")),
        "region-clip": region_clip,
    }
    return made[runtime]()


RUNTIMES = ("binary", "onnx", "float", "region-clip")


@dataclasses.dataclass(frozen=True)
class PublicSet:
    """A protocol by its name, the folder of its set, and what of it is measured."""

    protocol: str
    folder: Path
    limit: int | None = None
    """Only so many pictures, the first ones."""
    names: Path | None = None
    """Other names of ImageNet's classes."""


def run(data: PublicSet, runtimes: Sequence[str], models: Models, settings: Settings, out: Path | None) -> None:
    """Prints the table, and writes `PROTOCOL.md`, `.json` and `.png` into the folder `out`."""
    known = protocols(data.names)
    if data.protocol not in known:
        raise DatasetError(f"--protocol: found {data.protocol}, expected one of {', '.join(known)}")
    protocol = known[data.protocol]
    columns = {runtime: _measured(protocol, data, predictor(runtime, models), settings) for runtime in runtimes}
    table = markdown(protocol.title, columns)
    print(table)
    if out:
        out.mkdir(parents=True, exist_ok=True)
        (out / f"{data.protocol}.md").write_text(table)
        varied = dataclasses.asdict(settings) | {"limit": data.limit, "model": str(models.bundle)}
        (out / f"{data.protocol}.json").write_text(as_json(protocol.title, columns, varied))
        plot(protocol.title, columns, out / f"{data.protocol}.png")


def _measured(protocol: Protocol, data: PublicSet, model: Predictor, settings: Settings) -> Outcome:
    loaded = protocol.load(data.folder)
    if data.limit is not None:
        loaded = dataclasses.replace(loaded, items=loaded.items[: data.limit])
    if not loaded.items:
        raise DatasetError(f"{data.folder}: found no pictures, expected those of the set (--data, --list)")
    outcome = protocol.measure(model, loaded, settings)
    loaded.problems.report()
    return dataclasses.replace(outcome, counts=dict(outcome.counts) | loaded.problems.counts())


def templates(file: Path | None) -> tuple[str, ...]:
    """The sentences in a file, one per line with `{}` for the name; `{}` alone without a file."""
    if file is None:
        return ("{}",)
    lines = tuple(line.strip() for line in read_lines(file, "a sentence with {} a line"))
    for line in lines:
        if "{}" not in line:
            raise DatasetError(f'{file}: found "{line}", expected a sentence with {{}}')
    return lines


def listing() -> str:
    """Every protocol with the files of its set."""
    return "\n\n".join(
        f"{name}: {protocol.title}\n" + "\n".join(f"    {line}".rstrip() for line in protocol.layout().splitlines())
        for name, protocol in protocols().items()
    )
