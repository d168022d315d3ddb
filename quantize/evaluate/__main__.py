"""Measures a bundle on the validation shard and prints one table.

python -m quantize.evaluate                          the committed bundle through the release binary
python -m quantize.evaluate --runtime onnx           the same files through ONNX Runtime
"""

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from quantize.bundle import BundleError
from quantize.evaluate.binary import BinaryError, BinaryPredictor
from quantize.evaluate.measure import Metrics, ValidationSet, measure, measure_conse, measure_nanodet
from quantize.evaluate.onnx import OnnxPredictor
from quantize.evaluate.predictor import Predictor
from quantize.evaluate.samples import ShardError, read_shard
from quantize.evaluate.table import closing_line, print_table

QUICK_LIMIT = 12
UNUSABLE = 2
"""Exit code for input that cannot be used."""


def release_binary() -> Path:
    """Where `cargo build --release` leaves the program."""
    return Path(os.environ.get("CARGO_TARGET_DIR", "target")) / "release" / "edgeclip"


def arguments() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=Path("models/default"), help="folder of the bundle")
    parser.add_argument("--runtime", choices=("binary", "onnx"), default="binary", help="what runs the bundle")
    parser.add_argument("--binary", type=Path, default=release_binary(), help="the edgeclip program")
    parser.add_argument("--data", type=Path, default=Path("../shared/data/val.tar"), help="the validation shard")
    parser.add_argument("--teachers", type=Path, help="folder of the reference models (default: teachers beside --data)")
    parser.add_argument("--out", type=Path, help="JSON file to write")
    parser.add_argument("--quick", action="store_true", help=f"only the first {QUICK_LIMIT} pictures of each set")
    return parser.parse_args()


def reference(run: Callable[[Path, ValidationSet], Metrics], name: str, teachers: Path, data: ValidationSet) -> Metrics:
    """A reference model's numbers; none, and a word about it, if its files are missing."""
    try:
        return run(teachers, data)
    except FileNotFoundError as error:
        print(f"{name} is left out: {error.filename or error} is missing (--teachers)", file=sys.stderr)
        return {}


def main() -> int:
    """Returns the exit code."""
    args = arguments()
    teachers = args.teachers or args.data.parent / "teachers"
    try:
        data = ValidationSet.of(read_shard(args.data), QUICK_LIMIT if args.quick else None)
        predictor: Predictor
        predictor = OnnxPredictor(args.model) if args.runtime == "onnx" else BinaryPredictor(args.binary, args.model)
        ours = measure(predictor, data)
    except (ShardError, BundleError, BinaryError) as error:
        print(f"evaluate: {error}", file=sys.stderr)
        return UNUSABLE
    columns = {
        "edgeclip": ours,
        "NanoDet-m": reference(measure_nanodet, "NanoDet-m", teachers, data),
        "ConSE": reference(measure_conse, "ConSE", teachers, data),
    }
    if args.out:
        args.out.write_text(json.dumps({"runtime": args.runtime, "quick": args.quick, "metrics": columns}, indent=2) + "\n")
    print_table(columns)
    print(closing_line(*columns.values()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
