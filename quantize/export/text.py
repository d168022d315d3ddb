"""text.onnx: MiniLM and the projection, weights int8 with one scale per channel, arithmetic in float.

The embedding table is gathered as int8 and scaled row by row: a graph that dequantises before it gathers would dequantise the
whole table for every prompt.
"""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from quantize.model.text import EPSILON, HEADS, LAYERS, MAX_TOKENS, WIDTH, MiniLM, Projection

Array = NDArray[Any]
OPSET = 17
MASKED = np.float32(-1e4)


class Builder:
    """Appends nodes and constants; returns the names of their outputs."""

    def __init__(self, int8: bool) -> None:
        self.quantised = int8
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def const(self, array: Array | np.float32) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(array, order="C"), name))
        return name

    def op(self, kind: str, *inputs: str, out: str | None = None, **attributes: Any) -> str:
        name = out or f"{kind.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def matrix(self, w: Array) -> str:
        """A [in,out] matrix, as int8 with one scale per column if the graph is quantised."""
        if not self.quantised:
            return self.const(w)
        scale = (np.maximum(np.abs(w).max(0), 1e-8) / 127).astype(np.float32)
        q = np.clip(np.rint(w / scale), -127, 127).astype(np.int8)
        zero = np.zeros(len(scale), np.int8)
        return self.op("DequantizeLinear", self.const(q), self.const(scale), self.const(zero), axis=1)


def _shape(*dims: int) -> Array:
    return np.array(dims, np.int64)


class _Bert:
    def __init__(self, tower: MiniLM, tokens: NDArray[np.int64], int8: bool) -> None:
        self.b = Builder(int8)
        self.tokens = tokens
        self.w = {k: v.float().numpy() for k, v in tower.weights.items()}

    def linear(self, x: str, *names: str) -> str:
        w = np.concatenate([self.w[f"{n}.weight"] for n in names]).T
        bias = np.concatenate([self.w[f"{n}.bias"] for n in names])
        return self.b.op("Add", self.b.op("MatMul", x, self.b.matrix(w)), self.b.const(bias))

    def norm(self, x: str, name: str) -> str:
        scale, bias = self.b.const(self.w[f"{name}.weight"]), self.b.const(self.w[f"{name}.bias"])
        return self.b.op("LayerNormalization", x, scale, bias, axis=-1, epsilon=EPSILON)

    def embeddings(self) -> str:
        b, table = self.b, self.w["embeddings.word_embeddings.weight"][self.tokens]
        scale = (np.abs(table).max(1, keepdims=True) / 127).astype(np.float32)
        q = np.rint(table / scale).astype(np.int8)
        rows = b.op("Cast", b.op("Gather", b.const(q), "input_ids"), to=TensorProto.FLOAT)
        words = b.op("Mul", rows, b.op("Gather", b.const(scale), "input_ids"))
        places = self.w["embeddings.position_embeddings.weight"] + self.w["embeddings.token_type_embeddings.weight"][0]
        places = places[:MAX_TOKENS]
        length = b.op("Slice", b.op("Shape", "input_ids"), b.const(_shape(1)), b.const(_shape(2)))
        here = b.op("Slice", b.const(places), b.const(_shape(0)), length, b.const(_shape(0)))
        return self.norm(b.op("Add", words, here), "embeddings.LayerNorm")

    def layer(self, x: str, i: int, masked: str) -> str:
        b, name = self.b, f"encoder.layer.{i}"
        parts = []
        for part in ("query", "key", "value"):
            y = b.op("Reshape", self.linear(x, f"{name}.attention.self.{part}"), b.const(_shape(0, 0, HEADS, WIDTH // HEADS)))
            parts.append(b.op("Transpose", y, perm=[0, 2, 3, 1] if part == "key" else [0, 2, 1, 3]))
        q, k, v = parts
        logits = b.op("Mul", b.op("MatMul", q, k), b.const(np.float32((WIDTH // HEADS) ** -0.5)))
        a = b.op("MatMul", b.op("Softmax", b.op("Add", logits, masked), axis=-1), v)
        a = b.op("Reshape", b.op("Transpose", a, perm=[0, 2, 1, 3]), b.const(_shape(0, 0, WIDTH)))
        x = self.norm(b.op("Add", x, self.linear(a, f"{name}.attention.output.dense")), f"{name}.attention.output.LayerNorm")
        h = self.linear(x, f"{name}.intermediate.dense")
        erf = b.op("Add", b.op("Erf", b.op("Mul", h, b.const(np.float32(2**-0.5)))), b.const(np.float32(1)))
        h = b.op("Mul", b.op("Mul", h, b.const(np.float32(0.5))), erf)
        return self.norm(b.op("Add", x, self.linear(h, f"{name}.output.dense")), f"{name}.output.LayerNorm")


def write_text(path: Path, tower: MiniLM, projection: Projection, tokens: NDArray[np.int64], int8: bool = True) -> None:
    """`input_ids`, `attention_mask` i64 [N,L] → `embedding` f32 [N,dim]: the unit sentence vector projected, not normalised.

    Token `i` of the graph is token `tokens[i]` of the tower; L is at most MAX_TOKENS.
    """
    bert = _Bert(tower, tokens, int8)
    b = bert.b
    keep = b.op("Cast", "attention_mask", to=TensorProto.FLOAT)
    absent = b.op("Sub", b.const(np.float32(1)), b.op("Unsqueeze", keep, b.const(_shape(1, 2))))
    masked = b.op("Mul", absent, b.const(MASKED))
    x = bert.embeddings()
    for i in range(LAYERS):
        x = bert.layer(x, i, masked)
    column = b.op("Unsqueeze", keep, b.const(_shape(2)))
    total = b.op("ReduceSum", b.op("Mul", x, column), b.const(_shape(1)), keepdims=0)
    mean = b.op("Div", total, b.op("ReduceSum", column, b.const(_shape(1)), keepdims=0))
    square = b.op("ReduceSum", b.op("Mul", mean, mean), b.const(_shape(1)), keepdims=1)
    unit = b.op("Div", mean, b.op("Sqrt", square))
    w = projection.linear.weight.detach().float().numpy().T
    bias = projection.linear.bias.detach().float().numpy()
    b.op("Add", b.op("MatMul", unit, b.matrix(w)), b.const(bias), out="embedding")
    inputs = [helper.make_tensor_value_info(n, TensorProto.INT64, ["N", "L"]) for n in ("input_ids", "attention_mask")]
    outputs = [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["N", w.shape[1]])]
    graph = helper.make_graph(b.nodes, "text", inputs, outputs, b.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="edgeclip")
    model.ir_version = 8
    onnx.checker.check_model(model)
    onnx.save(model, path)


def float_embedding(tower: MiniLM, projection: Projection, texts: list[str]) -> torch.Tensor:
    """What the graph should give, in float, from untemplated texts."""
    with torch.no_grad():
        y: torch.Tensor = projection.linear(torch.nn.functional.normalize(tower.encode(texts), dim=-1))
        return y
