"""Reads the validation shard into memory."""

import io
import json
import tarfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from quantize.arithmetic.geometry import Floats
from quantize.evaluate.predictor import Picture


class ShardError(Exception):
    """The shard is missing or not what it should be; the message is one line."""


@dataclass(frozen=True)
class Sample:
    """One picture and what is known about it."""

    key: str
    record: dict[str, Any]
    files: dict[str, bytes]

    @property
    def source(self) -> str:
        """The set that the picture comes from."""
        return str(self.record["source"])

    def picture(self) -> Picture:
        """RGB pixels `[height, width, 3]`."""
        return np.asarray(Image.open(io.BytesIO(self.files["jpg"])).convert("RGB"))

    def boxes(self) -> tuple[Floats, list[str]]:
        """Labelled boxes `[N, 4]` in source pixels, and their names."""
        width, height = Image.open(io.BytesIO(self.files["jpg"])).size
        scale = np.array([width, height, width, height], np.float32)
        entries = self.record.get("boxes", [])
        boxes = np.array([entry["box"] for entry in entries], np.float32).reshape(-1, 4)
        return boxes * scale, [str(entry["name"]) for entry in entries]

    def image(self, extension: str) -> NDArray[np.uint8]:
        """A companion picture, such as `mask.png`, as stored."""
        return np.asarray(Image.open(io.BytesIO(self.files[extension])))


def read_shard(path: Path, kept: Callable[[str, str], bool] = lambda key, source: True) -> dict[str, list[Sample]]:
    """Samples of a WebDataset shard whose key and source are to be `kept`, by source, in the shard's order.

    Raises:
        ShardError: the file is missing, not a tar file, or a sample lacks its picture or record.
    """
    grouped: dict[str, dict[str, bytes]] = defaultdict(dict)
    try:
        with tarfile.open(path) as shard:
            for member in shard:
                content = shard.extractfile(member)
                if content is not None:
                    key, _, extension = member.name.partition(".")
                    grouped[key][extension] = content.read()
    except FileNotFoundError:
        raise ShardError(f"{path}: no such file, expected a validation shard (--data)") from None
    except tarfile.TarError as error:
        raise ShardError(f"{path}: {error}, expected a tar file of samples") from error
    by_source: dict[str, list[Sample]] = defaultdict(list)
    for key, files in grouped.items():
        for extension in ("json", "jpg"):
            if extension not in files:
                raise ShardError(f"{path}: {key} has no .{extension}, expected one")
        sample = Sample(key, json.loads(files.pop("json")), files)
        if kept(key, sample.source):
            by_source[sample.source].append(sample)
    return dict(by_source)
