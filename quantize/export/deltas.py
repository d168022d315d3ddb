"""What int8 costs: `python -m quantize.export.deltas RECIPE [--bundle models/default] [--data ../shared/data/val.tar]`.

Every metric of `quantize.evaluate`, on the float twin and on the int8 bundle, both through ONNX Runtime. Writes both and the
difference into the manifest, and the card; a loss beyond the bound exits 1.
"""

import argparse
import shutil
import sys
import tomllib
from pathlib import Path

from quantize.bundle.manifest import BundleError, read_manifest
from quantize.bundle.write import HASHED, files_of, write_manifest
from quantize.evaluate.measure import Metrics, ValidationSet, measure
from quantize.evaluate.onnx import OnnxPredictor
from quantize.evaluate.samples import ShardError, read_shard
from quantize.evaluate.table import print_table
from quantize.export.card import write_card
from quantize.int8.bundles import float_folder
from quantize.settings.board import load_board_recipe

# points (of 1) that int8 may lose; sampling noise on 64 pictures is larger than the true loss
MAX_LOSS = 0.03
BOUNDED = (
    "coco_ap50",
    "gtbox_mean_class",
    "grocery_coarse_top1",
    "camvid_miou",
    "panoptic_miou",
    "flickr_t2i_r10",
    "flickr_i2t_r10",
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--bundle", type=Path, default=Path("models/default"))
    parser.add_argument("--data", type=Path, default=Path("../shared/data/val.tar"))
    arguments = parser.parse_args()
    try:
        recipe = load_board_recipe(arguments.recipe)
        twin = float_folder(recipe)
        manifest = read_manifest(arguments.bundle)
        data = ValidationSet.of(read_shard(arguments.data))
    except (ValueError, BundleError, ShardError) as error:
        parser.error(str(error))
    for name in set(files_of(manifest)) - set(HASHED):  # they read what either network puts out
        shutil.copyfile(arguments.bundle / name, twin / name)
    write_manifest(twin, manifest, {})
    int8, reference = measure(OnnxPredictor(arguments.bundle), data), measure(OnnxPredictor(twin), data)
    delta: Metrics = {k: int8[k] - reference[k] for k in int8}
    print_table({"float": reference, "int8": int8, "int8 - float": delta})
    kept = tomllib.loads((arguments.bundle / "model.toml").read_text()).get("metrics", {})
    write_manifest(arguments.bundle, manifest, kept | {"float": reference, "int8": int8, "delta": delta})
    write_card(arguments.bundle, manifest, recipe, {"float": reference, "int8": int8})
    lost = {k: delta[k] for k in BOUNDED if delta[k] < -MAX_LOSS}
    for name, value in lost.items():
        print(f"{name}: int8 loses {-100 * value:.1f} points, expected at most {100 * MAX_LOSS:.1f}", file=sys.stderr)
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
