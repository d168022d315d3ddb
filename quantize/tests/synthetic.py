"""Small stand-ins for data and teachers: coloured shapes in shards, random weights in the teachers' file formats."""

import io
import json
import struct
import tarfile
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from quantize.model.mobilenetv2 import MobileNetV2, SameConv
from quantize.model.nanodet import BINS, CLASSES, NanoDet
from quantize.settings.board import BoardData, BoardModel, BoardRecipe
from quantize.settings.loop import LoopTable
from torch import nn

COLOURS = {"red": (220, 30, 30), "green": (30, 200, 40), "blue": (30, 50, 220), "yellow": (230, 220, 40)}
SHAPES = ("box", "ball", "cross")


def jpeg(picture: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


def png(picture: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    return buffer.getvalue()


def write_shard(path: Path, samples: Mapping[str, Mapping[str, bytes]]) -> Path:
    """A WebDataset tar: key → extension → content."""
    with tarfile.open(path, "w") as tar:
        for key, parts in samples.items():
            for extension, content in parts.items():
                info = tarfile.TarInfo(f"{key}.{extension}")
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    return path


def activations_like_trained(net: nn.Module, seed: int) -> None:
    """He-initialised weights: with PyTorch's own the signal would die out over fifty layers."""
    g = torch.Generator().manual_seed(seed)
    for m in net.modules():
        if isinstance(m, nn.Conv2d | nn.Linear):
            fan_in = m.weight[0].numel()
            with torch.no_grad():
                m.weight.copy_(torch.randn(m.weight.shape, generator=g) * (1.6 / fan_in) ** 0.5)
                if m.bias is not None:
                    m.bias.copy_(torch.randn(m.bias.shape, generator=g) * 0.1)


def mobilenet_arrays(net: MobileNetV2) -> dict[str, NDArray[np.float32]]:
    """`w0, b0, … w52, b52` in TensorFlow's layouts."""
    arrays: dict[str, NDArray[np.float32]] = {}
    layers: list[SameConv | nn.Linear] = [m for m in net.modules() if isinstance(m, SameConv)]
    for i, layer in enumerate([*layers, net.classifier]):
        w = layer.weight.detach().numpy()
        w = w if w.ndim == 4 else w[:, :, None, None]
        depthwise = isinstance(layer, SameConv) and layer.groups > 1
        arrays[f"w{i}"] = w.transpose(1, 2, 3, 0) if depthwise else w.transpose(0, 2, 3, 1)
        arrays[f"b{i}"] = layer.bias.detach().numpy() if layer.bias is not None else np.zeros(len(w), np.float32)
    return arrays


FLOAT16_FLAG = 0x01306B47


def write_nanodet(net: NanoDet, param: Path, weights: Path, half: bool) -> None:
    """ncnn's two files; only the convolutions are listed."""
    convs = [m for m in net.modules() if isinstance(m, nn.Conv2d)]
    lines, data = ["7767517", f"{len(convs)} {len(convs)}"], b""
    for i, conv in enumerate(convs):
        kind = "ConvolutionDepthWise" if conv.groups > 1 else "Convolution"
        lines.append(f"{kind} conv{i} 1 1 in{i} out{i} 0={conv.out_channels} 1={conv.kernel_size[0]} 6={conv.weight.numel()}")
        w = conv.weight.detach().numpy()
        content = w.astype(np.float16).tobytes() if half else w.tobytes()
        data += struct.pack("<I", FLOAT16_FLAG if half else 0) + content + bytes(-len(content) % 4)
        assert conv.bias is not None
        data += conv.bias.detach().numpy().tobytes()
    param.write_text("\n".join(lines) + "\n")
    weights.write_bytes(data)


def write_teachers(folder: Path, seed: int = 0) -> None:
    """Everything that a recipe's `teachers`, `tag_list` and `clip_names` name, in one folder."""
    folder.mkdir(exist_ok=True)
    mobilenet, nanodet = MobileNetV2(), NanoDet()
    activations_like_trained(mobilenet, seed)
    activations_like_trained(nanodet, seed + 1)
    for conv in nanodet.outs:  # boxes of about three cells, so that some fit the shapes
        assert conv.bias is not None
        with torch.no_grad():
            conv.weight[CLASSES:] *= 0.1
            conv.bias[CLASSES:] = -3 * (torch.arange(BINS) - 1.5).abs().repeat(4)
    np.savez(folder / "mobilenet_v2_imagenet.npz", **mobilenet_arrays(mobilenet))  # type: ignore[arg-type]
    write_nanodet(nanodet, folder / "nanodet_m.param", folder / "nanodet_m.bin", half=True)
    adjectives = ("tall", "small", "old", "new", "wet", "dry", "hot", "cold", "soft", "loud")
    nouns = ("house", "bird", "boat", "plant", "tool", "drum", "cake", "road", "lamp", "coat")
    places = ("here", "there", "above", "below", "inside", "outside", "near", "far", "left", "right")
    names = [f"{a} {n} {p}" for a in adjectives for n in nouns for p in places]
    (folder / "imagenet_labels.txt").write_text("\n".join(["background", *names]))
    (folder / "tags.txt").write_text("\n".join([*SHAPES, *COLOURS]))
    rng = np.random.default_rng(seed)
    np.savez(folder / "clip.npz", names=np.array(nouns), emb=rng.normal(size=(len(nouns), 512)).astype(np.float32))


def shape_picture(
    rng: np.random.Generator, colour: str, shape: str, size: int
) -> tuple[NDArray[np.uint8], list[float], NDArray[np.uint8]]:
    """A shape on noise, its box in fractions, and its mask (1 where it is)."""
    side = int(rng.integers(size // 3, size // 2))
    left, top = rng.integers(0, size - side, 2).tolist()
    y, x = (np.mgrid[:size, :size] + 0.5 - np.array([top, left])[:, None, None]) / side * 2 - 1
    inside = {"box": np.maximum(abs(x), abs(y)) < 1, "ball": x**2 + y**2 < 1, "cross": (np.minimum(abs(x), abs(y)) < 0.3)}[shape]
    mask = inside & (np.maximum(abs(x), abs(y)) < 1)
    picture = rng.integers(90, 130, (size, size, 3)).astype(np.uint8)
    picture[mask] = COLOURS[colour]
    return picture, [left / size, top / size, (left + side) / size, (top + side) / size], mask.astype(np.uint8)


def write_shapes(path: Path, count: int, size: int = 48) -> Path:
    """A shard of single shapes: every picture with caption and label, some with box, pseudo-box or mask."""
    rng = np.random.default_rng(7)
    samples = {}
    for i in range(count):
        colour, shape = list(COLOURS)[i % len(COLOURS)], SHAPES[i // 4 % len(SHAPES)]
        picture, box, mask = shape_picture(rng, colour, shape, size)
        meta: dict[str, Any] = {"source": "shapes" if i % 2 else "plain", "captions": [f"A {colour} {shape}.", f"one {shape}"]}
        meta |= {"label": f"{colour} {shape}"} if i % 3 else {"qa": [{"question": "Which colour?", "answer": colour}]}
        kind = "pseudo_boxes" if i % 4 == 3 else "boxes"
        meta |= {kind: [{"box": box, "name": shape, "score": 0.8}]} if i % 5 else {}
        parts = {"jpg": jpeg(picture)}
        if i % 2:
            meta |= {"mask_names": ["background", shape]}
            parts["mask.png"] = png(mask)
        samples[f"shape{i:03}"] = parts | {"json": json.dumps(meta).encode()}
    return write_shard(path, samples)


TINY: dict[str, object] = {
    "size": 64, "dim": 24, "hidden": 32, "drop": 0.1, "feature_batch": 8, "dev_share": 0.2, "steps": 40, "warmup": 4,
    "batch_images": 24, "batch_regions": 32, "batch_pixels": 32, "batch_anchors": 96, "batch_pictures": 9, "learning_rate": 0.01,
    "checkpoint_every": 10,
}  # fmt: skip
TABLES = {"data": BoardData, "model": BoardModel, "loop": LoopTable}


def by_table(keys: Mapping[str, object]) -> dict[str, dict[str, object]]:
    """Keys of a board's recipe under the table that has them; those outside of any table under ""."""
    found: dict[str, dict[str, object]] = {table: {} for table in ("", *TABLES)}
    for key, value in keys.items():
        table = next((table for table, kind in TABLES.items() if key in {f.name for f in fields(kind)}), "")
        found[table][key] = value
    return found


def changed(recipe: BoardRecipe, **keys: object) -> BoardRecipe:
    """The recipe with other values of keys, whichever table they are in."""
    places = by_table(keys)
    outer = replace(recipe, **places[""])  # type: ignore[arg-type]
    return replace(outer, **{table: replace(getattr(outer, table), **places[table]) for table in TABLES})


def write_recipe(workplace: Path, name: str = "tiny", **changes: object) -> Path:
    """A recipe file over `write_shapes` and `write_teachers` in `workplace`; `changes` are its keys."""
    teachers = workplace / "teachers"
    values = {
        "trains": "board", "name": name, "shards": [str(workplace / "shapes.tar")], "teachers": str(teachers),
        "tag_list": str(teachers / "tags.txt"), "clip_names": str(teachers / "clip.npz"),
        "cache": str(workplace / "cache"), "out": str(workplace / name),
    } | TINY | changes  # fmt: skip
    path = workplace / f"{name}.toml"
    lines = []
    for table, keys in by_table(values).items():
        lines += [f"[{table}]"] if table else []
        lines += [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
    path.write_text("\n".join(lines) + "\n")
    return path
