"""CARD.md: a bundle's training data and their terms, how it was trained, its scores and its failures."""

from pathlib import Path

from quantize.bundle.manifest import Manifest
from quantize.evaluate.measure import Metrics
from quantize.evaluate.table import ROWS, percent
from quantize.settings.board import BoardRecipe

DATA = """\
| source | pictures | supervision used | terms as stated by the source |
|---|---|---|---|
| Flickr8k | 4300 | captions | research use |
| Visual7W | 2600 | questions with their answers | annotations CC BY 4.0, pictures keep Flickr terms |
| COCO 2014, a reduced copy | 1800 | pseudo-labels only | pictures keep Flickr terms |
| ImageNet, one picture a class | 1000 | class name | non-commercial research |
| Freiburg Groceries | 700 | boxes, 25 classes | cite the authors |
| Grocery Store | 500 | fine and coarse label | MIT |
| Clothing Co-Parsing | 500 | pixels, 59 classes | Apache-2.0 file; academic |
| COCO-128 | 128 | boxes; panoptic segments for most | annotations CC BY 4.0 |
| CamVid | 100 | pixels, 11 classes | research |
| WordPics, Spell Quest | 1133 | one word a picture | none stated; pictures from the web |
| Clothing dataset (small) | 600 | 10 garments | CC0 |

Teachers: MobileNetV2 1.0 224 (TensorFlow, Apache-2.0), NanoDet-m (Apache-2.0), all-MiniLM-L6-v2 (Apache-2.0), OpenAI CLIP ViT-B/32 text
vectors of 1,592 names (MIT); for the head of pictures also Google's object labeler (ML Kit sample, Apache-2.0) and PP-PicoDet-S 416
(PaddleDetection, Apache-2.0). Several sources allow research use only: check the terms above before you ship this model in a product,
or train your own with the same recipe (`quantize/`).
"""

CLASSES = """\
## The detector's own classes

`classes.safetensors` holds the last layer of NanoDet-m's class head (Apache-2.0) in int8, and its 80 names. What they weigh beside words
was fitted on PicoDet's boxes in 450 captioned pictures of Flickr8k, which neither detector was trained on.

"""

EXAMPLES = """\
## Examples beside words

`features.safetensors` holds statistics of pictures and no picture: mean, deviation, a projection (covariance within names) and 256 cluster
means of everyday pictures and regions. They are taken from the pictures above and from the sources below, of which the networks saw
nothing but the head of pictures, and no picture of the names that measure unseen ones. Weights of words and examples: fitted on the
names below before that head had learned them.

| source | pictures | used | terms as stated by the source |
|---|---|---|---|
| szepi_exp, data_english, overinf, flashcards, spelling | 1481 | name | none or MIT stated; pictures from the web |
| ikea | 372 | name | property of IKEA, non-commercial |
| animal_cutouts | 249 | name | none stated; research experiments |
| ImageNet detection | 166 | name | non-commercial research |
| BOSS | 117 | name | CC BY-SA upstream |
| fruitveg | 72 | name | MIT |
| COCO mini (train2017) | 80 | boxes | annotations CC BY 4.0, pictures keep Flickr terms |
| Flickr8k | 1328 | none | research use |

"""

LIMITS = """\
- Names close to ImageNet's, COCO's and the words of captions work; rare names, brands, fine species and text in pictures do not.
- Boxes come from a detector initialised on COCO's 80 classes. Things unlike those are often not boxed; give a region (`embed --boxes`) instead.
- Below about 20 pixels at the network's 320 px input, things are mostly missed.
- Captions were written about everyday photos of people and pets in a few countries; what people and places look like elsewhere is
  underrepresented. Do not use scores to decide about people.
- Scores are calibrated on everyday photos; on other cameras set thresholds a label.
"""


def write_card(folder: Path, manifest: Manifest, recipe: BoardRecipe, columns: dict[str, Metrics]) -> None:
    """`columns` maps a column's title to its metrics."""
    head = " | ".join(["percent, on `val.tar`", *columns])
    rows = [" | ".join([title, *(percent(m, key) for m in columns.values())]) for key, title in ROWS.items()]
    table = "\n".join(["| " + head + " |", "|---" * (len(columns) + 1) + "|", *(f"| {row} |" for row in rows)])
    how = (
        f"Recipe `{recipe.name}`: trunk {'frozen' if recipe.model.frozen else 'trained'}, {recipe.loop.steps} steps, seed {recipe.seed}, "
        f"views {', '.join(recipe.data.views)}; input {manifest.size} px, {manifest.embedding} dimensions. Int8: static, per-channel weights, "
        "per-tensor activations; text tower with int8 weights."
    )
    more = (CLASSES if manifest.classes else "") + (EXAMPLES if manifest.examples else "")
    text = (
        f"# {manifest.name}\n\nThe default model of edgeclip: a region-aware CLIP for small boards. MobileNetV2 and NanoDet-m's network share "
        f"one input; heads embed pictures, regions and pixels in the space of a MiniLM text tower.\n\n## Data\n\n{DATA}\n## Training\n\n{how}\n\n"
        f"## Scores\n\nBoth columns through ONNX Runtime, from the same files (`python -m quantize.export.deltas`).\n\n{table}\n\n{more}## Limits\n\n{LIMITS}"
    )
    (folder / "CARD.md").write_text(text)
