"""Losses: small pure functions, one per formula. `v` are unit vision vectors, `t` unit text vectors, `scale` an inverse
temperature.

Vectors may be gathered over processes; a batch without a positive gives 0 with a gradient of 0.
"""

from quantize.losses.boxes import distance_bins, distribution_focal, masks, objectness, overlap
from quantize.losses.contrastive import SAME_TEXT, info_nce, names_cross_entropy, sigmoid_pairs, similarity
from quantize.losses.distillation import (
    affinity,
    agreement_weights,
    certainty_weights,
    fixed_weights,
    prompted_regions,
    relational,
    weighted,
)
from quantize.losses.regions import grounding, region_share, region_text
from quantize.losses.tags import multi_tag, soft_names, true_names

__all__ = [
    "SAME_TEXT",
    "affinity",
    "agreement_weights",
    "certainty_weights",
    "distance_bins",
    "distribution_focal",
    "fixed_weights",
    "grounding",
    "info_nce",
    "masks",
    "multi_tag",
    "names_cross_entropy",
    "objectness",
    "overlap",
    "prompted_regions",
    "region_share",
    "region_text",
    "relational",
    "sigmoid_pairs",
    "similarity",
    "soft_names",
    "true_names",
    "weighted",
]
