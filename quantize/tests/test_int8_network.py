"""The trainable form of a QDQ file computes what the board computes, and training it helps."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from quantize.arithmetic import vision
from quantize.golden import networks
from quantize.golden.fixtures import Fixture
from quantize.int8.bundles import Runner, outputs_of
from quantize.int8.network import QdqNet
from quantize.int8.noise import effect
from quantize.int8.ptq import Method, quantise
from quantize.int8.qat import Imitation, QatSettings, fit
from quantize.int8.straight_through import Type, round_clamp
from quantize.tests.networks import SCALE, Floats, pictures, planted, prepared, separable

NETWORKS = [
    *(networks.mobile(k) for k in (np.int8, np.uint8, np.float32)),
    networks.residual(),
    networks.pools(),
]


@pytest.mark.parametrize("fixture", NETWORKS, ids=lambda f: f.name)
@pytest.mark.parametrize("training", [False, True])
def test_forward_equals_the_integer_reference_bit_for_bit(fixture: Fixture, training: bool) -> None:
    model = fixture.model()
    with torch.no_grad():
        found = QdqNet(model).train(training)(torch.from_numpy(fixture.image.astype(np.float32)))
    for name, wanted in vision.run(model, fixture.image).items():
        assert np.array_equal(found[name].numpy(), wanted), name


def small(tmp_path: Path, model: onnx.ModelProto | None = None) -> tuple[onnx.ModelProto, onnx.ModelProto]:
    p = prepared(model or separable("LeakyRelu", spread=8.0, alpha=0.1), tmp_path)
    return p.model, quantise(p, Method(ranges="minmax"))


def test_a_batch_is_its_pictures_one_by_one(tmp_path: Path) -> None:
    _, model = small(tmp_path)
    net = QdqNet(model).eval()
    x = torch.from_numpy(np.concatenate(pictures(3)) / SCALE).round()
    with torch.no_grad():
        together = net(x)["embedding"]
        for i in range(3):
            assert torch.equal(together[i : i + 1], net(x[i : i + 1])["embedding"])


def test_what_was_trained_is_what_the_file_holds(tmp_path: Path) -> None:
    _, model = small(tmp_path)
    net = QdqNet(model, learn_scales=True).eval()
    g = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for p in net.weights:
            p += torch.randn(p.shape, generator=g) * 2
        for p in net.biases:
            p += torch.randn(p.shape, generator=g) * 0.05
        for p in net.deltas:
            p += torch.randn(p.shape, generator=g) * 0.05
    exported = net.export()
    onnx.checker.check_model(exported)
    assert [list(i.dims) for i in exported.graph.initializer] == [list(i.dims) for i in model.graph.initializer]
    x = np.rint(pictures(1)[0] / SCALE)
    with torch.no_grad():
        wanted = net(torch.from_numpy(x).float())["embedding"].numpy()
    assert np.array_equal(vision.run(exported, x.astype(np.int8))["embedding"], wanted)
    assert not np.array_equal(vision.run(model, x.astype(np.int8))["embedding"], wanted)


def test_gradients_pass_through_rounding_and_stop_where_clamped() -> None:
    x = torch.tensor([0.5, 1.5, 2.4, -2.5, 300.0, -128.4], requires_grad=True)
    y = round_clamp(x, -128, 127)
    assert y.tolist() == [0.0, 2.0, 2.0, -2.0, 127.0, -128.0]
    y.sum().backward()  # type: ignore[no-untyped-call]
    assert x.grad is not None
    assert x.grad.tolist() == [1, 1, 1, 1, 0, 1]


def test_gradient_of_a_step_size_is_that_of_lsq() -> None:
    """Equation 3 of arXiv 1902.08153: `round(v/s) − v/s` inside, the bound outside."""
    v, s = torch.tensor([0.3, -1.26, 9.0, -7.0]), torch.tensor(0.5, requires_grad=True)
    low, high = -8, 7
    Type(s, 0, low, high).of(v).value.sum().backward()  # type: ignore[no-untyped-call]
    by_hand = sum(
        float(np.rint(x / 0.5) - x / 0.5) if low <= np.rint(x / 0.5) <= high else (high if x > 0 else low) for x in v.tolist()
    )
    assert s.grad is not None
    assert float(s.grad) == pytest.approx(by_hand, abs=1e-5)


def imitation(floats: onnx.ModelProto, int8: onnx.ModelProto, s: QatSettings) -> Imitation:
    def loader(rng: np.random.Generator) -> tuple[list[Floats], list[Floats]]:
        x = pictures(4, int(rng.integers(1 << 30)))
        return x, x

    return Imitation(int8, Runner(floats), SCALE, loader, s)


@pytest.mark.parametrize("model", [planted("b"), planted("c"), separable("LeakyRelu", spread=8.0, alpha=0.1)])
def test_training_is_nearer_to_float_than_post_training(model: onnx.ModelProto, tmp_path: Path) -> None:
    floats, int8 = small(tmp_path, model)
    task = imitation(floats, int8, QatSettings(steps=80))
    losses = fit(task, tmp_path / "out")
    assert len(losses) == 80
    held_out = pictures(8, seed=77)
    inputs = [np.rint(x / SCALE).astype(np.int8) for x in held_out]
    before, after = (effect(outputs_of(floats, held_out), outputs_of(m, inputs)).total for m in (int8, task.net.export()))
    assert after < 0.8 * before


def test_scales_may_be_left_as_they_are(tmp_path: Path) -> None:
    floats, int8 = small(tmp_path, planted("b"))
    task = imitation(floats, int8, QatSettings(steps=5, scale_rate=0.0))
    fit(task, tmp_path / "out")
    before, after = ({i.name: numpy_helper.to_array(i) for i in m.graph.initializer} for m in (int8, task.net.export()))
    for node in int8.graph.node:
        if node.op_type == "QuantizeLinear":
            assert np.array_equal(before[node.input[1]], after[node.input[1]])
    assert any(not np.array_equal(before[name], after[name]) for name in before)


def test_a_frozen_trunk_stays_as_it_is(tmp_path: Path) -> None:
    model = separable()
    for node in model.graph.node[:3]:
        node.name = f"/trunk/{node.name}"
    p = prepared(model, tmp_path)
    task = imitation(p.model, quantise(p, Method()), QatSettings(steps=3, learning_rate=0.5, trunk=False))
    before = [w.detach().clone() for w in task.net.weights]
    fit(task, tmp_path / "out")
    assert [torch.equal(a, b) for a, b in zip(before, task.net.weights, strict=True)] == [True, True, False]


def test_bad_training_is_refused(tmp_path: Path) -> None:
    floats, int8 = small(tmp_path)
    other = separable(seed=3)
    other.graph.output[0].name = other.graph.node[-1].output[0] = "other"
    with pytest.raises(ValueError, match=r"found none for output other, expected \[4, 5, 8, 8\] as in float"):
        fit(imitation(other, int8, QatSettings(steps=1)), tmp_path / "out")
    task = imitation(floats, int8, QatSettings(steps=2))
    with torch.no_grad():
        task.net.biases[0].fill_(float("nan"))
    with pytest.raises(SystemExit, match=r"loss is nan at step 0 .*; the batch is in"):
        fit(task, tmp_path / "nan")


def test_weights_with_a_zero_point_are_refused() -> None:
    with pytest.raises(ValueError, match="expected constant weights"):
        QdqNet(networks.stored_in_float().model())
