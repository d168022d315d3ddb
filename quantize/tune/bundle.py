"""The tuned bundle: the base's files with a new `prompt.onnx`, manifest and card; whole, or not there."""

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import onnx
import torch
from torch import Tensor

from quantize.bundle.manifest import BundleError, Manifest, read_manifest
from quantize.bundle.write import files_of, write_manifest
from quantize.model.pooling import REGION_POOLS
from quantize.renew.boxes.head import RegionsHead
from quantize.renew.head import Graph, HeadError

PROMPT = "prompt.onnx"


def check(base: Path, out: Path, force: bool) -> Manifest:
    """The base's manifest.

    Raises:
        BundleError: the base cannot be tuned, or `out` is there and not to be replaced.
    """
    manifest = read_manifest(base)
    if manifest.pools != REGION_POOLS:
        raise BundleError(f"{base / 'model.toml'}: found other pools of regions than this trainer's, expected models/default's")
    if out.resolve() == base.resolve():
        raise BundleError(f"{out}: found the bundle that is tuned (--base), expected another folder (--bundle)")
    if out.exists() and not force:
        raise BundleError(f"{out}: found something there, expected a new folder; --force replaces it")
    if out.exists() and not (out / "model.toml").is_file():
        raise BundleError(f"{out}: found no bundle there, expected one to replace, or a new folder")
    return manifest


def head_of(base: Path) -> tuple[Graph, RegionsHead]:
    """The regions' head in float, as its int8 weights are. Raises BundleError."""
    try:
        graph = Graph(onnx.load(base / PROMPT))
        return graph, RegionsHead(graph)
    except (OSError, HeadError) as error:
        raise BundleError(f"{base / PROMPT}: {error}, expected the head that quantize.export writes") from None


def draft(base: Path, out: Path, graph: Graph, head: RegionsHead, ranges: Tensor, manifest: Manifest) -> Path:
    """A folder beside `out` with everything but fitted scores; `ranges` are region vectors that give the int8 ranges."""
    folder = out.with_name(f"{out.name}.draft")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in files_of(manifest):
        shutil.copyfile(base / name, folder / name)
    with torch.no_grad():
        head.write(graph, ranges)
    onnx.save(graph.model, folder / PROMPT)
    write_manifest(folder, replace(manifest, name=out.name), {})
    return folder


def finish(folder: Path, out: Path, manifest: Manifest, metrics: Mapping[str, Mapping[str, float]], card: str) -> None:
    """Writes manifest and card, and puts the folder in its place."""
    write_manifest(folder, replace(manifest, name=out.name), {kind: dict(values) for kind, values in metrics.items()})
    (folder / "CARD.md").write_text(card)
    if out.exists():
        shutil.rmtree(out)
    folder.rename(out)
