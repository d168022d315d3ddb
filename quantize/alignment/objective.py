"""What a step minimises: the losses of CLIP, TagAlign, CLOC and UMG-CLIP on one batch, each by its weight in the recipe.

L = image_text (or image_text_sigmoid) + tags + λ (region_text + grounding) + region_tags + pixels + objectness + boxes + masks,
where λ is the share of pictures that carry regions (CLOC). Regions learn texts by contrast, tags by classification (UMG-CLIP).
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from quantize import losses
from quantize.alignment.batches import Batch
from quantize.alignment.heads import head_terms
from quantize.alignment.texts import Texts
from quantize.alignment.vocabulary import Vocabulary
from quantize.model.dense import Dense
from quantize.model.region_clip import RegionClip
from quantize.training.distributed import gather

TERMS = (
    "image_text", "image_text_sigmoid", "tags", "region_text", "grounding", "region_tags", "pixels",
    "objectness", "boxes", "masks",
)  # fmt: skip
PAIRS = frozenset({"image_text", "image_text_sigmoid"})
WORDS = frozenset({"tags", "region_tags", "pixels"})
REGIONS = frozenset({"region_text", "region_tags"})
HEAD = frozenset({"objectness", "boxes", "masks"})


class Objective:
    """Weighted terms; a term of weight 0 is not computed."""

    def __init__(
        self, model: RegionClip, texts: Texts, vocabulary: Vocabulary, weights: dict[str, float], tags_a_step: int
    ) -> None:
        unknown = sorted(set(weights) - set(TERMS))
        if unknown:
            raise ValueError(f"losses: unknown term {unknown[0]!r}, expected some of {', '.join(TERMS)}")
        self.model, self.texts, self.vocabulary = model, texts, vocabulary
        self.weights = {term: weights.get(term, 0.0) for term in TERMS}
        self.tags_a_step = tags_a_step

    def __call__(self, batch: Batch, dense: Dense) -> dict[str, Tensor]:
        """Terms of one rank's batch; embeddings of all ranks are gathered as each other's negatives."""
        found: dict[str, Tensor] = {}
        use = {term for term, weight in self.weights.items() if weight > 0}
        if use & PAIRS:
            found |= self._pairs(batch, dense, use)
        regions = self.model.regions(dense, batch.boxes, batch.box_owner) if use & REGIONS else batch.boxes[:0]
        if use & WORDS:
            found |= self._words(batch, dense, regions, use)
        if "region_text" in use or "grounding" in use:
            found |= self._regions(batch, dense, regions, use)
        if use & HEAD:
            terms = head_terms(self.model.predict(dense), batch, *dense.map.shape[2:])
            found |= {term: value for term, value in terms.items() if term in use}
        return {term: self.weights[term] * value for term, value in found.items()}

    def _pairs(self, batch: Batch, dense: Dense, use: set[str]) -> dict[str, Tensor]:
        """Pictures and captions: CLIP's softmax over the batch, SigLIP's sigmoid over its pairs."""
        v, scale = gather(self.model.image(dense)[batch.caption_owner]), self.model.scale("image")
        t = gather(self.texts(batch.captions))
        found = {}
        if "image_text" in use:
            found["image_text"] = losses.info_nce(v, t, scale)
        if "image_text_sigmoid" in use:
            found["image_text_sigmoid"] = losses.sigmoid_pairs(v, t, scale, self.model.bias("image"))
        return found

    def _words(self, batch: Batch, dense: Dense, regions: Tensor, use: set[str]) -> dict[str, Tensor]:
        """TagAlign: the mean of the projected patches against all tags; UMG: each region, and the mean inside each mask."""
        shown = self._shown(batch)
        place = torch.full((len(self.vocabulary.names),), -1, dtype=torch.long)
        place[shown] = torch.arange(len(shown))
        words = self.texts.names([self.vocabulary.names[i] for i in shown.tolist()])
        found = {}
        if "tags" in use:
            hot = batch.tags[:, shown.to(batch.tags.device)]
            found["tags"] = losses.multi_tag(self.model.patch_mean(dense), words, hot, self.model.scale("tag"))
        if "region_tags" in use:
            hot = batch.box_tags[:, shown.to(batch.box_tags.device)].float()
            found["region_tags"] = losses.multi_tag(regions, words, hot, self.model.scale("region"))
        if "pixels" in use:
            found["pixels"] = words.sum() * 0
            if len(batch.masks):
                v = self.model.masked(dense, batch.masks, batch.mask_owner)
                target = place.to(batch.mask_names.device)[batch.mask_names]
                found["pixels"] = F.cross_entropy(self.model.scale("pixel") * losses.similarity(v, words), target)
        return found

    def _shown(self, batch: Batch) -> Tensor:
        """Tags of this step: those of the batch, and others at random up to `tags_a_step`."""
        total = len(self.vocabulary.names)
        if total <= self.tags_a_step:
            return torch.arange(total)
        there = batch.tags.sum(0).cpu() > 0
        there[batch.mask_names.cpu()] = True
        rest = torch.randperm(total)
        rest = rest[~there[rest]][: max(0, self.tags_a_step - int(there.sum()))]
        return torch.cat([there.nonzero().squeeze(1), rest]).sort().values

    def _regions(self, batch: Batch, dense: Dense, regions: Tensor, use: set[str]) -> dict[str, Tensor]:
        t = self.texts(batch.box_texts)
        share = gather(losses.region_share(batch.box_owner, len(batch.tags)).reshape(1)).mean()
        found = {}
        if "region_text" in use:
            found["region_text"] = share * losses.region_text(
                gather(regions), gather(t), self.model.scale("region"), gather(self.texts.reference(batch.box_texts))
            )
        if "grounding" in use:
            boxes = self.model.ground(dense, t, batch.box_owner)
            found["grounding"] = share * losses.grounding(boxes, batch.boxes)
        return found
