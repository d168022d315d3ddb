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


def run(name: str, folder: Path, runtimes: Sequence[str], models: Models, settings: Settings, limit: int | None,
        names: Path | None, out: Path | None) -> None:  # fmt: skip
    """Prints the table, and writes `NAME.md`, `NAME.json` and `NAME.png` into the folder `out`."""
    known = protocols(names)
    if name not in known:
        raise DatasetError(f"--protocol: found {name}, expected one of {', '.join(known)}")
    protocol = known[name]
    columns = {runtime: _measured(protocol, folder, predictor(runtime, models), settings, limit) for runtime in runtimes}
    table = markdown(protocol.title, columns)
    print(table)
    if out:
        out.mkdir(parents=True, exist_ok=True)
        (out / f"{name}.md").write_text(table)
        varied = dataclasses.asdict(settings) | {"limit": limit, "model": str(models.bundle)}
        (out / f"{name}.json").write_text(as_json(protocol.title, columns, varied))
        plot(protocol.title, columns, out / f"{name}.png")


def _measured(protocol: Protocol, folder: Path, model: Predictor, settings: Settings, limit: int | None) -> Outcome:
    data = protocol.load(folder)
    if limit is not None:
        data = dataclasses.replace(data, items=data.items[:limit])
    if not data.items:
        raise DatasetError(f"{folder}: found no pictures, expected those of the set (--data, --list)")
    outcome = protocol.measure(model, data, settings)
    data.problems.report()
    return dataclasses.replace(outcome, counts=dict(outcome.counts) | data.problems.counts())


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
