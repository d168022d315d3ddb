"""Usual architectures with random weights as int8 QDQ files: `architectures.py FOLDER [NAME…]` for `beside.py`.

Each is written twice by ONNX Runtime's quantiser: `all` quantises every operator that it knows, `few` convolutions and
products alone, so that the rest stays in float between them. Needs torch, torchvision, timm and transformers, which the
environment of `quantize/` has.
"""

import logging
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import timm
import torch
import torchvision.models.segmentation
from foreign import Noise
from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import nn
from transformers import SegformerConfig, SegformerForSemanticSegmentation

OPSET, CLASSES = 17, 32
FORMS: dict[str, dict[str, Any]] = {"all": {}, "few": {"op_types_to_quantize": ["Conv", "MatMul", "Gemm"]}}


class Pixels(nn.Module):
    """The shares of the classes in each pixel, or the numbers before them."""

    def __init__(self, network: nn.Module, shares: bool) -> None:
        super().__init__()
        self.network, self.shares = network, shares

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        """Of one picture."""
        found = self.network(picture)
        return torch.softmax(found["out"], 1) if self.shares else found.logits


def named(name: str, **options: Any) -> Callable[[], nn.Module]:
    """A classifier of timm."""
    return lambda: timm.create_model(name, pretrained=False, num_classes=CLASSES, exportable=True, **options)


def segmenting(name: str) -> Callable[[], nn.Module]:
    """A network of torchvision that names pixels."""
    maker = getattr(torchvision.models.segmentation, name)
    return lambda: Pixels(maker(weights=None, weights_backbone=None, num_classes=8), True)


def segformer() -> nn.Module:
    """A small one."""
    sizes: dict[str, Any] = {"depths": [1] * 4, "hidden_sizes": [16, 32, 48, 64], "decoder_hidden_size": 32}
    sizes["num_labels"] = 8
    return Pixels(SegformerForSemanticSegmentation(SegformerConfig(**sizes)), False)


NETWORKS: dict[str, tuple[Callable[[], nn.Module], int]] = {
    "vit_tiny": (named("vit_tiny_patch16_224", img_size=64, depth=3), 64),
    "efficientnet_b0": (named("efficientnet_b0"), 96),
    "convnext_atto": (named("convnext_atto"), 64),
    "mobilevit_xxs": (named("mobilevit_xxs"), 64),
    "swin": (
        named("swin_tiny_patch4_window7_224", img_size=56, depths=(2, 2), num_heads=(2, 4), embed_dim=32),
        56,
    ),
    "levit_128s": (named("levit_128s"), 224),
    "edgenext_xxs": (named("edgenext_xx_small"), 64),
    "poolformer": (named("poolformer_s12"), 64),
    "repvit": (named("repvit_m0_9"), 64),
    "fastvit_t8": (named("fastvit_t8"), 64),
    "tiny_vit": (named("tiny_vit_5m_224"), 224),
    "resnet18": (named("resnet18"), 64),
    "regnety": (named("regnety_002"), 64),
    "ghostnet": (named("ghostnet_100"), 64),
    "mixer": (named("mixer_s32_224"), 224),
    "segformer": (segformer, 64),
    "lraspp": (segmenting("lraspp_mobilenet_v3_large"), 96),
    "deeplab": (segmenting("deeplabv3_mobilenet_v3_large"), 96),
}


def write(folder: Path, name: str) -> None:
    """Both forms of one."""
    make, size = NETWORKS[name]
    network = make().eval()
    for part in network.modules():
        if isinstance(part, nn.BatchNorm2d) and part.running_mean is not None and part.running_var is not None:
            part.running_mean.normal_(0, 0.1)
            part.running_var.uniform_(0.5, 1.5)
    source, prepared = folder / f"{name}.source", folder / f"{name}.prepared"
    picture = torch.randn(1, 3, size, size)
    torch.onnx.export(network, (picture,), str(source), opset_version=OPSET, dynamo=False, input_names=["image"])
    quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
    for form, options in FORMS.items():
        quantize_static(
            str(prepared), str(folder / f"{name}.{form}.onnx"), Noise(onnx.load(prepared)),
            quant_format=QuantFormat.QDQ, per_channel=True, activation_type=QuantType.QInt8,
            weight_type=QuantType.QInt8, **options,
        )  # fmt: skip
    source.unlink()
    prepared.unlink()


def main() -> None:
    """The command."""
    warnings.filterwarnings("ignore")
    logging.getLogger().setLevel(logging.ERROR)
    torch.manual_seed(0)
    folder, wanted = Path(sys.argv[1]), sys.argv[2:]
    folder.mkdir(parents=True, exist_ok=True)
    for name in wanted or NETWORKS:
        if not (folder / f"{name}.few.onnx").exists():
            write(folder, name)
            print(name, flush=True)


if __name__ == "__main__":
    main()
