"""A trained RegionClip as a predictor. Dense features of a picture are computed once, however many protocols ask for them."""

import hashlib
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from quantize.alignment.texts import Texts
from quantize.evaluate.predictor import DenseEmbeddings, Detections, Picture
from quantize.features import normalise
from quantize.geometry import Floats
from quantize.model.dense import Dense
from quantize.model.region_clip import RegionClip
from quantize.model.regions import align
from quantize.preprocess import Letterbox, letterbox

