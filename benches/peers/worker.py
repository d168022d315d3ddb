"""The side of benches/peers that runs ONNX Runtime or ncnn: `worker.py ENGINE FILE THREADS SCALE`.

The protocol is that of crates/engine/benches/peer.rs.

ENGINE is ort-s8, ort-u8, ort-u8u8, ort-f32, ncnn-f32, ncnn-bf16 or ncnn-int8. SCALE
dequantises the int8 picture for those that take floats.
"""

import ctypes
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Pass = Callable[[], None]
Outputs = Callable[[], list[NDArray[np.float32]]]


class OnnxRuntime:
    """A session whose input and outputs are bound, so that a pass is no more than the network."""

    def __init__(self, form: str, file: str, threads: int, scale: float) -> None:
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 3
        if form == "u8u8":
            # Weights become u8, too: without VNNI, products of u8 and s8 saturate.
            options.add_session_config_entry("session.x64quantprecision", "1")
        self.form, self.scale = form, scale
        self.session = ort.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        self.binding = self.session.io_binding()
        self.name = self.session.get_inputs()[0].name
        self.shape = self.session.get_inputs()[0].shape

    def feed(self, picture: NDArray[np.int8]) -> None:
        """Sets the input."""
        if self.form == "f32":
            values: NDArray[Any] = picture.astype(np.float32) * np.float32(self.scale)
        else:
            values = picture if self.form == "s8" else (picture.astype(np.int16) + 128).astype(np.uint8)
        self.binding.bind_cpu_input(self.name, values)
        for output in self.session.get_outputs():
            self.binding.bind_output(output.name, "cpu")

    def run(self) -> None:
        """One pass."""
        self.session.run_with_iobinding(self.binding)

    def outputs(self) -> list[NDArray[np.float32]]:
        """What the last pass made."""
        found: list[NDArray[np.float32]] = self.binding.copy_outputs_to_cpu()
        return found


class Ncnn:
    """A net whose outputs are out0, out1, …"""

    def __init__(self, form: str, file: str, threads: int, scale: float) -> None:
        import ncnn

        self.ncnn, self.scale = ncnn, scale
        self.net = ncnn.Net()
        self.net.opt.num_threads = threads
        self.net.opt.use_bf16_storage = form == "bf16"
        if self.net.load_param(f"{file}.param") or self.net.load_model(f"{file}.bin"):
            raise ValueError(f"{file}: ncnn cannot load it")
        lines = Path(f"{file}.param").read_text().splitlines()
        self.count = len({word for line in lines for word in line.split() if word.startswith("out") and word[3:].isdigit()})
        self.found: list[object] = []

    def feed(self, picture: NDArray[np.int8]) -> None:
        """Sets the input."""
        # A Mat does not own the array that it is made from.
        self.values = picture[0].astype(np.float32) * np.float32(self.scale)
        self.input = self.ncnn.Mat(self.values)

    def run(self) -> None:
        """One pass."""
        # Kept, as it owns the memory of what it extracts.
        self.extractor = self.net.create_extractor()
        self.extractor.input("in0", self.input)
        self.found = [self.extractor.extract(f"out{index}")[1] for index in range(self.count)]

    def outputs(self) -> list[NDArray[np.float32]]:
        """What the last pass made."""
        return [np.array(found, dtype=np.float32) for found in self.found]


def traps() -> int:
    """How often the preloaded cpuid_mask.c answered; 0 without it."""
    try:
        return ctypes.c_long.in_dll(ctypes.CDLL(None), "cpuid_mask_traps").value
    except ValueError:
        return 0


def main() -> None:
    """The command."""
    name, file, threads, scale = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
    family, form = name.split("-")
    start = time.perf_counter()
    engine = (OnnxRuntime if family == "ort" else Ncnn)(form, file, threads, scale)
    print(f"ready {(time.perf_counter() - start) * 1e3:.1f} traps={traps()}", flush=True)
    for line in sys.stdin:
        match line.split():
            case ["write", source, target]:
                values = np.fromfile(source, np.int8)
                size = int((values.size // 3) ** 0.5)
                engine.feed(values.reshape(1, 3, size, size))
                engine.run()
                joined = np.concatenate([np.ascontiguousarray(output).ravel() for output in engine.outputs()])
                joined.astype(np.float32).tofile(target)
                print(f"written {joined.size}", flush=True)
            case ["run", passes]:
                times = []
                for _ in range(int(passes)):
                    start = time.perf_counter()
                    engine.run()
                    times.append((time.perf_counter() - start) * 1e3)
                print(" ".join(f"{time:.4f}" for time in times), flush=True)
            case _:
                raise ValueError(f"{line!r}: expected write INPUT OUTPUT or run N")


if __name__ == "__main__":
    main()
