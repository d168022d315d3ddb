"""Measures a model, on the project's shards, on a public data set, or on anybody's labelled pictures.

python -m quantize.evaluate                          the committed bundle through the release binary on val.tar and held-out names
python -m quantize.evaluate --aside                  the same on the training pictures set aside, where choices are made
python -m quantize.evaluate --protocol boxes colours some of the protocols of shards
python -m quantize.evaluate --runtime onnx           the same files through ONNX Runtime
python -m quantize.evaluate --data mine              a folder, shard or file of labels in any form that docs/training.md lists
python -m quantize.evaluate --list                   the public sets, and their files
python -m quantize.evaluate --protocol coco-detection --data COCO --runtime binary onnx --out results
"""

import argparse
import sys
from pathlib import Path

from quantize.bundle.manifest import BundleError
from quantize.evaluate import on_dataset, own_set
from quantize.evaluate.binary import BinaryError, release_binary
from quantize.evaluate.datasets.files import DatasetError
from quantize.evaluate.measure import QUICK_LIMIT
from quantize.evaluate.on_shards import PROTOCOLS, ShardRun, run
from quantize.evaluate.predictor import CheckpointError
from quantize.evaluate.protocols.outcome import Settings
from quantize.evaluate.samples import ShardError

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
    parser.add_argument(
        "--data",
        type=Path,
        default=VALIDATION_SHARD,
        help="the validation shard, the public set's folder, or labelled pictures of one's own",
    )
    parser.add_argument("--teachers", type=Path, help="folder of the reference models (default: teachers beside --data)")
    parser.add_argument("--out", type=Path, help="folder for table and JSON, and of public sets a chart")
    parser.add_argument("--aside", action="store_true", help="on the training pictures set aside (quantize/data/set_aside.py)")
    parser.add_argument("--quick", action="store_true", help=f"only the first {QUICK_LIMIT} pictures of each set")
    public = parser.add_argument_group("public data sets")
    public.add_argument("--list", action="store_true", help="say which there are, and their files")
    parser.add_argument(
        "--protocol", metavar="NAME", nargs="+", default=[],
        help=f"only {', '.join(PROTOCOLS)}; or one public set, whose folder is --data",
    )  # fmt: skip
    public.add_argument("--limit", type=natural, metavar="N", help="only the first N pictures")
    public.add_argument(
        "--replicates", type=natural, metavar="N", default=Settings.replicates,
        help="resampled sets behind the intervals (default: %(default)s; 0 for none)",
    )  # fmt: skip
    public.add_argument("--sliding", action="store_true", help="label maps from square windows that overlap by half")
    public.add_argument("--templates", type=Path, help="ImageNet: sentences with {} for the name, one per line")
    public.add_argument("--names", type=Path, help="ImageNet: names of the classes in the order of their synsets, one per line")
    return parser.parse_args()


def on_shard(args: argparse.Namespace, models: on_dataset.Models, settings: Settings) -> None:
    """Measures the one runtime and the reference models."""
    if len(args.runtime) != 1:
        raise DatasetError(f"--runtime: found {len(args.runtime)}, expected one for the shards")
    teachers = args.teachers or args.data.parent / "teachers"
    asked = ShardRun(args.data, teachers, args.aside, QUICK_LIMIT if args.quick else args.limit, tuple(args.protocol))
    run(asked, lambda: on_dataset.predictor(args.runtime[0], models), args.runtime[0], settings, args.out)


def is_own(data: Path) -> bool:
    """Whether labels are anybody's: the validation shard has the held-out names beside it."""
    return data.exists() and not (data.parent / "heldout_names.txt").is_file()


def main() -> int:
    """Returns the exit code."""
    args = arguments()
    if args.list:
        print(on_dataset.listing())
        return 0
    models = on_dataset.Models(args.model, args.float_model, args.binary, args.checkpoint)
    try:
        settings = Settings(args.replicates, args.sliding, on_dataset.templates(args.templates))
        if not args.protocol and not args.aside and is_own(args.data):
            limit = QUICK_LIMIT if args.quick else args.limit
            own_set.run(args.data, limit, args.runtime, models, settings, args.out)
        elif set(args.protocol) <= set(PROTOCOLS):
            on_shard(args, models, settings)
        elif len(args.protocol) > 1:
            raise DatasetError(f"--protocol: found {' '.join(args.protocol)}, expected one public set, or some of shards")
        else:
            limit = QUICK_LIMIT if args.quick else args.limit
            data = on_dataset.PublicSet(args.protocol[0], args.data, limit, args.names)
            on_dataset.run(data, args.runtime, models, settings, args.out)
    except (ShardError, BundleError, BinaryError, DatasetError, CheckpointError) as error:
        print(f"evaluate: {error}", file=sys.stderr)
        return UNUSABLE
    return 0


if __name__ == "__main__":
    sys.exit(main())
