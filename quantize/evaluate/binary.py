"""The Rust binary as a predictor: pictures go in as PNG files, embeddings come out as safetensors, boxes as JSON Lines."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from PIL import Image
from safetensors.numpy import load_file

from quantize.bundle import read_manifest
from quantize.evaluate.predictor import DenseEmbeddings, Detections, Picture
from quantize.geometry import Floats
from quantize.progress import track

CHUNK = 32
"""Pictures a call."""


class BinaryError(Exception):
    """The binary is missing or failed; the message is one line."""


@contextmanager
def _written(pictures: Sequence[Picture], description: str) -> Iterator[Iterator[tuple[Path, list[Path]]]]:
    """A scratch folder, and the pictures as files in it, CHUNK by CHUNK."""

    def chunks(folder: Path) -> Iterator[tuple[Path, list[Path]]]:
        for start in track(range(0, len(pictures), CHUNK), f"{description} x{CHUNK}"):
            paths = []
            for i, picture in enumerate(pictures[start : start + CHUNK]):
                paths.append(folder / f"{start + i:05}.png")
                Image.fromarray(picture).save(paths[-1], compress_level=1)
            yield folder, paths

    with TemporaryDirectory(prefix="edgeclip-") as folder:
        yield chunks(Path(folder))


def _prompt_file(folder: Path, texts: Sequence[str]) -> str:
    """The argument of `--prompt` for a file of texts, named by position."""
    path = folder / "prompts.txt"
    path.write_text("".join(f"{i} = {' '.join(text.split())}\n" for i, text in enumerate(texts)))
    return f"@{path}"


class BinaryPredictor:
    """Runs `edgeclip` on a bundle."""

    def __init__(self, binary: Path, model: Path) -> None:
        """Measures the bundle `model` through the program `binary`."""
        if not binary.is_file():
            raise BinaryError(f"{binary}: no such program, expected edgeclip (cargo build --release, or --binary)")
        self.binary, self.model, self.size = binary, model, read_manifest(model).size

    def _run(self, *arguments: str | Path) -> str:
        command = [str(self.binary), *(str(a) for a in arguments), "--model", str(self.model)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            lines = done.stderr.strip().splitlines() or ["no message"]
            raise BinaryError(f"{self.binary} {command[1]} ended with exit code {done.returncode}: {lines[0]}")
        return done.stdout

    def embed_texts(self, texts: Sequence[str]) -> Floats:
        """See `Predictor`."""
        unique = {text.lower(): text for text in texts}
        row = {key: i for i, key in enumerate(unique)}
        with TemporaryDirectory(prefix="edgeclip-") as folder:
            out = Path(folder) / "texts.vocab.safetensors"
            self._run("vocab", "build", "--prompt", _prompt_file(Path(folder), list(unique.values())), "--out", out)
            return np.asarray(load_file(out)["embeddings"][[row[text.lower()] for text in texts]], np.float32)

    def embed_images(self, pictures: Sequence[Picture]) -> Floats:
        """See `Predictor`."""
        return np.concatenate([tensors["images"] for tensors in self._embed(pictures, "pictures")])

    def embed_regions(self, pictures: Sequence[Picture], boxes: Sequence[Floats]) -> Floats:
        """See `Predictor`."""
        found = list(self._embed(pictures, "regions", boxes=boxes))
        for tensors, start in zip(found, range(0, len(pictures), CHUNK), strict=True):
            owners = [i for i, each in enumerate(boxes[start : start + CHUNK]) for _ in each]
            if tensors["region_picture"].tolist() != owners:
                raise BinaryError(f"{self.binary} embed: regions of other pictures than those asked for")
        return np.concatenate([tensors["regions"] for tensors in found])

    def dense(self, pictures: Sequence[Picture]) -> list[DenseEmbeddings]:
        """See `Predictor`."""
        return [
            DenseEmbeddings(embeddings, content / self.size)
            for tensors in self._embed(pictures, "dense", dense=True)
            for embeddings, content in zip(tensors["dense"], tensors["content"], strict=True)
        ]

    def _embed(
        self, pictures: Sequence[Picture], description: str, boxes: Sequence[Floats] = (), dense: bool = False
    ) -> Iterator[dict[str, Floats]]:
        with _written(pictures, description) as chunks:
            for number, (folder, paths) in enumerate(chunks):
                flags: list[str | Path] = ["--dense"] if dense else []
                if len(boxes) > 0:
                    chosen = boxes[number * CHUNK : number * CHUNK + len(paths)]
                    regions = {str(path): each.tolist() for path, each in zip(paths, chosen, strict=True)}
                    (folder / "boxes.json").write_text(json.dumps(regions))
                    flags += ["--boxes", folder / "boxes.json"]
                self._run("embed", *paths, *flags, "--out", folder / "out.safetensors")
                yield load_file(folder / "out.safetensors")

    def _detect(
        self, pictures: Sequence[Picture], names: Sequence[str], flags: list[str], description: str
    ) -> Iterator[dict[str, Any]]:
        with _written(pictures, description) as chunks:
            for folder, paths in chunks:
                prompt = _prompt_file(folder, names)
                lines = self._run("detect", *paths, "--prompt", prompt, "--format", "jsonl", *flags).splitlines()
                yield from (json.loads(line) for line in lines)

    def detect(self, pictures: Sequence[Picture], names: Sequence[str], threshold: float, top: int) -> list[Detections]:
        """See `Detector`; scores come with four decimals."""
        found = []
        flags = ["--threshold", str(threshold), "--top", str(top)]
        for line in self._detect(pictures, names, flags, "detections"):
            entries = line["detections"]
            found.append(
                Detections(
                    np.array([entry["box"] for entry in entries], np.float32).reshape(-1, 4),
                    np.array([int(entry["label"]) for entry in entries], np.int64),
                    np.array([entry["score"] for entry in entries], np.float32),
                )
            )
        return found

    def tag_scores(self, pictures: Sequence[Picture], names: Sequence[str]) -> Floats:
        """See `Predictor`."""
        scores = np.zeros((len(pictures), len(names)), np.float32)
        for row, line in zip(scores, self._detect(pictures, names, ["--threshold", "0"], "tags"), strict=True):
            for tag in line["tags"]:
                row[int(tag["label"])] = tag["score"]
        return scores
