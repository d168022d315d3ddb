"""The Rust binary as a predictor: one `edgeclip eval` process, spoken to in JSON Lines (docs/eval.md)."""

import base64
import io
import json
import os
import subprocess
import weakref
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from quantize.arithmetic.geometry import Floats
from quantize.bundle.manifest import read_manifest
from quantize.evaluate.predictor import DenseEmbeddings, Detections, Look, Picture, Thresholds
from quantize.evaluate.texts import TextCutter
from quantize.progress import track

TEXTS = 256
"""Texts per request."""
SECONDS_TO_END = 10.0


class BinaryError(Exception):
    """The binary is missing or failed; the message is one line."""


def release_binary() -> Path:
    """Where `cargo build --release` leaves the program."""
    return Path(os.environ.get("CARGO_TARGET_DIR", "target")) / "release" / "edgeclip"


def array(answer: dict[str, Any]) -> Floats:
    """An array of an answer: `{"shape": [...], "f32": "base64"}`."""
    return np.frombuffer(base64.b64decode(answer["f32"]), "<f4").reshape(answer["shape"])


def detections(answer: dict[str, Any]) -> Detections:
    """Those of an answer."""
    found = answer["detect"]
    return Detections(array(found["boxes"]), np.array(found["labels"], np.int64), array(found["scores"]))


def encoded(picture: Picture) -> str:
    """The picture as a file in base64: BMP, which costs no compression and loses nothing."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "BMP")
    return base64.b64encode(buffer.getvalue()).decode()


def _stop(process: subprocess.Popen[str]) -> None:
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe and not pipe.closed:
            pipe.close()
    try:
        process.wait(SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class BinaryPredictor:
    """Runs `edgeclip` on a bundle; the process starts with the first question and ends with this object."""

    def __init__(self, binary: Path, model: Path) -> None:
        """Measures the bundle `model` through the program `binary`."""
        if not binary.is_file():
            raise BinaryError(f"{binary}: no such program, expected edgeclip (cargo build --release, or --binary)")
        self.binary, self.model = binary, model
        manifest = read_manifest(model)
        self.thresholds = Thresholds(manifest.threshold, manifest.tag_threshold)
        self.cut = TextCutter(model, manifest)
        self.process: subprocess.Popen[str] | None = None
        self.names: tuple[str, ...] | None = None

    def _start(self) -> subprocess.Popen[str]:
        command = [str(self.binary), "eval", "--model", str(self.model)]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, encoding="utf-8")
        weakref.finalize(self, _stop, process)
        return process

    def ask(self, **request: Any) -> dict[str, Any]:
        """The answer to one request.

        Raises:
            BinaryError: the program ended, or answered with an error.
        """
        process = self.process = self.process or self._start()
        assert process.stdin
        assert process.stdout
        try:
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            assert process.stderr
            # At most a warning and an error, which fit into the pipe while nobody reads it.
            message = (process.stderr.read().strip().splitlines() or ["no message"])[-1]
            raise BinaryError(f"{self.binary} eval ended with exit code {process.wait()}: {message}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise BinaryError(f"{self.binary} eval: {answer['error']}")
        return answer

    def embed_texts(self, texts: Sequence[str]) -> Floats:
        """See `Predictor`."""
        cut = [self.cut(text) for text in texts]
        unique = list(dict.fromkeys(cut))
        starts: Iterable[int] = range(0, len(unique), TEXTS)
        if len(unique) > TEXTS:
            starts = track(starts, f"texts x{TEXTS}")
        parts = [array(self.ask(texts=unique[start : start + TEXTS])["texts"]) for start in starts]
        row = {text: i for i, text in enumerate(unique)}
        return np.concatenate(parts)[[row[text] for text in cut]]

    def embed_images(self, pictures: Iterable[Picture]) -> Floats:
        """See `Predictor`."""
        return np.stack([array(self.ask(base64=encoded(picture), image=True)["image"]) for picture in pictures])

    def embed_regions(self, pictures: Iterable[tuple[Picture, Floats]]) -> Iterator[Floats]:
        """See `Predictor`."""
        for picture, boxes in pictures:
            yield array(self.ask(base64=encoded(picture), boxes=boxes.tolist())["boxes"])

    def dense(self, pictures: Iterable[Picture]) -> Iterator[DenseEmbeddings]:
        """See `Predictor`."""
        for picture in pictures:
            answer = self.ask(base64=encoded(picture), dense=True)
            yield DenseEmbeddings(array(answer["dense"]), np.array(answer["content"], np.float32))

    def _set(self, names: Sequence[str]) -> None:
        if self.names != tuple(names):
            self.ask(vocabulary=list(names))
            self.names = tuple(names)

    def detect(
        self, pictures: Iterable[Picture], names: Sequence[str], threshold: float, top: int | None
    ) -> Iterator[Detections]:
        """See `Detector`."""
        self._set(names)
        for picture in pictures:
            yield detections(self.ask(base64=encoded(picture), detect={"threshold": threshold, "top": top}))

    def tag_scores(self, pictures: Iterable[Picture], names: Sequence[str]) -> Floats:
        """See `Predictor`."""
        self._set(names)
        return np.stack([array(self.ask(base64=encoded(picture), tags=True)["tags"]) for picture in pictures])

    def look(self, pictures: Iterable[Picture], names: Sequence[str], threshold: float) -> Iterator[Look]:
        """See `AtOnce`."""
        self._set(names)
        for picture in pictures:
            answer = self.ask(base64=encoded(picture), detect={"threshold": threshold}, tags=True)
            yield Look(detections(answer), array(answer["tags"]))
