"""Annotates pictures: captions, tags, boxes and masks by other networks, as WebDataset shards for training.

python -m quantize.annotate photos/ --out shards/ --captioner blip:Salesforce/blip2-opt-2.7b \\
    --detector owlv2:google/owlv2-base-patch16-ensemble --segmenter sam:facebook/sam-vit-base --device cuda
python -m quantize.annotate ../shared/data/train-000.tar --out shards/ --detector nanodet:../shared/data/teachers --workers 4
python -m quantize.annotate photos/ annotate.toml --out shards/ --runner ray --ray-address auto --workers 8

PICTURES is a shard (.tar), a folder of shards, or a folder of pictures with labels of any form that docs/training.md lists,
captions (one per line, in NAME.txt beside NAME.jpg), or nothing.
The same command again resumes it where it was stopped. Every setting can be given in a TOML file; flags win.
"""

import argparse
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

from quantize.annotate.engine import annotate
from quantize.annotate.errors import AnnotateError
from quantize.annotate.report import write_report
from quantize.annotate.settings import STAGES, Settings, load

UNUSABLE = 2
"""Exit code for input that cannot be used."""


def parser() -> argparse.ArgumentParser:
    """The command line; flags without a default leave a setting as the file has it."""
    made = argparse.ArgumentParser("quantize.annotate", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("inputs", nargs="+", type=Path, metavar="PICTURES", help="shards or folders; SETTINGS.toml among them")
    made.add_argument("--out", type=Path, required=True, help="folder for shards, vocabulary.json and report.md")
    made.add_argument("--stages", type=lambda text: text.split(","), help=f"only these, of {','.join(STAGES)}")
    made.add_argument("--parser", help="auto, lexicon or spacy:MODEL")
    made.add_argument("--captioner", help="blip:WHERE; WHERE is a folder or a name on the Hugging Face hub")
    made.add_argument(
        "--detector", dest="detectors", action="append", help="nanodet:FOLDER, owlv2:WHERE, grounding_dino:WHERE; again for more"
    )
    made.add_argument("--segmenter", help="sam:WHERE, mask2former:WHERE, deeplab:FOLDER")
    made.add_argument("--exclude", action="append", help="shard or folder whose pictures must not come in; again for more")
    made.add_argument("--vocabulary", help="an earlier run's vocabulary.json (default: counted)")
    made.add_argument("--synonyms", help="JSON such as lvis_categories.json: one name for several")
    made.add_argument("--max-side", type=int, help="pixels; larger pictures are scaled down")
    made.add_argument("--device", help="cpu, cuda, cuda:1 …")
    made.add_argument("--batch", type=int, help=f"pictures that a network gets at once ({_default('batch')})")
    made.add_argument("--runner", help="local (processes) or ray (Ray Data)")
    made.add_argument("--workers", type=int, help=f"processes, or with ray actors for each network ({_default('workers')})")
    made.add_argument("--ray-address", help="of a running cluster, or auto (default: a Ray of this machine alone)")
    made.add_argument("--gpus-per-worker", type=float, help="with ray: GPUs that an actor holds, such as 1 or 0.5")
    return made


def _default(name: str) -> Any:
    return next(f.default for f in fields(Settings) if f.name == name)


def main() -> int:
    """Returns the exit code."""
    arguments = vars(parser().parse_args())
    paths, out = arguments.pop("inputs"), arguments.pop("out")
    recipes = [path for path in paths if path.suffix == ".toml"]
    inputs = [path for path in paths if path.suffix != ".toml"]
    try:
        if len(recipes) > 1 or not inputs:
            raise AnnotateError(
                f"found {len(recipes)} settings files and {len(inputs)} inputs, expected at most 1 and at least 1"
            )
        settings = load(recipes[0] if recipes else None, {key: value for key, value in arguments.items() if value is not None})
        outcome = annotate(inputs, out, settings)
    except (AnnotateError, OSError) as error:
        print(f"annotate: {error}", file=sys.stderr)
        return UNUSABLE
    except KeyboardInterrupt:
        print("annotate: stopped; the same command resumes it", file=sys.stderr)
        return 130
    total = outcome.total()
    write_report(outcome, out, settings)
    again = f" ({len(outcome.skipped)} were finished already)" if outcome.skipped else ""
    pictures = f"{total.written} pictures, {total.dropped.total()} left out"
    print(f"{len(outcome.shards)} shards{again}, {pictures}; see {out / 'report.md'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
