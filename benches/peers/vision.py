"""One thread, one run, interleaved: the default vision network here, in stock tract and in ONNX Runtime: medians, ratios.

cargo bench --profile release --bench vision --no-run
python benches/peers/vision.py BENCH_BINARY [RUNS]
"""

import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort

MODEL = Path(__file__).parents[2] / "models/default/vision.onnx"


def session(model: bytes) -> ort.InferenceSession:
    """One thread, default optimisations."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def unsigned(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same network with u8 activations, faster in ONNX Runtime on x86: zero points move by 128; the input stays int8."""
    model = onnx.ModelProto.FromString(model.SerializeToString())
    graph = model.graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    images = {value.name for value in graph.input}
    for node in graph.node:
        if node.op_type not in ("QuantizeLinear", "DequantizeLinear") or node.input[0] in constants or node.input[0] in images:
            continue
        zero = onnx.numpy_helper.to_array(constants[node.input[2]])
        name = f"{node.input[2]}_u8"
        if name not in constants:
            constants[name] = onnx.numpy_helper.from_array((zero.astype(np.int16) + 128).astype(np.uint8), name)
            graph.initializer.append(constants[name])
        node.input[2] = name
    return model


def main() -> None:
    """The command."""
    binary, runs = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 30
    server = subprocess.Popen([binary, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
    assert server.stdin
    assert server.stdout
    print("edgeclip", server.stdout.readline().strip(), "ms")
    model = onnx.load(MODEL)
    sessions = {"ort s8": session(model.SerializeToString()), "ort u8": session(unsigned(model).SerializeToString())}
    size = model.graph.input[0].type.tensor_type.shape.dim[2].dim_value
    image = np.random.default_rng(0).integers(-128, 128, (1, 3, size, size), dtype=np.int8)
    signed, moved = (one.run(None, {"image": image}) for one in sessions.values())
    for a, b in zip(signed, moved, strict=True):
        cosine = float((a * b).sum() / np.linalg.norm(a) / np.linalg.norm(b))
        assert cosine > 0.98, f"the u8 form is another network: cosine {cosine}"
    times: dict[str, list[float]] = {"int8": [], "float": [], **{name: [] for name in sessions}}
    for _ in range(runs):
        for name, one in sessions.items():
            start = time.perf_counter()
            one.run(None, {"image": image})
            times[name].append((time.perf_counter() - start) * 1e3)
        for name in ("int8", "float"):
            server.stdin.write(f"{name}\n")
            server.stdin.flush()
            times[name].append(float(server.stdout.readline()))
    server.stdin.close()
    server.wait()
    medians = {name: statistics.median(values) for name, values in times.items()}
    for name, values in times.items():
        label = {"int8": "edgeclip", "float": "tract"}.get(name, name)
        print(f"{label:9} median {medians[name]:7.2f} ms  min {min(values):7.2f} ms")
    best = min(medians["ort s8"], medians["ort u8"])
    print(f"default 1T edgeclip/ort {medians['int8'] / best:.2f} edgeclip/tract {medians['int8'] / medians['float']:.3f}")


if __name__ == "__main__":
    main()
