"""What single nodes of a QDQ graph compute: `quantize/arithmetic/vision.py` in PyTorch, for batches."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from quantize.int8.straight_through import Quantised, Sums

Attributes = dict[str, Any]


def real(x: Any) -> Tensor:
    """In float32, what a node of float values reads."""
    if isinstance(x, Sums):
        raise ValueError(f"found sums over {len(x.terms)} terms that are not quantised, expected a tensor")
    value: Tensor = x.value if isinstance(x, Quantised) else x
    return value


def hard_sigmoid(x: Tensor, alpha: float, beta: float) -> Tensor:
    """`clamp(alpha · x + beta, 0, 1)`, rounded after each operation as the engine's tables are."""
    return (alpha * x + beta).clamp(0, 1)


def padded(x: Tensor, a: Attributes, fill: float = 0.0) -> Tensor:
    """`x` with the margins of a window; ONNX lists them top, left, bottom, right."""
    top, left, bottom, right = a.get("pads", [0] * 4)
    return F.pad(x, (left, right, top, bottom), value=fill)


def conv(x: Tensor, w: Tensor, a: Attributes) -> Tensor:
    """Without a bias."""
    return F.conv2d(padded(x, a), w, None, a.get("strides", [1, 1]), 0, a.get("dilations", [1, 1]), a.get("group", 1))


def product(op: str, x: Tensor, w: Tensor, a: Attributes) -> Tensor:
    """Of a layer without its bias."""
    if op == "Conv":
        return conv(x, w, a)
    return x @ (w.T if a.get("transB", 0) else w)


def upsample(x: Tensor) -> Tensor:
    """Twice the height and width by 3 parts of the nearer and 1 of the farther neighbour on each axis; the sum of all is 16."""
    for axis in (2, 3):
        count = x.shape[axis]
        at = torch.arange(2 * count, device=x.device)
        far = (at // 2 + torch.where(at % 2 == 0, -1, 1)).clamp(0, count - 1)
        x = 3 * x.index_select(axis, at // 2) + x.index_select(axis, far)
    return x


def pooled(op: str, x: Quantised, a: Attributes) -> Any:
    """Windows and whole pictures, smaller or larger."""
    q, scale = x.q, x.type.scale
    window = {"kernel_size": a.get("kernel_shape"), "stride": a.get("strides", [1, 1]), "ceil_mode": bool(a.get("ceil_mode", 0))}
    match op:
        case "MaxPool":
            return Quantised(F.max_pool2d(padded(q, a, x.type.low), **window), x.type)
        case "AveragePool":
            sums = F.avg_pool2d(padded(q, a), **window, divisor_override=1)
            counted = torch.ones_like(q[:1, :1])
            counted = padded(counted, a, 1.0 if a.get("count_include_pad", 0) else 0.0)
            return Sums([(sums, scale)], F.avg_pool2d(counted, **window, divisor_override=1).float())
        case "GlobalAveragePool" | "ReduceMean":
            count = torch.tensor(float(q.shape[2] * q.shape[3]), device=q.device)
            return Sums([(q.sum((2, 3), keepdim=bool(a.get("keepdims", 1))), scale)], count)
        case "Resize" if a["mode"] == b"nearest":
            return Quantised(q.repeat_interleave(2, 2).repeat_interleave(2, 3), x.type)
        case "Resize":
            return Sums([(upsample(q), scale)], torch.tensor(16.0, device=q.device))
    raise ValueError(f"{op}: no pooling")


def moved(op: str, x: Tensor, others: list[Any], a: Attributes) -> Any:
    """The ops that move values, along a batch of any size; Split has several results."""
    match op:
        case "Identity" | "Dropout":
            return x
        case "Transpose":
            return x.permute(a["perm"])
        case "Flatten":
            return x.flatten(a.get("axis", 1))
        case "Reshape":
            shape = [x.shape[i] if n == 0 else int(n) for i, n in enumerate(others[0])]
            # graphs are exported for one picture
            return x.reshape([x.shape[0], *shape[1:]] if shape[0] == 1 else shape)
        case "Squeeze":
            return x.squeeze(tuple(int(i) for i in others[0]))
        case "Unsqueeze":
            for axis in sorted(int(i) for i in others[0]):
                x = x.unsqueeze(axis)
            return x
        case "Slice":
            starts, stops, axis = (int(i[0]) for i in others[:3])
            rows = range(x.shape[axis])[starts:stops]
            return x.narrow(axis, rows.start, len(rows))
        case "Split":
            return torch.split(x, [int(i) for i in others[0]], a.get("axis", 0))
    raise ValueError(f"{op}: no op that moves values")


MOVES = ("Identity", "Dropout", "Transpose", "Flatten", "Reshape", "Squeeze", "Unsqueeze", "Slice", "Split")
POOLS = ("MaxPool", "AveragePool", "GlobalAveragePool", "ReduceMean", "Resize")


def joined(op: str, x: Any, y: Any) -> Any:
    """Add and Mul."""
    if isinstance(x, Quantised) and isinstance(y, Quantised):
        if op == "Mul":
            return Sums([(x.q * y.q, x.type.scale * y.type.scale)])
        return Sums([(x.q, x.type.scale), (y.q, y.type.scale)])
    if op == "Add" and isinstance(x, Sums) and isinstance(y, Quantised):
        return Sums([*x.terms, (y.q, y.type.scale)])
    if op == "Add" and isinstance(y, Sums) and isinstance(x, Quantised):
        return joined(op, y, x)
    return real(x) + real(y) if op == "Add" else real(x) * real(y)


def compute(op: str, inputs: list[Any], a: Attributes) -> Any:
    """The value of one node without weights."""
    x, others = inputs[0], inputs[1:]
    match op:
        case "Add" | "Mul":
            return joined(op, x, others[0])
        case "Relu":
            return x.within(0, float("inf")) if isinstance(x, Sums) else real(x).relu()
        case "Clip":
            low, high = (float(b) for b in others)
            return x.within(low, high) if isinstance(x, Sums) else real(x).clamp(low, high)
        case "LeakyRelu":
            return F.leaky_relu(real(x), a.get("alpha", 0.01))
        case "HardSigmoid":
            return hard_sigmoid(real(x), a.get("alpha", 0.2), a.get("beta", 0.5))
        case "HardSwish":
            return real(x) * hard_sigmoid(real(x), 1 / 6, 0.5)
        case "Softmax":
            return real(x).softmax(a.get("axis", -1))
        case "Concat":
            return torch.cat([real(term) for term in inputs], a["axis"])
        case _ if op in MOVES and isinstance(x, Quantised):
            parts = moved(op, x.q, others, a)
            return [Quantised(p, x.type) for p in parts] if op == "Split" else Quantised(parts, x.type)
        case _ if op in MOVES:
            return moved(op, real(x), others, a)
        case _ if op in POOLS and isinstance(x, Quantised):
            return pooled(op, x, a)
    raise ValueError(f"found op {op} on {type(x).__name__}, expected one of the engine's on quantised tensors")
