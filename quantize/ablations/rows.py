"""The rows of the table: each adds one paper's part to the one above."""

from dataclasses import dataclass, replace

from quantize.settings.region_clip import RegionClipRecipe


@dataclass(frozen=True)
class Row:
    """`terms` of the objective that it adds, and what its regions and pixels are embedded by."""

    name: str
    terms: tuple[str, ...]
    regions: str  # of ModelSettings
    region_by: str  # "image": RoIAlign features through the image projection; "patches": projected patches; "regions"
    pixel_by: str  # "image" or "patches"


ROWS = (
    Row("image only (CLIP)", ("image_text",), "roi_align", "image", "image"),
    Row("+ tags (TagAlign)", ("image_text", "tags"), "roi_align", "patches", "patches"),
    Row("+ regions, RoIAlign", ("image_text", "tags", "region_text"), "roi_align", "regions", "patches"),
    Row("+ regions, Prompter (CLOC)", ("image_text", "tags", "region_text"), "prompter", "regions", "patches"),
    Row("+ grounding (CLOC)", ("image_text", "tags", "region_text", "grounding"), "prompter", "regions", "patches"),
    Row("+ pixels (UMG-CLIP)", ("image_text", "tags", "region_text", "grounding", "pixels"), "prompter", "regions", "patches"),
)


def recipe_of(row: Row, full: RegionClipRecipe, seed: int) -> RegionClipRecipe:
    """The full recipe with the row's terms alone; steps, batches and everything else stay."""
    losses = {term: full.losses[term] for term in row.terms}
    return replace(full, losses=losses, seed=seed, model=replace(full.model, regions=row.regions))
