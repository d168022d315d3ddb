"""Training on CUDA keeps vectors and weights there, and the supervision that picks from them on the CPU."""

from pathlib import Path
from typing import Any

import pytest
import torch
from quantize import train as trainer
from quantize.settings.board import BoardRecipe
from quantize.tests.pretended import Elsewhere, Pretended
from quantize.tests.synthetic import changed


def test_the_pretended_device_catches_mixing() -> None:
    with Pretended():
        there = torch.ones(3, device="cuda")
        assert isinstance(there, Elsewhere)
        assert (there * 2).cpu().tolist() == [2, 2, 2]
        assert there[torch.tensor([0, 1])].device.type == "cuda"
        with pytest.raises(RuntimeError, match="found tensors on cpu and on cuda"):
            there + torch.ones(3)
        with pytest.raises(RuntimeError, match="found tensors on cpu and on cuda"):
            torch.ones(3)[there.long()]


@pytest.mark.parametrize("frozen", [True, False])
def test_a_step_on_cuda_mixes_no_devices(
    frozen: bool, recipe: BoardRecipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved: list[Any] = []
    monkeypatch.setattr(torch, "save", lambda state, path: saved.append(state))
    monkeypatch.setattr(torch.Tensor, "backward", lambda loss: saved.append(loss))
    with Pretended():
        trainer.train(changed(recipe, device="cuda", frozen=frozen, steps=2, out=str(tmp_path)))
    *losses, state = saved
    assert len(losses) == 2
    assert all(isinstance(loss, Elsewhere) and loss.requires_grad and loss.held.isfinite() for loss in losses)
    assert all(isinstance(v, Elsewhere) for v in state["weights"].values())
