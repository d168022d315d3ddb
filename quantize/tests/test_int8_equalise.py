"""Cross-layer equalisation changes weights, not functions; bias correction brings means back."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from quantize.int8.bias import correct_bias, layer_means
from quantize.int8.bundles import outputs_of
from quantize.int8.equalise import ends, equalise, pairs, relu6_to_relu
from quantize.int8.network import QdqNet
from quantize.int8.noise import effect
from quantize.int8.ptq import Method, qdq, quantise
from quantize.tests.networks import SCALE, Network, pictures, prepared, separable


def copied(model: onnx.ModelProto) -> onnx.ModelProto:
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    return copy


def weights(model: onnx.ModelProto) -> dict[str, np.ndarray]:
    return {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}


@pytest.mark.parametrize("by", ["weights", "activations"])
@pytest.mark.parametrize(("act", "more"), [("Relu", {}), ("LeakyRelu", {"alpha": 0.1})])
def test_the_float_function_stays(act: str, more: dict[str, Any], by: str) -> None:
    model = separable(act, spread=20.0, **more)
    equal = copied(model)
    equalise(equal, pictures(4), by)
    assert not np.allclose(weights(equal)["expand.w"], weights(model)["expand.w"])
    for a, b in zip(outputs_of(model, pictures(3, 9)), outputs_of(equal, pictures(3, 9)), strict=True):
        assert b["embedding"] == pytest.approx(a["embedding"], rel=1e-4, abs=1e-4)


def test_weights_on_both_sides_become_alike() -> None:
    model = separable(spread=4.0)
    seen = ends(model, pictures(4), ["expand.y", "depthwise.y"])
    equalise(model, pictures(4), "weights")
    w = weights(model)
    for first, second in (("expand.w", w["depthwise.w"]), ("depthwise.w", w["project.w"].transpose(1, 0, 2, 3))):
        living = seen[first.replace(".w", ".y")][1] > 0  # what no picture excites is left alone
        made, read = (np.abs(v).reshape(12, -1).max(1)[living] for v in (w[first], second))
        assert living.sum() > 8
        assert made == pytest.approx(read, rel=0.05)


def test_activations_before_a_depthwise_layer_become_alike() -> None:
    model = separable(spread=3.0)
    equalise(model, pictures(4), "activations")
    _, high = ends(model, pictures(4), ["expand.y"])["expand.y"]
    living = high > 0
    assert high[living] == pytest.approx(np.full(living.sum(), high.max()), rel=0.01)


@pytest.mark.parametrize("by", ["weights", "activations"])
def test_relu6_keeps_its_function_on_what_calibration_saw(by: str) -> None:
    model = separable("Clip", spread=8.0)
    equal = copied(model)
    equalise(equal, pictures(6), by)
    moved = np.abs(weights(equal)["expand.b"] / weights(model)["expand.b"] - 1) > 1e-3
    assert moved.any()
    _, high = ends(model, pictures(6), ["expand.y"])["expand.y"]
    assert not moved[high >= 6].any()
    for a, b in zip(outputs_of(model, pictures(6)), outputs_of(equal, pictures(6)), strict=True):
        assert b["embedding"] == pytest.approx(a["embedding"], rel=1e-4, abs=1e-4)


def test_relu6_may_be_replaced() -> None:
    model = separable("Clip")
    relu6_to_relu(model)
    onnx.checker.check_model(model)
    assert [n.op_type for n in model.graph.node] == ["Conv", "Relu", "Conv", "Relu", "Conv"]


def test_a_tensor_with_two_readers_belongs_to_no_pair() -> None:
    n = Network().conv("a", 4).act("Relu").conv("b", 4)
    model = n.model()
    assert [(p.first.name, p.second.name) for p in pairs(model)] == [("a", "b")]
    model.graph.node.append(onnx.helper.make_node("Relu", ["a.y"], ["also"], name="also"))
    model.graph.output.append(onnx.helper.make_tensor_value_info("also", onnx.TensorProto.FLOAT, None))
    assert pairs(model) == []


def test_equalising_helps_where_channels_differ(tmp_path: Path) -> None:
    noise = {}
    for name in ("none", "activations"):
        method = Method(ranges="minmax", equalise=name)
        p = prepared(separable(spread=30.0), tmp_path, method=method)
        found = outputs_of(quantise(p, method), [np.rint(x / SCALE).astype(np.int8) for x in p.inputs])
        noise[name] = effect(outputs_of(p.model, p.inputs), found).total
    assert noise["activations"] < noise["none"] / 2


def test_corrected_biases_bring_the_means_of_float(tmp_path: Path) -> None:
    p = prepared(separable(spread=6.0), tmp_path, count=12)
    # ranges that cut a third off, as a bad calibration would: the means move
    cut = {k: (h.low * 0.66, h.high * 0.66) for k, h in p.histograms.items()}
    plain = qdq(p, cut, "largest", frozenset())
    wanted = layer_means(p.model, p.inputs)
    x = torch.from_numpy(np.concatenate(p.inputs) / SCALE).round()

    def errors(model: onnx.ModelProto) -> dict[str, float]:
        """Largest error of a channel's mean, layer by layer, seen through correcting a copy."""
        net = QdqNet(model).eval()
        before = {
            layer.name: net.biases[layer.bias_at].detach().clone() for layer in net.layers.values() if layer.bias_at is not None
        }
        net.wanted = {k: torch.from_numpy(v) for k, v in wanted.items()}
        with torch.no_grad():
            net(x)
        return {
            layer.name: float((net.biases[layer.bias_at].detach() - before[layer.name]).abs().max())
            for layer in net.layers.values()
            if layer.bias_at is not None
        }

    corrected = correct_bias(p.model, plain, p.inputs, SCALE)
    assert max(errors(plain).values()) > 0.05
    assert max(errors(corrected).values()) < 1e-3
    inputs = [np.rint(v / SCALE).astype(np.int8) for v in p.inputs]
    means = [
        np.mean([o["embedding"] for o in outputs_of(m, i)], (0, 1, 3, 4))
        for m, i in ((p.model, p.inputs), (plain, inputs), (corrected, inputs))
    ]
    assert np.abs(means[2] - means[0]).mean() < np.abs(means[1] - means[0]).mean() / 3
