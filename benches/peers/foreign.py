"""Other people's networks, from public repositories, as int8 QDQ files: `foreign.py FOLDER` fetches them with git and quantises.

What comes quantised is taken as it is, with a batch of one; what comes in float is quantised by
ONNX Runtime's own tools on noise, activations uint8 and int8, weights int8 per channel. The light
models of onnx/onnx have no weights: they get random ones.
"""

import logging
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper, version_converter
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

OPSET = 17
LIGHT = "onnx/backend/test/data/light/light_"
SAMPLES = "common/onnx_utils/sample_models/"
BOARDS = "Models/quantized_int8/"


@dataclass(frozen=True)
class Source:
    """A file of a repository on GitHub."""

    repository: str
    path: str
    quantised: bool = False


ONNX, ST = "onnx/onnx", "STMicroelectronics/stm32ai-modelzoo-services"
FACES, N6 = "PeleAB/STM32N6-FaceRecognition", "Magnus3327/stm32n6-edge-ai-benchmarks"
SOURCES = {
    "densenet121": Source(ONNX, f"{LIGHT}densenet121.onnx"),
    "inception_v1": Source(ONNX, f"{LIGHT}inception_v1.onnx"),
    "shufflenet_v1": Source(ONNX, f"{LIGHT}shufflenet.onnx"),
    "squeezenet": Source(ONNX, f"{LIGHT}squeezenet.onnx"),
    "mobilenetv2_035": Source(ST, f"{SAMPLES}mobilenet_v2_0.35_128_tfs_channel_first.onnx"),
    "st_ssd": Source(ST, f"{SAMPLES}st_ssd_mobilenet_v1_025_256.onnx"),
    "yamnet": Source(ST, f"{SAMPLES}yamnet_256_64x96_tl.onnx"),
    "ultraface": Source(
        "microsoft/onnxruntime-inference-examples", "mobile/examples/Xamarin/Models/Ultraface.version-RFB-320.onnx"
    ),
    "mobilefacenet": Source(FACES, "input_models/mobilefacenet_int8_random.onnx", True),
    "mobilefacenet_st": Source(FACES, "converted_models/mobilefacenet_int8_faces_OE_3_2_0.onnx", True),
    "mobilenetv2": Source(N6, f"{BOARDS}mobilenet_v2_224_int8.onnx", True),
    "yolov8n": Source(N6, f"{BOARDS}yolov8n_micro_224_int8.onnx", True),
    "yolo11n": Source(N6, f"{BOARDS}yolov11n_micro_224_int8.onnx", True),
    "yunet": Source("uelimator/face-detection-pruning-for-IMX500-STM32N6", "models/yunetn_320_qdq_int8.onnx", True),
}


def fetched(source: Source, cache: Path) -> Path:
    """The file, of the repository's newest commit."""
    clone = cache / source.repository.replace("/", "+")
    target = cache / "files" / source.repository.replace("/", "+") / Path(source.path).name
    if not target.exists():
        if not clone.exists():
            address = f"https://github.com/{source.repository}"
            command = ["git", "clone", "--quiet", "--bare", "--depth", "1", "--filter=blob:none", address, str(clone)]
            subprocess.run(command, check=True)
        show = ["git", "-C", str(clone), "show", f"HEAD:{source.path}"]
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(subprocess.run(show, check=True, capture_output=True).stdout)
    return target


def single(model: onnx.ModelProto) -> None:
    """A batch of one wherever an axis has a name."""
    for value in [*model.graph.input, *model.graph.output]:
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_param:
                dim.dim_value = 1
    del model.graph.value_info[:]


def computed(model: onnx.ModelProto) -> None:
    """Without outputs that are constants, such as anchors."""
    graph = model.graph
    made = {name for node in graph.node for name in node.output}
    outputs = [output for output in graph.output if output.name in made]
    del graph.output[:]
    graph.output.extend(outputs)


def weighted(model: onnx.ModelProto, rng: np.random.Generator) -> None:
    """Random weights instead of the light models' ConstantOfShape."""
    graph = model.graph
    shapes = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    readers = {name: (node, at) for node in graph.node for at, name in enumerate(node.input)}
    kept = []
    for node in graph.node:
        if node.op_type != "ConstantOfShape" or node.input[0] not in shapes:
            kept.append(node)
            continue
        shape, (reader, at) = [int(n) for n in shapes[node.input[0]]], readers[node.output[0]]
        values = rng.standard_normal(shape)
        if len(shape) > 1:
            values *= np.sqrt(2 / np.prod(shape[1:]))
        elif (reader.op_type == "BatchNormalization" and at in (1, 4)) or reader.op_type == "Unsqueeze":
            values = 1 + 0.1 * np.abs(values)
        else:
            values *= 0.1
        graph.initializer.append(numpy_helper.from_array(values.astype(np.float32), node.output[0]))
    del graph.node[:]
    graph.node.extend(kept)
    constants = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in constants]
    del graph.input[:]
    graph.input.extend(inputs)


class Noise(CalibrationDataReader):  # type: ignore[misc]
    """Two pictures of noise."""

    def __init__(self, model: onnx.ModelProto) -> None:
        value = model.graph.input[0]
        shape = [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        rng = np.random.default_rng(1)
        pictures = [rng.uniform(-1, 1, shape).astype(np.float32) for _ in range(2)]
        self.items: Iterator[dict[str, NDArray[np.float32]]] = iter([{value.name: picture} for picture in pictures])

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        return next(self.items, None)


def quantise(model: onnx.ModelProto, folder: Path, name: str) -> None:
    """Both forms of a float network."""
    rng = np.random.default_rng(len(name))
    weighted(model, rng)
    model.ir_version = 8
    if model.opset_import[0].version < OPSET:
        model = version_converter.convert_version(model, OPSET)
    source, prepared = folder / f"{name}.source", folder / f"{name}.prepared"
    onnx.save(model, source)
    quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
    folded = onnx.load(prepared)
    computed(folded)
    onnx.save(folded, prepared)
    for form, kind in (("u8s8", QuantType.QUInt8), ("s8s8", QuantType.QInt8)):
        quantize_static(
            str(prepared), str(folder / f"{name}.{form}.onnx"), Noise(onnx.load(prepared)),
            quant_format=QuantFormat.QDQ, per_channel=True, activation_type=kind, weight_type=QuantType.QInt8,
        )  # fmt: skip
    source.unlink()
    prepared.unlink()


def main() -> None:
    """The command."""
    logging.getLogger().setLevel(logging.ERROR)
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, source in SOURCES.items():
        if any(folder.glob(f"{name}.*.onnx")):
            continue
        model = onnx.load(fetched(source, folder / "fetched"))
        single(model)
        if source.quantised:
            onnx.save(model, folder / f"{name}.given.onnx")
        else:
            quantise(model, folder, name)
        print(name, flush=True)


if __name__ == "__main__":
    main()
