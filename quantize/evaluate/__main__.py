"""Measures a model, on the validation shard or on a public data set.

python -m quantize.evaluate                          the committed bundle through the release binary on the validation shard
python -m quantize.evaluate --runtime onnx           the same files through ONNX Runtime
python -m quantize.evaluate --list                   the public sets, and their files
python -m quantize.evaluate --protocol coco-detection --data COCO --runtime binary onnx --out results
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

from quantize.bundle.manifest import BundleError
from quantize.evaluate import on_dataset
from quantize.evaluate.binary import BinaryError, release_binary
from quantize.evaluate.datasets.files import DatasetError
from quantize.evaluate.measure import QUICK_LIMIT, Metrics, ValidationSet, measure, measure_conse, measure_nanodet
from quantize.evaluate.predictor import CheckpointError
from quantize.evaluate.protocols.outcome import Settings
from quantize.evaluate.samples import ShardError, read_shard
from quantize.evaluate.table import closing_line, print_table

VALIDATION_SHARD = Path("../shared/data/val.tar")
UNUSABLE = 2
"""Exit code for input that cannot be used."""


def natural(text: str) -> int:
    """A count from 0."""
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"found {text}, expected a whole number from 0")
    return int(text)


def arguments() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=Path("models/default"), help="folder of the bundle")
    parser.add_argument(
        "--runtime", choices=on_dataset.RUNTIMES, nargs="+", default=["binary"],
        help="what runs: the program, ONNX Runtime on the same files, on the float twin, or PyTorch; several give a column each",
    )  # fmt: skip
    parser.add_argument("--binary", type=Path, default=release_binary(), help="the edgeclip program")
    parser.add_argument("--float-model", type=Path, help="folder of the bundle's float twin, for --runtime float")
    parser.add_argument("--checkpoint", type=Path, help="model.pt of a RegionClip, for --runtime region-clip")
    parser.add_argument("--data", type=Path, default=VALIDATION_SHARD, help="the validation shard, or the public set's folder")
    parser.add_argument("--teachers", type=Path, help="folder of the reference models (default: teachers beside --data)")
    parser.add_argument("--out", type=Path, help="JSON file to write; with --protocol a folder for table, JSON and chart")
    parser.add_argument("--quick", action="store_true", help=f"only the first {QUICK_LIMIT} pictures of each set")
    public = parser.add_argument_group("public data sets")
    public.add_argument("--list", action="store_true", help="say which there are, and their files")
    public.add_argument("--protocol", metavar="NAME", help="measure on this one, whose folder is --data")
    public.add_argument("--limit", type=natural, metavar="N", help="only the first N pictures")
    public.add_argument(
        "--replicates", type=natural, metavar="N", default=Settings.replicates,
        help="resampled sets behind the intervals (default: %(default)s; 0 for none)",
    )  # fmt: skip
    public.add_argument("--sliding", action="store_true", help="label maps from square windows that overlap by half")
    public.add_argument("--templates", type=Path, help="ImageNet: sentences with {} for the name, one per line")
    public.add_argument("--names", type=Path, help="ImageNet: names of the classes in the order of their synsets, one per line")
    return parser.parse_args()


def reference(run: Callable[[Path, ValidationSet], Metrics], name: str, teachers: Path, data: ValidationSet) -> Metrics:
    """A reference model's numbers; none, and a note, if its files are missing."""
    try:
        return run(teachers, data)
    except FileNotFoundError as error:
        print(f"{name} is left out: {error.filename or error} is missing (--teachers)", file=sys.stderr)
        return {}


def on_shard(args: argparse.Namespace, models: on_dataset.Models) -> None:
    """Measures the one runtime and the reference models."""
    if len(args.runtime) != 1:
        raise DatasetError(f"--runtime: found {len(args.runtime)}, expected one for the validation shard")
    teachers = args.teachers or args.data.parent / "teachers"
    data = ValidationSet.of(read_shard(args.data), QUICK_LIMIT if args.quick else None)
    ours = measure(on_dataset.predictor(args.runtime[0], models), data)
    columns = {
        "edgeclip": ours,
        "NanoDet-m": reference(measure_nanodet, "NanoDet-m", teachers, data),
        "ConSE": reference(measure_conse, "ConSE", teachers, data),
    }
    if args.out:
        args.out.write_text(json.dumps({"runtime": args.runtime[0], "quick": args.quick, "metrics": columns}, indent=2) + "\n")
    print_table(columns)
    print(closing_line(*columns.values()))


def main() -> int:
    """Returns the exit code."""
    args = arguments()
    if args.list:
        print(on_dataset.listing())
        return 0
    models = on_dataset.Models(args.model, args.float_model, args.binary, args.checkpoint)
    try:
        if args.protocol is None:
            on_shard(args, models)
        else:
            settings = Settings(args.replicates, args.sliding, on_dataset.templates(args.templates))
            limit = QUICK_LIMIT if args.quick else args.limit
            data = on_dataset.PublicSet(args.protocol, args.data, limit, args.names)
            on_dataset.run(data, args.runtime, models, settings, args.out)
    except (ShardError, BundleError, BinaryError, DatasetError, CheckpointError) as error:
        print(f"evaluate: {error}", file=sys.stderr)
        return UNUSABLE
    return 0


if __name__ == "__main__":
    sys.exit(main())
