"""The text tower and the region prompter here, in tract and in ONNX Runtime, the same files, interleaved in one run.

cargo test --release --lib --no-run
python benches/peers/text.py TEST_BINARY [RUNS] [CORE]

With CORE, all of them run on that core alone. Times of texts include tokenising, for both; those of regions include pooling, here
but not in ONNX Runtime.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnxruntime as ort
from safetensors import safe_open
from tokenizers import Tokenizer

MODEL = Path(__file__).parents[2] / "models/default"
CASES = (("text", 1), ("text", 2), ("text", 80), ("text", 1000), ("regions", 1), ("regions", 100))
TEMPLATES = ("{}", "a photo of a {}")
BATCH_TOKENS = 256
SIZES = ("", "small ", "a large ", "two ", "the red ")
PLACES = ("", " on a table", " in the street", " beside a tree on a sunny day")


def prompts(count: int) -> list[str]:
    """Those of `src/vocabulary/cost_tests.rs`."""
    with safe_open(MODEL / "negatives.vocab.safetensors", "np") as file:
        names = json.loads(file.metadata()["names"])
    return [f"{SIZES[i % 5]}{names[i * 7 % len(names)]}{PLACES[i // 3 % 4]}" for i in range(count)]


class OnnxRuntime:
    """Both networks, with batches of sentences of one length."""

    def __init__(self, threads: int) -> None:
        """Loads them for so many threads."""
        options = ort.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 3
        self.text, self.prompter = (
            ort.InferenceSession(MODEL / name, options, providers=["CPUExecutionProvider"])
            for name in ("text.onnx", "prompt.onnx")
        )
        self.batch = BATCH_TOKENS * threads
        self.tokenizer = Tokenizer.from_file(str(MODEL / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.prompts = prompts(5000)
        features = self.prompter.get_inputs()[0].shape[1]
        self.regions = np.random.default_rng(0).random((100, features), dtype=np.float32) * 2

    def run(self, kind: str, count: int) -> None:
        """One pass."""
        if kind == "regions":
            self.prompter.run(None, {"region": self.regions[:count]})
            return
        by_length: dict[int, list[list[int]]] = {}
        for prompt in self.prompts[:count]:
            for template in TEMPLATES:
                ids = self.tokenizer.encode(template.replace("{}", prompt)).ids
                by_length.setdefault(len(ids), []).append(ids)
        for length, sentences in by_length.items():
            step = max(1, self.batch // length)
            for start in range(0, len(sentences), step):
                batch = np.array(sentences[start : start + step], np.int64)
                self.text.run(None, {"input_ids": batch, "attention_mask": np.ones_like(batch)})


def main() -> None:
    """The command."""
    binary, runs = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 15
    if len(sys.argv) > 3:
        os.sched_setaffinity(0, {int(sys.argv[3])})
    theirs = OnnxRuntime(len(os.sched_getaffinity(0)))
    command = [binary, "--ignored", "--nocapture", "cost_of_words"]
    environment = os.environ | {"EDGECLIP_SERVE": "1"}
    server = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
    assert server.stdin
    assert server.stdout
    # The test program introduces itself first, perhaps on the same line.
    line = next(line for line in server.stdout if "load text" in line)
    print(line[line.index("load text") :].strip())
    for kind, count in CASES:
        times: dict[str, list[float]] = {"int8": [], "float": [], "ort": []}
        for _ in range(max(3, runs // 4) if count == 1000 else runs):
            start = time.perf_counter()
            theirs.run(kind, count)
            times["ort"].append((time.perf_counter() - start) * 1e3)
            for side in ("int8", "float"):
                server.stdin.write(f"{side} {kind} {count}\n")
                server.stdin.flush()
                times[side].append(float(server.stdout.readline()))
        ours, tract, other = (statistics.median(times[side]) for side in ("int8", "float", "ort"))
        ratios = f"edgeclip/ort {ours / other:.2f} edgeclip/tract {ours / tract:.2f}"
        print(f"{kind} {count}: edgeclip {ours:.2f} ms, tract {tract:.2f} ms, ONNX Runtime {other:.2f} ms, {ratios}", flush=True)
    server.stdin.close()
    server.wait()


if __name__ == "__main__":
    main()
