"""The program with one model: vocabulary files that it makes, and what it says by them."""

import base64
import json
import shutil
import subprocess
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import safe_open

from quantize.arithmetic.geometry import Floats
from quantize.evaluate.binary import BinaryError, BinaryPredictor, array, detections
from quantize.evaluate.coco_detection import THRESHOLD, TOP
from quantize.evaluate.predictor import Detections
from quantize.evaluate.samples import Sample

MODES = ("words", "examples", "both")


@dataclass(frozen=True)
class Origin:
    """Where an example came from."""

    id: str
    name: str
    file: str
    box: tuple[float, float, float, float] | None


@dataclass(frozen=True)
class Taught:
    """A vocabulary file, and what it was taught by."""

    file: Path
    names: tuple[str, ...]
    examples: tuple[Origin, ...]


def words_of(names: Collection[str]) -> dict[str, str]:
    """Each name is its own word."""
    return {name: name for name in names}


class Program:
    """Runs `edgeclip` in a folder of its own.

    Pictures become vectors once, in a file of all examples; a draw is a copy of it from which `vocab remove` takes the others.
    """

    def __init__(self, predictor: BinaryPredictor, folder: Path) -> None:
        self.predictor, self.folder, self.made = predictor, folder, 0

    def run(self, *arguments: str | Path, model: bool = True) -> str:
        """Runs `edgeclip …` and gives what it prints.

        Raises:
            BinaryError: it failed.
        """
        command = [self.predictor.binary, *arguments, *(["--model", self.predictor.model] if model else [])]
        ended = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, cwd=self.folder)
        if ended.returncode:
            message = (ended.stderr.strip().splitlines() or ["no message"])[-1]
            raise BinaryError(f"{arguments[0]} {arguments[1]}: {message}")
        return ended.stdout

    def path(self, ending: str) -> Path:
        """A path that is not in use."""
        self.made += 1
        return self.folder / f"{self.made}{ending}"

    def taught(self, words: Mapping[str, str], teach: Callable[[Path], None] | None) -> Taught:
        """A vocabulary file with the word of each name, if there are any, and with what `teach` adds."""
        file = self.path(".vocab.safetensors")
        if words:
            prompts = self.folder / "prompts.txt"
            prompts.write_text("".join(f"{name} = {word}\n" for name, word in words.items()))
            self.run("vocab", "build", "--prompt", f"@{prompts}", "--out", file)
        if teach:
            teach(file)
        return read(file)

    def drawn(self, master: Taught, kept: Collection[str]) -> Taught:
        """A copy with those examples alone whose ids are `kept`."""
        file = self.path(".vocab.safetensors")
        shutil.copy(master.file, file)
        gone = [flag for id_ in dict.fromkeys(e.id for e in master.examples) if id_ not in kept for flag in ("--example", id_)]
        if gone:
            self.run("vocab", "remove", file, *gone, model=False)
        return read(file)

    def use(self, taught: Taught) -> None:
        """Asks by this file from now on."""
        self.predictor.ask(vocabulary={"file": str(taught.file)})

    def tags(self, sample: Sample) -> Floats:
        """The probability of each name as a tag of a picture."""
        return array(self._asked(sample, tags=True)["tags"])

    def boxes(self, sample: Sample) -> Detections:
        """Named boxes of a picture."""
        return detections(self._asked(sample, detect={"threshold": THRESHOLD, "top": TOP}))

    def _asked(self, sample: Sample, **request: Any) -> dict[str, Any]:
        return self.predictor.ask(base64=base64.b64encode(sample.files["jpg"]).decode(), **request)


def read(file: Path) -> Taught:
    """What a vocabulary file holds."""
    with safe_open(str(file), "np") as content:
        metadata = content.metadata()
        names: list[str] = json.loads(metadata["names"])
        if "origins" not in metadata:
            return Taught(file, tuple(names), ())
        entries = content.get_tensor("example_entry").tolist()
    origins = json.loads(metadata["origins"])
    examples = [
        Origin(origin["id"], names[entry], origin["file"], tuple(origin["box"]) if origin["box"] else None)
        for origin, entry in zip(origins, entries, strict=True)
    ]
    return Taught(file, tuple(names), tuple(examples))
